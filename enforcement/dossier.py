"""All that the casebook knows of one ring, or of one account, in one reading."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from ringfence.enforcement.appeals.intake import KnownAppeal, appeals
from ringfence.enforcement.casebook.cases import Case, case, ring_at
from ringfence.enforcement.casebook.history import (
    Ancestry,
    GivenVerdict,
    Note,
    Telling,
    ancestry,
    changed_since_verdict,
    notes,
    tellings,
    verdicts,
)
from ringfence.enforcement.orders.records import Order, cleared, orders, targets
from ringfence.errors import UnknownCaseError
from ringfence.records import Ring


@dataclass(frozen=True, slots=True)
class Export:
    """An event on its way to a sink, or there."""

    kind: str
    sink: str
    status: str
    attempts: int
    occurred_at: str
    delivered_at: str | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """What the casebook knows of a ring."""

    case: Case
    ring: Ring
    """What the latest run that changed something said of it."""
    changed: bool
    """Whether runs say something else than when it was last decided on."""
    cleared: tuple[str, ...]
    verdicts: tuple[GivenVerdict, ...]
    notes: tuple[Note, ...]
    orders: tuple[tuple[Order, int, int], ...]
    """With the number of accounts ordered, and of those still under it."""
    exports: tuple[Export, ...]
    appeals: tuple[KnownAppeal, ...]
    rescorings: tuple[dict[str, Any], ...]
    tellings: tuple[Telling, ...]
    ancestry: tuple[Ancestry, ...]

    def as_json(self, *, members: bool = True) -> dict[str, Any]:
        """Return the dossier as plain JSON values, its members only where they are asked for."""
        ring = self.ring.as_json()
        if not members:
            del ring["members"]
        return {
            **self.case.as_json(),
            "changed_since_verdict": self.changed,
            "told": ring,
            "cleared": list(self.cleared),
            "verdicts": [asdict(one) for one in self.verdicts],
            "notes": [asdict(one) for one in self.notes],
            "orders": [
                {**one.as_json(), "accounts": count, "still_under": left} for one, count, left in self.orders
            ],
            "exports": [asdict(one) for one in self.exports],
            "appeals": [one.as_json() for one in self.appeals],
            "rescorings": list(self.rescorings),
            "versions": [asdict(one) for one in self.tellings],
            "lineage": [{**asdict(one), "sentence": one.sentence} for one in self.ancestry],
        }


@dataclass(frozen=True, slots=True)
class AccountDossier:
    """What the casebook knows of an account, in whatever ring."""

    account_id: str
    rings: tuple[dict[str, Any], ...]
    """Rings that it is a member of: id, state, decision, role, score."""
    orders: tuple[dict[str, Any], ...]
    """Orders and reversals that name it, and which reversal let it off."""
    verdicts: tuple[dict[str, Any], ...]
    """Verdicts on it."""
    appeals: tuple[KnownAppeal, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the dossier as plain JSON values."""
        return {**asdict(self), "appeals": [one.as_json() for one in self.appeals]}


def dossier(connection: sqlite3.Connection, ring_id: str) -> Dossier:
    """Return what the casebook knows of a ring.

    Raises:
        UnknownCaseError: it knows none of that id.
    """
    return Dossier(
        case=case(connection, ring_id),
        ring=ring_at(connection, ring_id),
        changed=ring_id in changed_since_verdict(connection),
        cleared=tuple(sorted(cleared(connection, ring_id))),
        verdicts=tuple(verdicts(connection, ring_id)),
        notes=tuple(notes(connection, ring_id)),
        orders=tuple(
            (
                one,
                len(targets(connection, one.order_id)),
                len(targets(connection, one.order_id, standing=True)),
            )
            for one in orders(connection, ring_id)
        ),
        exports=tuple(exports(connection, ring_id)),
        appeals=tuple(appeals(connection, ring_id=ring_id)),
        rescorings=tuple(
            _rows(connection, "SELECT * FROM rescorings WHERE ring_id = ? ORDER BY rescoring_id", (ring_id,))
        ),
        tellings=tuple(tellings(connection, ring_id)),
        ancestry=tuple(ancestry(connection, ring_id)),
    )


def exports(connection: sqlite3.Connection, ring_id: str) -> list[Export]:
    """Return what the outbox holds of a ring, in its order."""
    rows = connection.execute(
        "SELECT kind, sink, status, attempts, occurred_at, delivered_at, last_error "
        "FROM exports JOIN events USING (event_id) WHERE exports.ring_id = ? ORDER BY number",
        (ring_id,),
    )
    return [Export(*row) for row in rows]


def account_dossier(connection: sqlite3.Connection, account_id: str) -> AccountDossier:
    """Return what the casebook knows of an account.

    Raises:
        UnknownCaseError: nothing names it.
    """
    found = AccountDossier(
        account_id=account_id,
        rings=_rows(
            connection,
            "SELECT ring_id, state, version, decision, role, score, succeeded_by FROM members "
            "JOIN rings USING (ring_id) WHERE account_id = ? ORDER BY opened_at, ring_id",
            (account_id,),
        ),
        orders=_rows(
            connection,
            "SELECT order_id, ring_id, action, status, shadow, reason, ordered_by, ordered_at, approved_by, "
            "expires_at, reverses, reversed_by FROM orders JOIN order_accounts USING (order_id) "
            "WHERE account_id = ? ORDER BY orders.rowid",
            (account_id,),
        ),
        verdicts=_rows(
            connection,
            "SELECT ring_id, version, verdict, reason, by, at FROM verdicts WHERE account_id = ? "
            "ORDER BY verdict_id",
            (account_id,),
        ),
        appeals=tuple(appeals(connection, account_id=account_id)),
    )
    if not (found.rings or found.orders or found.verdicts or found.appeals):
        raise UnknownCaseError(f"No ring, order, verdict or appeal names account {account_id!r}.")
    return found


def _rows(connection: sqlite3.Connection, query: str, values: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(dict(row) for row in connection.execute(query, values))
