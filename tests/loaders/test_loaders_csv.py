"""CSV as people and programs write it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from loading import as_csv, put

from ringfence.errors import InputError
from ringfence.loaders import chunks
from ringfence.loaders.csv import CsvReader
from ringfence.loaders.csv_rows import find_rows
from ringfence.loaders.protocol import LINE, Tally

AB = ("a", "b")


def read(path: Path, content: str | bytes, columns: tuple[str, ...] = AB) -> tuple[list[list[str]], Tally]:
    """Rows as ``[line, values…]``."""
    put(path, content)
    tally = Tally(path.name, "t")
    batches = list(CsvReader().batches(path, list(columns), tally))
    rows = pa.concat_tables(batches).to_pylist() if batches else []
    return [[row[LINE], *(row[name] for name in columns)] for row in rows], tally


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("a,b\n1,2\n3,4\n", [[2, "1", "2"], [3, "3", "4"]]),
        ("a,b\n1,2\n3,4", [[2, "1", "2"], [3, "3", "4"]]),
        ("a,b\r\n1,2\r\n3,4\r\n", [[2, "1", "2"], [3, "3", "4"]]),
        ("\ufeffa,b\n1,2\n", [[2, "1", "2"]]),
        ('\ufeff"a","b"\n1,2\n', [[2, "1", "2"]]),
        ("a,b\n\n1,2\n\r\n\n3,4\n\n", [[3, "1", "2"], [6, "3", "4"]]),
        ('a,b\n"1\n\n1",2\n3,4\n', [[2, "1\n\n1", "2"], [5, "3", "4"]]),
        ('a,b\r\n"1\r\n1",2\r\n3,4\r\n', [[2, "1\r\n1", "2"], [4, "3", "4"]]),
        ('a,b\n"say ""hi""",\n"","x"\n', [[2, 'say "hi"', None], [3, None, "x"]]),
        ("a;b\n1;2,5\n", [[2, "1", "2,5"]]),
        ("a|b\n1|2\n", [[2, "1", "2"]]),
        ("b, a ,c\n1,2,3\n", [[2, "2", "1"]]),
        ("a,b\n", []),
        ("a,b", []),
    ],
)
def test_rows_and_their_lines(path: Path, content: str, rows: list[list[str]]) -> None:
    found, tally = read(path, content)
    assert found == rows
    assert tally.rows_in == len(rows)
    assert not tally.rejections


@pytest.mark.parametrize(
    ("content", "good", "refused"),
    [
        ("a,b\n1\n3,4\n1,2,3\n", [3], [2, 4]),
        ('a,b\n1,x"y\n3,4\n', [3], [2]),
        ('a,b\n1,"open\n3,4\n5,6\n', [3, 4], [2]),
        ('a,b\n1,"open\n3,"4"\n5,6\n', [3, 4], [2]),
        ('a,b\n1,"closed"x\n3,4\n', [3], [2]),
        ('a,b\n"1\n1",2\nx"\n3,4\n', [2, 5], [4]),
        (b"a,b\n1,\xff\n3,4\n", [3], [2]),
        (b"a,b\n1,\0\n3,4\n", [3], [2]),
        (b'a,b\n"1\n\xff",2\n3,4\n', [4], [2]),
        ("a,b\n1,2\rx\n3,4\n", [3], [2]),
    ],
)
def test_a_bad_row_is_refused_by_its_line_and_takes_no_other_along(
    path: Path, content: str | bytes, good: list[int], refused: list[int]
) -> None:
    rows, tally = read(path, content)
    assert [row[0] for row in rows] == good
    assert sorted(r.line or 0 for r in tally.rejections) == refused
    assert tally.rows_in == len(good) + len(refused)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "has no header"),
        ("\n1,2\n", "has no header"),
        ("a,b,a\n", "names a column more than once in its first line, which must be a header: a"),
        ("0,I am ill and my name is Ann,0\n", "must be a header: no name and 1 more"),
        (b"a,\xff\n", "is not UTF-8 in its header"),
        ("a,b\r1,2\r", "has no CSV header"),
        ('a,"b\n1,2\n', "has no CSV header"),
        ("a," + "b" * 200_000 + "\n", "has no CSV header"),
    ],
)
def test_a_bad_header_is_an_input_error(path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(path, content)


VALUES = st.text(st.sampled_from("ab\",;\t|\n\r'é東🦊 \\"), max_size=8)
TABLES = st.lists(st.tuples(VALUES, VALUES), max_size=12)
ENDS = st.sampled_from(["\n", "\r\n"])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=TABLES, end=ENDS, delimiter=st.sampled_from(",;\t|"), piece=st.integers(16, 200))
def test_what_pythons_writer_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
    end: str,
    delimiter: str,
    piece: int,
) -> None:
    # The writer quotes a carriage return only where lines end with one.
    assume(end == "\r\n" or not any("\r" in value for row in rows for value in row))
    text = as_csv([dict(zip(AB, row, strict=True)) for row in rows], AB, end=end, delimiter=delimiter)
    oracle = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_BYTES", piece)
        found, tally = read(tmp_path_factory.mktemp("csv") / "rows.csv", text)
    # An empty value and no value are one in CSV.
    assert [[value or "" for value in row[1:]] for row in found] == oracle == [list(row) for row in rows]
    assert tally.rows_in == len(rows)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.binary(max_size=300), piece=st.integers(16, 400))
def test_no_bytes_whatever_break_the_reader_or_vanish(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, piece: int
) -> None:
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_BYTES", piece)
        rows, tally = read(path, b"a,b\n" + data)
    assert tally.rows_in == len(rows) + len(tally.rejections)
    lines = [row[0] for row in rows] + [r.line for r in tally.rejections]
    assert len(set(lines)) == len(lines)
    if b'"' not in data:
        # Without quotes every line that is not blank is a row.
        assert tally.rows_in == sum(line not in (b"", b"\r") for line in data.split(b"\n"))


QUOTE_SOUP = st.text(st.sampled_from('x",\n\r'), max_size=40)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=QUOTE_SOUP)
def test_rows_and_stray_lines_share_the_text_between_them(text: str) -> None:
    data = text.encode() + b"\n"
    rows = find_rows(data, ",")
    spans = sorted(
        [*zip(rows.starts, rows.ends, strict=True), *((s, data.index(b"\n", s) + 1) for s in rows.stray)]
    )
    borders = [0, *(end for _start, end in spans)]
    assert [start for start, _end in spans] == borders[:-1]
    assert borders[-1] == rows.open_from
