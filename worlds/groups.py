"""Groups of accounts and what their members share: sizes, handfuls, and pools of shared entities."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ringfence.worlds.hashing import Floats, Ints
from ringfence.worlds.kinds import Shared

SHARED_FROM = 1 << 40
"""Entities from this number on belong to pools; those below to single accounts."""

_ROOM = 1 << 36

_FEWEST_GROUPS = 6
"""A population has at least so many groups where its accounts allow, or its rates would be all or nothing."""


@dataclass(frozen=True, slots=True)
class Uses:
    """What each account uses of the shared entities of one type. Every column has shape ``(n,)``."""

    start: Ints
    """The first entity of its pool; the pool is without gaps."""
    size: Ints
    """How many the pool has; 0 for who shares nothing."""
    uses: Floats
    """Share of the account's uses that go to the pool."""
    keeps: Ints
    """How many of the pool it keeps to; 0: any."""


@dataclass(slots=True)
class Pools:
    """All shared entities of one type, numbered in the order in which their pools were made."""

    _next: int = SHARED_FROM
    _starts: list[Ints] = field(default_factory=list)
    _kinds: list[npt.NDArray[np.int8]] = field(default_factory=list)

    def add(self, sizes: Ints, kind: int) -> Ints:
        """Make pools of the given sizes and return their starts; ``kind`` says of what kind they are."""
        starts = self._next + np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
        self._next += int(sizes.sum())
        self._starts.append(starts)
        self._kinds.append(np.full(len(starts), kind, dtype=np.int8))
        return starts

    def leave_room(self) -> None:
        """Number what comes next from a fixed number on, however many pools there are before."""
        self._next = SHARED_FROM + _ROOM

    def of(self, entity: Ints) -> tuple[Ints, npt.NDArray[np.int8]]:
        """Return the start and the kind of the pool of each shared entity."""
        starts, kinds = np.concatenate(self._starts), np.concatenate(self._kinds)
        at = np.searchsorted(starts, entity, side="right") - 1
        return starts[at], kinds[at]


def group_sizes(rng: np.random.Generator, accounts: int, size: tuple[int, int]) -> Ints:
    """Draw log-uniform sizes that add up to ``accounts``.

    Where few accounts are left to a population, its groups are smaller rather than few.
    """
    if accounts == 0:
        return np.zeros(0, dtype=np.int64)
    least = min(size[0], accounts)
    most = max(least, min(size[1], accounts // _FEWEST_GROUPS))
    if most == 1:
        return np.ones(accounts, dtype=np.int64)
    sizes: list[int] = []
    left = accounts
    while left:
        drawn = np.exp(rng.uniform(np.log(least), np.log(most + 1), max(16, left // most))).astype(np.int64)
        for wanted in drawn.tolist():
            taken = min(wanted, left)
            # What is left over and too small for a group joins the last one.
            if left - taken < least:
                taken = left
            sizes.append(taken)
            left -= taken
            if not left:
                break
    return np.array(sizes, dtype=np.int64)


def nobody(accounts: int) -> Uses:
    """Return the uses of accounts that share nothing."""
    zero = np.zeros(accounts, dtype=np.int64)
    return Uses(zero, zero, np.zeros(accounts), zero)


def share(rng: np.random.Generator, pools: Pools, sizes: Ints, what: Shared | None, kind: int) -> Uses:
    """Make the pools of groups of ``sizes`` and deal them out to the members, group by group.

    Args:
        rng: Where draws come from.
        pools: Of the type of entity; the new pools are added to them.
        sizes: Members of each group.
        what: What they share; None: nothing.
        kind: Of the entities.
    """
    accounts = int(sizes.sum())
    if what is None or not accounts:
        return nobody(accounts)
    group = np.repeat(np.arange(len(sizes)), sizes)
    if what.cell is None:
        wanted = np.maximum(what.least, np.round(what.each * sizes)).astype(np.int64)
        start, size = pools.add(wanted, kind)[group], wanted[group]
    else:
        handful, count = deal(rng, sizes, what.cell)
        start = pools.add(np.ones(count, dtype=np.int64), kind)[handful]
        size = np.ones(accounts, dtype=np.int64)
    takes_part = rng.random(accounts) < what.reach
    return Uses(
        start,
        np.where(takes_part, size, 0),
        np.where(takes_part, what.uses, 0.0),
        np.full(accounts, what.keeps, dtype=np.int64),
    )


def deal(rng: np.random.Generator, sizes: Ints, cell: tuple[int, int]) -> tuple[Ints, int]:
    """Deal the members of each group into handfuls of ``cell`` accounts, in random order.

    What is left over joins the other handfuls: in a small group one may have nearly twice as many.

    Returns:
        the handful of each member, shape ``(n,)``, numbered over all groups; how many handfuls there are.
    """
    group = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((rng.random(len(group)), group))
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    place = np.empty(len(group), dtype=np.int64)
    place[order] = np.arange(len(group)) - first[group]
    wanted = rng.integers(cell[0], cell[1] + 1, len(sizes))
    handfuls = np.maximum(1, sizes // wanted)
    before = np.concatenate(([0], np.cumsum(handfuls)[:-1]))
    return before[group] + place % handfuls[group], int(handfuls.sum())
