"""Worlds from the command line: made, examined, run on, scored, run again."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from commands import ringfence

from ringfence.cli.files import write_file
from ringfence.errors import OutputError

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
    assert {"shared_identifiers (usual)", "leiden (usual)"} <= set(cards)
    for name in set(cards) - {"detection", "worlds"}:
        assert cards[name]["innocents"]["ring"]["of"] == truth["ring"].isna().sum()
    assert "shared_identifiers" in page.read_text()


def test_a_page_that_stands_is_not_overwritten(world: Path, out: Path, tmp_path: Path) -> None:
    page = tmp_path / "card.html"
    page.write_text("mine")
    done = ringfence("worlds", "score", out, world / "truth", "--html", page, code=1)
    assert "--force" in done.stderr
    assert page.read_text() == "mine"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Another world, and the output of a run on it."""
    folder = tmp_path_factory.mktemp("others")
    small = ("--scenario", "gate-everyday", "--scale", "0.0005", "--seed", "501", "--no-labels")
    ringfence("worlds", "make", folder / "world", *small)
    ringfence("run", folder / "world" / "input", "--out", folder / "out", "--neo4j", "none")
    return folder / "world", folder / "out"


def test_several_worlds_are_pooled(world: Path, out: Path, other: tuple[Path, Path]) -> None:
    also = ("--and", f"{other[1]},{other[0] / 'truth'}")
    cards = said("worlds", "score", out, world, *also, "--baselines")
    truths = [pd.read_parquet(w / "truth" / "accounts.parquet") for w in (world, other[0])]
    for name in ("ringfence", "leiden"):
        assert cards[name]["innocents"]["ring"]["of"] == sum(t["ring"].isna().sum() for t in truths)
        assert cards[name]["rings"]["ring"]["recall"]["of"] == sum(t["ring"].nunique() for t in truths)
        assert len(cards[name]["worlds"]) == 2
    assert [w["scenario"] for w in cards["worlds"]] == ["gate-single-family", "gate-everyday"]
    text = ringfence("worlds", "score", out, world, *also).stdout
    for each in (world, other[0]):
        manifest = json.loads((each / "world.json").read_text())
        row = next(line for line in text.splitlines() if line.strip().startswith(str(each)))
        assert {str(manifest["scale"]), manifest["generator_digest"][:12]} <= set(row.split())


def test_worlds_of_other_code_are_not_pooled(
    world: Path, out: Path, other: tuple[Path, Path], tmp_path: Path
) -> None:
    shutil.copytree(other[0], tmp_path / "older")
    manifest = json.loads((tmp_path / "older" / "world.json").read_text())
    (tmp_path / "older" / "world.json").write_text(json.dumps({**manifest, "code_digest": "0" * 64}))
    done = ringfence("worlds", "score", out, world, "--and", f"{other[1]},{tmp_path / 'older'}", code=1)
    assert "different generators" in done.stderr


@pytest.mark.parametrize(
    ("more", "reason"), [("{out}", "comma"), ("{out},", "comma"), ("{out},{world}/truth", "twice")]
)
def test_what_is_no_further_pair_is_refused(world: Path, out: Path, more: str, reason: str) -> None:
    words = more.format(out=out, world=world)
    assert reason in ringfence("worlds", "score", out, world, "--and", words, code=2).stderr


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_file(tmp_path / "page.html", "first")
    write_file(tmp_path / "page.html", "second")
    assert (tmp_path / "page.html").read_text() == "second"
    with pytest.raises(UnicodeEncodeError):
        write_file(tmp_path / "page.html", "third" * 10_000 + "\udcff")
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "folder", tmp_path / "nowhere" / "file", tmp_path / ("x" * 300)):
        with pytest.raises(OutputError, match="Cannot write"):
            write_file(place, "text")
    assert (tmp_path / "page.html").read_text() == "second"
    assert {p.name for p in tmp_path.iterdir()} == {"page.html", "folder"}


