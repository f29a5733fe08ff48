"""Scoring with real processes: killed, doubled, repeated, and always one result."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from score_world import Process, asked, counted, known_jobs, results, words, write_logs

from ringfence.pipeline.scoring.held import held
from ringfence.pipeline.scoring.window import folder_name, window_until
from ringfence.state import StateFolder

SEED = 20260909
IN_A_ROW = 3
"""Kills before a process is left to itself."""
KILLS = 50 if os.environ.get("RINGFENCE_SOAK") else 3


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_logs(tmp_path_factory.mktemp("score") / "logs")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("finished") / "state"


@pytest.fixture(scope="module")
def reference(
    logs: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, str], float]:
    """Results of a process that nobody disturbed, and the seconds it took."""
    began = time.monotonic()
    said = Process(words(logs, finished), tmp_path_factory.mktemp("said")).wait()
    assert said.code == 0, said.text
    assert said.json["done_already"] is False
    return results(finished), time.monotonic() - began


def one_result(state: Path, reference: dict[str, str]) -> None:
    assert results(state) == reference
    assert [job.state for job in known_jobs(state)] == ["followed"]
    assert counted(state, "runs") == 1
    assert counted(state, "locks") == 0
    assert counted(state, "rings") == 1
    assert counted(state, "audit", "instr(CAST(entry AS TEXT), '\"run recorded\"')") == 1


def test_killed_at_any_moment_and_begun_again_there_is_one_result(
    logs: Path, tmp_path: Path, reference: tuple[dict[str, str], float]
) -> None:
    wanted, seconds = reference
    draw = random.Random(SEED)
    for first in range(0, KILLS, IN_A_ROW):
        state = tmp_path / f"state{first}"
        for number in range(first, min(first + IN_A_ROW, KILLS)):
            process = Process(words(logs, state), tmp_path / "said")
            # One moment in each part of the time that a run takes.
            time.sleep(seconds * (number % IN_A_ROW + draw.random()) / IN_A_ROW)
            process.kill()
        said = Process(words(logs, state), tmp_path / "said").wait()
        assert said.code == 0, (first, said.text)
        one_result(state, wanted)


def test_killed_between_all_of_its_steps_it_goes_on_from_there(
    logs: Path, tmp_path: Path, reference: tuple[dict[str, str], float]
) -> None:
    state = tmp_path / "state"
    for when, step, left in (
        ("before", "scored", "planned"),
        ("after", "scored", "scored"),
        ("before", "followed", "scored"),
    ):
        assert Process(words(logs, state), tmp_path / "said", (when, step)).wait().code == -9
        assert [job.state for job in known_jobs(state)] == [left]

    assert Process(words(logs, state), tmp_path / "said").wait().json["done_already"] is False
    one_result(state, reference[0])


def test_asked_again_it_says_so_and_writes_nothing(
    logs: Path, reference: tuple[dict[str, str], float], finished: Path, tmp_path: Path
) -> None:
    before = contents(finished)

    said = Process(words(logs, finished), tmp_path / "said").wait()

    assert (said.code, said.json["done_already"]) == (0, True)
    assert contents(finished) == before
    one_result(finished, reference[0])


def contents(state: Path) -> dict[str, bytes]:
    """Every file, but for what SQLite keeps beside the casebook while it is open."""
    files = [path for path in sorted(state.rglob("*")) if path.is_file() and "casebook.db-" not in path.name]
    return {str(path): path.read_bytes() for path in files}


def test_two_at_once_give_one_result_and_one_of_them_says_so(
    logs: Path, tmp_path: Path, reference: tuple[dict[str, str], float]
) -> None:
    state = tmp_path / "state"
    both = [Process(words(logs, state, "--wait", "60"), tmp_path / f"said{n}") for n in range(2)]
    said = [process.wait() for process in both]

    assert [one.code for one in said] == [0, 0], said
    assert sorted(one.json["done_already"] for one in said) == [False, True]
    one_result(state, reference[0])


def test_who_does_not_wait_is_told_who_has_the_window(logs: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    request = asked(logs, state)
    name = folder_name(window_until(request.until, request.span))
    with held(StateFolder(state), name, 0):
        said = Process(words(logs, state), tmp_path / "said").wait()

    assert said.code == 1
    assert f"process {os.getpid()} on" in said.text
    assert "--wait" in said.text
    assert results(state) == {}
