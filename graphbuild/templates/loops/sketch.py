"""Loops over sketches of prompts' beginnings."""

from __future__ import annotations

import numpy as np
from numba import uint32, uint64

from ringfence.graphbuild.templates.loops.compiled import compiled, helper
from ringfence.graphbuild.templates.loops.hashing import mixed

_EMPTY = 0xFFFFFFFF


@compiled
def group_texts(hashes, starts, least, most, sketches, repeated, bands, keys, owners, size, agreeing, out):
    """Write to ``out`` the group of each text, founding new ones; return how many groups there are.

    Args:
        hashes: Shingles.
        starts: Where those of each text begin; shape: ``(texts + 1,)``.
        least: Texts with fewer shingles are of no group, -1.
        most: Shingles at the beginning that are looked at.
        sketches: Of the first text of each group, filled as groups are founded; shape: ``(room, bins)``.
        repeated: Gets whether a group has more than one text; shape: ``(room,)``.
        bands: Of a sketch, each of ``bins // bands`` values.
        keys: Open-addressed table of bands, 0 where empty; shape: ``(a power of two,)``.
        owners: Group of each band; shape: ``(a power of two,)``.
        size: Groups there are already.
        agreeing: Values that two sketches must have in common.
        out: shape: ``(texts,)``.
    """
    bins = sketches.shape[1]
    sketch = np.empty(bins, np.uint32)
    for text in range(starts.size - 1):
        first, last = starts[text], starts[text + 1]
        out[text] = -1
        if last - first < least:
            continue
        _sketch(hashes[first : min(last, first + most)], sketch)
        best, best_agreeing = -1, 0
        for band in range(bands):
            place = _place(keys, _band_key(sketch, band, bands))
            if keys[place] != 0:
                group = owners[place]
                same = _agreeing(sketches[group], sketch)
                if same > best_agreeing or (same == best_agreeing and group < best):
                    best, best_agreeing = group, same
        if best_agreeing >= agreeing:
            repeated[best] = True
        else:
            best = size
            sketches[best] = sketch
            size += 1
            _insert(sketch, best, bands, keys, owners)
        out[text] = best
    return size


@compiled
def index_sketches(sketches, size, bands, keys, owners):
    """Put the bands of the first ``size`` sketches into an empty table; see :func:`group_texts`."""
    for group in range(size):
        _insert(sketches[group], group, bands, keys, owners)


@helper
def _insert(sketch, group, bands, keys, owners):
    """Put the bands of a sketch into the table; those that are there stay with whom they are."""
    for band in range(bands):
        key = _band_key(sketch, band, bands)
        place = _place(keys, key)
        if keys[place] == 0:
            keys[place], owners[place] = key, group


@helper
def _band_key(sketch, band, bands):
    """Return a hash of a band that is not 0."""
    rows = sketch.size // bands
    key = uint64(band + 1)
    for k in range(band * rows, (band + 1) * rows):
        key = mixed(key * uint64(0x9E3779B97F4A7C15) + uint64(sketch[k]))
    return key | uint64(1)


@helper
def _place(keys, key):
    """Return where a key stands in the table, or the empty place where it belongs."""
    mask = uint64(keys.size - 1)
    place = key >> uint64(20) & mask
    while keys[place] != 0 and keys[place] != key:
        place = (place + uint64(1)) & mask
    return place


@helper
def _agreeing(one, other):
    """Return how many values two sketches have in common."""
    same = 0
    for k in range(one.size):
        same += one[k] == other[k]
    return same


@helper
def _sketch(hashes, sketch):
    """Fill the one-permutation MinHash sketch of a set; empty bins take from the next full one.

    Li, Owen and Zhang (2012); filling: Shrivastava and Li (2014).
    """
    bins = sketch.size
    for k in range(bins):
        sketch[k] = uint32(_EMPTY)
    for i in range(hashes.size):
        value = mixed(hashes[i])
        k = ((value >> uint64(32)) * uint64(bins)) >> uint64(32)
        low = uint32(value & uint64(_EMPTY))
        if low < sketch[k]:
            sketch[k] = low
    full = np.empty(bins, np.bool_)
    for k in range(bins):
        full[k] = sketch[k] != _EMPTY
    for k in range(bins):
        step = 0
        while not full[(k + step) % bins]:
            step += 1
        if step:
            sketch[k] = sketch[(k + step) % bins] + uint32(step) * uint32(0x9E3779B9)
