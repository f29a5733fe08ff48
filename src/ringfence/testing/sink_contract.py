"""What every sink must do: subclass :class:`SinkContract`, say how its entry reads, and look behind it.

::

    class TestMySink(SinkContract):
        kind = "mine"

        @pytest.fixture
        def backend(self, tmp_path: Path) -> Iterator[MyServer]: ...     # has got nothing yet

        def settings(self, backend) -> dict[str, Any]: ...    # the entry in the sinks file, without `kind`
        def held(self, backend) -> Any: ...                   # everything it has got; empty while nothing has
        def broken(self, backend) -> AbstractContextManager[None]: ...   # it fails inside, and works after
        def values(self, body: bytes) -> list[str]: ...       # every value in what render made, as text

``held`` reads the other side without the sink, and counts what it *applied*, so that a sink cannot agree with
itself; ``values`` parses the body with a parser of its own. A format that cannot hold one of the facts says
so by overriding ``facts``. Name the module ``test_sink_*.py`` and the class ``Test`` and the sink's class.
"""

# ruff: noqa: D102 - a test's name says what it tests

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ringfence.enforcement.events import Event, EventKind, idempotency_key
from ringfence.enforcement.sinks.open import KINDS, sink_class
from ringfence.enforcement.sinks.protocol import Delivery, GoneError, RefusedError, Sink, TryAgainError
from ringfence.errors import PolicyError
from ringfence.testing.sample_events import HOSTILE, MOMENT, enforced, hostile, reversal, superseded

__all__ = ["HOSTILE", "MOMENT", "SinkContract", "delivery", "enforced", "hostile", "reversal", "superseded"]

_OTHER_PROCESS = """
import json, sys, time
from hashlib import sha256
from pathlib import Path
from ringfence.enforcement.events import Event
from ringfence.enforcement.sinks.open import sink_class
kind, table, folder, event, second = json.load(sys.stdin)
sink = sink_class(kind).from_settings("place", table, Path(folder))
while time.time() < second + 1:
    time.sleep(0.01)
print(sha256(sink.render(Event.from_json(event))).hexdigest())
sink.close()
"""


def delivery(sink: Sink, event: Event, attempt: int = 1) -> Delivery:
    """Return an attempt to hand an event over, as the outbox makes it."""
    return Delivery(
        key=idempotency_key(event, sink.name),
        ring_id=event.ring_id,
        number=event.version - 8190,
        body=sink.render(event),
        occurred_at=event.occurred_at,
        attempt=attempt,
    )


