"""Replacements: one for one, close in time, and as sure as the neighbours' own pace allows."""

from __future__ import annotations

from typing import Any

import lives
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lives import DAY, HOUR

from ringfence.graphbuild.linkage.lifecycle import LifecycleSettings
from ringfence.graphbuild.replacements import REPLACEMENT_COLUMNS, ReplacementSettings, replacements

OLD = -50.0 * DAY


def _found(
    engine: Any,
    links: dict[tuple[str, str], float],
    created: dict[str, float | None],
    events: list[tuple[str, str, float]],
) -> pd.DataFrame:
    found = replacements(
        engine,
        lives.links(links),
        lives.accounts(created),
        lives.events(events),
        ReplacementSettings(),
        LifecycleSettings(),
    )
    assert tuple(found.columns) == REPLACEMENT_COLUMNS
    return found


def _told(found: pd.DataFrame) -> dict[str, str]:
    return dict(zip(found["banned"], found["replacement"], strict=True))


def test_the_linked_account_that_starts_soon_after_replaces(engine: Any) -> None:
    created = {"banned": OLD, "fresh": 12.0 * HOUR, "stranger": HOUR, "late": 5.0 * DAY, "z": -HOUR}
    links = {("banned", "fresh"): 9.5, ("banned", "late"): 20.0, ("banned", "z"): 20.0}
    found = _found(engine, links, created, [("banned", "banned", 0.0)])
    assert found.drop(columns="confidence").to_numpy().tolist() == [["banned", "fresh", 0.5, 9.5]]
    assert 0 < found["confidence"][0] < 1


def test_either_end_of_a_link_can_be_the_banned_one(engine: Any) -> None:
    found = _found(engine, {("a", "b"): 7.0}, {"a": HOUR, "b": OLD}, [("b", "banned", 0.0)])
    assert _told(found) == {"b": "a"}


def test_no_account_replaces_two(engine: Any) -> None:
    created = {"a": OLD, "b": OLD, "x": HOUR, "y": 2.0 * DAY}
    links = {("a", "x"): 8.0, ("a", "y"): 8.0, ("b", "x"): 9.0, ("b", "y"): 9.0}
    found = _found(engine, links, created, [("a", "banned", 0.0), ("b", "banned", 0.0)])
    # As sure as each other: the heavier link goes first, and the other banned account takes what is left.
    assert _told(found) == {"a": "y", "b": "x"}


def test_a_lifted_ban_is_followed_by_none(engine: Any) -> None:
    created = {"a": OLD, "x": DAY * 1.0}
    events = [("a", "banned", 0.0), ("a", "reinstated", HOUR)]
    assert _found(engine, {("a", "x"): 8.0}, created, events).empty
    again = [*events, ("a", "banned", 2.0 * HOUR)]
    assert _told(_found(engine, {("a", "x"): 8.0}, created, again)) == {"a": "x"}


def test_one_is_less_sure_where_neighbours_start_all_the_time(engine: Any) -> None:
    def confidence(before: int, rivals: int) -> float:
        created: dict[str, float | None] = {"a": OLD, "x": 6.0 * HOUR}
        created |= {f"e{i}": -HOUR * (1.0 + 8 * i) for i in range(before)}
        created |= {f"r{i}": HOUR * (7.0 + i) for i in range(rivals)}
        links = {("a", name): 8.0 for name in created if name != "a"}
        found = _found(engine, links, created, [("a", "banned", 0.0)])
        assert _told(found) == {"a": "x"}
        return float(found["confidence"][0])

    alone = confidence(0, 0)
    assert alone > confidence(4, 0)
    assert alone > confidence(0, 2)


@pytest.mark.parametrize("empty", ["links", "created", "events"])
def test_nothing_comes_of_nothing(engine: Any, empty: str) -> None:
    given_ = {
        "links": {("a", "x"): 8.0},
        "created": {"a": OLD, "x": HOUR},
        "events": [("a", "banned", 0.0)],
    }
    assert _found(engine, **{**given_, empty: type(given_[empty])()}).empty


def test_accounts_without_a_time_replace_nobody(engine: Any) -> None:
    assert _found(engine, {("a", "x"): 8.0}, {"a": OLD, "x": None}, [("a", "banned", 0.0)]).empty


_NAMES = st.sampled_from("abcdefgh")


@settings(max_examples=6)
@given(
    st.dictionaries(
        st.tuples(_NAMES, _NAMES).filter(lambda ab: ab[0] < ab[1]), st.floats(6, 30), max_size=20
    ),
    st.fixed_dictionaries({name: st.integers(0, 60).map(lambda h: float(h * HOUR)) for name in "abcdefgh"}),
    st.dictionaries(_NAMES, st.integers(0, 60).map(lambda h: float(h * HOUR)), max_size=6),
)
def test_replacements_are_one_for_one_and_maximal(
    engine: Any,
    links: dict[tuple[str, str], float],
    created: dict[str, float | None],
    bans: dict[str, float],
) -> None:
    found = _found(engine, links, created, [(name, "banned", at) for name, at in bans.items()])
    assert found["banned"].is_unique
    assert found["banned"].is_monotonic_increasing
    assert found["replacement"].is_unique
    assert found["confidence"].between(0, 1).all()
    told = _told(found)
    for ends in links:
        for a, b in (ends, ends[::-1]):
            if a in bans and 0 <= (created[b] or 0.0) - bans[a] <= 3 * DAY:
                # Whatever was not chosen had lost to something that was.
                assert a in told or b in told.values()
            if told.get(a) == b:
                assert b != a
