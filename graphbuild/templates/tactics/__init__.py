"""What a prompt template is after: tactics of distillation, with a score each, in many languages.

====================== ==============================================================================
label                  what the text asks a model for
====================== ==============================================================================
reasoning_trace        to write its reasoning out: chains of thought, numbered steps before the answer
rubric_grading         to grade or compare answers, by points, criteria or as an impartial judge
answer_rewriting       to say an answer or a sensitive request again: better, in versions, or unobjectionably
instruction_generation to invent instructions, tasks, prompts (self-instruct), or harder ones (evol-instruct)
tool_traces            to call tools and record calls, arguments, observations
code_variants          for code more than once: repaired, faster, in versions, in another language, with tests
jailbreak              to leave its rules aside: no limits, a persona that never refuses, rules to be ignored
====================== ==============================================================================

A label says what is asked for and accuses nobody: teachers grade, programmers debug, all may ask for steps.

A score is between 0 and 1 and is no probability. It is the larger of two: what the rules of the lexicon say
(:mod:`.lexicon`; one minus the product of one minus the weights of the rules that hold) and, where public
prompts can teach it, which is for ``jailbreak`` alone, what a linear model says (:mod:`.linear`), shifted so
that both have their threshold at :data:`THRESHOLD`. The model reads concepts and rules, never words, so a
prompt in another language is scored the same way as far as the lexicon knows its words. A long pasted passage
can meet a rule by chance; a skeleton, whose slots are empty, is told more surely.

``benchmarks/tactics.py`` trains and measures.
"""

from __future__ import annotations

from ringfence.graphbuild.templates.tactics import lexicon, linear
from ringfence.graphbuild.templates.tactics.reading import read

__all__ = ["LABELS", "THRESHOLD", "tactics"]

LABELS = (
    "reasoning_trace",
    "rubric_grading",
    "answer_rewriting",
    "instruction_generation",
    "tool_traces",
    "code_variants",
    "jailbreak",
)
THRESHOLD = 0.5
"""The least score that gives a label; chosen before any held-out prompt was read."""


def tactics(text: str) -> dict[str, float]:
    """Return the labels of a prompt or of a template's skeleton, with their scores, largest first.

    Args:
        text: As it was written, or masked and case-folded; a slot is ``▢``. Of texts beyond
            :data:`.reading.CHARACTER_LIMIT` characters the beginning and the end are read.

    Returns:
        Label → score, for scores of at least :data:`THRESHOLD`. Empty where nothing is found.
    """
    scores = all_scores(text)
    found = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return {label: score for label, score in found if score >= THRESHOLD}


def all_scores(text: str) -> dict[str, float]:
    """Return the score of every label, also below the threshold."""
    reading = read(text)
    by_rules = lexicon.lexicon_scores(reading)
    learned = linear.linear_scores(reading)
    return {label: round(max(by_rules[label], learned.get(label, 0.0)), 4) for label in LABELS}
