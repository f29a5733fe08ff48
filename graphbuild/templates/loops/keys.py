"""Loops of the table of keys; ``slots`` and ``known`` are those of :func:`~.hashing.place_of`."""

from __future__ import annotations

from ringfence.graphbuild.templates.loops.compiled import compiled
from ringfence.graphbuild.templates.loops.hashing import place_of


@compiled
def number_keys(slots, known, size, keys, out):
    """Write the number of each key to ``out``, -1 for key 0; new ones get the next.

    Return how many numbers there are.
    """
    for i in range(keys.size):
        if keys[i] == 0:
            out[i] = -1
            continue
        place = place_of(slots, known, keys[i])
        if slots[place] < 0:
            slots[place] = size
            known[size] = keys[i]
            size += 1
        out[i] = slots[place]
    return size


@compiled
def find_keys(slots, known, keys, out):
    """Write the number of each key to ``out``, -1 where it has none."""
    for i in range(keys.size):
        out[i] = slots[place_of(slots, known, keys[i])] if keys[i] != 0 else -1


@compiled
def fill_slots(slots, known, size):
    """Put the first ``size`` keys into empty slots."""
    for number in range(size):
        slots[place_of(slots, known, known[number])] = number
