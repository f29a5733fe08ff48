"""Who else on the machine can read what a state folder holds, with a process that hides nothing by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from audit_samples import lively

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.health.metrics import write_prometheus
from ringfence.enforcement.health.standing import health
from ringfence.enforcement.holds import digest_key
from ringfence.pipeline.scoring.held import held
from ringfence.state import StateFolder


@pytest.fixture(autouse=True)
def _open_mask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[str]:
    """Return what others can get at, from the folder down."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.stat().st_mode & 0o077:
            found.append(path.name)
            if path.is_dir():
                found += readable_by_others(path)
    return found


def test_others_read_nothing_that_names_accounts(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    lively(state, tmp_path.parent / "copies")
    digest_key(state)
    with held(state, "score", 0.0), Casebook.open(state.casebook) as book, book.writing("ada") as writing:
        writing.audit("note added", "R-1")
        assert {path.name for path in tmp_path.iterdir()} == {"casebook", "keys", "scores"}
        assert {"casebook.db-wal", "casebook.db-shm"} < {
            path.name for path in state.casebook.parent.iterdir()
        }
        assert readable_by_others(tmp_path) == []


def test_a_link_in_the_collectors_folder_leads_to_no_other_file(tmp_path: Path) -> None:
    state, victim, figures = StateFolder(tmp_path / "state"), tmp_path / "victim", tmp_path / "out.prom"
    victim.write_text("precious")
    (tmp_path / f".out.prom.{os.getpid()}.partial").symlink_to(victim)
    with Casebook.open(state.casebook) as book:
        write_prometheus(health(book, state), figures)
    assert victim.read_text() == "precious"
    assert "ringfence" in figures.read_text()
    assert figures.stat().st_mode & 0o777 == 0o644
