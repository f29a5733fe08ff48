"""``ringfence run``: logs in, rings out."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.state import ByOption, OptionalState
from ringfence.config import DEFAULT_SEED, Settings
from ringfence.errors import StoreConflictError, StoreError

if TYPE_CHECKING:
    from ringfence.pipeline.run import RunResult
    from ringfence.progress import Display

TOO_MANY_REJECTED = 3


class Device(StrEnum):
    """Where the network is trained."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class TableEngine(StrEnum):
    """What links accounts."""

    DUCKDB = "duckdb"
    SPARK = "spark"


EngineOption = Annotated[
    TableEngine, typer.Option("--engine", help="What links accounts; `spark` where one machine is too small.")
]
SparkMasterOption = Annotated[
    str | None,
    typer.Option(
        "--spark-master",
        metavar="MASTER",
        envvar="RINGFENCE_SPARK_MASTER",
        help="Where Spark's executors are; this machine by default.",
        show_default=False,
    ),
]
Neo4jOption = Annotated[
    str,
    typer.Option(
        "--neo4j", metavar="local|none|ADDRESS", help="Where the graph goes; `local` is started if needed."
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, help="The same input and seed give the same rings.")]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace what is in OUT, and what the graph store holds.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def run(
    input_folder: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Folder of Parquet, CSV or NDJSON tables.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; must be empty or new.")],
    by: ByOption,
    mapping: Annotated[Path | None, typer.Option(help="TOML file that maps tables with other names.")] = None,
    neo4j: Neo4jOption = "local",
    seed: SeedOption = DEFAULT_SEED,
    device: Annotated[Device, typer.Option(help="Where the network is trained.")] = Device.AUTO,
    max_rejected: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rows that may be refused before the exit code is 3.")
    ] = 0.01,
    previous: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Output of an earlier run: its rings keep their ids, and what became of them is told.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which files would feed which tables.")
    ] = False,
    engine: EngineOption = TableEngine.DUCKDB,
    spark_master: SparkMasterOption = None,
    state: OptionalState = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find rings in a provider's logs; with --state, record them in the casebook.

    Exit codes: 0 done, 1 error, 2 usage, 3 done but too many rows were refused, 4 done but the graph store
    failed.
    """
    if dry_run:
        _say_sources(input_folder, mapping, as_json=as_json)
        return
    from ringfence.pipeline.run import RunRequest
    from ringfence.pipeline.run import run as carry_out

    request = RunRequest(
        input_folder,
        out,
        mapping,
        neo4j,
        force=force,
        replace_store=force,
        settings=Settings(seed=seed, device=device, engine=engine.value, spark_master=spark_master),
        previous=previous,
    )
    result = carry_out(request, display())
    recorded = None if state is None else _record(state, result.out, by)
    if as_json:
        typer.echo(json.dumps({**summary(result), **(recorded or {})}, ensure_ascii=False))
    else:
        say_result(result)
        if recorded is not None:
            say_recorded(recorded["recorded"])
    raise typer.Exit(exit_code(result, max_rejected))


def _record(state: Path, out: Path, by: str) -> dict[str, Any]:
    from dataclasses import asdict

    from ringfence.cli.state import open_casebook
    from ringfence.enforcement.casebook.reading import read_run
    from ringfence.pipeline.enforcement.record import record_and_announce
    from ringfence.state import StateFolder

    with open_casebook(state, make=True) as book:
        recorded, announced = record_and_announce(StateFolder(state), book, read_run(out), by)
    return {"recorded": asdict(recorded), "announced": asdict(announced)}


def say_recorded(recorded: dict[str, Any]) -> None:
    """Tell a person what a run added to the casebook."""
    if recorded["known"]:
        typer.echo("The casebook has this run already; nothing was added.")
        return
    counts = {name: len(recorded[name]) for name in ("born", "changed", "merged", "split")}
    typer.echo(
        f"Casebook: {counts['born']} new, {counts['changed']} changed, {counts['merged']} merged, "
        f"{counts['split']} split off. Look at them with `ringfence rings list`."
    )


def display() -> Display:
    """Return bars where a person looks at standard error, else silence."""
    import sys

    from ringfence.progress import BarDisplay, QuietDisplay

    return BarDisplay() if sys.stderr.isatty() else QuietDisplay()


def exit_code(result: RunResult, max_rejected: float) -> int:
    """Return the exit code of a run that was published."""
    if result.store_error is not None:
        return result.store_error.exit_code
    return too_many_rejected(result.rejected_share, max_rejected)


def too_many_rejected(share: float, most: float) -> int:
    """Return the exit code for a share of refused rows."""
    return TOO_MANY_REJECTED if share > most else 0


def summary(result: RunResult) -> dict[str, Any]:
    """Return what a run came to, as JSON values."""
    store = None if result.store_error is None else str(result.store_error)
    return {"out": str(result.out), **result.manifest, "store_error": store}


def say_result(result: RunResult) -> None:
    """Tell a person what a run came to."""
    manifest = result.manifest
    say_balance(manifest)
    built = manifest["graph"]
    typer.echo(
        f"{built['accounts']:,} accounts, {built['links']:,} links, {built['communities']:,} communities."
    )
    typer.echo(manifest["scoring"]["reason"])
    for row in manifest["scoring"]["comparison"]:
        typer.echo("  " + "  ".join(f"{name} {_figure(value)}" for name, value in row.items()))
    counts = manifest["decisions"]
    typer.echo(f"Decided: {counts['ring']} ring, {counts['review']} review, {counts['benign']} benign.")
    typer.echo(f"Read {result.out / 'report.html'}")
    if result.store_error is not None:
        say_store_error(result.store_error, result.out)


def say_store_error(error: StoreError, out: Path) -> None:
    """Tell a person why the graph is not in the store, and how to repair that."""
    typer.secho(f"The graph store failed: {error}", fg="red", err=True)
    replace = " --force" if isinstance(error, StoreConflictError) else ""
    typer.secho(f"The output stands. Repair with `ringfence neo4j load {out}{replace}`.", fg="red", err=True)


def say_balance(manifest: dict[str, Any]) -> None:
    """Print the balance of every file; clean parts of a folder together."""
    typer.echo(
        f"{'file':<32} {'table':<15} {'rows in':>10} {'loaded':>10} {'rejected':>9} {'duplicates':>10}"
    )
    for name, table, *counts in balance_rows(manifest["files"]):
        rows_in, loaded, rejected, duplicates = counts
        typer.echo(f"{name:<32} {table:<15} {rows_in:>10,} {loaded:>10,} {rejected:>9,} {duplicates:>10,}")
    for name in manifest["unused_files"]:
        typer.echo(f"{name:<32} not used")


def balance_rows(files: list[dict[str, Any]]) -> list[tuple[str, str, int, int, int, int]]:
    """Return file, table, rows in, loaded, rejected and duplicates; clean parts of one folder are one row."""
    rows: dict[tuple[str, str], list[int]] = {}
    for file in files:
        folder = str(Path(file["file"]).parent)
        clean = not file["rejected"] and not file["duplicates"]
        name = f"{folder}/*" if folder != "." and clean else file["file"]
        counts = rows.setdefault((name, file["table"]), [0, 0, 0, 0])
        for place, count in enumerate(("rows_in", "loaded", "rejected", "duplicates")):
            counts[place] += file[count]
    return [(name, table, *counts) for (name, table), counts in rows.items()]  # type: ignore[misc]


def _say_sources(folder: Path, mapping: Path | None, *, as_json: bool) -> None:
    from ringfence.loaders.discover import discover
    from ringfence.loaders.mapping import read_mapping

    found = discover(folder, read_mapping(mapping) if mapping else ())
    if as_json:
        rows = [{"file": source.name, "table": source.mapping.name} for source in found.sources]
        typer.echo(json.dumps({"files": rows, "unused_files": found.unused}, ensure_ascii=False))
        return
    for source in found.sources:
        typer.echo(f"{source.name:<32} → {source.mapping.name}")
    for name in found.unused:
        typer.echo(f"{name:<32} not used")


def _figure(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
