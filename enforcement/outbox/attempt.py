"""One attempt: handing an export to its sink, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from ringfence.enforcement.outbox.lease import Claim
from ringfence.enforcement.outbox.settle import Outcome, Result
from ringfence.enforcement.sinks.protocol import GoneError, RefusedError, Sink, TryAgainError
from ringfence.enforcement.sinks.text import shown


def attempt(sink: Sink, claim: Claim) -> Outcome:
    """Hand an export over, if its bytes are still those that were queued; what it tells is fit to show."""
    outcome = _handed_over(sink, claim)
    return replace(outcome, said=shown(outcome.said))


def _handed_over(sink: Sink, claim: Claim) -> Outcome:
    if sha256(claim.delivery.body).hexdigest() != claim.digest:
        return Outcome(
            claim,
            Result.DEAD,
            "The body in the casebook is not the one that was queued: the file is damaged, or was tampered "
            "with. Nothing was sent. Check it with `ringfence audit verify`.",
        )
    try:
        return Outcome(claim, Result.DELIVERED, sink.send(claim.delivery))
    except TryAgainError as error:
        return Outcome(claim, Result.FAILED, str(error), error.after)
    except RefusedError as error:
        return Outcome(claim, Result.DEAD, str(error))
    except GoneError as error:
        return Outcome(claim, Result.HALTED, str(error))
    except Exception as error:
        # One sink's mistake must stop neither the other sinks nor the writing down of what was delivered.
        return Outcome(claim, Result.FAILED, f"The sink failed by mistake: {type(error).__name__}: {error}")
