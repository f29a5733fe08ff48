"""Input folder → canonical tables as Parquet, refused rows with reasons, and a balance per file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.engine import connect
from ringfence.errors import InputError
from ringfence.files import Workspace
from ringfence.loaders.ahead import ahead
from ringfence.loaders.canonical import PROBLEM, canonical_rows, selected_rows
from ringfence.loaders.discover import Discovery, Source
from ringfence.loaders.made_accounts import make_accounts
from ringfence.loaders.prepare import columns_to_read, prepared
from ringfence.loaders.protocol import LINE, Tally
from ringfence.loaders.staging import (
    CONTRADICTED,
    FILE,
    REPEATED,
    STANDING,
    PartWriter,
    canonical_schema,
    doubles,
    part_writer,
    resolved,
)
from ringfence.loaders.window import UNTOLD, Sieve, Window
from ringfence.progress import Tick, silent
from ringfence.records import FileAccount
from ringfence.schema import TABLES, Kind, Table
from ringfence.templater import Templater

_ROWS_REWRITTEN = 1 << 17
_CONTRADICTION = "is shared by rows of different contents"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of an input folder."""

    files: tuple[FileAccount, ...]
    """The balance of each file and table."""
    rows: dict[str, int]
    """Canonical table → rows; accounts include those made from events."""
    made_accounts: int
    """Accounts that no accounts table lists."""


def load_tables(
    engine: Any,
    discovery: Discovery,
    work: Workspace,
    templater: Templater,
    tick: Tick = silent,
    window: Window | None = None,
) -> Loaded:
    """Load every table that was discovered.

    Args:
        engine: Ibis backend; prompt text never reaches it.
        discovery: What feeds what.
        work: Tables go to ``work.tables``, refused rows to ``work.rejected``.
        templater: Turns prompt text into template ids before anything else sees it.
        tick: Told the share of bytes read.
        window: Rows of other times are not loaded, nor do they reach the templater; None for all.

    Raises:
        InputError: a file is damaged, or lacks a required column.
    """
    bytes_in = max(sum(source.path.stat().st_size for source in discovery.sources), 1)
    files: list[FileAccount] = []
    made, read = None, 0
    by_table = {n: list(g) for n, g in groupby(discovery.sources, key=lambda source: source.mapping.name)}
    # Labels come last: one on an account that nothing else knows is refused.
    for name in sorted(by_table, key=lambda name: name == "labels"):
        if name == "labels":
            made = make_accounts(engine, work, partial(canonical_table, engine, work))
        loading = _TableLoad(engine, TABLES[name], work, templater, window)
        for source in by_table[name]:
            loading.read(source)
            read += source.path.stat().st_size
            tick(read / bytes_in)
        files += loading.finish()
    made = make_accounts(engine, work, partial(canonical_table, engine, work)) if made is None else made
    rows = {name: sum(f.loaded for f in files if f.table == name) for name in by_table}
    rows["accounts"] = rows.get("accounts", 0) + made
    return Loaded(tuple(files), rows, made)


def canonical_table(engine: Any, work: Workspace, name: str) -> Any:
    """Return a canonical table as an Ibis expression; empty, with its columns, where nothing fed it."""
    parts = sorted((work.tables / name).glob("*.parquet"))
    if not parts:
        return ibis.memtable(canonical_schema(TABLES[name]).to_pyarrow().empty_table())
    return engine.read_parquet([str(part) for part in parts])


