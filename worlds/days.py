"""What happens on one day of a world: each day can be made alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ringfence.worlds import words
from ringfence.worlds.groups import SHARED_FROM, Uses
from ringfence.worlds.habits import PLANS
from ringfence.worlds.hashing import Draw, Floats, Ints, join
from ringfence.worlds.kinds import DAY, DAYS, SPAN, Rhythm
from ringfence.worlds.plan import Plan
from ringfence.worlds.texts import GROUP, OWN, PUBLIC, Wording

_HOURS = np.array((2, 1, 1, 1, 1, 2, 3, 5, 8, 10, 10, 10, 9, 9, 10, 10, 9, 8, 8, 8, 8, 7, 5, 3), dtype=float)
"""How much people send in each hour of their day."""
_CLOCK = np.concatenate(([0.0], np.cumsum(_HOURS) / _HOURS.sum()))
_WEEKEND = 0.6
_WEEK = np.array([_WEEKEND if day % 7 >= 5 else 1.0 for day in range(DAYS)])
"""How much is sent on each day of the window, which opens on a Monday; 1 on average."""
_WEEK /= _WEEK.mean()
_AN_OWNER = 64
"""Entities of its own of each type that an account is numbered for."""
_DEADLINE_DAYS = 1.6
"""Mean distance from a deadline at which work on it is done."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of a day in the order of their times. Columns of shape ``(r,)``."""

    account: Ints
    session: npt.NDArray[np.uint64]
    """A random key of the session."""
    ts: Floats
    """Seconds since the start of the window."""
    together: npt.NDArray[np.bool_]
    """Whether it is part of what the group does together."""
    row: Ints
    """A number of its own."""


