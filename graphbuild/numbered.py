"""Ids → numbers: strings are compared once, and what comes after is arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class Seen:
    """Which accounts were seen with which entities of one type."""

    account: npt.NDArray[np.int32]
    """shape: ``(s,)``; number of the account of each sighting."""
    entity: npt.NDArray[np.int32]
    """shape: ``(s,)``; number of the entity."""
    count: npt.NDArray[np.int64]
    """shape: ``(s,)``; how often the one was seen with the other."""
    names: pa.Array
    """shape: ``(e,)``; ids of the entities, in their order: an entity's number is its place."""
    degree: npt.NDArray[np.int64]
    """shape: ``(e,)``; how many accounts share each entity in all."""


def in_order(ids: Any) -> pa.Array:
    """Return each of an Arrow array's or column's ids once, in the order of their bytes."""
    names = pc.unique(ids)
    return names.take(pc.sort_indices(names))


def numbered(ids: Any, names: pa.Array) -> npt.NDArray[np.int32]:
    """Return the place of each of an Arrow array's or column's ids among distinct names; -1 for none."""
    places: npt.NDArray[np.int32] = pc.index_in(ids.cast(names.type), names).fill_null(-1).to_numpy()
    return places


def by_number(told: pd.Series, names: pa.Array, otherwise: int) -> npt.NDArray[np.int64]:
    """Return what is told of each name by its id, and the other number of those of whom nothing is.

    Args:
        told: id → number.
        names: n distinct ids.
        otherwise: What others are given.
    """
    found = np.full(len(names), otherwise, np.int64)
    place = numbered(pa.array(told.index, names.type), names)
    found[place[place >= 0]] = told.to_numpy()[place >= 0]
    return found


def seen_of(column: Callable[[str], Any], accounts: pa.Array) -> Seen:
    """Return sightings with their accounts and entities by number.

    Args:
        column: Returns account_id, entity_id or count, a row a pair. Each is asked for when the one before is
            not needed any more: the ids of all of them would be most of what a run holds.
        accounts: All account ids, in their order.
    """
    account = numbered(column("account_id"), accounts)
    ids = column("entity_id")
    names = in_order(ids)
    entity = numbered(ids, names)
    degree = np.bincount(entity, minlength=len(names))
    return Seen(account, entity, column("count").to_numpy(), names, degree)


def read_seen(path: Path, accounts: pa.Array) -> Seen:
    """Return the sightings of a file; see :func:`seen_of`."""
    return seen_of(lambda name: pq.read_table(path, columns=[name])[name], accounts)
