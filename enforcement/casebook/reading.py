"""The output of a run, as the casebook takes it in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.errors import OutputError
from ringfence.files import MANIFEST, digest_json
from ringfence.records import Ring

_KEPT = (
    "version",
    "seed",
    "input_digest",
    "settings",
    "settings_digest",
    "graph_digest",
    "rows",
    "scoring",
    "decisions",
    "window",
)


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What a run says, as far as the casebook keeps it."""

    run_id: str
    """Digest of the rings and of what made them: the same run recorded twice is one."""
    out: Path
    accounts: int
    rings: tuple[Ring, ...]
    manifest: dict[str, Any]
    """Versions, digests, settings and decisions; no names of files or accounts."""

    @property
    def flagged_accounts(self) -> int:
        """Accounts in communities that were flagged."""
        return sum(ring.size for ring in self.rings if ring.flagged)


def read_run(out: Path) -> FinishedRun:
    """Read the rings and the manifest of a finished run.

    Raises:
        OutputError: the folder holds none, or it is damaged.
    """
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        lines = (out / "rings.jsonl").read_text(encoding="utf-8").splitlines()
        rings = tuple(Ring.from_json(json.loads(line)) for line in lines)
        accounts = int(manifest["graph"]["accounts"])
    except FileNotFoundError as error:
        raise OutputError(
            f"{out} holds no finished run: {Path(error.filename).name} is not there."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise OutputError(f"{out} is damaged: {error}. Run again.") from error
    _check_told_once(out, rings)
    kept = {name: manifest[name] for name in _KEPT if name in manifest}
    run_id = digest_json([kept, [ring.as_json() for ring in rings]])
    return FinishedRun(run_id, out.resolve(), accounts, rings, kept)


def _check_told_once(out: Path, rings: tuple[Ring, ...]) -> None:
    """Refuse rings that could not have come from one run: there, an account is in one community."""
    seen = [member.account_id for ring in rings for member in ring.members]
    if len(set(seen)) < len(seen) or len({ring.ring_id for ring in rings}) < len(rings):
        raise OutputError(f"{out} is damaged: rings.jsonl tells a ring or an account twice. Run again.")
