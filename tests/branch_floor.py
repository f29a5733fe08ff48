"""Fails unless every branch is covered where a false accusation or a lost row could hide.

python tests/branch_floor.py COVERAGE.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

IN_FULL = (
    "gnn/rings.py",
    "gnn/calibrate.py",
    "stores/policy.py",
    "stores/guard.py",
)


def main(report: Path) -> int:
    files = json.loads(report.read_text())["files"]
    short = 0
    for wanted in IN_FULL:
        found = [data for name, data in files.items() if name.endswith(wanted)]
        if not found:
            print(f"{wanted}: not measured")
            short += 1
        for data in found:
            missing = [*data["missing_lines"], *data["missing_branches"]]
            print(f"{wanted}: {'in full' if not missing else f'not covered: {missing}'}")
            short += bool(missing)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
