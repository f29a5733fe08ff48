"""The weight of a pair, step by step: what it shares, what tempers that, and what signals add.

Steps are told in millionths of a nat, as weights are kept, so that they **sum to the link's weight exactly**:
what rounding leaves goes to the last step of a family.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pandas as pd

from ringfence.config import LinkSettings
from ringfence.graphbuild.explain.shared import Shared
from ringfence.graphbuild.linkage.indicators import IndicatorSettings
from ringfence.graphbuild.linkage.views import VIEWS
from ringfence.records import Family
from ringfence.schema import LINK_FAMILIES

_MILLION = 1_000_000
_ORDER = {view.name: place for place, view in enumerate(VIEWS)}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a waterfall."""

    family: str
    what: str
    """``value``, or what else adds or takes: ``apart``, ``scale``, ``weak cap``, ``family cap``,
    ``one-sided cap``, ``together`` (timing), ``replacement``, ``life``, ``indicators``, ``rest``."""
    nats: float
    view: str = ""
    """The view of a value, or of what tempers it."""
    value: str = ""
    accounts: int | None = None
    """How many accounts have the value in all."""
    kind: str | None = None
    """Kind of a value that says less for it."""
    first: str = ""
    """Account that came first to the value, where it tells; empty where neither did, or nothing is known."""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Why two accounts have the weight that they have."""

    account_a: str
    account_b: str
    weight: float
    """In nats: the sum of the steps."""
    families: dict[str, float]
    steps: tuple[Step, ...]
    passed_over: tuple[tuple[str, float], ...]
    """Views that see a fact which another view of their family tells better, with what they would say."""
    one_sided: bool
    """Whether one account came first to all values that tell."""
    significant: bool | None
    """Whether what the two share would hardly be shared by chance; None where they are not linked."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a family says before all families are seen."""

    lines: list[tuple[float, Step]]
    weight: float


def waterfall(
    pair: tuple[str, str], shared: Shared, link: Mapping[str, Any] | None, settings: LinkSettings
) -> Waterfall:
    """Take the weight of a pair apart.

    Args:
        pair: account_a < account_b.
        shared: What pairs share, this one among them.
        link: Its row of ``links.parquet``; None where it is not linked: signals are then not known.
        settings: Those of the run.
    """
    values, views = (_rows_of(frame, pair) for frame in (shared.values, shared.views))
    best = _strongest(views)
    told = {family: _family(row, values, settings, pair) for family, row in best.items()}
    total = sum(one.weight for one in told.values())
    one_sided = bool(len(views)) and not (views["led"].any() and views["followed"].any())
    part = settings.one_sided_cap / total if one_sided and total > settings.one_sided_cap else 1.0
    steps, families = [], {}
    for name in map(str, LINK_FAMILIES):
        lines, known = _capped(told.get(name), name, part)
        target = known if link is None else round(float(link[name]) * _MILLION)
        extra = target - known
        # A millionth apart is how two engines round.
        signals = [] if extra == 0 or (lines and abs(extra) <= 1) else _signals(name, extra, link)
        steps += [*_fitted(lines, target - sum(amount for amount, _ in signals)), *_as_steps(signals)]
        families[name] = target / _MILLION
    chosen = {str(row["view"]) for row in best.values()}
    over = [(r["view"], float(r["weight"])) for r in views.to_dict("records") if r["view"] not in chosen]
    return Waterfall(
        *pair,
        weight=round(sum(families.values()), 6),
        families=families,
        steps=tuple(steps),
        passed_over=tuple(over),
        one_sided=one_sided,
        significant=None if link is None else bool(link.get("significant", False)),
    )


def _rows_of(frame: pd.DataFrame, pair: tuple[str, str]) -> pd.DataFrame:
    return frame[(frame["account_a"] == pair[0]) & (frame["account_b"] == pair[1])]


