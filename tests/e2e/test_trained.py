"""Runs that train: the same bytes again, and trees where there is no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from commands import Trained, files, ringfence


def scoring(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text())["scoring"]


def test_the_same_input_and_seed_give_the_same_bytes(trained: Trained, tmp_path: Path) -> None:
    ringfence("run", trained.world / "input", "--out", tmp_path / "again", "--neo4j", "none")

    assert scoring(trained.out)["method"] == "gnn", "where nothing was trained, this would say little"
    first, again = files(trained.out), files(tmp_path / "again")
    assert [name for name in first if first[name] != again.get(name)] == []
    assert first.keys() == again.keys()


WITHOUT_TORCH = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
def hide(name, path=None, target=None):
    return None if name.split(".")[0] == "torch" else find(name, path, target)
PathFinder.find_spec = hide
from ringfence.cli import main
main()
"""


def test_without_torch_trees_decide_and_say_so(trained: Trained, tmp_path: Path) -> None:
    words = ["run", trained.world / "input", "--out", tmp_path / "out", "--neo4j", "none"]
    ran = subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *words], capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
    assert "torch" in ran.stdout
    assert scoring(tmp_path / "out")["method"] == "trees"
    assert files(tmp_path / "out").keys() == files(trained.out).keys()
