"""Scores and evidence → what is said of each community. Accusations are made here and nowhere else.

A community is a ``ring`` only with a calibrated probability, two families of evidence, enough members, and
links that chance would hardly make; evidence alone can ask for a person's look and no more; a calibrated low
probability clears it whatever the evidence says.
"""

from __future__ import annotations

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
_ROLE_ORDER = {role: place for place, role in enumerate((Role.CORE, Role.MEMBER, Role.BYSTANDER))}


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
    judged = members.assign(score=scores.score)[members["community"].to_numpy() >= 0]
    lines = {community: _evidence(rows) for community, rows in evidence.groupby("community")}
    rings = [
        _judge(group, lines.get(community, ()), scores.calibrated, settings.decisions)
        for community, group in judged.groupby("community")
        if len(group) >= settings.links.least_size
    ]
    return sorted(rings, key=_order)


def judge_again(ring: Ring, score: Mapping[str, float], decisions: DecisionSettings) -> Ring:
    """Judge a ring by new calibrated scores of its accounts; its links and its evidence stay as they were.

    No account's role gets graver by it: what is judged again is whether the accusation holds.

    Args:
        ring: as it was judged before.
        score: account → calibrated score, 0..1, of all its members.
        decisions: by which it was judged before.
    """
    accounts = [member.account_id for member in ring.members]
    scores = np.array([score[account] for account in accounts], np.float64)
    roles = [_milder(member, new) for member, new in zip(ring.members, scores.tolist(), strict=True)]
    known = _Community(
        probability=float(scores.mean()),
        evidence_score=ring.evidence_score,
        families=_families(ring.evidence, decisions),
        active=sum(role is not Role.BYSTANDER for role in roles),
        # Links stay as they were: what was too weak for an accusation is so still.
        significant=1.0 if ring.decision is Decision.RING else 0.0,
    )
    decision = _decision(known, decisions)
    return replace(
        ring,
        probability=known.probability,
        decision=decision,
        members=_members(accounts, scores, roles),
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


def _judge(
    group: pd.DataFrame, evidence: tuple[Evidence, ...], calibrated: bool, decisions: DecisionSettings
) -> Ring:
    roles = _roles(group, calibrated)
    active = np.array([role is not Role.BYSTANDER for role in roles])
    significant = group["significant_links"].to_numpy(np.int64) > 0
    score = group["score"].to_numpy(np.float64)
    known = _Community(
        probability=float(score.mean()) if calibrated else None,
        evidence_score=sum(line.weight * line.coverage for line in evidence),
        families=_families(evidence, decisions),
        active=int(active.sum()),
        significant=float(significant[active].mean()) if active.any() else 0.0,
    )
    decision = _decision(known, decisions)
    return Ring(
        ring_id=_ring_id(group),
        probability=known.probability,
        decision=decision,
        size=len(group),
        first_seen=_time(group["first_seen"].min()),
        last_seen=_time(group["last_seen"].max()),
        evidence_score=known.evidence_score,
        members=_members(group["account_id"].tolist(), score, roles),
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


def _roles(group: pd.DataFrame, calibrated: bool) -> list[Role]:
    share = group["inside_share"].to_numpy(np.float64)
    families = group["inside_families"].to_numpy(np.int64)
    score = group["score"].to_numpy(np.float64)
    central = share >= np.median(share)
    if calibrated:
        bystander, core = score < BYSTANDER_SCORE, (score >= CORE_SCORE) & central
    else:
        bystander, core = (share < BYSTANDER_SHARE) & (families <= 1), (families >= INDEPENDENT) & central
    # Whoever the others only ever came after may be framed: it takes no doing of its own.
    framed = ((group["led"] > 0) & (group["followed"] == 0)).to_numpy()
    # A reseller answers for its customers only where most of what they send is the ring's.
    bystander = bystander | framed | (group["own_share"].to_numpy(np.float64) < OWN_SHARE)
    return [
        Role.BYSTANDER if is_bystander else Role.CORE if is_core else Role.MEMBER
        for is_bystander, is_core in zip(bystander, core, strict=True)
    ]


def _members(accounts: list[str], score: npt.NDArray[np.float64], roles: list[Role]) -> tuple[Member, ...]:
    """Return the members, core first, then by score, highest first, then by id."""
    listed = [Member(a, float(s), r) for a, s, r in zip(accounts, score, roles, strict=True)]
    return tuple(sorted(listed, key=lambda m: (_ROLE_ORDER[m.role], -m.score, m.account_id)))


def _evidence(rows: pd.DataFrame) -> tuple[Evidence, ...]:
    """Return a community's evidence, what adds most to its score first."""
    lines = [
        Evidence(
            family=Family(row.family),
            statement=str(row.statement),
            weight=float(row.weight),
            coverage=float(row.coverage),
            entities=tuple(row.entities)[:NAMED],
        )
        for row in _rows(rows)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.weight * line.coverage, line.family)))


def _rows(frame: pd.DataFrame) -> Any:
    return frame.itertuples(index=False)


def _ring_id(group: pd.DataFrame) -> str:
    """Return the id after the account seen first; accounts never seen come last, equals by id."""
    first = group.sort_values(["first_seen", "account_id"], na_position="last")["account_id"].iloc[0]
    return f"R-{blake2b(str(first).encode(), digest_size=8).hexdigest()}"


def _time(when: Any) -> datetime | None:
    return None if pd.isna(when) else when.to_pydatetime()


def _order(ring: Ring) -> tuple[int, float, int, float, str]:
    probability = -1.0 if ring.probability is None else ring.probability
    return (_DECISION_ORDER[ring.decision], -probability, -ring.size, -ring.evidence_score, ring.ring_id)
