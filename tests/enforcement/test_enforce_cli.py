"""``ringfence enforce`` as people run it: a real casebook, a sink that writes files, words and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from case_samples import accounts, ring
from run_folder import write_run
from typer.testing import CliRunner, Result

from ringfence.cli import enforce, rings
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.policy.read import default_policy
from ringfence.errors import NotAllowedError, PolicyError, StaleVersionError, UnknownCaseError, UsageError
from ringfence.pipeline.enforcement.enforce import follow_run
from ringfence.records import Decision
from ringfence.state import StateFolder

NAMES = accounts(6)
GROUPS = {"enforce": enforce.app, "rings": rings.app}
"""A group alone: the runner reads every command's options anew at each call."""


@pytest.fixture
def scored(state: StateFolder, tmp_path: Path) -> StateFolder:
    """A run recorded: one ring that the policy watches already, one that asks for a look."""
    state.root.mkdir()
    state.sinks.write_text('[sinks.lines]\nkind = "jsonl"\nfolder = "told"\n')
    out = write_run(
        tmp_path / "out",
        ring("R-1", NAMES, accounts(2, "by")),
        ring("R-2", accounts(12, "b"), decision=Decision.REVIEW, probability=None),
        cards={"c1": (*NAMES[:2], "x")},
        accounts={"x": {}},
    )
    follow_run(state, out)
    return state


@pytest.fixture
def confirmed(scored: StateFolder) -> StateFolder:
    call("rings", "verdict", "R-1", "confirmed", "--reason", "Same cards.", "--by", "ada", state=scored)
    return scored


def call(*words: object, state: StateFolder | None) -> Result:
    where = [] if state is None else ["--state", str(state.root)]
    group, *rest = map(str, words)
    done = CliRunner().invoke(GROUPS[group], [*rest, *where])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def say(state: StateFolder, *words: object) -> str:
    done = call("enforce", *words, state=state)
    assert done.exit_code == 0, done.output
    return done.output


def told(state: StateFolder, *words: object) -> Any:
    done = call("enforce", *words, "--json", state=state)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def ordered(state: StateFolder, *words: object, by: str = "ada") -> Any:
    return told(state, *words, "--reason", "Same cards.", "--by", by)


