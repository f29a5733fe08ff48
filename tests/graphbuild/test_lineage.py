"""The life of a ring: silences, regrowth after bans, and ids that stay from run to run."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.lineage import LifeSettings, Span, followed, life
from ringfence.lineage import sentence
from ringfence.records import Action, Decision, DoubleMember, LifeEvent, Member, Replacement, Ring, Role, Turn

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = LifeSettings()
SEED = 20260301


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def ring(name: str, accounts: Iterable[str], history: tuple[LifeEvent, ...] = ()) -> Ring:
    members = tuple(Member(one, 0.5, Role.MEMBER) for one in accounts)
    return Ring(
        name, None, Decision.REVIEW, len(members), START, day(9), 1.0, members, (), (), Action.REVIEW,
        history=history,
    )  # fmt: skip


def told(events: Iterable[LifeEvent]) -> list[tuple[str, int, str | None]]:
    return [(event.turn.value, event.accounts, event.other) for event in events]


def replaced(*pairs: tuple[str, str]) -> list[Replacement]:
    return [Replacement(banned, fresh, 1.0, 0.5) for banned, fresh in pairs]


def test_a_ring_is_born_when_its_first_account_is_seen() -> None:
    spans = {"a": Span(START), "b": Span(day(0.5)), "c": Span(day(4)), "never": Span(None)}
    found = life(spans, {}, [], day(9), SETTINGS)
    assert found == (LifeEvent(Turn.BORN, START, 2),)
    assert life({"never": Span(None)}, {}, [], day(9), SETTINGS) == ()


def test_a_silence_of_seven_whole_days_is_dormancy() -> None:
    spans = {"a": Span(START), "b": Span(START)}
    active = {START.date(): 2, day(8).date(): 1, day(15).date(): 2}
    found = life(spans, active, [], day(22), SETTINGS)
    assert told(found) == [("born", 2, None), ("dormant", 2, None), ("reborn", 1, None)]
    assert [event.at for event in found[1:]] == [
        datetime(2026, 3, 2, tzinfo=UTC),
        datetime(2026, 3, 9, tzinfo=UTC),
    ]
    later = life(spans, active, [], day(23), SETTINGS)
    assert told(later)[3:] == [("dormant", 2, None)]
    assert sentence(later[3]) == "dormant from then on, with 2 accounts"


def test_most_banned_and_replaced_is_regrowth() -> None:
    spans = {name: Span(START, day(5)) for name in "abc"} | {"d": Span(START)}
    spans |= {"x": Span(day(6)), "y": Span(day(7)), "z": Span(day(8))}
    found = life(spans, {}, replaced(("a", "x"), ("b", "y")), day(9), SETTINGS)
    # z came, too, and took nobody's place.
    assert found[1:] == (LifeEvent(Turn.REGROWN, day(6), 2),)


def test_half_banned_is_no_fall_and_newcomers_alone_are_no_regrowth() -> None:
    spans = {"a": Span(START, day(5)), "b": Span(START, day(5)), "c": Span(START), "d": Span(START)}
    spans["x"] = Span(day(6))
    assert told(life(spans, {}, replaced(("a", "x")), day(9), SETTINGS)) == [("born", 4, None)]
    spans["c"] = Span(START, day(5))
    assert told(life(spans, {}, replaced(("a", "x")), day(9), SETTINGS))[1:] == [("regrown", 1, None)]
    assert told(life(spans, {}, [], day(9), SETTINGS)) == [("born", 4, None)]


def test_a_ring_can_regrow_twice() -> None:
    spans = {"a": Span(START, day(2)), "b": Span(START, day(2)), "c": Span(day(3), day(6))}
    spans |= {"d": Span(day(3), day(6)), "e": Span(day(7))}
    found = life(spans, {}, replaced(("a", "c"), ("b", "d"), ("c", "e")), day(9), SETTINGS)
    assert told(found)[1:] == [("regrown", 2, None), ("regrown", 1, None)]


def test_ids_stay_and_what_became_of_rings_is_told() -> None:
    earlier = [ring("one", "abcdef"), ring("two", "mnop"), ring("three", "uvwxyz")]
    now = [ring("n1", "abcdmnopq"), ring("n2", "uvwx12"), ring("n3", "yz3"), ring("n4", "456")]
    found = {one.ring_id: one for one in followed(now, earlier, day(9))}
    assert set(found) == {"one", "three", "n3", "n4"}
    assert told(found["one"].history) == [("grew", 5, None), ("shrank", 2, None), ("merged", 4, "two")]
    assert told(found["n3"].history) == [("split", 2, "three")]
    assert told(found["n4"].history) == []
    assert [one.members for one in followed(now, earlier, day(9))] == [one.members for one in now]


def test_a_fresh_id_never_is_an_earlier_ring_s() -> None:
    """The account that named a ring has gone elsewhere: two rings must not have one id."""
    found = followed([ring("new", "abc"), ring("old", "xyz")], [ring("old", "abcd")], day(9))
    assert found[0].ring_id == "old"
    assert found[1].ring_id not in {"old", "new"}


def test_history_is_carried_on_and_told_once() -> None:
    born = LifeEvent(Turn.BORN, day(-30), 3)
    silent = LifeEvent(Turn.DORMANT, day(3), 3)
    earlier = ring("one", "abc", (born, silent, LifeEvent(Turn.GREW, day(-20), 1)))
    now = ring("other", "abcd", (LifeEvent(Turn.BORN, START, 3), silent))
    (found,) = followed([now], [earlier], day(9))
    assert told(found.history) == [
        ("born", 3, None), ("grew", 1, None), ("dormant", 3, None), ("grew", 1, None),
    ]  # fmt: skip
    assert found.history[0].at == day(-30)


def test_a_ring_with_a_life_comes_back_from_json_as_it_was() -> None:
    full = replace(
        ring("one", "ab", (LifeEvent(Turn.SPLIT, day(1), 2, "two"), LifeEvent(Turn.BORN, None, 1))),
        members=(Member("a", 0.5, Role.BYSTANDER, ("guilty",)), Member("b", 0.4, Role.CORE)),
        replacements=(Replacement("a", "b", 0.25, 0.75),),
        parts=(("a",), ("b",)),
        also_in=(DoubleMember("b", "two", 0.5),),
    )
    assert Ring.from_json(full.as_json()) == full
    bare = ring("one", "ab").as_json()
    assert not {"replacements", "history", "parts", "also_in"} & set(bare)
    assert all("end_users" not in member for member in bare["members"])
    assert Ring.from_json(bare) == ring("one", "ab")


_GROUPS = st.dictionaries(st.sampled_from("abcdefghijkl"), st.integers(0, 3))


def _rings(groups: dict[str, int], prefix: str) -> list[Ring]:
    numbers = sorted(set(groups.values()))
    return [ring(f"{prefix}{n}", [a for a, g in groups.items() if g == n]) for n in numbers]


@given(_GROUPS, _GROUPS)
def test_ids_are_unique_and_the_same_partition_keeps_them(
    before: dict[str, int], now: dict[str, int]
) -> None:
    earlier, rings = _rings(before, "r"), _rings(now, "r")
    ids = [one.ring_id for one in followed(rings, earlier, day(9))]
    assert len(set(ids)) == len(ids)
    again = followed(_rings(before, "x"), earlier, day(9))
    assert [one.ring_id for one in again] == [one.ring_id for one in earlier]
    assert all(not one.history for one in again)


def test_the_order_of_rows_decides_nothing() -> None:
    draws = random.Random(SEED)
    for _ in range(1000 if os.environ.get("RINGFENCE_SOAK") else 50):
        names = [f"a{n}" for n in range(12)]
        spans = {
            name: Span(
                day(draws.randrange(10)), day(10 + draws.randrange(9)) if draws.random() < 0.5 else None
            )
            for name in names
        }
        takes = replaced(*((draws.choice(names), draws.choice(names)) for _ in range(4)))
        active = {day(draws.randrange(40)).date(): 1 for _ in range(6)}
        shuffled = dict(draws.sample(list(spans.items()), len(spans)))
        found = life(spans, active, takes, day(40), SETTINGS)
        assert life(shuffled, dict(reversed(active.items())), takes[::-1], day(40), SETTINGS) == found
        turns = [event.turn for event in found if event.turn in (Turn.DORMANT, Turn.REBORN)]
        assert turns == [(Turn.DORMANT, Turn.REBORN)[n % 2] for n in range(len(turns))]
