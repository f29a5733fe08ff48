"""Lifecycle evidence of a pair of accounts: signed up together, replaced after a ban, moved to a new model.

Each signal is a mixture of Fellegi–Sunter agreements, one for each level of closeness: with m_j for the share
of one operator's pairs that are as close and u_j for the share of all accounts that are, the weight is
``ln(sum_j m_j / u_j)`` over the levels that hold. u comes from the data itself, by counting the accounts that
did the same at the same time, so a sign-up wave, a launch or a release day discounts itself.

For accounts whose times have nothing to do with each other each ``1 / u_j`` has mean 1 at most, so the
mixture has mean ``sum_j m_j`` at most. Pairs without a row stand for 1, hence the mean of ``e^weight`` over
unrelated pairs is at most 1 plus that sum (:attr:`LifecycleSettings.most_excess`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis

from ringfence.graphbuild.linkage.crowds import Levels, with_crowds
from ringfence.graphbuild.linkage.keys import as_one
from ringfence.graphbuild.linkage.moves import moved_column

MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class LifecycleSettings:
    """How closeness in an account's life becomes evidence."""

    signup: Levels = ((10 * MINUTE, 0.01), (HOUR, 0.01), (DAY, 0.05))
    """Time between the creation of two accounts."""
    signup_cap: float = 1.9
    """Nats. Below what a family needs to count: guests of one event sign up together, too."""
    replacement: Levels = ((6 * HOUR, 0.01), (DAY, 0.04), (3 * DAY, 0.05))
    """Time from one account's ban to the other's start."""
    asleep: int = 30 * DAY
    """An account first seen so long after its creation starts when it is seen: it was kept for later."""
    pivot: Levels = ((DAY, 0.4), (3 * DAY, 0.2))
    """Time from a model's release until both had moved."""
    cap: float = 6.0
    """Nats: the most that any one signal adds."""

    @property
    def most_excess(self) -> float:
        """By how much the mean of ``e^weight`` of one pair may exceed 1 where nothing relates the two."""
        together = sum(m for _, m in (*self.signup, *self.replacement))
        pivot = sum(m for _, m in self.pivot)
        return together + pivot + together * pivot


def seconds(time: Any) -> Any:
    """Return a time as whole seconds since 1970, which all engines count alike."""
    return time.cast("timestamp").truncate("s").epoch_seconds().cast("int64")


def beginnings(accounts: Any, *activity: Any) -> Any:
    """Return account_id, created_at, first_seen: a row an account, null where unknown.

    Args:
        accounts: account_id, created_at.
        activity: Tables with account_id and ts.
    """
    seen = ibis.union(*(table.select("account_id", "ts") for table in activity))
    first = seen.group_by("account_id").agg(first_seen=seen["ts"].min())
    return accounts.left_join(first, "account_id").select("account_id", "created_at", "first_seen")


def starts(accounts: Any, settings: LifecycleSettings) -> Any:
    """Return account_id and start, in seconds: when each account was created, or woken after long sleep.

    Args:
        accounts: As :func:`beginnings` makes them; accounts with neither time are left out.
        settings: How long sleep lasts.
    """
    created, seen = seconds(accounts["created_at"]), seconds(accounts["first_seen"])
    woken = created.isnull() | (seen - created > settings.asleep).fill_null(False)
    begun = accounts.select("account_id", start=ibis.ifelse(woken, seen, created))
    return begun.filter(begun["start"].notnull())


def ban_spells(events: Any) -> Any:
    """Return account_id, banned_at, ended_at, in seconds: from a ban until it was lifted.

    Args:
        events: account_id, ts, event. ``reinstated`` and ``appeal_upheld`` lift a ban; a second ban of an
            account that is banned already is the same spell. What stands has no end.
    """
    known = events.filter(events["ts"].notnull())
    rows = known.select("account_id", "event", at=seconds(known["ts"]))
    bans = rows.filter(rows["event"] == "banned").select("account_id", banned_at="at")
    lifted = rows.filter(rows["event"].isin(("reinstated", "appeal_upheld")))
    lifted = lifted.select(lifted_id="account_id", lifted_at="at")
    each = bans.left_join(
        lifted, [bans["account_id"] == lifted["lifted_id"], lifted["lifted_at"] >= bans["banned_at"]]
    )
    each = each.group_by("account_id", "banned_at").agg(ended_at=each["lifted_at"].min())
    return each.group_by("account_id", "ended_at").agg(banned_at=each["banned_at"].min())


def lifecycle_evidence(
    pairs: Any, accounts: Any, events: Any, moves: Any, settings: LifecycleSettings
) -> Any:
    """Return account_a, account_b, signal, weight in nats, a row a signal that speaks for a pair.

    Signals are ``signup``, ``replacement`` and ``pivot``. A sign-up soon after a ban is one fact, so of those
    two signals a pair keeps the stronger.

    **Bans are labels.** A ``replacement`` may link two accounts and must never help to score either: whatever
    becomes a classifier's feature (weights, counts and shares of links by family, weights of the link edges)
    has to be made from weights without this signal, and of links that stand without it.

    Args:
        pairs: account_a < account_b: the pairs that other families brought. No others are looked at.
        accounts: As :func:`beginnings` makes them.
        events: account_id, ts, event; None where there are none.
        moves: As :func:`ringfence.graphbuild.linkage.moves.model_moves` makes them; None where no release is
            known.
        settings: Levels and caps.
    """
    columns = ("account_a", "account_b", "signal", "weight")
    begun = _signup(pairs, accounts, settings).mutate(signal=ibis.literal("signup")).select(*columns)
    if events is not None:
        replaced = _replacement(pairs, accounts, events, settings)
        begun = _stronger(
            ibis.union(begun, replaced.mutate(signal=ibis.literal("replacement")).select(*columns))
        )
    if moves is None:
        return begun
    pivot = _pivot(pairs, moves, settings).mutate(signal=ibis.literal("pivot"))
    return ibis.union(begun.select(*columns), pivot.select(*columns))


