"""Worlds from the command line: made, examined, run on, scored, run again."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from commands import ringfence

SMALL = ("--scenario", "gate-single-family", "--scale", "0.001", "--seed", "503", "--no-labels")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worlds") / "world"
    ringfence("worlds", "make", folder, *SMALL)
    return folder


@pytest.fixture(scope="module")
def out(world: Path) -> Path:
    folder = world.parent / "out"
    ringfence("run", world / "input", "--out", folder, "--neo4j", "none")
    return folder


def said(*words: object) -> dict:
    return json.loads(ringfence(*words, "--json").stdout)


def test_a_world_says_what_comes_next(tmp_path: Path) -> None:
    done = ringfence("worlds", "make", tmp_path / "w", "--scale", "0.0005", "--workers", "1")
    assert f"ringfence run {tmp_path / 'w' / 'input'}" in done.stdout
    assert {p.name for p in (tmp_path / "w").iterdir()} == {"input", "truth", "world.json"}


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    planned = said("worlds", "make", tmp_path / "w", "--scale", "1", "--dry-run")
    ring = ("blended", "residential_rotation", "hosting")
    assert sum(planned["requests"].values()) == pytest.approx(40_000_000, rel=0.02)
    assert sum(planned["requests"][name] for name in ring) == pytest.approx(16_550_000, rel=0.02)
    assert not (tmp_path / "w").exists()


def test_everything_is_listed() -> None:
    listed = said("worlds", "list")
    assert {"published", "report-everyday", "demo"} <= set(listed["scenarios"])
    assert {"paraphrased", "cards_only"} <= set(listed["ring_types"])
    assert {"framing", "camouflage"} <= set(listed["attacks"])


def test_a_run_is_scored_beside_the_baselines(world: Path, out: Path) -> None:
    page = out.parent / "card.html"
    cards = said("worlds", "score", out, world, "--baselines", "--html", page)
    truth = pd.read_parquet(world / "truth" / "accounts.parquet")
    assert {"ringfence", "shared_identifiers", "leiden", "co_action", "synchronous"} <= set(cards)
    for name in set(cards) - {"detection"}:
        assert cards[name]["innocents"]["ring"]["of"] == truth["ring"].isna().sum()
    assert "shared_identifiers" in page.read_text()


def test_a_page_that_stands_is_not_overwritten(world: Path, out: Path, tmp_path: Path) -> None:
    page = tmp_path / "card.html"
    page.write_text("mine")
    done = ringfence("worlds", "score", out, world / "truth", "--html", page, code=1)
    assert "--force" in done.stderr
    assert page.read_text() == "mine"


def test_a_world_is_examined(world: Path) -> None:
    told = said("worlds", "separable", world)
    assert 0 < told["boosted_trees"] < 1
    assert len(told["columns"]) > 50
    assert told["columns"][0]["average_precision"] < 0.3


def test_a_replay_tells_how_late_rings_are_found(world: Path, out: Path, tmp_path: Path) -> None:
    told = said("worlds", "replay", world, "--every", "360", "--out", tmp_path / "replay.json")
    assert len(told["cuts"]) == 2
    cards = said("worlds", "score", out, world, "--replay", tmp_path / "replay.json")
    rings = pd.read_parquet(world / "truth" / "rings.parquet")
    assert {r["ring"] for r in cards["detection"]["rings"]} == set(rings["ring"])


def test_swapping_countries_changes_no_decision(world: Path, out: Path) -> None:
    told = said("worlds", "swap", out, world)
    (swap,) = told["swaps"]
    assert told["fair"]
    assert (swap["attribute"], swap["changed"], swap["largest_score_change"]) == ("country", [], 0.0)
    assert swap["named"] > 0, "where nobody is flagged, nothing could have changed"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--scale", "0"), "above 0"),
        (("--scale", "-1"), "above 0"),
        (("--scenario", "nowhere"), "report-everyday"),
        (("--prevalence", "0"), "prevalence"),
        (("--attack", "magic"), "camouflage"),
    ],
)
def test_a_world_that_makes_no_sense_is_refused(tmp_path: Path, words: tuple[str, str], reason: str) -> None:
    done = ringfence("worlds", "make", tmp_path / "w", *words, code=2)
    assert reason in done.stderr
    assert not list(tmp_path.iterdir())


def test_scores_of_another_world_are_refused(out: Path, tmp_path: Path) -> None:
    ringfence("worlds", "make", tmp_path / "other", "--scale", "0.0005", "--seed", "9")
    done = ringfence("worlds", "score", out, tmp_path / "other", code=1)
    assert "acct_" in done.stderr