def test_a_world_is_examined(world: Path) -> None:
    told = said("worlds", "separable", world)
    assert 0 < told["boosted_trees"] < 0.5
    assert len(told["columns"]) > 50
    assert told["columns"][0]["average_precision"] < 0.15
    assert told["passes"]
    assert told["crossed"] == []
    assert told["limits"] == {"single_column": 0.15, "boosted_trees": 0.5}


def given_away(world: Path, folder: Path) -> Path:
    """Return a copy in which every ring account, and nobody else, has a plan of its own."""
    shutil.copytree(world, folder)
    truth = pd.read_parquet(world / "truth" / "accounts.parquet").set_index("account_id")["ring"]
    path = folder / "input" / "accounts.parquet"
    accounts = pd.read_parquet(path)
    accounts.loc[accounts["account_id"].map(truth).notna().to_numpy(), "plan"] = "smurf"
    accounts.to_parquet(path, index=False)
    return folder


def test_a_world_that_a_column_gives_away_does_not_pass(
    world: Path, other: tuple[Path, Path], tmp_path: Path
) -> None:
    done = ringfence("worlds", "separable", given_away(other[0], tmp_path / "other"), code=1)
    assert "Limits: 0.15 for a single column, 0.5 for boosted trees." in done.stdout
    assert re.search(r"Crossed by .*\bplan\b.*, boosted_trees", done.stderr)
    done = ringfence("worlds", "separable", given_away(world, tmp_path / "easy"), "--json", code=1)
    told = json.loads(done.stdout)
    assert not told["passes"]
    assert told["crossed"] == ["plan", "boosted_trees"]


def test_a_replay_tells_how_late_rings_are_found(other: tuple[Path, Path], tmp_path: Path) -> None:
    world, out = other
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


def test_a_swap_says_what_it_says_little_about(other: tuple[Path, Path], tmp_path: Path) -> None:
    """Of a run that flagged nobody, and of languages that were left as they are."""
    world, out = other
    shutil.copytree(out, tmp_path / "blind")
    rings = tmp_path / "blind" / "rings.jsonl"
    lines = [json.loads(line) for line in rings.read_text().splitlines()]
    rings.write_text("".join(json.dumps({**ring, "decision": "benign"}) + "\n" for ring in lines))
    done = ringfence("worlds", "swap", tmp_path / "blind", world, code=1)
    head, row = (line.split() for line in done.stdout.splitlines()[2:4])
    assert head == ["swapped", "accounts", "named", "changed"]
    assert row[2] == "0"
    assert int(row[3]) > 0
    assert "languages: not swapped" in done.stdout
    assert "Nobody was flagged" in done.stderr


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


@pytest.mark.parametrize(
    ("scenario", "seed", "warned"),
    [
        ("report-rare", 7, True),
        ("report-rare", 1002, False),
        ("gate-everyday", 1002, True),
        ("tuning", 1999, True),
        ("tuning", 7, False),
        ("published", 1000, False),
    ],
)
def test_a_seed_that_is_kept_for_others_is_warned_of(scenario: str, seed: int, warned: bool) -> None:
    words = ("--scenario", scenario, "--seed", str(seed), "--scale", "0.001", "--dry-run", "--json")
    done = ringfence("worlds", "make", "nowhere", *words)
    assert ("1000 to 1999" in done.stderr) is warned
    assert json.loads(done.stdout)


def test_bounds_of_another_generator_need_saying() -> None:
    done = ringfence("worlds", "gate", "--new-generator", code=2)
    assert "--raise" in done.stderr


def test_scores_of_another_world_are_refused(out: Path, tmp_path: Path) -> None:
    ringfence("worlds", "make", tmp_path / "other", "--scale", "0.0005", "--seed", "9")
    done = ringfence("worlds", "score", out, tmp_path / "other", code=1)
    assert "acct_" in done.stderr
