"""The life of rings, as Hypothesis makes it up, held against a plain model and against what must always be.

Steps that must be refused are tried as well: the casebook and the model have to agree on which those are.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from case_samples import accounts, ring, run_of
from enforce_samples import sinks
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from life_model import Model, ModelOrder, ModelRing
from stopped_clock import Clock

from ringfence.enforcement.appeals.intake import Appeal, Outcome, hear
from ringfence.enforcement.casebook.content import unpacked
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import assign
from ringfence.enforcement.casebook.life import FOLLOWS, State, Verdict
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.casework import decide
from ringfence.enforcement.events import Target
from ringfence.enforcement.orders.place import approve, place, withdraw_order
from ringfence.enforcement.orders.records import ENFORCEABLE, Request
from ringfence.enforcement.orders.reverse import reverse
from ringfence.enforcement.supersede import announce
from ringfence.errors import NotAllowedError, UnknownCaseError
from ringfence.records import Action, Decision, Role

SOAK = bool(os.environ.get("RINGFENCE_SOAK"))
POOL = accounts(14)
PEOPLE = ("ada", "bob")
HOOKS = sinks("hook")

# A seed a step: drawing every choice through Hypothesis takes most of the time, and finds less.
_DRAW = st.integers(0, 2**32 - 1).map(Random)


class Life(RuleBasedStateMachine):
    """Every step is taken in the casebook and in the model."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._clock = Clock()
        self._book = Casebook.open(Path(self._folder.name) / "casebook.db", clock=self._clock)
        self._model = Model()
        self._runs = 0
        self._appeals = 0
        self._verdicts: list[tuple[Any, ...]] = []
        self._audit: list[bytes] = []
        self._versions: dict[str, int] = {}
        self._states: dict[str, State] = {}

    def teardown(self) -> None:
        self._book.close()
        self._folder.cleanup()

    @initialize()
    def first_run(self) -> None:
        self._record([POOL[:5], POOL[5:10]], bystanders={POOL[4]})

    @rule(draw=_DRAW)
    def run(self, draw: Random) -> None:
        """A run finds other communities: rings grow, shrink, merge, split, vanish and come."""
        chosen = draw.sample(POOL, draw.randint(4, len(POOL)))
        cut = sorted(draw.sample(range(len(chosen) + 1), draw.randint(0, 2)))
        parts = [chosen[a:b] for a, b in zip([0, *cut], [*cut, len(chosen)], strict=True)]
        self._record(
            [part for part in parts if part], bystanders=set(draw.sample(chosen, draw.randint(0, 2)))
        )

    def _record(self, parts: list[list[str]], bystanders: set[str]) -> None:
        self._runs += 1
        found = [
            ring(
                f"R-{self._runs}-{place}",
                [a for a in part if a not in bystanders],
                [a for a in part if a in bystanders],
                decision=Decision.BENIGN if self._runs % 7 == 6 else Decision.RING,
            )
            for place, part in enumerate(parts)
        ]
        with self._book.writing("score") as writing:
            done = record_run(writing, run_of(*found, name=f"run-{self._runs}"))
            announce(writing, done, HOOKS)
        names = dict(done.names)
        for one in found:
            if one.ring_id in names:
                known = self._model.rings.setdefault(names[one.ring_id], ModelRing())
                known.members = {member.account_id: member.role for member in one.members}
        for old, new in done.merged:
            self._model.rings[old].merged = new
        assert len(dict(done.merged)) == len(done.merged), "a ring merges once"

    @rule(draw=_DRAW, by=st.sampled_from(PEOPLE))
    def assign(self, draw: Random, by: str) -> None:
        name = self._some_ring(draw)
        allowed = self._model.rings[name].merged is None
        if self._tried(allowed, by, lambda writing: assign(writing, name, by)):
            self._model.take_up(name)

    @rule(draw=_DRAW, by=st.sampled_from(PEOPLE), verdict=st.sampled_from(Verdict))
    def decide(self, draw: Random, by: str, verdict: Verdict) -> None:
        self._decide(self._some_ring(draw), by, verdict)

    def _decide(self, name: str, by: str, verdict: Verdict) -> None:
        allowed = self._model.may_decide(name, verdict)

        def step(writing: Any) -> None:
            done = decide(writing, name, verdict, "Looked at it.", HOOKS)
            self._verdicts.append((name, None, verdict))
            self._follow_undone(writing)
            if not (verdict is Verdict.CONFIRMED and done.case.state is State.ENFORCED):
                self._model.rings[name].state = State(verdict)

        self._tried(allowed, by, step)

    @rule(draw=_DRAW, by=st.sampled_from(PEOPLE), verdict=st.sampled_from(Verdict))
    def decide_account(self, draw: Random, by: str, verdict: Verdict) -> None:
        name = self._some_ring(draw)
        account = draw.choice(POOL)
        known = account in self._model.rings[name].members or any(
            row["ring_id"] == name
            for row in self._book.read(
                "SELECT ring_id FROM orders JOIN order_accounts USING (order_id) WHERE account_id = ?",
                (account,),
            )
        )

        def step(writing: Any) -> None:
            decide(writing, name, verdict, "Looked at it.", HOOKS, account_id=account)
            self._verdicts.append((name, account, verdict))
            self._model.clear(account, verdict)

        self._tried(known, by, step)

    @rule(
        draw=_DRAW,
        by=st.sampled_from(PEOPLE),
        action=st.sampled_from(ENFORCEABLE),
        how=st.sampled_from(["by hand", "two persons", "automatic", "shadow"]),
    )
    def order(self, draw: Random, by: str, action: Action, how: str) -> None:
        name = self._some_ring(draw)
        if how in ("by hand", "two persons") and draw.random() < 0.8:
            self._confirm(name)
        members = self._model.rings[name].members
        fair = sorted(a for a, role in members.items() if role is not Role.BYSTANDER)
        chosen = draw.sample(fair, draw.randint(min(1, len(fair)), len(fair)))
        if draw.random() < 0.5:
            # What an honest planner would leave out; the other half tries whether it is refused.
            chosen = [a for a in chosen if self._model.may_meet(name, [a], action)]
        if draw.random() < 0.1:
            chosen.append(draw.choice(POOL))
        targets = tuple(Target(a, members.get(a, Role.CORE), 0.9) for a in chosen)
        request = Request(
            name,
            action,
            targets,
            "Same cards.",
            approvals=int(how == "two persons"),
            automatic=how == "automatic",
            shadow=how == "shadow",
        )
        allowed = self._model.may_order(
            name, chosen, action, automatic=request.automatic, shadow=request.shadow
        )

        def step(writing: Any) -> None:
            placed = place(writing, request, HOOKS)
            active = request.approvals == 0
            self._model.orders[placed.order_id] = ModelOrder(
                name, action, by, request.shadow, active, set(chosen)
            )
            if active and not request.shadow:
                self._model.ordered(name)

        self._tried(allowed, by, step)

    def _confirm(self, name: str) -> None:
        if State.CONFIRMED not in FOLLOWS[self._model.rings[name].state]:
            return
        self._decide(name, "ada", Verdict.CONFIRMED)

    @precondition(lambda self: self._model.orders)
    @rule(draw=_DRAW, by=st.sampled_from(PEOPLE))
    def approve(self, draw: Random, by: str) -> None:
        order_id = self._some_order(draw, waiting=True)

        def step(writing: Any) -> None:
            approve(writing, order_id, HOOKS)
            self._model.orders[order_id].active = True
            self._model.ordered(self._model.orders[order_id].ring)

        self._tried(self._model.may_approve(order_id, by), by, step)

    @precondition(lambda self: self._model.orders)
    @rule(draw=_DRAW)
    def withdraw(self, draw: Random) -> None:
        order_id = self._some_order(draw, waiting=True)
        found = self._model.orders[order_id]

        def step(writing: Any) -> None:
            withdraw_order(writing, order_id, "Not needed.")
            found.under = set()

        self._tried(not found.active and bool(found.under), "ada", step)

    @precondition(lambda self: self._model.orders)
    @rule(draw=_DRAW, whole=st.booleans())
    def reverse(self, draw: Random, whole: bool) -> None:
        order_id = self._some_order(draw, waiting=False)
        found = self._model.orders[order_id]
        chosen = None if whole else draw.sample(POOL, draw.randint(0, 2))
        if not whole and found.under and draw.random() < 0.7:
            chosen = draw.sample(sorted(found.under), draw.randint(1, len(found.under)))
        fits = chosen is None or (bool(chosen) and set(chosen) <= found.under)

        def step(writing: Any) -> None:
            reverse(writing, order_id, "A mistake.", HOOKS, chosen)
            self._model.let_go(order_id, set(found.under if chosen is None else chosen))

        self._tried(found.active and bool(found.under) and fits, "ada", step)

    @rule(draw=_DRAW, outcome=st.sampled_from([None, *Outcome]))
    def appeal(self, draw: Random, outcome: Outcome | None) -> None:
        account = draw.choice(POOL)
        self._appeals += 1
        one = Appeal(f"A-{self._appeals}", account, self._clock.now, "It was not me.", outcome)
        known = self._book.read(
            "SELECT ring_id FROM members WHERE account_id = :a UNION "
            "SELECT ring_id FROM orders JOIN order_accounts USING (order_id) WHERE account_id = :a",
            {"a": account},
        )

        def step(writing: Any) -> None:
            heard = hear(writing, one, HOOKS)
            assert hear(writing, one, HOOKS).known
            named = {row["ring_id"] for row in known}
            assert named <= set(heard.rings)
            if outcome is Outcome.UPHELD:
                self._verdicts += [(r, account, Verdict.REJECTED) for r in heard.rings if r in named]
                self._model.clear(account, Verdict.REJECTED)
            if outcome is not Outcome.DENIED:
                for name in heard.rings:
                    found = self._model.rings[name]
                    if found.merged is None and found.state is not State.REJECTED:
                        self._model.take_up(name)

        self._tried(bool(known), "ada", step)

    @rule(draw=_DRAW)
    def deliver(self, draw: Random) -> None:
        """A sender has delivered some of what waits."""
        with self._book.writing("outbox") as writing:
            waiting = [
                row["number"]
                for row in writing.execute(
                    "SELECT number FROM exports WHERE status = 'waiting' ORDER BY number"
                )
            ]
            for number in waiting[: draw.randint(0, len(waiting))]:
                writing.execute(
                    "UPDATE exports SET status = 'delivered', attempts = 1 WHERE number = ?", (number,)
                )

    @rule(hours=st.integers(-2, 48))
    def wait(self, hours: int) -> None:
        """Time goes on, and sometimes a clock is set back."""
        self._clock.go_on(hours=hours)

    def _some_ring(self, draw: Random) -> str:
        """Return a ring, mostly one that still goes by its own id."""
        living = sorted(name for name, one in self._model.rings.items() if one.merged is None)
        return draw.choice(living if draw.random() < 0.9 else sorted(self._model.rings))

    def _some_order(self, draw: Random, *, waiting: bool) -> str:
        fitting = sorted(
            name for name, one in self._model.orders.items() if one.under and one.active is not waiting
        )
        return str(draw.choice(fitting if fitting and draw.random() < 0.8 else sorted(self._model.orders)))

    def _tried(self, allowed: bool, by: str, step: Any) -> bool:
        """Take a step, and see whether it is refused where the model says so; return whether it was taken."""
        before = self._dump()
        refused = None
        try:
            with self._book.writing(by) as writing:
                step(writing)
        except (NotAllowedError, UnknownCaseError) as error:
            refused = error
        assert allowed is (refused is None), refused or "this should have been refused"
        if refused is not None:
            assert self._dump() == before, "a refused step leaves nothing"
        self._look_at_states()
        return refused is None

    def _look_at_states(self) -> None:
        """See whether a transaction took each ring one step of its life at most."""
        for row in self._book.read("SELECT ring_id, state FROM rings"):
            name, now = row["ring_id"], State(row["state"])
            was = self._states.get(name, State.NEW)
            # Letting an enforced ring go is several steps in one transaction.
            assert now is was or now in FOLLOWS[was] or was is State.ENFORCED, f"{name}: {was} became {now}"
            self._states[name] = now

    def _dump(self) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._book.read("SELECT * FROM rings ORDER BY ring_id")] + [
            tuple(row) for row in self._book.read("SELECT count(*), max(place) FROM audit")
        ]

    def _follow_undone(self, writing: Any) -> None:
        """Take over which accounts are still under which order: that is held by an invariant of its own."""
        for name, one in self._model.orders.items():
            under = {
                row["account_id"]
                for row in writing.execute(
                    "SELECT account_id FROM order_accounts JOIN orders USING (order_id) WHERE order_id = ? "
                    "AND reversed_by IS NULL AND status IN ('active', 'awaiting approval')",
                    (name,),
                )
            }
            if one.under - under:
                self._model.let_go(name, one.under - under)

    @invariant()
    def rings_stand_as_the_model_says(self) -> None:
        for row in self._book.read("SELECT ring_id, state, version, succeeded_by FROM rings"):
            name, now = row["ring_id"], State(row["state"])
            assert (now, row["succeeded_by"]) == (
                self._model.rings[name].state,
                self._model.rings[name].merged,
            )
            assert row["version"] >= self._versions.get(name, 0), "versions only rise"
            self._versions[name] = row["version"]

    @invariant()
    def orders_stand_as_the_model_says(self) -> None:
        rows = self._book.read(
            "SELECT order_id, account_id FROM order_accounts JOIN orders USING (order_id) "
            "WHERE reverses IS NULL AND reversed_by IS NULL AND status IN ('active', 'awaiting approval')"
        )
        under = {(row["order_id"], row["account_id"]) for row in rows}
        assert under == {(name, a) for name, one in self._model.orders.items() for a in one.under}

    @invariant()
    def nobody_is_wronged(self) -> None:
        rows = self._book.read(
            "SELECT account_id, action, role FROM order_accounts JOIN orders USING (order_id) "
            "WHERE reverses IS NULL AND reversed_by IS NULL AND NOT shadow "
            "AND status IN ('active', 'awaiting approval')"
        )
        cleared = {a for a, verdict in self._model.own.items() if verdict is Verdict.REJECTED}
        assert not cleared & {row["account_id"] for row in rows}, "whoever is cleared is under no order"
        assert "bystander" not in {row["role"] for row in rows}
        twice = Counter((row["account_id"], row["action"]) for row in rows)
        assert max(twice.values(), default=0) <= 1, "nobody is under one action twice"
        for name, found in self._model.rings.items():
            if found.state in (State.REJECTED, State.WATCH) and not found.merged:
                left = [n for n, one in self._model.orders.items() if one.ring == name and one.under]
                assert not left, f"{name} is {found.state}"

    @invariant()
    def verdicts_stay(self) -> None:
        rows = self._book.read("SELECT ring_id, account_id, verdict FROM verdicts ORDER BY verdict_id")
        assert [tuple(row) for row in rows] == self._verdicts

    @invariant()
    def everyone_told_is_told_of_the_way_back(self) -> None:
        events = [unpacked(row["content"]) for row in self._book.read("SELECT content FROM events")]
        undone: dict[str, Counter[str]] = {}
        for event in events:
            if event["reverses"]:
                names = Counter(one["account_id"] for one in event["accounts"])
                undone.setdefault(event["reverses"], Counter()).update(names)
        asked = {e["event_id"]: {a["account_id"] for a in e["accounts"]} for e in events}
        for event_id, names in undone.items():
            assert set(names) <= asked[event_id], "only what was asked for is undone"
            assert max(names.values()) == 1, "nobody is let off twice"
        for row in self._book.read("SELECT event_id, order_id FROM events WHERE kind = 'ring.enforced'"):
            order = self._model.orders[row["order_id"]]
            if not order.shadow:
                left = asked[row["event_id"]] - set(undone.get(row["event_id"], ()))
                assert left == order.under, "whoever is no longer under an order was let off"

    @invariant()
    def the_audit_log_tells_all_of_it(self) -> None:
        entries = [row["entry"] for row in self._book.read("SELECT entry FROM audit ORDER BY place")]
        assert entries[: len(self._audit)] == self._audit, "entries are only added"
        self._audit = entries
        told = Counter(json.loads(entry)["what"] for entry in entries)
        for what, query in _TOLD.items():
            assert told[what] == self._book.read(f"SELECT count(*) AS rows FROM {query}")[0]["rows"], what


_TOLD = {
    "run recorded": "runs",
    "verdict given": "verdicts",
    "order placed": "orders WHERE reverses IS NULL",
    "order approved": "orders WHERE approved_by IS NOT NULL",
    "order withdrawn": "orders WHERE status = 'withdrawn'",
    "order reversed": "orders WHERE reverses IS NOT NULL",
    "export queued": "exports",
    "export withdrawn": "exports WHERE status = 'withdrawn'",
    "appeal received": "appeals",
    "appeal decided": "appeals WHERE outcome IS NOT NULL",
}
"""What an entry says → the rows that it tells of."""

TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=1_000 if SOAK else 30,
    stateful_step_count=60 if SOAK else 40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
