"""Loops over sketches of prompts' beginnings."""

from __future__ import annotations

import numpy as np
from numba import uint32, uint64

from ringfence.graphbuild.templates.loops.compiled import compiled
from ringfence.graphbuild.templates.loops.hashing import mixed

_EMPTY = 0xFFFFFFFF


@compiled
def group_texts(hashes, starts, least, most, sketches, bands, keys, owners, size, agreeing, out):
    """Write to ``out`` the group of each text, founding new ones; return how many groups there are.

    Args:
        hashes: Shingles.
        starts: Where those of each text begin; shape: ``(texts + 1,)``.
        least: Texts with fewer shingles are of no group, -1.
        most: Shingles at the beginning that are looked at.
        sketches: Of the first text of each group, filled as groups are founded; shape: ``(room, bins)``.
        bands: Of a sketch, each of ``bins // bands`` values.
        keys: Open-addressed table of bands, 0 where empty; shape: ``(a power of two,)``.
        owners: Group of each band; shape: ``(a power of two,)``.
        size: Groups there are already.
        agreeing: Values that two sketches must have in common.
        out: shape: ``(texts,)``.
    """
    bins = sketches.shape[1]
    rows = bins // bands
    mask = uint64(keys.size - 1)
    sketch = np.empty(bins, np.uint32)
    places = np.empty(bands, np.uint64)
    names = np.empty(bands, np.uint64)
    for text in range(starts.size - 1):
        first, last = starts[text], starts[text + 1]
        out[text] = -1
        if last - first < least:
            continue
        _sketch(hashes[first : min(last, first + most)], sketch)
        best, best_agreeing = -1, 0
        for band in range(bands):
            key = uint64(band + 1)
            for k in range(band * rows, (band + 1) * rows):
                key = mixed(key * uint64(0x9E3779B97F4A7C15) + uint64(sketch[k]))
            key |= uint64(1)
            place = key >> uint64(20) & mask
            while keys[place] != 0 and keys[place] != key:
                place = (place + uint64(1)) & mask
            places[band], names[band] = place, key
            if keys[place] == key:
                group = owners[place]
                same = 0
                for k in range(bins):
                    same += sketches[group, k] == sketch[k]
                if same > best_agreeing or (same == best_agreeing and group < best):
                    best, best_agreeing = group, same
        if best_agreeing < agreeing:
            best = size
            sketches[size] = sketch
            size += 1
            for band in range(bands):
                place = places[band]
                # A band of the same text may have taken the place meanwhile.
                while keys[place] != 0 and keys[place] != names[band]:
                    place = (place + uint64(1)) & mask
                if keys[place] == 0:
                    keys[place], owners[place] = names[band], best
        out[text] = best
    return size


@compiled
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


@compiled
def refill(keys, owners, old_keys, old_owners):
    """Put the bands of a table into a larger, empty one."""
    mask = uint64(keys.size - 1)
    for i in range(old_keys.size):
        place = old_keys[i] >> uint64(20) & mask
        while keys[place] != 0:
            place = (place + uint64(1)) & mask
        keys[place], owners[place] = old_keys[i], old_owners[i]
