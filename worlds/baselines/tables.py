"""A world's canonical tables, and what the baselines read off them: contents and shared entities."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ibis
import pandas as pd

from ringfence.errors import InputError
from ringfence.schema import ACTIVITY_TABLES, ENTITY_TYPES, TABLES, Kind

Tables = Callable[[str], Any]
"""Canonical table name → Ibis table with every canonical column; empty where the folder has none."""

_TYPES = {Kind.TIME: "timestamp", Kind.INTEGER: "int64", Kind.REAL: "float64"}

_SPACES = r"\s\s+|[^\S ]"
"""White space that is not one space already: replacing every space by itself takes five times as long."""


def open_tables(folder: Path, engine: Any) -> Tables:
    """Return the tables of a folder of ``<table>.parquet`` files or ``<table>/part-*.parquet`` parts.

    Columns that a file lacks are null. Times are UTC without a zone.

    Args:
        folder: The ``input`` folder of a world.
        engine: Ibis backend.

    Raises:
        InputError: the folder holds no table that says what accounts do.
    """
    files = {name: _files(folder, name) for name in TABLES}
    if not any(files[name] for name in ACTIVITY_TABLES):
        raise InputError(f"{folder} holds none of {', '.join(ACTIVITY_TABLES)}. Name a world's input folder.")

    def table(name: str) -> Any:
        kinds = {column.name: _TYPES.get(column.kind, "string") for column in TABLES[name].columns}
        if not files[name]:
            return ibis.memtable([], schema=kinds)
        rows = engine.read_parquet(files[name], table_name=f"world_{name}")
        return rows.select(
            **{
                column: (rows[column] if column in rows.columns else ibis.null()).cast(kind)
                for column, kind in kinds.items()
            }
        )

    return table


def fetched(engine: Any, expression: Any) -> pd.DataFrame:
    """Return the rows of an Ibis table."""
    rows: pd.DataFrame = engine.to_pyarrow(expression).to_pandas()
    return rows


def _files(folder: Path, name: str) -> list[str]:
    single = folder / f"{name}.parquet"
    return [str(single)] if single.is_file() else sorted(map(str, (folder / name).glob("*.parquet")))


def account_ids(tables: Tables, engine: Any) -> pd.Index[str]:
    """Return every account that is listed or does something, once, in order."""
    sources = [tables(name).select("account_id") for name in ("accounts", *ACTIVITY_TABLES)]
    names = ibis.union(*sources, distinct=True)
    found: pd.Index[str] = pd.Index(fetched(engine, names.order_by("account_id"))["account_id"], dtype=str)
    return found


def contents(tables: Tables) -> Any:
    """Return request_id, account_id, ts, content: requests with an exact hash of what they ask.

    That is the system prompt, or the prompt where there is none, in one case, with runs of white space and
    of digits made one. Where the text is gone, ``template_id`` stands for it.
    """
    rows = tables("requests")
    text = ibis.coalesce(rows["system_prompt"].nullif(""), rows["prompt"], rows["template_id"])
    plain = text.lower().re_replace(r"\d+", "0").re_replace(_SPACES, " ").strip()
    return rows.filter(text.notnull()).select("request_id", "account_id", "ts", content=plain.hash())


def sightings(tables: Tables, kinds: Iterable[str], contents: Any = None) -> Any:
    """Return account_id, kind, entity: who was seen with what, each pair once.

    Args:
        tables: Canonical tables.
        kinds: Names of :data:`ringfence.schema.ENTITY_TYPES`.
        contents: Of :func:`contents`: what stands for ``template``.
    """
    seen = []
    for kind in kinds:
        if kind == "template":
            seen.append(_seen(contents, "content", kind))
        else:
            seen += [_seen(tables(name), column, kind) for name, column in ENTITY_TYPES[kind].sources]
    return ibis.union(*seen, distinct=True) if len(seen) > 1 else seen[0].distinct()


def _seen(rows: Any, column: str, kind: str) -> Any:
    entity = rows[column].cast("string")
    return rows.filter(entity.notnull()).select("account_id", kind=ibis.literal(kind), entity=entity)


def without_hubs(seen: Any, cap: int) -> Any:
    """Return the sightings of entities that 2 to ``cap`` accounts have, with their number: ``sharers``."""
    groups = seen.group_by("kind", "entity").agg(sharers=seen.count())
    kept = groups.filter((groups["sharers"] > 1) & (groups["sharers"] <= cap))
    return seen.inner_join(kept, ["kind", "entity"]).select("account_id", "kind", "entity", "sharers")
