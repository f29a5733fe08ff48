"""A window of prompts → templates: what stays in many prompts while the rest changes.

1. Shingles are counted; those that follow each other nearly always form a *phrase*.
2. Phrases that nearly the same prompts have (a beginning and an end, say) form a candidate.
3. Each prompt names the candidate it follows (:mod:`~ringfence.graphbuild.templates.cover`); candidates that
   few of their prompts name are passages, idioms or parts of others, and go. The rest is learnt anew from
   the prompts that name it. What is left over is searched again.

Frequent phrases as the way to templates go back to SLCT (Vaarandi 2003); that wording around slots is found
by what follows it, to Harris (1955). Nothing here keys on the number of words, so that slots may be as long
as they like.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ringfence.graphbuild.templates import cover
from ringfence.graphbuild.templates.counts import Counted, best_phrases, counted, phrase_of, shared
from ringfence.graphbuild.templates.shingles import LABELS, OPENS, Shingles

Hashes = npt.NDArray[np.uint64]
Sets = list[npt.NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """What decides that prompts have a template in common. Chosen on half of the public templates."""

    least_prompts: int = 5
    """Different prompts that a template must have been seen in."""
    cohesion: float = 0.75
    """Share of texts in which two shingles must follow each other to be of one phrase."""
    inner: int = 3
    """Shingles of a phrase in the midst of a prompt; three are five words."""
    outer: int = 2
    """Shingles of a phrase at the beginning or the end."""
    cap: int = 16
    """Words after which longer wording counts no more."""
    phrases: int = 12
    """Phrases of a prompt that are looked at."""
    joined: float = 0.8
    """Share of prompts that two phrases must have in common to be of one candidate."""
    need: float = 0.7
    """Share of a template's shingles that a prompt must have to follow it."""
    keep: float = 0.9
    """Share of a template's prompts that must have a shingle for it to be the template's."""
    same: float = 0.85
    """Shingles in common, of all that either has, that make two templates one (Jaccard)."""
    within: float = 0.8
    """Share of a template's prompts that must follow another for it to occur only within that one."""
    share: float = 0.1
    """Share of a template's prompts that one within it must have; smaller ones are content."""
    wider: float = 1.2
    """How many times as many prompts the outer of two such templates must have."""
    named: float = 0.2
    """Share of the prompts that follow a template which must name it."""
    loses: float = 0.5
    """A known template loses shingles that fewer than this share of its prompts in a window has."""
    enough: int = 20
    """Prompts in a window from which a known template is looked at in this way."""
    faithful: float = 0.5
    """Share of the prompts that follow wording which must be those it was found in."""
    rounds: int = 2
    """How often templates are learnt anew from the prompts that name them."""
    searches: int = 2
    """How often what is left over is searched."""
    sample: int = 200
    """Prompts of a template that are looked at to learn it."""
    candidates: int = 4000
    """Candidates of a window that are looked at: those that most prompts have."""


@dataclass(frozen=True, slots=True)
class Mined:
    """What a window holds."""

    sets: list[Hashes]
    """Shingles of each template; those known before come first, in their order."""
    known: int
    """How many were known before."""
    names: npt.NDArray[np.int64]
    """Template of each prompt, -1 where there is none; shape: ``(prompts,)``."""
    fit: npt.NDArray[np.float64]
    """Share of that template's shingles that the prompt has, 0..1; shape: ``(prompts,)``."""
    worth: npt.NDArray[np.float64]
    """How wide-spread each template is and how varied the text around it; shape: ``(templates,)``."""
    parents: npt.NDArray[np.int64]
    children: npt.NDArray[np.int64]
    """Pairs of templates of which the second occurs within the first; shapes: ``(pairs,)``."""


