"""Logs taken in delivery by delivery, with the sightings that all of them at once would give.

Rows fall to the day of their time. What linkage reads of a day is made from the day's rows alone, so that a
new delivery makes only the days it has rows of: today, and those that late rows fall to. What was seen adds
up: counts by their sum, first times by the least, last ones by the greatest, exactly and in any order. So
days are merged to blocks and blocks to everything, and the rows of a day are read once.

Everything that is kept is named by a digest of what it was made from. A folder is there as a whole or not
at all, under a name that says whether it still holds; so whoever is killed leaves what was there before, and
whoever comes next makes what is missing. One process at a time may write.

Links are weighed anew from the merged sightings. Their weights rest on how many sightings there are in all,
and their significance on a draw over all of them, so that one new row moves nearly every one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from ringfence.engine.protocol import files_of
from ringfence.files import Workspace, digest_files, digest_json, published
from ringfence.graphbuild.build import sightings_path
from ringfence.graphbuild.day_rows import LOGS, TYPES, UNDATED, log_schema, split_by_day
from ringfence.graphbuild.sightings import Tables, activity, sightings, transfers
from ringfence.progress import Tick, silent
from ringfence.schema import ENTITY_TYPES, TABLES, Kind

_FORM = 1
"""Of what is made of a day. Another number makes all days anew."""

_BLOCK_DAYS = 8
"""Days whose sightings are merged once, until one of them changes."""

_ACTIVITY = pa.schema([("account_id", pa.string()), ("day", pa.date32()), ("requests", pa.int64())])
_SEEN = pa.schema(
    [
        ("account_id", pa.string()),
        ("entity_id", pa.string()),
        ("count", pa.int64()),
        *((name, TYPES[Kind.TIME]) for name in ("first_seen", "last_seen")),
    ]
)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What was to do."""

    made: tuple[str, ...]
    """Days that were made anew, ascending."""
    kept: int
    """Days that stand as they were."""
    merged: int
    """Blocks that were merged anew."""


