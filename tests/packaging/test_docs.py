"""What the documents say is what there is."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from ringfence.cli import app
from ringfence.schema import TABLES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_ci_runs_the_command_of_the_readme() -> None:
    command = next(line for line in README.splitlines() if line.endswith("just check"))

    assert command in (ROOT / ".ci" / "run").read_text().splitlines()
    assert command in (ROOT / "CONTRIBUTING.md").read_text().splitlines()


@pytest.mark.parametrize("command", sorted(get_command(app).commands))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"ringfence {command}" in README


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_readme_lists_every_column(table: object) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| {table.name} |"))
    listed = re.sub(r"\([^)]*\)", "", row.split("|")[2]).replace("\\*", "*")

    assert [c.strip() for c in listed.split(",")] == [
        f"{column.name}*" if column.required else column.name for column in table.columns
    ]


def test_the_package_runs_as_the_command_does() -> None:
    asked = [sys.executable, "-m", "ringfence", "--version"]

    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert said.startswith("ringfence ")


def test_links_between_documents_lead_somewhere() -> None:
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (ROOT / target).exists(), f"{document.name} → {target}"


def test_locks_carry_hashes_and_no_addresses() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text
        assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", text.strip()))


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["gnn"]]
    locked = (ROOT / "requirements" / "demo.txt").read_text()

    for requirement in named:
        name = re.split(r"[\[<>=]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}==", locked, re.MULTILINE), name


def test_every_command_about_worlds_is_in_the_readme() -> None:
    for command in get_command(app).commands["worlds"].commands:  # type: ignore[attr-defined]
        assert f"ringfence worlds {command}" in README
