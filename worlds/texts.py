"""Prompt text: templates are compositions of sentences that everybody composes from, with long slots.

No wording tells a ring from an innocent; what tells is who shares a whole composition. A template is only a
number; its parts follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.worlds import words
from ringfence.worlds.corpus import Corpus
from ringfence.worlds.hashing import Draw, Floats, Ints
from ringfence.worlds.phrases import FRAMEWORKS, PHRASEBOOKS, TACTICS
from ringfence.worlds.phrases.phrasebook import Phrasebook

PUBLIC, OWN, GROUP = range(3)
_COMPANIES = 20_000
_PASSAGES = 2500
"""Passages made for each language, where no real text is given."""
_IN_SYSTEM = 0.7
"""Share of private templates whose persona stands in the system prompt rather than the prompt."""
_ASKS = 0.3
"""Share of anybody's private templates that ask for something distillers want, too."""
_BOOKS = tuple(PHRASEBOOKS.values())


@dataclass(frozen=True, slots=True)
class Wording:
    """What each request is to say. Columns of shape ``(r,)``."""

    source: npt.NDArray[np.int8]
    """:data:`PUBLIC`, :data:`OWN` or :data:`GROUP`."""
    template: Ints
    """Number of a private template."""
    family: Ints
    """What templates of one maker have in common: they speak of one company and one aim."""
    language: npt.NDArray[np.int8]
    framework: Ints
    """Popular default system prompt that stands above a prompt of its own or a public one; -1: none."""
    pasted: npt.NDArray[np.int8]
    """1: an assignment, 2: a starter that a whole group pastes."""
    tactic: npt.NDArray[np.int8]
    """What it must ask for; -1: whatever it likes."""
    row: Ints
    """A number of its own for each request."""