def lines(state: StateFolder) -> list[dict[str, Any]]:
    """Return what the sink was told, a row per account."""
    files = sorted((state.root / "told").rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


class TestTheDryRun:
    def test_before_the_verdict_it_shows_what_would_follow(self, scored: StateFolder) -> None:
        shown = say(scored, "--ring", "R-1", "--dry-run")
        assert "suspend on 6: needs verdict" in shown
        assert "left out: 2 bystander" in shown
        assert "waits: It is new. Confirm it first" in shown
        for name in ("policy", "core only", "cards only", "all members"):
            assert f"  {name}" in shown
        found = told(scored, "--ring", "R-1", "--dry-run")
        assert found["by_action"]["suspend"]["innocents"]["mean"] == pytest.approx(0.3)
        assert found["by_action"]["suspend"]["requests"] == 60
        assert found["options"]["cards only"]["outside"] == 1
        assert found["rings"][0]["orders"][0]["targets"][0]["account_id"] == NAMES[0]

    def test_what_is_not_calibrated_is_unknown(self, scored: StateFolder) -> None:
        shown = say(scored, "--ring", "R-2", "--dry-run")
        assert "probability not calibrated" in shown
        assert "unknown" in shown

    def test_it_changes_nothing(self, confirmed: StateFolder) -> None:
        before = told(confirmed, "orders")
        say(confirmed, "--dry-run")
        assert told(confirmed, "orders") == before

    def test_where_all_is_dealt_with_it_says_so(self, scored: StateFolder) -> None:
        assert "The policy asks for nothing" in say(scored, "--dry-run")

    def test_what_the_output_lacks_is_said(self, confirmed: StateFolder, tmp_path: Path) -> None:
        (tmp_path / "out" / "graph" / "nodes" / "Account.parquet").unlink()
        (tmp_path / "out" / "graph" / "relationships" / "PAID_WITH.parquet").unlink()
        shown = say(confirmed, "--dry-run")
        assert "6 of the accounts are not in the run's output" in shown
        assert told(confirmed, "--dry-run")["options"]["cards only"] is None


class TestFromTheVerdictToTheSinkAndBack:
    def test_what_the_policy_says_is_ordered_delivered_and_reversed(self, confirmed: StateFolder) -> None:
        done = ordered(confirmed, "--ring", "R-1", "--deliver")
        (order,) = done["orders"]
        assert (order["action"], order["accounts"], order["status"]) == ("suspend", 6, "active")
        assert done["outbox"]["waiting"] == 0
        assert {row["account_id"] for row in lines(confirmed) if row["action"] == "suspend"} == set(NAMES)

        part = ordered(confirmed, "reverse", order["order_id"], "--account", NAMES[0], "--deliver")
        assert (part["order"]["accounts"], part["order"]["reverses"]) == (1, order["order_id"])
        listed = {one["order_id"]: one for one in told(confirmed, "orders", "--ring", "R-1")}
        assert (listed[order["order_id"]]["standing"], listed[order["order_id"]]["status"]) == (5, "active")

        rest = ordered(confirmed, "reverse", "--ring", "R-1", "--deliver")
        assert [one["accounts"] for one in rest["reversals"]] == [6, 5]
        assert all(one["standing"] == 0 for one in told(confirmed, "orders"))
        with pytest.raises(NotAllowedError, match="Nothing is ordered on R-1"):
            ordered(confirmed, "reverse", "--ring", "R-1")

    def test_it_is_told_what_waits_and_how_to_send_it(self, confirmed: StateFolder) -> None:
        shown = say(confirmed, "--reason", "Same cards.", "--by", "ada")
        assert "Ordered: suspend on 6 accounts of R-1 until" in shown
        assert "2 wait in the outbox; `ringfence outbox deliver` sends them." in shown
        shown = say(confirmed, "reverse", "--ring", "R-1", "--reason", "A partner.", "--deliver")
        assert "Reversed: suspend on 6 accounts of R-1" in shown
        assert "Outbox: nothing was due." in shown, "what was never sent is withdrawn on both sides"

    def test_a_ban_goes_when_another_person_approves_it(self, confirmed: StateFolder) -> None:
        ban = ("order", "R-1", "--action", "ban", "--account", NAMES[0])
        assert ordered(confirmed, *ban, "--dry-run")["dry_run"] is True
        assert told(confirmed, "orders", "--waiting") == []
        order = ordered(confirmed, *ban)["order"]
        assert (order["status"], order["accounts"]) == ("awaiting approval", 1)
        assert [one["order_id"] for one in told(confirmed, "orders", "--waiting")] == [order["order_id"]]
        with pytest.raises(NotAllowedError, match="somebody else must approve"):
            call("enforce", "approve", order["order_id"], "--by", "Ada", state=confirmed)
        approved = told(confirmed, "approve", order["order_id"], "--by", "bob", "--deliver")
        assert approved["order"]["approved_by"] == "bob"
        assert [row["account_id"] for row in lines(confirmed) if row["action"] == "ban"] == [NAMES[0]]

    def test_what_waits_can_be_taken_back(self, confirmed: StateFolder) -> None:
        shown = say(confirmed, "order", "R-1", "--action", "ban", "--reason", "x", "--by", "ada")
        assert "Somebody else approves it: `ringfence enforce approve O-" in shown
        (waiting,) = told(confirmed, "orders", "--waiting")
        assert "Withdrawn: ban on 6" in say(
            confirmed, "withdraw", waiting["order_id"], "--reason", "No.", "--by", "ada"
        )
        assert "No order waits" in say(confirmed, "orders", "--waiting")

    def test_a_verdict_that_lets_off_undoes_all(self, confirmed: StateFolder) -> None:
        ordered(confirmed, "--ring", "R-1")
        call("rings", "verdict", "R-1", "rejected", "--reason", "A school.", "--by", "bob", state=confirmed)
        assert all(one["standing"] == 0 for one in told(confirmed, "orders"))
        with pytest.raises(NotAllowedError, match="R-1: It is rejected; a person said so"):
            ordered(confirmed, "--ring", "R-1")

    def test_what_has_expired_is_undone_once(self, confirmed: StateFolder) -> None:
        ordered(confirmed, "order", "R-1", "--action", "step-up", "--expires", "1h")
        assert "Nothing to undo" in say(confirmed, "expire")
        with Casebook.open(confirmed.casebook) as book, book.writing("test") as writing:
            writing.execute("UPDATE orders SET expires_at = '2026-01-01T00:00:00.000000Z'")
        assert len(told(confirmed, "expire", "--dry-run")["reversals"]) == 2
        assert len(told(confirmed, "expire")["reversals"]) == 2
        assert told(confirmed, "expire")["reversals"] == []

    def test_orders_are_listed_for_people(self, confirmed: StateFolder) -> None:
        ordered(confirmed, "--ring", "R-1", by="ada\x1b[2J")
        ordered(confirmed, "reverse", "--ring", "R-1")
        shown = say(confirmed, "orders")
        assert "undo suspend of O-" in shown
        assert "\x1b" not in shown
        with pytest.raises(UnknownCaseError, match="no ring 'R-7'"):
            say(confirmed, "orders", "--ring", "R-7")


class TestShadowAndBrake:
    def test_in_shadow_mode_nothing_is_sent_and_everybody_is_told_so(self, confirmed: StateFolder) -> None:
        confirmed.policy.write_text(default_policy().replace('mode = "live"', 'mode = "shadow"'))
        done = call("enforce", "--ring", "R-1", "--reason", "x", "--by", "ada", state=confirmed)
        assert "Shadow mode: recorded, and sent nowhere." in done.output
        assert "active, shadow" in say(confirmed, "orders")
        assert "Shadow mode" in say(confirmed, "--dry-run")

    def test_the_brake_is_shown_and_released_by_a_person(self, scored: StateFolder) -> None:
        assert "The brake is off." in say(scored, "brake")
        with Casebook.open(scored.casebook) as book, book.writing("score") as writing:
            writing.execute(
                "INSERT INTO brake (run_id, share, median, at) SELECT run_id, 0.5, 0.01, ? FROM runs",
                (writing.stamp,),
            )
            writing.execute("DELETE FROM exports")
            writing.execute("UPDATE orders SET status = 'withdrawn'")
        assert "The brake is on" in say(scored, "brake")
        assert told(scored, "brake")["trip"]["share"] == 0.5
        shown = say(scored, "--reason", "x", "--by", "ada")
        assert "R-1 waits: The brake is on" in shown
        assert "The brake is on" in say(scored, "--dry-run")
        assert told(scored, "brake", "--release", "--reason", "A sale.", "--by", "ada")["released"] is True
        with pytest.raises(NotAllowedError, match="is off"):
            say(scored, "brake", "--release", "--reason", "Again.")
        assert ordered(scored)["orders"][0]["action"] == "monitor"

    def test_releasing_says_so(self, scored: StateFolder) -> None:
        with Casebook.open(scored.casebook) as book, book.writing("score") as writing:
            writing.execute(
                "INSERT INTO brake (run_id, share, median, at) SELECT run_id, 0.5, 0.01, ? FROM runs",
                (writing.stamp,),
            )
        assert "released" in say(scored, "brake", "--release", "--reason", "A sale.", "--by", "ada")


class TestThePolicyFile:
    def test_it_is_written_shown_and_checked(self, state: StateFolder) -> None:
        assert "The policy that ships: live." in say(state, "policy")
        assert "Written:" in say(state, "policy", "--init")
        with pytest.raises(UsageError, match="is there already"):
            say(state, "policy", "--init")
        assert f"{state.policy}: live." in say(state, "policy")
        assert call("enforce", "policy", "--check", state.policy, state=None).exit_code == 0
        found = told(state, "policy")
        assert found["tiers"][0]["needs"] == "two persons"

    def test_the_allow_list_is_shown(self, state: StateFolder) -> None:
        say(state, "policy", "--init")
        entry = (
            '[[allow]]\naccount = "a"\nwho = "own test account"\nreason = "Load."\nowner = "ada"\n'
            "expires = 2999-01-01\n"
        )
        state.policy.write_text(state.policy.read_text() + entry)
        assert "own test account" in say(state, "policy")

    def test_a_file_that_is_off_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "p.toml").write_text("mode = 'live'\n[[tiers]]\nacton = 'ban'\n")
        with pytest.raises(
            PolicyError, match=r"p.toml, \[\[tiers\]\] 1: unknown key 'acton'. Did you mean 'action'"
        ):
            call("enforce", "policy", "--check", tmp_path / "p.toml", state=None)
        with pytest.raises(PolicyError, match="No such file"):
            call("enforce", "policy", "--check", tmp_path / "none.toml", state=None)


