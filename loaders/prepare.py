"""What is done to raw columns before the table engine sees them: here prompt text ends."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.errors import InputError, near_names
from ringfence.loaders.addresses import canonical_addresses, canonical_networks
from ringfence.loaders.discover import Source
from ringfence.loaders.protocol import Templater
from ringfence.schema import Kind, Table

_ROWS_A_BATCH = 1 << 15
_SPELL: dict[Kind, Callable[[pa.Array], pa.Array]] = {
    Kind.ADDRESS: canonical_addresses,
    Kind.NETWORK: canonical_networks,
}


def columns_to_read(table: Table, source: Source) -> dict[str, str]:
    """Return canonical column → source column for what the file has.

    Raises:
        InputError: a required column is missing, a mapped one is missing, or one holds lists or structs.
    """
    there = source.reader.columns(source.path)
    mapping = source.mapping
    columns = {}
    for column in table.columns:
        name = mapping.source_of(column.name)
        if name in there:
            columns[column.name] = name
        elif (column.required or column.name in mapping.columns) and column.name not in mapping.constants:
            raise InputError(_missing(source, column.name, name, list(there)))
    for column_name, name in columns.items():
        if pa.types.is_nested(there[name]):
            raise InputError(
                f"{source.name}: column {name!r} ({column_name}) holds {there[name]}, no single value."
            )
    return columns


def _missing(source: Source, column: str, name: str, there: list[str]) -> str:
    named = f"{column} (as {name!r})" if name != column else column
    return (
        f"{source.name} has no column {named}, which {source.mapping.name} needs.{near_names(name, there)}"
        f" It has: {', '.join(there) or 'none'}. Other names need --mapping."
    )


def prepared(raw: pa.Table, table: Table, templater: Templater) -> pa.Table:
    """Return raw columns as canonical expressions want them.

    Text is trimmed, addresses are spelt, and prompts have become template ids.
    """
    raw = _templated(raw, templater)
    for place, name in enumerate(raw.column_names):
        if pa.types.is_string(raw[name].type) or pa.types.is_large_string(raw[name].type):
            raw = raw.set_column(place, name, pc.ascii_trim_whitespace(raw[name].cast(pa.string())))
    for column in table.columns:
        if column.kind in _SPELL and column.name in raw.column_names:
            raw = raw.append_column(f"{column.name}_spelt", _spelt(raw, column.name, _SPELL[column.kind]))
    # The engine works on the batches of a table side by side.
    return pa.Table.from_batches(raw.to_batches(max_chunksize=_ROWS_A_BATCH), raw.schema)


def _spelt(raw: pa.Table, name: str, spell: Callable[[pa.Array], pa.Array]) -> pa.Array:
    return spell(raw[name].cast(pa.string()).combine_chunks())


def _templated(raw: pa.Table, templater: Templater) -> pa.Table:
    text = [name for name in ("system_prompt", "prompt") if name in raw.column_names]
    if not text:
        return raw
    parts = [
        raw[name].cast(pa.string()).combine_chunks() if name in text else None
        for name in ("system_prompt", "prompt")
    ]
    mined = templater(parts[0], parts[1], raw["account_id"].cast(pa.string()).combine_chunks())
    raw = raw.drop_columns(text)
    if "template_id" in raw.column_names:
        # A template that the provider names itself is better than ours.
        place = raw.column_names.index("template_id")
        given = raw["template_id"].cast(pa.string())
        return raw.set_column(place, "template_id", pc.coalesce(given, mined))
    return raw.append_column("template_id", mined)
