"""What a window's result depends on, and what follows from it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from score_world import END, RING, add, asked, counted, known_jobs, request, results, words, write_logs
from typer.testing import CliRunner

from ringfence.cli import app
from ringfence.config import Settings
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_account_verdict, give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.errors import InputError, OutputError, PolicyError
from ringfence.pipeline.scoring import score as scoring
from ringfence.pipeline.scoring.held import held
from ringfence.pipeline.scoring.plan import Planned, ScoreRequest, plan_score
from ringfence.pipeline.scoring.score import Scored, score
from ringfence.state import StateFolder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_logs(tmp_path_factory.mktemp("world") / "logs")


@pytest.fixture(scope="module")
def scored(world: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ScoreRequest, Scored]:
    asking = asked(world, tmp_path_factory.mktemp("scored") / "state")
    return asking, score(asking)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A copy of the world's logs that a test may change."""
    return write_logs(tmp_path / "logs")


@pytest.fixture
def state(scored: tuple[ScoreRequest, Scored], tmp_path: Path) -> Path:
    """A state folder in which the logs of the world are scored."""
    return shutil.copytree(scored[0].state.root, tmp_path / "state")


def rings(done: Scored) -> bytes:
    return (done.out / "rings.jsonl").read_bytes()


def run_command(*argv: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(argv))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def test_a_window_is_scored_recorded_and_followed(scored: tuple[ScoreRequest, Scored], world: Path) -> None:
    asking, done = scored
    (ring,) = map(json.loads, rings(done).splitlines())

    assert ring["size"] == RING
    assert ring["decision"] == "review"
    assert {member["account_id"] for member in ring["members"]} == {f"a{n}" for n in range(RING)}
    assert all(ring[name][:10] == "2026-03-02" for name in ("first_seen", "last_seen"))
    assert done.manifest["window"] == {
        "start": "2026-03-02T00:00:00+00:00",
        "end": "2026-03-03T00:00:00+00:00",
    }
    assert done.manifest["rows_outside"] == 2 * 4 * 300
    assert all(file["rows_in"] == file["loaded"] for file in done.manifest["files"])
    assert done.followed is not None
    assert done.followed.recorded.born == (ring["ring_id"],)
    assert (done.job.state, done.job.superseded_by) == ("followed", None)
    assert done.manifest["input_digest"] == done.job.input_digest
    assert counted(asking.state.root, "audit", "instr(CAST(entry AS TEXT), 'job followed')") == 1


def test_rows_from_the_end_on_change_nothing(
    scored: tuple[ScoreRequest, Scored], logs: Path, tmp_path: Path
) -> None:
    """Later rows stand among those of the window and in files before and after them, and would all matter."""
    later = END.isoformat().replace("+00:00", "Z")
    text = (logs / "requests.csv").read_text().splitlines()
    noise = [
        request(f"late{n}", n, later, f"Quite another text, number {n}, that many send") for n in range(40)
    ]
    (logs / "requests.csv").write_text("\n".join([text[0], *noise, *text[1:]]) + "\n")
    add(logs, "requests", *(request(f"x{n}", 20, "2026-03-09T00:00:00Z") for n in range(5)), file="00.csv")
    add(logs, "payments", *(f"z{n},a{n},{later},onecard" for n in range(60)), file="zz.csv")
    add(logs, "payments", f"p2-0,a0,{later},othercard")  # the id of a payment of the window
    add(logs, "accounts", f"newcomer,{later},active")
    (logs / "labels.csv").write_text(f"account_id,label,ts\na1,benign,{later}\n")
    (logs / "account_events.csv").write_text(f"account_id,ts,event\na1,{later},banned\n")

    done = score(asked(logs, tmp_path / "state"))

    assert rings(done) == rings(scored[1])
    assert done.job.job_id == scored[1].job.job_id
    assert done.manifest["rows"] == scored[1].manifest["rows"]
    for name in ("accounts.parquet", "links.parquet"):
        assert pq.read_table(done.out / name).equals(pq.read_table(scored[1].out / name))
    status = pq.read_table(done.out / "graph/nodes/Account.parquet", columns=["account_id", "status"])
    assert set(status["status"].to_pylist()) == {"active"}


def test_a_late_row_opens_its_window_again_and_the_new_result_supersedes(logs: Path, state: Path) -> None:
    first = score(asked(logs, state))
    assert first.done_already
    add(logs, "requests", request("late", 7, "2026-03-02T12:00:00Z"), file="late.csv")
    second = score(asked(logs, state))

    assert not second.done_already
    assert second.job.job_id != first.job.job_id
    assert second.out.parent == first.out.parent
    assert set(results(state)) == {first.job.job_id, second.job.job_id}
    assert {job.job_id: job.superseded_by for job in known_jobs(state)} == {
        first.job.job_id: second.job.job_id,
        second.job.job_id: None,
    }
    assert counted(state, "runs") == 2
    assert counted(state, "rings") == 1
    (logs / "requests" / "late.csv").unlink()
    assert score(asked(logs, state)).job.superseded_by == second.job.job_id