def discover(
    shingles: Shingles, weights: npt.NDArray[np.float64], known: list[Hashes], settings: MiningSettings
) -> Mined:
    """Find the templates of a window of different prompts.

    Args:
        shingles: Of the prompts.
        weights: How many prompts each stands for; shape: ``(prompts,)``.
        known: Shingles of templates known before. They stay, and lose what most of their prompts now lack.
        settings: What decides.
    """
    everything_known = np.concatenate(known) if known else np.empty(0, np.uint64)
    window = counted(shingles, settings.least_prompts, everything_known)
    search = _Search(window, weights, known, settings)
    left = np.arange(len(shingles))
    for _ in range(settings.searches):
        found = _candidates(window, left, settings)
        if not found:
            break
        search.refine(found)
        still_left = np.flatnonzero(search.names < 0)
        if len(still_left) in (len(left), 0):
            break
        left = still_left
    if not search.assigned:
        search.refine([])
    return search.result()


def _numbers(window: Counted, known: list[Hashes]) -> Sets:
    """Return shingle sets as numbers of the window; shingles that it has not are left out."""
    order = np.argsort(window.hashes)
    ranked = window.hashes[order]
    sets = []
    for hashes in known:
        places = np.minimum(np.searchsorted(ranked, hashes), max(len(ranked) - 1, 0))
        there = ranked[places] == hashes if len(ranked) else np.zeros(len(hashes), bool)
        sets.append(order[places[there]].astype(np.int32))
    return sets


def _candidates(
    window: Counted, texts: npt.NDArray[np.int64], settings: MiningSettings
) -> list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]]:
    """Return wording that some of these texts have in common, as numbers of the window, and the texts."""
    part = window if len(texts) == len(window.dropped) else window.take(texts)
    phrases = phrase_of(part, settings.least_prompts, settings.cohesion)
    lengths = (settings.inner, settings.outer)
    # A label such as "Summary:" is little: it makes a template where nothing else does.
    rows, found = best_phrases(
        part,
        phrases,
        lengths=lengths,
        labels=part is not window,
        cap=settings.cap,
        most=settings.phrases,
    )
    members = _members(rows, found, len(texts), settings)
    sets = shared(window, [texts[m] for m in members], settings.keep, settings.sample)
    return [(s, texts[m]) for s, m in zip(sets, members, strict=True) if _is_wording(window.hashes[s])]


def _members(
    rows: npt.NDArray[np.int64], found: npt.NDArray[np.int64], texts: int, settings: MiningSettings
) -> list[npt.NDArray[np.int64]]:
    """Return for each candidate the texts that have it; phrases of the same texts are one candidate."""
    names, columns = np.unique(found, return_inverse=True)
    has = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(texts, len(names)))
    sizes = np.asarray(has.sum(axis=0)).ravel()
    frequent = np.flatnonzero(sizes >= settings.least_prompts)
    if not len(frequent):
        return []
    has, sizes = has[:, frequent], sizes[frequent]
    both = (has.T @ has).tocoo()
    alike = both.data >= settings.joined * np.maximum(sizes[both.row], sizes[both.col])
    graph = sparse.csr_matrix((both.data[alike], (both.row[alike], both.col[alike])), shape=both.shape)
    groups, group_of = connected_components(graph, directed=False)
    merge = sparse.csr_matrix((np.ones(len(sizes)), (np.arange(len(sizes)), group_of)))
    half = np.bincount(group_of) / 2
    inside = (has @ merge).tocsc()
    members = [
        inside.indices[a:b][inside.data[a:b] >= half[g]].astype(np.int64)
        for g, (a, b) in enumerate(zip(inside.indptr[:groups], inside.indptr[1:], strict=True))
    ]
    members = [m for m in members if len(m) >= settings.least_prompts]
    members.sort(key=len, reverse=True)
    return members[: settings.candidates]


def _is_wording(hashes: Hashes) -> bool:
    """Whether a shingle set is enough to be a template: two shingles, or a first word with a colon."""
    return len(hashes) > 1 or bool(np.any(hashes & np.uint64(7) == OPENS | LABELS))