class Days:
    """The logs of a folder by day, and what was made of them."""

    def __init__(self, engine: Any, root: Path) -> None:
        """Open a folder; nothing is written.

        Args:
            engine: A :class:`ringfence.engine.Engine`.
            root: The folder, made where missing when something is taken in. No two processes may write to it
                at a time.
        """
        self._engine = engine
        self._deliveries, self._made, self._blocks = (
            root / name for name in ("deliveries", "days", "blocks")
        )

    def take_in(self, delivered: Path) -> bool:
        """Keep the rows of a delivery by day; return False where the very same was taken in before.

        Rows that are alike in all columns count once, whichever deliveries they came in. Rows that share a
        key and differ are for whoever loads to refuse.

        Args:
            delivered: Canonical tables as a run keeps them, ``<table>/part-*.parquet``; :data:`LOGS` alone.

        Raises:
            OutputError: the folder cannot be written.
        """
        parts = {name: sorted((delivered / name).glob("*.parquet")) for name in LOGS}
        digest = digest_files([part for some in parts.values() for part in some], delivered)
        place = self._deliveries / digest
        if place.is_dir():
            return False
        with published(place, force=False, ours=()) as building:
            for name, some in parts.items():
                if some:
                    split_by_day(some, name, building / name)
        return True

    def refresh(self, tick: Tick = silent) -> Refreshed:
        """Make what is missing of days and blocks, and drop what no longer holds.

        Args:
            tick: Told the share of days and blocks that are done.

        Raises:
            OutputError: the folder cannot be written.
        """
        days, blocks = self._days(), self._wanted_blocks()
        new_days = [day for day in days if not days[day].is_dir()]
        new_blocks = [block for block in blocks.values() if not block.is_dir()]
        todo = max(len(new_days) + len(new_blocks), 1)
        for done, day in enumerate(new_days, 1):
            self._write(days[day], self._pieces(day))
            tick(done / todo)
        for done, block in enumerate(new_blocks, len(new_days) + 1):
            held = [days[day] for day in days if blocks[_block(day)] == block]
            self._write(block, {name: self._merged(name, held) for name in ENTITY_TYPES})
            tick(done / todo)
        for half in self._deliveries.glob(".*"):
            shutil.rmtree(half)
        _drop_but(self._made, days.values())
        _drop_but(self._blocks, blocks.values())
        return Refreshed(tuple(new_days), len(days) - len(new_days), len(new_blocks))

    def seen(self, entity: str) -> Any:
        """Return the sightings of an entity type, as after :meth:`refresh` they are of all rows.

        The same as :func:`~ringfence.graphbuild.sightings.sightings` makes of them at once.
        """
        return self._merged(entity, sorted(self._wanted_blocks().values()))

    def activity(self) -> Any:
        """Return what :func:`~ringfence.graphbuild.sightings.activity` does of all rows."""
        return self._read("activity", self._days().values(), _ACTIVITY)

    def transfers(self) -> Any:
        """Return what :func:`~ringfence.graphbuild.sightings.transfers` does of all rows."""
        return transfers(self._log)

    def write_sightings(self, work: Workspace) -> None:
        """Write what :func:`~ringfence.graphbuild.build.build_sightings` writes of all rows."""
        expressions = {name: self.seen(name) for name in ENTITY_TYPES}
        expressions |= {"transfers": self.transfers(), "activity": self.activity()}
        for name, expression in expressions.items():
            self._engine.to_parquet(expression, sightings_path(work, name))

    def tables(self, others: Tables) -> Tables:
        """Return the canonical tables that links are made from: of :data:`LOGS`, no other columns.

        Args:
            others: Where the other tables come from: accounts, models, events and such.
        """
        return lambda name: self._log(name) if name in LOGS else others(name)

    def _log(self, name: str) -> Any:
        return self._read(f"log-{name}", self._days().values(), log_schema(name, LOGS[name]))

    def _days(self) -> dict[str, Path]:
        """Return the days that have rows, ascending, and the folder that is right for what they have now."""
        holders: dict[str, set[str]] = {}
        for day in self._deliveries.glob("[!.]*/*/*"):
            holders.setdefault(day.name, set()).add(day.parent.parent.name)
        return {
            day: self._made / f"{day}_{digest_json([_FORM, sorted(holders[day])])[:32]}"
            for day in sorted(holders)
        }

    def _wanted_blocks(self) -> dict[str, Path]:
        """Return the blocks, and the folder that is right for the days they have now."""
        held: dict[str, list[str]] = {}
        for day, folder in self._days().items():
            held.setdefault(_block(day), []).append(folder.name)
        return {b: self._blocks / f"{b}_{digest_json([_FORM, names])[:32]}" for b, names in held.items()}

    def _pieces(self, day: str) -> dict[str, Any]:
        """Return what is kept of a day, by name."""
        rows = {name: self._rows(name, day) for name in LOGS}
        pieces = {name: sightings(rows.__getitem__, entity) for name, entity in ENTITY_TYPES.items()}
        pieces["activity"] = activity(rows.__getitem__)
        return pieces | {f"log-{name}": rows[name].select(*columns) for name, columns in LOGS.items()}

    def _rows(self, name: str, day: str) -> Any:
        """Return the rows of a table that fall to a day, those that are alike once."""
        columns = [column.name for column in TABLES[name].stored]
        parts = sorted(str(part) for part in self._deliveries.glob(f"[!.]*/{name}/{day}/*.parquet"))
        if not parts:
            return ibis.memtable(log_schema(name, columns).empty_table())
        # Which file and line a row came from would tell doubles apart.
        return self._engine.read_parquet(parts).select(*columns).distinct()

    def _write(self, place: Path, pieces: dict[str, Any]) -> None:
        with published(place, force=False, ours=()) as building:
            for name, piece in pieces.items():
                self._engine.to_parts(piece, building / name)

    def _merged(self, entity: str, folders: Iterable[Path]) -> Any:
        rows = self._read(entity, folders, _SEEN)
        return rows.group_by("account_id", "entity_id").agg(
            count=rows["count"].sum().cast("int64"),
            first_seen=rows["first_seen"].min(),
            last_seen=rows["last_seen"].max(),
        )

    def _read(self, piece: str, folders: Iterable[Path], schema: pa.Schema) -> Any:
        files = [file for folder in folders for file in files_of(folder / piece)]
        return self._engine.read_parquet(files) if files else ibis.memtable(schema.empty_table())


def _block(day: str) -> str:
    """Return the block that a day belongs to."""
    return day if day == UNDATED else f"{date.fromisoformat(day).toordinal() // _BLOCK_DAYS:06}"


def _drop_but(folder: Path, kept: Iterable[Path]) -> None:
    """Remove what no longer holds, and what a process that was killed has left half-done."""
    stands = set(kept)
    for found in folder.glob("*") if folder.is_dir() else ():
        if found not in stands:
            shutil.rmtree(found)