def _strongest(views: pd.DataFrame) -> dict[str, Any]:
    """Return the row of each family's strongest view; of equals the one that is named first."""
    rows = sorted(views.to_dict("records"), key=lambda row: (-row["weight"], _ORDER[row["view"]]))
    best: dict[str, Any] = {}
    for row in rows:
        best.setdefault(str(row["family"]), row)
    return best


def _family(row: Any, values: pd.DataFrame, settings: LinkSettings, pair: tuple[str, str]) -> _Told:
    """Return what the strongest view of a family says, up to the family's cap."""
    family, view = str(row["family"]), str(row["view"])
    shared = values[values["view"] == view]
    # Everybody has weak values, so nobody came first to them.
    shared = shared.assign(led=0, followed=0) if row["weak"] else shared
    lines = [(float(v["nats"]), _value_step(family, v, pair)) for v in shared.to_dict("records")]
    missing = int(row["fewer"] - row["shared"])
    apart = missing * math.log(1 - settings.agreement[view])
    if missing:
        lines.append((apart, Step(family, "apart", 0.0, view, accounts=None, value=str(missing))))
    said = float(row["agreed"]) + apart
    scale = settings.scaled(view)
    if scale != 1:
        lines.append((said * (scale - 1), Step(family, "scale", 0.0, view, value=f"{scale:g}")))
    weight, cap = float(row["weight"]), settings.cap(family)
    if row["weak"] and said * scale > weight + 1e-6:
        lines.append(
            (weight - said * scale, Step(family, "weak cap", 0.0, view, value=f"{settings.weak_cap:g}"))
        )
    if weight > cap:
        lines.append((cap - weight, Step(family, "family cap", 0.0, view, value=f"{cap:g}")))
    return _Told(lines, min(weight, cap))


def _value_step(family: str, value: Any, pair: tuple[str, str]) -> Step:
    kind = None if pd.isna(value["kind"]) else str(value["kind"])
    ahead = value["led"] - value["followed"]
    first = "" if not ahead else pair[0] if ahead > 0 else pair[1]
    return Step(family, "value", 0.0, value["view"], value["value"], int(value["accounts"]), kind, first)


def _capped(told: _Told | None, family: str, part: float) -> tuple[list[tuple[float, Step]], int]:
    """Return a family's lines with what the one-sided cap takes, and its sum in millionths."""
    if told is None:
        return [], 0
    kept = round(round(told.weight * part, 6) * _MILLION)
    if part == 1.0:
        return told.lines, kept
    cut = (told.weight * (part - 1), Step(family, "one-sided cap", 0.0))
    return [*told.lines, cut], kept


def _signals(family: str, extra: int, link: Mapping[str, Any] | None) -> list[tuple[int, Step]]:
    """Return what links add beyond what is shared, in millionths: named as far as the link tells."""
    if family == Family.TIMING:
        return [(extra, Step(family, "together", 0.0))]
    if family == Family.LIFECYCLE:
        replaced = min(round(float((link or {}).get("replacement", 0.0)) * _MILLION), extra)
        parts = [(replaced, "replacement"), (extra - replaced, "life")]
        return [(amount, Step(family, what, 0.0)) for amount, what in parts if amount]
    most = round(IndicatorSettings().cap * _MILLION) + 1
    return [(extra, Step(family, "indicators" if 0 < extra <= most else "rest", 0.0))]


def _as_steps(lines: Sequence[tuple[int, Step]]) -> list[Step]:
    return [_with(step, amount) for amount, step in lines]


def _fitted(lines: Sequence[tuple[float, Step]], total: int) -> list[Step]:
    """Return steps in whole millionths that sum to ``total``: sums are rounded, not the steps."""
    if not lines:
        return []
    sums = [0, *(round(amount * _MILLION) for amount in accumulate(nats for nats, _ in lines))]
    sums[-1] = total
    return [_with(step, sums[n + 1] - sums[n]) for n, (_, step) in enumerate(lines)]


def _with(step: Step, millionths: int) -> Step:
    return Step(
        step.family,
        step.what,
        millionths / _MILLION,
        step.view,
        step.value,
        step.accounts,
        step.kind,
        step.first,
    )
