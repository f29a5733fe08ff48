"""Prompts that begin almost alike: one *wording* each.

A template is wording that stays while everything around it changes. Most private prompts are the opposite:
many sentences that others use, too, put together once, and then sent again and again with a word exchanged
here and there. What tells such prompts from others is the whole, so it is wholes that are compared: prompts
whose beginnings have five eighths of their shingles in common, estimated from sketches, are of one wording.
Which prompt comes first decides; for one order wordings are always the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.graphbuild.templates.column import Column
from ringfence.graphbuild.templates.loops.sketch import group_texts, index_sketches
from ringfence.graphbuild.templates.public import is_public
from ringfence.graphbuild.templates.shingles import Shingles
from ringfence.graphbuild.templates.skeleton import Sample, Told, show

LEAST = 8
"""Shingles that a prompt must have to be told from others by its wording; ten words."""

MOST_HELD = 2_000_000
"""Wordings whose sketches are held; a third of a kilobyte each."""

_NONE = -1
_BEGINNING = 64
_BINS, _BANDS = 24, 12
_AGREEING = 15
_FIRST_ROOM = 1 << 12
_FULL = 0.6
_MOST_SAMPLES = 100_000


class Wordings:
    """Numbers wordings in the order in which they first come.

    Sketches of ``most`` wordings are held. When there are more, those that only one prompt had and that
    came first are forgotten: prompts that come later still are of new wordings.
    """

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._count = 0
        self._held = 0
        self._sketches = np.empty((_FIRST_ROOM, _BINS), np.uint32)
        self._numbers = np.empty(_FIRST_ROOM, np.int32)
        self._repeated = np.zeros(_FIRST_ROOM, np.bool_)
        self._clear(_FIRST_ROOM)

    def __len__(self) -> int:
        return self._count

    def number(self, shingles: Shingles) -> npt.NDArray[np.int32]:
        """Return the wording of each text, -1 for those that are too short; shape: ``(texts,)``."""
        if self._held + len(shingles) > self._most:
            self._forget()
        self._make_room(len(shingles))
        places = np.empty(len(shingles), np.int32)
        held = int(
            group_texts(
                shingles.hashes,
                shingles.starts,
                LEAST,
                _BEGINNING,
                self._sketches,
                self._repeated,
                _BANDS,
                self._keys,
                self._owners,
                self._held,
                _AGREEING,
                places,
            )
        )
        fresh = held - self._held
        self._numbers[self._held : held] = self._count + np.arange(fresh)
        self._held, self._count = held, self._count + fresh
        return np.where(places >= 0, self._numbers[places], _NONE).astype(np.int32)

    def _make_room(self, more: int) -> None:
        if self._held + more > len(self._sketches):
            room = max(2 * len(self._sketches), self._held + more)
            self._sketches = _grown(self._sketches, room)
            self._numbers = _grown(self._numbers, room)
            self._repeated = _grown(self._repeated, room)
            self._repeated[self._held :] = False
        if (self._held + more) * _BANDS > _FULL * len(self._keys):
            self._index(self._held + more)

    def _forget(self) -> None:
        """Forget the first of the wordings that only one prompt had, until half of the room is free."""
        single = np.flatnonzero(~self._repeated[: self._held])
        gone = single[: max(self._held - self._most // 2, 0)]
        kept = np.setdiff1d(np.arange(self._held), gone, assume_unique=True)
        for column in (self._sketches, self._numbers, self._repeated):
            column[: len(kept)] = column[kept]
        self._held = len(kept)
        self._repeated[self._held :] = False
        self._index(self._held)

    def _index(self, wordings: int) -> None:
        self._clear(wordings)
        index_sketches(self._sketches, self._held, _BANDS, self._keys, self._owners)

    def _clear(self, wordings: int) -> None:
        size = 1 << max(10, int(np.ceil(np.log2(2 * wordings * _BANDS / _FULL))))
        self._keys, self._owners = np.zeros(size, np.uint64), np.empty(size, np.int32)


def _grown(column: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    grown = np.empty((room, *column.shape[1:]), column.dtype)
    grown[: len(column)] = column
    return grown


class SharedWordings:
    """What is known of each wording: the key of its first prompt, who sent that, and words to show.

    A masked prompt is kept only of wordings that a second account has sent, until enough have.

    Args:
        least_accounts: Wording is told only when at least so many accounts sent it.
    """

    def __init__(self, least_accounts: int) -> None:
        self._least_accounts = least_accounts
        self._first_keys = Column(np.uint64)
        self._first_accounts = Column(np.uint32)
        self._told = Column(np.bool_)
        self._samples: dict[int, Sample] = {}
        self._closed: dict[int, Told] = {}

    def identifier(self, wording: int) -> str:
        """Return the id of a wording."""
        return f"w-{int(self._first_keys.values[wording]):016x}"

    def notice(
        self,
        wordings: npt.NDArray[np.int32],
        keys: npt.NDArray[np.uint64],
        texts: pa.Array,
        accounts: pa.Array,
    ) -> None:
        """Take in prompts; shapes: ``(n,)``, wording -1 for those that have none."""
        rows = np.flatnonzero(wordings >= 0)
        if not len(rows):
            return
        hashed = account_hashes(accounts)
        known = len(self._first_keys)
        fresh, first = np.unique(wordings[rows], return_index=True)
        first = rows[first[fresh >= known]]
        self._first_keys.extend(keys[first])
        self._first_accounts.extend(hashed[first])
        self._told.extend(np.zeros(len(first), np.bool_))
        mine = wordings[rows]
        others = rows[~self._told.values[mine] & (hashed[rows] != self._first_accounts.values[mine])]
        # Whoever sent it first is one account more; what that account wrote is not at hand.
        prompts = [
            (self._sample(wording), accounts[row].as_py(), texts[row].as_py())
            for row, wording in zip(others.tolist(), wordings[others].tolist(), strict=True)
        ]
        show((sample, account, text) for sample, account, text in prompts if sample is not None)
        for wording in np.unique(wordings[others]).tolist():
            self._close(wording)

    def told(self, rows: Mapping[str, int]) -> list[Told]:
        """Return what may be said of each wording that several accounts sent.

        Args:
            rows: Id → prompts that go by it.
        """
        still_open = [self._describe(wording, sample) for wording, sample in self._samples.items()]
        return [
            replace(told, prompts=rows.get(told.template_id, 0))
            for told in (*still_open, *self._closed.values())
        ]

    def _sample(self, wording: int) -> Sample | None:
        if wording not in self._samples and len(self._samples) < _MOST_SAMPLES:
            self._samples[wording] = Sample(self._least_accounts)
        return self._samples.get(wording)

    def _close(self, wording: int) -> None:
        """Keep what may be said of a wording, and forget its prompt, once enough accounts have sent it."""
        sample = self._samples.get(wording)
        if sample is not None and not sample.open:
            self._closed[wording] = self._describe(wording, sample)
            self._told.values[wording] = True
            del self._samples[wording]

    def _describe(self, wording: int, sample: Sample) -> Told:
        # As long as one account's prompt is all that is known, it stands there with what it was filled with.
        public = is_public(sample.common, whole=len(sample.accounts) < 2)
        return Told(self.identifier(wording), 0, sample.skeleton(), public)


def account_hashes(accounts: pa.Array) -> npt.NDArray[np.uint32]:
    """Return a hash of each account id, 0 where there is none; shape: ``(n,)``."""
    coded = accounts.dictionary_encode()
    names = np.array(
        [zlib.crc32((name or "").encode()) for name in coded.dictionary.to_pylist()] or [0], np.uint32
    )
    places = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return np.where(accounts.is_valid().to_numpy(zero_copy_only=False), names[places], 0).astype(np.uint32)