class _Search:
    """Templates of one window while they are being learnt."""

    def __init__(
        self,
        window: Counted,
        weights: npt.NDArray[np.float64],
        known: list[Hashes],
        settings: MiningSettings,
    ) -> None:
        self._window, self._weights, self._settings = window, weights, settings
        self._given, self._known = known, len(known)
        self._sets = _numbers(window, known)
        self.assigned = False
        self.names = np.full(len(weights), -1, np.int64)

    def refine(self, candidates: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]]) -> None:
        """Take candidates in, and learn all templates from the prompts that name them."""
        self._sets += self._faithful(candidates)
        for last in range(self._settings.rounds - 1, -1, -1):
            self._drop_twins()
            self._assign()
            if last:
                self._learn()

    def result(self) -> Mined:
        parents = np.repeat(np.arange(len(self._sets)), np.diff(self._kin.starts))
        fresh = [np.sort(self._window.hashes[s]) for s in self._sets[self._known :]]
        return Mined(
            [*self._trimmed(), *fresh],
            self._known,
            self.names,
            self._fit,
            self._worth,
            parents,
            self._kin.children,
        )

    def _faithful(self, candidates: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]]) -> Sets:
        """Return wording that is found above all in the prompts it comes from."""
        sets = [wording for wording, _ in candidates]
        window = self._window
        pairs = cover.following(
            window.numbers, window.starts, cover.inverted(sets, window.hashes), self._settings.need
        )
        support = np.bincount(pairs.templates, self._weights[pairs.texts], minlength=len(sets))
        return [
            wording
            for (wording, texts), times in zip(candidates, support.tolist(), strict=True)
            if self._weights[texts].sum() >= self._settings.faithful * times
        ]

    def _drop_twins(self) -> None:
        """Drop templates that are nearly the same as a longer or a known one, and open and close alike."""
        fresh = sorted(
            range(self._known, len(self._sets)), key=lambda k: (-len(self._sets[k]), self._sets[k].tobytes())
        )
        self._sets = [self._sets[k] for k in (*range(self._known), *fresh)]
        if self._sets:
            index = cover.inverted(self._sets, self._window.hashes)
            kept = cover.distinct(self._sets, index, self._known, self._settings.same)
            self._sets = [self._sets[k] for k in kept.tolist()]

    def _assign(self) -> None:
        settings, window = self._settings, self._window
        index = cover.inverted(self._sets, window.hashes)
        pairs = cover.following(window.numbers, window.starts, index, settings.need)
        self._kin = cover.kinship(
            pairs,
            self._weights,
            len(self._sets),
            within=settings.within,
            share=settings.share,
            wider=settings.wider,
        )
        varied = cover.diversity(window.numbers, window.starts, window.dropped, pairs, index, settings.sample)
        # Wording around which nothing changes is still a template where there is no other.
        self._worth = self._kin.support * np.maximum(varied, 1e-3)
        self.names, places = cover.named(len(self._weights), pairs, self._worth, self._kin, settings.cap)
        self._fit = cover.fit(places, pairs, index)
        self.assigned = True

    def _learn(self) -> None:
        """Learn each template from the prompts that name it; drop those that few name."""
        settings = self._settings
        members = self._named_by(len(self._sets))
        weight = np.bincount(
            self.names[self.names >= 0],
            self._weights[self.names >= 0],
            minlength=len(self._sets),
        )
        learnt = shared(self._window, members, settings.keep, settings.sample)
        stays = (weight >= settings.least_prompts) & (weight >= settings.named * self._kin.support)
        self._sets = [
            self._sets[k] if k < self._known else learnt[k]
            for k in range(len(self._sets))
            if k < self._known or (stays[k] and _is_wording(self._window.hashes[learnt[k]]))
        ]

    def _named_by(self, count: int) -> list[npt.NDArray[np.int64]]:
        """Return the texts that name each of the first ``count`` templates."""
        order = np.argsort(self.names, kind="stable")
        bounds = np.searchsorted(self.names[order], np.arange(count + 1))
        return [order[a:b] for a, b in pairwise(bounds)]

    def _trimmed(self) -> list[Hashes]:
        """Return the known templates without the shingles that most of their prompts no longer have."""
        settings = self._settings
        members = self._named_by(self._known)
        still = shared(self._window, members, settings.loses, settings.sample)
        kept = []
        for given, texts, numbers in zip(self._given, members, still, strict=True):
            left = given[np.isin(given, self._window.hashes[numbers])]
            kept.append(left if len(texts) >= settings.enough and _is_wording(left) else given)
        return kept
