"""Fails unless every branch is covered where a false accusation or a lost row could hide.

python tests/branch_floor.py COVERAGE.json

Which files these are stands in `tool.coverage.run.include` of pyproject.toml: nothing else is traced, since
tracing everything takes as long as the tests themselves.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def in_full() -> list[str]:
    """Return the files to be covered in full, from the root of the checkout."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["include"]
    return sorted(
        path.relative_to(ROOT).as_posix()
        for pattern in patterns
        for place in (ROOT, ROOT / "src" / "ringfence")
        for path in place.glob(pattern.removeprefix("*/"))
        if not any(folder.is_symlink() for folder in path.parents)
    )


def main(report: Path) -> int:
    measured = json.loads(report.read_text())["files"]
    short = 0
    for name in in_full():
        data = measured.get(name)
        missing = ["all of it"] if data is None else [*data["missing_lines"], *data["missing_branches"]]
        print(f"{name}: {'in full' if not missing else f'not covered: {missing}'}")
        short += bool(missing)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