class TestWords:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--ring", "R-1"), "Say why by --reason"),
            (("--version", "3", "--dry-run"), "--version is of one ring"),
            (("--dry-run", "orders"), "Options go after `enforce orders`"),
            (("reverse", "--reason", "x"), "Name one ORDER"),
            (("reverse", "O-1", "--ring", "R-1", "--reason", "x"), "Name one ORDER"),
            (("order", "R-1", "--action", "bann", "--reason", "x"), "Did you mean 'ban'"),
            (("order", "R-1", "--action", "ban", "--expires", "soon", "--reason", "x"), "12h, 90d or 4w"),
            (("brake", "--release"), "--release and --reason go together"),
            (("policy", "--check", "f", "--init"), "take one of them"),
        ],
    )
    def test_words_that_do_not_fit_are_refused(
        self, scored: StateFolder, words: tuple[str, ...], said: str
    ) -> None:
        with pytest.raises(UsageError, match=said):
            call("enforce", *words, state=scored)

    def test_without_a_state_folder_it_helps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RINGFENCE_STATE", raising=False)
        assert "Usage" in call("enforce", state=None).output
        with pytest.raises(UsageError, match="Name the state folder"):
            call("enforce", "policy", state=None)

    def test_a_version_that_somebody_was_faster_on_is_refused(self, confirmed: StateFolder) -> None:
        with pytest.raises(StaleVersionError, match="R-1 is at version"):
            ordered(confirmed, "--ring", "R-1", "--version", 1)

    @pytest.mark.parametrize("words", [("--ring", "R-1"), ("order", "R-1", "--action", "monitor")])
    def test_whoever_has_no_sink_to_tell_orders_nothing(
        self, confirmed: StateFolder, words: tuple[str, ...]
    ) -> None:
        confirmed.sinks.unlink()
        assert "nobody is told" in say(confirmed, "--ring", "R-1", "--dry-run")

        with pytest.raises(NotAllowedError, match="ringfence sinks init"):
            call("enforce", *words, "--reason", "x", "--by", "ada", state=confirmed)

        with Casebook.open(confirmed.casebook) as book:
            assert [row["state"] for row in book.read("SELECT state FROM rings WHERE ring_id = 'R-1'")] == [
                "confirmed"
            ]
            assert not book.read("SELECT 1 FROM orders WHERE ordered_by = 'ada'")

    def test_nothing_ordered_yet(self, state: StateFolder) -> None:
        Casebook.open(state.casebook).close()
        state.sinks.write_text('[sinks.lines]\nkind = "jsonl"\nfolder = "exports"\n')
        assert "Nothing was ordered yet." in say(state, "orders")
        assert "The policy asks for nothing" in say(state, "--reason", "x")


