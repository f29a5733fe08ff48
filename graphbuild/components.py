"""Links → connected components as table work, for graphs that no single machine holds.

Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii (2014), "Connected Components in MapReduce and Beyond",
the alternating algorithm: a large star hangs the larger neighbours of each account on the smallest account
around it, a small star does so with the smaller ones. Both keep apart what is apart and together what is
together; in the end, every component is a star around its smallest account. No step needs all rows in one
place, and the rounds that were counted grow like a logarithm of the longest chain, not like its length.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import ibis


def connected_components(engine: Any, links: Any, folder: Path) -> Any:
    """Return account_id and component, the component's smallest account, of every account that has a link.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        links: Ibis table with account_a and account_b, of any type that has an order. Rows may come twice and
            in either direction; one that links an account to itself, or to nobody, says nothing.
        folder: A folder that is not there yet, for this to keep its tables in: each round is written down, as
            expressions over expressions would grow without end. The result reads what is left in it.
    """
    high = ibis.greatest(links["account_a"], links["account_b"])
    low = ibis.least(links["account_a"], links["account_b"])
    # A greatest() of engines skips nulls, and would link such an account to itself.
    pairs = links.select(high=high, low=low).filter(high > low).distinct()
    rounds = _Rounds(engine, folder)
    pairs = rounds.keep(pairs)
    while not _are_stars(engine, pairs):
        pairs = rounds.keep(_large_stars(pairs))
        pairs = rounds.keep(_small_stars(pairs))
    centres = pairs.select(account_id="low", component="low").distinct()
    return ibis.union(pairs.select(account_id="high", component="low"), centres)


class _Rounds:
    """Keeps the table of the last step, and drops the one before it."""

    def __init__(self, engine: Any, folder: Path) -> None:
        self._engine, self._folder, self._step = engine, folder, 0

    def keep(self, pairs: Any) -> Any:
        """Write the pairs down, drop those they were made of, and return them as a table of their own."""
        before, place = (self._folder / str(step) for step in (self._step, self._step + 1))
        self._engine.to_parts(pairs, place)
        shutil.rmtree(before, ignore_errors=True)
        self._step += 1
        return self._engine.read_parquet(place)


def _large_stars(pairs: Any) -> Any:
    """Return pairs in which each account's larger neighbours hang on the smallest account around it."""
    both = ibis.union(
        pairs.select(account="high", neighbour="low"), pairs.select(account="low", neighbour="high")
    )
    least = both.group_by("account").agg(least=both["neighbour"].min())
    least = least.select("account", centre=ibis.least(least["account"], least["least"]))
    larger = both.filter(both["neighbour"] > both["account"])
    return larger.inner_join(least, "account").select(high="neighbour", low="centre").distinct()


def _small_stars(pairs: Any) -> Any:
    """Return pairs in which each account and its smaller neighbours hang on the smallest of these."""
    least = pairs.group_by("high").agg(centre=pairs["low"].min())
    smaller = pairs.inner_join(least, "high").select(high="low", low="centre")
    smaller = smaller.filter(smaller["high"] > smaller["low"])
    return ibis.union(smaller, least.select("high", low="centre")).distinct()


def _are_stars(engine: Any, pairs: Any) -> bool:
    """Return whether every account hangs on one other at most, which hangs on none."""
    hung = pairs.group_by("high").agg(centres=pairs.count())
    chained = hung.semi_join(pairs.select(high="low").distinct(), "high")
    twice = hung.filter(hung["centres"] > 1)
    left = ibis.union(chained.select("high"), twice.select("high"))
    return int(engine.to_pyarrow(left.count()).as_py()) == 0