class Texts:
    """Writes prompts.

    Args:
        draw: The world's draws.
        seed: The world's seed.
        corpus: Real texts to use.
    """

    def __init__(self, draw: Draw, seed: int, corpus: Corpus) -> None:
        rng = np.random.default_rng([seed, 3])
        self._draw = draw
        self._banks = _banks()
        self._companies = _Bank(_company_names(rng))
        self._passages = _Bank([*_made_passages(rng), *corpus.passages])
        self._prompts = _Bank([*corpus.prompts, *corpus.framings])
        self._framings = _Bank(corpus.framings)
        self._frameworks = [_Bank(framework[part] for framework in FRAMEWORKS) for part in (0, 1)]

    def write(self, wording: Wording) -> tuple[pa.Array, pa.Array]:
        """Return the system prompt (null where there is none) and the prompt of each request."""
        w = wording
        private = w.source != PUBLIC
        pasted = w.pasted > 0
        persona = self._persona(w)
        above = self._draw.uniform(w.template, 201) < _IN_SYSTEM
        framed = w.framework >= 0
        in_system = private & ~pasted & ~framed & above
        in_prompt = private & ~pasted & ~framed & ~above
        system = pc.if_else(pa.array(in_system), persona, None)
        system = pc.if_else(pa.array(framed & ~pasted), self._framework(w), system)
        system = pc.if_else(pa.array(w.pasted == 2), self._starter(w), system)
        prompt = pc.if_else(pa.array(private), self._question(w), self._public(w))
        prompt = pc.if_else(pa.array(w.pasted == 1), self._assignment(w), prompt)
        lead = pc.if_else(pa.array(in_prompt), pc.binary_join_element_wise(persona, "\n\n", ""), "")
        return system, pc.binary_join_element_wise(lead, prompt, "")

    def templates(self, wording: Wording) -> Ints:
        """Return the number of each request's template: what a provider that logs its templates would know.

        It is that of the system prompt where there is one, else of the prompt.
        """
        w = wording
        each = len(_BOOKS[0].tasks)
        task = w.language.astype(np.int64) * each + _popular(self._draw.uniform(w.row, 219), each)
        known = _popular(self._draw.uniform(w.row, 221), max(len(self._prompts), 1))
        real = (len(self._prompts) > 0) & (self._draw.uniform(w.row, 222) < 0.5)
        public = np.where(real, (2 << 56) + known, (1 << 56) + task)
        return np.select(
            (w.pasted > 0, w.framework >= 0, w.source == PUBLIC),
            ((3 << 56) + w.family, (4 << 56) + w.framework, public),
            w.template,
        )

    def _persona(self, w: Wording) -> pa.Array:
        draw, varied = self._draw, self._draw.uniform(w.template, 202) < 0.5
        slot = np.where(varied, w.row, w.template)
        pieces = [
            self._part("opener_0", w.language, w.template, 203),
            self._part("profession", w.language, slot, 204),
            self._part("opener_1", w.language, w.template, 203),
            self._part("field", w.language, slot, 205),
            self._part("opener_2", w.language, w.template, 203),
            self._part("purpose_0", w.language, w.template, 206),
            self._companies.take(draw.below(w.family, 207, _COMPANIES)),
            self._part("purpose_1", w.language, w.template, 206),
            self._part("ware", w.language, w.family, 208),
            self._part("purpose_2", w.language, w.template, 206),
            self._tactic(w),
            *self._rules(w),
        ]
        return pc.binary_join_element_wise(*pieces, "")

    def _rules(self, w: Wording) -> list[pa.Array]:
        """Return three different rules, one of which may be none."""
        bank = self._banks["rule"]
        each = len(bank) // len(_BOOKS)
        first, *gaps = (
            self._draw.below(w.template, 209 + n, each if n == 0 else each // 2) for n in range(3)
        )
        places = (first, first + 1 + gaps[0], first + 1 + gaps[0] + gaps[1] + (gaps[0] + gaps[1] < each - 2))
        return [bank.take(w.language.astype(np.int64) * each + place % each) for place in places]

    def _tactic(self, w: Wording) -> pa.Array:
        """Return what the template asks for: its group's aim, or, with anybody, at times one of its own."""
        draw = self._draw
        asks = (w.tactic >= 0) | (draw.uniform(w.family, 212) < _ASKS)
        tactic = np.where(w.tactic >= 0, w.tactic, draw.below(w.family, 213, len(TACTICS)))
        each = len(_BOOKS[0].tactics[TACTICS[0]])
        place = (w.language.astype(np.int64) * len(TACTICS) + tactic) * each + draw.below(
            w.template, 214, each
        )
        sentence = pc.if_else(pa.array(asks), self._banks["tactic"].take(place), "")
        if not len(self._framings):
            return sentence
        quotes = asks & np.isin(tactic, _FRAMED) & (draw.uniform(w.family, 215) < 0.5)
        framing = self._framings.take(draw.below(w.family, 216, len(self._framings)))
        return pc.if_else(pa.array(quotes), framing, sentence)

    def _question(self, w: Wording) -> pa.Array:
        return pc.binary_join_element_wise(
            self._part("question_0", w.language, w.template, 217),
            self._slot(w, 218),
            self._part("question_1", w.language, w.template, 217),
            "",
        )

    def _public(self, w: Wording) -> pa.Array:
        # A prompt that many know is sent more often than one that few know.
        made = pc.binary_join_element_wise(
            self._part("task_0", w.language, w.row, 219, popular=True),
            self._slot(w, 220),
            self._part("task_1", w.language, w.row, 219, popular=True),
            "",
        )
        if not len(self._prompts):
            return made
        place = _popular(self._draw.uniform(w.row, 221), len(self._prompts))
        known = pa.array(self._draw.uniform(w.row, 222) < 0.5)
        return pc.if_else(known, self._prompts.take(place), made)

    def _assignment(self, w: Wording) -> pa.Array:
        return pc.binary_join_element_wise(
            self._part("assignment_0", w.language, w.family, 223),
            self._part("field", w.language, w.family, 224),
            self._part("assignment_1", w.language, w.family, 223),
            self._slot(w, 225),
            self._part("assignment_2", w.language, w.family, 223),
            "",
        )

    def _starter(self, w: Wording) -> pa.Array:
        return pc.binary_join_element_wise(
            self._part("starter_0", w.language, w.family, 226),
            self._part("field", w.language, w.family, 227),
            self._part("starter_1", w.language, w.family, 226),
            "",
        )

    def _framework(self, w: Wording) -> pa.Array:
        which = np.maximum(w.framework, 0)
        before, after = (bank.take(which) for bank in self._frameworks)
        return pc.binary_join_element_wise(before, self._part("field", w.language, w.row, 228), after, "")

    def _slot(self, w: Wording, salt: int) -> pa.Array:
        """Return a passage, in one of three cases two."""
        first, second = self._passage(w, salt + 300), self._passage(w, salt + 400)
        joined = pc.binary_join_element_wise(first, second, "\n")
        return pc.if_else(pa.array(self._draw.uniform(w.row, salt + 500) < 0.33), joined, first)

    def _passage(self, w: Wording, salt: int) -> pa.Array:
        made = w.language.astype(np.int64) * _PASSAGES + self._draw.below(w.row, salt, _PASSAGES)
        real = len(self._passages) - _PASSAGES * len(_BOOKS)
        if not real:
            return self._passages.take(made)
        given = _PASSAGES * len(_BOOKS) + self._draw.below(w.row, salt + 1, real)
        return self._passages.take(np.where(self._draw.uniform(w.row, salt + 2) < 0.5, given, made))

    def _part(
        self, name: str, language: npt.NDArray[np.int8], of: Ints, salt: int, *, popular: bool = False
    ) -> pa.Array:
        bank = self._banks[name]
        each = len(bank) // len(_BOOKS)
        drawn = self._draw.uniform(of, salt)
        place = _popular(drawn, each) if popular else np.floor(drawn * each).astype(np.int64)
        return bank.take(language.astype(np.int64) * each + place)


class _Bank:
    """Strings to take from."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = pa.array(list(texts), pa.string())

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, places: Ints) -> pa.Array:
        return self._texts.take(pa.array(places))


_FRAMED = tuple(TACTICS.index(name) for name in ("rubric_grading", "jailbreak_framing"))

_SPLIT: dict[str, Callable[[Phrasebook], Sequence[Sequence[str]]]] = {
    "opener": lambda b: b.openers,
    "purpose": lambda b: [(" " + p[0], *p[1:]) for p in b.purposes],
    "question": lambda b: b.questions,
    "task": lambda b: b.tasks,
    "assignment": lambda b: b.assignments,
    "starter": lambda b: b.starters,
}
"""Texts with slots, cut at the slots."""

_WHOLE: dict[str, Callable[[Phrasebook], Sequence[str]]] = {
    "rule": lambda b: [" " + r for r in b.rules] + [""] * 2,
    "tactic": lambda b: [" " + s for tactic in TACTICS for s in b.tactics[tactic]],
    "profession": lambda b: b.professions,
    "field": lambda b: b.fields,
    "ware": lambda b: b.wares,
}


def _banks() -> dict[str, _Bank]:
    """Return the texts of all languages by part, language by language."""
    banks = {name: _Bank(text for book in _BOOKS for text in part(book)) for name, part in _WHOLE.items()}
    for name, parts in _SPLIT.items():
        for piece in range(len(parts(_BOOKS[0])[0])):
            banks[f"{name}_{piece}"] = _Bank(text[piece] for book in _BOOKS for text in parts(book))
    return banks


def _company_names(rng: np.random.Generator) -> list[str]:
    lengths = rng.integers(3, 5, _COMPANIES)
    syllables = rng.choice(words.SYLLABLES, size=(_COMPANIES, 4))
    return [
        "".join(row[:n]).capitalize() for row, n in zip(syllables.tolist(), lengths.tolist(), strict=True)
    ]


def _made_passages(rng: np.random.Generator) -> list[str]:
    made: list[str] = []
    for book in _BOOKS:
        lengths = (1 + rng.geometric(0.3, _PASSAGES)).clip(1, 14).tolist()
        made += [" ".join(rng.choice(book.sentences, size=n, replace=False).tolist()) for n in lengths]
    return made


def _popular(uniform: Floats, count: int) -> Ints:
    """Return places below ``count``, small ones more often."""
    return np.floor(count * uniform**2).astype(np.int64)
