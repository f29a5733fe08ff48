"""Values of every type that a file may hold, in the types that the table engine is given."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.loaders.chunks import fault_of
from ringfence.loaders.protocol import LINE, Tally


def is_readable(kind: pa.DataType) -> bool:
    """Whether values of the type can become canonical ones."""
    if pa.types.is_dictionary(kind):
        return is_readable(kind.value_type)
    return (
        _is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or (pa.types.is_decimal(kind) and not pa.types.is_decimal256(kind))
        or pa.types.is_timestamp(kind)
        or pa.types.is_date(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )


def plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values of a readable type without dictionaries, short floats and white space around text."""
    values = _decoded(values)
    if pa.types.is_float16(values.type):
        return values.cast(pa.float64())
    return pc.ascii_trim_whitespace(values.cast(pa.string())) if _is_text(values.type) else values


def without_unclean_text(table: pa.Table, tally: Tally) -> pa.Table:
    """Return the table without the rows that hold text which is not UTF-8 or has a NUL; they are refused.

    Args:
        table: Rows with :data:`LINE`, counted already.
        tally: Where they are noted.
    """
    for name in table.column_names:
        values = _decoded(table[name])
        if not _is_text(values.type) or _is_clean(values):
            continue
        faults = [value and fault_of(value) for value in values.cast(pa.binary()).to_pylist()]
        for line, fault in zip(table[LINE].to_pylist(), faults, strict=True):
            if fault:
                tally.refuse(line, name, fault)
        table = table.filter(pa.array([not fault for fault in faults]))
    return table


def _decoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_clean(values: pa.ChunkedArray) -> bool:
    """Whether all values are clean for sure; false alarms only cost time."""
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return False
    octets = [chunk.buffers()[2] for chunk in values.cast(pa.string()).chunks]
    return all(np.frombuffer(buffer, np.uint8).all() for buffer in octets if buffer)
