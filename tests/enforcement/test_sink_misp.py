"""MISP events: against the contract, and as MISP's own library reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from file_sinks import FileContract, leaves
from pymisp import MISPEvent

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.misp import MispFiles
from ringfence.enforcement.sinks.misp_event import Sharing
from ringfence.errors import PolicyError
from ringfence.testing.sink_contract import enforced, hostile, reversal, superseded


class TestMispFiles(FileContract):
    kind = "misp"

    def values(self, body: bytes) -> list[str]:
        return leaves(json.loads(body))


@pytest.fixture
def sink(tmp_path: Path) -> MispFiles:
    return MispFiles("misp", tmp_path, Sharing())


def written(sink: MispFiles, event: Event) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(sink.render(event))["Event"]
    return made


def as_pymisp_has_it(made: dict[str, Any]) -> Any:
    """Read an event with MISP's own library and write it again."""
    event = MISPEvent(strict_validation=True)
    event.load({"Event": json.loads(json.dumps(made))})
    return json.loads(event.to_json())


def known_as(made: dict[str, Any]) -> set[str]:
    """Every uuid within an event."""
    own = {made["uuid"]} if "uuid" in made else set()
    within = [one for value in made.values() if isinstance(value, list) for one in value]
    return own.union(*(known_as(one) for one in within))


def account_of(made: dict[str, Any], account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in made["Object"] if one["Attribute"][0]["value"] == account_id)
    return found


@pytest.mark.parametrize(
    "event", [enforced(), reversal(enforced()), superseded(enforced())], ids=lambda one: one.kind
)
def test_pymisp_reads_it_and_writes_the_same(sink: MispFiles, event: Event) -> None:
    made = written(sink, event)
    assert as_pymisp_has_it(made) == made


def test_pymisp_reads_hostile_texts_and_takes_but_blanks_off_their_ends(sink: MispFiles) -> None:
    made = written(sink, hostile())
    read = as_pymisp_has_it(made)
    for one in [*made["Attribute"], *(sub for found in made["Object"] for sub in found["Attribute"])]:
        one["value"] = one["value"].strip()
    assert read == made


def test_an_object_is_what_the_template_of_misp_says(sink: MispFiles) -> None:
    theirs = MISPEvent().add_object(name="user-account")
    ours = written(sink, enforced())["Object"][0]
    for key in ("name", "meta-category", "description", "template_uuid", "template_version"):
        assert ours[key] == str(theirs[key])
    assert ours["Attribute"][0]["object_relation"] in theirs._definition["attributes"]


def test_it_is_for_ones_own_organisation_amber_and_unpublished(sink: MispFiles) -> None:
    made = written(sink, enforced())
    assert (made["distribution"], made["published"]) == ("0", False)
    assert made["Tag"] == [{"name": "tlp:amber"}]
    assert (made["date"], made["timestamp"]) == ("2026-02-03", "1770091506")
    assert "Orgc" not in made


def test_accounts_are_for_detection_and_addresses_are_not(sink: MispFiles) -> None:
    event = enforced()
    entities = ("instrument:instrument_1", *event.grounds.entities[1:], "ip:not an address")
    made = written(sink, replace(event, grounds=replace(event.grounds, entities=entities)))
    assert all(one["Attribute"][0]["to_ids"] for one in made["Object"])
    assert not any(one["to_ids"] for one in made["Attribute"])
    shared = {one["value"]: one["type"] for one in made["Attribute"] if "shared" in one["comment"]}
    assert shared == {
        "instrument_1": "text",
        "192.0.2.7": "ip-src",
        "2001:db8::7": "ip-src",
        "dev_000005": "text",
        "not an address": "text",
    }


def test_a_reversal_updates_the_event_and_takes_its_accounts_out(sink: MispFiles) -> None:
    event = enforced()
    first, second = written(sink, event), written(sink, reversal(event))
    assert second["uuid"] == first["uuid"]
    assert second["date"] == first["date"]
    assert int(second["timestamp"]) > int(first["timestamp"])
    freed = event.accounts[0].account_id
    before, after = account_of(first, freed), account_of(second, freed)
    assert before["uuid"] == after["uuid"]
    assert before["Attribute"][0]["uuid"] == after["Attribute"][0]["uuid"]
    assert (before["deleted"], before["Attribute"][0]["deleted"]) == (False, False)
    assert (after["deleted"], after["Attribute"][0]["deleted"]) == (True, True)
    assert after["Attribute"][0]["to_ids"] is False
    assert int(after["Attribute"][0]["timestamp"]) > int(before["Attribute"][0]["timestamp"])
    assert [one["Attribute"][0]["value"] for one in second["Object"]] == [freed]


def test_a_reversal_of_all_is_no_threat_any_more(sink: MispFiles) -> None:
    part = reversal(enforced())
    whole = replace(part, reverses_all=True)
    assert written(sink, part)["threat_level_id"] == "2"
    assert written(sink, whole)["threat_level_id"] == "4"
    assert "nothing of it stands" in written(sink, whole)["info"]


def test_uuids_are_of_the_event_alone_and_never_twice(sink: MispFiles, tmp_path: Path) -> None:
    made = written(sink, hostile())
    again = written(MispFiles("other", tmp_path / "other", Sharing()), hostile())
    assert known_as(made) == known_as(again)
    things = [*made["Attribute"], *made["Object"], *(one["Attribute"][0] for one in made["Object"])]
    assert len({one["uuid"] for one in things}) == len(things)
    other = written(sink, enforced(version=9000))
    assert known_as(other).isdisjoint(known_as(made))


def test_what_is_said_twice_is_written_once_and_a_blank_never(sink: MispFiles) -> None:
    event = enforced()
    event = replace(
        event, grounds=replace(event.grounds, statements=("Same.", "Same.", " "), entities=("ip:",))
    )
    values = [one["value"] for one in written(sink, event)["Attribute"]]
    assert values.count("Same.") == 1
    assert all(value.strip() for value in values)


def made_from(tmp_path: Path, **table: Any) -> MispFiles:
    return MispFiles.from_settings("sharing", {"folder": "out", **table}, tmp_path)


def test_who_tells_whom_is_set_in_the_file(tmp_path: Path) -> None:
    uuid = "3d9b9a4e-6a0e-4b8b-8b3c-1a4b7f7f6a10"
    sink = made_from(
        tmp_path, distribution=1, tlp="red", organisation="Example AI", organisation_uuid=uuid.upper()
    )
    made = written(sink, enforced())
    assert (made["distribution"], made["Tag"]) == ("1", [{"name": "tlp:red"}])
    assert made["Orgc"] == {"name": "Example AI", "uuid": uuid}
    assert as_pymisp_has_it(made)["Orgc"] == made["Orgc"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"distribution": 4}, "from 0 to 3"),
        ({"distribution": 0.5}, "0, 1, 2 or 3"),
        ({"tlp": "ambre"}, "'amber'"),
        ({"organisation": "Example AI"}, "go together"),
        ({"organisation": "Example AI", "organisation_uuid": "7"}, "must be a uuid"),
    ],
)
def test_settings_that_are_off_are_refused(tmp_path: Path, table: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=f"'sharing'.*{said}"):
        made_from(tmp_path, **table)
