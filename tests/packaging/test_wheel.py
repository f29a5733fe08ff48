"""The wheel holds what git tracks, under the names that are imported, and runs by itself."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ("loaders", "graphbuild", "gnn", "queries", "worlds", "enforcement")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def tracked() -> set[str]:
    listed = ["git", "ls-files", "-z", "--", "src/ringfence", *STAGES]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    links = {f"src/ringfence/{stage}" for stage in STAGES}
    return {name for name in names if name and name not in links}


def test_the_wheel_holds_what_git_tracks(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    wanted = {
        name.removeprefix("src/") if name.startswith("src/") else f"ringfence/{name}" for name in tracked()
    }
    assert held == wanted


def test_each_stage_is_one_relative_link() -> None:
    for stage in STAGES:
        link = ROOT / "src" / "ringfence" / stage
        assert link.is_symlink()
        assert link.readlink() == Path("..") / ".." / stage


def test_the_wheel_imports_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import ringfence.pipeline.run as run, ringfence.queries.pack as pack\n"
        "print(run.__file__, len(pack.queries()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert said.stdout.split() == [str(tmp_path / "ringfence" / "pipeline" / "run.py"), "8"], said.stderr
