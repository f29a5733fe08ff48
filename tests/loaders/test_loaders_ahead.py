"""Reading ahead changes when things are made, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ringfence.loaders.ahead import ahead


def test_items_come_as_they_are_and_in_order() -> None:
    assert list(ahead(range(100))) == list(range(100))
    assert list(ahead([])) == []
    assert list(ahead([None, False, 0])) == [None, False, 0]


def test_the_next_item_is_made_while_this_one_is_worked_on() -> None:
    made = [threading.Event(), threading.Event()]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    coming = ahead(items())
    assert next(coming) == 0
    assert made[1].wait(5)


def test_one_item_is_made_ahead_and_no_more() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number

    for item in ahead(items()):
        assert len(made) <= item + 2


def test_what_goes_wrong_in_making_is_raised_where_it_is_read() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(coming)
