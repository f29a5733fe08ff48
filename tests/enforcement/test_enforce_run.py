"""What follows from a run without a person, once; and what a run's output tells of accounts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from case_samples import accounts, ring
from enforce_samples import queued, told
from run_folder import write_run

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.casebook.reading import read_run
from ringfence.enforcement.impact import Used
from ringfence.errors import OutputError, PolicyError, StaleVersionError
from ringfence.pipeline.enforcement.enforce import Followed, check_outs, dry_run, enforce, follow_run, outs_of
from ringfence.pipeline.enforcement.record import record_and_announce
from ringfence.pipeline.enforcement.traffic import RunOutput
from ringfence.pipeline.run import RunRequest, run
from ringfence.records import Action
from ringfence.state import StateFolder

SINKS = '[sinks.lines]\nkind = "jsonl"\nfolder = "told"\n'
ALLOW = """
[[allow]]
{kind} = "{value}"
who = "licensed partner"
reason = "Contract."
owner = "ada"
expires = 9999-12-31
"""
MONITOR = """
mode = "live"
[[tiers]]
action = "monitor"
needs = "nobody"
least_probability = 0.9
"""


def prepared(state: StateFolder, policy: str = MONITOR) -> StateFolder:
    state.root.mkdir(parents=True, exist_ok=True)
    state.sinks.write_text(SINKS)
    state.policy.write_text(policy)
    return state


def summary(found: Followed) -> tuple[bool, int, int]:
    said = json.loads(json.dumps(found.as_json()))
    return said["known"], said["born"], len(said["orders"])


class TestFollowing:
    def test_a_run_is_recorded_and_followed_once(self, state: StateFolder, tmp_path: Path) -> None:
        out = write_run(tmp_path / "out", ring("R-1", accounts(6), accounts(2, "by")))
        assert summary(follow_run(prepared(state), out)) == (False, 1, 1)
        assert summary(follow_run(state, out)) == (True, 0, 0)
        with Casebook.open(state.casebook) as book:
            assert queued(book) == [("R-1", "ring.enforced", "lines")]
            assert len(told(book)[0]["accounts"]) == 6

    def test_a_split_is_told_to_whom_the_ring_was_told(self, state: StateFolder, tmp_path: Path) -> None:
        names = accounts(12)
        follow_run(prepared(state), write_run(tmp_path / "one", ring("R-1", names)))
        parts = (ring("R-1", names[:6]), ring("R-2", names[6:]))
        found = follow_run(state, write_run(tmp_path / "two", *parts, seed=2))
        assert found.as_json()["superseded"] == ["R-1"]
        with Casebook.open(state.casebook) as book:
            assert [kind for _, kind, _ in queued(book)] == ["ring.enforced", "ring.superseded"]

    def test_a_run_unlike_the_others_is_recorded_and_nothing_goes(
        self, state: StateFolder, tmp_path: Path
    ) -> None:
        prepared(state)
        for day in range(5):
            found = follow_run(state, write_run(tmp_path / f"{day}", ring("R-1", accounts(6)), seed=day))
            assert found.brake is None
        wide = write_run(tmp_path / "wide", ring("R-9", accounts(400, "other")), seed=9)
        found = follow_run(state, wide)
        assert found.brake is not None
        assert (len(found.recorded.born), found.automatic.orders) == (1, ())
        assert found.as_json()["brake"]["share"] == 0.4

    def test_a_policy_that_is_off_records_nothing(self, state: StateFolder, tmp_path: Path) -> None:
        prepared(state, "mode = 'lve'")
        with pytest.raises(PolicyError, match="Did you mean 'live'"):
            follow_run(state, write_run(tmp_path / "out", ring("R-1", accounts(6))))
        assert not state.casebook.exists()

    @pytest.mark.parametrize(("kind", "value"), [("org", "org_1"), ("email_domain", "EX.com")])
    def test_whom_the_allow_list_protects_is_looked_up(
        self, state: StateFolder, tmp_path: Path, kind: str, value: str
    ) -> None:
        names = accounts(6)
        out = write_run(
            tmp_path / "out",
            ring("R-1", names),
            orgs={names[0]: "org_1", names[1]: "org_2"},
            accounts={names[0]: {"email_domain": "Ex.com"}, names[1]: {"email_domain": "x.ex.com"}},
        )
        follow_run(prepared(state, MONITOR + ALLOW.format(kind=kind, value=value)), out)
        with Casebook.open(state.casebook) as book:
            assert [one["account_id"] for one in told(book)[0]["accounts"]] == names[1:]

    @pytest.mark.parametrize("kind", ["org", "email_domain"])
    def test_an_allow_list_that_cannot_be_looked_up_lets_nothing_go(
        self, state: StateFolder, tmp_path: Path, kind: str
    ) -> None:
        out = write_run(tmp_path / "out", ring("R-1", accounts(6)), without=("email_domain",))
        (out / "graph" / "relationships" / "BELONGS_TO.parquet").unlink()
        prepared(state, MONITOR + ALLOW.format(kind=kind, value="ex.com"))
        with pytest.raises(OutputError, match="does not tell whose it is"):
            follow_run(state, out)

    def test_nothing_follows_from_a_run_when_a_later_one_is_there(
        self, state: StateFolder, tmp_path: Path
    ) -> None:
        prepared(state, MONITOR + ALLOW.format(kind="org", value="org_1"))
        names = accounts(6)
        old = write_run(tmp_path / "old", ring("R-1", names))
        new = write_run(tmp_path / "new", ring("R-1", names), seed=2, orgs={names[0]: "org_1"})
        with Casebook.open(state.casebook) as book:
            for out in (old, new):
                record_and_announce(state, book, read_run(out), "ada")
        found = follow_run(state, old)
        assert found.automatic.orders == ()
        assert "later run" in str(found.automatic.halted)
        follow_run(state, new)
        with Casebook.open(state.casebook) as book:
            assert [one["account_id"] for one in told(book)[0]["accounts"]] == names[1:]

    def test_a_run_that_was_only_recorded_meets_the_brake_as_well(
        self, state: StateFolder, tmp_path: Path
    ) -> None:
        prepared(state)
        for day in range(5):
            follow_run(state, write_run(tmp_path / f"{day}", ring("R-1", accounts(6)), seed=day))
        wide = write_run(tmp_path / "wide", ring("R-9", accounts(400, "other")), seed=9)
        with Casebook.open(state.casebook) as book:
            record_and_announce(state, book, read_run(wide), "ada")
        done = enforce(state, [], "ada", "The policy says so.")
        assert done.steps == ()
        assert ["The brake is on" in str(one.waits_for) for one in done.held] == [True]

    def test_what_was_looked_up_must_be_what_runs_said_last(self, state: StateFolder, tmp_path: Path) -> None:
        one, two = (write_run(tmp_path / str(n), ring("R-1", accounts(6)), seed=n) for n in (1, 2))
        follow_run(prepared(state), one)
        with Casebook.open(state.casebook) as book:
            with book.reading() as connection:
                outs = outs_of(connection, ["R-1"])
                check_outs(connection, ["R-1"], outs)
            record_and_announce(state, book, read_run(two), "ada")
            with book.reading() as connection, pytest.raises(StaleVersionError, match="recorded just now"):
                check_outs(connection, ["R-1"], outs)


class TestTheOutput:
    def test_accounts_are_told_as_far_as_it_knows_them(self, tmp_path: Path) -> None:
        names = accounts(3)
        out = write_run(
            tmp_path / "out",
            ring("R-1", names),
            accounts={names[0]: {"requests": 7, "tokens": None}, "else": {}},
            cards={"c1": (names[0], "else"), "c2": (names[0],)},
        )
        found = RunOutput(out).used([names[0], names[1], "nobody"])
        assert found == {
            names[0]: Used(0.95, 7, None, 2, 5.0),
            names[1]: Used(0.95, 10, 100, 0, 5.0),
        }

    def test_what_an_earlier_version_did_not_write_is_unknown(self, tmp_path: Path) -> None:
        out = write_run(tmp_path / "out", ring("R-1", ["a"]), without=("tokens", "amount_usd"))
        assert RunOutput(out).used(["a"]) == {"a": Used(0.95, 10, None, 0, None)}

    def test_everyone_with_a_card_that_members_share(self, tmp_path: Path) -> None:
        cards = {"c1": ("a", "b", "x"), "c2": ("c", "y"), "c3": ("x", "y")}
        out = write_run(tmp_path / "out", ring("R-1", ["a", "b", "c"]), cards=cards)
        assert RunOutput(out).sharing(["a", "b", "c"]) == {"a", "b", "x"}

    def test_where_it_is_gone_nothing_is_known(self, tmp_path: Path) -> None:
        gone = RunOutput(tmp_path / "gone")
        assert (gone.used(["a"]), gone.sharing(["a"])) == ({}, None)

    def test_what_is_damaged_is_said(self, tmp_path: Path) -> None:
        out = write_run(tmp_path / "out", ring("R-1", ["a"]))
        (out / "graph" / "nodes" / "Account.parquet").write_bytes(b"PAR1")
        with pytest.raises(OutputError, match="is damaged"):
            RunOutput(out).used(["a"])


class TestADryRun:
    def test_it_is_of_the_run_that_saw_the_ring_last(self, state: StateFolder, tmp_path: Path) -> None:
        names = accounts(6)
        cards = {"c1": (names[0], names[1], "x")}
        out = write_run(tmp_path / "out", ring("R-1", names), accounts={"x": {}}, cards=cards)
        follow_run(prepared(state), out)
        with Casebook.open(state.casebook) as book, book.writing("ada") as writing:
            give_verdict(writing, "R-1", Verdict.CONFIRMED, "Same cards.")
        state.policy.unlink()
        found = dry_run(state)
        (suspended,) = found.impact.by_action
        assert suspended[0] is Action.SUSPEND
        assert (suspended[1].requests, suspended[1].tokens, suspended[1].amount_usd) == (60, 600, 30.0)
        cards_only = dict(found.impact.options)["cards only"]
        assert cards_only is not None
        assert (cards_only.accounts, cards_only.outside) == (3, 1)
        shutil.rmtree(out)
        assert dry_run(state, ["R-1"]).impact.unseen == 6


def test_a_run_tells_tokens_payments_and_domains(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "accounts.csv").write_text("account_id,org_id,email_domain\na,o1,Ex.com\nb,,\nc,,\n")
    (logs / "requests.csv").write_text(
        "request_id,account_id,ts,ip,input_tokens,output_tokens\n"
        "r1,a,2026-03-01T10:00:00Z,198.51.100.7,10,5\n"
        "r2,a,2026-03-02T10:00:00Z,198.51.100.7,10,\n"
        "r3,b,2026-03-02T10:00:00Z,198.51.100.8,1,1\n"
    )
    (logs / "payments.csv").write_text(
        "payment_id,account_id,ts,instrument_id\np1,a,2026-03-01T09:00:00Z,c1\np2,a,2026-03-02T09:00:00Z,c2\n"
    )
    run(RunRequest(logs, tmp_path / "out", neo4j="none"))
    output = RunOutput(tmp_path / "out")
    found = output.used(["a", "b", "c"])
    assert {name: (one.requests, one.tokens, one.payments) for name, one in found.items()} == {
        "a": (2, 25, 2),
        "b": (1, 2, 0),
        "c": (0, 0, 0),
    }
    assert {one.amount_usd for one in found.values()} == {None}, "no payment says how much"
    assert output.accounts_of("org", "o1") == ["a"]
    assert output.accounts_of("email_domain", "ex.com") == ["a"]
