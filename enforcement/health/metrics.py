"""The figures of a status as gauges: for Prometheus' textfile collector, and pushed by OTLP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ringfence.enforcement.health.standing import Health
from ringfence.errors import OutputError, UsageError
from ringfence.files import whole_file

_ENDINGS = {"s": "_seconds", "1": "_ratio"}
"""Unit, as OpenTelemetry writes it → how Prometheus ends a name; a count has neither."""
_OTLP_PATH = "/v1/metrics"
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """One figure, or one for each value of a label."""

    name: str
    """With dots, as OpenTelemetry has it, ``ringfence.`` in front."""
    unit: str
    """``s``, ``1`` for a share or ratio, or ``{thing}`` for a count."""
    meaning: str
    label: str | None
    values: Mapping[str, float]
    """Value of the label → figure; the empty text where there is no label."""

    @property
    def prometheus_name(self) -> str:
        """The name that Prometheus has it under."""
        return self.name.replace(".", "_") + _ENDINGS.get(self.unit, "")


def gauges(found: Health) -> list[Gauge]:
    """Return the figures of a status; what is not known is left out, and is not 0."""
    return [one for one in (*_casework(found), *_runs(found), *_sealed(found)) if one.values]


def prometheus_text(found: Health) -> str:
    """Return the figures in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client import Gauge as PrometheusGauge

    registry = CollectorRegistry()
    for one in gauges(found):
        gauge = PrometheusGauge(
            one.prometheus_name, one.meaning, [one.label] if one.label else [], registry=registry
        )
        for value, figure in one.values.items():
            (gauge.labels(value) if one.label else gauge).set(figure)
    return generate_latest(registry).decode()


def write_prometheus(found: Health, path: Path) -> None:
    """Write the figures for node_exporter's textfile collector, whole or not at all.

    Raises:
        UsageError: the name does not end with ``.prom``, by which the collector knows its files.
        OutputError: the file cannot be written; what stood there stays.
    """
    if path.suffix != ".prom":
        raise UsageError(f"{path}: the textfile collector reads files that end with .prom, and no others.")
    text = prometheus_text(found)
    with whole_file(path) as building:
        building.write_text(text, encoding="utf-8")
        # The collector runs as another user.
        building.chmod(0o644)


def push_otlp(found: Health, endpoint: str) -> None:
    """Push the figures once to an OpenTelemetry receiver, as protobuf over HTTP.

    Args:
        found: The status.
        endpoint: Such as ``http://127.0.0.1:4318``; without a path, the usual one is added.

    Raises:
        UsageError: the address is none, or the packages are not installed.
        OutputError: the receiver did not take them.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
        from opentelemetry.sdk.resources import Resource
    except ImportError as error:
        raise UsageError("--otlp needs more packages: pip install 'ringfence[otel]'.") from error
    address = otlp_address(endpoint)
    reader = InMemoryMetricReader()
    resource = Resource.create({"service.name": "ringfence"})
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    meter = provider.get_meter("ringfence")
    for one in gauges(found):
        gauge = meter.create_gauge(one.name, one.unit, one.meaning)
        for value, figure in one.values.items():
            gauge.set(figure, {one.label: value} if one.label else {})
    exporter = OTLPMetricExporter(endpoint=address, timeout=_TIMEOUT)
    try:
        data = reader.get_metrics_data()
        taken = data is not None and exporter.export(data) is MetricExportResult.SUCCESS
    finally:
        exporter.shutdown()
        provider.shutdown()
    if not taken:
        raise OutputError(
            f"The receiver at {urlsplit(address).hostname} did not take the metrics. "
            "Does it speak OTLP over HTTP?"
        )


def otlp_address(endpoint: str) -> str:
    """Return the address that metrics are posted to.

    Raises:
        UsageError: it is no HTTP address.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{endpoint!r} is no address of a receiver; write http://127.0.0.1:4318.")
    return urlunsplit(parts._replace(path=_OTLP_PATH)) if parts.path in ("", "/") else endpoint


def _casework(found: Health) -> Iterator[Gauge]:
    yield _each("cases", "{case}", "Rings of the casebook by state", "state", found.cases)
    yield _one(
        "orders.awaiting_approval", "{order}", "Orders that wait for approval", found.awaiting_approval
    )
    by_sink = {one.sink: one for one in found.outbox}
    waiting = {name: one.waiting for name, one in by_sink.items()}
    yield _each("outbox.waiting", "{event}", "Events that a sink has not got yet", "sink", waiting)
    dead = {name: one.dead for name, one in by_sink.items()}
    yield _each("outbox.dead", "{event}", "Events given up; a person must look", "sink", dead)
    oldest = {name: one.oldest_seconds or 0.0 for name, one in by_sink.items()}
    yield _each("outbox.oldest", "s", "Age of the oldest event that waits, 0 for none", "sink", oldest)
    halted = {name: float(one.halted is not None) for name, one in by_sink.items()}
    yield _each("outbox.halted", "{sink}", "1 where a sink has told us to stop", "sink", halted)
    yield _one("brake.on", "{brake}", "1 where automatic orders are halted", float(found.brake is not None))


def _runs(found: Health) -> Iterator[Gauge]:
    run = found.last_run
    if run is not None:
        yield _one("run.age", "s", "Time since the newest run was recorded", run.age_seconds)
        yield _one(
            "run.rejected", "1", "Share of the newest run's rows that were refused", run.rejected_share
        )
        yield _one(
            "run.flagged", "1", "Share of the newest run's accounts that were flagged", run.flagged_share
        )
        yield _one("run.flagged_usual", "1", "Median flagged share of the runs before", run.usual_share)
        yield _one("run.drift", "1", "Flagged share over the usual one", run.drift)
    yield _one(
        "scoring.lag", "s", "Time since the end of the newest scored window", found.scoring.lag_seconds
    )
    yield _one(
        "scoring.unfinished", "{job}", "Scoring jobs begun and not done with", found.scoring.unfinished
    )
    audit = found.audit
    yield _one("audit.entries", "{entry}", "Entries of the audit log", audit.entries)
    yield _one("audit.unsigned", "{entry}", "Entries that no checkpoint covers yet", audit.unsigned)
    yield _one("audit.checkpoint_age", "s", "Time since the last checkpoint", audit.checkpoint_age_seconds)


def _sealed(found: Health) -> Iterator[Gauge]:
    yield _one("exhibits.enabled", "{switch}", "1 where prompts may be sealed", float(found.exhibits_enabled))
    yield _each("exhibits", "{exhibit}", "Exhibits by state", "state", found.exhibits)
    yield _one("exhibits.requests", "{request}", "Requests that wait for a custodian", found.unlock_requests)
    yield _each("holds", "{hold}", "Legal holds by state", "state", found.holds)
    when = datetime.fromisoformat(found.at).timestamp()
    yield _one("status.timestamp", "s", "When this was read, since 1970", when)


def _one(name: str, unit: str, meaning: str, value: float | None) -> Gauge:
    return Gauge(f"ringfence.{name}", unit, meaning, None, {} if value is None else {"": value})


def _each(name: str, unit: str, meaning: str, label: str, values: Mapping[str, float]) -> Gauge:
    return Gauge(f"ringfence.{name}", unit, meaning, label, values)
