"""A held account is not erased: by whose word, why, and until when is on record."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from case_samples import accounts, recorded, ring
from exhibit_samples import audited
from stopped_clock import START, Clock
from typer.testing import CliRunner

from ringfence.cli import app
from ringfence.cli.hold import moment
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.holds import (
    HoldState,
    account_digest,
    check_erasable,
    digest_key,
    holds,
    lift_hold,
    place_hold,
)
from ringfence.errors import CasebookError, NotAllowedError, UnknownCaseError, UsageError
from ringfence.state import StateFolder

KEY = bytes(range(32))
LATER = START + timedelta(days=30)


def erasable(book: Casebook, *account_ids: str) -> bool:
    with book.reading() as connection:
        try:
            check_erasable(connection, account_ids, book.now)
        except NotAllowedError:
            return False
    return True


def test_a_held_account_is_not_erased_until_every_hold_has_ended(book: Casebook, clock: Clock) -> None:
    assert erasable(book, "a", "b")
    with book.writing("law") as writing:
        first = place_hold(writing, KEY, "a", "legal", "Case 7.", LATER)
        place_hold(writing, KEY, "a", "tax", "Audit 3.", LATER + timedelta(days=5))
    assert not erasable(book, "b", "a")
    assert erasable(book, "b", "A")
    with book.writing("law") as writing:
        lift_hold(writing, KEY, first.number, "Settled.")
    assert not erasable(book, "a")
    clock.now = LATER + timedelta(days=5)
    assert erasable(book, "a")


def test_the_refusal_names_who_to_ask(book: Casebook) -> None:
    with book.writing("law") as writing:
        for account in "abcde":
            place_hold(writing, KEY, account, "legal", "Case 7.", LATER)
        with pytest.raises(NotAllowedError, match=r"a by legal until 2026-03-31.*and 2 more holds"):
            check_erasable(writing.connection, "abcde", START)


def test_it_is_on_record_without_the_account(book: Casebook) -> None:
    with book.writing("law") as writing:
        place_hold(writing, KEY, "acct_named", "legal", "Case 7.", LATER)
        lift_hold(writing, KEY, 1, "Settled.")
    placed, lifted = audited(book, "hold placed")[0], audited(book, "hold lifted")[0]

    assert placed["account_digest"] == lifted["account_digest"] == account_digest(KEY, "acct_named")
    assert (placed["owner"], placed["by"], lifted["reason"]) == ("legal", "law", "Settled.")
    assert "acct_named" not in json.dumps([placed, lifted])
    assert account_digest(bytes(32), "acct_named") != placed["account_digest"]


@pytest.mark.parametrize(
    ("account", "owner", "reason", "until", "said"),
    [
        ("", "legal", "Case.", LATER, "an account"),
        ("a", " ", "Case.", LATER, "an owner"),
        ("a", "legal", "\t", LATER, "a reason"),
        ("a", "legal", "Case.", START, "a time to come"),
    ],
)
def test_a_hold_without_owner_reason_or_end_is_refused(
    book: Casebook, account: str, owner: str, reason: str, until: datetime, said: str
) -> None:
    with book.writing("law") as writing, pytest.raises(NotAllowedError, match=said):
        place_hold(writing, KEY, account, owner, reason, until)


def test_what_has_ended_is_not_lifted(book: Casebook, clock: Clock) -> None:
    with book.writing("law") as writing:
        place_hold(writing, KEY, "a", "legal", "Case 7.", LATER)
        with pytest.raises(NotAllowedError, match="reason"):
            lift_hold(writing, KEY, 1, " ")
        with pytest.raises(UnknownCaseError, match="no hold 2"):
            lift_hold(writing, KEY, 2, "Settled.")
    clock.now = LATER
    with book.writing("law") as writing, pytest.raises(NotAllowedError, match="expired already"):
        lift_hold(writing, KEY, 1, "Settled.")
    with book.reading() as connection:
        assert [one.state(book.now) for one in holds(connection)] == [HoldState.EXPIRED]


def test_all_who_make_the_key_at_once_get_the_same(state: StateFolder) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _n: digest_key(state), range(32)))

    assert len(keys) == 1
    assert [path.name for path in state.keys.iterdir()] == ["accounts.key"]
    assert (state.keys / "accounts.key").stat().st_mode & 0o777 == 0o600
    (state.keys / "accounts.key").write_bytes(b"short")
    with pytest.raises(CasebookError, match="damaged: 5 bytes"):
        digest_key(state)


def test_a_date_lasts_until_its_end() -> None:
    assert moment("2027-01-31") == datetime(2027, 2, 1, tzinfo=UTC)
    assert moment("2027-01-31T12:00:00") == datetime(2027, 1, 31, 12, tzinfo=UTC)
    assert moment("2027-01-31T12:00:00+02:00") == datetime(2027, 1, 31, 10, tzinfo=UTC)
    for text in ("soon", "2027-02-30", "9999-12-31", ""):
        with pytest.raises(UsageError, match="no date or time"):
            moment(text)


def test_the_command_places_lists_and_lifts(book: Casebook, state: StateFolder, tmp_path: Path) -> None:
    recorded(book, ring("R-1", accounts(5)))
    run = CliRunner()
    words = ["--state", str(state.root), "--by", "law", "--reason", "Case \x1b[31m7"]
    place = ["hold", "place", "acct_0001", *words, "--owner", "legal", "--expires", "2199-01-31"]

    dry = run.invoke(app, [*place, "--dry-run"])
    assert "would be held" in dry.stdout
    assert "Did you mean 'acct_0000" in dry.stderr
    place[2] = "acct_00001"
    assert json.loads(run.invoke(app, [*place, "--json"]).stdout)["state"] == "standing"
    listed = run.invoke(app, ["hold", "list", "--state", str(state.root)]).stdout
    assert "acct_00001" in listed
    assert "\x1b" not in listed
    assert "lifted" in run.invoke(app, ["hold", "lift", "1", *words]).stdout
    assert "No account is held" in run.invoke(app, ["hold", "list", "--state", str(state.root)]).stdout
    everything = run.invoke(app, ["hold", "list", "--all", "--json", "--state", str(state.root)])
    assert [one["state"] for one in json.loads(everything.stdout)] == ["lifted"]
