"""Windows of time: who was active in which, and how often two accounts were in the same.

A :class:`Scale` cuts *units* (a day, an hour, ten minutes) into *cells*. Within the units that a pair shares,
it may meet in the same cells; :func:`meetings` counts that, and what each one's own habits explain of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis

PAIR = ("account_a", "account_b")


@dataclass(frozen=True, slots=True)
class Scale:
    """One speed at which accounts may be together."""

    unit: int
    """Minutes in a unit: what the pair is known to share."""
    cell: int
    """Minutes in a cell: what it may share within a unit."""
    habitual: bool
    """Whether most people keep to some cells of a unit, as to hours of a day: a cell is then crowded only
    beside the same cell of other units."""

    @property
    def cells(self) -> int:
        """The number of cells in a unit."""
        return self.unit // self.cell


HOURS = Scale(unit=1440, cell=60, habitual=True)
TENS = Scale(unit=60, cell=10, habitual=False)
MINUTES = Scale(unit=10, cell=1, habitual=False)


@dataclass(frozen=True, slots=True)
class Windows:
    """What all accounts did at one scale, as Ibis tables."""

    scale: Scale
    active: Any
    """account_id, unit, cell: a row a cell in which an account was active; both counted from 1970."""
    busy: Any
    """account_id, unit, cells: the number of cells in which it was active."""
    habits: Any
    """account_id, place, times: in how many units it was active in the cell at that place."""
    credit: Any
    """cell, credit: what meeting there counts, 0..1; less where more accounts than usual were."""


def windows(slots: Any, scale: Scale, prior: float, keep: Callable[[Any], Any]) -> Windows:
    """Cut what accounts did into the units and cells of a scale.

    Args:
        slots: account_id, minute, without doubles.
        scale: The lengths of units and cells.
        prior: Accounts added to the number seen and to the number expected in a cell, so that a handful
            makes no crowd.
        keep: Holds what is needed more than once.
    """
    active = slots.select(
        "account_id", unit=slots["minute"] // scale.unit, cell=slots["minute"] // scale.cell
    ).distinct()
    active = keep(active)
    busy = keep(active.group_by("account_id", "unit").agg(cells=active.count()))
    places = active.group_by("account_id", place=active["cell"] % scale.cells)
    habits = keep(places.agg(times=active.count()))
    return Windows(scale, active, busy, habits, keep(_credit(active, busy, scale, prior)))


def _credit(active: Any, busy: Any, scale: Scale, prior: float) -> Any:
    """Return cell, credit: the square of how many times fewer accounts than seen are usual, at most 1.

    Where r times the usual number of accounts are active, two accounts meet by chance r² times as often.
    """
    cells = active.group_by("unit", "cell").agg(seen=active.count())
    units = busy.group_by("unit").agg(there=busy.count())
    everyone = units.agg(all_units=units["there"].sum())
    place = cells["cell"] % scale.cells if scale.habitual else ibis.literal(0, "int64")
    cells = cells.mutate(place=place)
    usual = cells.group_by("place").agg(all_cells=cells["seen"].sum()).cross_join(everyone)
    places = 1 if scale.habitual else scale.cells
    usual = usual.select("place", share=usual["all_cells"] / (usual["all_units"] * places))
    beside = cells.join(units, "unit").join(usual, "place")
    less = (beside["share"] * beside["there"] + prior) / (beside["seen"] + prior)
    less = ibis.least(less, 1.0)
    return beside.select("cell", credit=less * less)


def shared_units(pairs: Any, seen: Windows) -> Any:
    """Return account_a, account_b, unit, cells_a, cells_b: a row a unit in which both were active."""
    a, b = (seen.busy.rename({f"account_{e}": "account_id", f"cells_{e}": "cells"}) for e in "ab")
    return pairs.select(*PAIR).join(a, "account_a").join(b, ["account_b", "unit"])


def shared_cells(pairs: Any, seen: Windows) -> Any:
    """Return account_a, account_b, unit, cell, credit: a row a cell in which both were active.

    Args:
        pairs: account_a, account_b, a row a pair; with a unit, a row a pair and unit in which to look.
        seen: What the accounts did at this scale.
    """
    a, b = (seen.active.rename({f"account_{end}": "account_id"}) for end in "ab")
    known = [*PAIR, *(["unit"] if "unit" in pairs.columns else [])]
    together = pairs.select(*known).join(a, [column for column in known if column != "account_b"])
    together = together.join(b.drop("unit"), ["account_b", "cell"])
    return together.join(seen.credit, "cell").select(*PAIR, "unit", "cell", "credit")


def units_within(cells: Any, finer: Windows) -> Any:
    """Return the cells that pairs share as the units of the next finer scale; see :func:`shared_units`."""
    units = cells.select(*PAIR, unit=cells["cell"])
    a, b = (finer.busy.rename({f"account_{e}": "account_id", f"cells_{e}": "cells"}) for e in "ab")
    return units.join(a, ["account_a", "unit"]).join(b, ["account_b", "unit"])


def meetings(units: Any, cells: Any, seen: Windows) -> Any:
    """Return how often pairs met, and how often their habits make them meet: a row a pair.

    A unit has one vote: the share of the cells of the less busy account in which the other was, too. So a
    long session that overlaps another one counts once, not once for each cell.

    Args:
        units: As :func:`shared_units` makes them.
        cells: As :func:`shared_cells` makes them, for the same units.
        seen: What the accounts did at this scale.

    Returns:
        account_a, account_b; units, the number shared; met and met_credited, the votes in all, without and
        with the discount for crowds; chances, the votes there would be if every unit of one met every unit of
        the other; at_once, the share of those that fall on the same unit; room, the votes expected if all
        cells of a unit were alike.
    """
    hits = cells.group_by(*PAIR, "unit").agg(hits=cells.count(), credited=cells["credit"].sum())
    less, more = (
        ibis.least(units["cells_a"], units["cells_b"]),
        ibis.greatest(units["cells_a"], units["cells_b"]),
    )
    votes = units.mutate(less=less, more=more, both=units["cells_a"] * units["cells_b"])
    votes = votes.left_join(hits, [*PAIR, "unit"]).select(*PAIR, "less", "more", "both", "hits", "credited")
    met = votes.group_by(*PAIR).agg(
        units=votes.count(),
        met=(votes["hits"].fill_null(0) / votes["less"]).sum(),
        met_credited=(votes["credited"].fill_null(0.0) / votes["less"]).sum(),
        more=votes["more"].sum(),
        both=votes["both"].sum(),
    )
    met = met.join(_overlap(met, seen), PAIR)
    return met.select(
        *PAIR,
        "units",
        "met",
        "met_credited",
        chances=met["overlap"] * met["more"] / met["both"],
        at_once=met["both"] / met["all_pairs"],
        room=met["more"] / seen.scale.cells,
    )


def _overlap(pairs: Any, seen: Windows) -> Any:
    """Return account_a, account_b, overlap, all_pairs.

    all_pairs counts the pairs of a cell of one and a cell of the other, of whatever units; overlap those at
    the same place.
    """
    a, b = (seen.habits.rename({f"account_{e}": "account_id", f"times_{e}": "times"}) for e in "ab")
    same = pairs.select(*PAIR).join(a, "account_a").join(b, ["account_b", "place"])
    same = same.group_by(*PAIR).agg(overlap=(same["times_a"] * same["times_b"]).sum())
    total = seen.habits.group_by("account_id").agg(total=seen.habits["times"].sum())
    a, b = (total.rename({f"account_{e}": "account_id", f"total_{e}": "total"}) for e in "ab")
    found = pairs.select(*PAIR).join(a, "account_a").join(b, "account_b").left_join(same, PAIR)
    return found.select(
        *PAIR, overlap=found["overlap"].fill_null(0), all_pairs=found["total_a"] * found["total_b"]
    )
