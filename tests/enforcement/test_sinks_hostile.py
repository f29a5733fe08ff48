"""Sinks against those who mean harm: on the other side of the wire, and in the folder that files go to."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from taxii_stand_in import standing_in

from ringfence.enforcement.outbox.attempt import attempt
from ringfence.enforcement.outbox.lease import Claim
from ringfence.enforcement.outbox.settle import Result
from ringfence.enforcement.sinks.endpoint import Endpoint
from ringfence.enforcement.sinks.files import UNFINISHED
from ringfence.enforcement.sinks.http import Poster
from ringfence.enforcement.sinks.jsonl import JsonlFiles
from ringfence.enforcement.sinks.look import check, look
from ringfence.enforcement.sinks.open import KINDS, sink_class
from ringfence.enforcement.sinks.protocol import Delivery, RefusedError, TryAgainError
from ringfence.enforcement.sinks.risc import Risc
from ringfence.enforcement.sinks.taxii import Taxii
from ringfence.errors import PolicyError
from ringfence.testing.sink_contract import MOMENT, delivery, enforced

TOKEN = "t0ken-n0t-t0-be-sh0wn"
NESTED = b"[" * 60_000
"""Deeper than any reader of JSON follows, and shorter than the answers that are read."""


@contextmanager
def answering(status: int, media_type: str, body: bytes) -> Iterator[str]:
    """Run a server that gives one answer to everything; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_said: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


def risc(folder: Path, url: str, **more: Any) -> Risc:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signing.pem").write_bytes(pem)
    table = {"url": url, "allow_private": True, "issuer": "https://a", "audience": "https://b", **more}
    return Risc.from_settings("login", {**table, "key_file": "signing.pem"}, folder)


def taxii(folder: Path, url: str, **more: Any) -> Taxii:
    table = {"url": f"{url}api/collections/one/", "allow_private": True, "producer": "Example AI", **more}
    return Taxii.from_settings("sharing", table, folder)


@pytest.mark.parametrize("make", [risc, taxii])
@pytest.mark.parametrize("written", [f"{TOKEN}\n{TOKEN}", f"{TOKEN}\u2019", f"{TOKEN}\x00"])
def test_a_token_that_no_header_takes_is_refused_and_not_shown(
    tmp_path: Path, make: Any, written: str
) -> None:
    (tmp_path / "token").write_text(written)
    with pytest.raises(PolicyError, match="token") as refused:
        make(tmp_path, "http://127.0.0.1:9/", token_file="token").close()
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("value", [f"{TOKEN}\r\nx: y", f"{TOKEN}\u2019"])
def test_a_header_that_cannot_be_sent_is_not_shown(value: str) -> None:
    with answering(200, "text/plain", b"") as url, closing(Poster(endpoint(url))) as poster:
        with pytest.raises(TryAgainError, match="cannot be sent") as refused:
            poster.post(b"", {"authorization": value})
        assert TOKEN not in str(refused.value)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__
        assert poster.post(b"", {}).status == 200


