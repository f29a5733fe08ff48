"""Files and folders: digests, atomic publishing, and where the stages of a run put what they make."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.errors import OutputError

MANIFEST = "manifest.json"
"""The file that a run writes last."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where the stages of one run put what they make for each other."""

    root: Path

    @property
    def tables(self) -> Path:
        """Canonical tables: ``<table>/part-*.parquet``."""
        return self._folder("tables")

    @property
    def links(self) -> Path:
        """What linkage makes: sightings, links, communities, evidence, snapshot."""
        return self._folder("links")

    @property
    def scores(self) -> Path:
        """What the classifier makes: account scores, ring decisions, metrics."""
        return self._folder("scores")

    @property
    def rejected(self) -> Path:
        """Refused rows, a file a table."""
        return self._folder("rejected")

    @property
    def spill(self) -> Path:
        """Where the table engine may spill; never holds prompt text."""
        return self._folder("spill")

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def digest_files(paths: list[Path], root: Path) -> str:
    """Return the SHA-256 of the files' names below ``root`` and contents, in the order of the names."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def digest_json(value: Any) -> str:
    """Return the SHA-256 of a JSON value, independent of key order."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value for people: indented, keys in the order given, a line feed at the end."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


RUN_FILES = (MANIFEST, "rings.jsonl")
"""What stands in every output folder of a run, and tells it from other folders."""


def check_output(out: Path, *, force: bool, ours: tuple[str, ...] = RUN_FILES) -> None:
    """Refuse an output folder that would have to be overwritten.

    Args:
        out: The folder.
        force: Whether it may be replaced where it is ours.
        ours: Files by which a folder of ours is known.

    Raises:
        OutputError: it is a file, a folder that is not empty and ``force`` is off, or one that we did not
            make: what is not ours is never replaced.
    """
    if out.is_file():
        raise OutputError(f"{out} is a file; --out names a folder.")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not all((out / name).is_file() for name in ours):
        raise OutputError(f"{out} is not empty and not ours. Name another folder; --force won't do.")
    if not force:
        raise OutputError(f"{out} is not empty. Name another folder, or replace it with --force.")


def check_apart(out: Path, *read: Path) -> None:
    """Refuse an output folder that is, holds or lies in what is read.

    Raises:
        OutputError: it is.
    """
    written = out.resolve()
    for path in read:
        source = path.resolve()
        if written == source or written in source.parents or source in written.parents:
            raise OutputError(f"{out} and {path} lie in each other. Name a folder apart from what is read.")


@contextmanager
def published(out: Path, *, force: bool, ours: tuple[str, ...] = RUN_FILES) -> Iterator[Path]:
    """Yield an empty folder beside ``out`` that becomes ``out`` when the block ends well.

    A block that raises, or a process that dies, leaves ``out`` as it was.

    Raises:
        OutputError: ``out`` would be overwritten without ``force``, or cannot be written.
    """
    check_output(out, force=force, ours=ours)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    except OSError as error:
        raise OutputError(f"Cannot write beside {out}: {error.strerror}.") from error
    try:
        yield building
        building.chmod(0o755)
        _swap(building, out)
    except OSError as error:
        raise OutputError(f"Cannot write {out}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


@contextmanager
def whole_file(path: Path, *, parents: bool = False) -> Iterator[Path]:
    """Yield a place beside ``path``; what the block writes there becomes ``path`` when it ends well.

    The place lies in a folder that its owner alone can enter, under a name that nobody can guess. A block
    that raises, or a process that dies, leaves ``path`` as it was.

    Args:
        path: The file.
        parents: Whether to make the folders that lead to it.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        if parents:
            path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as place:
            building = Path(place) / path.name
            yield building
            with building.open("rb") as stream:
                os.fsync(stream.fileno())
            building.replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error


def _swap(building: Path, out: Path) -> None:
    if not out.exists():
        building.replace(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".old", dir=out.parent))
    out.replace(old / "was")
    try:
        building.replace(out)
    except OSError:
        # Where this fails, too, the old result stays in the folder beside.
        (old / "was").replace(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text that a stranger may have written.

    Raises:
        ValueError: it is no JSON, or nested deeper than can be followed.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
