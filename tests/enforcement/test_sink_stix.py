from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis.strategies import none, text
from stix_reading import complaints, leaves

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.stix import StixFiles
from ringfence.enforcement.sinks.stix_objects import TLP_LEVELS, Producer
from ringfence.errors import PolicyError
from ringfence.testing.sink_contract import (
    HOSTILE,
    SinkContract,
    enforced,
    hostile,
    reversal,
    superseded,
)

PRODUCER = Producer("Example AI", "amber+strict")


def read(event: Event, producer: Producer = PRODUCER) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(StixFiles("intel", Path("intel"), producer).render(event))
    return read


def of_type(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in bundle["objects"] if one["type"] == kind]


def only(bundle: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = of_type(bundle, kind)
    return found


def orders(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in of_type(bundle, "relationship") if one["relationship_type"] == "related-to"]


def shortened(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return a bundle with whole seconds as the library writes them: only versions keep their thousandths."""
    long = {"created", "modified"}
    read: dict[str, Any] = json.loads(
        json.dumps(bundle),
        object_hook=lambda found: {
            name: value.removesuffix(".000Z") + "Z"
            if isinstance(value, str) and value.endswith(".000Z") and name not in long
            else value
            for name, value in found.items()
        },
    )
    return read


class TestStixFiles(SinkContract):
    kind = "stix"

    @pytest.fixture
    def backend(self, tmp_path: Path) -> Path:
        return tmp_path / "intel"

    def settings(self, backend: Path) -> dict[str, Any]:
        return {"folder": str(backend), "producer": "Example AI"}

    def held(self, backend: Path) -> dict[str, bytes]:
        return {one.name: one.read_bytes() for one in backend.glob("*.json")}

    @contextmanager
    def broken(self, backend: Path) -> Iterator[None]:
        backend.write_text("a file where the folder should be")
        yield
        backend.unlink()

    def values(self, body: bytes) -> list[str]:
        return list(leaves(json.loads(body)))


@pytest.mark.parametrize("event", [enforced(), hostile(), reversal(enforced())], ids=lambda e: e.kind)
def test_the_validator_has_nothing_against_it(event: Event) -> None:
    assert complaints(read(event)) == []


def test_the_validator_has_nothing_against_a_superseding_event_but_that_the_heirs_are_told_elsewhere() -> (
    None
):
    bundle = read(superseded(enforced()))
    assert complaints(bundle, enforce_refs=False) == []
    assert (
        complaints(read(replace(superseded(enforced()), accounts=enforced().accounts)), enforce_refs=False)
        == []
    )
    assert {one["relationship_type"] for one in of_type(bundle, "relationship")} == {"derived-from"}
    assert {one["source_ref"] for one in of_type(bundle, "relationship")} == {
        only(read(replace(enforced(), ring_id=heir)), "campaign")["id"]
        for heir in ("R-77777777", "R-88888888")
    }


@pytest.mark.parametrize("tlp", TLP_LEVELS)
def test_every_level_of_the_traffic_light_protocol_is_valid(tlp: str) -> None:
    bundle = read(enforced(), Producer("Example AI", tlp))
    marking = only(bundle, "marking-definition")
    assert complaints(bundle) == []
    assert marking["name"] == f"TLP:{tlp.upper()}"
    unmarked = [one["type"] for one in bundle["objects"] if one.get("object_marking_refs") != [marking["id"]]]
    assert unmarked == ["marking-definition", "identity", "attack-pattern"]


def test_names_of_ten_thousand_characters_and_bare_events_are_valid() -> None:
    event = enforced(accounts=("a" * 10_000, "\u202e" * 10_000))
    bare = replace(
        event,
        expires_at=None,
        ring_opened_at=None,
        grounds=replace(
            event.grounds,
            probability=None,
            statements=(),
            entities=(),
            tactics=(" ",),
            first_seen=None,
            last_seen=None,
        ),
    )
    assert complaints(read(event)) == []
    assert complaints(read(bare)) == []


def test_times_that_contradict_each_other_are_left_out() -> None:
    event = enforced()
    seen = replace(event.grounds, last_seen=event.grounds.first_seen)
    odd = replace(event, expires_at=event.occurred_at, grounds=seen)
    bundle = read(odd)
    assert complaints(bundle) == []
    assert "last_seen" not in only(bundle, "campaign")
    assert all("stop_time" not in one for one in orders(bundle))


@pytest.mark.parametrize("event", [enforced(), hostile()], ids=["plain", "hostile"])
def test_the_library_reads_it_and_gives_observables_the_same_ids(event: Event) -> None:
    bundle = read(event)
    parsed = stix2.parse(bundle)
    assert json.loads(parsed.serialize()) == shortened(bundle)
    observed = [one for one in parsed.objects if one.type in ("user-account", "ipv4-addr", "ipv6-addr")]
    assert len(observed) >= len(event.accounts)
    for one in observed:
        again = type(one)(**{name: value for name, value in one.items() if name != "id"})
        assert again.id == one.id


@given(user_id=text(min_size=1, max_size=40), account_type=none() | text(min_size=1, max_size=10))
def test_any_account_gets_the_id_that_the_standard_gives_it(user_id: str, account_type: str | None) -> None:
    ours = Producer("Example AI", "amber", account_type).account(user_id)
    named = {} if account_type is None else {"account_type": account_type}
    assert ours["id"] == stix2.UserAccount(user_id=user_id, **named).id


def test_it_says_who_what_and_with_what() -> None:
    event = replace(
        enforced(),
        grounds=replace(
            enforced().grounds, entities=("ip:192.0.2.7", "ip:192.0.2.7", "ip:elsewhere", "template:t_1")
        ),
    )
    bundle = read(event)
    kinds = Counter(one["type"] for one in bundle["objects"])
    assert kinds == {
        "marking-definition": 1,
        "identity": 1,
        "campaign": 1,
        "attack-pattern": 1,
        "infrastructure": 2,
        "ipv4-addr": 1,
        "user-account": 3,
        "relationship": 3 + 4,
        "grouping": 1,
    }
    assert only(bundle, "campaign")["confidence"] == 97
    assert only(bundle, "ipv4-addr")["value"] == "192.0.2.7"
    assert [one["user_id"] for one in of_type(bundle, "user-account")] == [
        target.account_id for target in event.accounts
    ]
    assert orders(bundle)[0]["labels"] == ["ban", "core"]
    assert orders(bundle)[0]["stop_time"] == "2026-03-05T04:05:06.000Z"
    everything = {one["id"] for one in bundle["objects"]}
    told = {only(bundle, kind)["id"] for kind in ("marking-definition", "identity", "grouping")}
    assert set(only(bundle, "grouping")["object_refs"]) == everything - told


def test_nobody_is_called_a_threat_actor() -> None:
    for event in (enforced(), hostile(), reversal(enforced()), superseded(enforced())):
        kinds = {one["type"] for one in read(event)["objects"]}
        assert not kinds & {"threat-actor", "intrusion-set", "malware", "indicator"}


def test_a_part_reversed_revokes_the_orders_on_its_accounts_and_nothing_else() -> None:
    event = enforced()
    asked, undone = read(event), read(reversal(event))
    first = orders(asked)[0]
    (revoked,) = orders(undone)
    assert revoked["revoked"] is True
    assert revoked["id"] == first["id"]
    assert revoked["created"] == first["created"]
    assert revoked["modified"] > first["modified"]
    assert [one for one in undone["objects"] if one.get("revoked")] == [revoked]


def test_the_whole_reversed_revokes_the_grouping_too_even_when_the_clock_went_back() -> None:
    event = enforced()
    undone = replace(
        reversal(event),
        accounts=event.accounts,
        reverses_all=True,
        occurred_at=event.occurred_at - timedelta(1),
    )
    bundle = read(undone)
    before = {one["id"]: one for one in read(event)["objects"]}
    revoked = [one for one in bundle["objects"] if one.get("revoked")]
    assert Counter(one["type"] for one in revoked) == {"relationship": 3, "grouping": 1}
    assert complaints(bundle) == []
    for one in revoked:
        assert one["created"] == before[one["id"]]["created"]
        assert one["modified"] > before[one["id"]]["modified"]


def test_a_version_of_an_object_never_says_two_things() -> None:
    """All within one second: what a consumer keeps must be what was said last."""
    event = enforced()
    part = replace(reversal(event, 8192), occurred_at=event.occurred_at)
    again = replace(enforced(version=8193), accounts=event.accounts[:1], reason="Seen once more.")
    rest = replace(part, event_id="evt_rest", version=8194, accounts=event.accounts[1:], reverses_all=True)
    gone = replace(superseded(event, 8195), occurred_at=event.occurred_at)
    remarked = Producer("Example AI", "red", "example-ai")
    kept: dict[str, dict[str, dict[str, Any]]] = {}
    for told, producer in (
        (event, PRODUCER),
        (part, remarked),
        (again, PRODUCER),
        (rest, remarked),
        (gone, PRODUCER),
    ):
        for one in read(told, producer)["objects"]:
            if one["type"] == "user-account":
                continue  # It has no versions.
            versions = kept.setdefault(one["id"], {})
            known = versions.setdefault(one.get("modified", ""), one)
            assert known == one
            assert len({version.get("created") for version in versions.values()}) == 1
            assert max(versions) == one.get("modified", "")
    last = [versions[max(versions)] for versions in kept.values()]
    free = [one for one in last if one.get("revoked") and one["type"] == "relationship"]
    held = {
        one["source_ref"]
        for one in last
        if one.get("relationship_type") == "related-to" and not one.get("revoked")
    }
    assert held == {PRODUCER.account(event.accounts[0].account_id)["id"]}
    assert len(free) == 3


def test_accounts_of_two_providers_differ_where_they_say_whose_they_are() -> None:
    ours, theirs = Producer("A", "amber", "a"), Producer("B", "amber", "b")
    assert ours.account("acct_1")["id"] != theirs.account("acct_1")["id"]
    assert Producer("A", "red").account("acct_1")["id"] == Producer("B", "red").account("acct_1")["id"]
    objections = complaints(read(enforced(), ours))
    assert len(objections) == 3
    assert all("which is not a value in the account-type-ov" in one for one in objections), (
        "it is an open list"
    )
    ids = [{one["id"] for one in read(enforced(), producer)["objects"]} for producer in (ours, theirs)]
    shared = ids[0] & ids[1]
    assert {one.partition("--")[0] for one in shared} == {"marking-definition", "ipv4-addr", "ipv6-addr"}


def test_hostile_names_stay_what_they_are() -> None:
    accounts = of_type(read(hostile()), "user-account")
    assert tuple(one["user_id"] for one in accounts) == HOSTILE


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"producer": "A"}, "folder is missing"),
        ({"folder": "x"}, "producer is missing"),
        ({"folder": "x", "producer": "A", "tlp": "ambre"}, "Did you mean 'amber'"),
    ],
)
def test_a_wrong_entry_is_told(table: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=said):
        StixFiles.from_settings("intel", table, tmp_path)
