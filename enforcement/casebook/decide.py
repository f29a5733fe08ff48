"""What people decide about a ring: who looks at it, what they find, what they note."""

from __future__ import annotations

from ringfence.enforcement.audit.tables import account_digest
from ringfence.enforcement.casebook.cases import Case, case, case_at, successor
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.casebook.life import State, Verdict, check_step
from ringfence.enforcement.casebook.record import raised
from ringfence.errors import NotAllowedError, UnknownCaseError, near_names

_TAKEN_UP = (State.NEW, State.WATCH, State.REJECTED, State.REVERSED, State.CONFIRMED)


def assign(writing: Writing, ring_id: str, assignee: str, version: int | None = None) -> Case:
    """Give a ring to a person: it is in review from then on, unless it is enforced.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
        StaleVersionError: it has another version by now.
        NotAllowedError: nobody is named, or it has merged into another.
    """
    found = case_at(writing.connection, ring_id, version)
    _check_unmerged(writing, found)
    if not assignee.strip():
        raise NotAllowedError("Name the person who is to look at it.")
    take_up(writing, found)
    raised(writing, ring_id)
    writing.execute("UPDATE rings SET assignee = ? WHERE ring_id = ?", (assignee.strip(), ring_id))
    writing.audit("ring assigned", ring_id, assignee=assignee.strip())
    return case(writing.connection, ring_id)


def give_verdict(
    writing: Writing, ring_id: str, verdict: Verdict, reason: str, *, version: int | None = None
) -> Case:
    """Decide on a ring as a whole.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
        StaleVersionError: it has another version by now.
        NotAllowedError: there is no reason, the ring's life has no such step, or it has merged into another.
    """
    found = case_at(writing.connection, ring_id, version)
    _check_reason(reason)
    _check_unmerged(writing, found)
    # An enforced ring that has grown is confirmed again as it is now; it stays enforced.
    if (found.state, verdict) != (State.ENFORCED, Verdict.CONFIRMED):
        move(writing, found, State(verdict))
    _write(writing, found, None, verdict, reason)
    return case(writing.connection, ring_id)


def give_account_verdict(
    writing: Writing,
    ring_id: str,
    account_id: str,
    verdict: Verdict,
    reason: str,
    *,
    version: int | None = None,
) -> Case:
    """Decide on one account of a ring; the ring's own state stays. A rejected account is never enforced.

    Raises:
        UnknownCaseError: the casebook knows no such ring, or the account is no member of it.
        StaleVersionError: the ring has another version by now.
        NotAllowedError: there is no reason.
    """
    found = case_at(writing.connection, ring_id, version)
    _check_reason(reason)
    check_member(writing, ring_id, account_id)
    _write(writing, found, account_id, verdict, reason)
    return case(writing.connection, ring_id)


def add_note(writing: Writing, ring_id: str, text: str) -> None:
    """Write down something about a ring; its version stays.

    Raises:
        UnknownCaseError: the casebook knows no such ring.
        NotAllowedError: the note is empty.
    """
    case(writing.connection, ring_id)
    if not text.strip():
        raise NotAllowedError("The note is empty.")
    writing.execute(
        "INSERT INTO notes (ring_id, text, by, at) VALUES (?, ?, ?, ?)",
        (ring_id, text.strip(), writing.by, writing.stamp),
    )
    writing.audit("note added", ring_id)


def take_up(writing: Writing, found: Case) -> None:
    """Put a ring into review, whatever was decided; an enforced one stays so until its orders are undone."""
    if found.state in _TAKEN_UP:
        move(writing, found, State.IN_REVIEW)


def move(writing: Writing, found: Case, to: State) -> None:
    """Change the state of a ring.

    Raises:
        NotAllowedError: its life has no such step.
    """
    if found.state is to:
        return
    check_step(found.ring_id, found.state, to)
    writing.execute("UPDATE rings SET state = ? WHERE ring_id = ?", (to, found.ring_id))


def check_member(writing: Writing, ring_id: str, account_id: str) -> None:
    """Refuse an account that neither is a member of the ring nor was ever under an order on it.

    A later run may have dropped an account that is still suspended; it must be possible to let it off.

    Raises:
        UnknownCaseError: it is none.
    """
    members = [
        row["account_id"]
        for row in writing.execute(
            "SELECT account_id FROM members WHERE ring_id = :ring UNION "
            "SELECT account_id FROM order_accounts JOIN orders USING (order_id) WHERE ring_id = :ring",
            {"ring": ring_id},
        )
    ]
    if account_id not in members:
        raise UnknownCaseError(
            f"{account_id!r} is no member of {ring_id}.{near_names(account_id, members)} "
            f"`ringfence rings show {ring_id} --members` lists them."
        )


def _check_unmerged(writing: Writing, found: Case) -> None:
    if found.succeeded_by is not None:
        now = successor(writing.connection, found.ring_id)
        raise NotAllowedError(f"{found.ring_id} has merged into {now}. Go on with that one.")


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise NotAllowedError("A verdict needs a reason: whoever is banned for it may ask.")


def _write(writing: Writing, found: Case, account_id: str | None, verdict: Verdict, reason: str) -> None:
    written = writing.execute(
        "INSERT INTO verdicts (ring_id, account_id, version, verdict, reason, by, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (found.ring_id, account_id, found.version, verdict, reason.strip(), writing.by, writing.stamp),
    )
    raised(writing, found.ring_id)
    writing.audit(
        "verdict given",
        found.ring_id,
        verdict_id=written.lastrowid,
        verdict=verdict,
        scope="ring" if account_id is None else "account",
        version=found.version,
        reason=reason.strip(),
        account_digest=None
        if account_id is None
        else account_digest(found.ring_id, found.version, account_id),
    )
