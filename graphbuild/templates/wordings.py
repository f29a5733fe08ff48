"""Prompts that begin almost alike: one *wording* each.

A template is wording that stays while everything around it changes. Most private prompts are the opposite:
many sentences that others use, too, put together once, and then sent again and again with a word exchanged
here and there. What tells such prompts from others is the whole, so it is wholes that are compared: prompts
whose beginnings have five eighths of their shingles in common, estimated from sketches, are of one wording.
Which prompt comes first decides; for one order wordings are always the same.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.graphbuild.templates.loops.sketch import group_texts, refill
from ringfence.graphbuild.templates.shingles import Shingles
from ringfence.graphbuild.templates.skeleton import Sample, show

LEAST = 8
"""Shingles that a prompt must have to be told from others by its wording; ten words."""

_BEGINNING = 64
_BINS, _BANDS = 24, 12
_AGREEING = 15
_FIRST_ROOM = 1 << 12
_FULL = 0.6


class Wordings:
    """Numbers wordings in the order in which they first come."""

    def __init__(self) -> None:
        self._size = 0
        self._sketches = np.empty((_FIRST_ROOM, _BINS), np.uint32)
        self._keys = np.zeros(1 << 17, np.uint64)
        self._owners = np.empty(1 << 17, np.int32)

    def __len__(self) -> int:
        return self._size

    def number(self, shingles: Shingles) -> npt.NDArray[np.int32]:
        """Return the wording of each text, -1 for those that are too short; shape: ``(texts,)``."""
        self._make_room(len(shingles))
        out = np.empty(len(shingles), np.int32)
        self._size = group_texts(
            shingles.hashes,
            shingles.starts,
            LEAST,
            _BEGINNING,
            self._sketches,
            _BANDS,
            self._keys,
            self._owners,
            self._size,
            _AGREEING,
            out,
        )
        return out

    def _make_room(self, more: int) -> None:
        if self._size + more > len(self._sketches):
            grown = np.empty((max(2 * len(self._sketches), self._size + more), _BINS), np.uint32)
            grown[: self._size] = self._sketches[: self._size]
            self._sketches = grown
        if (self._size + more) * _BANDS > _FULL * len(self._keys):
            self._rehash((self._size + more) * _BANDS)

    def _rehash(self, entries: int) -> None:
        old, owners = self._keys, self._owners
        size = len(old)
        while entries > _FULL * size:
            size *= 2
        self._keys, self._owners = np.zeros(size, np.uint64), np.empty(size, np.int32)
        taken = old != 0
        refill(self._keys, self._owners, old[taken], owners[taken])


class SharedWordings:
    """What is known of each wording: the key of its first prompt, how often it came, and words to show.

    A masked prompt is kept only of wordings that a second account has sent.

    Args:
        least_accounts: Wording is told only when at least so many accounts sent it.
    """

    def __init__(self, least_accounts: int) -> None:
        self._least_accounts = least_accounts
        self._first_keys = np.empty(0, np.uint64)
        self._first_accounts = np.empty(0, np.uint32)
        self._told = np.empty(0, np.bool_)
        self.samples: dict[int, Sample] = {}

    def identifier(self, wording: int) -> str:
        """Return the id of a wording."""
        return f"w-{int(self._first_keys[wording]):016x}"

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
        self._first_keys = np.concatenate([self._first_keys, keys[first]])
        self._first_accounts = np.concatenate([self._first_accounts, hashed[first]])
        self._told = np.concatenate([self._told, np.zeros(len(first), np.bool_)])
        mine = wordings[rows]
        others = rows[~self._told[mine] & (hashed[rows] != self._first_accounts[mine])]
        # Whoever sent it first is one account more; what that account wrote is not at hand.
        prompts = [
            (
                self.samples.setdefault(wording, Sample(self._least_accounts)),
                accounts[row].as_py(),
                texts[row].as_py(),
            )
            for row, wording in zip(others.tolist(), wordings[others].tolist(), strict=True)
        ]
        show(prompts)
        for wording in np.unique(wordings[others]).tolist():
            self._told[wording] = not self.samples[wording].open


def account_hashes(accounts: pa.Array) -> npt.NDArray[np.uint32]:
    """Return a hash of each account id, 0 where there is none; shape: ``(n,)``."""
    coded = accounts.dictionary_encode()
    names = np.array(
        [zlib.crc32((name or "").encode()) for name in coded.dictionary.to_pylist()] or [0], np.uint32
    )
    places = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return np.where(accounts.is_valid().to_numpy(zero_copy_only=False), names[places], 0).astype(np.uint32)
