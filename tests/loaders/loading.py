"""How the tests of the loaders write input folders and look at what came of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from ringfence.engine import connect
from ringfence.files import Workspace
from ringfence.loaders.discover import discover
from ringfence.loaders.load import Loaded, canonical_table, load_tables
from ringfence.loaders.mapping import read_mapping
from ringfence.loaders.window import Window
from ringfence.records import FileAccount

TS = "2026-02-01T00:00:00Z"
Row = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of a folder."""

    engine: Any
    work: Workspace
    loaded: Loaded

    def rows(self, table: str) -> list[Row]:
        """The canonical rows without columns that are null, in the order of files and lines."""
        stored = self.engine.to_pyarrow(canonical_table(self.engine, self.work, table)).to_pylist()
        stored.sort(key=lambda row: (row["_file"] or 0, row["_line"] or 0))
        return [{k: v for k, v in row.items() if v is not None and k[0] != "_"} for row in stored]

    def column(self, table: str, name: str) -> list[Any]:
        return [row.get(name) for row in self.rows(table)]

    def rejections(self) -> list[Row]:
        files = sorted(self.work.rejected.glob("*.ndjson"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def refused(self) -> list[tuple[str, int, str | None]]:
        return [(r["file"], r["line"], r["column"]) for r in self.rejections()]

    def balance(self, file: str) -> FileAccount:
        (found,) = [f for f in self.loaded.files if f.file == file]
        return found

    def counts(self, file: str) -> tuple[int, int, int, int]:
        """rows in, loaded, rejected, duplicates"""
        found = self.balance(file)
        return found.rows_in, found.loaded, found.rejected, found.duplicates


class NoTemplates:
    """Finds no template in any prompt."""

    def __call__(self, _system: pa.Array | None, _prompt: pa.Array | None, accounts: pa.Array) -> pa.Array:
        return pa.nulls(len(accounts), pa.uint64())

    def finish(self) -> None:
        pass

    def resolve(self, keys: pa.Array) -> pa.Array:
        return pa.nulls(len(keys), pa.string())


def load(
    folder: Path, mapping: str | None = None, templater: Any = None, window: Window | None = None
) -> Outcome:
    work = Workspace(Path(mkdtemp(prefix="work-", dir=folder.parent)))
    mappings = ()
    if mapping is not None:
        (work.root / "mapping.toml").write_text(mapping)
        mappings = read_mapping(work.root / "mapping.toml")
    engine = connect(work.spill)
    found = discover(folder, mappings)
    loaded = load_tables(engine, found, work, templater or NoTemplates(), window=window)
    return Outcome(engine, work, loaded)


def load_files(tmp_path: Path, mapping: str | None = None, **files: str | bytes | pa.Table) -> Outcome:
    """Load a fresh folder; ``logins_csv="…"`` is the file ``logins.csv``."""
    folder = Path(mkdtemp(prefix="in-", dir=tmp_path))
    for name, content in files.items():
        stem, suffix = name.rsplit("_", 1)
        put(folder / f"{stem}.{suffix}", content)
    return load(folder, mapping)


def put(path: Path, content: str | bytes | pa.Table) -> None:
    """Write a file, compressed as its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
        return
    data = content.encode() if isinstance(content, str) else content
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = zstandard.compress(data)
    path.write_bytes(data)


def as_csv(rows: Sequence[Row], columns: Sequence[str], *, end: str = "\n", delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows([[row.get(name) for name in columns] for row in rows])
    return text.getvalue()


def as_ndjson(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_parquet(rows: Sequence[Row], columns: Sequence[str]) -> pa.Table:
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns})


def written(rows: Sequence[Row], columns: Sequence[str], suffix: str) -> str | pa.Table:
    """The rows in the format of a file name's suffix."""
    if ".parquet" in suffix:
        return as_parquet(rows, columns)
    if ".tsv" in suffix:
        return as_csv(rows, columns, delimiter="\t")
    return as_csv(rows, columns) if ".csv" in suffix else as_ndjson(rows)
