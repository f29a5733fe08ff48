"""Counter-based random draws: a number is a function of what it is drawn for, so nothing has to be kept.

A draw mixes a key (an account, a session, an entity) with a salt that says what is drawn, by the finaliser
of SplitMix64 (Steele, Lea and Flood 2014). Any part of a world can so be made alone, in any order and
on any number of processes, and comes out the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_HEX = np.frombuffer("".join(f"{n:02x}" for n in range(256)).encode(), dtype=np.uint8).reshape(256, 2)


class Draw:
    """Draws of one world.

    Args:
        seed: The world's seed.
    """

    def __init__(self, seed: int) -> None:
        self._seed = _mix(np.array([seed], dtype=np.uint64))[0]

    def keys(self, of: npt.ArrayLike, salt: int) -> Keys:
        """Return a random key for each of ``of`` (whole numbers), in its shape."""
        values = np.asarray(of).astype(np.uint64, copy=False)
        with np.errstate(over="ignore"):
            return _mix(_mix(values + self._seed) ^ (np.uint64(salt) * _GOLDEN))

    def uniform(self, of: npt.ArrayLike, salt: int) -> Floats:
        """Return a number in [0, 1) for each of ``of``."""
        return (self.keys(of, salt) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, of: npt.ArrayLike, salt: int, bound: npt.ArrayLike) -> Ints:
        """Return a whole number from 0 to below ``bound`` (at least 1) for each of ``of``."""
        drawn: Ints = np.floor(self.uniform(of, salt) * np.asarray(bound)).astype(np.int64)
        return drawn

    def lognormal(self, of: npt.ArrayLike, salt: int, mean: npt.ArrayLike, sigma: float) -> Floats:
        """Return log-normal numbers by the method of Box and Muller (1958)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(of, salt)))
        drawn: Floats = np.exp(
            np.asarray(mean) + sigma * radius * np.cos(2 * np.pi * self.uniform(of, salt + 1))
        )
        return drawn

    def names(self, prefix: str, of: npt.ArrayLike, salt: int, digits: int = 16) -> pa.Array:
        """Return an id such as ``acct_1f…`` for each of ``of``, shape ``(n,)``; ``digits`` is even."""
        raw = np.ascontiguousarray(self.keys(of, salt)).view(np.uint8).reshape(-1, 8)[:, : digits // 2]
        head = np.frombuffer(prefix.encode(), dtype=np.uint8)
        width = len(head) + digits
        letters = np.empty((len(raw), width), dtype=np.uint8)
        letters[:, : len(head)] = head
        letters[:, len(head) :] = _HEX[raw].reshape(len(raw), digits)
        offsets = np.arange(len(raw) + 1, dtype=np.int32) * width
        return pa.StringArray.from_buffers(len(raw), pa.py_buffer(offsets), pa.py_buffer(letters))


def join(high: npt.ArrayLike, low: npt.ArrayLike) -> Keys:
    """Return one key of two whole numbers, the lower one below 2**24."""
    return (np.asarray(high).astype(np.uint64) << np.uint64(24)) | np.asarray(low).astype(np.uint64)


def _mix(values: Keys) -> Keys:
    with np.errstate(over="ignore"):
        values = values + _GOLDEN
        values = (values ^ (values >> np.uint64(30))) * _FIRST
        values = (values ^ (values >> np.uint64(27))) * _SECOND
        return values ^ (values >> np.uint64(31))
