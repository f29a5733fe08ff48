from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import stix2
from stix_reading import leaves
from taxii_server import LIMIT, PASSWORD, USER, Server, collection_id, held, prepared
from taxii_stand_in import StandIn, standing_in, status

from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks import taxii
from ringfence.enforcement.sinks.protocol import RefusedError, TryAgainError
from ringfence.enforcement.sinks.stix_bundle import objects
from ringfence.enforcement.sinks.stix_objects import Producer
from ringfence.enforcement.sinks.taxii import MOST_OBJECTS, Taxii, split
from ringfence.errors import PolicyError
from ringfence.testing.sink_contract import SinkContract, delivery, enforced, reversal, superseded

PRODUCER = Producer("Example AI", "amber")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = prepared(tmp_path_factory.mktemp("medallion"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with standing_in() as listening:
        yield listening


def entry(url: str, password_file: Path, /, **other: Any) -> dict[str, Any]:
    """Return an entry; keys given as None are left out."""
    password_file.write_text(f"{PASSWORD}\n")
    table = {
        "url": url,
        "allow_private": True,
        "user": USER,
        "password_file": str(password_file),
        "producer": "Example AI",
        **other,
    }
    return {key: value for key, value in table.items() if value is not None}


@contextmanager
def opened(url: str, base: Path, /, **other: Any) -> Iterator[Taxii]:
    with closing(Taxii.from_settings("place", entry(url, base / "password", **other), base)) as sink:
        yield sink


def send(url: str, base: Path, event: Event, /, **other: Any) -> str:
    with opened(url, base, **other) as sink:
        return sink.send(delivery(sink, event))


def many(accounts: int) -> Event:
    return enforced(accounts=tuple(f"acct_{number:05}" for number in range(accounts)))


class TestTaxii(SinkContract):
    kind = "taxii"

    @pytest.fixture
    def backend(self, server: Server, tmp_path: Path) -> tuple[Server, str, Path]:
        return server, server.fresh(), tmp_path / "password"

    def settings(self, backend: tuple[Server, str, Path]) -> dict[str, Any]:
        _, url, password_file = backend
        return entry(url, password_file)

    def held(self, backend: tuple[Server, str, Path]) -> dict[tuple[str, str], dict[str, Any]]:
        return held(backend[1])

    @contextmanager
    def broken(self, backend: tuple[Server, str, Path]) -> Iterator[None]:
        backend[0].kill()
        try:
            yield
        finally:
            backend[0].start()

    def values(self, body: bytes) -> list[str]:
        return list(leaves(json.loads(body)))


def test_what_was_pushed_is_read_back_as_it_was(server: Server, tmp_path: Path) -> None:
    url = server.fresh()
    assert send(url, tmp_path, enforced()) == "24 objects added, 0 there already"
    told = json.loads(json.dumps(objects(enforced(), PRODUCER)))
    read = held(url)
    assert sorted(read) == sorted((one["id"], one.get("modified", "")) for one in told)
    assert all(one in read.values() for one in told)
    assert stix2.parse(
        {"type": "bundle", "id": f"bundle--{collection_id(1)}", "objects": list(read.values())}
    )


def test_what_is_there_already_is_not_doubled_and_no_failure(server: Server, tmp_path: Path) -> None:
    url = server.fresh()
    send(url, tmp_path, enforced())
    assert send(url, tmp_path, enforced()) == "0 objects added, 24 there already"
    assert send(url, tmp_path, reversal(enforced())) == "3 objects added, 3 there already"
    assert send(url, tmp_path, superseded(enforced())) == "4 objects added, 2 there already"
    read = held(url)
    campaigns = [one for one in read.values() if one["type"] == "campaign" and one["name"] == "R-5f0c2a19"]
    assert len({one["modified"] for one in campaigns}) == len(campaigns) == 3
    (revoked,) = [one for one in read.values() if one.get("revoked")]
    assert max(version for name, version in read if name == revoked["id"]) == revoked["modified"]


def test_a_large_ring_goes_in_envelopes_that_the_server_takes(server: Server, tmp_path: Path) -> None:
    event, url = many(60), server.fresh()
    told = objects(event, PRODUCER)
    envelopes = list(split(told, LIMIT))
    assert len(envelopes) > 5
    assert max(map(len, envelopes)) <= LIMIT
    assert [one for each in envelopes for one in json.loads(each)["objects"]] == told
    assert send(url, tmp_path, event) == f"{len(told):,} objects added, 0 there already"
    assert len(held(url)) == len(told)


def test_an_envelope_is_full_to_the_byte_and_to_the_object() -> None:
    told = [{"id": f"x--{number}"} for number in range(2 * MOST_OBJECTS + 1)]
    assert [len(json.loads(each)["objects"]) for each in split(told, 1 << 30)] == [500, 500, 1]
    whole = len(next(split(told[:3], 1 << 30)))
    assert len(list(split(told[:3], whole))) == 1
    assert len(list(split(told[:3], whole - 1))) == 2
    assert list(split([], 100)) == []


def test_an_object_that_is_too_long_alone_is_refused_before_anything_is_sent(
    server: Server, tmp_path: Path
) -> None:
    url = server.fresh()
    with pytest.raises(RefusedError, match=r"grouping--.* alone has"):
        send(url, tmp_path, many(300))
    assert not held(url)


def test_after_the_server_was_killed_midway_the_next_try_completes_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An envelope an object, so that there is a long way to be killed on.
    monkeypatch.setattr(taxii, "MOST_OBJECTS", 1)
    event, url = many(60), server.fresh()
    failures: list[Exception] = []

    def push() -> None:
        try:
            send(url, tmp_path, event)
        except TryAgainError as error:
            failures.append(error)

    sender = threading.Thread(target=push)
    sender.start()
    while sender.is_alive() and not held(url):
        time.sleep(0.005)
    server.kill()
    sender.join()
    with pytest.raises(TryAgainError, match="Cannot connect"):
        send(url, tmp_path, event)
    server.start()
    assert len(failures) == 1
    assert send(url, tmp_path, event) == f"{len(objects(event, PRODUCER)):,} objects added, 0 there already"
    assert len(held(url)) == len(objects(event, PRODUCER))


def test_who_is_not_let_in_tries_again(server: Server, tmp_path: Path) -> None:
    url = server.fresh()
    (tmp_path / "wrong").write_text("wrong")
    with pytest.raises(TryAgainError, match="401"):
        send(url, tmp_path, enforced(), password_file="wrong")
    with pytest.raises(TryAgainError, match="401"):
        send(url, tmp_path, enforced(), user=None, password_file=None)
    with pytest.raises(TryAgainError, match="404"):
        send(url.replace(collection_id(server.used), collection_id(-1)), tmp_path, enforced())
    with pytest.raises(TryAgainError, match="does not let us write"):
        send(url.replace(collection_id(server.used), collection_id(38)), tmp_path, enforced())
    assert not held(url)


def test_what_cannot_be_looked_up_counts_as_refused(server: Server, tmp_path: Path) -> None:
    url = server.fresh().replace(collection_id(server.used), collection_id(39))
    assert send(url, tmp_path, enforced()).startswith("24 objects added")
    with pytest.raises(RefusedError, match="took 0 of 24 objects and refused 24"):
        send(url, tmp_path, enforced())


def test_a_server_that_takes_objects_in_later_is_waited_for(stand_in: StandIn, tmp_path: Path) -> None:
    pending = status("pending", pending=24)
    stand_in.added, stand_in.polled = pending, [pending, status("complete", success=24)]
    assert send(stand_in.url, tmp_path, enforced()) == "24 objects added, 0 there already"
    stand_in.polled = [pending]
    with pytest.raises(TryAgainError, match="After 1 s, 24 of 24 objects are still"):
        send(stand_in.url, tmp_path, enforced(), patience=1)


def test_what_is_refused_is_told_with_counts(stand_in: StandIn, tmp_path: Path) -> None:
    marking = PRODUCER.marking
    failed = [{"id": marking, "message": "no <such>\nmarking"}, {"id": PRODUCER.identity}]
    stand_in.added = {**status("complete", success=22, failure=2), "failures": failed}
    stand_in.manifest = (
        200,
        {"objects": [{"id": PRODUCER.identity, "version": "2026-03-01T00:00:00.000000Z"}]},
    )
    with pytest.raises(
        RefusedError, match=f"took 22 of 24 objects and refused 1; of {marking} it says 'no <such>"
    ):
        send(stand_in.url, tmp_path, enforced())
    stand_in.added = status("complete", success=22, failure=2)
    with pytest.raises(RefusedError, match="refused 23"):
        send(stand_in.url, tmp_path, enforced())
    stand_in.manifest = (400, {})
    with pytest.raises(TryAgainError, match="400"):
        send(stand_in.url, tmp_path, enforced())


@pytest.mark.parametrize(
    ("where", "answer", "says"),
    [
        ("added", {"id": "s-1"}, "not TAXII 2.1"),
        ("added", [1], "not TAXII 2.1"),
        ("added", b"{", "no JSON"),
        ("root", {"title": "R"}, "not TAXII 2.1"),
        ("collection", {"id": "c-2"}, "not TAXII 2.1"),
        ("media_type", "text/html", "does not speak TAXII 2.1 there: it answered with 'text/html'"),
    ],
)
def test_what_is_no_taxii_is_told(
    where: str, answer: Any, says: str, stand_in: StandIn, tmp_path: Path
) -> None:
    setattr(stand_in, where, answer)
    with pytest.raises(TryAgainError, match=says):
        send(stand_in.url, tmp_path, enforced())


def test_a_token_is_shown_as_bearer(stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open sesame")
    send(stand_in.url, tmp_path, enforced(), user=None, password_file=None, token_file="token")
    assert stand_in.shown == {"Bearer open sesame"}


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"url": "https://taxii.example.com/api1/"}, "ends in /collections/ID/"),
        ({"url": "https://taxii.example.com/collections/1/?x=1"}, "ends in /collections/ID/"),
        ({"user": None}, "belong together"),
        ({"token_file": "password"}, "cannot stand beside a token"),
        ({"producer": None}, "producer is missing"),
        ({"allow_private": False}, "open internet"),
        ({"url": "https://taxii.example.com/collections/1/", "ca_file": "password"}, "holds no certificates"),
    ],
)
def test_a_wrong_entry_is_told(other: dict[str, Any], says: str, tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/root/collections/1/"
    with pytest.raises(PolicyError, match=says), opened(url, tmp_path, **other):
        pass