def test_the_exit_code_tells_what_kind_of_error_it_was(confirmed: StateFolder) -> None:
    script = Path(sys.executable).with_name("ringfence")
    words = [script, "enforce", "--ring", "R-9", "--dry-run", "--state", confirmed.root]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "The casebook knows no ring 'R-9'. Did you mean" in done.stderr


@pytest.mark.parametrize("by", ["", "  ", "\n", "\u202e\u200b"])
def test_who_has_no_name_decides_nothing(confirmed: StateFolder, by: str) -> None:
    done = call("enforce", "--ring", "R-1", "--reason", "x", "--by", by, state=confirmed)

    assert done.exit_code == 2
    assert "name" in done.output
    with Casebook.open(confirmed.casebook) as book:
        assert (
            book.read("SELECT count(*) AS orders FROM orders WHERE ordered_by = ?", (by,))[0]["orders"] == 0
        )


@pytest.mark.parametrize("words", [["--reason", "x"], ["--dry-run"], ["--ring", "R-1", "--json"]])
def test_without_a_state_folder_nothing_passes_for_done(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RINGFENCE_STATE", raising=False)
    with pytest.raises(UsageError, match="--state"):
        call("enforce", *words, state=None)
    assert "Usage" in call("enforce", state=None).stdout


def test_a_dry_run_says_where_nothing_would_go_and_what_comes_next(confirmed: StateFolder) -> None:
    before = call("enforce", "--dry-run", "--ring", "R-1", state=confirmed).output
    confirmed.sinks.unlink()
    after = call("enforce", "--dry-run", "--ring", "R-1", state=confirmed).output
    found = json.loads(call("enforce", "--dry-run", "--ring", "R-1", "--json", state=confirmed).stdout)

    assert "names no sink" not in before
    assert "--reason instead of --dry-run" in before
    assert "ringfence sinks init" in after
    assert found["sinks"] == 0


def test_an_account_that_is_let_off_one_order_is_not_cleared_and_that_is_said(confirmed: StateFolder) -> None:
    done = call("enforce", "--ring", "R-1", "--reason", "x", "--json", state=confirmed)
    order = json.loads(done.stdout)["orders"][0]["order_id"]
    whole = call("enforce", "reverse", order, "--reason", "y", "--dry-run", state=confirmed).stdout
    part = call("enforce", "reverse", order, "--account", NAMES[0], "--reason", "y", state=confirmed).stdout

    assert "ringfence rings verdict R-1 rejected --account" in part
    assert "Still a member" not in whole
