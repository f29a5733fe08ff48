"""What the status says is what the casebook holds, in every form that it is told in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from case_samples import accounts, recorded, ring, run_of
from exhibit_samples import custodian, ordered, sealed_ring
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from stopped_clock import START, Clock
from typer.testing import CliRunner

from ringfence.cli import app
from ringfence.enforcement.audit.keeping import sign_news
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.exhibits.unlock import request
from ringfence.enforcement.health.metrics import otlp_address, prometheus_text, push_otlp, write_prometheus
from ringfence.enforcement.health.standing import Health, health
from ringfence.enforcement.holds import place_hold
from ringfence.errors import OutputError, UsageError
from ringfence.state import StateFolder


@pytest.fixture
def busy(book: Casebook, state: StateFolder, clock: Clock) -> Health:
    """A bit of everything, at times that are known."""
    custodian(book, "bob")
    sealed_ring(book, 3, "R-1", "one")
    ordered(book, "R-2", "two")
    ordered(book, "R-3", "three", approvals=1)
    with book.writing("ada") as writing:
        request(writing, "R-1", "Appeal.")
        place_hold(writing, bytes(32), "one_00001", "legal", "Case.", START.replace(year=2027))
    book._connection.execute("UPDATE exports SET status = 'dead' WHERE number > 1")
    clock.go_on(minutes=10)
    late = run_of(ring("R-9", accounts(600, "late")), name="run-late")
    with book.writing("score") as writing:
        record_run(writing, replace(late, manifest={"rows": {"in": 200, "rejected": 3}}))
    clock.go_on(minutes=5)
    return health(book, state, ["desk", "empty"])


def test_the_status_is_what_the_casebook_holds(busy: Health) -> None:
    assert {name: count for name, count in busy.cases.items() if count} == {
        "confirmed": 2,
        "enforced": 1,
        "new": 1,
    }
    assert busy.awaiting_approval == 1
    desk, empty = busy.outbox
    assert (desk.sink, desk.waiting, desk.dead, desk.oldest_seconds) == ("desk", 1, 0, 900)
    assert (empty.sink, empty.waiting, empty.oldest_seconds) == ("empty", 0, None)
    run = busy.last_run
    assert run is not None
    assert (run.run_id, run.age_seconds, run.rejected_share) == ("run-late", 300, 3 / 200)
    assert run.flagged_share == 0.06
    assert run.usual_share == 4 / 10_000
    assert run.drift == pytest.approx(150)
    assert (busy.exhibits["sealed"], busy.unlock_requests, busy.holds["standing"]) == (3, 1, 1)
    assert busy.brake is None
    assert json.loads(json.dumps(busy.as_json()))["cases"]["enforced"] == 1


def test_an_empty_casebook_has_a_status(book: Casebook, state: StateFolder) -> None:
    found = health(book, state)

    assert (found.last_run, found.outbox, found.scoring.scored_until) == (None, (), None)
    assert set(found.cases.values()) == {0}
    assert "ringfence_run_age_seconds" not in prometheus_text(found)


def test_what_is_signed_is_told_with_its_age(book: Casebook, state: StateFolder) -> None:
    recorded(book, ring("R-1", accounts(4)))
    assert health(book, state).audit.unsigned == 1
    sign_news(book, state)
    assert (health(book, state).audit.unsigned, health(book, state).audit.problem) == (0, None)
    state.checkpoints.write_text("nonsense\n")
    damaged = health(book, state).audit
    assert damaged.unsigned == 1
    assert damaged.problem


def test_prometheus_reads_every_figure(busy: Health, tmp_path: Path) -> None:
    path = tmp_path / "ringfence.prom"
    path.write_text("old")
    write_prometheus(busy, path)
    read = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }

    assert read["ringfence_outbox_oldest_seconds", ("desk",)] == 900
    assert read["ringfence_outbox_waiting", ("empty",)] == 0
    assert read["ringfence_cases", ("in review",)] == 0
    assert read["ringfence_run_rejected_ratio", ()] == 0.015
    assert read["ringfence_run_drift_ratio", ()] == pytest.approx(150)
    assert read["ringfence_brake_on", ()] == 0
    assert read["ringfence_status_timestamp_seconds", ()] == START.timestamp() + 900
    assert [one.name for one in tmp_path.iterdir() if "prom" in one.name] == ["ringfence.prom"]


def test_a_prometheus_file_that_cannot_be_written_is_said(busy: Health, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"end with \.prom"):
        write_prometheus(busy, tmp_path / "metrics.txt")
    with pytest.raises(OutputError, match="Cannot write"):
        write_prometheus(busy, tmp_path / "missing" / "ringfence.prom")


class _Receiver(BaseHTTPRequestHandler):
    """Takes what an OTLP receiver takes, and decodes it."""

    got: list[tuple[str, ExportMetricsServiceRequest]]
    answer = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        decoded = ExportMetricsServiceRequest.FromString(body)
        self.got.append((self.path, decoded))
        self.send_response(self.answer)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def receiver(answer: int = 200) -> Iterator[tuple[str, list[tuple[str, ExportMetricsServiceRequest]]]]:
    got: list[tuple[str, ExportMetricsServiceRequest]] = []
    handler = type("_Receiving", (_Receiver,), {"got": got, "answer": answer})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_a_receiver_gets_the_same_figures_by_otlp(busy: Health) -> None:
    with receiver() as (address, got):
        push_otlp(busy, address)

    path, sent = got[0]
    points = {
        (metric.name, metric.unit, tuple(one.value.string_value for one in point.attributes)): point
        for resource in sent.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.gauge.data_points
    }
    read = {key: point.as_double or float(point.as_int) for key, point in points.items()}
    assert (len(got), path) == (1, "/v1/metrics")
    assert read["ringfence.outbox.oldest", "s", ("desk",)] == 900
    assert read["ringfence.run.rejected", "1", ()] == 0.015
    assert read["ringfence.cases", "{case}", ("confirmed",)] == 2
    lines = [line for line in prometheus_text(busy).splitlines() if not line.startswith("#")]
    assert len(points) == len(lines)
    named = {one.key: one.value.string_value for one in sent.resource_metrics[0].resource.attributes}
    assert named["service.name"] == "ringfence"


def test_a_receiver_that_does_not_take_them_is_said(busy: Health) -> None:
    with receiver(400) as (address, _got), pytest.raises(OutputError, match="did not take the metrics"):
        push_otlp(busy, address)


@pytest.mark.parametrize("address", ["localhost:4318", "ftp://host", "http://", ""])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        otlp_address(address)
    assert otlp_address("https://host/own/path") == "https://host/own/path"


def test_without_the_packages_it_is_said_which(busy: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.metrics", None)
    with pytest.raises(UsageError, match=r"ringfence\[otel\]"):
        push_otlp(busy, "http://127.0.0.1:1")


def test_the_command_tells_people_and_programs(busy: Health, state: StateFolder, tmp_path: Path) -> None:
    run = CliRunner()
    state.sinks.write_text('[sinks.desk]\nkind = "jsonl"\nfolder = "out"\n')
    words = ["status", "--state", str(state.root)]
    said = run.invoke(app, words).stdout

    assert "1 enforced" in said
    assert "Orders awaiting approval: 1" in said
    assert "150.0× the usual" in said
    assert "1.50% of its rows refused" in said
    assert "desk" in said
    path = tmp_path / "r.prom"
    as_json = run.invoke(app, [*words, "--json", "--prometheus", str(path)])
    assert json.loads(as_json.stdout)["awaiting_approval"] == 1
    assert 'ringfence_outbox_waiting{sink="desk"} 1.0' in path.read_text()
