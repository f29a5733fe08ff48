"""What came of an attempt, written down: each outcome with its audit entry, in the transaction under way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from random import Random

from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.outbox.backoff import Backoff
from ringfence.enforcement.outbox.lease import Claim, release

_TOLD = 500
"""Characters kept of what the other side, or the file system, said."""


class Result(StrEnum):
    """What came of an attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """It waits for another attempt."""
    DEAD = "dead"
    """No further attempt is made until a person puts it back."""
    HALTED = "halted"
    """The other side wants nothing any more; the export waits until a person resumes the sink."""
    WITHDRAWN = "withdrawn"
    """It was taken back meanwhile, and did not arrive as far as anybody knows."""
    OVERTAKEN = "overtaken"
    """Another sender has it in hand, or has delivered it: this attempt no longer matters."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of handing an export to its sink."""

    claim: Claim
    result: Result
    """As the sink told it: delivered, failed (try again), dead (refused) or halted (gone)."""
    said: str
    """The receipt, or the reason."""
    after: float | None = None
    """Seconds that the other side asks to be left alone."""


def settle(writing: Writing, outcome: Outcome, backoff: Backoff, draw: Random, sender: str) -> Result:
    """Write down an outcome; return what it means by now.

    A delivery counts whatever happened meanwhile: the other side has it. A failure counts only where the
    export is still in the sender's hand and nobody else has delivered it.
    """
    claim, said = outcome.claim, outcome.said[:_TOLD]
    held = release(writing, claim, sender)
    if outcome.result is Result.DELIVERED:
        _deliver(writing, claim, said)
        return Result.DELIVERED
    if outcome.result is Result.HALTED:
        _halt(writing, claim, said)
    row = writing.execute("SELECT status, attempts FROM exports WHERE key = ?", (claim.key,)).fetchone()
    if not held or row["status"] == "delivered":
        return Result.OVERTAKEN
    writing.execute("UPDATE exports SET last_error = ? WHERE key = ?", (said, claim.key))
    if row["status"] == "withdrawn":
        _audit(writing, "attempt failed", claim, withdrawn=True)
        return Result.WITHDRAWN
    if outcome.result is Result.DEAD or (outcome.result is Result.FAILED and row["attempts"] >= backoff.most):
        return _bury(writing, outcome)
    wait = backoff.wait(row["attempts"], draw, outcome.after)
    writing.execute(
        "UPDATE exports SET due_at = ? WHERE key = ?", (writing.now.timestamp() + wait, claim.key)
    )
    _audit(writing, "attempt failed", claim, wait=round(wait, 3))
    return outcome.result


def _deliver(writing: Writing, claim: Claim, receipt: str) -> None:
    writing.execute(
        "UPDATE exports SET status = 'delivered', delivered_at = ?, receipt = ?, last_error = NULL "
        "WHERE key = ? AND status <> 'delivered'",
        (writing.stamp, receipt, claim.key),
    )
    # What the other side says may name accounts, and the log outlives their erasure.
    digest = sha256(receipt.encode()).hexdigest()
    _audit(writing, "export delivered", claim, receipt_digest=digest)


def _bury(writing: Writing, outcome: Outcome) -> Result:
    writing.execute("UPDATE exports SET status = 'dead' WHERE key = ?", (outcome.claim.key,))
    _audit(writing, "export dead", outcome.claim, refused=outcome.result is Result.DEAD)
    return Result.DEAD


def _halt(writing: Writing, claim: Claim, reason: str) -> None:
    writing.execute(
        "INSERT INTO halts VALUES (?, ?, ?) ON CONFLICT (sink) DO NOTHING",
        (claim.sink, reason, writing.stamp),
    )
    _audit(writing, "sink halted", claim)


def _audit(writing: Writing, what: str, claim: Claim, **details: object) -> None:
    writing.audit(
        what,
        claim.ring_id,
        event_id=claim.event_id,
        sink=claim.sink,
        key=claim.key,
        attempt=claim.delivery.attempt,
        **details,
    )
