"""Reading in pieces: nothing depends on where a piece ends, and memory not on the length of a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from loading import put

from ringfence.errors import InputError
from ringfence.loaders import chunks
from ringfence.loaders.discover import READERS
from ringfence.loaders.protocol import Tally

CSV = (
    'a,b\r\n1,2\r\n\r\n"3\n\n""x""",4\n5\n6,"7\n8,9\n' + "".join(f'{n},"{n}\n"\n' for n in range(40)) + "x,y"
)
NDJSON = (
    "".join(f'{{"a": "{n}"}}\n' + "\n" * (n % 3) + "?\n" * (n % 7 == 0) for n in range(40)) + '{"a": "x"}'
)


def everything_of(path: Path) -> tuple[object, ...]:
    tally = Tally(path.name, "t")
    tables = READERS[path.suffixes[0]].batches(path, ["a", "b"], tally)
    rows = [row for table in tables for row in table.to_pylist()]
    refused = sorted((r.line, r.column, r.reason) for r in tally.rejections)
    return rows, refused, tally.rows_in


@pytest.mark.parametrize("piece", [3, 7, 16, 64, 65, 100, 1000])
@pytest.mark.parametrize(("name", "content"), [("t.csv", CSV), ("t.csv.zst", CSV), ("t.ndjson", NDJSON)])
def test_results_are_those_of_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, piece: int
) -> None:
    put(tmp_path / name, content)
    whole = everything_of(tmp_path / name)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", piece)
    assert everything_of(tmp_path / name) == whole
    assert whole[1], "the text has rows to refuse, too"


@pytest.mark.parametrize("name", ["t.csv", "t.ndjson"])
@pytest.mark.parametrize("at_the_end", [False, True])
def test_an_over_long_line_is_refused_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, at_the_end: bool
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 64)
    monkeypatch.setattr(chunks, "ROW_LIMIT", 256)
    good = {"t.csv": "1,2", "t.ndjson": '{"a": "1", "b": "2"}'}[name]
    lines = ["a,b" if name == "t.csv" else good, good, "x" * 1000, *([] if at_the_end else [good])]
    put(tmp_path / name, "\n".join(lines))
    rows, refused, rows_in = everything_of(tmp_path / name)
    found = [row["_line"] for row in rows]  # type: ignore[attr-defined]
    assert found == ([2] if name == "t.csv" else [1, 2]) + ([] if at_the_end else [4])
    assert [(line, reason[:14]) for line, _column, reason in refused] == [(3, "is longer than")]  # type: ignore[attr-defined]
    assert rows_in == len(found) + 1


def test_a_quote_that_is_never_closed_costs_its_line_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 64)
    monkeypatch.setattr(chunks, "ROW_LIMIT", 256)
    put(tmp_path / "t.csv", 'a,b\n1,"2\n' + "3,4\n" * 300)
    rows, refused, rows_in = everything_of(tmp_path / "t.csv")
    assert len(rows) == 300  # type: ignore[arg-type]
    assert [line for line, _column, _reason in refused] == [2]  # type: ignore[attr-defined]
    assert rows_in == 301


@pytest.mark.parametrize("name", ["t.csv.gz", "t.ndjson.zst"])
def test_a_cut_archive_is_an_input_error_that_names_it(tmp_path: Path, name: str) -> None:
    put(tmp_path / name, "a,b\n" + "1,2\n" * 9999)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-20])
    with pytest.raises(InputError, match=f"{name} is not a whole"):
        everything_of(tmp_path / name)


def test_what_is_no_archive_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(InputError, match="is not a whole gzip file"):
        everything_of(tmp_path / "t.csv.gz")


_READ_AND_SAY_PEAK = """
import sys
from pathlib import Path
from ringfence.loaders.discover import READERS
from ringfence.loaders.protocol import Tally
from ringfence.pipeline.measure import peak_mib
path = Path(sys.argv[1])
tally = Tally(path.name, "t")
rows = sum(table.num_rows for table in READERS[path.suffix].batches(path, ["a", "b"], tally))
print(rows, len(tally.rejections), int(peak_mib()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read the Unix way")
@pytest.mark.parametrize("name", ["t.csv", "t.ndjson"])
def test_a_line_of_a_gibibyte_is_refused_in_bounded_memory(tmp_path: Path, name: str) -> None:
    good = b"1,2\n" if name == "t.csv" else b'{"a": "1"}\n'
    with (tmp_path / name).open("wb") as stream:
        stream.write(b"a,b\n" if name == "t.csv" else good)
        # A hole in the file, which reads as NUL bytes and takes no room.
        stream.seek(1 << 30, 1)
        stream.write(b"\n" + good)
    command = [sys.executable, "-c", _READ_AND_SAY_PEAK, str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows, refused, peak_mib = map(int, done.stdout.split())
    assert (rows, refused) == (1 if name == "t.csv" else 2, 1)
    assert peak_mib < 1024
