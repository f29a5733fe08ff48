"""What is done to raw columns before the table engine sees them: here prompt text ends."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.errors import InputError, near_names, told
from ringfence.loaders.addresses import canonical_addresses, canonical_networks
from ringfence.loaders.discover import Source
from ringfence.loaders.mapping import TableMapping
from ringfence.loaders.protocol import LINE
from ringfence.loaders.staging import foreign, keyed
from ringfence.loaders.values import is_readable, plain
from ringfence.schema import TABLES, Column, Kind, Table
from ringfence.templater import Templater

_ROWS_A_BATCH = 1 << 15
_SPELL: dict[Kind, Callable[[pa.Array], pa.Array]] = {
    Kind.ADDRESS: canonical_addresses,
    Kind.NETWORK: canonical_networks,
}


def columns_to_read(table: Table, source: Source) -> dict[str, str]:
    """Return canonical column → source column for what the file has.

    Raises:
        InputError: a required column or one that the mapping names is missing, or one holds no single values.
    """
    there = source.reader.columns(source.path)
    mapping = source.mapping
    columns = {}
    for column in table.columns:
        name = mapping.source_of(column.name)
        if name in there:
            _check_type(source, column.name, name, there[name])
        elif not source.reader.sparse or (there and _needs(mapping, column)):
            if _needs(mapping, column):
                raise InputError(_missing(source, column.name, name, list(there)))
            continue
        columns[column.name] = name
    return columns


def _needs(mapping: TableMapping, column: Column) -> bool:
    named = column.required or column.name in (*mapping.columns, *mapping.only_where)
    return named and column.name not in mapping.constants


def _check_type(source: Source, column: str, name: str, kind: pa.DataType) -> None:
    if not is_readable(kind):
        raise InputError(
            f"{source.name}: column {name!r} ({column}) holds {kind}. Save it as text, numbers or times."
        )


def _missing(source: Source, column: str, name: str, there: list[str]) -> str:
    named = f"{column} (as {name!r})" if name != column else column
    return (
        f"{source.name} has no column {named}, which {source.mapping.name} needs.{near_names(name, there)}"
        f" It has: {told(there)}. Other names need --mapping."
    )


def prepared(raw: pa.Table, mapping: TableMapping, templater: Templater) -> pa.Table:
    """Return raw columns as canonical expressions want them.

    Text is trimmed, addresses are spelt, and prompts have become keys, to be resolved when all are read.
    """
    return spelt(_templated(raw, mapping, templater), mapping)


def spelt(raw: pa.Table, mapping: TableMapping) -> pa.Table:
    """Return raw columns without prompts as canonical expressions want them."""
    raw = _without_empty(raw, mapping)
    raw = pa.table({name: plain(raw[name]) for name in raw.column_names})
    for column in TABLES[mapping.name].columns:
        given = _given(raw, column.name, mapping) if column.kind in _SPELL else None
        if given is not None:
            raw = raw.append_column(f"{column.name}_spelt", _SPELL[column.kind](given))
    # The engine works on the batches of a table side by side.
    return pa.Table.from_batches(raw.to_batches(max_chunksize=_ROWS_A_BATCH), raw.schema)


def _without_empty(raw: pa.Table, mapping: TableMapping) -> pa.Table:
    """Return the table without columns that hold nothing and need not: casting them only costs time."""
    needed = {LINE, *TABLES[mapping.name].required, *mapping.only_where}
    empty = [n for n in raw.column_names if n not in needed and raw[n].null_count == raw.num_rows]
    return raw.drop_columns(empty)


def _given(raw: pa.Table, name: str, mapping: TableMapping) -> pa.Array | None:
    """Return a column as text with the mapping's constant or values applied; None where there is none."""
    if name in mapping.constants:
        return pa.repeat(mapping.constants[name], raw.num_rows)
    if name not in raw.column_names:
        return None
    text = raw[name].cast(pa.string()).combine_chunks()
    swaps = mapping.values.get(name, {})
    swapped = pa.array(swaps.values(), pa.string())
    return pc.coalesce(swapped.take(pc.index_in(text, pa.array(swaps, pa.string()))), text)


def _templated(raw: pa.Table, mapping: TableMapping, templater: Templater) -> pa.Table:
    """Turn prompt text into keys; a template that the provider names itself is better than ours."""
    text = [name for name in ("system_prompt", "prompt") if name in raw.column_names]
    given = foreign(raw["template_id"].cast(pa.string())) if "template_id" in raw.column_names else None
    system, prompt = (
        _unnamed(raw[name], given) if name in text else None for name in ("system_prompt", "prompt")
    )
    if all(part is None or part.null_count == raw.num_rows for part in (system, prompt)):
        return raw.drop_columns(text)
    mined = keyed(templater(system, prompt, _accounts(raw, mapping)))
    raw = raw.drop_columns(text)
    if given is None:
        return raw.append_column("template_id", mined)
    return raw.set_column(raw.column_names.index("template_id"), "template_id", pc.coalesce(given, mined))


def _accounts(raw: pa.Table, mapping: TableMapping) -> pa.Array:
    """Return who sent each row, spelt as it will be in the canonical table; null where nobody is named."""
    name = "account_id"
    spelt = (
        raw.set_column(raw.column_names.index(name), name, plain(raw[name]))
        if name in raw.column_names
        else raw
    )
    accounts = _given(spelt, name, mapping)
    if accounts is None:
        return pa.nulls(raw.num_rows, pa.string())
    return pc.if_else(pc.equal(accounts, ""), None, accounts)


def _unnamed(text: pa.ChunkedArray, given: pa.ChunkedArray | None) -> pa.Array:
    """Return prompt text, null where the provider has named the template."""
    if given is not None and given.null_count == 0:
        return pa.nulls(len(text), pa.string())
    plain_text = text.cast(pa.string())
    return (plain_text if given is None else pc.if_else(given.is_null(), plain_text, None)).combine_chunks()
