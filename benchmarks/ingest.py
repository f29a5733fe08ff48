"""Loading a million requests through sightings, beside a bare DuckDB group-by of the same columns and files.

    python benchmarks/ingest.py [--rows N] [--runs K]

The peer reads each file as DuckDB reads it by itself and groups account–IP, account–device and
account–template with count, first and last time: no check, no refused
rows, no doubles found, nothing written.
Both run in processes of their own, in turn. Promise: at most 3× the peer's time, under 2 GiB.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from machine import machine

FORMATS = {"parquet": "read_parquet", "csv": "read_csv", "ndjson": "read_ndjson"}
ENTITIES = ("ip", "device_id", "template_id")


def make(folder: Path, rows: int) -> None:
    """Write the same requests in every format, each in a folder of its own."""
    rng = np.random.default_rng(0)
    columns = {
        "request_id": pa.array([f"req_{n:09d}" for n in rng.permutation(rows)]),
        "account_id": pa.array([f"acct_{n:06d}" for n in rng.zipf(1.3, rows) % 50_000]),
        "ts": pa.array(1_760_000_000_000_000 + rng.integers(0, 30 * 86_400, rows) * 1_000_000).cast(
            pa.timestamp("us", tz="UTC")
        ),
        "ip": pa.array(
            [f"{a}.{b}.{c}.{d}" for a, b, c, d in rng.integers((11, 0, 0, 1), (200, 3, 255, 20), (rows, 4))]
        ),
        "device_id": pa.array([f"dev_{n:06d}" for n in rng.integers(0, 80_000, rows)]),
        "model": pa.array(rng.choice(["large", "small"], rows)),
        "template_id": pa.array([f"t-{n:05d}" for n in rng.zipf(1.2, rows) % 20_000]),
        "input_tokens": pa.array(rng.integers(1, 5_000, rows)),
        "output_tokens": pa.array(rng.integers(1, 5_000, rows)),
        "status_code": pa.array(np.full(rows, 200)),
    }
    requests = pa.table(columns)
    con = duckdb.connect()
    con.register("requests", requests)
    text = "SELECT * REPLACE (strftime(ts, '%Y-%m-%dT%H:%M:%SZ') AS ts) FROM requests"
    for name, (select, options) in {
        "parquet": ("SELECT * FROM requests", ""),
        "csv": (text, "(HEADER)"),
        "ndjson": (text, "(FORMAT json)"),
    }.items():
        (folder / name).mkdir()
        con.execute(f"COPY ({select}) TO '{folder / name / f'requests.{name}'}' {options}")


def bare(folder: Path, name: str) -> None:
    """The peer."""
    con = duckdb.connect()
    file = folder / name / f"requests.{name}"
    for entity in ENTITIES:
        con.execute(
            f"CREATE TABLE seen_{entity} AS SELECT account_id, {entity}, count(*), min(ts), max(ts) "
            f"FROM {FORMATS[name]}('{file}') GROUP BY account_id, {entity}"
        )


def ours(folder: Path, name: str) -> None:
    """Loading through sightings, as a run does it."""
    from ringfence.engine import connect
    from ringfence.files import Workspace
    from ringfence.graphbuild.build import build_sightings
    from ringfence.graphbuild.templates.miner import PromptMiner
    from ringfence.loaders.discover import discover
    from ringfence.loaders.load import canonical_table, load_tables

    with tempfile.TemporaryDirectory() as made:
        work = Workspace(Path(made))
        engine = connect(work.spill)
        load_tables(engine, discover(folder / name), work, PromptMiner())
        build_sightings(engine, lambda table: canonical_table(engine, work, table), work)


def timed(task: str, folder: Path, name: str) -> tuple[float, float]:
    """Return seconds of the task and peak MiB of its process; importing is not counted."""
    words = [sys.executable, __file__, "--task", task, "--folder", str(folder), "--format", name]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    return float(said[0]), float(said[1])


def carry_out(task: str, folder: Path, name: str) -> None:
    """Run one task in this process and print what it cost."""
    import ringfence.graphbuild.build
    import ringfence.loaders.load  # noqa: F401 - imported before the clock starts, as duckdb is
    from ringfence.pipeline.measure import peak_mib

    start = time.perf_counter()
    (ours if task == "ours" else bare)(folder, name)
    seconds = time.perf_counter() - start
    print(seconds, peak_mib())


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--task", choices=("ours", "bare"))
    options.add_argument("--folder", type=Path)
    options.add_argument("--format", choices=FORMATS)
    asked = options.parse_args()
    if asked.task:
        carry_out(asked.task, asked.folder, asked.format)
        return
    print(f"{machine()}; {asked.rows:,} requests, median of {asked.runs} runs in turn\n")
    print("| format | bare group-by | Ringfence | ratio | peak memory |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as made:
        make(Path(made), asked.rows)
        for name in FORMATS:
            pairs = [
                (timed("bare", Path(made), name), timed("ours", Path(made), name)) for _ in range(asked.runs)
            ]
            peer = statistics.median(pair[0][0] for pair in pairs)
            us = statistics.median(pair[1][0] for pair in pairs)
            ratio = statistics.median(pair[1][0] / pair[0][0] for pair in pairs)
            peak = max(pair[1][1] for pair in pairs)
            print(f"| {name} | {peer:.2f} s | {us:.2f} s | {ratio:.1f}× | {peak:,.0f} MiB |")


if __name__ == "__main__":
    main()
