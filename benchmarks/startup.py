"""How long `ringfence --help` takes beyond a bare interpreter.

    python benchmarks/startup.py

Promise: at most 0.3 s more than `python -c pass`. Runs are taken in turn, and the median is told.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import machine

RUNS = 15
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "ringfence --help": [str(Path(sys.executable).with_name("ringfence")), "--help"],
}


def seconds(command: list[str]) -> float:
    """Return how long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _run in range(RUNS):
        for name, command in COMMANDS.items():
            taken[name].append(seconds(command))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    print(f"{machine()}; median of {RUNS} runs in turn\n")
    print("| command | seconds |\n|---|---|")
    for name, value in medians.items():
        print(f"| `{name}` | {value:.3f} |")
    bare, ours = medians.values()
    print(f"\n{ours - bare:.3f} s more than a bare interpreter (promise: at most 0.3).")


if __name__ == "__main__":
    main()
