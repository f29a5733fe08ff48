"""Prompt text → shingles: hashes of three tokens that follow each other.

A token is a word, a number, a punctuation mark, a glyph, or a line break; the beginning and the end of a
text are tokens, too, so that ``Stars:`` at the very end is another shingle than in the middle. All numbers
are one token, and so are all long strings of letters and digits (keys, base64), which name things and are
no part of a template. Shingles are hashes: no text can be read from them, and none is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit, uint32, uint64

from ringfence.graphbuild.templates.alphabet import (
    DIGIT,
    GLYPH,
    LETTER,
    LINE,
    MARK,
    NOTHING,
    PLANE,
    SPACE,
    read_alphabet,
)

HEAD, TAIL = 1536, 768
"""Bytes of a text's beginning and end that are looked at; what is longer between them is content."""

OPENS, CLOSES, LABELS = 1, 2, 4
"""Bits of a shingle: it holds the text's beginning, its end; its last token is a colon."""

_SET = 8  # always set: no shingle is 0
_FLAGS = 15
_LONGEST_WORD, _LONGEST_MIXED = 40, 16
_LINE, _NUMBER, _BEGIN, _END, _BLOB = 11, 12, 13, 14, 15
_COLON, _WIDE_COLON, _APOSTROPHE = 0x3A, 0xFF1A, 0x27


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
        sizes = self.starts[texts + 1] - self.starts[texts]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.repeat(self.starts[texts] - starts[:-1], sizes) + np.arange(starts[-1])
        return Shingles(self.hashes[places], starts)


def joined(parts: list[Shingles]) -> Shingles:
    """Return several batches as one."""
    sizes = np.concatenate([np.zeros(1, np.int64), *(np.diff(p.starts) for p in parts)])
    return Shingles(np.concatenate([p.hashes for p in parts]), np.cumsum(sizes))


def shingled(texts: pa.Array) -> Shingles:
    """Return the shingles of texts; null is read as an empty text, which has none.

    Args:
        texts: shape: ``(n,)``; strings.
    """
    data, offsets = _bytes(texts)
    room = int(np.minimum(np.diff(offsets), HEAD + TAIL).sum()) + len(texts)
    hashes, starts = np.empty(room, np.uint64), np.zeros(len(texts) + 1, np.int64)
    count = _shingle(data, offsets, *_alphabet(), HEAD, TAIL, hashes, starts, _NO_SPANS)
    return Shingles(hashes[:count].copy(), starts)


def located(texts: pa.Array) -> tuple[Shingles, npt.NDArray[np.int32]]:
    """Return the shingles of whole texts and where they stand.

    Returns:
        The shingles, and the first character of each and the one after its last; shape: ``(shingles, 2)``.
    """
    data, offsets = _bytes(texts)
    room = int(offsets[-1] - offsets[0]) + len(texts)
    hashes, starts = np.empty(room, np.uint64), np.zeros(len(texts) + 1, np.int64)
    spans = np.empty((room, 2), np.int32)
    count = _shingle(data, offsets, *_alphabet(), room, room, hashes, starts, spans)
    return Shingles(hashes[:count].copy(), starts), spans[:count]


_NO_SPANS = np.empty((0, 2), np.int32)
_alphabet = lru_cache(1)(read_alphabet)


def _bytes(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    whole = texts.cast(pa.large_string()).fill_null("")
    _, offsets, data = whole.buffers()
    bounds = np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + len(whole) + 1]
    return np.frombuffer(data or b"", np.uint8), bounds


@njit(cache=True, inline="always")
def mixed(value: int) -> int:
    """Return a hash of a 64-bit value (the finaliser of SplitMix64, Steele et al. 2014)."""
    value ^= value >> uint64(30)
    value *= uint64(0xBF58476D1CE4E5B9)
    value ^= value >> uint64(27)
    value *= uint64(0x94D049BB133111EB)
    return value ^ (value >> uint64(31))


@njit(cache=True, inline="always")
def _of_three(first: int, second: int, third: int) -> int:
    both = mixed(first * uint64(0x9E3779B97F4A7C15) + second)
    return (mixed(both + third * uint64(0xD6E8FEB86659FD93)) | uint64(_FLAGS)) ^ uint64(_FLAGS - _SET)


