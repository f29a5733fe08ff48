"""The same request gives the same bytes; an output folder is written whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from made_world import MadeWorld, make, read, told

from ringfence.errors import OutputError
from ringfence.files import digest_files
from ringfence.worlds.make import WorldRequest, make_world

SMALL = WorldRequest("demo", 0.0004, 9)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> MadeWorld:
    return make(tmp_path_factory.mktemp("small") / "world", SMALL)


def digest(folder: Path) -> str:
    """Of all that is in a world; of its manifest, all but how long it took."""
    told = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    files = list(folder.rglob("*.parquet"))
    assert len(files) > 120
    return json.dumps({**told, "seconds": None, "files": digest_files(files, folder)})


@pytest.mark.parametrize("workers", [1, 2])
def test_same_request_same_bytes(small: MadeWorld, tmp_path: Path, workers: int) -> None:
    again = make(tmp_path / "again", SMALL, workers)
    assert digest(again.folder) == digest(small.folder)


def test_another_seed_has_other_ids(small: MadeWorld, tmp_path: Path) -> None:
    other = make(tmp_path / "other", replace(SMALL, seed=10))
    for name, column in (
        ("accounts", "account_id"),
        ("requests", "request_id"),
        ("requests", "session_id"),
        ("logins", "device_id"),
        ("payments", "instrument_id"),
    ):
        assert not set(other.tables[name][column].dropna()) & set(small.tables[name][column].dropna()), column


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> MadeWorld:
    """The same world with template ids and without labels."""
    request = replace(SMALL, labels=False, template_ids=True)
    return make(tmp_path_factory.mktemp("named") / "world", request)


def test_options_that_add_or_leave_out_change_nothing_else(small: MadeWorld, named: MadeWorld) -> None:
    folder = named.folder / "input"
    assert not (folder / "labels.parquet").exists()
    sent = read(folder, "requests")
    assert sent["template_id"].notna().all()
    assert sent.drop(columns="template_id").equals(small.tables["requests"])
    assert read(folder, "accounts").equals(small.tables["accounts"])


def test_a_template_id_stands_for_one_wording(named: MadeWorld) -> None:
    campaign = told(named.tables["requests"].merge(read(named.folder / "truth", "requests"), on="request_id"))
    campaign = campaign[campaign["distilling"]]
    wordings = campaign.groupby("template_id")["persona"].nunique()
    assert len(wordings) > 3
    assert (wordings == 1).all()
    assert (campaign.groupby("persona")["template_id"].nunique() == 1).all()
    assert named.tables["requests"]["template_id"].nunique() > 100


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("all of it", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(OutputError, match="not empty"):
            make_world(tmp_path, SMALL, force=force)
    assert list(tmp_path.iterdir()) == [kept]
    assert kept.read_text(encoding="utf-8") == "all of it"
    with pytest.raises(OutputError, match="is a file"):
        make_world(kept, SMALL, force=True)
    assert kept.read_text(encoding="utf-8") == "all of it"


def test_force_replaces_a_world_and_nothing_of_it_stays(tmp_path: Path) -> None:
    tiny = WorldRequest("demo", 0.00005, 1)
    make_world(tmp_path / "world", tiny)
    with pytest.raises(OutputError, match="--force"):
        make_world(tmp_path / "world", replace(tiny, seed=2))
    assert json.loads((tmp_path / "world" / "world.json").read_text(encoding="utf-8"))["seed"] == 1
    made = make_world(tmp_path / "world", replace(tiny, seed=2, labels=False), force=True)
    assert json.loads((tmp_path / "world" / "world.json").read_text(encoding="utf-8"))["seed"] == 2
    assert not (made.input / "labels.parquet").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from ringfence.errors import OutputError
from ringfence.worlds.make import WorldRequest, make_world
resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, 15_000))
try:
    make_world(Path(sys.argv[1]), WorldRequest("demo", 0.0005, 2), force=True)
except OutputError as error:
    sys.exit(f"told: {error}")
"""


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    make_world(tmp_path / "old", WorldRequest("demo", 0.00005, 1))
    before = digest(tmp_path / "old")
    for name in ("new", "old"):
        out = tmp_path / name
        ended = subprocess.run(
            [sys.executable, "-c", _ON_A_FULL_DISK, str(out)], capture_output=True, text=True, check=False
        )
        assert ended.stderr.startswith("told: "), ended.stderr
        assert str(out) in ended.stderr
        assert "too large" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert digest(tmp_path / "old") == before