class _TableLoad:
    """One canonical table being loaded from its files, one after the other."""

    def __init__(
        self, engine: Any, table: Table, work: Workspace, templater: Templater, window: Window | None
    ) -> None:
        self._engine, self._table, self._work, self._templater = engine, table, work, templater
        self._window = window
        self._timing: Any = None
        self._tallies: list[Tally] = []
        self._has_text = False
        self._folder = work.tables / table.name
        self._folder.mkdir()

    def read(self, source: Source) -> None:
        """Read a file into a part of its own; rows with a problem are refused."""
        tally = Tally(source.name, self._table.name)
        self._tallies.append(tally)
        columns = columns_to_read(self._table, source)
        text = {column.name for column in self._table.columns if column.kind is Kind.PROMPT}
        self._has_text |= bool(text & columns.keys())
        with part_writer(self._folder / f"part-{len(self._tallies):05}.parquet", self._table) as part:
            for raw in ahead(self._prepared(source, columns, tally)):
                self._write(raw, source, tally, part)

    def _prepared(self, source: Source, columns: dict[str, str], tally: Tally) -> Iterator[pa.Table]:
        wanted = list(dict.fromkeys(columns.values()))
        sieve = self._sieve(source, tally)
        for batch in source.reader.batches(source.path, wanted, tally):
            raw = batch.select([*columns.values(), LINE]).rename_columns([*columns, LINE])
            if sieve is not None:
                raw = sieve(raw)
            yield prepared(raw, source.mapping, self._templater)

    def _sieve(self, source: Source, tally: Tally) -> Sieve | None:
        if self._window is None:
            return None
        if self._timing is None:
            # An engine of its own: the other is busy with the rows before these.
            self._timing = connect(None)
        return Sieve(self._timing, self._window, source.mapping, tally)

    def _write(self, raw: pa.Table, source: Source, tally: Tally, part: PartWriter) -> None:
        self._engine.con.register("raw", raw)
        given = ibis.table(ibis.Schema.from_pyarrow(raw.schema), name="raw")
        number = ibis.literal(len(self._tallies) - 1, "int32")
        rows = canonical_rows(selected_rows(given, source.mapping), source.mapping).mutate(**{FILE: number})
        if self._window is not None:
            rows = rows.mutate(**{n: ibis.null("string") for n in UNTOLD.get(self._table.name, ())})
        done = self._engine.to_pyarrow(rows)
        tally.unselected += raw.num_rows - done.num_rows
        fine = pc.is_null(done[PROBLEM])
        for row in done.filter(pc.invert(fine)).select([LINE, PROBLEM]).to_pylist():
            column, reason = row[PROBLEM].split(": ", 1)
            tally.refuse(row[LINE], column, reason)
        part.write(done.filter(fine))

    def finish(self) -> list[FileAccount]:
        """Drop doubles and unknown labels, write the refused rows and return the balance of each file."""
        rows = canonical_table(self._engine, self._work, self._table.name)
        strangers = None
        if self._table.name == "labels":
            known = canonical_table(self._engine, self._work, "accounts")
            strangers = rows.anti_join(known, "account_id").select(FILE, LINE)
            rows = rows.semi_join(known, "account_id")
        dropped = self._engine.to_pyarrow(doubles(rows, self._table))
        repeated = Counter(dropped.filter(pc.equal(dropped[STANDING], REPEATED))[FILE].to_pylist())
        self._refuse(
            dropped.filter(pc.equal(dropped[STANDING], CONTRADICTED)), self._table.key, _CONTRADICTION
        )
        dropped = dropped.select([FILE, LINE])
        if strangers is not None:
            unknown = self._engine.to_pyarrow(strangers)
            self._set_aside(unknown)
            dropped = pa.concat_tables([dropped, unknown])
        if dropped.num_rows:
            self._rewrite(dropped)
        if self._has_text:
            self._name_templates()
        self._write_refused()
        return [self._balance(number, repeated[number]) for number in range(len(self._tallies))]

    def _refuse(self, rows: pa.Table, column: str | None, reason: str) -> None:
        for row in rows.to_pylist():
            self._tallies[row[FILE]].refuse(row[LINE], column, reason)

    def _set_aside(self, unknown: pa.Table) -> None:
        """Refuse labels of accounts that nothing else names; in a window, they may well be of other times."""
        if self._window is None:
            self._refuse(unknown, "account_id", "is in no other table")
            return
        for file in unknown[FILE].to_pylist():
            self._tallies[file].outside += 1

    def _rewrite(self, dropped: pa.Table) -> None:
        """Write the parts again without the rows that are dropped."""
        for part in self._parts():
            rows = self._engine.read_parquet(str(part))
            kept = rows.anti_join(ibis.memtable(dropped), [FILE, LINE]).order_by(LINE)
            again = part.with_suffix(".again")
            self._engine.to_parquet(kept, again)
            again.replace(part)

    def _name_templates(self) -> None:
        """Write the parts again with template ids where keys of prompts stand."""
        self._templater.finish()
        for part in self._parts():
            again = part.with_suffix(".again")
            with part_writer(again, self._table) as writer, pq.ParquetFile(part) as file:
                for batch in file.iter_batches(_ROWS_REWRITTEN):
                    rows = pa.Table.from_batches([batch])
                    place = rows.column_names.index("template_id")
                    ids = resolved(rows["template_id"], self._templater)
                    writer.write(rows.set_column(place, "template_id", ids))
            again.replace(part)

    def _parts(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))

    def _write_refused(self) -> None:
        rejections = [rejection for tally in self._tallies for rejection in tally.rejections]
        if rejections:
            rejections.sort(key=lambda rejection: (rejection.file, rejection.line or 0))
            lines = [json.dumps(asdict(rejection), ensure_ascii=False) + "\n" for rejection in rejections]
            (self._work.rejected / f"{self._table.name}.ndjson").write_text("".join(lines), encoding="utf-8")

    def _balance(self, number: int, duplicates: int) -> FileAccount:
        tally = self._tallies[number]
        loaded = pq.read_metadata(self._parts()[number]).num_rows
        account = FileAccount(
            tally.file,
            tally.table,
            tally.rows_in - tally.unselected - tally.outside,
            loaded,
            len(tally.rejections),
            duplicates,
            tally.outside,
        )
        if not account.balanced:
            raise InputError(f"{tally.file} does not balance: {account}. Please report this as a defect.")
        return account