@njit(cache=True, inline="always")
def _decoded(data, i, last):  # type: ignore[no-untyped-def]
    """Return the code point at byte ``i`` and its bytes; a sign cut off at the end is a space."""
    point = uint32(data[i])
    if point < 0x80:
        return point, 1
    width = 4 if point >= 0xF0 else 3 if point >= 0xE0 else 2
    if i + width > last:
        return uint32(0x20), last - i
    point &= uint32(0x7F >> width)
    for k in range(1, width):
        point = (point << uint32(6)) | (uint32(data[i + k]) & uint32(0x3F))
    return point, width


@njit(cache=True, inline="always")
def _word(hashed, kind, length, both):  # type: ignore[no-untyped-def]
    """Return the token of a run of letters and digits."""
    if kind == DIGIT and not both:
        return uint64(_NUMBER)
    if length >= _LONGEST_WORD or (both and length >= _LONGEST_MIXED):
        return uint64(_BLOB)
    return mixed(hashed)


@njit(cache=True)
def _shingle(data, offsets, folded, kinds, head, tail, out, starts, spans):  # type: ignore[no-untyped-def]
    """Fill ``out`` with the shingles of every text, ``starts`` with where they begin; return their number."""
    count = 0
    for row in range(offsets.size - 1):
        i, stop = offsets[row], offsets[row + 1]
        last = resume = stop
        if last - i > head + tail:
            stop, resume = i + head, last - tail
        before, previous = uint64(0), uint64(_BEGIN)
        before_at, previous_at, line_at, at = 0, 0, 0, -1
        word, word_at, word_end, length, both, hashed = 0, 0, 0, 0, False, uint64(0)
        line = ended = False
        while not ended:
            kind, letter = SPACE, uint64(0)
            if i < stop:
                point, width = _decoded(data, i, last)
                i, at = i + width, at + 1
                if point < PLANE:
                    kind, letter = kinds[point], uint64(folded[point])
                else:
                    kind, letter = (GLYPH if point < 0xE0000 else NOTHING), uint64(point)
            elif resume < last:
                i, stop, resume = resume, last, last
                while i < last and (data[i] & 0xC0) == 0x80:
                    i += 1
            else:
                ended = True
            if kind == LETTER or kind == DIGIT:
                if word == 0:
                    hashed, word, word_at, length, both = uint64(0xCBF29CE484222325), kind, at, 0, False
                both = both or word != kind
                hashed = (hashed ^ letter) * uint64(0x100000001B3)
                length, word_end = length + 1, at + 1
                continue
            if kind == NOTHING:
                continue
            if (
                kind == MARK
                and letter == _APOSTROPHE
                and word == LETTER
                and i < stop
                and kinds[data[i]] == LETTER
            ):
                continue
            # Tokens in the order they stand: a line break before a word, the word, the sign after it, the end.
            sign = kind == MARK or kind == GLYPH
            for step in range(4):
                if step == 0 and line and (word != 0 or sign):
                    token, begin, end, line = uint64(_LINE), line_at, line_at + 1, False
                elif step == 1 and word != 0:
                    token, begin, end, word = _word(hashed, word, length, both), word_at, word_end, 0
                    if token == previous and token <= _BLOB:
                        continue
                elif step == 2 and sign:
                    token, begin, end = mixed(letter + uint64(77)), at, at + 1
                elif step == 3 and ended:
                    token, begin, end = uint64(_END), at + 1, at + 1
                else:
                    continue
                if before != 0:
                    shingle = _of_three(before, previous, token)
                    if before == _BEGIN:
                        shingle |= uint64(OPENS)
                    if step == 3:
                        shingle |= uint64(CLOSES)
                    if step == 2 and (letter == _COLON or letter == _WIDE_COLON):
                        shingle |= uint64(LABELS)
                    out[count] = shingle
                    if spans.size:
                        spans[count, 0], spans[count, 1] = before_at, end
                    count += 1
                before, before_at = previous, previous_at
                previous, previous_at = token, begin
            if kind == LINE and previous != _BEGIN and not line:
                line, line_at = True, at
        starts[row + 1] = count
    return count
