"""Standard Webhooks over real HTTP: the contract, what answers mean, and what the sinks file may say."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flaky_receiver import FlakyReceiver
from outbox_samples import OTHER_SECRET, SECRET

from ringfence.enforcement.sinks.http import LONGEST_ANSWER
from ringfence.enforcement.sinks.protocol import GoneError, RefusedError, TryAgainError
from ringfence.enforcement.sinks.webhook import Webhook
from ringfence.errors import PolicyError
from ringfence.testing.sink_contract import SinkContract, delivery, enforced


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[FlakyReceiver]:
    with FlakyReceiver(tmp_path / "inbox.db", [SECRET], lambda _key, _before: "fine") as running:
        yield running


def hook(folder: Path, url: str, **more: Any) -> Webhook:
    (folder / "hook.secret").write_text(SECRET + "\n")
    table = {"kind": "webhook", "url": url, "secret_file": "hook.secret", "allow_private": True, **more}
    return Webhook.from_settings("place", table, folder)


def sent(sink: Webhook) -> str:
    try:
        return sink.send(delivery(sink, enforced()))
    finally:
        sink.close()


class TestWebhook(SinkContract):
    kind = "webhook"

    @pytest.fixture
    def backend(self, receiver: FlakyReceiver) -> FlakyReceiver:
        return receiver

    def settings(self, backend: FlakyReceiver) -> dict[str, Any]:
        (backend.inbox.parent / "hook.secret").write_text(SECRET)
        return {"url": backend.url, "secret_file": "hook.secret", "allow_private": True}

    def held(self, backend: FlakyReceiver) -> list[str]:
        return [line["key"] for line in backend.lines if line["applied"]]

    @contextmanager
    def _failing(self, backend: FlakyReceiver) -> Iterator[None]:
        fine, backend.decide = backend.decide, lambda _key, _before: "error"
        yield
        backend.decide = fine

    def broken(self, backend: FlakyReceiver) -> AbstractContextManager[None]:
        return self._failing(backend)

    def values(self, body: bytes) -> list[str]:
        found: list[str] = []

        def walk(value: Any) -> None:
            if isinstance(value, dict | list):
                for one in value.values() if isinstance(value, dict) else value:
                    walk(one)
            else:
                found.append(str(value))

        walk(json.loads(body))
        return found


# What is sent


def test_the_payload_and_headers_are_those_of_the_specification(
    receiver: FlakyReceiver, tmp_path: Path
) -> None:
    sink = hook(tmp_path, receiver.url)
    one = delivery(sink, enforced())
    assert sink.send(one) == "HTTP 200"
    sink.close()

    payload = json.loads(one.body)
    assert list(payload) == ["type", "timestamp", "data"]
    assert payload["type"] == "ring.enforced"
    (line,) = receiver.lines
    headers = {name.lower(): value for name, value in line["headers"].items()}
    assert headers["webhook-id"] == one.key
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    # The library of the specification's authors verifies it, too.
    assert standardwebhooks.Webhook(SECRET).verify(one.body, headers) == payload


def test_while_secrets_are_rotated_it_signs_with_each(receiver: FlakyReceiver, tmp_path: Path) -> None:
    (tmp_path / "new.secret").write_text(f"whsec_{OTHER_SECRET}")
    sink = hook(tmp_path, receiver.url, secret_file=["new.secret", "hook.secret"])
    sent(sink)

    headers = receiver.lines[0]["headers"]
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, OTHER_SECRET):
        standardwebhooks.Webhook(secret).verify(sink.render(enforced()), headers)


def test_connections_are_kept(receiver: FlakyReceiver, tmp_path: Path) -> None:
    sink = hook(tmp_path, receiver.url)
    for version in range(1, 6):
        sink.send(delivery(sink, enforced(version=8190 + version)))
    sink.close()

    assert (len(receiver.lines), receiver.connections) == (5, 1)


# What answers mean


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (202, None),
        (204, None),
        *((status, RefusedError) for status in (301, 308, 400, 406, 413, 415, 418, 422, 451)),
        *((status, TryAgainError) for status in (302, 303, 304, 307, 401, 403, 404, 408, 409, 425, 429)),
        *((status, TryAgainError) for status in (500, 501, 502, 503, 504, 599)),
        (410, GoneError),
    ],
)
def test_only_2xx_is_success(
    receiver: FlakyReceiver, tmp_path: Path, status: int, error: type[Exception] | None
) -> None:
    receiver.decide = lambda _key, _before: str(status)
    sink = hook(tmp_path, receiver.url)

    if error is None:
        assert sent(sink) == f"HTTP {status}"
    else:
        with pytest.raises(error, match=str(status)):
            sent(sink)


def test_a_redirect_is_not_followed_and_said(receiver: FlakyReceiver, tmp_path: Path) -> None:
    receiver.decide = lambda _key, _before: "moved"

    with pytest.raises(TryAgainError, match="redirect, and those are not followed"):
        sent(hook(tmp_path, receiver.url))
    assert [line["path"] for line in receiver.lines] == ["/hook"]


@pytest.mark.parametrize("fault", ["lost", "silent"])
def test_no_answer_is_tried_again(receiver: FlakyReceiver, tmp_path: Path, fault: str) -> None:
    receiver.decide = lambda _key, _before: fault

    with pytest.raises(TryAgainError, match="gave no answer"):
        sent(hook(tmp_path, receiver.url, timeout=0.3))


Conversation = Callable[[socket.socket], None]


@contextmanager
def raw(talk: Conversation) -> Iterator[str]:
    """Listen, and talk to whoever connects, in bytes of one's own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            listening.settimeout(5)
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 20)
                try:
                    talk(connection)
                except OSError:
                    return  # whoever connected has hung up

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join()