def endpoint(url: str) -> Endpoint:
    return Endpoint("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]), "/", tls=False, allow_private=True)


def test_a_refusal_that_is_nested_too_deep_is_a_refusal(tmp_path: Path) -> None:
    with (
        answering(400, "application/json", NESTED) as url,
        closing(risc(tmp_path, url)) as sink,
        pytest.raises(RefusedError, match="does not take this message"),
    ):
        sink.send(delivery(sink, enforced()))


def test_an_answer_that_is_nested_too_deep_is_no_taxii(tmp_path: Path) -> None:
    media_type = "application/taxii+json;version=2.1"
    with (
        answering(200, media_type, NESTED) as url,
        closing(taxii(tmp_path, url)) as sink,
        pytest.raises(TryAgainError, match="no JSON"),
    ):
        sink.send(delivery(sink, enforced()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["a\x00b", "~nobody-of-this-name/exports"])
def test_a_path_that_can_be_none_is_refused(tmp_path: Path, kind: str, path: str) -> None:
    table = {"kind": kind, "folder": path, "ca_file": path, "url": "https://hooks.example.com/"}
    with pytest.raises(PolicyError):
        sink_class(kind).from_settings("place", table, tmp_path).close()


# The folder that files go to may be written by others, too.


def handed(number: int = 1) -> Delivery:
    return Delivery(f"key_{number:032x}", "R-1", number, b"{}\n", MOMENT, 1)


def test_a_link_in_place_of_our_folder_makes_us_delete_nothing_elsewhere(tmp_path: Path) -> None:
    elsewhere, exports = tmp_path / "keys", tmp_path / "exports"
    elsewhere.mkdir()
    (elsewhere / "signing.pem").write_text("precious")
    os.utime(elsewhere / "signing.pem", (1, 1))
    exports.mkdir()
    (exports / UNFINISHED).symlink_to(elsewhere)
    with pytest.raises(TryAgainError, match="Cannot write"):
        JsonlFiles("files", exports).send(handed())
    assert [path.name for path in elsewhere.iterdir()] == ["signing.pem"]


def test_a_folder_among_the_unfinished_is_left_alone(tmp_path: Path) -> None:
    strange = tmp_path / UNFINISHED / "theirs"
    strange.mkdir(parents=True)
    os.utime(strange, (1, 1))
    JsonlFiles("files", tmp_path).send(handed())
    assert strange.is_dir()


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_of_ours_is_neither_followed_nor_waited_for(tmp_path: Path, kind: str) -> None:
    sink = JsonlFiles("files", tmp_path / "exports")
    name = sink.send(handed()).split()[0]
    path = sink.folder / name
    path.rename(tmp_path / "same")
    if kind == "link":
        path.symlink_to(tmp_path / "same")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    began = time.monotonic()
    with pytest.raises(RefusedError, match="is there already"):
        sink.send(handed())
    assert time.monotonic() - began < 5
    assert (tmp_path / "same").read_bytes() == b"{}\n"


@pytest.mark.parametrize(("mask", "file", "folder"), [(0o077, 0o600, 0o700), (0o000, 0o640, 0o750)])
def test_files_are_never_opened_wider_than_the_mask_says(
    tmp_path: Path, mask: int, file: int, folder: int
) -> None:
    before = os.umask(mask)
    try:
        sink = JsonlFiles("files", tmp_path / "exports")
        name = sink.send(handed()).split()[0]
    finally:
        os.umask(before)
    assert (sink.folder / name).stat().st_mode & 0o777 == file
    assert sink.folder.stat().st_mode & 0o777 == folder


# The sinks file itself may be odd.


@pytest.mark.parametrize(
    "entry",
    [
        'kind = "csv"\nfolder = "~nobody-of-this-name/x"',
        'kind = "csv"\nfolder = "\\u0000"',
        'kind = "webhook"\nurl = "https://hooks.example.com/"\nsecret_file = ["a\\u0000"]',
        'kind = "webhook"\nurl = "https://hooks.example.com/"\nsecret_file = "~nobody-of-this-name/x"',
    ],
)
def test_an_odd_entry_is_told_and_breaks_nothing(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "sinks.toml"
    path.write_text(f"[sinks.a]\n{entry}\n")
    assert [seen.problem is not None for seen in check(path)] == [True]
    assert len(look(path)) == 1


def test_a_sinks_file_that_is_nested_too_deep_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sinks.toml"
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(PolicyError, match="nested too deep"):
        look(path)


# What the other side says is shown to people.


def told(**counts: Any) -> dict[str, Any]:
    return {
        "id": "s-1",
        "status": "complete",
        "success_count": 0,
        "failure_count": 0,
        "pending_count": 0,
        **counts,
    }


@pytest.mark.parametrize(
    "added",
    [
        told(total_count="\x1b[2J"),
        told(total_count=1, failure_count=1, failures="\x1b[2J"),
        told(total_count=1, failure_count=1, failures=["\x1b[2J"]),
        told(total_count=1, failure_count=1, failures=[{"id": "\x1b[2J", "message": "\x1b[2J"}]),
    ],
)
def test_nothing_that_a_server_says_commands_a_terminal(tmp_path: Path, added: Any) -> None:
    with standing_in() as server:
        server.added = added
        sink = Taxii.from_settings(
            "sharing", {"url": server.url, "allow_private": True, "producer": "Example AI"}, tmp_path
        )
        with closing(sink):
            handed_over = delivery(sink, enforced())
            claim = Claim(
                handed_over.key, "E-1", "sharing", sha256(handed_over.body).hexdigest(), handed_over
            )
            outcome = attempt(sink, claim)
    assert outcome.result is not Result.DELIVERED
    assert outcome.said.isprintable()
    assert "by mistake" not in outcome.said
