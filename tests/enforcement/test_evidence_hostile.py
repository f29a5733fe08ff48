"""Archives, checkpoints and keys in the hands of somebody who means harm."""

from __future__ import annotations

import json
import sqlite3
import stat
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile, ZipInfo

import pytest
from audit_samples import lively
from typer.testing import CliRunner

from ringfence.cli import app
from ringfence.enforcement.audit import steps
from ringfence.enforcement.audit.checkpoints import Kept
from ringfence.enforcement.audit.keeping import keep_checkpoint
from ringfence.enforcement.audit.log import Entry
from ringfence.enforcement.bundle import MANIFEST, SIGNATURE, pack, unpack
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.keys import KeyFolder, SigningKey
from ringfence.errors import AuditError
from ringfence.pipeline.evidence.check import check_evidence
from ringfence.state import StateFolder

KEY = SigningKey.generate()
ARCHIVE = pack({"a.json": b"{}\n" * 40}, {"format": "test"}, KEY)
NESTED = b"[" * 100_000


def zipped(files: dict[str, bytes], how: int = ZIP_DEFLATED, kind: int = stat.S_IFREG) -> bytes:
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        for name, content in files.items():
            entry = ZipInfo(name)
            entry.create_system, entry.external_attr, entry.compress_type = 3, (kind | 0o644) << 16, how
            archive.writestr(entry, content)
    return written.getvalue()


def inside(archive: bytes = ARCHIVE) -> dict[str, bytes]:
    with ZipFile(BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.parametrize("how", [ZIP_BZIP2, ZIP_LZMA])
def test_packing_that_we_never_use_is_not_unpacked(how: int) -> None:
    with pytest.raises(AuditError, match="packed in a way"):
        unpack(zipped(inside(), how))


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:evil", "../evil/", "a\nb"]
)
def test_names_that_lead_out_of_a_folder_are_refused_though_they_are_signed(name: str) -> None:
    added = (
        inside(pack({name.rstrip("/"): b""}, {}, KEY)) if not name.endswith("/") else {**inside(), name: b""}
    )
    with pytest.raises(AuditError, match="no name of ours"):
        unpack(zipped(added))


def test_a_link_is_no_file() -> None:
    with pytest.raises(AuditError, match="no plain file"):
        unpack(zipped(inside(), kind=stat.S_IFLNK))


def test_what_is_nested_too_deep_is_told_and_not_followed(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be read"):
        unpack(zipped({MANIFEST: NESTED, SIGNATURE: KEY.sign(NESTED)}))
    with pytest.raises(AuditError, match="no checkpoint"):
        Kept.from_line(NESTED.decode())
    with pytest.raises(ValueError, match="too deep"):
        _ = Entry(0, NESTED).content
    signed = tmp_path / "signed.zip"
    signed.write_bytes(pack({"ring.json": NESTED}, {}, KEY))
    with pytest.raises(AuditError, match="too deep"):
        check_evidence(signed)
    proof = tmp_path / "proof.json"
    proof.write_bytes(NESTED)
    said = CliRunner().invoke(app, ["audit", "verify", "--proof", str(proof), "--state", str(tmp_path)])
    assert isinstance(said.exception, AuditError)


@pytest.mark.parametrize("told", [b"[]", b'{"ring": []}', b'"x"', b'{"ring": {"ring": 1e999}}'])
def test_what_says_something_else_than_it_should_is_told(tmp_path: Path, told: bytes) -> None:
    names = ("ring", "run", "verdicts", "orders", "audit")
    signed = tmp_path / "signed.zip"
    signed.write_bytes(pack({f"{name}.json": told for name in names}, {}, KEY))
    with pytest.raises(AuditError):
        check_evidence(signed)


# Keys


def test_a_key_that_was_replaced_vouches_for_nothing_that_came_after(tmp_path: Path) -> None:
    """It may have been replaced because somebody else has it."""
    state = StateFolder(tmp_path / "state")
    lively(state, tmp_path / "copies")
    stolen = KeyFolder(state.keys).signing()
    with Casebook.open(state.casebook) as book:
        steps.change_key(book, state, "ada", "Somebody has copied it.")
        assert steps.verify(book, state).faults == ()
        with book.writing("eve") as writing:
            writing.audit("note added", "R-1")
            keep_checkpoint(writing, state, [stolen])
        faults = steps.verify(book, state).faults
    assert len(faults) == 1
    assert f"{stolen.public.key_id}, a key that was replaced" in faults[0]


def test_a_key_that_came_along_is_said_to_prove_nothing(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    lively(state, tmp_path / "copies")
    alone = CliRunner().invoke(app, ["audit", "verify", "--state", str(state.root)])
    assert alone.exit_code == 0
    assert "have made anew" in alone.output
    for more in (["--checkpoint", str(tmp_path / "copies")], ["--key", str(public(state))]):
        assert (
            "made anew"
            not in CliRunner().invoke(app, ["audit", "verify", "--state", str(state.root), *more]).output
        )


def public(state: StateFolder) -> Path:
    return next(state.keys.glob("public-*.pem"))


def test_two_readings_of_one_entry_show(tmp_path: Path) -> None:
    """JSON with a key twice reads as this to one reader and as that to another."""
    state = StateFolder(tmp_path / "state")
    with Casebook.open(state.casebook) as book, book.writing("eve") as writing:
        writing.audit("note added", "R-1")
    twice = (
        json.dumps({"at": "2026-03-01", "by": "eve", "ring_id": "R-1"})[:-1]
        + ', "what": "x", "what": "note added"}'
    )
    entry = Entry(1, twice.encode())
    with sqlite3.connect(state.casebook) as connection:
        connection.execute("INSERT INTO audit VALUES (1, ?, ?)", (entry.text, entry.leaf))
    connection.close()
    with Casebook.open(state.casebook) as book:
        assert any("Entry 1" in fault for fault in steps.verify(book, state).faults)
