"""How fast worlds are made, and in how much memory.

    python benchmarks/worlds.py [--scale 0.05] [--prompts FOLDER] [--workers 2]

Promises: scale 0.05 within 60 seconds; scale 1 (2.02 million accounts, 40 million requests with prompts)
within 15 minutes and 8 GiB on two cores. Processes are counted together.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import psutil
from machine import machine

from ringfence.worlds.make import WorldRequest, make_world


class Memory(threading.Thread):
    """Looks at the memory of this process and its children together, and keeps the most."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._process = psutil.Process()

    def run(self) -> None:
        """Look five times a second."""
        while True:
            self.most = max(self.most, self._now())
            time.sleep(0.2)

    def _now(self) -> int:
        held = 0
        for process in (self._process, *self._process.children(recursive=True)):
            try:
                # Shared pages are counted once each, as part of each process that has them.
                held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return held


def main() -> None:
    """Make one world and print what it took."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--scale", type=float, default=0.05)
    options.add_argument("--scenario", default="published")
    options.add_argument("--prompts", type=Path)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    memory = Memory()
    memory.start()
    request = WorldRequest(chosen.scenario, chosen.scale, seed=1, prompts=chosen.prompts)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        world = make_world(Path(folder) / "world", request, workers=chosen.workers)
        seconds = time.perf_counter() - begun
        size = sum(p.stat().st_size for p in world.folder.rglob("*") if p.is_file())
    rows = sum(world.rows.values())
    print(f"{machine()}\n")
    print(
        f"scale {chosen.scale:g}, {world.rows['accounts']:,} accounts, {world.rows['requests']:,} requests, ",
        end="",
    )
    print(f"{size / 2**30:.2f} GiB on disk")
    print(
        f"{seconds:.1f} s, {rows / seconds:,.0f} rows/s, peak {memory.most / 2**20:,.0f} MiB in all processes"
    )


if __name__ == "__main__":
    main()
