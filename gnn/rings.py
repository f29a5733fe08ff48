"""Scores and evidence → what is said of each community. Accusations are made here and nowhere else.

A community is a ``ring`` only with a calibrated probability, two families of evidence, enough members, and
links that chance would hardly make; evidence alone can ask for a person's look and no more; a calibrated low
probability clears it whatever the evidence says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringfence.config import DecisionSettings, Settings
from ringfence.errors import ModelError
from ringfence.gnn.scores import AccountScores
from ringfence.records import Action, Decision, Evidence, Family, Member, Ring, Role

BYSTANDER_SCORE = 0.2
"""Calibrated: below it an account has no part in what its community does."""

CORE_SCORE = 0.5
"""Calibrated: from it on a well linked account drives the campaign."""

BYSTANDER_SHARE = 0.1
"""Uncalibrated: linked to less of the others than this, and by one family, an account is a bystander."""

OWN_SHARE = 0.5
"""An account whose end users send less than this share of its requests for the ring is a bystander."""

INDEPENDENT = 2
"""No settings let fewer families than this accuse."""

NAMED = 10
"""The most entities that a line of evidence names."""

_ACTIONS = {Decision.RING: Action.SUSPEND, Decision.REVIEW: Action.REVIEW, Decision.BENIGN: Action.NONE}
_DECISION_ORDER = {decision: place for place, decision in enumerate(_ACTIONS)}
_ROLES = (Role.CORE, Role.MEMBER, Role.BYSTANDER)
"""In the order in which members are told."""


@dataclass(frozen=True, slots=True)
class _Community:
    """What is known of a community before it is judged."""

    probability: float | None
    evidence_score: float
    families: int
    """Families that count: with links of enough members."""
    active: int
    """Members that are not bystanders."""
    significant: float
    """Share of these with a link that chance would hardly make, 0..1."""


def decide_rings(
    members: pd.DataFrame, evidence: pd.DataFrame, scores: AccountScores, settings: Settings
) -> list[Ring]:
    """Judge every community that is large enough.

    The probability of a ring is the mean calibrated score of all its members: the share of them that is
    expected to belong to one. Bystanders count there, since leaving out whoever scores low would raise any
    community's mean. A ring's id is drawn from its account seen first, so it stays when others join.

    Args:
        members: a row an account in the snapshot's order: ``account_id``, ``community`` (-1 for none),
            ``first_seen``, ``last_seen`` (UTC or NaT), ``inside_share`` (share of the other members it is
            linked to, 0..1), ``inside_families`` (number of families that link it inside),
            ``significant_links`` (links inside that chance would hardly make), ``led`` and ``followed``
            (values to which it came no later than another member, and no earlier), ``own_share`` (share of
            its requests that its end users send for the community, 0..1; 1 where it has none).
        evidence: a row a community and family: ``community``, ``family``, ``statement``, ``weight``,
            ``coverage``, ``entities``.
        scores: of the same accounts, in the same order.
        settings: of links and decisions.

    Returns:
        rings, then reviews, then benign communities; within each by probability, largest first, or by size
        where there is none: evidence tells that accounts belong together, numbers what it would cost to be
        wrong about them. Equals by evidence score, then by id.

    Raises:
        ModelError: the scores are of another number of accounts, or one is not a number in 0..1.
    """
    _check_scores(scores, len(members))
    rows = _listed(members.assign(score=scores.score), settings.links.least_size)
    rows["role"] = _roles(rows, scores.calibrated)
    score, people, lines = rows["score"].to_numpy(np.float64), _people(rows), _evidence(evidence)
    rings, stop = [], 0
    group: Any
    for group in _groups(rows).itertuples():
        start, stop = stop, stop + group.size
        probability = float(score[start:stop].mean()) if scores.calibrated else None
        told = lines.get(group.Index, ())
        rings.append(_judge(group, probability, tuple(people[start:stop]), told, settings.decisions))
    return sorted(rings, key=_order)


def judge_again(ring: Ring, score: Mapping[str, float], decisions: DecisionSettings) -> Ring:
    """Judge a ring by new calibrated scores of its accounts; its links and its evidence stay as they were.

    No account's role gets graver by it: what is judged again is whether the accusation holds.

    Args:
        ring: as it was judged before.
        score: account → calibrated score, 0..1, of all its members.
        decisions: by which it was judged before.
    """
    scores = np.array([score[member.account_id] for member in ring.members], np.float64)
    members = [
        Member(member.account_id, new, _milder(member, new))
        for member, new in zip(ring.members, scores.tolist(), strict=True)
    ]
    known = _Community(
        probability=float(scores.mean()),
        evidence_score=ring.evidence_score,
        families=_families(ring.evidence, decisions),
        active=sum(member.role is not Role.BYSTANDER for member in members),
        # Links stay as they were: what was too weak for an accusation is so still.
        significant=1.0 if ring.decision is Decision.RING else 0.0,
    )
    decision = _decision(known, decisions)
    return replace(
        ring,
        probability=known.probability,
        decision=decision,
        members=tuple(sorted(members, key=lambda m: (_ROLES.index(m.role), -m.score, m.account_id))),
        recommended_action=_ACTIONS[decision],
    )


def _milder(member: Member, score: float) -> Role:
    if score < BYSTANDER_SCORE:
        return Role.BYSTANDER
    return Role.MEMBER if member.role is Role.CORE and score < CORE_SCORE else member.role


def _families(evidence: tuple[Evidence, ...], decisions: DecisionSettings) -> int:
    return len({line.family for line in evidence if line.coverage >= decisions.family_coverage})


def _check_scores(scores: AccountScores, accounts: int) -> None:
    if len(scores.score) != accounts:
        raise ModelError(
            f"There are {accounts} accounts and scores of {len(scores.score)}. Score this run's own snapshot."
        )
    if not ((scores.score >= 0) & (scores.score <= 1)).all():
        raise ModelError("Some account scores are not numbers from 0 to 1. Score the snapshot again.")


def _listed(members: pd.DataFrame, least_size: int) -> pd.DataFrame:
    """Return the members of communities that are large enough, by community and then by id."""
    rows = members[members["community"].to_numpy() >= 0]
    rows = rows[rows.groupby("community")["community"].transform("size") >= least_size]
    return rows.sort_values(["community", "account_id"], ignore_index=True)


def _groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row a community, in their order: what is counted of its members."""
    active = rows["role"] < _ROLES.index(Role.BYSTANDER)
    counted = rows.assign(active=active, significant=active & (rows["significant_links"] > 0))
    groups = counted.groupby("community").agg(
        size=("role", "size"),
        first_seen=("first_seen", "min"),
        last_seen=("last_seen", "max"),
        active=("active", "sum"),
        significant=("significant", "sum"),
    )
    # Accounts never seen come last, equals by id.
    by_time = rows.sort_values("first_seen", kind="stable", na_position="last")
    return groups.assign(first=by_time.drop_duplicates("community").set_index("community")["account_id"])


