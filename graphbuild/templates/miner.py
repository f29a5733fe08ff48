"""Prompt text → template ids, as prompts stream by.

Each prompt gets a key, the hash of its tokens; equal prompts have one key. A key that is new is matched to
the templates found so far. What matches none, and one in eight of what does, waits in a window; a full
window is mined for templates (:mod:`~ringfence.graphbuild.templates.discover`). What a prompt is a case of is
therefore known for certain only at the end: keys come first, ids when all is read.

Text lives in the window and in one masked sample a template, in memory. On disk there are hashes of shingles,
and wording that several accounts sent.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.graphbuild.templates.column import Column
from ringfence.graphbuild.templates.discover import Mined, MiningSettings, discover
from ringfence.graphbuild.templates.keys import KeyTable
from ringfence.graphbuild.templates.loops.text import UNLIKE, text_keys
from ringfence.graphbuild.templates.registry import Registry, Template
from ringfence.graphbuild.templates.shingles import Shingles, joined, located, shingled
from ringfence.graphbuild.templates.skeleton import Sample, Told, merged, show, slots
from ringfence.graphbuild.templates.wordings import SharedWordings, Wordings

WINDOW = 2_000_000
"""Shingles of a window."""

_SAMPLED = 8
_CARRIED = WINDOW // 4
_NONE, _WAITING = -1, -2
_POPULAR = 0.05
_TEXT_KEPT = 8192
_SLOTS = pa.list_(pa.struct({"start": pa.int32(), "end": pa.int32()}))


@dataclass(frozen=True, slots=True)
class _Named:
    """What texts go by; shapes: ``(texts,)``."""

    names: npt.NDArray[np.int64]
    """Places of ids, -1 for none."""
    rows: npt.NDArray[np.float64]
    """Prompts that go by the same id."""
    fits: npt.NDArray[np.float64]


@dataclass(slots=True)
class _Window:
    """Prompts that wait to be mined."""

    shingles: list[Shingles] = field(default_factory=list)
    keys: list[npt.NDArray[np.int32]] = field(default_factory=list)
    weights: list[npt.NDArray[np.float64]] = field(default_factory=list)
    texts: list[pa.Array] = field(default_factory=list)
    accounts: list[pa.Array] = field(default_factory=list)
    size: int = 0

    def add(
        self,
        shingles: Shingles,
        keys: npt.NDArray[np.int32],
        weights: npt.NDArray[np.float64],
        texts: pa.Array,
        accounts: pa.Array,
    ) -> None:
        """Put prompts behind the others; of their texts the beginnings stay, as more is never shown."""
        texts = pc.utf8_slice_codeunits(texts.cast(pa.large_string()), 0, _TEXT_KEPT)
        self.shingles.append(shingles)
        self.keys.append(keys)
        self.weights.append(weights)
        self.texts.append(texts)
        self.accounts.append(accounts)
        self.size += len(shingles.hashes)


class PromptMiner:
    """Implements :class:`~ringfence.graphbuild.templates.protocol.TemplateMiner`.

    Args:
        least_accounts: Wording is told only when at least so many accounts sent it.
        settings: What decides that prompts have a template in common.
        registry: A folder with templates found before; they keep their ids.
        wordings: Whether prompts that begin almost alike are told apart from others of their template, so
            that what accounts share is as particular as can be.

    Raises:
        InputError: the registry cannot be read.
    """

    def __init__(
        self,
        least_accounts: int = 3,
        settings: MiningSettings | None = None,
        registry: Path | None = None,
        *,
        wordings: bool = False,
    ) -> None:
        self._settings = settings or MiningSettings()
        self._least_accounts = least_accounts
        self.registry = (
            Registry.load(registry, self._settings, least_accounts)
            if registry
            else Registry(self._settings, least_accounts)
        )
        self._window = _Window()
        self._keys = KeyTable()
        self._names = np.empty(0, np.int32)
        self._fits = np.empty(0, np.float32)
        self._times = np.empty(0, np.int32)
        self._groups = Wordings() if wordings else None
        self._shared = SharedWordings(least_accounts)
        self._wordings = np.empty(0, np.int32)
        self._rows = 0
        self._ids = np.array([""], object)
        self._id_of, self._id_rows = np.empty(0, np.int64), np.zeros(1)
        self._pairs = KeyTable()
        self._parts = Column(np.uint64, 2)

    def __call__(self, system: pa.Array | None, prompt: pa.Array | None, accounts: pa.Array) -> pa.Array:
        """Return a key a row, to be resolved when all is read; null where there is no text.

        Args:
            system: shape: ``(n,)``; system prompts, null or absent where there are none.
            prompt: shape: ``(n,)``; user prompts, likewise.
            accounts: shape: ``(n,)``; who sent them.
        """
        given = [part for part in (system, prompt) if part is not None]
        if not given:
            return pa.nulls(len(accounts), pa.uint64())
        # Row by row, so that nothing depends on how rows are cut into batches.
        count = len(given)
        order = pa.array(np.arange(count * len(accounts)).reshape(count, -1).T.ravel())
        texts = pa.concat_arrays([part.cast(pa.large_string()) for part in given]).take(order)
        keys = self._observe(texts, accounts.take(pa.array(np.repeat(np.arange(len(accounts)), count))))
        first, second = keys[::count], keys[1::count] if count > 1 else np.zeros(len(accounts), np.uint64)
        keys = self._paired(first, second)
        return pa.array(keys, pa.uint64(), mask=keys == 0)

    def finish(self) -> None:
        """Mine what is still waiting; ids are final from here on."""
        if self._window.size:
            self._mine(carry=0)
        counts = np.bincount(
            self._names[self._names >= 0],
            self._times[self._names >= 0],
            minlength=len(self.registry.templates),
        )
        for template, count in zip(self.registry.templates, counts.tolist(), strict=True):
            live = self.registry.templates[self.registry.number(template.template_id)]
            live.prompts += int(count)
        self._settle()

    def resolve(self, keys: pa.Array) -> pa.Array:
        """Return the template id of each key, null where its prompt has none; shape: ``(n,)``."""
        return self.answers(keys)[0]

    def slots(self, texts: pa.Array, keys: pa.Array) -> pa.Array:
        """Return the parts of texts that are not their template's wording.

        Args:
            texts: shape: ``(n,)``.
            keys: As they were returned for these texts; shape: ``(n,)``.

        Returns:
            A list of ``{start, end}`` in characters for each text, null where it has no template.
        """
        numbers = self._keys.find(keys.fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint64))
        names = np.where(
            numbers >= 0, self._names[np.maximum(numbers, 0)] if len(self._names) else _NONE, _NONE
        )
        shingles, spans = located(texts)
        fixed = self._fixed(shingles, names)
        found = [
            None if name < 0 or text is None else slots(text, merged(spans[first:last][fixed[first:last]]))
            for name, text, first, last in zip(
                names.tolist(),
                texts.to_pylist(),
                shingles.starts[:-1].tolist(),
                shingles.starts[1:].tolist(),
                strict=True,
            )
        ]
        return pa.array(found, _SLOTS)

    def _fixed(self, shingles: Shingles, names: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Return whether each shingle is one of its text's template; shape: ``(shingles,)``."""
        of = np.repeat(names, np.diff(shingles.starts))
        order = np.argsort(of, kind="stable")
        present, first = np.unique(of[order], return_index=True)
        fixed = np.zeros(len(of), np.bool_)
        bounds = pairwise([*first.tolist(), len(order)])
        for name, (begin, end) in zip(present.tolist(), bounds, strict=True):
            places = order[begin:end]
            if name >= 0:
                fixed[places] = np.isin(shingles.hashes[places], self.registry.templates[name].shingles)
        return fixed

    def counts(self) -> dict[str, int]:
        """Return the texts read, how many of them differ, and the templates and wordings found."""
        live = len(self.registry.templates) - len(self.registry.aliases)
        wordings = len(self._groups) if self._groups is not None else 0
        different = len(self._keys)
        read = int(self._times[:different].sum())
        return {"texts": read, "different": different, "templates": live, "wordings": wordings}

    def told(self) -> list[Told]:
        """Return what may be said of each template and of wording that several accounts share."""
        found = self.registry.told()
        rows = dict(zip(self._ids.tolist(), self._id_rows.tolist(), strict=True))
        return found + self._shared.told(rows)

    def _observe(self, texts: pa.Array, accounts: pa.Array) -> npt.NDArray[np.uint64]:
        """Take in texts; return their keys, 0 for texts without a word; shape: ``(n,)``."""
        shingles = shingled(texts)
        keys: npt.NDArray[np.uint64] = text_keys(shingles.hashes, shingles.starts)
        before = len(self._keys)
        numbers = self._keys.number(keys)
        self._grow()
        seen, first, times = np.unique(numbers, return_index=True, return_counts=True)
        worded = seen >= 0
        self._times[seen[worded]] += times[worded].astype(np.int32)
        fresh = first[worded & (seen >= before)]
        if self._groups is not None and len(self._keys):
            self._wordings[numbers[fresh]] = self._groups.number(shingles.take(fresh))
            of_rows = np.where(numbers >= 0, self._wordings[numbers], _NONE).astype(np.int32)
            self._shared.notice(of_rows, keys, texts, accounts)
        while len(fresh):
            fresh = fresh[self._match(shingles, numbers, fresh, texts, accounts) :]
            if self._window.size >= WINDOW:
                self._mine(carry=_CARRIED)
        self._notice(numbers, texts, accounts)
        return keys

    def _grow(self) -> None:
        more = len(self._keys) - len(self._names)
        if more > 0:
            more = max(more, len(self._names))
            self._names = np.concatenate([self._names, np.full(more, _NONE, np.int32)])
            self._fits = np.concatenate([self._fits, np.zeros(more, np.float32)])
            self._times = np.concatenate([self._times, np.zeros(more, np.int32)])
            self._wordings = np.concatenate([self._wordings, np.full(more, _NONE, np.int32)])

    def _match(
        self,
        shingles: Shingles,
        numbers: npt.NDArray[np.int32],
        rows: npt.NDArray[np.int64],
        texts: pa.Array,
        accounts: pa.Array,
    ) -> int:
        """Name the templates of prompts that are new; those that have none wait.

        Returns:
            How many rows were gone through: all, or as many as fill the window.
        """
        fresh = shingles.take(rows)
        names, fits = self.registry.match(fresh)
        # Low bits of keys are flags.
        drawn = (self._keys.keys[numbers[rows]] >> np.uint64(32)) % np.uint64(_SAMPLED) == 0
        waits = (names < 0) | drawn
        filled = self._window.size + np.cumsum(np.where(waits, np.diff(fresh.starts), 0))
        done = min(int(np.searchsorted(filled, WINDOW)) + 1, len(rows))
        self._names[numbers[rows[:done]]] = np.where(names >= 0, names, _WAITING)[:done]
        self._fits[numbers[rows[:done]]] = fits[:done]
        waiting = np.flatnonzero(waits[:done])
        where = pa.array(rows[waiting])
        self._window.add(
            fresh.take(waiting),
            numbers[rows[waiting]],
            np.where(names[waiting] < 0, 1.0, float(_SAMPLED)),
            texts.take(where),
            accounts.take(where),
        )
        return done

    def _notice(self, numbers: npt.NDArray[np.int32], texts: pa.Array, accounts: pa.Array) -> None:
        """Show prompts to templates of which too few accounts are known."""
        open_ones = np.array([t.sample.open for t in self.registry.templates], bool)
        if not open_ones.any():
            return
        names = np.where(numbers >= 0, self._names[np.maximum(numbers, 0)], _NONE)
        rows = np.flatnonzero((names >= 0) & open_ones[np.maximum(names, 0)])
        self._show(rows, names[rows], texts, accounts)

    def _show(
        self, rows: npt.NDArray[np.int64], names: npt.NDArray[np.int32], texts: pa.Array, accounts: pa.Array
    ) -> None:
        samples = [self.registry.templates[name].sample for name in names.tolist()]
        show(
            (sample, accounts[row].as_py(), texts[row].as_py())
            for row, sample in zip(rows.tolist(), samples, strict=True)
            if sample.open
        )

    def _mine(self, carry: int) -> None:
        """Find the templates of the window; carry so many shingles of what has none into the next one."""
        window, self._window = self._window, _Window()
        shingles, keys = joined(window.shingles), np.concatenate(window.keys)
        weights = np.concatenate(window.weights)
        before = self._names[keys]
        known = np.unique(before[before >= 0]).tolist()
        mined = discover(
            shingles, weights, [self.registry.templates[k].shingles for k in known], self._settings
        )
        numbers = np.array([*self.registry.learn(mined, known, self._templates(mined)), _NONE], np.int32)
        # A prompt that named a template before names another one only if that is new.
        names = numbers[mined.names]
        changed = (before < 0) | (mined.names >= mined.known)
        self._names[keys[changed]] = names[changed]
        self._fits[keys[changed]] = mined.fit[changed]
        texts, accounts = pa.concat_arrays(window.texts), pa.concat_arrays(window.accounts)
        named = np.flatnonzero(self._names[keys] >= 0)
        self._show(named, self._names[keys[named]], texts, accounts)
        left = np.flatnonzero(self._names[keys] < 0)
        sizes = np.cumsum(np.diff(shingles.starts)[left][::-1])[::-1]
        kept = left[sizes <= carry]
        if len(kept):
            where = pa.array(kept)
            self._window.add(
                shingles.take(kept), keys[kept], weights[kept], texts.take(where), accounts.take(where)
            )

    def _templates(self, mined: Mined) -> list[Template]:
        return [
            Template(_template_id(shingles), shingles, worth, Sample(self._least_accounts))
            for shingles, worth in zip(
                mined.sets[mined.known :], mined.worth[mined.known :].tolist(), strict=True
            )
        ]

    def _paired(
        self, first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64]
    ) -> npt.NDArray[np.uint64]:
        """Return one key a row for two texts; that of the one text where the other is missing."""
        both = (first != 0) & (second != 0)
        keys = np.where(both, _of_two(first, second), first | second)
        before = len(self._pairs)
        numbers = self._pairs.number(np.where(both, keys, 0))
        fresh, rows = np.unique(numbers, return_index=True)
        rows = rows[fresh >= before]
        self._parts.extend(np.stack([first[rows], second[rows]], axis=1))
        return keys

    def answers(self, keys: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Return the template id of each key, and how much of the template's wording its prompt has, 0..1.

        Both are null where a prompt has no template; shapes: ``(n,)``.
        """
        first = keys.fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint64)
        second = np.zeros_like(first)
        pairs = self._pairs.find(first)
        both = pairs >= 0
        first[both], second[both] = self._parts.values[pairs[both]].T
        one, other = self._named(first), self._named(second)
        # What stands above a great many prompts says nothing of the one below it.
        turned = (one.names < 0) | ((one.rows > _POPULAR * self._rows) & (other.names >= 0))
        names = np.where(turned, other.names, one.names)
        fits = np.where(turned, other.fits, one.fits)
        ids = self._ids[names]
        return (
            pa.array(ids, pa.string(), mask=names < 0),
            pa.array(fits, pa.float32(), mask=names < 0),
        )

    def _named(self, keys: npt.NDArray[np.uint64]) -> _Named:
        """Return the id, as a place in ``_ids``, that each text has; -1 where it has none."""
        numbers = self._keys.find(keys)
        known = numbers >= 0
        at = np.where(known, numbers, 0)
        if not len(self._keys):
            nothing = np.zeros(len(keys))
            return _Named(np.full(len(keys), _NONE), nothing, nothing)
        names = np.where(known, self._id_of[at], _NONE)
        return _Named(names, self._id_rows[names], self._fits[at].astype(np.float64))

    def _settle(self) -> None:
        """Give each key the id that its prompts go by: of wording, else template, else what is repeated."""
        count = len(self._keys)
        times, templates = self._times[:count], np.maximum(self._names[:count], _NONE)
        self._rows = int(times.sum())
        ids = [self._live_id(t) for t in self.registry.templates]
        id_of = templates.astype(np.int64)
        wordings = self._wordings[:count]
        if self._groups is not None:
            rows = np.bincount(wordings[wordings >= 0], times[wordings >= 0], len(self._groups))
            repeated = np.flatnonzero(rows > 1)
            places = np.full(len(self._groups) + 1, _NONE)
            places[repeated] = len(ids) + np.arange(len(repeated))
            ids += [self._shared.identifier(w) for w in repeated.tolist()]
            id_of = np.where(places[wordings] >= 0, places[wordings], id_of)
        equal = self._keys.keys & np.uint64(UNLIKE) == 0
        exact = np.flatnonzero((id_of < 0) & (times > 1) & equal)
        id_of[exact] = len(ids) + np.arange(len(exact))
        ids += [f"p-{key:016x}" for key in self._keys.keys[exact].tolist()]
        self._fits[:count][id_of != templates] = 1.0
        self._id_of = id_of
        # The last place stands for those that have no id.
        self._ids = np.array([*ids, ""], object)
        self._id_rows = np.append(np.bincount(id_of[id_of >= 0], times[id_of >= 0], len(ids)), 0)

    def _live_id(self, template: Template) -> str:
        return self.registry.aliases.get(template.template_id, template.template_id)


def _template_id(shingles: npt.NDArray[np.uint64]) -> str:
    return f"t-{hashlib.blake2b(shingles.tobytes(), digest_size=6).hexdigest()}"


def _of_two(first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    both = first * np.uint64(0x9E3779B97F4A7C15) ^ (second >> np.uint64(7)) ^ second
    keys: npt.NDArray[np.uint64] = np.maximum(both, np.uint64(1))
    return keys
