"""Orders of persons, joined with the policy, the sinks and what the latest run says of accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from ringfence.enforcement.casebook.database import Casebook, Writing
from ringfence.enforcement.casework import undo_ring
from ringfence.enforcement.orders.place import withdraw_order
from ringfence.enforcement.orders.records import order
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.policy.expire import expire
from ringfence.enforcement.policy.manual import approve_order, order_by_hand
from ringfence.enforcement.policy.read import read_policy
from ringfence.errors import UnknownCaseError
from ringfence.pipeline.enforcement.enforce import (
    allowed_accounts,
    check_outs,
    check_told,
    opened_sinks,
    outs_of,
)
from ringfence.pipeline.enforcement.steps import Step, Steps, step_of, steps_of
from ringfence.records import Action
from ringfence.state import StateFolder

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person orders."""

    ring_id: str
    action: Action
    accounts: tuple[str, ...]
    """Empty for every member that nothing speaks for."""
    reason: str
    span: timedelta | None = None
    """How long it holds; None for what the policy says."""
    version: int | None = None
    """Of the ring as it was read."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who takes a step, on which state, and whether it is only tried."""

    state: StateFolder
    by: str
    dry_run: bool = False
    """Whether all is checked and nothing kept."""


def place_by_hand(person: Person, asked: ByHand) -> Step:
    """Order an action on accounts of a ring.

    Raises:
        EnforcementError: it must not be; see :func:`ringfence.enforcement.policy.manual.order_by_hand`.
        OutputError: the output of a run cannot tell whom the allow-list protects.
    """
    policy = read_policy(person.state.policy)
    with Casebook.open(person.state.casebook, make=False) as book, opened_sinks(person.state) as sinks:
        with book.reading() as connection:
            outs = outs_of(connection, [asked.ring_id])
        let_off = allowed_accounts(policy, outs.values(), book.now)
        check_told(policy, sinks)

        def step(writing: Writing) -> Step:
            check_outs(writing.connection, [asked.ring_id], outs)
            placed = order_by_hand(
                writing,
                policy,
                asked.ring_id,
                asked.action,
                asked.accounts or None,
                let_off,
                sinks,
                asked.reason,
                span=asked.span,
                version=asked.version,
            )
            return step_of(writing.connection, placed)

        return _taken(book, person, step)


def approve(person: Person, order_id: str) -> Step:
    """Approve an order that waits for a second person.

    Raises:
        EnforcementError: it must not be; see :func:`ringfence.enforcement.policy.manual.approve_order`.
        OutputError: the output of a run cannot tell whom the allow-list protects.
    """
    policy = read_policy(person.state.policy)
    with Casebook.open(person.state.casebook, make=False) as book, opened_sinks(person.state) as sinks:
        with book.reading() as connection:
            rings = [order(connection, order_id).ring_id]
            outs = outs_of(connection, rings)
        let_off = allowed_accounts(policy, outs.values(), book.now)
        check_told(policy, sinks)

        def step(writing: Writing) -> Step:
            check_outs(writing.connection, rings, outs)
            return step_of(writing.connection, approve_order(writing, policy, order_id, let_off, sinks))

        return _taken(book, person, step)


def withdraw(person: Person, order_id: str, reason: str) -> Step:
    """Take back an order that waits for approval.

    Raises:
        EnforcementError: there is none, it does not wait, or there is no reason.
    """
    with Casebook.open(person.state.casebook, make=False) as book:
        return _taken(
            book,
            person,
            lambda writing: step_of(writing.connection, withdraw_order(writing, order_id, reason)),
        )


def reverse_order(person: Person, order_id: str, accounts: Sequence[str], reason: str) -> Step:
    """Undo an order, for some accounts or (where none is named) for all.

    Raises:
        EnforcementError: there is none, nothing is left to undo, or a sink that must hear is gone.
    """
    with Casebook.open(person.state.casebook, make=False) as book, opened_sinks(person.state) as sinks:
        return _taken(
            book,
            person,
            lambda writing: step_of(
                writing.connection, reverse(writing, order_id, reason, sinks, accounts or None)
            ),
        )


def reverse_ring(person: Person, ring_id: str, accounts: Sequence[str], reason: str) -> Steps:
    """Undo all orders on a ring, for some accounts or (where none is named) for all.

    Raises:
        EnforcementError: there is none, nothing is left to undo, or a sink that must hear is gone.
    """
    with Casebook.open(person.state.casebook, make=False) as book, opened_sinks(person.state) as sinks:

        def step(writing: Writing) -> Steps:
            done = undo_ring(writing, ring_id, reason, sinks, accounts or None)
            return steps_of(writing.connection, done.reversed, done.withdrawn, done.narrowed)

        return _taken(book, person, step)


def expire_orders(person: Person) -> Steps:
    """Undo every order whose time is over.

    Raises:
        EnforcementError: a sink that must hear of some is gone; the others are undone.
    """
    with Casebook.open(person.state.casebook, make=False) as book, opened_sinks(person.state) as sinks:
        stuck: list[str] = []

        def step(writing: Writing) -> Steps:
            done = expire(writing, sinks)
            stuck.extend(done.stuck)
            return steps_of(writing.connection, done.reversals, done.withdrawn)

        steps = _taken(book, person, step)
    if stuck:
        undone = len(steps.reversals) + len(steps.withdrawn)
        raise UnknownCaseError(f"{undone:,} orders were undone, {len(stuck):,} could not be: {stuck[0]}")
    return steps


class _TriedError(Exception):
    """Ends a transaction so that nothing of it is kept."""


def _taken(book: Casebook, person: Person, step: Callable[[Writing], Made]) -> Made:
    made: list[Made] = []
    with suppress(_TriedError), book.writing(person.by) as writing:
        made.append(step(writing))
        if person.dry_run:
            raise _TriedError
    return made[0]
