"""The folder that outlives a run: what ``--state DIR`` names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = "RINGFENCE_STATE"
"""Names the state folder where ``--state`` does not."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Where things are within a state folder; nothing is made by asking."""

    root: Path

    @property
    def casebook(self) -> Path:
        """The casebook: one SQLite file, and what SQLite keeps beside it."""
        return self.root / "casebook" / "casebook.db"

    @property
    def checkpoints(self) -> Path:
        """Signed checkpoints of the audit log, a JSON object a line. Keep a copy elsewhere."""
        return self.root / "casebook" / "checkpoints.jsonl"

    @property
    def keys(self) -> Path:
        """Keys, each in a file that its owner alone can read."""
        return self.root / "keys"

    @property
    def policy(self) -> Path:
        """The policy file; where it is missing, the one that ships holds."""
        return self.root / "policy.toml"

    @property
    def sinks(self) -> Path:
        """The file that says where orders go; where it is missing, nowhere."""
        return self.root / "sinks.toml"

    @property
    def scores(self) -> Path:
        """Results of scheduled scoring, a folder a window."""
        return self.root / "scores"
