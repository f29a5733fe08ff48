"""Reading ahead: the next batch is read while this one is worked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, each made in a thread while the one before is with the caller.

    One item is made ahead and no more, so memory stays bounded. What making an item raises is raised here.
    """
    making = iter(items)
    end = object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, making, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, making, end)
            yield item  # type: ignore[misc]
