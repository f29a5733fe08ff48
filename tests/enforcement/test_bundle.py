"""A signed archive is whole, or it is refused."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.enforcement import bundle
from ringfence.enforcement.bundle import MANIFEST, SIGNATURE, pack, unpack
from ringfence.enforcement.keys import SigningKey
from ringfence.errors import AuditError

KEY, OTHER = SigningKey.generate(), SigningKey.generate()
FILES = {"a.json": b"{}\n", "graph/b.jsonl": b"1\n2\n" * 50, "empty": b""}
ARCHIVE = pack(FILES, {"format": "test"}, KEY, [OTHER.public])


def contents(archive: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(files: list[tuple[str, bytes]]) -> bytes:
    written = BytesIO()
    with ZipFile(written, "w", ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return written.getvalue()


def test_what_was_packed_comes_out() -> None:
    found = unpack(ARCHIVE)

    assert found.files == FILES
    assert found.manifest["format"] == "test"
    assert found.signer == KEY.public
    assert found.keys.keys() == {KEY.public.key_id, OTHER.public.key_id}
    assert unpack(ARCHIVE, KEY.public) == found


def test_the_same_files_make_the_same_bytes() -> None:
    turned = dict(reversed(FILES.items()))

    assert pack(turned, {"format": "test"}, KEY, [OTHER.public]) == ARCHIVE


def test_packed_anew_by_another_tool_it_is_the_same() -> None:
    files = [("graph/", b""), *reversed(contents(ARCHIVE).items())]

    assert unpack(zipped(files)).files == FILES


def test_another_key_did_not_sign_it() -> None:
    with pytest.raises(AuditError, match="not what key"):
        unpack(ARCHIVE, OTHER.public)


@pytest.mark.parametrize("name", contents(ARCHIVE))
def test_a_byte_changed_in_any_file(name: str) -> None:
    inside = contents(ARCHIVE)
    for edited in (inside[name] + b"\n", inside[name][:-1] + b"!"):
        with pytest.raises(AuditError):
            unpack(zipped(list({**inside, name: edited}.items())))


@pytest.mark.parametrize("name", contents(ARCHIVE))
def test_any_file_missing(name: str) -> None:
    with pytest.raises(AuditError):
        unpack(zipped([item for item in contents(ARCHIVE).items() if item[0] != name]))


def test_a_file_put_in_or_doubled() -> None:
    inside = list(contents(ARCHIVE).items())
    with pytest.raises(AuditError, match=r"more\.txt is not in the manifest"):
        unpack(zipped([*inside, ("more.txt", b"")]))
    with pytest.warns(UserWarning, match="Duplicate name"):
        doubled = zipped([*inside, ("a.json", b"[]")])
    with pytest.raises(AuditError, match="two files of one name"):
        unpack(doubled)


def test_a_bit_turned_anywhere_is_seen_or_changes_nothing() -> None:
    """Times and modes in the zip's own headers are no part of what is signed."""
    draw = random.Random(20260301)
    for position in range(len(ARCHIVE)):
        edited = bytearray(ARCHIVE)
        edited[position] ^= 1 << draw.randrange(8)
        try:
            found = unpack(bytes(edited))
        except AuditError:
            continue
        assert found.files == FILES


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_what_is_no_archive(content: bytes) -> None:
    with pytest.raises(AuditError, match=r"damaged|no signed archive"):
        unpack(content)


def forged(change: Callable[[dict[str, object]], object], key: SigningKey = KEY) -> bytes:
    inside = contents(ARCHIVE)
    manifest = json.loads(inside[MANIFEST])
    told = change(manifest)
    inside[MANIFEST] = json.dumps(manifest if told is None else told).encode()
    inside[SIGNATURE] = key.sign(inside[MANIFEST])
    return zipped(list(inside.items()))


@pytest.mark.parametrize("told", [[], {}, {"files": [], "key": "x"}, {"files": {}, "key": 1}, None])
def test_a_manifest_that_is_none(told: object) -> None:
    with pytest.raises(AuditError, match=r"MANIFEST|key"):
        unpack(forged(lambda manifest: told if told is not None else manifest.update(key="missing")))


def test_one_signed_anew_shows_by_its_key() -> None:
    anew = forged(lambda manifest: manifest.update(key=OTHER.public.key_id), OTHER)

    assert unpack(anew).signer == OTHER.public
    with pytest.raises(AuditError, match="not what key"):
        unpack(anew, KEY.public)


def test_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MOST_BYTES", 100)
    with pytest.raises(AuditError, match="unpacks to more"):
        unpack(ARCHIVE)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_other_tools_check_it(tmp_path: Path) -> None:
    with ZipFile(BytesIO(ARCHIVE)) as opened:
        opened.extractall(tmp_path)
    key = f"keys/{KEY.public.key_id}.pem"
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", MANIFEST]

    assert subprocess.run([*words, "-sigfile", SIGNATURE], cwd=tmp_path, capture_output=True).returncode == 0
