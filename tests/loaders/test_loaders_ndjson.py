"""NDJSON as people and programs write it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import TS, load_files, put

from ringfence.errors import InputError
from ringfence.loaders import chunks
from ringfence.loaders.ndjson import NdjsonReader
from ringfence.loaders.protocol import LINE, Tally


def read(path: Path, content: str | bytes) -> tuple[list[list[Any]], Tally]:
    """Rows as ``[line, a, b]``."""
    put(path, content)
    tally = Tally(path.name, "t")
    batches = list(NdjsonReader().batches(path, ["a", "b"], tally))
    rows = pa.concat_tables(batches).to_pylist() if batches else []
    return [[row[LINE], row["a"], row["b"]] for row in rows], tally


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('{"a":"1","b":"2"}\n{"b":"4"}\n', [[1, "1", "2"], [2, None, "4"]]),
        ('{"a":"1"}\r\n\r\n  \n{"a":"2"}', [[1, "1", None], [4, "2", None]]),
        ('\ufeff{"a":"1"}\n', [[1, "1", None]]),
        ('{"a":1,"b":1.5}\n{"a":true,"b":null}\n', [[1, "1", "1.5"], [2, "true", None]]),
        (f'{{"a":{2**64 - 1},"b":{10**29 + 1}}}\n', [[1, str(2**64 - 1), str(10**29 + 1)]]),
        ('{"a":"NaN","b":": NaN"}\n{"a":"[-Infinity"}\n', [[1, "NaN", ": NaN"], [2, "[-Infinity", None]]),
        ('{"a":{"x":[1]},"b":[]}\n', [[1, '{"x":[1]}', "[]"]]),
        ('{"a":"\\u00e9\\ud83e\\udd8a\\n"}\n', [[1, "é🦊\n", None]]),
        ("\n\n", []),
        ("", []),
    ],
)
def test_rows_and_their_lines(tmp_path: Path, content: str, rows: list[list[Any]]) -> None:
    found, tally = read(tmp_path / "rows.ndjson", content)
    assert found == rows
    assert (tally.rows_in, tally.rejections) == (len(rows), [])


@pytest.mark.parametrize(
    "line",
    [
        *(b"[1]", b"null", b"1", b"{", b"{} {}", b"{'a': 1}", "\u00a0".encode()),
        *(b'{"a":NaN}', b'{"a":-Infinity}', b'{"a": nan}', b'{"b": [1, NaN]}', b'{"a":inf}'),
        *(b'{"a":"\xff"}', b'{"a":"\0"}', b'{"a":"\\u0000"}', b'{"a":"\\ud800"}'),
        *(b'{"a":' * 5000, b"[" * 100_000),
    ],
)
def test_a_bad_line_is_refused_and_takes_no_other_along(tmp_path: Path, line: bytes) -> None:
    rows, tally = read(tmp_path / "rows.ndjson", b'{"a":"1"}\n' + line + b'\n{"a":"3"}\n')
    assert [row[0] for row in rows] == [1, 3]
    assert [r.line for r in tally.rejections] == [2]
    assert tally.rows_in == 3


def test_a_column_that_comes_late_is_read(tmp_path: Path) -> None:
    rows = [{"account_id": f"a{n}", "ts": TS} for n in range(3000)]
    rows.append({"account_id": "late", "ts": TS, "device_id": "d"})
    out = load_files(tmp_path, logins_ndjson="\n".join(map(json.dumps, rows)))
    assert out.rows("logins")[-1]["device_id"] == "d"


def test_an_empty_part_is_no_error(tmp_path: Path) -> None:
    out = load_files(tmp_path, logins_ndjson="\n")
    assert out.counts("logins.ndjson") == (0, 0, 0, 0)


def test_a_json_array_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NDJSON is one object a line, and no array around them"):
        load_files(tmp_path, logins_json='[{"account_id": "a"},\n {"account_id": "b"}]')


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.tuples(TEXT, TEXT), max_size=10), ascii_only=st.booleans(), piece=st.integers(16, 200)
)
def test_what_pythons_writer_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], ascii_only: bool, piece: int
) -> None:
    lines = [json.dumps({"a": a, "b": b}, ensure_ascii=ascii_only) + "\n" for a, b in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_BYTES", piece)
        found, tally = read(tmp_path_factory.mktemp("json") / "rows.ndjson", "".join(lines))
    assert found == [[n, a, b] for n, (a, b) in enumerate(rows, 1)]
    assert tally.rows_in == len(rows)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(spoil=st.lists(st.tuples(st.integers(0, 119), st.integers(0, 255)), max_size=6))
def test_no_bytes_whatever_break_the_reader_or_vanish(
    tmp_path_factory: pytest.TempPathFactory, spoil: list[tuple[int, int]]
) -> None:
    data = bytearray(b'{"a":"1234","b":"5"}\n' * 6)
    for place, octet in spoil:
        data[place] = octet
    rows, tally = read(tmp_path_factory.mktemp("json") / "rows.ndjson", bytes(data))
    assert tally.rows_in == len(rows) + len(tally.rejections)
    blank = [line for line in bytes(data).split(b"\n") if not line.strip(b" \t\r\v\f")]
    assert tally.rows_in == data.count(b"\n") + 1 - len(blank)
