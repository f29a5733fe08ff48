"""The report as the template needs it: everything counted, worded and laid out."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from ringfence.lineage import sentence
from ringfence.records import Action, Decision, Ring, Role
from ringfence.report.data import ReportData
from ringfence.report.evidence import Carried, carried_evidence
from ringfence.report.picture import Picture, draw_picture
from ringfence.report.timeline import Timeline, draw_timeline

PICTURED = 50
"""Rings and reviews that are shown in full."""
LISTED_MEMBERS = 50
LISTED_COMMUNITIES = 100
LISTED_TEMPLATES = 5
LONGEST_WORDING = 700
"""Characters of a template that are shown."""

_SLOT = "▢"

_UNSTEADY = frozenset({"stages", "seconds", "timings", "peak_memory", "started", "finished"})
"""Parts of a manifest that differ between two runs of one input; they stay in ``manifest.json``."""
_TOLD_ELSEWHERE = frozenset({"files", "scoring"})

_METHODS = {
    "gnn": "a graph neural network",
    "trees": "gradient-boosted trees",
    "evidence": "the weight of the evidence alone",
}
ACTIONS = {
    Action.SUSPEND: "Suspend core and member accounts; leave bystanders alone",
    Action.REVIEW: "Have a person look before anything is done",
    Action.NONE: "Nothing to do",
}


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A line of the members table."""

    account_id: str
    role: str
    score: float
    requests: int


@dataclass(frozen=True, slots=True)
class TemplateView:
    """Wording that accounts of a ring have in common."""

    template_id: str
    pieces: tuple[str, ...]
    """What stays; between two pieces is a slot."""
    tactics: tuple[str, ...]
    public: bool
    accounts: int
    """Members that sent it."""


@dataclass(frozen=True, slots=True)
class RingView:
    """One ring or review in full."""

    ring: Ring
    anchor: str
    action: str
    roles: Mapping[str, int]
    requests: int
    members: tuple[MemberRow, ...]
    """The first 50, core first, then by score."""
    members_left: int
    templates: tuple[TemplateView, ...]
    """The most telling ones that enough accounts sent for their wording to be shown."""
    picture: Picture
    timeline: Timeline | None
    life: tuple[str, ...]
    """What happened to it, a line a turn."""
    carried: Carried | None
    """What its links rest on; None where that is not told."""


