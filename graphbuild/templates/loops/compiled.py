"""How loops are compiled: once a machine, or once a process where nothing can be written."""

from __future__ import annotations

import numpy as np
from numba import njit

helper = njit
"""Decorates what only loops call: it is compiled with each of them, as fast as if it stood there."""


def compiled(function):
    """Compile a loop when it is first called; keep the code beside its source or in the user's cache.

    Numba compiles anew when the file of the loop has changed. It does not see a change of helpers and
    constants from other files: whoever changes one deletes ``__pycache__``.
    Loops touch nothing of Python's, so other threads run meanwhile.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither place can be written to, as in a container that is read-only
        return njit(nogil=True)(function)


@helper
def with_room(array, size, more):
    """Return an array with the first ``size`` entries of this one and room for ``more``."""
    if size + more <= array.size:
        return array
    grown = np.empty(2 * array.size + more, array.dtype)
    grown[:size] = array[:size]
    return grown
