"""Pieces of one thinly linked ring become one community; a busy outsider joins nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.communities.join import LEAST, SUPPORT, join_pieces

Numbers = npt.NDArray[np.int64]


def _thin_ring(pieces: int, size: int, links_each: int, seed: int) -> tuple[Numbers, Numbers]:
    """Return links and the pieces of a ring: whole within a piece, a few links of each account across."""
    rng = np.random.default_rng(seed)
    piece = np.repeat(np.arange(pieces), size)
    inside = np.argwhere(np.triu(piece[:, None] == piece[None, :], 1))
    left = np.repeat(np.arange(pieces * size), links_each)
    right = (left + size * rng.integers(1, pieces, len(left)) + rng.integers(0, size, len(left))) % len(piece)
    return np.concatenate([inside, np.stack([left, right], axis=1)]).astype(np.int64), piece


@pytest.mark.parametrize("seed", range(4))
def test_the_pieces_of_a_thin_ring_are_joined(seed: int) -> None:
    pairs, piece = _thin_ring(6, 12, 12, seed)
    assert (join_pieces(pairs, piece) == 0).all()


def test_a_busy_outsider_linked_to_a_whole_group_joins_nothing() -> None:
    # Accounts 0-9 and 10-19 are groups; 0 shares something with all of the other.
    pairs = np.array([(0, other) for other in range(10, 20)])
    community = np.repeat([0, 1], 10)
    assert (join_pieces(pairs, community) == community).all()


def test_two_busy_outsiders_are_no_support_either() -> None:
    pairs = np.array([(a, b) for a in (0, 1) for b in range(10, 20)])
    community = np.repeat([0, 1], 10)
    assert (join_pieces(pairs, community) == community).all()


def test_half_of_the_smaller_one_on_both_sides_is_enough_and_less_is_not() -> None:
    community = np.repeat([0, 1], [8, 20])
    for supporters, joined in ((4, True), (3, False)):
        pairs = np.array([(account, 8 + account) for account in range(supporters)])
        assert (join_pieces(pairs, community).max() == 0) == joined


def test_pairs_of_accounts_need_three_supporters() -> None:
    community = np.repeat([0, 1], [2, 2])
    pairs = np.array([(0, 2), (1, 3), (0, 3), (1, 2)])
    assert (join_pieces(pairs, community) == community).all()
    assert LEAST == 3


def test_what_two_joins_make_is_looked_at_again() -> None:
    """Each of the small ones has too few supporters in the large one, and both together have enough."""
    community = np.repeat([0, 1, 2], [4, 4, 12])
    among_small = [(i, 4 + i) for i in range(4)]
    to_large = [(0, 8), (1, 9), (4, 10), (5, 11)]
    assert (join_pieces(np.array(to_large), community) == community).all()
    assert (join_pieces(np.array(among_small + to_large), community) == 0).all()


@given(
    st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=60),
    st.lists(st.integers(-1, 4), min_size=15, max_size=15),
)
def test_communities_only_ever_merge_and_none_with_support_is_left(
    pairs: list[tuple[int, int]], community: list[int]
) -> None:
    links = np.array(pairs, np.int64).reshape(-1, 2)
    before = np.array(community)

    after = join_pieces(links, before)

    assert ((after >= 0) == (before >= 0)).all()
    for one in set(before[before >= 0]):
        assert len(set(after[before == one])) == 1
    for one in range(after.max() + 1):
        for other in range(one):
            assert not _support(pairs, after, one, other)
    # Turned links are the same links.
    assert (join_pieces(links[:, ::-1], before) == after).all()


def _support(pairs: list[tuple[int, int]], community: Numbers, one: int, other: int) -> bool:
    across = [
        (a, b) if community[a] == one else (b, a)
        for a, b in pairs
        if {community[a], community[b]} == {one, other}
    ]
    part = min(len({a for a, _ in across}), len({b for _, b in across}))
    smaller = min((community == one).sum(), (community == other).sum())
    return bool(part >= max(LEAST, SUPPORT * smaller))


def test_nothing_to_join() -> None:
    none = np.full(4, -1)
    assert (join_pieces(np.zeros((0, 2), np.int64), none) == none).all()
    assert (join_pieces(np.array([(0, 1)]), none) == none).all()
    assert len(join_pieces(np.zeros((0, 2), np.int64), np.zeros(0, np.int64))) == 0