def test_rows_that_come_while_the_window_is_read_are_in_the_result(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out, seen = scoring.run, []

    def run_while_a_row_comes(*args: object) -> object:
        seen.append(args)
        if len(seen) == 1:
            add(logs, "logins", "a3,2026-03-02T23:00:00Z,192.0.2.1,dev")
            return args[0].out.mkdir(parents=True)  # type: ignore[attr-defined]
        return carry_out(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(scoring, "run", run_while_a_row_comes)
    done = score(asked(logs, tmp_path / "state"))

    assert len(seen) == 2
    assert done.job.input_digest == plan_score(asked(logs, tmp_path / "other")).key.input_digest
    assert [job.state for job in known_jobs(tmp_path / "state")].count("followed") == 1
    assert set(results(tmp_path / "state")) == {done.job.job_id}


def test_what_people_decided_before_the_end_trains_the_next_result(
    scored: tuple[ScoreRequest, Scored], logs: Path, state: Path
) -> None:
    asking = asked(logs, state)
    ring = json.loads(rings(scored[1]))["ring_id"]
    (logs / "labels.csv").write_text("account_id,label\na1,benign\na20,benign\n")
    decided = datetime(2026, 3, 2, 18, tzinfo=UTC)
    with Casebook.open(asking.state.casebook, clock=lambda: decided) as book:
        with book.writing("ana") as writing:
            give_verdict(writing, ring, Verdict.CONFIRMED, "one card")
        with book.writing("ana") as writing:
            give_account_verdict(writing, ring, "a2", Verdict.REJECTED, "a victim")

    before = plan_score(replace(asking, until=decided))
    after = plan_score(asking)
    done = score(asking)

    assert before.labels == ()
    labels = {label.account_id: (label.label, label.ring_name) for label in after.labels}
    # Everybody came after the first, which may be a victim for all that the logs tell: a bystander.
    assert labels == {f"a{n}": ("ring", ring) for n in range(1, RING) if n != 2} | {"a2": ("benign", None)}
    assert after.key.model_digest != before.key.model_digest
    assert done.manifest["verdict_labels"] == {"added": 11, "unknown": 0, "overruled": 1}
    assert done.manifest["tables"]["labels"] == 12
    assert "(10 ring, 2 benign)" in done.manifest["scoring"]["reason"]


def test_other_settings_make_another_job(world: Path, tmp_path: Path) -> None:
    asking = asked(world, tmp_path / "state")

    assert plan_score(asking).key == plan_score(asking).key
    assert plan_score(asking).key != plan_score(replace(asking, settings=Settings(seed=1))).key
    assert not (tmp_path / "state").exists()


def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(world: Path, tmp_path: Path) -> None:
    said = json.loads(run_command(*words(world, tmp_path / "state", "--dry-run")))

    assert said["rows"] == {"accounts": 300, "requests": 600, "payments": 300, "logins": 300}
    assert said["state"] is None
    assert not (tmp_path / "state").exists()
    shown = run_command(
        "score", str(world), "--state", str(tmp_path / "s"), "--as-of", "2026-03-03", "--dry-run"
    )
    assert "names no zone; 2026-03-03T00:00:00+00:00 is meant" in shown
    assert "Would go to" in shown


def test_a_person_reads_what_was_done_and_that_it_was(
    scored: tuple[ScoreRequest, Scored], world: Path
) -> None:
    argv = [word for word in words(world, scored[0].state.root, "--deliver") if word != "--json"]
    said = run_command(*argv)

    assert "Done already: 2026-03-02 00:00 until 2026-03-03 00:00 UTC" in said
    assert "Sent: 0 delivered" in said
    assert str(scored[1].out / "report.html") in said


def test_a_lost_result_is_made_again_and_what_the_dead_left_is_swept_up(
    scored: tuple[ScoreRequest, Scored], logs: Path, state: Path
) -> None:
    window = plan_score(asked(logs, state)).folder
    shutil.rmtree(window / scored[1].job.job_id)
    halves = [window / ".half", window.with_name("20260101T000000Z_20260102T000000Z") / ".half"]
    in_work = window.with_name("20260201T000000Z_20260202T000000Z") / ".half"
    for half in (*halves, in_work):
        half.mkdir(parents=True)
        (half / "rings.jsonl").write_text("")

    with held(StateFolder(state), in_work.parent.name, 0):
        again = score(asked(logs, state))

    assert rings(again) == rings(scored[1])
    assert (again.done_already, counted(state, "runs"), counted(state, "jobs")) == (False, 1, 1)
    assert not any(half.exists() for half in halves)
    assert in_work.exists()


def test_no_window_no_logs_no_policy(world: Path, logs: Path, tmp_path: Path) -> None:
    asking = asked(world, tmp_path / "state")
    with pytest.raises(InputError, match="Are the logs late"):
        score(replace(asking, until=END + timedelta(days=40)))
    with pytest.raises(InputError, match="does not exist"):
        score(replace(asking, logs=tmp_path / "nowhere"))
    with pytest.raises(OutputError, match="lie in each other"):
        score(asked(logs, logs))
    (logs / "payments.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        score(replace(asking, logs=logs))
    (logs / "payments.csv").write_text("payment_id,account_id\n")
    with pytest.raises(InputError, match="instrument_id"):
        score(replace(asking, logs=logs))
    assert not asking.state.casebook.exists()
    asking.state.root.mkdir()
    asking.state.policy.write_text("[[tier]]\nactoin = 'ban'\n")
    with pytest.raises(PolicyError):
        score(asking)
    assert not asking.state.casebook.exists()


def test_run_records_in_the_casebook_and_does_nothing_more(world: Path, tmp_path: Path) -> None:
    out, state = str(tmp_path / "out"), str(tmp_path / "state")
    first = json.loads(
        run_command("run", str(world), "--out", out, "--neo4j", "none", "--state", state, "--json")
    )
    again = json.loads(run_command("rings", "record", out, "--state", state, "--json"))

    assert (len(first["recorded"]["born"]), first["recorded"]["known"]) == (1, False)
    assert again["known"] is True
    assert counted(tmp_path / "state", "runs") == 1
    assert counted(tmp_path / "state", "jobs") == 0


def test_planned_says_whether_it_is_done(scored: tuple[ScoreRequest, Scored]) -> None:
    planned: Planned = plan_score(scored[0])

    assert (planned.done, planned.published) == (True, True)
    assert planned.out == scored[1].out
