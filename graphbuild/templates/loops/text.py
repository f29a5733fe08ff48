"""Bytes of UTF-8 → hashes of three tokens that follow each other.

What is a token is told in :mod:`ringfence.graphbuild.templates.shingles`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import int64, uint32, uint64

from ringfence.graphbuild.templates.alphabet import DIGIT, GLYPH, LETTER, LINE, MARK, NOTHING, PLANE, SPACE
from ringfence.graphbuild.templates.loops.compiled import compiled, helper
from ringfence.graphbuild.templates.loops.hashing import mixed

OPENS, CLOSES, LABELS, WORDED, SECRET = 1, 2, 4, 8, 16
"""Bits of a shingle: it holds the text's beginning, its end; its last token is a colon; it has a word; it has
a string that is too long for a word."""

UNLIKE = 2
"""Bit of a text's key: it has strings that are too long for words, of which all are read as the same one."""

_SET = 32  # always set: no shingle is 0
_FLAGS = 63
_LONGEST_WORD, _LONGEST_MIXED = 40, 16
_LINE, _NUMBER, _BEGIN, _END, _BLOB = 11, 12, 13, 14, 15
_SIGNS = 64  # tokens of signs begin here, those of words lie far above
_FIRST_WORD = 1 << 20
_COLON, _WIDE_COLON, _APOSTROPHE = 0x3A, 0xFF1A, 0x27
_TAGS = 0xE0000  # from this plane on characters show nothing


class _Word(NamedTuple):
    """A run of letters and digits, as far as it is read."""

    kind: int
    """Of its first character."""
    both: bool
    """Whether it has letters and digits."""
    hashed: int
    length: int
    """In characters; 0 where there is no word."""
    begin: int
    end: int


@compiled
def shingle_texts(data, offsets, folded, kinds, head, tail, out, starts, spans):
    """Write the shingles of texts to ``out`` and where each text's begin to ``starts``; return their number.

    Args:
        data: Texts one after the other; shape: ``(bytes,)``.
        offsets: Text ``i`` is ``data[offsets[i] : offsets[i + 1]]``; shape: ``(texts + 1,)``.
        folded: What each character is read as; shape: ``(PLANE,)``.
        kinds: Likewise its kind.
        head: Bytes of a text's beginning that are read.
        tail: Bytes of its end.
        out: shape: ``(at least bytes read,)``.
        starts: The first is 0; shape: ``(texts + 1,)``.
        spans: Gets the first character of each shingle and the one after its last; shape: ``(at least bytes
            read, 2)``, or ``(0, 2)`` where nobody asks.
    """
    room = 2  # tokens of the longest text, with its beginning and its end
    for text in range(offsets.size - 1):
        room = max(room, min(offsets[text + 1] - offsets[text], head + tail) + 2)
    tokens, begins, ends = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.int32)
    count = 0
    for text in range(offsets.size - 1):
        read = _read(data, offsets[text], offsets[text + 1], folded, kinds, head, tail, tokens, begins, ends)
        for i in range(2, read):
            out[count] = _of_three(tokens[i - 2], tokens[i - 1], tokens[i]) | _flags(tokens, i, read)
            if spans.size:
                spans[count, 0], spans[count, 1] = begins[i - 2], ends[i]
            count += 1
        starts[text + 1] = count
    return count


@helper
def _flags(tokens, i, read):
    """Return the bits of the shingle that ends with token ``i`` of so many."""
    flags = uint64(0)
    if i == 2:
        flags |= uint64(OPENS)
    if i == read - 1:
        flags |= uint64(CLOSES)
    if tokens[i] == _sign(_COLON) or tokens[i] == _sign(_WIDE_COLON):
        flags |= uint64(LABELS)
    for k in range(i - 2, i + 1):
        if tokens[k] >= _FIRST_WORD:
            flags |= uint64(WORDED)
        if tokens[k] == _BLOB:
            flags |= uint64(SECRET)
    return flags


