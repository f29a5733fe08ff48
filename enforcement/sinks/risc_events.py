"""What is said in security events of an order: RISC 1.0 and CAEP 1.0 of the OpenID Foundation.

============================== ===========================================================================
suspend, ban                   RISC ``account-disabled`` with the reason ``bulk-account``
their reversal                 RISC ``account-enabled``
monitor, rate-limit, step-up   CAEP ``risk-level-change``: MEDIUM, MEDIUM, HIGH
their reversal                 CAEP ``risk-level-change`` back to LOW
ring that goes by other ids    nothing: receivers know accounts, and nothing changes for them
============================== ===========================================================================

An event says what an account *is* from now on. So a reversal says nothing of an account that another order
still disables, and a risk level never falls below that of an order that stands. Where that one disables the
account, the level falls to LOW: nothing would lower it when the account is enabled again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ringfence.enforcement.events import Event, EventKind, Target
from ringfence.records import Action

DISABLED = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
ENABLED = "https://schemas.openid.net/secevent/risc/event-type/account-enabled"
RISK_LEVEL = "https://schemas.openid.net/secevent/caep/event-type/risk-level-change"

_DISABLING = (Action.SUSPEND, Action.BAN)
_LEVELS = {Action.NONE: "LOW", Action.MONITOR: "MEDIUM", Action.RATE_LIMIT: "MEDIUM", Action.STEP_UP: "HIGH"}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one account."""

    account_id: str
    event_type: str
    claims: dict[str, Any]


def said(event: Event) -> Iterator[Said]:
    """Yield what is to be said of each account, where there is something."""
    if event.kind is EventKind.SUPERSEDED:
        return
    undone = event.kind is EventKind.REVERSED
    tell = _account if event.action in _DISABLING else _risk
    for target in event.accounts:
        found = tell(event, target, undone=undone)
        if found is not None:
            yield found


def _account(event: Event, target: Target, *, undone: bool) -> Said | None:
    if not undone:
        return Said(target.account_id, DISABLED, {"reason": "bulk-account", **_why(event)})
    if target.under in _DISABLING:
        return None
    return Said(target.account_id, ENABLED, _why(event))


def _risk(event: Event, target: Target, *, undone: bool) -> Said | None:
    level = _LEVELS[event.action]
    claims = {"principal": "USER", "risk_reason": "COORDINATED_ACCOUNTS", **_why(event)}
    if not undone:
        return Said(target.account_id, RISK_LEVEL, {"current_level": level, **claims})
    left = _LEVELS.get(target.under, _LEVELS[Action.NONE])
    if left == level:
        return None
    return Said(target.account_id, RISK_LEVEL, {"current_level": left, "previous_level": level, **claims})


def _why(event: Event) -> dict[str, Any]:
    # In whatever language it was written in.
    return {"reason_admin": {"und": event.reason}, "event_timestamp": int(event.occurred_at.timestamp())}
