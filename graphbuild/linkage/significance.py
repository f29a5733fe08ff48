"""Which pairs share more than chance would give them, among all pairs of accounts.

The null keeps both degrees and is drawn rather than assumed: the same sightings with their values dealt out
anew (:mod:`~ringfence.graphbuild.linkage.rewiring`) go through the very same steps. The share of pairs that
reach a weight there is a p-value, and Benjamini and Hochberg's procedure on these p-values (1995) names the
pairs of which at most a stated share is expected to be chance. Pairs that share nothing count among the
tested ones. As in searches against decoys (Elias and Gygi 2007), one is added to what the null reaches, so
that nothing is named for want of draws.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

_BIN = 0.05
"""Nats: weights are counted in bins of this width, by their lower end."""


def least_significant(
    found: npt.NDArray[np.int64], by_chance: npt.NDArray[np.int64], rate: float, share: float = 1.0
) -> int | None:
    """Return the first bin from which on pairs are significant; None where no pair is.

    Args:
        found: shape: ``(k,)``; pairs by weight, in rising bins.
        by_chance: shape: ``(k,)``; the same for the null.
        rate: Most that the expected share of chance among the significant ones may be, 0..1.
        share: Of all pairs of the null, those that were looked at, 0..1.
    """
    reach, chance = (np.cumsum(counts[::-1])[::-1] for counts in (found, by_chance))
    named = ((chance + 1) / share <= rate * reach).nonzero()[0]
    return int(named[0]) if len(named) else None


def significant_from(engine: Any, shared: Any, by_chance: Any, rate: float, share: float = 1.0) -> float:
    """Return the weight in nats from which on what a pair shares is significant; infinite where nothing is.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        shared: Ibis table with the column shared: nats, a row a pair.
        by_chance: The same for the null.
        rate: As :func:`least_significant` takes it, like the share.
        share: Of the pairs of the null.
    """
    counted = pd.concat(
        [_counted(engine, rows, name) for name, rows in (("found", shared), ("chance", by_chance))], axis=1
    )
    counted = counted.fillna(0).astype("int64").sort_index()
    first = least_significant(counted["found"].to_numpy(), counted["chance"].to_numpy(), rate, share)
    return math.inf if first is None else float(counted.index[first]) * _BIN


def _counted(engine: Any, rows: Any, name: str) -> pd.Series:
    binned = rows.select(bin=(rows["shared"] / _BIN).floor().cast("int64"))
    counted = engine.to_pyarrow(binned.group_by("bin").agg(pairs=binned.count())).to_pandas()
    pairs: pd.Series = counted.set_index("bin")["pairs"].rename(name)
    return pairs