class Days:
    """Makes the days of a plan.

    Args:
        plan: The world.
        draw: Its draws.
        seed: Its seed.
    """

    def __init__(self, plan: Plan, draw: Draw, seed: int) -> None:
        self._plan, self._draw, self._seed = plan, draw, seed
        habits = plan.accounts.habits
        self.born = np.maximum(habits.created, 0.0) + 30.0
        self.gone = np.maximum(
            np.where(
                np.isinf(plan.accounts.reinstated),
                np.minimum(habits.until, plan.accounts.banned),
                habits.until,
            ),
            self.born,
        )
        self._offset = np.array(words.UTC_OFFSETS)[habits.country]

    def requests(self, day: int) -> Requests:
        """Return the requests of a day."""
        rng = np.random.default_rng([self._seed, 11, day])
        own = self._own(rng, day)
        joint = self._joint(rng, day)
        account, session, ts = (np.concatenate(pair) for pair in zip(own, joint, strict=True))
        together = np.arange(len(account)) >= len(own[0])
        kept = self._allowed(account, ts)
        order = np.flatnonzero(kept)[np.argsort(ts[kept], kind="stable")]
        return Requests(
            account[order],
            session[order],
            np.asarray(np.round(ts[order], 3), dtype=np.float64),
            together[order],
            (day << 32) + np.arange(len(order)),
        )

    def logins(self, day: int) -> tuple[Ints, Floats]:
        """Return who logs in on a day, and when."""
        rng = np.random.default_rng([self._seed, 12, day])
        account = np.repeat(np.arange(self._plan.size), rng.poisson(0.11 * self._present(day)))
        ts = self._clamped(account, day * DAY + self._hour(account, rng.random(len(account))) * 3600)
        kept = self._allowed(account, ts)
        return account[kept], ts[kept]

    def payments(self, day: int) -> tuple[Ints, Floats]:
        """Return who pays on a day, and when: on signing up, then every thirty days, at times in between."""
        rng = np.random.default_rng([self._seed, 13, day])
        habits, accounts = self._plan.accounts.habits, self._plan.accounts
        pays = (habits.cards > 0) | (accounts.cards.size > 0)
        due = (np.floor(habits.created / DAY).astype(np.int64) - day) % DAYS == 0
        tops_up = rng.random(self._plan.size) < np.where(habits.plan == PLANS.index("payg"), 0.027, 0.002)
        account = np.flatnonzero(pays & (due | tops_up) & (self._present(day) > 0))
        ts = self._clamped(account, day * DAY + rng.random(len(account)) * DAY)
        kept = self._allowed(account, ts)
        return account[kept], ts[kept]

    def wording(self, sent: Requests) -> Wording:
        """Return what each request is to say."""
        draw, who, plan = self._draw, sent.account, self._plan
        habits, groups = plan.accounts.habits, plan.groups
        group = plan.accounts.group[who]
        row = sent.row
        private = draw.uniform(row, 21) < habits.private[who]
        source = np.where(sent.together, GROUP, np.where(private, OWN, PUBLIC)).astype(np.int8)
        own = who * _AN_OWNER + draw.below(row, 22, habits.templates[who])
        members = who * _AN_OWNER + 32 + draw.below(row, 23, 3)
        shared = groups.template[group] + draw.below(row, 24, np.maximum(groups.templates[group], 1))
        joint = np.where(groups.own_templates[group], members, shared)
        together = sent.together
        return Wording(
            source=source,
            template=np.where(together, joint, own),
            family=np.where(together & ~groups.own_templates[group], SHARED_FROM + group, who),
            language=np.where(together, groups.language[group], habits.language[who]).astype(np.int8),
            framework=np.where(together, -1, habits.framework[who]),
            pasted=np.where(together, groups.pasted[group], 0).astype(np.int8),
            tactic=np.where(together, groups.tactic[group], -1).astype(np.int8),
            row=row,
        )

    def _own(self, rng: np.random.Generator, day: int) -> tuple[Ints, npt.NDArray[np.uint64], Floats]:
        accounts = self._plan.accounts
        count = rng.poisson(accounts.own_volume * self._rate(self.born, self.gone, day))
        who = np.repeat(np.arange(self._plan.size), count)
        sessions = np.maximum(1, np.round(count / accounts.habits.per_session)).astype(np.int64)
        session = self._draw.keys(self._session_key(who, day, self._below(rng, sessions[who])), 31)
        hour = self._hour(who, self._draw.uniform(session, 32))
        lasts = np.minimum(self._draw.lognormal(session, 33, 6.6, 0.9), 4 * 3600)
        ts = day * DAY + hour * 3600 + rng.random(len(who)) * lasts
        return who, session, self._clamped(who, ts)

    def _joint(self, rng: np.random.Generator, day: int) -> tuple[Ints, npt.NDArray[np.uint64], Floats]:
        """Return what groups do together on a day."""
        accounts, groups = self._plan.accounts, self._plan.groups
        active = np.flatnonzero(accounts.group_volume > 0)
        group = accounts.group[active]
        born = np.maximum(self.born[active], groups.starts[group])
        gone = np.minimum(self.gone[active], groups.ends[group])
        rate = accounts.group_volume[active] * self._joint_rate(active, group, born, gone, day)
        crew = self._draw.uniform(join(active, day), 41) < groups.crew[group]
        count = rng.poisson(np.where(crew, rate / groups.crew[group], 0.0))
        who, group = np.repeat(active, count), np.repeat(group, count)
        if not len(who):
            return who, who.astype(np.uint64), who.astype(np.float64)
        ts, stretch = self._joint_times(rng, who, group, day)
        session = self._draw.keys(self._session_key(who, day, 2048 + stretch), 42)
        low, high = (np.repeat(bound, count) for bound in (born, gone))
        return who, session, _moved_inside(ts, low, np.minimum(high, SPAN - 1e-3))

    def _joint_rate(self, active: Ints, group: Ints, born: Floats, gone: Floats, day: int) -> Floats:
        """Return the share of an account's joint work that falls on a day."""
        groups = self._plan.groups
        rate = self._rate(born, np.maximum(gone, born), day)
        due = groups.ends[group] / DAY
        left = np.floor(due) - day
        weight = np.where((left >= 0) & (left < 7), np.exp(-left / _DEADLINE_DAYS), 0.0)
        weight = np.where(rate > 0, weight, 0.0) / np.exp(-np.arange(7) / _DEADLINE_DAYS).sum()
        return np.where(groups.rhythm[group] == Rhythm.DEADLINE, weight, rate)

    def _joint_times(self, rng: np.random.Generator, who: Ints, group: Ints, day: int) -> tuple[Floats, Ints]:
        """Return when joint requests come, and in which stretch of work of the account."""
        groups, draw = self._plan.groups, self._draw
        rhythm = groups.rhythm[group]
        shift = self._below(rng, groups.shifts[group])
        of_shift = (group * DAYS + day) * 4 + shift
        opens = self._clock(draw.uniform(of_shift, 43)) - groups.utc_offset[group]
        turn = _turns(rng, of_shift) if len(who) else np.zeros(0)
        in_shift = opens % 24 + turn * groups.shift_hours[group]
        stretch = self._below(rng, np.full(len(who), 3))
        by_itself = self._hour(who, draw.uniform(self._session_key(who, day, stretch), 44))
        by_itself = by_itself + rng.random(len(who)) * 0.6
        on_the_hour = (
            np.floor(rng.random(len(who)) * 24) + draw.uniform(group, 45) * 0.9 + rng.random(len(who)) * 0.03
        )
        event = 9 + rng.random(len(who)) * 12
        hour = np.select(
            (rhythm == Rhythm.SHIFTS, rhythm == Rhythm.ON_THE_HOUR, rhythm == Rhythm.EVENT),
            (in_shift, on_the_hour, event),
            by_itself,
        )
        # A program opens a session every hour, a shift is one, people open a few.
        stretch = np.where(rhythm == Rhythm.ON_THE_HOUR, hour.astype(np.int64), stretch)
        stretch = np.where(rhythm == Rhythm.SHIFTS, shift * 8 + (turn * 4).astype(np.int64), stretch)
        return day * DAY + hour * 3600, stretch

    def _hour(self, who: Ints, uniform: Floats) -> Floats:
        """Return the hour of a day (UTC) at which an account starts something."""
        local = (self._clock(uniform) - self._offset[who]) % 24
        hour: Floats = np.where(self._plan.accounts.habits.never_sleeps[who], uniform * 24, local)
        return hour

    @staticmethod
    def _clock(uniform: Floats) -> Floats:
        hour: Floats = np.interp(uniform, _CLOCK, np.arange(25.0))
        return hour

    def _rate(self, born: Floats, gone: Floats, day: int) -> Floats:
        """Return the share of an account's requests that falls on a day."""
        alive = np.clip(np.minimum(gone, (day + 1) * DAY) - np.maximum(born, day * DAY), 0.0, None)
        rate: Floats = _WEEK[day] * alive / np.maximum(gone - born, DAY)
        return rate

    def _present(self, day: int) -> Floats:
        """Return which part of a day each account is there."""
        end = np.minimum(self.gone, (day + 1) * DAY)
        part: Floats = np.clip(end - np.maximum(self.born, day * DAY), 0, None) / DAY
        return part

    def _clamped(self, who: Ints, ts: Floats) -> Floats:
        """Return times with those moved that fall outside the account's life, to its rest of that day."""
        return _moved_inside(ts, self.born[who], np.minimum(self.gone[who], SPAN - 1e-3))

    def _allowed(self, who: Ints, ts: Floats) -> npt.NDArray[np.bool_]:
        accounts = self._plan.accounts
        banned = (ts >= accounts.banned[who]) & (ts < accounts.reinstated[who])
        return ~banned & (ts >= self.born[who] - 1e-6)

    @staticmethod
    def _below(rng: np.random.Generator, bound: Ints) -> Ints:
        return np.floor(rng.random(len(bound)) * bound).astype(np.int64)

    @staticmethod
    def _session_key(who: Ints, day: int, number: Ints) -> Ints:
        return (who * 64 + day) * 4096 + number


