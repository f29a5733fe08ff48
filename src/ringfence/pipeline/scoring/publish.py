"""Results of scoring on the disk: there as a whole or not at all, also when the power fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ringfence.errors import BusyError
from ringfence.pipeline.scoring.held import held
from ringfence.state import StateFolder


def settled(folder: Path) -> None:
    """Wait until all files of a folder are on the disk: its new name must not get there before them."""
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def sweep(state: StateFolder, mine: Path) -> None:
    """Remove what processes that were killed have left half-done.

    Args:
        state: Where results lie.
        mine: Folder of a window that this process holds; of others, only what nobody holds is touched.
    """
    _remove_halves(mine)
    for folder in sorted(state.scores.glob("[!.]*")):
        if folder == mine or not any(folder.glob(".*")):
            continue
        try:
            with held(state, folder.name, 0):
                _remove_halves(folder)
        except BusyError:
            continue


def _remove_halves(folder: Path) -> None:
    for half in folder.glob(".*"):
        shutil.rmtree(half, ignore_errors=True)


def _sync(path: Path) -> None:
    if path.is_file():
        with path.open("r+b") as stream:
            os.fsync(stream.fileno())
    elif os.name != "nt":  # Windows opens no folders.
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
