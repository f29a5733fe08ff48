"""The table of keys, against a dict."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.graphbuild.templates.keys import KeyTable

_KEYS = st.integers(0, 40) | st.integers(0, 2**64 - 1) | st.integers(1, 30).map(lambda n: n << 32 | n)


def keys_of(values: list[int]) -> npt.NDArray[np.uint64]:
    return np.array(values, np.uint64)


@given(st.lists(st.lists(_KEYS, max_size=40), max_size=6), st.lists(_KEYS, max_size=40))
@example([[0, 0], [2**64 - 1, 0, 2**64 - 1]], [0, 1])
def test_keys_are_numbered_as_they_come(batches: list[list[int]], asked: list[int]) -> None:
    table = KeyTable()
    numbers: dict[int, int] = {}
    for batch in batches:
        expected = [numbers.setdefault(key, len(numbers)) if key else -1 for key in batch]
        assert table.number(keys_of(batch)).tolist() == expected

    assert len(table) == len(numbers)
    assert table.keys.tolist() == list(numbers)
    assert table.find(keys_of(asked)).tolist() == [numbers.get(key, -1) for key in asked]


def test_it_grows_and_forgets_nothing() -> None:
    keys = np.random.default_rng(4).permutation(np.arange(1, 200_001)).astype(np.uint64)
    table = KeyTable()
    for first in range(0, len(keys), 7_001):
        table.number(keys[first : first + 7_001])
        assert table.find(keys[:1]) == 0

    assert table.number(keys).tolist() == list(range(len(keys)))
    assert np.array_equal(table.keys, keys)
    assert table.find(keys_of([0, 200_001, 2**63])).tolist() == [-1, -1, -1]


def test_one_batch_may_be_larger_than_the_table() -> None:
    keys = np.arange(1, 100_001, dtype=np.uint64) << np.uint64(32)
    table = KeyTable()

    assert table.number(keys).tolist() == list(range(100_000))
    assert table.find(keys[::-1])[0] == 99_999


def test_looking_up_adds_nothing() -> None:
    table = KeyTable()
    assert table.find(keys_of([5])).tolist() == [-1]
    assert len(table) == 0
    assert table.number(keys_of([])).tolist() == []
