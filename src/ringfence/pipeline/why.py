"""Why two accounts of a finished run are linked, and what its rings stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ringfence.gnn.rings import INDEPENDENT
from ringfence.graphbuild.explain.adding import Adding
from ringfence.graphbuild.explain.paths import between, widest_path
from ringfence.graphbuild.explain.shared import Shared, shared_of
from ringfence.graphbuild.explain.standing import Standing, StandingRule, standing
from ringfence.graphbuild.explain.waterfall import Waterfall, waterfall
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.pipeline.finished import Finished, opened
from ringfence.records import Ring

_LISTED = 100
"""Values of a ring that are told as JSON."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from an account to another."""

    account_a: str
    account_b: str
    weight: float | None
    """Of their link, in nats; None where they are not linked."""
    view: str
    """View of the value that tells most of what the two share."""
    value: str
    accounts: int
    """How many accounts have it in all."""


@dataclass(frozen=True, slots=True)
class WhyPair:
    """Why two accounts are linked, or why not."""

    linked: bool
    reason: str
    """In a sentence."""
    waterfall: Waterfall
    by_links: tuple[Hop, ...]
    """Where they are not linked: from link to link, the lightest of them as heavy as can be."""
    by_values: tuple[Hop, ...]
    """From account to value to account: their own, or else over the links, or else over one third account."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        told = asdict(self.waterfall)
        over = [{"view": view, "nats": nats} for view, nats in self.waterfall.passed_over]
        paths = {
            name: [asdict(hop) for hop in hops]
            for name, hops in (("by_links", self.by_links), ("by_values", self.by_values))
        }
        return {"linked": self.linked, "reason": self.reason, **told, "passed_over": over, **paths}


@dataclass(frozen=True, slots=True)
class WhyRing:
    """What a ring stands on."""

    ring: Ring
    links: int
    standing: Standing

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; of the values those that carry most."""
        found = self.standing
        values = found.values.drop(columns="number").head(_LISTED)
        rows = [
            {**row, "kind": None if pd.isna(row["kind"]) else row["kind"]}
            for row in values.to_dict("records")
        ]
        needed = None if found.needed_values is None else [f"{v}:{name}" for v, name in found.needed_values]
        return {
            "ring_id": self.ring.ring_id,
            "decision": str(self.ring.decision),
            "size": self.ring.size,
            "links": self.links,
            "weight": found.weight,
            "families": found.families,
            "values": rows,
            "values_in_all": len(found.values),
            "bridges": [list(bridge) for bridge in found.bridges],
            "articulation": list(found.articulation),
            "stands": found.stands,
            "needed_families": [list(one) for one in found.needed_families],
            "needed_values": needed,
            "parts": [list(part) for part in self.ring.parts],
            "also_in": [asdict(one) for one in self.ring.also_in],
        }


def why_pair(out: Path, one: str, other: str) -> WhyPair:
    """Return why two accounts are linked, or why not.

    Args:
        out: Folder of a finished run.
        one: An account.
        other: Another one.

    Raises:
        OutputError: the folder holds no run whose links can be taken apart.
        UsageError: there is no such account.
    """
    with opened(out) as run:
        run.check_accounts(one, other)
        ends = (min(one, other), max(one, other))
        links = run.read("links")
        rows = run.fetch(links.filter(links["account_a"] == ends[0], links["account_b"] == ends[1]))
        link = None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}
        shared = shared_of(run.sightings(), pd.DataFrame([ends], columns=list(PAIR)))
        told = waterfall(ends, shared, link, run.settings)
        by_links = () if link else _by_links(run, one, other)
        by_values = by_links or _through(run, one, other)
        if len(shared.values):
            by_values = (_hop(one, other, shared, told.weight if link else None),)
        return WhyPair(link is not None, _reason(run, link is not None, told), told, by_links, by_values)