def answering(*parts: bytes, pause: float = 0.0) -> Conversation:
    def talk(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    return talk


def test_a_trickle_ends_when_the_time_is_up(tmp_path: Path) -> None:
    began = time.monotonic()
    trickle = answering(*[b"HTTP/1.1 200 OK\r\n"[place : place + 1] for place in range(12)], pause=0.1)
    with raw(trickle) as url, pytest.raises(TryAgainError, match="the time was up"):
        sent(hook(tmp_path, url, timeout=0.4))
    assert time.monotonic() - began < 5


def test_what_is_not_http_is_tried_again(tmp_path: Path) -> None:
    with raw(answering(b"220 mail.example ESMTP\r\n")) as url, pytest.raises(TryAgainError):
        sent(hook(tmp_path, url, timeout=1))


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 10\r\n\r\nonly",
        b"Content-Length: 999999999\r\n\r\n" + b"x" * (2 * LONGEST_ANSWER),
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"Connection: close\r\n\r\nuntil the end",
    ],
)
def test_what_follows_the_first_line_changes_nothing(tmp_path: Path, rest: bytes) -> None:
    with raw(answering(b"HTTP/1.1 200 OK\r\n" + rest)) as url:
        assert sent(hook(tmp_path, url, timeout=2)) == "HTTP 200"


def test_a_connection_that_was_closed_meanwhile_is_replaced(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _connection in range(2):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(1 << 20)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        sink = hook(tmp_path, f"http://127.0.0.1:{listening.getsockname()[1]}/")
        assert sink.send(delivery(sink, enforced())) == "HTTP 200"
        time.sleep(0.1)
        assert sent(sink) == "HTTP 200"
        thread.join()


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(TryAgainError, match=r"Cannot connect to 127\.0\.0\.1"):
        sent(hook(tmp_path, f"http://127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    ("written", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        (timedelta(hours=1), 3000, 3600),
        (format_datetime(datetime.now() - timedelta(days=1)), 0, 0),  # without a zone
    ],
)
def test_retry_after_is_heard(tmp_path: Path, written: str | timedelta, least: float, most: float) -> None:
    if isinstance(written, timedelta):
        written = format_datetime(datetime.now(UTC) + written, usegmt=True)
    answer = f"HTTP/1.1 503 Later\r\nRetry-After: {written}\r\nContent-Length: 0\r\n\r\n"
    with raw(answering(answer.encode())) as url, pytest.raises(TryAgainError) as said:
        sent(hook(tmp_path, url))
    assert said.value.after is not None
    assert least <= said.value.after <= most


@pytest.mark.parametrize("written", ["soon", "-1", "", "1e3", "9" * 30])
def test_a_retry_after_that_says_nothing_is_none(tmp_path: Path, written: str) -> None:
    answer = f"HTTP/1.1 429 Slow\r\nRetry-After: {written}\r\nContent-Length: 0\r\n\r\n"
    with raw(answering(answer.encode())) as url, pytest.raises(TryAgainError) as said:
        sent(hook(tmp_path, url))
    assert said.value.after is None


# Certificates


def certificate(folder: Path, name: str, *, days: int = 1) -> tuple[Path, Path]:
    """Make a certificate that vouches for itself; return its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


def encrypting(receiver: FlakyReceiver, name: str, folder: Path, days: int = 1) -> Path:
    made, key = certificate(folder, name, days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    return made


def test_a_certificate_of_ones_own_authority_will_do(receiver: FlakyReceiver, tmp_path: Path) -> None:
    made = encrypting(receiver, "localhost", tmp_path)

    assert sent(hook(tmp_path, f"https://localhost:{receiver.port}/hook", ca_file=made.name)) == "HTTP 200"


@pytest.mark.parametrize(
    ("name", "days", "trusted", "why"),
    [
        ("localhost", 1, False, "self-signed"),
        ("other.example", 1, True, "Hostname mismatch"),
        ("localhost", -1, True, "expired"),
    ],
)
def test_a_certificate_that_does_not_hold_is_said(
    receiver: FlakyReceiver, tmp_path: Path, name: str, days: int, trusted: bool, why: str
) -> None:
    made = encrypting(receiver, name, tmp_path, days)
    more = {"ca_file": made.name} if trusted else {}

    with pytest.raises(TryAgainError, match=f"certificate does not hold.*{why}.*ca_file"):
        sent(hook(tmp_path, f"https://localhost:{receiver.port}/hook", **more))
    assert receiver.lines == []


# Addresses


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Be the name server: each question gets the next answer; return the names asked for."""
    asked: list[str] = []

    def answer(host: str, port: int, **_more: Any) -> list[Any]:
        asked.append(host)
        told = answers[min(len(asked), len(answers)) - 1]
        if not told:
            raise socket.gaierror(-2, "Name or service not known")
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in told
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize(
    "answer", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1"], ["64:ff9b::a00:1"], ["169.254.169.254"]]
)
def test_a_name_that_leads_inside_is_not_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: list[str]
) -> None:
    names(monkeypatch, answer)

    with pytest.raises(TryAgainError, match="no address of the open internet"):
        sent(hook(tmp_path, "https://hooks.example.com/", allow_private=False))


