"""Prompt text → shingles: hashes of three tokens that follow each other.

A token is a word, a number, a punctuation mark, a glyph, or a line break; the beginning and the end of a
text are tokens, too, so that ``Stars:`` at the very end is another shingle than in the middle. All numbers
are one token, and so are all long strings of letters and digits (keys, base64), which name things and are
no part of a template. Shingles are hashes: no text can be read from them, and none is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.graphbuild.templates.alphabet import read_alphabet
from ringfence.graphbuild.templates.loops import text as loops
from ringfence.graphbuild.templates.loops.hashing import mixed
from ringfence.graphbuild.templates.loops.text import CLOSES, LABELS, OPENS, SECRET

__all__ = [
    "CLOSES",
    "HEAD",
    "LABELS",
    "OPENS",
    "SECRET",
    "TAIL",
    "Shingles",
    "joined",
    "located",
    "mixed",
    "shingled",
]

HEAD, TAIL = 1536, 768
"""Bytes of a text's beginning and end that are looked at; what is longer between them is content."""


_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Shingles:
    """Shingles of a batch of texts, in their order."""

    hashes: npt.NDArray[np.uint64]
    """shape: ``(shingles,)``."""
    starts: npt.NDArray[np.int64]
    """Text ``i`` has ``hashes[starts[i] : starts[i + 1]]``; shape: ``(texts + 1,)``."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, texts: npt.NDArray[np.int64]) -> Shingles:
        """Return the shingles of some texts, in the order given."""
        return Shingles(*taken(self.hashes, self.starts, texts))


def taken(
    values: npt.NDArray[_Value], starts: npt.NDArray[np.int64], texts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[_Value], npt.NDArray[np.int64]]:
    """Return the values of some texts, in the order given, and where those of each begin.

    Args:
        values: shape: ``(n,)``.
        starts: Text ``i`` has ``values[starts[i] : starts[i + 1]]``; shape: ``(texts + 1,)``.
        texts: shape: ``(m,)``.
    """
    sizes = starts[texts + 1] - starts[texts]
    begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    places = np.repeat(starts[texts] - begins[:-1], sizes) + np.arange(begins[-1])
    return values[places], begins


def joined(parts: list[Shingles]) -> Shingles:
    """Return several batches as one."""
    sizes = np.concatenate([np.zeros(1, np.int64), *(np.diff(p.starts) for p in parts)])
    return Shingles(np.concatenate([p.hashes for p in parts]), np.cumsum(sizes))


def shingled(texts: pa.Array) -> Shingles:
    """Return the shingles of texts; null is read as an empty text, which has none.

    Args:
        texts: shape: ``(n,)``; strings.
    """
    return _shingled(texts, HEAD, TAIL, located=False)[0]


def located(texts: pa.Array) -> tuple[Shingles, npt.NDArray[np.int32]]:
    """Return the shingles of whole texts and where they stand.

    Args:
        texts: shape: ``(n,)``; strings.

    Returns:
        The shingles, and the first character of each and the one after its last; shape: ``(shingles, 2)``.
    """
    return _shingled(texts, _WHOLE, 0, located=True)


def _shingled(
    texts: pa.Array, head: int, tail: int, *, located: bool
) -> tuple[Shingles, npt.NDArray[np.int32]]:
    data, offsets = _bytes(texts)
    # No text has more shingles than bytes.
    room = int(np.minimum(np.diff(offsets), head + tail).sum())
    hashes, starts = np.empty(room, np.uint64), np.zeros(len(texts) + 1, np.int64)
    spans = np.empty((room if located else 0, 2), np.int32)
    count: int = loops.shingle_texts(data, offsets, *_alphabet(), head, tail, hashes, starts, spans)
    return Shingles(hashes[:count].copy(), starts), spans[:count]


_WHOLE = 1 << 40  # bytes: more than any text has
_alphabet = lru_cache(1)(read_alphabet)


def _bytes(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    whole = texts.cast(pa.large_string()).fill_null("")
    _, offsets, data = whole.buffers()
    bounds = np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + len(whole) + 1]
    return np.frombuffer(data or b"", np.uint8), bounds