def why_ring(out: Path, ring_id: str) -> WhyRing:
    """Return what a ring stands on.

    Args:
        out: Folder of a finished run.
        ring_id: One of its rings, or what else was judged.

    Raises:
        OutputError: the folder holds no run whose links can be taken apart.
        UsageError: there is no such ring.
    """
    with opened(out) as run:
        ring = run.ring(ring_id)
        members = [member.account_id for member in ring.members]
        links = _inside(run, members)
        adding = Adding.of(links, shared_of(run.sightings(), links[list(PAIR)]), run.settings)
        rule = StandingRule(
            max(run.decisions.least_families, INDEPENDENT),
            run.decisions.family_coverage,
            run.settings.least_family_weight,
            run.settings.least_weight,
        )
        return WhyRing(ring, len(links), standing(members, links, adding, rule))


def _reason(run: Finished, linked: bool, told: Waterfall) -> str:
    least, candidate = run.settings.least_weight, run.settings.least_candidate
    if linked:
        sure = "hardly chance" if told.significant else "no more than chance may bring to some pair"
        return f"They are linked by {told.weight:.3f} nats; what they share is {sure}."
    if not told.steps:
        return "They share nothing that speaks for one operator."
    what = f"What they share adds up to {told.weight:.3f} nats"
    if told.weight < candidate:
        return f"{what}, below the {candidate:g} from which on timing and lifecycle of a pair are looked at."
    if told.weight < least:
        return (
            f"{what}; with what timing and lifecycle may have added it stays below the {least:g} of a link."
        )
    return (
        f"{what}, enough for a link, but the pair was never weighed: of all who share values that so many "
        "have, only those next to each other are."
    )


def _inside(run: Finished, members: Sequence[str]) -> pd.DataFrame:
    """Return the links between members, in their order."""
    links = run.read("links")
    for end in PAIR:
        known = ibis.memtable(pd.DataFrame({end: members}), schema={end: "string"})
        links = links.semi_join(known, end)
    return run.fetch(links.order_by(*PAIR))


def _by_links(run: Finished, one: str, other: str) -> tuple[Hop, ...]:
    """Return the path over links, or nothing where there is none."""
    links = run.read("links")
    for account in (one, other):
        near = links.filter((links["account_a"] == account) | (links["account_b"] == account))
        if not run.engine.to_pyarrow(near.count()).as_py():
            return ()
    rows = run.fetch(links.select(*PAIR, "weight"))
    names = pd.Index(pd.unique(pd.concat([rows[end] for end in PAIR])))
    pairs = np.stack([names.get_indexer(pd.Index(rows[end])) for end in PAIR], axis=1).astype(np.int64)
    start, end = names.get_indexer(pd.Index([one, other])).tolist()
    path = widest_path(pairs, rows["weight"].to_numpy(np.float64), start, end)
    return () if path is None else _hops(run, names.take(np.array(path)).tolist(), rows)


def _hops(run: Finished, path: Sequence[str], links: pd.DataFrame) -> tuple[Hop, ...]:
    steps = list(pairwise(path))
    asked = pd.DataFrame([sorted(step) for step in steps], columns=list(PAIR))
    shared = shared_of(run.sightings(), asked)
    weights = asked.merge(links, on=list(PAIR), how="left")["weight"].tolist()
    return tuple(_hop(*step, shared, weight) for step, weight in zip(steps, weights, strict=True))


def _through(run: Finished, one: str, other: str) -> tuple[Hop, ...]:
    """Return the way over one third account, or nothing where there is none."""
    for row in between(run.sightings(), one, other).to_dict("records"):
        third = str(row["account_id"])
        return (
            Hop(one, third, None, row["view_a"], row["value_a"], int(row["accounts_a"])),
            Hop(third, other, None, row["view_b"], row["value_b"], int(row["accounts_b"])),
        )
    return ()


def _hop(one: str, other: str, shared: Shared, weight: float | None) -> Hop:
    """Return a step with the value that tells most."""
    ends, values = sorted((one, other)), shared.values
    theirs = values[(values["account_a"] == ends[0]) & (values["account_b"] == ends[1])]
    top = theirs.sort_values(["nats", "view", "value"], ascending=[False, True, True]).iloc[0]
    return Hop(one, other, weight, str(top["view"]), str(top["value"]), int(top["accounts"]))
