"""What views and signals say of pairs → links.

Of a family's views the strongest counts, up to the family's cap; families add up. Timing and lifecycle speak
only about pairs that something shared has brought. What one side could have made alone, by turning up
wherever the other was seen first, is capped as a whole: nobody can be drawn into a ring by being followed
around.
"""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.views import VIEWS
from ringfence.schema import LINK_FAMILIES

PAIR = ("account_a", "account_b")
LINK_COLUMNS = (*PAIR, "weight", *LINK_FAMILIES, "replacement", "significant", "led", "followed")
"""Columns of ``links.parquet``: ``account_a < account_b``; weights in nats, ``weight`` the families' sum;
``replacement`` the part of ``lifecycle`` that rests on a ban; ``significant`` whether what the two share
would hardly be shared by chance, nor made by one side alone; ``led`` and ``followed`` count the telling
values to which ``account_a`` came no later than the other, and no earlier."""


def brought_pairs(views: Any, settings: LinkSettings) -> Any:
    """Return the pairs that what they share brings, a row a pair.

    Columns are account_a, account_b, the nats of each family, led, followed, and shared: the families' sum
    without weak views.

    Args:
        views: Ibis table as :func:`ringfence.graphbuild.linkage.pairs.view_weights` makes it, of all views.
        settings: Caps, and the least weight of a candidate.
    """
    families = {str(view.family): settings.cap(view.family) for view in VIEWS}
    strongest = views.group_by(*PAIR).agg(
        led=views["led"].sum().cast("int64"),
        followed=views["followed"].sum().cast("int64"),
        **{name: _strongest(views, name) for name in families},
        **{f"strong_{name}": _strongest(views, name, ~views["weak"]) for name in families},
    )

    def capped(column: str, family: str) -> Any:
        return ibis.least(strongest[column], ibis.literal(families[family]))

    wide = strongest.select(
        *PAIR,
        "led",
        "followed",
        strong=sum((capped(f"strong_{name}", name) for name in families), ibis.literal(0.0)),
        **{str(f): capped(f, f) if f in families else ibis.literal(0.0) for f in LINK_FAMILIES},
    )
    total = _total(wide)
    alone = (wide["led"] == 0) | (wide["followed"] == 0)
    part = ibis.ifelse(alone & (total > settings.one_sided_cap), settings.one_sided_cap / total, 1.0)
    rows = wide.select(
        *PAIR,
        "led",
        "followed",
        shared=(wide["strong"] * part).round(6),
        **{str(f): (wide[f] * part).round(6) for f in LINK_FAMILIES},
    )
    return rows.filter(_total(rows) >= settings.least_candidate)


def links(brought: Any, signals: Any, significant: float, settings: LinkSettings) -> Any:
    """Return :data:`LINK_COLUMNS` of the pairs that are heavy enough, in any order.

    Args:
        brought: As :func:`brought_pairs` makes them.
        signals: Ibis table with account_a, account_b, family, signal, weight: what timing, lifecycle and
            indicators say of these pairs.
        significant: Nats from which on what a pair shares is significant.
        settings: Caps, and the least weight of a link.
    """
    replaced = signals["weight"].sum(where=signals["signal"] == "replacement").fill_null(0.0)
    told = signals.group_by(*PAIR).agg(replacement=replaced, **_by_family(signals))
    told = told.rename({f"more_{name}": name for name in (*map(str, LINK_FAMILIES), "replacement")})
    rows = brought.left_join(told, PAIR)
    added = {
        str(f): ibis.least(
            rows[f] + rows[f"more_{f}"].fill_null(0.0), ibis.literal(settings.cap(f) + settings.signal_cap)
        ).round(6)
        for f in LINK_FAMILIES
    }
    rows = rows.select(
        *PAIR,
        "led",
        "followed",
        **added,
        replacement=rows["more_replacement"].fill_null(0.0).round(6),
        # What one side could have made alone is not beyond what it can do, however far beyond chance.
        significant=(rows["shared"] >= significant) & (rows["led"] > 0) & (rows["followed"] > 0),
    )
    weighed = rows.mutate(weight=_total(rows).round(6))
    return weighed.filter(weighed["weight"] >= settings.least_weight).select(*LINK_COLUMNS)


def without_bans(linked: pd.DataFrame, settings: LinkSettings) -> pd.DataFrame:
    """Return links as they would be if no account had been banned: a ban is a label, and no feature.

    Args:
        linked: :data:`LINK_COLUMNS`.
        settings: The least weight of a link.
    """
    weight = (linked["weight"] - linked["replacement"]).round(6)
    lifecycle = (linked["lifecycle"] - linked["replacement"]).clip(lower=0.0).round(6)
    bare = linked.assign(weight=weight, lifecycle=lifecycle, replacement=0.0)
    return bare[bare["weight"] >= settings.least_weight].reset_index(drop=True)


def _strongest(views: Any, family: str, only: Any = True) -> Any:
    return views["weight"].max(where=(views["family"] == family) & only).fill_null(0.0)


def _by_family(rows: Any) -> dict[str, Any]:
    return {
        str(family): rows["weight"].sum(where=rows["family"] == str(family)).fill_null(0.0)
        for family in LINK_FAMILIES
    }


def _total(rows: Any) -> Any:
    return sum((rows[family] for family in LINK_FAMILIES), ibis.literal(0.0))
