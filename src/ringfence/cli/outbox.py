"""``ringfence outbox``: what waits to be sent, sending it, and what to do about what got stuck."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.say import say_rows, warn
from ringfence.cli.state import AsJson, ByOption, StateOption, open_casebook
from ringfence.errors import UnknownCaseError, UsageError, near_names

if TYPE_CHECKING:
    from ringfence.enforcement.casebook.database import Casebook
    from ringfence.enforcement.outbox.deliver import Delivered
    from ringfence.enforcement.outbox.status import SinkStatus
    from ringfence.enforcement.sinks.protocol import Sink

app = typer.Typer(
    help="Send what was decided, and see what got stuck.", no_args_is_help=True, rich_markup_mode=None
)

SinkOption = Annotated[str | None, typer.Option("--sink", metavar="NAME", help="This sink alone.")]

_MANY = 200
"""From this many exports on, a bar shows how far it is."""


@app.command()
def status(state: StateOption, as_json: AsJson = False) -> None:
    """Show what waits for each sink, how old it is, and what got stuck."""
    from ringfence.enforcement.sinks.open import read_entries
    from ringfence.state import StateFolder

    named = [entry.name for entry in read_entries(StateFolder(state).sinks)]
    with open_casebook(state) as book:
        found = _status(book, named)
    if as_json:
        rows = [{**one.as_json(), "known": one.sink in named} for one in found]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not found:
        typer.echo("The sinks file names no sink, and nothing was ever sent.")
        return
    _show(found, named)


@app.command()
def deliver(
    state: StateOption,
    by: ByOption,
    sink: SinkOption = None,
    watch: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.1, help="Go on for ever, and look anew this often."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send what is due. May run several times at once, and be stopped at any moment."""
    if dry_run and watch is not None:
        raise UsageError("--dry-run looks once; leave out --watch.")
    with open_casebook(state) as book, _sinks(state, book, sink) as sinks:
        if dry_run:
            _say_due(_status(book, sinks), sinks, as_json=as_json)
            return
        with _stoppable():
            _say_delivered(_deliver(book, sinks, by), as_json=as_json)
            _warn_stuck(_status(book, sinks), sinks)
            if watch is not None:
                _watch(book, sinks, by, watch, as_json=as_json)


