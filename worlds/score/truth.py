"""What was planted in a simulated world."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ringfence.errors import InputError, told
from ringfence.worlds.score.frames import (
    looked_up,
    read_parquet,
    require_columns,
    require_keys,
    require_text,
)

RING_LABEL = "ring"
"""What reviewers call an account that they know to belong to a ring."""
_ADVICE = "Name the folder that `ringfence worlds make` wrote."
_NEEDED = ("account_id", "population", "ring")
_MAY_BE_ABSENT = ("group", "ring_type", "role", "network", "replaces", "country", "language", "label")
_RING_COLUMNS = ("ring", "ring_type", "operator", "single_family", "accounts", "labelled")


@dataclass(frozen=True, slots=True)
class Truth:
    """Who belongs to which ring, and what everyone else is."""

    accounts: pd.DataFrame
    """account_id, population, group, ring, ring_type, role, network, replaces, country, language, label
    (``ring`` or ``benign`` where reviewers have said so); a row an account. ``ring`` is null for
    innocents."""
    rings: pd.DataFrame
    """ring, ring_type, operator, single_family, accounts (int, counted), labelled (bool: reviewers call some
    of its accounts ``ring``) and what else the world tells; a row a ring."""
    folder: Path | None = None
    """Where it was read from; None for one made in memory."""
    world: str = ""
    """Scenario and seed of the world, where it has a manifest."""

    def requests(self) -> pd.DataFrame:
        """Read which requests distil: request_id, distilling (bool); a row a request.

        Raises:
            InputError: the world does not tell.
        """
        parts = sorted((self.folder / "requests").glob("part-*.parquet")) if self.folder else []
        if not parts:
            raise InputError(f"{self.folder or 'This truth'} does not tell which requests distil. {_ADVICE}")
        frame = pd.concat([read_parquet(part, _ADVICE) for part in parts], ignore_index=True)
        require_columns(frame, ("request_id", "distilling"), str(parts[0].parent))
        return frame[["request_id", "distilling"]]

    def only(self, accounts: Collection[str]) -> Truth:
        """Return the truth about some accounts: rings shrink to these, and rings with none are gone."""
        kept = self.accounts[self.accounts["account_id"].isin(list(accounts))].reset_index(drop=True)
        return replace(self, accounts=kept, rings=_counted(self.rings, kept))


def make_truth(accounts: pd.DataFrame, rings: pd.DataFrame | None = None, world: str = "") -> Truth:
    """Check frames and fill what they may leave out.

    Args:
        accounts: At least account_id, population, ring.
        rings: At least ring; None makes one from the accounts, each ring with an operator of its own.
        world: What to call it.

    Raises:
        InputError: a column is missing, an account or ring is unnamed, named twice or not by text, or a ring
            is not told.
    """
    require_columns(accounts, _NEEDED, "The truth about accounts")
    require_keys(accounts, "account_id", "The truth about accounts")
    require_text(accounts, "ring", "The truth about accounts")
    filled = accounts.assign(**{name: None for name in _MAY_BE_ABSENT if name not in accounts})
    planted = sorted(filled["ring"].dropna().unique())
    told_rings = pd.DataFrame({"ring": pd.Series(planted, dtype="str")}) if rings is None else rings
    require_columns(told_rings, ("ring",), "The truth about rings")
    require_keys(told_rings, "ring", "The truth about rings")
    untold = sorted(set(planted) - set(told_rings["ring"]))
    if untold:
        raise InputError(f"Accounts belong to {told(untold, 3)}, which the truth about rings does not name.")
    return Truth(filled, _counted(_filled_rings(told_rings, filled), filled), world=world)


def read_truth(path: Path) -> Truth:
    """Read the truth of a world, and what its reviewers know of it: the table ``labels`` of its input.

    Args:
        path: The folder that ``ringfence worlds make`` wrote, or the ``truth`` folder in it.

    Raises:
        InputError: a file is missing, damaged, or lacks a column; an account is unnamed or named twice.
    """
    folder = path / "truth" if (path / "truth").is_dir() else path
    accounts = read_parquet(folder / "accounts.parquet", _ADVICE)
    rings = read_parquet(folder / "rings.parquet", _ADVICE) if (folder / "rings.parquet").is_file() else None
    labels = _labels(folder.parent / "input")
    if labels is not None and "account_id" in accounts:
        accounts = accounts.assign(label=accounts["account_id"].map(labels))
    return replace(make_truth(accounts, rings, _world_name(folder.parent)), folder=folder)


def _labels(folder: Path) -> pd.Series[str] | None:
    """Return the label of each account that has one; ``ring`` where it has both."""
    parts = [p for p in (folder / "labels.parquet", *sorted(folder.glob("labels/*.parquet"))) if p.is_file()]
    if not parts:
        return None
    frame = pd.concat([read_parquet(part, _ADVICE) for part in parts], ignore_index=True)
    require_columns(frame, ("account_id", "label"), f"The table labels in {folder}")
    # "ring" is the last of the two in the order of the alphabet.
    return frame.dropna(subset=["account_id", "label"]).groupby("account_id")["label"].max()


def _filled_rings(rings: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    types = accounts.dropna(subset=["ring"]).groupby("ring")["ring_type"].first()
    filled = rings.copy()
    if "ring_type" not in filled:
        filled["ring_type"] = filled["ring"].map(types)
    if "operator" not in filled:
        filled["operator"] = filled["ring"]
    if "single_family" not in filled:
        filled["single_family"] = False
    return filled.assign(
        ring_type=filled["ring_type"].fillna("ring"), operator=filled["operator"].fillna(filled["ring"])
    )


def _counted(rings: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Return the rings that have accounts, with their number and whether reviewers know one of them."""
    counts = accounts["ring"].value_counts()
    known = accounts.loc[accounts["label"].eq(RING_LABEL), "ring"].dropna().unique()
    sized = rings.assign(
        accounts=looked_up(rings["ring"], counts).astype("int64"), labelled=rings["ring"].isin(known)
    )
    rest = [name for name in sized if name not in _RING_COLUMNS]
    kept = sized.loc[sized["accounts"] > 0, [*_RING_COLUMNS, *rest]]
    return kept.sort_values("ring").reset_index(drop=True)


def _world_name(folder: Path) -> str:
    try:
        said = json.loads((folder / "world.json").read_text(encoding="utf-8"))
        return f"{said['scenario']}, seed {said['seed']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
