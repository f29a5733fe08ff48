"""Prompts of a ring, from the logs straight into sealed exhibits.

The logs are read twice: once to choose, when no text is kept, and once for the few that are chosen. Prompt
text is in memory only; the table engine never sees it, and what it sees it may not spill.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.exhibits.choose import Candidate, Chooser
from ringfence.enforcement.exhibits.records import DAYS, MOST, Exhibit
from ringfence.enforcement.exhibits.seal import Sealing, accounts_of, check_sealable, seal
from ringfence.engine import connect
from ringfence.errors import InputError, NotAllowedError
from ringfence.loaders.ahead import ahead
from ringfence.loaders.canonical import PROBLEM, canonical_rows, selected_rows
from ringfence.loaders.discover import Source, discover
from ringfence.loaders.mapping import read_mapping
from ringfence.loaders.prepare import columns_to_read
from ringfence.loaders.protocol import LINE, Tally
from ringfence.loaders.values import plain
from ringfence.progress import Tick, silent
from ringfence.records import iso_time
from ringfence.schema import TABLES

_KNOWN = ("request_id", "account_id", "ts", "template_id")
_TEXT = ("system_prompt", "prompt")
_ROWS_AT_ONCE = 1 << 12
_BEGINNING = 80
"""Signs of a prompt that name its wording, where nothing better does."""


@dataclass(frozen=True, slots=True)
class SealRequest:
    """What a person asks for."""

    ring_id: str
    logs: Path
    mapping: Path | None = None
    most: int = MOST
    days: int = DAYS


@dataclass(frozen=True, slots=True)
class Choice:
    """What would be sealed."""

    candidates: tuple[Candidate, ...]
    seen: int
    """Requests with text that the ring's accounts sent."""

    def as_json(self) -> dict[str, Any]:
        """Return counts, as plain JSON values."""
        return {
            "seen": self.seen,
            "exhibits": len(self.candidates),
            "accounts": len({one.account_id for one in self.candidates}),
            "wordings": len({one.wording for one in self.candidates}),
            "days": len({one.day for one in self.candidates}),
        }


def preview(book: Casebook, request: SealRequest, tick: Tick = silent) -> Choice:
    """Say what would be sealed; nothing is written.

    Raises:
        UnknownCaseError, NotAllowedError: nothing could be sealed.
        InputError: the logs cannot be read, or hold no prompt of the ring.
    """
    return _choose(book, request, tick)[0]


def seal_exhibits(book: Casebook, by: str, request: SealRequest, tick: Tick = silent) -> Sealing:
    """Choose prompts of a ring and seal them. The text goes from the logs into ciphertext, and nowhere else.

    Args:
        book: The casebook.
        by: Who seals.
        request: What is asked for.
        tick: Told the share of bytes read.

    Raises:
        UnknownCaseError, NotAllowedError: nothing can be sealed.
        InputError: the logs cannot be read, hold no prompt of the ring, or change on the way.
        CasebookError: the casebook cannot be written; nothing is kept.
    """
    choice, sources = _choose(book, request, tick)
    exhibits = _fetch(sources, choice)
    with book.writing(by) as writing:
        return seal(writing, request.ring_id, exhibits, request.days)


def _choose(book: Casebook, request: SealRequest, tick: Tick) -> tuple[Choice, tuple[Source, ...]]:
    with book.reading() as connection:
        check_sealable(connection, request.ring_id, book.now, request.most, request.days)
        accounts = pa.array(sorted(accounts_of(connection, request.ring_id)), pa.string())
    sources = _sources(request)
    chooser = Chooser(request.ring_id, request.most)
    size, read = max(sum(source.path.stat().st_size for source in sources), 1), 0
    for number, source in enumerate(sources):
        for rows in _rows(source, accounts):
            for row in _one_by_one(rows):
                chooser.offer(_candidate(row, number))
        read += source.path.stat().st_size
        tick(read / size)
    if not chooser.seen:
        raise NotAllowedError(
            f"{request.logs} holds no prompt of an account of {request.ring_id}: nothing to seal."
        )
    return Choice(tuple(chooser.chosen()), chooser.seen), sources