@app.command()
def retry(
    state: StateOption,
    by: ByOption,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Idempotency key of a dead letter.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    sink: SinkOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be put back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put dead letters back; `deliver` sends them."""
    from ringfence.enforcement.outbox.retry import dead_letters, retry_all, retry_one

    if (key is None) is not every or (key is not None and sink is not None):
        raise UsageError(
            "Name the KEY of one dead letter, or --all of them, those of one --sink if you like."
        )
    with open_casebook(state) as book:
        if dry_run:
            with book.reading() as connection:
                back, stay = dead_letters(connection, sink, key)
        else:
            with book.writing(by) as writing:
                back, stay = retry_all(writing, sink) if key is None else (retry_one(writing, key), [])
    if as_json:
        typer.echo(json.dumps({"put_back": back, "stay": stay, "dry_run": dry_run}))
        return
    typer.echo(f"{len(back):,} {'would be' if dry_run else ''} put back.".replace("  ", " "))
    if stay:
        warn(
            f"{len(stay):,} stay: later events of their rings went out already. Reverse their orders, and "
            f"order anew. The first is {stay[0]}."
        )


@app.command()
def resume(
    state: StateOption,
    by: ByOption,
    sink: Annotated[str, typer.Argument(metavar="SINK", help="A sink that wanted nothing any more.")],
    as_json: AsJson = False,
) -> None:
    """Let a sink go on that was halted."""
    from ringfence.enforcement.outbox.retry import resume as resume_sink

    with open_casebook(state) as book, book.writing(by) as writing:
        waiting = resume_sink(writing, sink)
    if as_json:
        typer.echo(json.dumps({"sink": sink, "waiting": waiting}))
    else:
        typer.echo(f"{sink} goes on; {waiting:,} wait for it.")


@contextmanager
def _sinks(state: Path, book: Casebook, only: str | None) -> Iterator[Mapping[str, Sink]]:
    """Open the sinks, or the one that is named; close them after."""
    from contextlib import ExitStack

    from ringfence.enforcement.sinks.open import open_sinks
    from ringfence.state import StateFolder

    path = StateFolder(state).sinks
    sinks = open_sinks(path)
    with ExitStack() as stack:
        for one in sinks.values():
            stack.callback(one.close)
        if only is not None and only not in sinks:
            raise UnknownCaseError(f"{path} names no sink {only!r}.{near_names(only, sinks)}")
        _warn_unknown(book, sinks, path)
        yield sinks if only is None else {only: sinks[only]}


def _warn_unknown(book: Casebook, sinks: Mapping[str, Sink], path: Path) -> None:
    rows = book.read("SELECT DISTINCT sink FROM exports WHERE status = 'waiting'")
    for name in sorted({row["sink"] for row in rows} - sinks.keys()):
        warn(f"Exports wait for {name}, which {path} does not name; they stay.")


def _status(book: Casebook, names: Mapping[str, Sink] | list[str]) -> list[SinkStatus]:
    from ringfence.enforcement.outbox.backoff import Backoff
    from ringfence.enforcement.outbox.status import status as sink_status

    with book.reading() as connection:
        return sink_status(connection, book.now, Backoff().longest, names)


def _deliver(book: Casebook, sinks: Mapping[str, Sink], by: str) -> Delivered:
    from ringfence.enforcement.outbox.deliver import deliver as drain
    from ringfence.progress import BarDisplay, QuietDisplay

    many = sum(one.waiting for one in _status(book, sinks) if one.sink in sinks) >= _MANY
    with (BarDisplay() if many else QuietDisplay()).stage("Delivering") as tick:
        return drain(book, sinks, by=by, tick=tick)


def _watch(book: Casebook, sinks: Mapping[str, Sink], by: str, every: float, *, as_json: bool) -> None:
    import time

    from ringfence.enforcement.outbox.deliver import Delivered

    while True:
        time.sleep(every)
        done = _deliver(book, sinks, by)
        if done != Delivered():
            _say_delivered(done, as_json=as_json)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let what is on its way finish when a service manager says stop, as when a person presses Ctrl-C."""
    import signal

    def stop(*_told: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_delivered(done: Delivered, *, as_json: bool) -> None:
    counts = done.as_json()
    if as_json:
        typer.echo(json.dumps(counts))
        return
    told = [f"{count:,} {what}" for what, count in counts.items() if count]
    typer.echo(", ".join(told).capitalize() + "." if told else "Nothing is due.")
    if done.failed:
        warn("`ringfence outbox status` says why; what failed is tried again when it is due.")


def _warn_stuck(found: list[SinkStatus], sinks: Mapping[str, Sink]) -> None:
    for one in found:
        if one.sink not in sinks:
            continue
        if one.halted is not None:
            warn(f"{one.sink} is halted: {one.halted} Ask them, then `ringfence outbox resume {one.sink}`.")
        if one.dead:
            warn(f"{one.sink} has {one.dead:,} dead letters: {one.last_error} See `ringfence outbox status`.")


def _say_due(found: list[SinkStatus], sinks: Mapping[str, Sink], *, as_json: bool) -> None:
    rows = [one for one in found if one.sink in sinks]
    if as_json:
        typer.echo(json.dumps([{"sink": one.sink, "due": one.due, "waiting": one.waiting} for one in rows]))
        return
    for one in rows:
        typer.echo(f"{one.sink}: {one.due:,} would go now, one of each ring; {one.waiting:,} wait.")
    if not rows:
        typer.echo("The sinks file names no sink.")


def _show(found: list[SinkStatus], named: list[str]) -> None:
    heading = ("sink", "waiting", "due", "dead", "delivered", "withdrawn", "oldest", "state")
    rows = [
        (
            one.sink,
            *(f"{count:,}" for count in (one.waiting, one.due, one.dead, one.delivered, one.withdrawn)),
            "" if one.oldest_seconds is None else f"{one.oldest_seconds:,.0f} s",
            "not in the sinks file" if one.sink not in named else "halted" if one.halted is not None else "",
        )
        for one in found
    ]
    say_rows("Outbox", [heading, *rows])
    for one in found:
        if one.last_error is not None:
            typer.echo(f"  {one.sink}: {one.last_error}")
