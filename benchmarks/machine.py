"""Says what a benchmark ran on: figures without that say nothing."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

import psutil


def machine() -> str:
    """Return cores, memory, Python and day in one line."""
    cores = os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    day = datetime.now(UTC).date()
    return f"{cores} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}, {day}"
