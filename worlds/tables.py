"""A world's days and accounts as canonical tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.worlds import words
from ringfence.worlds.days import Days, Requests, chosen
from ringfence.worlds.groups import SHARED_FROM
from ringfence.worlds.habits import MOBILE, PLANS
from ringfence.worlds.hashing import Draw, Floats, Ints, join
from ringfence.worlds.kinds import DAY, DAYS
from ringfence.worlds.networks import ADDRESS_KINDS, AddressPlan, address_text
from ringfence.worlds.plan import Plan
from ringfence.worlds.texts import Texts, Wording

START = pd.Timestamp("2026-03-02T00:00:00Z")
"""A Monday."""
MODELS = (
    ("sable-2", -400 * DAY),
    ("sable-3", -120 * DAY),
    ("sable-3-mini", -40 * DAY),
    ("sable-4", 10 * DAY),
)
_HOSTING = ADDRESS_KINDS.index("hosting")
_GATES_FROM = 1 << 42
"""Numbers of the addresses that carriers and VPN providers put all their customers behind."""
_TIME = pa.timestamp("ms", tz="UTC")
_GIVEN_UP = ("end_turn", "max_tokens", "tool_use")


def when(seconds: npt.ArrayLike) -> pa.Array:
    """Return seconds since the start of the window as UTC times, to the millisecond."""
    milliseconds = np.round(np.asarray(seconds, dtype=float) * 1000).astype(np.int64)
    return pa.array(milliseconds + START.value // 1_000_000).cast(_TIME)


@dataclass(frozen=True, slots=True)
class Writer:
    """Turns what happens into rows."""

    plan: Plan
    days: Days
    draw: Draw
    texts: Texts
    network: AddressPlan
    template_ids: bool = False
    """Whether the provider logs which template a prompt was made from."""

    def ids(self, who: Ints) -> pa.Array:
        """Return account ids; they say nothing about when an account was made."""
        return self.draw.names("acct_", who, 51)

    def requests(self, sent: Requests, wording: Wording) -> pa.Table:
        """Return the table ``requests`` of a day, prompts included."""
        draw, who, row = self.draw, sent.account, sent.row
        habits = self.plan.accounts.habits
        console = draw.uniform(sent.session, 52) < habits.console[who]
        system, prompt = self.texts.write(wording)
        # Not counted in the text: a script that needs fewer characters would be told by its tokens.
        asked = np.minimum(draw.lognormal(row, 49, 4.9 + draw.uniform(wording.family, 48), 0.6), 8000)
        talk = 5.1 + draw.uniform(wording.family, 53)
        thinks = draw.uniform(row, 54) < draw.uniform(wording.family, 55) * 0.7
        output = np.minimum(draw.lognormal(row, 56, talk, 0.8), 8000).astype(np.int64)
        reasoning = thinks * np.minimum(draw.lognormal(row, 58, 6.0, 0.9), 16_000).astype(np.int64)
        served = habits.end_users[who]
        end_user = draw.below(row, 60, np.maximum(served, 1))
        named = {"template_id": draw.names("tpl_", self.texts.templates(wording), 95, 12)}
        return pa.table(
            {
                "request_id": draw.names("req_", row, 61),
                "account_id": self.ids(who),
                "ts": when(sent.ts),
                "ip": self._addresses(who, sent.session),
                "device_id": self._devices(who, sent.session, console),
                "user_agent": _agents(draw, who, sent.session, console),
                "model": _models(draw, habits.eager, sent),
                "end_user_id": _where(served > 0, draw.names("eu_", join(who, end_user), 62, 10)),
                "session_id": draw.names("ses_", sent.session, 63, 12),
                "access_route": _routes(draw, who, sent.session, console),
                "system_prompt": system,
                "prompt": prompt,
                **(named if self.template_ids else {}),
                "input_tokens": asked.astype(np.int64) + 8,
                "output_tokens": output,
                "reasoning_tokens": reasoning,
                "tool_calls": (draw.uniform(row, 65) < draw.uniform(wording.family, 66) * 0.4)
                * (1 + draw.below(row, 67, 3)),
                "stop_reason": _pick(draw, row, 68, _GIVEN_UP, (0.85, 0.06, 0.09)),
                "status_code": np.select(
                    (draw.uniform(row, 69) < 0.02, draw.uniform(row, 69) > 0.995), (429, 500), 200
                ),
            }
        )

    def payments(self, who: Ints, ts: Floats, day: int) -> pa.Table:
        """Return the table ``payments`` of a day; the free plan pays 0 dollars to prove its card."""
        draw, accounts = self.draw, self.plan.accounts
        key = draw.keys(who * DAYS + day, 70)
        card = chosen(draw, accounts.cards, who, key, accounts.habits.cards, 71)
        have = card >= 0
        who, ts, key, card = who[have], ts[have], key[have], card[have]
        prepaid = self._prepaid(who, card)
        number = np.where(prepaid, draw.below(card, 75, 8), 8 + draw.below(card, 75, 80))
        bins = pa.array([str(n) for n in 400_000 + draw.below(np.arange(88), 76, 160_000)])
        kind = np.where(prepaid, 0, 1 + np.minimum(draw.below(card, 77, 5), 2))
        plan = accounts.habits.plan[who]
        amount = np.select(
            [plan == PLANS.index("free"), plan == PLANS.index("payg")],
            [0.0, 5.0 * (1 + draw.below(key, 78, 19))],
            np.where(plan == PLANS.index("pro"), 20.0, 30.0),
        )
        return pa.table(
            {
                "payment_id": draw.names("pay_", key, 79),
                "account_id": self.ids(who),
                "ts": when(ts),
                "instrument_id": draw.names("pi_", card, 80, 14),
                "instrument_type": pa.array(("prepaid", "card", "wallet", "bank")).take(
                    pa.array(_common(kind))
                ),
                "bin": bins.take(pa.array(number)),
                "amount_usd": amount,
            }
        )

    def logins(self, who: Ints, ts: Floats, day: int) -> pa.Table:
        """Return the table ``logins`` of a day."""
        session = self.draw.keys((who * DAYS + day) * 64 + np.arange(len(who)) % 64, 85)
        everyone = np.ones(len(who), dtype=bool)
        return pa.table(
            {
                "account_id": self.ids(who),
                "ts": when(ts),
                "ip": self._addresses(who, session),
                "device_id": self._devices(who, session, everyone),
                "user_agent": _agents(self.draw, who, session, everyone),
            }
        )

    def accounts(self) -> pa.Table:
        """Return the table ``accounts``, in the order of the ids."""
        draw, plan, habits = self.draw, self.plan, self.plan.accounts.habits
        who = np.arange(plan.size)
        group = plan.accounts.group
        named = plan.groups.organisation[group]
        free = pa.array(words.EMAIL_DOMAINS).take(pa.array(draw.below(who, 91, len(words.EMAIL_DOMAINS))))
        own = pc.binary_join_element_wise(draw.names("", group, 92, 8), ".example", "")
        banned = np.isfinite(plan.accounts.banned) & np.isinf(plan.accounts.reinstated)
        table = pa.table(
            {
                "account_id": self.ids(who),
                "created_at": when(habits.created),
                "org_id": _where(named, draw.names("org_", group, 93, 10)),
                "plan": pa.array(PLANS).take(pa.array(habits.plan)),
                "email_domain": pc.if_else(pa.array(named & (draw.uniform(who, 94) < 0.8)), own, free),
                "country": pa.array(words.COUNTRIES).take(pa.array(habits.country)),
                "status": pc.if_else(pa.array(banned), "banned", "active"),
            }
        )
        return table.sort_by("account_id")

    def account_events(self) -> pa.Table:
        """Return the table ``account_events``: bans, and the appeals that were upheld."""
        accounts = self.plan.accounts
        banned = np.flatnonzero(np.isfinite(accounts.banned))
        back = np.flatnonzero(np.isfinite(accounts.reinstated))
        rows = (
            (banned, accounts.banned[banned], "banned", "terms of use"),
            (back, accounts.reinstated[back] - 60, "appeal_upheld", "identity shown"),
            (back, accounts.reinstated[back], "reinstated", "appeal upheld"),
        )
        table = pa.table(
            {
                "account_id": self.ids(np.concatenate([r[0] for r in rows])),
                "ts": when(np.concatenate([r[1] for r in rows])),
                "event": np.repeat([r[2] for r in rows], [len(r[0]) for r in rows]),
                "reason": np.repeat([r[3] for r in rows], [len(r[0]) for r in rows]),
            }
        )
        return table.sort_by([("ts", "ascending"), ("account_id", "ascending"), ("event", "ascending")])

    def _addresses(self, who: Ints, session: npt.NDArray[np.uint64]) -> pa.Array:
        draw, accounts = self.draw, self.plan.accounts
        habits = accounts.habits
        entity = chosen(draw, accounts.ips, who, session, habits.addresses, 55)
        shared = entity >= SHARED_FROM
        pool, pool_kind = self.plan.addresses.of(np.where(shared, entity, SHARED_FROM))
        server = draw.uniform(entity, 151) < habits.servers[who]
        kind = np.where(shared, pool_kind, np.where(server, _HOSTING, 0)).astype(np.int8)
        # Lines in a pool of homes have as many providers as homes have; servers are rented at one.
        owner = np.where(shared, np.where(kind == 0, entity, pool), who)
        public = draw.uniform(session, 152) < habits.public_uses[who]
        gate = self._gates(who, session)
        entity, owner = np.where(public, gate, entity), np.where(public, gate % 7, owner)
        kind = np.where(public, habits.public_net[who], kind).astype(np.int8)
        distinct, back = np.unique(self.network.numbers(entity, owner, kind), return_inverse=True)
        return pa.array(address_text(distinct)).take(pa.array(back))

    def _gates(self, who: Ints, session: npt.NDArray[np.uint64]) -> Ints:
        """Return the gate of a carrier or VPN that a session comes through: one of three an account has."""
        draw, net = self.draw, self.plan.accounts.habits.public_net[who].astype(np.int64)
        gates = 6 + self.plan.size // np.where(net == MOBILE, 60, 150)
        which = draw.below(join(who, draw.below(session, 153, 3)), 154, gates)
        return _GATES_FROM + (np.maximum(net, 0) << 32) + which

    def _devices(self, who: Ints, session: npt.NDArray[np.uint64], named: npt.NDArray[np.bool_]) -> pa.Array:
        """Return devices; a request through the API names none."""
        accounts = self.plan.accounts
        device = chosen(self.draw, accounts.devices, who, session, accounts.habits.devices, 161)
        return _where(named, self.draw.names("dev_", device, 165, 12))

    def _prepaid(self, who: Ints, card: Ints) -> npt.NDArray[np.bool_]:
        bought = np.array(
            [k.instrument is not None and k.instrument.kind == "prepaid" for k in self.plan.kinds]
        )
        share = np.where(
            card >= SHARED_FROM, bought[self.plan.accounts.kind[who]], self.plan.accounts.habits.prepaid[who]
        )
        prepaid: npt.NDArray[np.bool_] = self.draw.uniform(card, 166) < share
        return prepaid


def models() -> pa.Table:
    """Return the table ``models``; one is released within the window."""
    return pa.table({"model": [m for m, _ in MODELS], "released_at": when([t for _, t in MODELS])})


def _agents(
    draw: Draw, who: Ints, session: npt.NDArray[np.uint64], console: npt.NDArray[np.bool_]
) -> pa.Array:
    """Return user agents: an account has two browsers and two libraries."""
    pair = draw.below(session, 171, 2)
    browser = draw.below(join(who, pair), 172, len(words.BROWSERS))
    library = draw.below(join(who, pair), 173, len(words.LIBRARIES))
    names = pa.array((*words.BROWSERS, *words.LIBRARIES))
    return names.take(pa.array(np.where(console, browser, len(words.BROWSERS) + library)))


def _routes(
    draw: Draw, who: Ints, session: npt.NDArray[np.uint64], console: npt.NDArray[np.bool_]
) -> pa.Array:
    gateway = (draw.uniform(who, 174) < 0.25) & (draw.uniform(session, 175) < 0.6)
    return pa.array(("console", "gateway", "api")).take(
        pa.array(_common(np.where(console, 0, np.where(gateway, 1, 2))))
    )


def _models(draw: Draw, eager: npt.NDArray[np.bool_], sent: Requests) -> pa.Array:
    """Some accounts move much of their work to a new model within a day, most over weeks, none too early."""
    who = sent.account
    slow = -15.0 * np.log1p(-draw.uniform(who, 176))
    move = MODELS[-1][1] + np.where(eager[who], 0.05 + 0.85 * draw.uniform(who, 177), slow) * DAY
    moved = (sent.ts > move) & (draw.uniform(sent.row, 178) < 0.4 + 0.6 * draw.uniform(who, 179))
    old = draw.below(join(who, draw.below(sent.session, 180, 2)), 181, 3)
    return pa.array([name for name, _ in MODELS]).take(pa.array(_common(np.where(moved, 3, old))))


def _pick(draw: Draw, of: Ints, salt: int, values: Sequence[str], shares: Sequence[float]) -> pa.Array:
    place = np.searchsorted(np.cumsum(shares)[:-1], draw.uniform(of, salt), side="right")
    return pa.array(values).take(pa.array(_common(place)))


def _where(condition: npt.NDArray[np.bool_], values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(condition), values, None)


def _common(places: npt.ArrayLike) -> Ints:
    return np.asarray(places).astype(np.int64)
