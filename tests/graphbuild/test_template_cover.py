"""Counting, phrases and covering, each against the same said plainly in Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from ringfence.graphbuild.templates import cover
from ringfence.graphbuild.templates.counts import Counted, best_phrases, counted, phrase_of, shared
from ringfence.graphbuild.templates.shingles import CLOSES, LABELS, OPENS, Shingles

SEEDS = range(12)
_SET = 8


@dataclass(frozen=True)
class Window:
    """Texts as lists of hashes, and the same counted."""

    texts: list[list[int]]
    counted: Counted

    @property
    def numbered(self) -> list[list[int]]:
        bounds = self.counted.starts
        return [self.counted.numbers[a:b].tolist() for a, b in pairwise(bounds)]


def shingles_of(texts: list[list[int]]) -> Shingles:
    flat = np.array([h for text in texts for h in text], np.uint64)
    return Shingles(flat, np.cumsum([0, *map(len, texts)]).astype(np.int64))


def window_of(seed: int, least: int = 1) -> Window:
    """Return texts that are made of a few fixed passages and of content, with flags where they belong."""
    rng = np.random.default_rng(seed)
    vocabulary = (rng.integers(0, 1 << 60, 120, dtype=np.uint64) << np.uint64(4)) | np.uint64(_SET)
    passages = [vocabulary[8 * k : 8 * k + rng.integers(1, 9)].tolist() for k in range(9)]
    made: list[list[int]] = []
    for _ in range(60):
        text: list[int] = []
        for _ in range(rng.integers(0, 5)):
            text += passages[rng.integers(9)] if rng.random() < 0.7 else []
            text += rng.choice(vocabulary[40:], rng.integers(0, 4)).tolist()
        if text:
            text[0] |= OPENS | (LABELS if rng.random() < 0.3 else 0)
            text[-1] |= CLOSES
        made.append(text)
    return Window(made, counted(shingles_of(made), least, np.empty(0, np.uint64)))


@pytest.mark.parametrize("seed", SEEDS)
def test_counts(seed: int) -> None:
    window = window_of(seed)
    numbers: dict[int, int] = {}
    for text in window.texts:
        for shingle in text:
            numbers.setdefault(shingle, len(numbers))
    times = Counter(shingle for text in window.texts for shingle in set(text))

    assert window.counted.hashes.tolist() == [*numbers, 0]
    assert window.counted.texts.tolist() == [*(times[shingle] for shingle in numbers), 0]
    assert window.numbered == [[numbers[shingle] for shingle in text] for text in window.texts]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_few_texts_have_is_dropped(seed: int) -> None:
    whole = window_of(seed)
    times = Counter(shingle for text in whole.texts for shingle in set(text))
    known = np.array([h for h, n in times.items() if n < 4][::3], np.uint64)
    window = counted(shingles_of(whole.texts), 4, known)
    keep = {h for h, n in times.items() if n >= 4} | set(known.tolist())

    assert sorted(window.hashes[: window.rare].tolist()) == sorted(keep)
    assert window.dropped.tolist() == [sum(h not in keep for h in text) for text in whole.texts]
    for text, (a, b) in zip(whole.texts, pairwise(window.starts), strict=True):
        told = [h if h in keep else 0 for h in text]
        expected = [h for k, h in enumerate(told) if h or k == 0 or told[k - 1]]
        assert window.hashes[window.numbers[a:b]].tolist() == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_some_of_the_texts(seed: int) -> None:
    window = window_of(seed, 3)
    texts = np.random.default_rng(seed).permutation(60)[:30]
    part = window.counted.take(texts)

    assert [part.numbers[a:b].tolist() for a, b in pairwise(part.starts)] == [
        window.numbered[t] for t in texts
    ]
    times = Counter(x for t in texts for x in set(window.numbered[t]) if x != part.rare)
    assert part.texts.tolist() == [times[x] for x in range(len(part.hashes))]
    assert part.dropped.tolist() == window.counted.dropped[texts].tolist()


def test_a_window_without_texts() -> None:
    window = counted(shingles_of([]), 1, np.empty(0, np.uint64))
    assert window.hashes.tolist() == window.texts.tolist() == [0]
    assert phrase_of(window, 1, 0.5).tolist() == [-1]
    assert shared(window, [], 0.5, 10) == []


def phrases_plainly(window: Window, least: int, cohesion: float) -> list[int]:
    times = window.counted.texts.tolist()
    pairs = Counter(pair for text in window.numbered for pair in set(pairwise(text)))
    phrase = [x if times[x] >= least else -1 for x in range(len(times))]
    for (a, b), together in pairs.items():
        if min(times[a], times[b]) >= least and together >= cohesion * max(times[a], times[b]):
            low, high = sorted((phrase[a], phrase[b]))
            phrase = [low if p == high else p for p in phrase]
    return phrase


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("least", "cohesion"), [(1, 0.3), (3, 0.75), (5, 1.0)])
def test_phrases(seed: int, least: int, cohesion: float) -> None:
    window = window_of(seed)
    assert phrase_of(window.counted, least, cohesion).tolist() == phrases_plainly(window, least, cohesion)


def runs(text: list[int], phrases: list[int]) -> list[tuple[int, list[int]]]:
    """Return the phrases of a text in a row, each with its shingles; what has none stands alone, as -1."""
    out: list[tuple[int, list[int]]] = []
    for x in text:
        if out and out[-1][0] == phrases[x] >= 0:
            out[-1][1].append(x)
        else:
            out.append((phrases[x], [x]))
    return out


@dataclass(frozen=True)
class Limits:
    """What makes a phrase enough."""

    inner: int
    outer: int
    labels: bool
    cap: int


def best_plainly(window: Window, phrases: list[int], text: list[int], limits: Limits) -> dict[int, float]:
    """Return the phrases of a text that are enough, with the most each is worth."""
    flags = [h & (OPENS | CLOSES | LABELS) for h in window.counted.hashes.tolist()]
    times = window.counted.texts.tolist()
    found = runs(text, phrases)
    edge = [p >= 0 and any(flags[x] & (OPENS | CLOSES) for x in run) for p, run in found]
    long = [
        p >= 0 and len(run) >= (limits.outer if edge[k] else limits.inner) for k, (p, run) in enumerate(found)
    ]
    worth: dict[int, float] = {}
    for k, (phrase, run) in enumerate(found):
        beside = edge[k] and any(long[j] for j in (k - 1, k + 1) if 0 <= j < len(found))
        label = phrase >= 0 and limits.labels and any(flags[x] == OPENS | LABELS for x in run)
        if long[k] or beside or label:
            value = float(min(times[x] for x in run) * min(len(run) + 2, limits.cap))
            worth[phrase] = max(worth.get(phrase, 0.0), value)
    return worth


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("limits", [Limits(3, 2, False, 16), Limits(2, 2, True, 5), Limits(4, 3, True, 6)])
def test_best_phrases(seed: int, limits: Limits) -> None:
    window = window_of(seed)
    phrases = phrase_of(window.counted, 3, 0.5)

    def chosen(most: int) -> list[list[int]]:
        rows, found = best_phrases(
            window.counted,
            phrases,
            lengths=(limits.inner, limits.outer),
            labels=limits.labels,
            cap=limits.cap,
            most=most,
        )
        return [found[rows == k].tolist() for k in range(len(window.texts))]

    plainly = [best_plainly(window, phrases.tolist(), text, limits) for text in window.numbered]
    assert any(len(worth) > 1 for worth in plainly)
    assert [sorted(found) for found in chosen(50)] == [sorted(worth) for worth in plainly]
    for found, worth in zip(chosen(2), plainly, strict=True):
        # Which of two that are worth the same is taken is left open.
        assert len(set(found)) == len(found) == min(2, len(worth))
        assert sorted(worth[p] for p in found) == sorted(worth.values())[-2:]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("keep", "most"), [(0.9, 100), (0.5, 7), (0.0, 3)])
def test_shared(seed: int, keep: float, most: int) -> None:
    window = window_of(seed, 3)
    rng = np.random.default_rng(seed)
    members = [rng.permutation(60)[:size].astype(np.int64) for size in (1, 9, 0, 25, 60)]
    found = shared(window.counted, members, keep, most)

    for texts, wording in zip(members, found, strict=True):
        taken = min(len(texts), most)
        looked_at = [window.numbered[texts[k * len(texts) // taken]] for k in range(taken)]
        times = Counter(x for text in looked_at for x in set(text))
        expected = sorted(x for x, n in times.items() if n >= keep * taken and x != window.counted.rare)
        assert sorted(wording.tolist()) == expected


def templates_of(window: Window, seed: int) -> list[npt.NDArray[np.int32]]:
    """Return sets of shingles: pieces of texts, some of them nearly twice."""
    rng = np.random.default_rng(seed + 1000)
    sets = []
    for text in window.numbered:
        text = [x for x in text if x != window.counted.rare]
        if len(text) > 3:
            first = int(rng.integers(len(text) - 2))
            piece = sorted(set(text[first : first + int(rng.integers(2, 9))]))
            sets += [piece, piece[: max(2, len(piece) - int(rng.integers(0, 3)))]]
    return [np.array(s, np.int32) for s in sets]


def edges_of(window: Window, wording: list[int]) -> set[int]:
    return {x for x in wording if int(window.counted.hashes[x]) & (OPENS | CLOSES)}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("known", [0, 5])
def test_distinct(seed: int, known: int) -> None:
    window = window_of(seed)
    sets = templates_of(window, seed)
    index = cover.inverted(sets, window.counted.hashes)
    plain = [set(s.tolist()) for s in sets]

    kept: list[int] = []
    for k, wording in enumerate(plain):
        twins = (
            len(wording & plain[j]) >= 0.7 * len(wording | plain[j])
            and edges_of(window, list(wording)) == edges_of(window, list(plain[j]))
            for j in kept
        )
        if k < known or not any(twins):
            kept.append(k)

    assert 0 < len(kept) < len(sets)
    assert cover.distinct(sets, index, known, 0.7).tolist() == kept


def test_no_templates_are_distinct() -> None:
    window = window_of(0)
    index = cover.inverted([], window.counted.hashes)
    assert cover.distinct([], index, 0, 0.7).tolist() == []
    pairs = cover.following(window.counted.numbers, window.counted.starts, index, 0.5)
    assert pairs.texts.tolist() == pairs.templates.tolist() == pairs.hits.tolist() == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("need", [0.3, 0.7, 1.0])
def test_following(seed: int, need: float) -> None:
    window = window_of(seed)
    sets = templates_of(window, seed)
    # A stream's texts have shingles that no template has.
    unknown = np.where(np.random.default_rng(seed).random(len(window.counted.numbers)) < 0.1, -1, 0)
    numbers = np.where(unknown < 0, -1, window.counted.numbers).astype(np.int32)
    starts = window.counted.starts
    pairs = cover.following(numbers, starts, cover.inverted(sets, window.counted.hashes), need)

    expected = []
    for text, (a, b) in enumerate(pairwise(starts)):
        has = set(numbers[a:b].tolist())
        for k, wording in enumerate(s.tolist() for s in sets):
            hits = len(has & set(wording))
            if hits and hits >= need * len(wording) and edges_of(window, wording) <= has:
                expected.append((text, k, hits))
    assert expected
    found = zip(pairs.texts.tolist(), pairs.templates.tolist(), pairs.hits.tolist(), strict=True)
    assert sorted(found) == expected
    assert np.all(np.diff(pairs.texts) >= 0)


def followed(
    seed: int, least: int = 1
) -> tuple[Window, list[npt.NDArray[np.int32]], cover.Inverted, cover.Following]:
    window = window_of(seed, least)
    sets = templates_of(window, seed)
    index = cover.inverted(sets, window.counted.hashes)
    return window, sets, index, cover.following(window.counted.numbers, window.counted.starts, index, 0.7)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("least", [1, 4])
@pytest.mark.parametrize("most", [3, 1000])
def test_diversity(seed: int, most: int, least: int) -> None:
    window, sets, index, pairs = followed(seed, least)
    known = window.counted
    found = cover.diversity(known.numbers, known.starts, known.dropped, pairs, index, most)

    for k, wording in enumerate(sets):
        texts = pairs.texts[pairs.templates == k]
        taken = min(len(texts), most)
        around = [
            x
            for n in range(taken)
            for x in window.numbered[texts[n * len(texts) // taken]]
            if x not in wording.tolist() and x != known.rare
        ]
        dropped = sum(known.dropped[texts[n * len(texts) // taken]] for n in range(taken))
        total = len(around) + dropped
        assert found[k] == pytest.approx((len(set(around)) + dropped) / total if total else 0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_kinship(seed: int) -> None:
    _, sets, _, pairs = followed(seed)
    weights = np.random.default_rng(seed).choice([1.0, 8.0], 60)
    kin = cover.kinship(pairs, weights, len(sets), within=0.8, share=0.1, wider=1.2)

    texts = [set(pairs.texts[pairs.templates == k].tolist()) for k in range(len(sets))]
    support = [sum(weights[t] for t in followers) for followers in texts]
    assert kin.support.tolist() == pytest.approx(support)
    for outer in range(len(sets)):
        expected = [
            inner
            for inner in range(len(sets))
            if support[inner] * 0.8 <= sum(weights[t] for t in texts[outer] & texts[inner]) > 0
            and support[outer] > 1.2 * support[inner] >= 1.2 * 0.1 * support[outer]
        ]
        assert sorted(kin.children[kin.starts[outer] : kin.starts[outer + 1]].tolist()) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_named(seed: int) -> None:
    _, sets, _, pairs = followed(seed)
    kin = cover.kinship(pairs, np.ones(60), len(sets), within=0.6, share=0.05, wider=1.1)
    values = kin.support * np.random.default_rng(seed).random(len(sets))
    names, places = cover.named(60, pairs, values, kin, 8)

    deep = 0
    for text in range(60):
        mine = np.flatnonzero(pairs.texts == text).tolist()
        allowed, best = set(pairs.templates[mine].tolist()), -1
        while ranked := [
            (values[pairs.templates[p]] * min(pairs.hits[p] + 2, 8), -p)
            for p in mine
            if pairs.templates[p] in allowed
        ]:
            deep += best >= 0
            best = -max(ranked)[1]
            outer = pairs.templates[best]
            allowed = set(kin.children[kin.starts[outer] : kin.starts[outer + 1]].tolist())
        assert (names[text], places[text]) == (pairs.templates[best] if best >= 0 else -1, best)
    assert deep


def test_templates_within_each_other_end_the_search() -> None:
    pairs = cover.Following(np.zeros(2, np.int64), np.arange(2), np.array([5, 4]))
    circle = cover.Kinship(np.ones(2), np.arange(3), np.array([1, 0]))
    names, places = cover.named(1, pairs, np.ones(2), circle, 16)
    assert names.tolist() == places.tolist() == [1]


def test_a_text_that_follows_nothing_names_nothing() -> None:
    none = np.empty(0, np.int64)
    kin = cover.Kinship(np.empty(0), np.zeros(1, np.int64), none)
    names, places = cover.named(2, cover.Following(none, none, none), np.empty(0), kin, 16)
    assert names.tolist() == places.tolist() == [-1, -1]


@pytest.mark.parametrize("size", [0, 1, 8, 9, 5000])
def test_lookup(size: int) -> None:
    # Keys that differ in few bits meet in the table.
    keys = np.random.default_rng(size).permutation(np.arange(1, 3 * size + 2)).astype(np.uint64) << np.uint64(
        9
    )
    table = cover.hashed(keys[:size])

    assert cover.lookup(*table, keys[:size]).tolist() == list(range(size))
    assert set(cover.lookup(*table, keys[size:]).tolist()) == {-1}
    assert cover.lookup(*table, keys[:0]).tolist() == []