def _sources(request: SealRequest) -> tuple[Source, ...]:
    mappings = read_mapping(request.mapping) if request.mapping else ()
    found = discover(request.logs, mappings).sources
    sources = tuple(
        source
        for source in found
        if source.mapping.name == "requests" and _has_text(columns_to_read(TABLES["requests"], source))
    )
    if not sources:
        wanted = " or ".join(_TEXT)
        raise InputError(f"{request.logs} has no requests with {wanted}. Other names need --mapping.")
    return sources


def _has_text(columns: Mapping[str, str]) -> bool:
    return any(name in columns for name in _TEXT)


def _fetch(sources: tuple[Source, ...], choice: Choice) -> list[Exhibit]:
    """Read the chosen requests with their text; none is kept but those."""
    found: dict[str, Exhibit] = {}
    accounts = pa.array(sorted({one.account_id for one in choice.candidates}), pa.string())
    for number, source in enumerate(sources):
        wanted = {one.line: one for one in choice.candidates if one.source == number}
        lines = pa.array(list(wanted), pa.int64())
        with closing(_rows(source, accounts)) as batches:
            for rows in batches if wanted else ():
                for row in _one_by_one(rows.filter(pc.is_in(rows[LINE], lines))):
                    if _candidate(row, number) == wanted[row[LINE]]:
                        found[row["request_id"]] = _exhibit(row)
    if len(found) < len(choice.candidates):
        raise InputError("The logs were changed while they were read. Try again when they are complete.")
    return [found[one.request_id] for one in choice.candidates]


def _rows(source: Source, accounts: pa.Array) -> Generator[pa.Table, None, None]:
    """Yield the requests with text of the accounts: ``_KNOWN`` as loaded, ``_TEXT`` as sent, and LINE."""
    columns = columns_to_read(TABLES["requests"], source)
    needed = {*_KNOWN, *_TEXT, *source.mapping.only_where}
    columns = {name: read for name, read in columns.items() if name in needed}
    engine = connect(None)
    try:
        tally = Tally(source.name, "requests")
        wanted = list(dict.fromkeys(columns.values()))
        for batch in ahead(source.reader.batches(source.path, wanted, tally)):
            raw = batch.select([*columns.values(), LINE]).rename_columns([*columns, LINE])
            yield _theirs(engine, source, raw, accounts)
    finally:
        engine.disconnect()


def _theirs(engine: Any, source: Source, raw: pa.Table, accounts: pa.Array) -> pa.Table:
    known = _canonical(engine, source, raw.drop_columns([n for n in _TEXT if n in raw.column_names]))
    rows = known.filter(pc.is_in(known["account_id"], accounts))
    places = pc.index_in(rows[LINE], raw[LINE].combine_chunks())
    for name in _TEXT:
        text = raw[name].take(places).cast(pa.string()) if name in raw.column_names else None
        rows = rows.append_column(name, pa.nulls(len(rows), pa.string()) if text is None else text)
    spoken = pc.or_(*(pc.fill_null(pc.greater(pc.utf8_length(rows[name]), 0), False) for name in _TEXT))
    return rows.filter(spoken)


def _canonical(engine: Any, source: Source, raw: pa.Table) -> pa.Table:
    """Return the rows that would be loaded, as they would be; the engine is shown no text."""
    raw = pa.table({name: plain(raw[name]) for name in raw.column_names})
    engine.con.register("raw", raw)
    given = selected_rows(ibis.table(ibis.Schema.from_pyarrow(raw.schema), name="raw"), source.mapping)
    given = given.select([name for name in given.columns if name in (*_KNOWN, LINE)])
    constants = {name: value for name, value in source.mapping.constants.items() if name in _KNOWN}
    rows = engine.to_pyarrow(canonical_rows(given, replace(source.mapping, constants=constants)))
    return rows.filter(pc.is_null(rows[PROBLEM])).select([*_KNOWN, LINE])


def _one_by_one(rows: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield rows as Python values; a few at a time, for text is larger there."""
    for batch in rows.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _candidate(row: Mapping[str, Any], source: int) -> Candidate:
    wording = row["template_id"] or row["system_prompt"] or row["prompt"][:_BEGINNING]
    return Candidate(
        row["account_id"],
        row["request_id"],
        blake2b(wording.encode(), digest_size=16).hexdigest(),
        row["ts"].date().isoformat(),
        source,
        row[LINE],
    )


def _exhibit(row: Mapping[str, Any]) -> Exhibit:
    return Exhibit(
        row["account_id"], iso_time(row["ts"]) or "", row["request_id"], row["system_prompt"], row["prompt"]
    )
