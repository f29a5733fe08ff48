"""Raw columns → canonical columns, as one Ibis expression a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from ringfence.loaders.mapping import TableMapping
from ringfence.loaders.protocol import LINE
from ringfence.schema import TABLES, Column, Kind

PROBLEM = "_problem"
"""Column of a canonical expression: ``column: reason`` of the first problem of a row, null where none."""

GIVEN, TIME, SELECTED = "given", "time", "selected"
"""Columns of :func:`row_times`."""

_UTC = "timestamp('UTC')"

CANONICAL_TYPES = {
    Kind.IDENTIFIER: "string",
    Kind.TEXT: "string",
    Kind.ADDRESS: "string",
    Kind.NETWORK: "string",
    Kind.TIME: _UTC,
    Kind.INTEGER: "int64",
    Kind.REAL: "float64",
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_UNITS_A_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}


@dataclass(frozen=True, slots=True)
class _Cast:
    value: Any
    """Canonical value; null where the raw value is null or bad."""
    complaint: str
    """What to say where a value is there and its cast is null; empty where that cannot be."""


def canonical_rows(raw: Any, mapping: TableMapping) -> Any:
    """Return the canonical columns of a raw table, :data:`LINE` and :data:`PROBLEM`.

    Args:
        raw: Ibis table with those canonical columns that are there, of any scalar types, and
            :data:`LINE`. Text has no
            white space around it. Address and network columns come with a second column
            ``<name>_spelt``: the value as given in canonical spelling.
        mapping: Time units, values and constants.
    """
    columns, problems = {}, []
    for column in TABLES[mapping.name].stored:
        if column.name not in (*raw.columns, *mapping.constants):
            columns[column.name] = ibis.null(CANONICAL_TYPES[column.kind])
            continue
        given = _given(raw, column, mapping)
        cast = _CASTS[column.kind](raw, column, given, mapping)
        columns[column.name] = cast.value
        if cast.complaint:
            problems.append((given.notnull() & cast.value.isnull(), f"{column.name}: {cast.complaint}"))
        if column.required:
            problems.append((given.isnull(), f"{column.name}: is missing"))
        if column.values:
            odd = cast.value.notnull() & ~cast.value.isin(column.values)
            problems.append((odd, f"{column.name}: is none of {', '.join(column.values)}"))
    return raw.select(**columns, **{LINE: raw[LINE], PROBLEM: ibis.cases(*problems)})


def selected_rows(raw: Any, mapping: TableMapping) -> Any:
    """Return the raw rows that are rows of the table at all."""
    for name in mapping.only_where:
        raw = raw.filter(_given(raw, TABLES[mapping.name].column(name), mapping).notnull())
    return raw


def row_times(raw: Any, mapping: TableMapping, name: str) -> Any:
    """Return when each raw row was, and nothing else of it.

    Args:
        raw: As :func:`canonical_rows` takes it; of the columns, only the time and those that select rows.
        mapping: Time units, values and constants.
        name: The time column, which the raw table or the mapping's constants have.

    Returns:
        :data:`GIVEN` (whether the row says a time), :data:`TIME` (null where it cannot be read) and
        :data:`SELECTED` (whether the row is one of the table at all), in the order of the rows.
    """
    column = TABLES[mapping.name].column(name)
    given = _given(raw, column, mapping)
    selected = ibis.literal(True)
    for chosen in mapping.only_where:
        selected &= _given(raw, TABLES[mapping.name].column(chosen), mapping).notnull()
    time = _time(raw, column, given, mapping).value
    return raw.select(**{GIVEN: given.notnull(), TIME: time, SELECTED: selected})


def _given(raw: Any, column: Column, mapping: TableMapping) -> Any:
    """Return the value as given: constants and value maps applied, empty text as null."""
    if column.name in mapping.constants:
        return ibis.literal(mapping.constants[column.name])
    value = raw[column.name]
    if column.kind in (Kind.IDENTIFIER, Kind.TEXT) or column.name in mapping.values:
        value = _as_text(value)
    if swaps := mapping.values.get(column.name):
        value = value.cases(*swaps.items(), else_=value)
    return value.nullif("") if isinstance(value.type(), dt.String) else value


def _as_text(value: Any) -> Any:
    if not isinstance(value.type(), dt.Floating):
        return value.cast("string")
    # Whole numbers become floats, and nulls NaN, where a tool knew no other way to hold a null.
    whole = value.try_cast("int64")
    text = ibis.ifelse(whole.cast("float64") == value, whole.cast("string"), value.cast("string"))
    return ibis.ifelse(value.isnan(), ibis.null("string"), text)


def _text(_raw: Any, _column: Column, given: Any, _mapping: TableMapping) -> _Cast:
    return _Cast(given, "")


def _time(_raw: Any, column: Column, given: Any, mapping: TableMapping) -> _Cast:
    unit = mapping.time_units.get(column.name, "iso")
    span = f"between {_EARLIEST.year} and {_LATEST.year}"
    if isinstance(given.type(), dt.Timestamp | dt.Date):
        return _Cast(_plausible(given.cast(_UTC), _EARLIEST, _LATEST), f"is not {span}")
    if unit != "iso":
        when = _since_epoch(given, _UNITS_A_SECOND[unit])
        return _Cast(when, f"is not a time in {unit} since 1970, {span}")
    # A bare number is a time in units that nobody declared; the engine's casts would take some of them.
    text = given.cast("string")
    dated = ibis.ifelse(text.re_search(r"^\d{4}-\d\d-\d\d"), text, ibis.null("string"))
    complaint = f"is not an ISO 8601 time {span}; epoch numbers need time_units in a mapping"
    return _Cast(_plausible(dated.try_cast(_UTC), _EARLIEST, _LATEST), complaint)


def _since_epoch(given: Any, a_second: int) -> Any:
    """Return times from numbers of ``1 / a_second`` seconds since 1970, fractions too."""
    earliest, latest = (int(when.timestamp()) * a_second for when in (_EARLIEST, _LATEST))
    # Checked before anything is reckoned with, so that no number overflows.
    ticks = _plausible(given.try_cast("decimal(38, 6)"), earliest, latest)
    microseconds = (ticks * (1_000_000 // a_second)).round().cast("int64")
    return ibis.literal(_EPOCH) + microseconds.as_interval("us")


def _plausible(value: Any, earliest: Any, latest: Any) -> Any:
    within = (value >= ibis.literal(earliest)) & (value < ibis.literal(latest))
    return ibis.ifelse(within, value, ibis.null(value.type()))


def _integer(_raw: Any, _column: Column, given: Any, _mapping: TableMapping) -> _Cast:
    complaint = "is not a whole number from 0"
    if isinstance(given.type(), dt.Integer):
        number = given.try_cast("int64")
        return _Cast(ibis.ifelse(number >= 0, number, ibis.null("int64")), complaint)
    # A cast from text straight to an integer would round 1.5 to 2.
    number = given.try_cast("decimal(38, 6)")
    whole = (number >= 0) & (number == number.floor())
    value = ibis.ifelse(whole, number.try_cast("int64"), ibis.null("int64"))
    if isinstance(given.type(), dt.String):
        # Digits and nothing else, which is nearly all there is, need no slow decimals.
        value = ibis.ifelse(given.re_search("^[0-9]{1,18}$"), given.try_cast("int64"), value)
    return _Cast(value, complaint)


def _real(_raw: Any, _column: Column, given: Any, _mapping: TableMapping) -> _Cast:
    number = given.try_cast("float64")
    finite = ~(number.isnan() | number.isinf())
    return _Cast(ibis.ifelse(finite, number, ibis.null("float64")), "is not a finite number")


def _spelt(complaint: str) -> Callable[[Any, Column, Any, TableMapping], _Cast]:
    def cast(raw: Any, column: Column, _given_value: Any, _mapping: TableMapping) -> _Cast:
        return _Cast(raw[f"{column.name}_spelt"], complaint)

    return cast


_CASTS: dict[Kind, Callable[[Any, Column, Any, TableMapping], _Cast]] = {
    Kind.IDENTIFIER: _text,
    Kind.TEXT: _text,
    Kind.TIME: _time,
    Kind.INTEGER: _integer,
    Kind.REAL: _real,
    Kind.ADDRESS: _spelt("is not an IP address"),
    Kind.NETWORK: _spelt("is not a network in CIDR form"),
}
