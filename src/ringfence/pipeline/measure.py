"""Seconds and peak memory of each stage."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from ringfence.progress import Display, Tick

_RESET_PEAK = Path("/proc/self/clear_refs")


class Measure:
    """Runs stages under a display and keeps what each cost."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self.stages: dict[str, dict[str, float]] = {}
        """Stage → seconds and peak_memory_mib; the peak is the process's so far where it cannot be reset.
        Where rows were counted, rows_per_second too."""

    @contextmanager
    def stage(self, title: str) -> Iterator[Tick]:
        """Run a stage."""
        with suppress(OSError):
            _RESET_PEAK.write_text("5")
        start = time.perf_counter()
        with self._display.stage(title) as tick:
            yield tick
        seconds = time.perf_counter() - start
        self.stages[title] = {"seconds": round(seconds, 3), "peak_memory_mib": round(peak_mib(), 1)}

    def count(self, title: str, rows: int) -> None:
        """Note how many rows a stage that is done went through."""
        stage = self.stages[title]
        stage["rows_per_second"] = round(rows / max(stage["seconds"], 0.001))


def peak_mib() -> float:
    """Return the most memory this process has held, in MiB.

    On Linux not by ``getrusage``: what a process held that started this one counts in there.
    """
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 2**20
    import resource

    # Kilobytes here and there, bytes on macOS.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