def test_what_was_checked_is_what_is_connected_to(
    receiver: FlakyReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that changes its mind after the check changes nothing: it is asked once."""
    made = encrypting(receiver, "hooks.example.com", tmp_path)
    asked = names(monkeypatch, ["127.0.0.1"], ["192.0.2.1"])

    told = sent(hook(tmp_path, f"https://hooks.example.com:{receiver.port}/hook", ca_file=made.name))

    assert told == "HTTP 200"
    assert asked == ["hooks.example.com"]
    assert receiver.lines[0]["headers"]["Host"] == f"hooks.example.com:{receiver.port}"


def test_the_next_address_is_tried_where_one_does_not_answer(
    receiver: FlakyReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = encrypting(receiver, "hooks.example.com", tmp_path)
    names(monkeypatch, ["127.0.0.9", "127.0.0.1"])

    url = f"https://hooks.example.com:{receiver.port}/hook"
    assert sent(hook(tmp_path, url, ca_file=made.name)) == "HTTP 200"


def test_a_name_without_an_address_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, [])

    with pytest.raises(TryAgainError, match="has no address"):
        sent(hook(tmp_path, "https://hooks.example.com/"))


def test_a_name_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(TryAgainError, match="is no name of a host"):
        sent(hook(tmp_path, f"https://{'a' * 70}.example/"))


def test_a_name_server_that_is_silent_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked, **_more: done.wait(5) and [])
    began = time.monotonic()

    with pytest.raises(TryAgainError, match="No name server"):
        sent(hook(tmp_path, "https://hooks.example.com/", timeout=0.2))
    assert time.monotonic() - began < 4
    done.set()


# What the sinks file may say


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": None}, "url is missing"),
        ({"url": "hooks.example.com"}, "must be a web address"),
        ({"url": "ftp://hooks.example.com/"}, "must be a web address"),
        ({"url": "https://hooks.example.com/a b"}, "must be a web address"),
        ({"url": "https://hooks.example.com:99999/"}, "is no web address"),
        ({"url": "https://[::1/"}, "is no web address"),
        ({"url": "https://me:private@hooks.example.com/"}, "secrets are not written into this file"),
        ({"url": "https://hooks.example.com/#part"}, "has a #"),
        ({"url": "http://hooks.example.com/", "allow_private": True}, "must begin with https"),
        ({"url": "http://127.0.0.1/"}, "allow_private = true"),
        ({"url": "https://10.1.2.3/"}, "no address of the open internet"),
        ({"url": "https://[::ffff:10.1.2.3]/"}, "no address of the open internet"),
        ({"url": "http://10.1.2.3/", "allow_private": True}, "must begin with https"),
        ({"secret_file": None}, "secret_file or secret_env is missing"),
        ({"secret": "private"}, "secrets are not written into this file"),
        ({"secret_file": "none.secret"}, "cannot be read"),
        ({"secret_file": "short.secret"}, "of 5 bytes"),
        ({"secret_file": "odd.secret"}, "not base64"),
        ({"timeout": 0}, "from 0.1 to 60"),
        ({"connections": 1000}, "from 1 to 64"),
        ({"allow_privat": True}, "Did you mean 'allow_private'"),
        ({"ca_file": "none.pem"}, "is not there"),
        ({"ca_file": "odd.secret"}, "holds no certificates"),
    ],
)
def test_a_sinks_file_that_is_off_is_said(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    for name, held in (("hook", SECRET), ("short", "c2hvcnQ="), ("odd", "private private")):
        (tmp_path / f"{name}.secret").write_text(held)
    table = {"url": "https://hooks.example.com/", "secret_file": "hook.secret", **change}

    with pytest.raises(PolicyError, match="sink 'place'") as refused:
        Webhook.from_settings(
            "place", {key: value for key, value in table.items() if value is not None}, tmp_path
        )
    assert said in str(refused.value)
    assert "private " not in str(refused.value).replace("allow_private ", "")


def test_a_secret_may_be_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", f"whsec_{SECRET}")
    table = {"url": "https://hooks.example.com/a?b=c", "secret_env": "HOOK_SECRET", "connections": 3}

    sink = Webhook.from_settings("place", table, tmp_path)

    assert sink.most_at_once == 3
    sink.close()
