"""Runs the command line as a user does: another process, the installed script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ringfence.stores.local import LocalServer

SCRIPT = Path(sys.executable).with_name("ringfence")


@dataclass(frozen=True)
class Demo:
    """What the demonstration made, and said."""

    folder: Path
    said: str

    @property
    def out(self) -> Path:
        return self.folder / "out"


@dataclass(frozen=True)
class Trained:
    """A small world with enough labels to train on, and what a run made of it."""

    world: Path
    out: Path


def ringfence(
    *words: str | Path, server: LocalServer | None = None, cwd: Path | None = None, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command and check its exit code."""
    environment = dict(os.environ)
    if server is not None:
        environment |= {"NEO4J_USERNAME": server.user, "NEO4J_PASSWORD": server.password}
    done = subprocess.run(
        [SCRIPT, *map(str, words)], capture_output=True, text=True, env=environment, cwd=cwd, timeout=900
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def files(folder: Path) -> dict[str, bytes]:
    """Return every file of a run's output; of the manifest, all but what was measured."""
    contents = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = json.loads(contents["manifest.json"])
    del manifest["measured"]
    return {**contents, "manifest.json": json.dumps(manifest).encode()}
