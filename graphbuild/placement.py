"""Links → which component and community each account is in, where the rows are.

CPM has no global term, so what is found in a component depends on nothing outside it. On one machine all
components are given to :func:`find_communities` at once; where rows are spread over many, components are
found as table work, and the same function is given those that an executor holds.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.graphbuild.communities.find import find_communities
from ringfence.graphbuild.communities.join import join_pieces
from ringfence.graphbuild.communities.partition import Partition, renumbered
from ringfence.graphbuild.components import connected_components
from ringfence.graphbuild.numbered import numbered
from ringfence.progress import Tick, silent

PLACED = pa.schema([(name, pa.string()) for name in ("account_id", "component", "community")])
"""A row a linked account; a component and a community are named by their smallest account."""


def place_accounts(
    engine: Any,
    links: Any,
    accounts: pa.Array,
    folder: Path,
    *,
    resolution: float,
    seed: int,
    previous: npt.NDArray[np.int64] | None = None,
    workers: int = 1,
    tick: Tick = silent,
) -> Partition:
    """Return the partition of all accounts; the same on every engine.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        links: Ibis table with account_a, account_b and weight.
        accounts: n account ids, in the order of their bytes.
        folder: A folder that is not there yet, for what lies between the steps.
        resolution: γ in nats, as :func:`find_communities` takes it, like the rest.
        seed: As there.
        previous: shape: ``(n,)``; as there.
        workers: As there; executors have their own.
        tick: As there.
    """
    links = links.select("account_a", "account_b", "weight")
    if not engine.spread:
        return _here(engine.to_pyarrow(links), accounts, resolution, seed, previous, workers, tick)
    components = connected_components(engine, links, folder / "rounds")
    tick(0.5)
    before = None if previous is None else _before(accounts, previous)
    placed = engine.to_pyarrow(placed_by_component(engine, links, components, resolution, seed, before))
    return _gathered(placed, accounts)


def placed_by_component(
    engine: Any, links: Any, components: Any, resolution: float, seed: int, before: Any | None = None
) -> Any:
    """Return an Ibis table of :data:`PLACED`, in any order, found component by component.

    Args:
        engine: A :class:`ringfence.engine.Engine`.
        links: Ibis table with account_a, account_b and weight.
        components: Ibis table with account_id and component.
        resolution: γ in nats.
        seed: The same seed gives the same communities.
        before: Ibis table with account_id and previous, the number of an earlier community; None for none.
    """
    rows = links.inner_join(components, links["account_a"] == components["account_id"])
    rows = rows.select("account_a", "account_b", "weight", "component")
    for end in ("a", "b"):
        was = ibis.literal(-1, "int64")
        if before is not None:
            told = before.view()
            rows = rows.left_join(told, rows[f"account_{end}"] == told["account_id"]).drop("account_id")
            was = rows["previous"].fill_null(-1)
        rows = rows.mutate(**{f"previous_{end}": was})
        rows = rows.drop("previous") if before is not None else rows
    place = partial(_place, resolution=resolution, seed=seed, follow=before is not None)
    return engine.map_groups(rows, "component", place, PLACED)


def _place(rows: pa.Table, *, resolution: float, seed: int, follow: bool) -> pa.Table:
    """Return :data:`PLACED` of the accounts of whole components."""
    ends = [rows[f"account_{end}"].combine_chunks() for end in "ab"]
    names = pc.unique(pa.concat_arrays(ends))
    names = names.take(pc.sort_indices(names))
    numbers = [pc.index_in(end, names).to_numpy(zero_copy_only=False).astype(np.int64) for end in ends]
    previous = None
    if follow:
        previous = np.full(len(names), -1, np.int64)
        for number, end in zip(numbers, "ab", strict=True):
            previous[number] = rows[f"previous_{end}"].to_numpy()
    found = _found(
        len(names),
        np.stack(numbers, axis=1),
        rows["weight"].to_numpy(),
        resolution=resolution,
        seed=seed,
        previous=previous,
    )
    return pa.table([names, *(_named(group, names) for group in (found.component, found.community))], PLACED)


def _found(accounts: int, pairs: npt.NDArray[np.int64], weights: Any, **how: Any) -> Partition:
    """Return communities with their pieces joined, whatever the engine."""
    found = find_communities(accounts, pairs, weights, **how)
    return Partition(found.component, join_pieces(pairs, found.community))


def _named(group: npt.NDArray[np.int64], names: pa.Array) -> pa.Array:
    """Return the smallest account of each one's group; null where it is in none."""
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    return names.take(pa.array(first[inverse], mask=group < 0))


def _here(
    rows: pa.Table,
    accounts: pa.Array,
    resolution: float,
    seed: int,
    previous: npt.NDArray[np.int64] | None,
    workers: int,
    tick: Tick,
) -> Partition:
    ends = [numbered(rows[end], accounts) for end in ("account_a", "account_b")]
    return _found(
        len(accounts),
        np.stack(ends, axis=1).astype(np.int64),
        rows["weight"].to_numpy(),
        resolution=resolution,
        seed=seed,
        previous=previous,
        workers=workers,
        tick=tick,
    )


def _before(accounts: pa.Array, previous: npt.NDArray[np.int64]) -> Any:
    return ibis.memtable(pa.table({"account_id": accounts, "previous": previous}))


def _gathered(placed: pa.Table, accounts: pa.Array) -> Partition:
    """Return the partition of all accounts; those without a link are components of their own."""
    component, community = np.arange(len(accounts)), np.full(len(accounts), -1, np.int64)
    place = numbered(placed["account_id"], accounts)
    component[place] = numbered(placed["component"], accounts)
    # No account is called null, so where there is no community the place is -1.
    community[place] = numbered(placed["community"], accounts)
    return Partition(renumbered(component), renumbered(community))