def _moved_inside(ts: Floats, low: Floats, high: Floats) -> Floats:
    """Return times with those outside their bounds moved to what is left of the same day within them."""
    opens = np.floor(np.minimum(ts, SPAN - 1) / DAY) * DAY
    first, last = np.maximum(low, opens), np.minimum(high, opens + DAY)
    moved = first + (ts / DAY % 1.0) * np.maximum(last - first, 0.0)
    return np.where((ts < low) | (ts > high), moved, ts)


def chosen(draw: Draw, uses: Uses, who: Ints, key: npt.ArrayLike, owned: Ints, salt: int) -> Ints:
    """Return the entity that each use is of: one of the pool's, or one of the account's own.

    Args:
        draw: The world's draws.
        uses: What each account shares.
        who: Accounts; shape ``(n,)``.
        key: What the choice is made for: a session, a payment; shape ``(n,)``.
        owned: How many of its own an account has; shape ``(accounts,)``.
        salt: The first of four salts.

    Returns:
        numbers of entities, from :data:`~ringfence.worlds.groups.SHARED_FROM` on where shared; -1 where
        the account has neither.
    """
    shared = draw.uniform(key, salt) < uses.uses[who]
    size, keeps = np.maximum(uses.size[who], 1), uses.keeps[who]
    any_of_them = draw.below(key, salt + 1, size)
    kept = draw.below(join(who, draw.below(key, salt + 1, np.maximum(keeps, 1))), salt + 2, size)
    pooled = uses.start[who] + np.where(keeps > 0, kept, any_of_them)
    own = who * _AN_OWNER + draw.below(key, salt + 3, np.maximum(owned[who], 1))
    own = np.where(owned[who] > 0, own, -1)
    return np.where(shared & (uses.size[who] > 0), pooled, own)


def _turns(rng: np.random.Generator, of: Ints) -> Floats:
    """Spread the requests of each stretch of work evenly over it, in random order; 0..1."""
    order = np.lexsort((rng.random(len(of)), of))
    same = np.diff(of[order], prepend=-1) != 0
    first = np.flatnonzero(same)
    count = np.diff(np.append(first, len(of)))
    turn = np.empty(len(of))
    turn[order] = (np.arange(len(of)) - np.repeat(first, count) + rng.random(len(of)) * 0.8) / np.repeat(
        count, count
    )
    return turn
