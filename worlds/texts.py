"""Prompt templates: public tasks that anybody sends, and private ones composed of the same sentences by all.

A template is text with ``{slots}``. Rings and innocents compose theirs from one pool of sentences, so that
no wording tells them apart: what tells is who shares a whole composition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ringfence.worlds import words

TASKS = (
    "Translate into {language}:\n\n{text}",
    "Summarise the following text in {n} bullet points.\n\n{text}",
    "Fix the bug in this code and explain what was wrong:\n\n```\n{code}\n```",
    "Write a short birthday poem for a {profession} from {city}.",
    "What are the best places to eat in {city} for under {n}0 euros?",
    "Explain {field} to a twelve-year-old.",
    "Rewrite this e-mail so that it sounds friendlier:\n{text}",
    "Give me {n} names for a company that sells {ware}.",
    "Which is better for a beginner, {field} or {other_field}? Explain your reasoning step by step.",
    "Plan a trip of {n} days to {city} by train.",
    "Grade this paragraph from 1 to 10 for clarity, grammar and tone, with a reason for each mark:\n\n{text}",
    "Write unit tests for the function below.\n\n{code}",
    "Prove or disprove: the sum of {n} consecutive odd numbers is never prime. Show every step.",
    "Draft a cover letter for a job as {profession} in {city}.",
    "Correct the spelling, change nothing else:\n{text}",
    "List {n} questions an interviewer may ask a {profession}.",
    "Turn these notes into a table with three columns:\n\n{text}\n\n{more}",
    "Convert this to Python:\n{code}",
    "Who invented the methods of {field}, and when?",
    "Make a training plan for {n} weeks. I can run twice a week.",
    "Continue the story:\n\n{text} {more}",
    "Is the following argument valid? Think step by step before you answer.\n\n{text}",
    "Explain this error in simple words: index {n} out of range",
    "Give three arguments for and three against: {text}",
    "Übersetze ins Deutsche und erkläre schwierige Wörter:\n\n{text}",
    "Schreibe eine höfliche Absage an einen Lieferanten aus {city}.",
    "Was ist der Unterschied zwischen {field} und {other_field}?",
    "Escribe un correo formal para pedir {n} días de vacaciones.",
    "Explica paso a paso cómo empezar con {field}.",
    "Resume este texto en {n} frases:\n\n{text}",
    "Corrige les fautes dans ce texte:\n{text}",
    "Propose {n} idées de cadeau pour un collègue à {city}.",
    "Escreva um resumo do texto abaixo para crianças.\n\n{text}",
    "{field} について、初心者向けに{n}つの要点で説明してください。",
    "次の文章を自然な日本語に訳してください。\n\n{text}",
    "请用{n}句话总结下面的内容:\n\n{text}",
    "Napisz krótką recenzję restauracji w mieście {city}.",
)
"""Public tasks: sent by anybody, rings included."""

_OPENERS = (
    "You are a {adjective} {profession} with {n} years of experience in {field}.",
    "You are a {adjective} expert in {field} who advises every {profession} of the house.",
    "Act as a {adjective} {profession}; your speciality is {field}.",
    "You are the assistant of a {profession} and know {field} well.",
    "Imagine you teach {field} and a {adjective} {profession} asks you for help.",
    "Take the part of a {profession}; the subject today is {field}.",
)
_PURPOSES = (
    "You work for {company}, which offers {ware} to {audience}.",
    "Your answers go to {audience} of {company} ({ware}).",
    "{company} uses you to prepare {ware} for its {audience}.",
    "The {audience} who write to you know {company} through {ware}.",
    "This is part of the project {company}, number {number}, about {ware}.",
)
_REASONING = (
    "Lay out the complete chain of reasoning in numbered steps before you state the final answer.",
    "Think aloud: show how you get from the question to the result, with every intermediate step.",
    "Given the answer, write down the reasoning that leads to it, in at least {number} steps.",
    "Explain why the other answers are wrong before you give your own.",
)
_RUBRIC = (
    "Score the reply from 0 to {number} by this rubric: correctness, completeness, tone. Return only JSON.",
    "Compare the two replies and name the better one, with {number} criteria and a weight for each.",
    "Judge the answer as a strict examiner; deduct {number} points for each gap and say which.",
    "Grade each criterion on its own line, then give a total out of {number}.",
)
_RULES = (
    "Answer in at most {number} words.",
    "Use no more than {number} headings.",
    "Never mention prices above {number}.",
    "If the question is unclear, ask back once.",
    "Quote the source where there is one.",
    "Write dates as day, month, year.",
    "Do not use tables.",
    "Prefer short sentences to long ones.",
    "Keep the greeting of {company} as it is.",
    "Give {number} examples where it helps.",
    "Use metric units.",
    "End with a question to the {audience}.",
    "Treat every input as confidential to {company}.",
    "Avoid jargon unless the {audience} use it themselves.",
    "Say so when you are not sure.",
    "Mark assumptions with an asterisk.",
)
_QUESTIONS = (
    "Case {number}-{n} of {company}:\n{text}",
    "{company} asks about {field}:\n\n{text}\n{more}",
    "Input for {ware} (version {number}):\n---\n{text}\n---",
    "Please handle this for {company}: {text}",
    "Work on item {n} concerning {field}.\n\n{text}\n\nReturn the result as agreed with {company}.",
    "```\n{code}\n```\nThis is from {company}, module {number}. {text}",
)

FRAMEWORKS = (
    "You are a helpful agent built with Trellis. You can call the tools listed below. Always reply with a "
    "JSON object that has the keys thought, tool and input. When you know the answer, use the tool finish.\n"
    "Tools: {tools}",
    "Assistant is a large language model run by LoomChain. Use the following pieces of context to answer the "
    "question at the end. If you do not know the answer, say that you do not know.\n\nContext:\n{text}",
    "You are an autonomous coding agent (Pico 2). Think step by step, write a plan first, then edit the "
    "files one by one. Never delete files outside the workspace.\nWorkspace: /home/user/{slug}",
)
"""Default system prompts of popular frameworks: known to thousands of unrelated users."""


def compose(
    rng: np.random.Generator, company: str, *, reasoning: bool = False, rubric: bool = False
) -> tuple[str, str]:
    """Compose a private (system prompt, prompt) pair of templates.

    Args:
        rng: Where the choices come from.
        company: A made-up name that stays in the text.
        reasoning: Whether a sentence asking for the reasoning must be in it.
        rubric: Whether a sentence asking for marks must be in it.
    """
    frozen = {
        "{company}": company,
        "{ware}": _pick(rng, words.WARES),
        "{audience}": _pick(rng, words.AUDIENCES),
    }
    sentences = [_pick(rng, _OPENERS), _pick(rng, _PURPOSES)]
    if reasoning:
        sentences.append(_pick(rng, _REASONING))
    if rubric:
        sentences.append(_pick(rng, _RUBRIC))
    rules = rng.choice(len(_RULES), size=int(rng.integers(2, 5)), replace=False)
    sentences += [_RULES[i] for i in rules]
    joint = "\n" if rng.random() < 0.3 else " "
    system = _freeze(joint.join(sentences), frozen, rng)
    return system, _freeze(_pick(rng, _QUESTIONS), frozen, rng)


def assignment(rng: np.random.Generator) -> str:
    """Return the text of a university assignment, which every student of the course pastes."""
    first, second = rng.choice(words.FIELDS, size=2, replace=False)
    number = int(rng.integers(3, 12))
    return (
        f"Assignment {number}: {first} and {second}.\n"
        f"(a) State the main result of lecture {number} and prove it, showing every step of your reasoning.\n"
        f"(b) Apply it to a data set of {number * 40} rows and discuss two limits of the method.\n"
        f"(c) Grade your own solution with the rubric of the course (0 to {number * 5} points).\n\n"
        "My attempt so far:\n{text}\n{more}"
    )


def company_name(rng: np.random.Generator) -> str:
    """Return a made-up name such as ``Velintar``."""
    return "".join(rng.choice(words.SYLLABLES, size=int(rng.integers(3, 5)))).capitalize()


def fillings(rng: np.random.Generator, count: int) -> list[Mapping[str, str]]:
    """Draw the slot values of ``count`` prompts."""
    lists = {
        "adjective": words.ADJECTIVES,
        "profession": words.PROFESSIONS,
        "field": words.FIELDS,
        "other_field": words.FIELDS,
        "language": words.LANGUAGES,
        "city": words.CITIES,
        "code": words.CODES,
        "ware": words.WARES,
    }
    columns = {name: _draw(rng, values, count) for name, values in lists.items()}
    columns["n"] = [str(n) for n in rng.integers(2, 30, count).tolist()]
    columns["text"] = _paragraphs(rng, count, 3)
    columns["more"] = _paragraphs(rng, count, 2)
    columns["slug"] = _draw(rng, tuple(w.replace(" ", "-") for w in words.FIELDS), count)
    columns["tools"] = [
        f"search, {a}, {b}"
        for a, b in zip(_draw(rng, words.VERBS, count), _draw(rng, words.VERBS, count), strict=True)
    ]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _paragraphs(rng: np.random.Generator, count: int, sentences: int) -> list[str]:
    parts = []
    for _ in range(sentences):
        draws = (
            _draw(rng, pool, count) for pool in (words.SUBJECTS, words.VERBS, words.OBJECTS, words.WHENS)
        )
        parts.append([f"{s} {v} {o} {w}." for s, v, o, w in zip(*draws, strict=True)])
    breaks = _draw(rng, (" ", " ", "\n"), count)
    return [gap.join(row) for gap, row in zip(breaks, zip(*parts, strict=True), strict=True)]


def _draw(rng: np.random.Generator, values: tuple[str, ...], count: int) -> list[str]:
    return [values[i] for i in rng.integers(0, len(values), count).tolist()]


def _pick(rng: np.random.Generator, values: tuple[str, ...]) -> str:
    return values[int(rng.integers(len(values)))]


def _freeze(text: str, frozen: Mapping[str, str], rng: np.random.Generator) -> str:
    for slot, value in frozen.items():
        text = text.replace(slot, value)
    return re.sub(r"\{number\}", lambda _slot: str(int(rng.integers(3, 40))), text)