@helper
def _read(data, first, last, folded, kinds, head, tail, tokens, begins, ends):
    """Write the tokens of ``data[first:last]``, and which characters they are; return their number."""
    i, stop, resume = first, last, last
    if last - first > head + tail:
        stop, resume = first + head, last - tail
    tokens[0], begins[0], ends[0] = _BEGIN, 0, 0
    count = 1
    word = _no_word()
    at, line_at = -1, -1
    ended = False
    while not ended:
        kind, letter = SPACE, uint64(0)
        if i < stop:
            point, width = _decoded(data, i, last)
            i, at = i + width, at + 1
            if point < PLANE:
                kind, letter = kinds[point], uint64(folded[point])
            else:
                kind, letter = GLYPH if point < _TAGS else NOTHING, uint64(point)
        elif resume < last:
            i, stop, resume = _next_character(data, resume, last), last, last
        else:
            ended = True
        if kind == LETTER or kind == DIGIT:
            word = _longer(word, kind, letter, at)
            continue
        if kind == NOTHING:
            continue
        if letter == _APOSTROPHE and word.kind == LETTER and i < stop and kinds[data[i]] == LETTER:
            continue
        # Tokens in the order they stand: a line break before a word, the word, the sign after it, the end.
        sign = kind == MARK or kind == GLYPH
        if line_at >= 0 and (word.length > 0 or sign):
            tokens[count], begins[count], ends[count] = _LINE, line_at, line_at + 1
            count, line_at = count + 1, -1
        if word.length > 0:
            token = _token(word)
            if token != tokens[count - 1] or token > _BLOB:
                tokens[count], begins[count], ends[count] = token, word.begin, word.end
                count += 1
            word = _no_word()
        if sign:
            token = _glyph(letter) if kind == GLYPH else _sign(letter)
            tokens[count], begins[count], ends[count] = token, at, at + 1
            count += 1
        if kind == LINE and line_at < 0 and count > 1:
            line_at = at
    tokens[count], begins[count], ends[count] = _END, at + 1, at + 1
    return count + 1


@helper
def _decoded(data, i, last):
    """Return the character at byte ``i`` and its width in bytes; one cut off at the end is a space."""
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


@helper
def _next_character(data, i, last):
    """Return the first byte from ``i`` that begins a character."""
    while i < last and (data[i] & 0xC0) == 0x80:
        i += 1
    return i


@helper
def _no_word():
    return _Word(int64(SPACE), False, uint64(0xCBF29CE484222325), int64(0), int64(0), int64(0))


@helper
def _longer(word, kind, letter, at):
    """Return a word with one more letter or digit (hash: FNV-1a over characters)."""
    first = word.length == 0
    return _Word(
        kind if first else word.kind,
        not first and (word.both or kind != word.kind),
        (word.hashed ^ letter) * uint64(0x100000001B3),
        word.length + 1,
        at if first else word.begin,
        at + 1,
    )


@helper
def _token(word):
    """Return the token of a word: one for all numbers, one for all that is too long for a word."""
    if word.kind == DIGIT and not word.both:
        return uint64(_NUMBER)
    if word.length >= _LONGEST_WORD or (word.both and word.length >= _LONGEST_MIXED):
        return uint64(_BLOB)
    return mixed(word.hashed) | uint64(_FIRST_WORD)


@helper
def _glyph(letter):
    """Return the token of a character that is a word by itself."""
    return mixed(letter + uint64(77)) | uint64(_FIRST_WORD)


@helper
def _sign(letter):
    """Return the token of a sign that is no word."""
    return uint64(letter) + uint64(_SIGNS)


@helper
def _of_three(first, second, third):
    both = mixed(first * uint64(0x9E3779B97F4A7C15) + second)
    return (mixed(both + third * uint64(0xD6E8FEB86659FD93)) | uint64(_FLAGS)) ^ uint64(_FLAGS - _SET)


@compiled
def text_keys(hashes, starts):
    """Return a hash of each text's shingles, 0 where it has no word; shape: ``(texts,)``.

    Bit :data:`UNLIKE` says that equal keys need not mean equal texts.
    """
    keys = np.zeros(starts.size - 1, np.uint64)
    for text in range(keys.size):
        key, flags = uint64(0), uint64(0)
        for i in range(starts[text], starts[text + 1]):
            key = mixed(key * uint64(0x9E3779B97F4A7C15) + hashes[i])
            flags |= hashes[i]
        if flags & uint64(WORDED):
            key = (key | uint64(1 | UNLIKE)) ^ uint64(UNLIKE)
            keys[text] = key | uint64(UNLIKE) if flags & uint64(SECRET) else key
    return keys
