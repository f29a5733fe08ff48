from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from set_receiver import AUDIENCE, ISSUER, Receiver, receiving, verified
from stix_reading import leaves
from typer.testing import CliRunner, Result

from ringfence.cli import app
from ringfence.enforcement.events import Event, EventKind, idempotency_key
from ringfence.enforcement.sinks.protocol import GoneError, RefusedError, TryAgainError
from ringfence.enforcement.sinks.risc import Risc
from ringfence.enforcement.sinks.risc_events import DISABLED, ENABLED, RISK_LEVEL
from ringfence.errors import PolicyError
from ringfence.records import Action
from ringfence.testing.sink_contract import (
    SinkContract,
    delivery,
    enforced,
    reversal,
    superseded,
)


def pem(key: Any, encryption: Any = None) -> str:
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return written.decode()


@dataclass
class Place:
    """A receiver, and the keys that its sender has."""

    receiver: Receiver
    key_file: Path


@pytest.fixture(scope="module")
def rsa_pem() -> str:
    return pem(new_rsa_key(65537, 2048))


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Place]:
    key_file = tmp_path / "signing.pem"
    key_file.write_text(pem(Ed25519PrivateKey.generate()))
    with receiving() as receiver:
        place = Place(receiver, key_file)
        with opened(place, tmp_path) as sink:
            receiver.jwks = sink.jwks()
        yield place


def table(place: Place) -> dict[str, Any]:
    return {
        "url": place.receiver.url,
        "allow_private": True,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "key_file": str(place.key_file),
    }


@contextmanager
def opened(place: Place, base: Path, /, **other: Any) -> Iterator[Risc]:
    """Yield a sink; keys given as None are left out of the entry."""
    entry = {key: value for key, value in {**table(place), **other}.items() if value is not None}
    with closing(Risc.from_settings("login", entry, base)) as sink:
        yield sink


def claims(body: bytes) -> list[dict[str, Any]]:
    """Read tokens without believing them."""
    middle = [line.split(b".")[1] for line in body.splitlines()]
    return [json.loads(urlsafe_b64decode(one + b"=" * (-len(one) % 4))) for one in middle]


class OfTokens(SinkContract):
    """Tokens name neither ring nor version, and nothing is said of a ring that goes by other ids."""

    kind = "risc"

    def values(self, body: bytes) -> list[str]:
        return list(leaves(claims(body)))

    def facts(self, event: Event) -> list[str]:
        if event.kind is EventKind.SUPERSEDED:
            return []
        return [event.event_id, event.reason, *(one.account_id for one in event.accounts)]

    def test_every_kind_of_event_is_taken(self, backend: Any, sink: Any) -> None:
        sink.send(delivery(sink, enforced()))
        first = self.held(backend)
        sink.send(delivery(sink, reversal(enforced())))
        second = self.held(backend)
        assert sink.send(delivery(sink, superseded(enforced()))) == "nothing to tell"
        assert first != second == self.held(backend)


class TestRisc(OfTokens):
    def settings(self, backend: Place) -> dict[str, Any]:
        return table(backend)

    def held(self, backend: Place) -> list[dict[str, Any]]:
        return list(backend.receiver.taken.values())

    @contextmanager
    def broken(self, backend: Place) -> Iterator[None]:
        backend.receiver.always = (503, b"")
        yield
        backend.receiver.always = None


class TestRiscToFolder(OfTokens):
    def settings(self, backend: Place) -> dict[str, Any]:
        entry = table(backend)
        del entry["url"], entry["allow_private"]
        return {**entry, "folder": str(self.folder(backend))}

    def held(self, backend: Place) -> dict[str, bytes]:
        return {one.name: one.read_bytes() for one in self.folder(backend).glob("*.jwt")}

    @contextmanager
    def broken(self, backend: Place) -> Iterator[None]:
        self.folder(backend).write_text("a file where the folder should be")
        yield
        self.folder(backend).unlink()

    def folder(self, backend: Place) -> Path:
        return backend.key_file.parent / "tokens"


