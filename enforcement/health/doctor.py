"""What a person would look at first when something is wrong with a state folder; nothing is changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ringfence.enforcement.health.checks import Check, Finding
from ringfence.enforcement.health.doctor_casebook import OTHERS, check_casebook
from ringfence.enforcement.policy.read import read_policy
from ringfence.enforcement.sinks.look import check
from ringfence.errors import PolicyError
from ringfence.state import StateFolder

_LITTLE, _TOO_LITTLE = 1 << 30, 100 << 20
"""Bytes free below which there is a warning, and below which nothing more can be relied on."""


def check_state(state: StateFolder, now: datetime) -> list[Check]:
    """Look at a state folder.

    Args:
        state: The folder.
        now: The time, as this machine tells it.
    """
    if not state.root.is_dir():
        return [
            Check("state folder", Finding.FAIL, f"{state.root} is not there", "Name another with --state.")
        ]
    return [
        _folder(state.root),
        *_keys(state.keys),
        _disk(state.root),
        _policy(state.policy),
        *_sinks(state.sinks),
        *check_casebook(state.casebook, now),
    ]


def writable(path: Path) -> bool:
    """Whether a folder can be written to, or made where it is missing."""
    nearest = next(one for one in (path, *path.absolute().parents) if one.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _folder(root: Path) -> Check:
    if not writable(root):
        return Check("state folder", Finding.FAIL, f"{root} cannot be written to", "Check who owns it.")
    if root.stat().st_mode & 0o022:
        return Check("state folder", Finding.WARN, f"others can write to {root}", f"chmod go-w {root}")
    return Check("state folder", Finding.OK, str(root))


def _keys(folder: Path) -> Iterator[Check]:
    """Yield a failure for each private key that others can read."""
    private = [p for p in sorted(folder.glob("*")) if p.is_file() and not p.name.startswith("public-")]
    wide = [path for path in private if path.stat().st_mode & OTHERS]
    for path in wide:
        yield Check(
            "keys", Finding.FAIL, f"others can read {path}", f"chmod 600 {path}; then make a new one."
        )
    if not wide:
        yield Check("keys", Finding.OK, f"{len(private)} private, for their owner alone")


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free
    said = f"{free / (1 << 30):.1f} GiB free"
    if free < _TOO_LITTLE:
        return Check("disk", Finding.FAIL, said, "Make room: decisions cannot be written soon.")
    if free < _LITTLE:
        return Check("disk", Finding.WARN, said, "Make room.")
    return Check("disk", Finding.OK, said)


def _policy(path: Path) -> Check:
    if not path.exists():
        return Check("policy", Finding.OK, "none of its own; the one that ships holds")
    try:
        tiers = len(read_policy(path).tiers)
    except PolicyError as error:
        return Check("policy", Finding.FAIL, str(error), "Correct the file; until then nothing is ordered.")
    return Check("policy", Finding.OK, f"{tiers} tiers")


def _sinks(path: Path) -> Iterator[Check]:
    try:
        seen = check(path)
    except PolicyError as error:
        yield Check("sinks", Finding.FAIL, str(error), "Correct the file; until then nothing is sent.")
        return
    if not seen:
        yield Check("sinks", Finding.WARN, "there are none: orders go nowhere", "`ringfence sinks init`")
    for one in seen:
        name = f"sink {one.name}"
        if one.problem is not None:
            yield Check(name, Finding.FAIL, one.problem, "Correct its entry, or put the secret in its place.")
        for warning in one.warnings:
            yield Check(name, Finding.WARN, warning, "Put that right before the next delivery.")
        if one.problem is None and not one.warnings:
            yield Check(name, Finding.OK, f"{one.kind} to {one.where}")
