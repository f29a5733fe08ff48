"""Which files feed which tables, and what is said where none does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from loading import put

from ringfence.errors import InputError, NoUsableTableError
from ringfence.loaders.discover import discover


def test_files_are_found_by_their_own_or_their_folders_name(tmp_path: Path) -> None:
    names = ["requests/2026/01/part-0.ndjson.zst", "requests/part-1.csv", "logins.csv.gz", "payments.parquet"]
    aside = [
        "readme.txt",
        "notes.csv",
        "requests/_SUCCESS",
        ".requests.csv",
        "requests/.part.csv",
        "logins.xlsx",
    ]
    for name in (*names, *aside):
        put(tmp_path / name, "")
    found = discover(tmp_path)
    assert sorted(source.name for source in found.sources) == sorted(names)
    assert {source.name: source.mapping.name for source in found.sources}["requests/part-1.csv"] == "requests"
    assert found.unused == ("logins.xlsx", "notes.csv", "readme.txt")


def test_the_order_is_that_of_tables_and_names(tmp_path: Path) -> None:
    for name in ["labels.csv", "logins/b.csv", "logins/a.csv", "accounts.csv"]:
        put(tmp_path / name, "")
    found = discover(tmp_path)
    assert [s.name for s in found.sources] == ["accounts.csv", "logins/a.csv", "logins/b.csv", "labels.csv"]


def test_a_missing_folder_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "january").mkdir()
    with pytest.raises(InputError, match=r"does not exist\. Did you mean 'january'"):
        discover(tmp_path / "januray")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    put(tmp_path / "requests.csv", "")
    with pytest.raises(InputError, match="is a file; name the folder"):
        discover(tmp_path / "requests.csv")


def test_an_empty_folder_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(NoUsableTableError, match=r"holds none of requests, payments, logins .* It is empty"):
        discover(tmp_path)


def test_near_names_are_offered(tmp_path: Path) -> None:
    put(tmp_path / "request.csv", "")
    with pytest.raises(NoUsableTableError, match=r"request.csv: Did you mean 'requests'.*need --mapping"):
        discover(tmp_path)


def test_tables_without_activity_are_not_enough(tmp_path: Path) -> None:
    put(tmp_path / "accounts.csv", "account_id\na\n")
    with pytest.raises(NoUsableTableError):
        discover(tmp_path)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the file system refuses the name itself")
def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "requests" / "part-\udcff.csv", "")
    with pytest.raises(InputError, match=r"part-\\udcff.csv' has a name that cannot be printed"):
        discover(tmp_path)