def _judge(
    group: Any,
    probability: float | None,
    members: tuple[Member, ...],
    evidence: tuple[Evidence, ...],
    decisions: DecisionSettings,
) -> Ring:
    known = _Community(
        probability=probability,
        evidence_score=sum(line.weight * line.coverage for line in evidence),
        families=_families(evidence, decisions),
        active=group.active,
        significant=group.significant / max(group.active, 1),
    )
    decision = _decision(known, decisions)
    return Ring(
        ring_id=f"R-{blake2b(str(group.first).encode(), digest_size=8).hexdigest()}",
        probability=known.probability,
        decision=decision,
        size=group.size,
        first_seen=_time(group.first_seen),
        last_seen=_time(group.last_seen),
        evidence_score=known.evidence_score,
        members=members,
        evidence=evidence,
        tactics=(),
        recommended_action=_ACTIONS[decision],
    )


def _decision(known: _Community, decisions: DecisionSettings) -> Decision:
    if known.probability is None:
        # Every link inside is strong by itself, and strongest among flatmates; what they are not is many.
        many = known.active >= decisions.review_size
        return Decision.REVIEW if many and known.families >= INDEPENDENT else Decision.BENIGN
    if known.probability < decisions.review_probability:
        return Decision.BENIGN
    certain = known.probability >= decisions.ring_probability
    corroborated = known.families >= max(decisions.least_families, INDEPENDENT)
    enough = known.active >= decisions.least_ring_size
    beyond_chance = known.significant >= decisions.significant_share
    sure = certain and corroborated and enough and beyond_chance
    return Decision.RING if sure else Decision.REVIEW


def _roles(rows: pd.DataFrame, calibrated: bool) -> npt.NDArray[np.int64]:
    """Return each member's role by its place in :data:`_ROLES`."""
    share, families, score = rows["inside_share"], rows["inside_families"], rows["score"]
    central = share >= share.groupby(rows["community"]).transform("median")
    if calibrated:
        bystander, core = score < BYSTANDER_SCORE, (score >= CORE_SCORE) & central
    else:
        bystander, core = (share < BYSTANDER_SHARE) & (families <= 1), (families >= INDEPENDENT) & central
    # Whoever the others only ever came after may be framed: it takes no doing of its own.
    framed = (rows["led"] > 0) & (rows["followed"] == 0)
    # A reseller answers for its customers only where most of what they send is the ring's.
    bystander = bystander | framed | (rows["own_share"] < OWN_SHARE)
    return np.where(bystander, _ROLES.index(Role.BYSTANDER), np.where(core, 0, 1))


def _people(rows: pd.DataFrame) -> list[Member]:
    """Return the members by community: core first, then by score, highest first, then by id."""
    order = np.lexsort((-rows["score"].to_numpy(np.float64), rows["role"], rows["community"]))
    told = (rows[name].to_numpy()[order].tolist() for name in ("account_id", "score", "role"))
    return [Member(account, score, _ROLES[role]) for account, score, role in zip(*told, strict=True)]


def _evidence(rows: pd.DataFrame) -> dict[int, tuple[Evidence, ...]]:
    """Return each community's evidence, what adds most to its score first."""
    lines = defaultdict(list)
    row: Any
    for row in rows.itertuples(index=False):
        line = Evidence(
            Family(row.family), row.statement, row.weight, row.coverage, tuple(row.entities[:NAMED])
        )
        lines[row.community].append(line)
    return {
        community: tuple(sorted(mine, key=lambda line: (-line.weight * line.coverage, line.family)))
        for community, mine in lines.items()
    }


def _time(when: Any) -> datetime | None:
    return None if pd.isna(when) else when.to_pydatetime()


def _order(ring: Ring) -> tuple[int, float, int, float, str]:
    probability = -1.0 if ring.probability is None else ring.probability
    return (_DECISION_ORDER[ring.decision], -probability, -ring.size, -ring.evidence_score, ring.ring_id)