class SinkContract(ABC):
    """The tests that every sink passes; see the module for how to subclass it."""

    kind: ClassVar[str]
    """What the sinks file calls it."""

    @abstractmethod
    def settings(self, backend: Any) -> dict[str, Any]:
        """Return the entry in the sinks file, without ``kind``; relative paths start at ``tmp_path``."""

    @abstractmethod
    def held(self, backend: Any) -> Any:
        """Return what the other side has applied, read without the sink: empty while there is nothing."""

    @abstractmethod
    def broken(self, backend: Any) -> AbstractContextManager[None]:
        """Within, the other side cannot take anything; afterwards it works again."""

    @abstractmethod
    def values(self, body: bytes) -> list[str]:
        """Return every value in a body as text, parsed without the sink; numbers as ``str`` has them."""

    def facts(self, event: Event) -> list[str]:
        """Return what a body must carry; each is searched within the body's values."""
        always = [
            event.ring_id,
            str(event.version),
            event.reason,
            *(one.account_id for one in event.accounts),
        ]
        action = [] if event.kind is EventKind.SUPERSEDED else [event.action.value]
        reverses = [] if event.reverses is None else [event.reverses]
        return [event.event_id, *always, *action, *reverses, *event.superseded_by]

    @pytest.fixture
    def sink(self, backend: Any, tmp_path: Path) -> Iterator[Sink]:
        """A sink that its entry in the sinks file made."""
        made = sink_class(self.kind).from_settings("place", self.settings(backend), tmp_path)
        yield made
        made.close()

    def test_it_is_registered_and_has_its_name(self, sink: Sink) -> None:
        assert KINDS[self.kind].rsplit(".", 1)[1] == type(sink).__name__
        assert sink.name == "place"
        assert "/" in sink.media_type

    def test_an_unknown_key_is_refused_by_name(self, backend: Any, tmp_path: Path) -> None:
        table = {**self.settings(backend), "no_such_key": "swordfish"}
        with pytest.raises(PolicyError, match=r"'place'.*no_such_key") as refused:
            sink_class(self.kind).from_settings("place", table, tmp_path)
        assert "swordfish" not in str(refused.value)

    @pytest.mark.parametrize("which", ["enforced", "reversed", "superseded"])
    def test_it_carries_the_facts(self, sink: Sink, which: str) -> None:
        event = _event(which)
        self._assert_carried(sink, event)

    def test_hostile_texts_survive(self, sink: Sink) -> None:
        self._assert_carried(sink, hostile())

    @pytest.mark.parametrize("which", ["enforced", "reversed", "superseded", "hostile"])
    def test_an_event_gives_the_same_bytes_again(self, sink: Sink, which: str) -> None:
        event = _event(which)
        assert sink.render(event) == sink.render(Event.from_json(event.as_json()))

    def test_events_that_differ_give_bytes_that_differ(self, sink: Sink) -> None:
        event = enforced()
        others = [
            enforced(version=8200),
            replace(event, reason="Another reason."),
            replace(event, accounts=event.accounts[:2]),
            reversal(event),
        ]
        assert len({sink.render(one) for one in [event, *others]}) == 5

    def test_another_process_at_another_time_gives_the_same_bytes(
        self, backend: Any, sink: Sink, tmp_path: Path
    ) -> None:
        ours = sha256(sink.render(hostile())).hexdigest()
        given = [self.kind, self.settings(backend), str(tmp_path), hostile().as_json(), int(time.time())]
        seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
        said = subprocess.run(
            [sys.executable, "-c", _OTHER_PROCESS],
            input=json.dumps(given),
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.stdout.strip() == ours, said.stderr

    def test_what_is_sent_arrives_with_a_receipt(self, backend: Any, sink: Sink) -> None:
        assert not self.held(backend)
        receipt = sink.send(delivery(sink, enforced()))
        assert receipt.strip()
        assert self.held(backend)

    def test_a_second_send_of_a_key_changes_nothing(self, backend: Any, sink: Sink) -> None:
        sink.send(delivery(sink, enforced()))
        before = self.held(backend)
        sink.send(delivery(sink, enforced(), attempt=2))
        assert self.held(backend) == before

    def test_another_sink_of_the_entry_honours_the_key(
        self, backend: Any, sink: Sink, tmp_path: Path
    ) -> None:
        sink.send(delivery(sink, enforced()))
        before = self.held(backend)
        after_a_restart = sink_class(self.kind).from_settings("place", self.settings(backend), tmp_path)
        after_a_restart.send(delivery(after_a_restart, enforced(), attempt=2))
        after_a_restart.close()
        assert self.held(backend) == before

    def test_every_kind_of_event_is_taken(self, backend: Any, sink: Sink) -> None:
        seen = []
        for event in (enforced(), reversal(enforced()), superseded(enforced())):
            sink.send(delivery(sink, event))
            seen.append(self.held(backend))
        assert seen[0] != seen[1] != seen[2] != seen[0]

    def test_a_failure_is_one_of_three_and_is_mended_by_the_next_try(self, backend: Any, sink: Sink) -> None:
        with self.broken(backend), pytest.raises((TryAgainError, RefusedError, GoneError)) as failed:
            sink.send(delivery(sink, enforced()))
        assert failed.type is TryAgainError, "what passes by itself must be tried again"
        assert str(failed.value).strip()
        assert not self.held(backend)
        sink.send(delivery(sink, enforced(), attempt=2))
        assert self.held(backend)

    def test_it_can_be_closed_twice(self, sink: Sink) -> None:
        sink.send(delivery(sink, enforced()))
        sink.close()
        sink.close()

    def _assert_carried(self, sink: Sink, event: Event) -> None:
        values = self.values(sink.render(event))
        missing = [fact for fact in self.facts(event) if not any(fact in value for value in values)]
        assert missing == []


def _event(which: str) -> Event:
    return {
        "enforced": enforced(),
        "reversed": reversal(enforced()),
        "superseded": superseded(enforced()),
        "hostile": hostile(),
    }[which]