def _stronger(signals: Any) -> Any:
    """Return the strongest signal of each pair."""
    order = [signals["weight"].desc(), signals["signal"]]
    place = ibis.row_number().over(group_by=["account_a", "account_b"], order_by=order)
    placed = signals.mutate(place=place)
    return placed.filter(placed["place"] == 0).drop("place")


def _weighed(rows: Any, odds: Any, cap: float) -> Any:
    """Return account_a, account_b, weight of the rows whose odds speak for them."""
    # Rounded, so that no engine's logarithm shows.
    weighed = rows.select("account_a", "account_b", weight=ibis.least(odds.ln().round(6), ibis.literal(cap)))
    return weighed.filter(weighed["weight"] > 0)


def _mixture(levels: Levels, odds: Callable[[int], Any], holds: Callable[[int], Any]) -> Any:
    """Return the sum of m times ``odds`` over the levels that hold."""
    parts = [ibis.ifelse(holds(level), odds(level) * m, 0.0) for level, m in levels]
    return sum(parts[1:], parts[0])


def _signup(pairs: Any, accounts: Any, settings: LifecycleSettings) -> Any:
    known = accounts.filter(accounts["created_at"].notnull())
    times = known.select("account_id", at=seconds(known["created_at"]))
    widest = max(level for level, _ in settings.signup)
    pairs = pairs.select("account_a", "account_b")
    for end in ("a", "b"):
        begun = times.rename({f"at_{end}": "at"})
        pairs = pairs.inner_join(begun, pairs[f"account_{end}"] == begun["account_id"]).drop("account_id")
    apart = (pairs["at_a"] - pairs["at_b"]).abs()
    pairs = pairs.mutate(apart=apart).filter(apart <= widest)
    for end in ("a", "b"):
        crowds = {f"crowd_{level}_{end}": f"crowd_{level}" for level, _ in settings.signup}
        placed = pairs.mutate(at=pairs[f"at_{end}"])
        pairs = with_crowds(placed, times, settings.signup, before=True).drop("at").rename(crowds)
    others = times.count().as_scalar() - 1

    def rarity(level: int) -> Any:
        # The more crowded of the two times: what lies at the edge of a wave is part of it.
        near = ibis.greatest(pairs[f"crowd_{level}_a"], pairs[f"crowd_{level}_b"]) - 1
        return others / near

    odds = _mixture(settings.signup, rarity, lambda level: pairs["apart"] <= level)
    return _weighed(pairs, odds, min(settings.signup_cap, settings.cap))


def _replacement(pairs: Any, accounts: Any, events: Any, settings: LifecycleSettings) -> Any:
    begun, spells = starts(accounts, settings), ban_spells(events)
    times = begun.select(at="start")
    spells = spells.rename(at="banned_at")
    spells = with_crowds(spells, times, settings.replacement, before=False).rename(banned_at="at")
    either_way = ibis.union(
        pairs.select("account_a", "account_b", banned="account_a", fresh="account_b"),
        pairs.select("account_a", "account_b", banned="account_b", fresh="account_a"),
    )
    rows = either_way.inner_join(spells, either_way["banned"] == spells["account_id"]).drop("account_id")
    rows = rows.inner_join(begun, rows["fresh"] == begun["account_id"]).drop("account_id")
    apart = rows["start"] - rows["banned_at"]
    rows = rows.filter(
        apart >= 0,
        apart <= max(level for level, _ in settings.replacement),
        rows["ended_at"].isnull() | (rows["start"] < rows["ended_at"]),
    )
    apart = rows["start"] - rows["banned_at"]
    number = begun.count().as_scalar()
    odds = _mixture(
        settings.replacement, lambda level: number / rows[f"crowd_{level}"], lambda level: apart <= level
    )
    found = _weighed(rows, odds, settings.cap)
    return found.group_by("account_a", "account_b").agg(weight=found["weight"].max())


def _pivot(pairs: Any, moves: Any, settings: LifecycleSettings) -> Any:
    names = {level: moved_column(level) for level, _ in settings.pivot}
    shares = moves.group_by("model").agg(
        **{f"share_{level}": moves[name].cast("float64").mean() for level, name in names.items()}
    )
    moved = moves.filter(ibis.or_(*(moves[name] for name in names.values())))
    releases = moved["model"].nunique().as_scalar()
    a = moved.rename({f"{name}_a": name for name in names.values()})
    b = moved.rename({f"{name}_b": name for name in names.values()}).rename(model_b="model")
    rows = pairs.select("account_a", "account_b")
    rows = rows.inner_join(a, rows["account_a"] == a["account_id"]).drop("account_id")
    same_model = as_one(rows["account_b"], rows["model"]) == as_one(b["account_id"], b["model_b"])
    rows = rows.inner_join(b, [rows["account_b"] == b["account_id"], same_model])
    rows = rows.drop("account_id", "model_b").inner_join(shares, "model")
    # The mean over releases: whoever likes new models likes each of them.
    odds = _mixture(
        settings.pivot,
        lambda level: 1.0 / rows[f"share_{level}"],
        lambda level: rows[f"{names[level]}_a"] & rows[f"{names[level]}_b"],
    )
    each = rows.select("account_a", "account_b", odds=odds)
    summed = each.group_by("account_a", "account_b").agg(odds=each["odds"].sum())
    return _weighed(summed, summed["odds"] / releases, settings.cap)