def said(event: Event, backend: Place, folder: Path, **other: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return account → what is said of it, as whoever checks the tokens reads them."""
    with opened(backend, folder, **other) as sink:
        told = [verified(line.decode(), sink.jwks()) for line in sink.render(event).splitlines()]
    return {
        one["sub_id"].get("sub", one["sub_id"].get("id")): next(iter(one["events"].items())) for one in told
    }


@pytest.mark.parametrize("action", [Action.SUSPEND, Action.BAN])
def test_who_is_suspended_or_banned_is_disabled_and_enabled_again(
    action: Action, backend: Place, tmp_path: Path
) -> None:
    event = enforced(action=action)
    disabled = said(event, backend, tmp_path)
    assert set(disabled) == {one.account_id for one in event.accounts}
    assert {kind for kind, _ in disabled.values()} == {DISABLED}
    assert {told["reason"] for _, told in disabled.values()} == {"bulk-account"}
    assert {name: kind for name, (kind, _) in said(reversal(event), backend, tmp_path).items()} == {
        "acct_00001": ENABLED
    }


@pytest.mark.parametrize("left", [Action.SUSPEND, Action.BAN])
def test_nobody_is_enabled_whom_another_order_disables(left: Action, backend: Place, tmp_path: Path) -> None:
    undone = reversal(enforced(action=Action.SUSPEND))
    still = replace(undone, accounts=tuple(replace(one, under=left) for one in undone.accounts))
    assert said(still, backend, tmp_path) == {}


@pytest.mark.parametrize(
    ("action", "level"), [(Action.MONITOR, "MEDIUM"), (Action.RATE_LIMIT, "MEDIUM"), (Action.STEP_UP, "HIGH")]
)
def test_milder_actions_are_a_level_of_risk(
    action: Action, level: str, backend: Place, tmp_path: Path
) -> None:
    event = enforced(action=action)
    ((kind, told), *_) = said(event, backend, tmp_path).values()
    ((undone_kind, undone),) = said(reversal(event), backend, tmp_path).values()
    assert kind == undone_kind == RISK_LEVEL
    assert (told["principal"], told["current_level"]) == ("USER", level)
    assert (undone["previous_level"], undone["current_level"]) == (level, "LOW")


@pytest.mark.parametrize(
    ("undone", "left", "level"),
    [
        (Action.STEP_UP, Action.MONITOR, "MEDIUM"),
        (Action.MONITOR, Action.STEP_UP, "HIGH"),
        (Action.RATE_LIMIT, Action.MONITOR, None),
        (Action.MONITOR, Action.BAN, "LOW"),
    ],
)
def test_a_level_of_risk_stays_that_of_the_order_that_stays(
    undone: Action, left: Action, level: str | None, backend: Place, tmp_path: Path
) -> None:
    event = reversal(enforced(action=undone))
    still = replace(event, accounts=tuple(replace(one, under=left) for one in event.accounts))
    assert [told["current_level"] for _, told in said(still, backend, tmp_path).values()] == (
        [] if level is None else [level]
    )


def test_a_token_says_who_what_when_and_to_whom(backend: Place, tmp_path: Path) -> None:
    event = enforced()
    with opened(backend, tmp_path, subject_issuer="https://id.example.com/") as sink:
        first = sink.render(event).splitlines()[0].decode()
        told = verified(first, sink.jwks())
    assert jwt.get_unverified_header(first) == {
        "alg": "EdDSA",
        "kid": backend.receiver.jwks["keys"][0]["kid"],
        "typ": "secevent+jwt",
    }
    at = int(event.occurred_at.timestamp())
    assert told["sub_id"] == {"format": "iss_sub", "iss": "https://id.example.com/", "sub": "acct_00001"}
    assert (told["iat"], told["toe"], told["txn"]) == (at, at, event.event_id)
    assert not {"sub", "exp"} & set(told), "a token of another kind could be mistaken for one of these"
    assert idempotency_key(event, "login") not in told["jti"]


def test_accounts_can_go_by_their_ids_alone(backend: Place, tmp_path: Path) -> None:
    with opened(backend, tmp_path, subject="opaque") as sink:
        told = claims(sink.render(enforced()))
    assert told[0]["sub_id"] == {"format": "opaque", "id": "acct_00001"}


def test_ids_of_tokens_differ_between_accounts_events_and_sinks(backend: Place, tmp_path: Path) -> None:
    other = Risc.from_settings("other", table(backend), tmp_path)
    with opened(backend, tmp_path) as sink:
        bodies = [sink.render(enforced()), sink.render(enforced(version=8200)), other.render(enforced())]
    other.close()
    assert len({one["jti"] for body in bodies for one in claims(body)}) == 9


def test_rsa_signs_too_and_the_same_bytes_each_time(backend: Place, tmp_path: Path, rsa_pem: str) -> None:
    backend.key_file.write_text(rsa_pem)
    with opened(backend, tmp_path) as sink:
        assert sink.render(enforced()) == sink.render(enforced())
        token = sink.render(enforced()).splitlines()[0].decode()
        assert jwt.get_unverified_header(token)["alg"] == "RS256"
        assert verified(token, sink.jwks())["txn"] == enforced().event_id


def test_keys_are_rotated_by_their_ids(backend: Place, tmp_path: Path) -> None:
    new = tmp_path / "new.pem"
    new.write_text(pem(Ed25519PrivateKey.generate()))
    with opened(backend, tmp_path) as before:
        old = before.render(enforced()).splitlines()[0].decode()
    with opened(backend, tmp_path, key_file=[str(new), str(backend.key_file)]) as after:
        token = after.render(enforced()).splitlines()[0].decode()
        jwks = after.jwks()
    assert verified(old, jwks) == verified(token, jwks)
    assert [key["kid"] for key in jwks["keys"]] == [
        jwt.get_unverified_header(one)["kid"] for one in (token, old)
    ]
    assert not [key for key in jwks["keys"] if "d" in key], "the private half stays here"
    with pytest.raises(jwt.InvalidKeyError):
        verified(token, backend.receiver.jwks)


def test_what_is_forged_is_rejected(backend: Place, tmp_path: Path) -> None:
    with opened(backend, tmp_path) as sink:
        token, other = (line.decode() for line in sink.render(enforced()).splitlines()[:2])
    jwks = backend.receiver.jwks
    header, body, signature = token.split(".")
    none = urlsafe_b64encode(json.dumps({**jwt.get_unverified_header(token), "alg": "none"}).encode())
    public = jwks["keys"][0]["x"]
    forged = [
        f"{header}.{other.split('.')[1]}.{signature}",
        f"{header}.{body}.{signature[:-4]}AAAA",
        f"{none.decode().rstrip('=')}.{body}.",
        jwt.encode(
            claims(token.encode())[0], public.ljust(64, "="), "HS256", headers={"typ": "secevent+jwt"}
        ),
    ]
    for one in forged:
        with pytest.raises(jwt.PyJWTError):
            verified(one, jwks)
    with pytest.raises(jwt.InvalidAudienceError):
        verified(token, jwks, audience="https://elsewhere.example.com/")
    assert verified(token, jwks)


def test_after_a_failure_midway_every_token_is_applied_once(backend: Place, tmp_path: Path) -> None:
    receiver = backend.receiver
    receiver.answers = [(202, b""), (500, b"")]
    with opened(backend, tmp_path, connections=1) as sink:
        with pytest.raises(TryAgainError, match="500"):
            sink.send(delivery(sink, enforced()))
        assert len(receiver.taken) == 1
        assert sink.send(delivery(sink, enforced(), 2)) == "3 tokens accepted"
    assert len(receiver.attempts) == 4, "what was accepted is not sent again by the same process"
    with opened(backend, tmp_path) as another:
        another.send(delivery(another, enforced(), 3))
    assert len(receiver.attempts) == 7
    assert len(set(receiver.attempts)) == len(receiver.taken) == 3


def test_many_tokens_over_many_connections_are_applied_once_whatever_fails(
    backend: Place, tmp_path: Path
) -> None:
    receiver, draw = backend.receiver, Random(11)
    receiver.answers = [(draw.choice([202, 202, 202, 500, 503]), b"") for _ in range(60)]
    event, tries = enforced(accounts=tuple(f"acct_{number:05}" for number in range(100))), 0
    with opened(backend, tmp_path) as sink:
        while True:
            tries += 1
            with suppress(TryAgainError):
                sink.send(delivery(sink, event, tries))
                break
    assert tries > 2
    assert len(receiver.taken) == 100
    assert len(receiver.attempts) <= 160


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            (400, b'{"err": "invalid_request", "description": "no\\nsuch issuer"}'),
            RefusedError,
            "nosuch issuer",
        ),
        ((400, b'{"err": "access_denied"}'), TryAgainError, "access_denied"),
        ((400, b"[1]"), RefusedError, "400"),
        ((400, b"\xff"), RefusedError, "400"),
        ((401, b""), TryAgainError, "401"),
        ((403, b""), TryAgainError, "403"),
        ((410, b""), GoneError, "410"),
        ((429, b""), TryAgainError, "429"),
        ((302, b""), TryAgainError, "not followed"),
        ((308, b""), RefusedError, "not followed"),
    ],
)
def test_answers_mean_what_they_say(
    answer: tuple[int, bytes], error: type[Exception], says: str, backend: Place, tmp_path: Path
) -> None:
    backend.receiver.always = answer
    with opened(backend, tmp_path) as sink, pytest.raises(error, match=says) as failed:
        sink.send(delivery(sink, enforced()))
    assert len(backend.receiver.attempts) <= 3
    if answer[0] == 429:
        assert failed.value.after == 7


def test_a_receiver_that_wants_another_audience_refuses(backend: Place, tmp_path: Path) -> None:
    wrong = "https://elsewhere.example.com/"
    with (
        opened(backend, tmp_path, audience=wrong) as sink,
        pytest.raises(RefusedError, match="invalid_audience"),
    ):
        sink.send(delivery(sink, enforced()))
    assert not backend.receiver.taken


def test_the_receivers_token_is_shown(backend: Place, tmp_path: Path) -> None:
    backend.receiver.bearer = "open sesame"
    (tmp_path / "login.token").write_text("open sesame\n")
    with opened(backend, tmp_path) as sink, pytest.raises(TryAgainError, match="401"):
        sink.send(delivery(sink, enforced()))
    with opened(backend, tmp_path, token_file="login.token") as sink:
        sink.send(delivery(sink, enforced()))
    assert len(backend.receiver.taken) == 3


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"folder": "tokens"}, "cannot stand beside url"),
        ({"url": None}, "url is missing"),
        ({"issuer": None}, "issuer is missing"),
        ({"key_file": None}, "key_file or key_env is missing"),
        ({"subject": "email"}, "must be one of iss_sub, opaque"),
        ({"allow_private": False}, "open internet"),
    ],
)
def test_a_wrong_entry_is_told(other: dict[str, Any], says: str, backend: Place, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=says), opened(backend, tmp_path, **other):
        pass


def test_a_file_of_no_certificates_is_told(backend: Place, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    other = {"url": "https://login.example.com/", "ca_file": "ca.pem"}
    with pytest.raises(PolicyError, match="holds no certificates"), opened(backend, tmp_path, **other):
        pass


def test_a_key_that_cannot_sign_is_told_without_showing_it(backend: Place, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    wrong = {
        "no private key": "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----",
        "without a password": pem(key, BestAvailableEncryption(b"password")),
        "neither Ed25519 nor RSA": pem(new_curve_key(SECP256R1())),
        "1024 bits": pem(new_rsa_key(65537, 1024)),
    }
    for says, written in wrong.items():
        backend.key_file.write_text(written)
        with pytest.raises(PolicyError, match=says) as told, opened(backend, tmp_path):
            pass
        assert "PRIVATE" not in str(told.value)


def test_the_public_keys_are_printed(backend: Place, tmp_path: Path) -> None:
    sinks = tmp_path / "sinks.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in table(backend).items()]
    sinks.write_text(
        "\n".join(
            ["[sinks.login]", 'kind = "risc"', *lines, "[sinks.lines]", 'kind = "jsonl"', 'folder = "x"']
        )
    )

    def printed(name: str, *options: str) -> Result:
        return CliRunner().invoke(app, ["sinks", "keys", name, "--file", str(sinks), *options])

    assert json.loads(printed("login").stdout) == backend.receiver.jwks
    assert printed("login", "--json").stdout.count("\n") == 1
    assert "Did you mean 'login'" in str(printed("logon").exception)
    sinks.write_text('[sinks.lines]\nkind = "jsonl"\nfolder = "lines"')
    assert "only kind risc signs" in str(printed("lines").exception)
