"""Timing evidence: pairs that are active together beyond what the habits of each explain.

Three signals, each given everything coarser:

- ``hours``: in the same hours of the days on which both are active;
- ``minutes``: in the same ten minutes of the hours that they share, and the same minutes of those;
- ``handover``: taking turns, that is, in the same hours but not in the same minutes, as accounts
  are between which somebody balances load.

What to expect is asked of the pair itself: how often the cells of one meet those of the other over *all*
their units, other days as well as the same. Who always works at nine, or is started by a scheduler at 37
minutes past, meets as often on other days. If the days of each are alike, which of the meetings fall on the
same day is a draw, and ``met·ln ρ - chances·ln(1 + (ρ-1)·at_once)`` is the log likelihood ratio of a rate ρ
times as high. A unit's vote x lies within 0..1, so ``E[ρ^x] ≤ 1 + (ρ-1)·E[x]`` whatever happens within the
unit: as far as units are independent, the exponential of a weight has mean 1 at most where nobody
coordinates. It is an e-value (Wang and Ramdas, 2022), and weights add up. ``minutes``
and ``handover`` are two answers to one question, so each is charged ``ln 2``. Meetings in crowded windows
count less, since deadlines, events and releases bring everybody.

Only weights above 0 are told. That alone can raise the mean of the exponential, to 2 for each signal at most;
``benchmarks/timing.py`` measures it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis

from ringfence.graphbuild.linkage.timing_windows import (
    HOURS,
    MINUTES,
    PAIR,
    TENS,
    meetings,
    shared_cells,
    shared_units,
    units_within,
    windows,
)

_TWO_QUESTIONS = math.log(2)

Keep = Callable[[Any], Any]
"""Ibis expression → the same as a table that is held, such as ``Table.cache``."""


def lazy(table: Any) -> Any:
    """Hold nothing: leave the whole plan to the engine. For small tables."""
    return table


@dataclass(frozen=True, slots=True)
class TimingSettings:
    """What coordination looks like. Fixed beforehand, as agreement probabilities are."""

    together: float = 2.0
    """ρ of ``hours``: how many times as often as by habit an operator's accounts share an hour."""
    same_minute: float = 3.0
    """ρ of ``minutes``."""
    taking_turns: float = 0.5
    """ρ of ``handover``; below 1."""
    least_units: int = 2
    """Days that a pair must share for ``hours``, and hours for the others: once is always chance."""
    crowd_prior: float = 10.0
    """Accounts by which a window may be fuller than usual before it is a crowd."""


def slots(requests: Any) -> Any:
    """Return account_id, minute: the minutes since 1970 in which an account sent anything, each once.

    Args:
        requests: Ibis table with account_id and ts; rows without a time are left out.
    """
    rows = requests.filter(requests["ts"].notnull())
    minute = (rows["ts"].epoch_seconds() // 60).cast("int64")
    return rows.select("account_id", minute=minute).distinct()


def timing_evidence(pairs: Any, slots: Any, settings: TimingSettings | None = None, keep: Keep = lazy) -> Any:
    """Return what timing says for pairs: account_a, account_b, signal, weight, shared, expected.

    Args:
        pairs: Ibis table with account_a < account_b, without doubles.
        slots: As :func:`slots` makes them, of all accounts: the others make the crowd. Accounts are best
            numbered, since millions of pairs times the days of each are compared.
        settings: What coordination looks like.
        keep: Holds what is needed more than once. Engines misjudge how many rows come out of so long a
            chain of joins: DuckDB ran out of 6 GiB on 250,000 requests, and needs seconds step by step.

    Returns:
        a row a pair and signal that speaks for one operator; weight in nats, above 0. shared counts units
        in which the pair met, by the share of the cells that it could; expected is the same without
        coordination. In the order of accounts and signals.
    """
    ratios = timing_ratios(pairs, slots, settings, keep)
    return ratios.filter(ratios["weight"] > 0).order_by(*PAIR, "signal")


def timing_ratios(pairs: Any, slots: Any, settings: TimingSettings | None = None, keep: Keep = lazy) -> Any:
    """Return what :func:`timing_evidence` does with the ratios below 1, too: weights may be negative.

    Pairs that share too few days or hours, or never an hour, have no row; their ratio is 1 at most.
    """
    settings = settings or TimingSettings()
    days, tens, minutes = (
        windows(slots, scale, settings.crowd_prior, keep) for scale in (HOURS, TENS, MINUTES)
    )
    hours = keep(shared_cells(pairs, days))
    shared_days = keep(_enough(keep(shared_units(hours.select(*PAIR).distinct(), days)), settings))
    hours = keep(hours.semi_join(shared_days, PAIR))
    shared_hours = keep(_enough(keep(units_within(hours, tens)), settings))
    in_tens = keep(shared_cells(shared_hours, tens))
    shared_tens = keep(units_within(in_tens, minutes))
    in_minutes = keep(shared_cells(shared_tens, minutes))
    coarse = keep(meetings(shared_hours, in_tens, tens))
    fine = keep(meetings(shared_tens, in_minutes, minutes))
    told = (
        _ratios(keep(meetings(shared_days, hours, days)), "hours", settings.together),
        _joined(coarse, fine, "minutes", settings.same_minute),
        _joined(coarse, fine, "handover", settings.taking_turns),
    )
    return ibis.union(*told)


def _enough(units: Any, settings: TimingSettings) -> Any:
    counted = units.group_by(*PAIR).agg(units=units.count())
    return units.semi_join(counted.filter(counted["units"] >= settings.least_units), PAIR)


def _joined(coarse: Any, fine: Any, signal: str, rate: float) -> Any:
    """Return the ratios of two scales as one."""
    parts = ibis.union(*(_ratios(part, signal, rate) for part in (coarse, fine)))
    return parts.group_by(*PAIR, "signal").agg(
        weight=(parts["weight"].sum() - _TWO_QUESTIONS).round(6),
        shared=parts["shared"].sum().round(6),
        expected=parts["expected"].sum().round(6),
    )


def _ratios(met: Any, signal: str, rate: float) -> Any:
    """Return account_a, account_b, signal, weight, shared, expected of one scale.

    Args:
        met: As :func:`meetings` makes it.
        signal: What to call it.
        rate: ρ. Below 1, what looks like taking turns may be habits that never meet, or a crowd that does:
            the lower expectation counts, and every meeting in full.
    """
    habit = met["chances"] * met["at_once"]
    if rate > 1:
        shared, expected = met["met_credited"], habit
        charge = met["chances"] * (1 + (rate - 1) * met["at_once"]).ln()
    else:
        shared, expected = met["met"], ibis.least(habit, met["room"])
        charge = (rate - 1) * expected
    return met.select(
        *PAIR,
        signal=ibis.literal(signal),
        # Rounded, so that the order in which an engine adds does not show.
        weight=(shared * math.log(rate) - charge).round(6),
        shared=shared.round(6),
        expected=expected.round(6),
    )
