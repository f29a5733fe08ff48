"""How time and memory of a whole run grow with the accounts.

    python benchmarks/linkage_growth.py run [--scales 0.01 0.03 0.1 0.3] [--seed 7]
    python benchmarks/linkage_growth.py add OUT --scale 1
    python benchmarks/linkage_growth.py draw

``run`` makes a world for each scale and puts it through ``ringfence run --neo4j none`` in a process of its
own; ``add`` takes in a run that was made elsewhere, from its manifest. Both append to ``--csv``, a row a
stage, and draw ``--svg``: seconds of the whole run, seconds from canonical tables to communities, and the
most memory that any stage took, beside what grows as n log n. Promise: no steeper than that.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from machine import machine
from template_plot import growth_svg

from ringfence.worlds.make import WorldRequest, make_world

LINKING = ("Sight entities", "Link accounts", "Find communities")
"""Stages from canonical tables to communities."""
COLUMNS = ("scale", "accounts", "requests", "stage", "seconds", "peak_memory_mib")
WHOLE = "whole run"


def main() -> None:
    """Measure, take in or draw."""
    asked = options().parse_args()
    print(machine(), flush=True)
    if asked.what == "run":
        for scale in asked.scales:
            run(scale, asked)
    elif asked.what == "add":
        if asked.out is None or asked.scale is None:
            raise SystemExit("Say which run: `add OUT --scale S`.")
        append(asked.csv, asked.scale, json.loads((asked.out / "manifest.json").read_text()), None)
    told(asked.csv, asked.svg)


def options() -> argparse.ArgumentParser:
    """Return the words that this benchmark understands."""
    here = Path(__file__)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "add", "draw"))
    parser.add_argument("out", nargs="?", type=Path, help="add: the folder of a finished run.")
    parser.add_argument("--scale", type=float, help="add: that of its world.")
    parser.add_argument("--scales", type=float, nargs="+", default=[0.01, 0.03, 0.1, 0.3])
    parser.add_argument("--scenario", default="published")
    parser.add_argument("--seed", type=int, default=7, help="One that may be tuned on.")
    parser.add_argument("--prompts", type=Path, help="Real prompts to fill worlds with.")
    parser.add_argument("--csv", type=Path, default=here.with_name("linkage_growth.csv"))
    parser.add_argument("--svg", type=Path, default=here.with_name("linkage_growth.svg"))
    parser.add_argument("--work", type=Path, help="Where worlds and runs go; else a folder that goes again.")
    return parser


def run(scale: float, asked: argparse.Namespace) -> None:
    """Make a world of that scale, run it, and append what it took."""
    with tempfile.TemporaryDirectory(dir=asked.work) as folder:
        world, out = Path(folder) / "world", Path(folder) / "out"
        # As the world of scale 1 is made: without labels no network is trained, and templates have their ids.
        request = WorldRequest(
            asked.scenario, scale, asked.seed, prompts=asked.prompts, labels=False, template_ids=True
        )
        make_world(world, request, workers=2)
        words = ["-m", "ringfence", "run", world / "input", "--out", out, "--neo4j", "none", "--json"]
        start = time.perf_counter()
        subprocess.run([sys.executable, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        append(asked.csv, scale, json.loads((out / "manifest.json").read_text()), seconds)


def append(path: Path, scale: float, manifest: dict[str, Any], seconds: float | None) -> None:
    """Append the stages of a run, and the whole: as the clock saw it, else the sum of its stages."""
    stages = manifest["measured"]
    whole = {
        "seconds": sum(stage["seconds"] for stage in stages.values()) if seconds is None else seconds,
        "peak_memory_mib": max(stage["peak_memory_mib"] for stage in stages.values()),
    }
    accounts, requests = (manifest["tables"][name] for name in ("accounts", "requests"))
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        for name, stage in {**stages, WHOLE: whole}.items():
            cost = (round(stage["seconds"], 3), round(stage["peak_memory_mib"], 1))
            writer.writerow([scale, accounts, requests, name, *cost])


def told(path: Path, picture: Path) -> None:
    """Print the table, how steeply each cost grows, and draw it."""
    rows = pd.read_csv(path).drop_duplicates(["scale", "stage"], keep="last")
    wide = rows.pivot(index=["accounts", "requests"], columns="stage", values="seconds").sort_index()
    wide = wide[list(dict.fromkeys(rows["stage"]))]
    memory = rows.groupby("accounts")["peak_memory_mib"].max()
    print(f"\n| accounts | requests | {' | '.join(wide.columns)} | peak MiB |")
    print("|---" * (len(wide.columns) + 3) + "|")
    for (accounts, requests), seconds in wide.iterrows():
        cells = " | ".join(f"{second:.1f}" for second in seconds)
        print(f"| {accounts:,} | {requests:,} | {cells} | {memory[accounts]:,.0f} |")
    of_link = wide[[stage for stage in LINKING if stage in wide]].sum(axis=1)
    curves = {
        "seconds of the whole run": _curve(wide[WHOLE]),
        "seconds from tables to communities": _curve(of_link),
        "peak memory, MiB": _curve(memory),
    }
    if len(wide) > 1:
        print("\nFrom the smallest to the largest, times what n log n would give:")
        for name, curve in curves.items():
            (n, y), (most, last) = curve[0], curve[-1]
            print(f"- {name}: {last / y / (n_log_n(most) / n_log_n(n)):.2f}×")
        panels = [(name, curve, None) for name, curve in curves.items()]
        title = "Time and memory of a run against the number of accounts, beside n log n"
        picture.write_text(growth_svg(panels, "accounts", title, n_log_n), encoding="utf-8")
    sys.stdout.flush()


def n_log_n(accounts: float) -> float:
    """Return what a sort of so many would cost."""
    return accounts * math.log(accounts)


def _curve(values: pd.Series) -> list[tuple[float, float]]:
    """Return points (accounts, value) in rising order."""
    return sorted((float(key[0] if isinstance(key, tuple) else key), float(y)) for key, y in values.items())


if __name__ == "__main__":
    main()