@dataclass(frozen=True, slots=True)
class Method:
    """How it was decided."""

    by: str
    calibrated: bool
    reason: str
    comparison: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report."""

    counts: Mapping[str, int]
    """Decision → communities."""
    accounts: Mapping[str, int]
    """Decision → accounts in them; of rings and reviews bystanders are not counted."""
    bystanders: int
    """Bystanders inside rings and reviews."""
    first: date | None
    last: date | None
    method: Method
    rings: tuple[RingView, ...]
    beyond: tuple[Ring, ...]
    """Rings and reviews past the fiftieth."""
    benign: tuple[Ring, ...]
    benign_left: int
    heaviest: float
    """The longest evidence bar, in nats."""
    files: Sequence[Any]
    totals: Mapping[str, int]
    settings: tuple[tuple[str, str], ...]
    version: str


def pictured(rings: Sequence[Ring]) -> list[Ring]:
    """Return the rings and reviews that are shown in full, of all in the order of ``rings.jsonl``."""
    return [ring for ring in rings if ring.flagged][:PICTURED]


def build_page(data: ReportData) -> Page:
    """Count, word and lay out everything the report shows."""
    suspects = [ring for ring in data.rings if ring.flagged]
    benign = [ring for ring in data.rings if not ring.flagged]
    first, last = data.active or _span(data.rings, [_as_date(day) for day in data.activity["day"].unique()])
    shown = pictured(data.rings)
    parts = _Parts.of(data, shown)
    return Page(
        counts={d.value: sum(r.decision is d for r in data.rings) for d in Decision},
        accounts={d.value: sum(_counted(r) for r in data.rings if r.decision is d) for d in Decision},
        bystanders=sum(r.size - _enforceable(r) for r in suspects),
        first=first,
        last=last,
        method=_method(data),
        rings=tuple(_ring_view(n, ring, parts, first, last) for n, ring in enumerate(shown)),
        beyond=tuple(suspects[PICTURED:]),
        benign=tuple(benign[:LISTED_COMMUNITIES]),
        benign_left=max(0, len(benign) - LISTED_COMMUNITIES),
        heaviest=max([12.0, *(e.weight for r in suspects for e in r.evidence)]),
        files=data.files,
        totals={
            name: sum(getattr(f, name) for f in data.files)
            for name in ("rows_in", "loaded", "rejected", "duplicates")
        },
        settings=tuple(_flat(data.manifest)),
        version=str(data.manifest.get("version", "")),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The frames of a report, cut up by ring once."""

    sightings: Mapping[str, pd.DataFrame]
    links: Mapping[str, pd.DataFrame]
    activity: Mapping[str, pd.DataFrame]
    empty: ReportData

    @classmethod
    def of(cls, data: ReportData, rings: Sequence[Ring]) -> _Parts:
        ring_of = {m.account_id: ring.ring_id for ring in rings for m in ring.members}

        def cut(frame: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
            owner = frame[column].map(ring_of)
            return {str(name): part for name, part in frame.groupby(owner)}

        return cls(
            cut(data.sightings, "account_id"),
            cut(data.links, "account_a"),
            cut(data.activity, "account_id"),
            data,
        )

    def for_ring(self, ring_id: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Return the ring's sightings, links and activity."""
        return (
            self.sightings.get(ring_id, self.empty.sightings.iloc[:0]),
            self.links.get(ring_id, self.empty.links.iloc[:0]),
            self.activity.get(ring_id, self.empty.activity.iloc[:0]),
        )


def _ring_view(number: int, ring: Ring, parts: _Parts, first: date | None, last: date | None) -> RingView:
    sightings, links, activity = parts.for_ring(ring.ring_id)
    sent = activity.groupby("account_id")["requests"].sum()
    order = {role: n for n, role in enumerate(Role)}
    members = sorted(ring.members, key=lambda m: (order[m.role], -m.score, m.account_id))
    rows = [
        MemberRow(m.account_id, m.role.value, m.score, int(sent.get(m.account_id, 0)))
        for m in members[:LISTED_MEMBERS]
    ]
    # The seed is the ring's own, so that a ring looks the same whatever stands beside it.
    seed = zlib.crc32(ring.ring_id.encode())
    daily = {_as_date(day): int(count) for day, count in activity.groupby("day")["requests"].sum().items()}
    return RingView(
        ring=ring,
        anchor=f"ring-{number + 1}",
        action=ACTIONS[ring.recommended_action],
        roles={role.value: sum(m.role is role for m in members) for role in Role},
        requests=int(sent.sum()),
        members=tuple(rows),
        members_left=len(members) - len(rows),
        templates=_templates(ring, sightings, parts.empty.templates),
        picture=draw_picture(ring, sightings, links, seed),
        timeline=draw_timeline(daily, first, last) if first and last else None,
        life=tuple(f"{one.at:%F}: {sentence(one)}" if one.at else sentence(one) for one in ring.history),
        carried=carried_evidence(
            [m.account_id for m in members],
            links,
            parts.empty.carried[parts.empty.carried["ring_id"] == ring.ring_id],
        ),
    )


def _templates(ring: Ring, sightings: pd.DataFrame, told: pd.DataFrame) -> tuple[TemplateView, ...]:
    names = [
        e.removeprefix("template:")
        for line in ring.evidence
        for e in line.entities
        if e.startswith("template:")
    ]
    worded = told[told["template_id"].isin(names) & told["skeleton"].notna()].set_index("template_id")
    senders = sightings[sightings["entity_type"] == "template"].groupby("entity_id")["account_id"].nunique()
    views = []
    for name in [n for n in names if n in worded.index][:LISTED_TEMPLATES]:
        row = worded.loc[name]
        wording = str(row["skeleton"])
        short = wording if len(wording) <= LONGEST_WORDING else wording[:LONGEST_WORDING] + " …"
        views.append(
            TemplateView(
                name,
                tuple(short.split(_SLOT)),
                tuple(str(label).replace("_", " ") for label in row["tactics"] or ()),
                bool(row["public"]),
                int(senders.get(name, 0)),
            )
        )
    return tuple(views)


def _method(data: ReportData) -> Method:
    said = data.manifest.get("scoring") or {}
    by = str(said.get("method", ""))
    has_probability = any(ring.probability is not None for ring in data.rings)
    return Method(
        by=_METHODS.get(by, by),
        calibrated=bool(said.get("calibrated", has_probability)),
        reason=str(said.get("reason", "")),
        comparison=tuple(said.get("comparison") or ()),
    )


def _counted(ring: Ring) -> int:
    return ring.size if ring.decision is Decision.BENIGN else _enforceable(ring)


def _enforceable(ring: Ring) -> int:
    return sum(member.role is not Role.BYSTANDER for member in ring.members)


def _span(rings: Sequence[Ring], days: Sequence[date]) -> tuple[date | None, date | None]:
    """Return the first and last day of anything shown; timelines share it."""
    if days:
        return min(days), max(days)
    seen = [
        _as_date(when) for ring in rings for when in (ring.first_seen, ring.last_seen) if when is not None
    ]
    return (min(seen), max(seen)) if seen else (None, None)


def _as_date(value: Any) -> date:
    return value.date() if isinstance(value, datetime) else pd.Timestamp(value).date()


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Return nested settings as (dotted name, value) lines."""
    if isinstance(value, Mapping):
        kept = [(k, v) for k, v in value.items() if k not in _UNSTEADY and (name or k not in _TOLD_ELSEWHERE)]
        return [line for k, v in kept for line in _flat(v, f"{name}.{k}" if name else str(k))]
    if isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
        return [line for n, item in enumerate(value, 1) for line in _flat(item, f"{name}.{n}")]
    if isinstance(value, (list, tuple)):
        return [(name, ", ".join(map(str, value)) or "none")]
    return [(name, "none" if value is None else str(value))]
