"""The gate lets nothing through that was better once."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ringfence.config import LinkSettings, Settings
from ringfence.errors import InputError, UsageError
from ringfence.pipeline.run import RunRequest, run
from ringfence.pipeline.worlds.gate import (
    HIGHER,
    LOWER,
    Gate,
    GateWorld,
    Moved,
    Reading,
    gate,
    held_against,
    moved,
    raised,
    read_floors,
    write_floors,
)
from ringfence.pipeline.worlds.hardness import hardness
from ringfence.worlds.make import WorldRequest, generator_digest, make_world
from ringfence.worlds.rings import REPORTING, TUNING
from ringfence.worlds.scenarios import GATE, GATE_SEEDS, REPORTING_SEEDS, SCENARIOS, TUNING_SEEDS
from ringfence.worlds.score.findings import Findings, read_findings
from ringfence.worlds.score.scorecard import Scorecard, score
from ringfence.worlds.score.truth import make_truth, read_truth

WORLD = GateWorld("gate-single-family", 0.001, 503, False, "", {}, {})


def measured(**values: float) -> Gate:
    readings = [Reading(WORLD.scenario, name, values.get(name, 0.5), 0.0, rising=True) for name in HIGHER]
    readings += [Reading(WORLD.scenario, name, values.get(name, 0.5), 1.0, rising=False) for name in LOWER]
    return Gate(tuple(readings), planted={WORLD.scenario: 10})


def test_three_worlds_are_committed_with_floors_of_this_generator() -> None:
    worlds = read_floors()
    assert tuple(world.scenario for world in worlds) == GATE
    assert tuple(world.seed for world in worlds) == GATE_SEEDS
    for world in worlds:
        assert world.generator_digest == generator_digest(SCENARIOS[world.scenario])
        assert set(world.floors) == set(HIGHER)
        assert set(world.ceilings) == set(LOWER)
        assert max(world.floors.values()) > 0


def test_gate_worlds_hold_no_ring_type_that_is_reported_on() -> None:
    for name in GATE:
        assert set(SCENARIOS[name].ring_types) <= set(TUNING) - set(REPORTING)
    assert not set(GATE_SEEDS) & (set(TUNING_SEEDS) | set(REPORTING_SEEDS))


@pytest.fixture(scope="module")
def small() -> GateWorld:
    """A committed world, made smaller."""
    return replace(next(world for world in read_floors() if not world.labels), scale=0.0003)


def test_a_linker_that_finds_nothing_does_not_pass(small: GateWorld) -> None:
    blind = Settings(links=LinkSettings(least_weight=1e6))
    crossed = {reading.figure for reading in gate([small], blind).readings if not reading.holds}
    assert {"rings_flagged", "b_cubed_f1", "account_average_precision"} <= crossed


def test_a_linker_that_joins_everybody_does_not_pass(small: GateWorld, tmp_path: Path) -> None:
    credulous = LinkSettings(
        least_weight=0.1, least_candidate=0.1, least_family_weight=0.1, resolution=0.001, family_cap={}
    )
    made = make_world(tmp_path / "world", WorldRequest(small.scenario, small.scale, small.seed, labels=False))
    run(RunRequest(made.input, tmp_path / "out", neo4j="none", settings=Settings(links=credulous)))
    truth = read_truth(made.truth)
    card = score(read_findings(tmp_path / "out", truth), truth)
    assert HIGHER["b_cubed_f1"](card) < small.floors["b_cubed_f1"]


@pytest.mark.parametrize(
    ("value", "bound", "rising", "holds"),
    [
        (0.5, 0.5, True, True),
        (0.49, 0.5, True, False),
        (0.01, 0.01, False, True),
        (0.011, 0.01, False, False),
        (math.nan, 0.0, True, False),
        (math.nan, 1.0, False, False),
    ],
)
def test_a_bound_is_kept_or_crossed(value: float, bound: float, rising: bool, holds: bool) -> None:
    reading = Reading("w", "f", value, bound, rising=rising)
    assert reading.holds is holds
    assert Gate((reading,)).passes is holds


def test_another_generator_does_not_pass() -> None:
    assert Gate((), changed=()).passes
    assert not Gate((), changed=("gate-everyday",)).passes


def test_bounds_only_get_tighter() -> None:
    first = raised([WORLD], measured())[0]
    better = raised([first], measured(b_cubed_f1=0.9, innocents_flagged=0.1))[0]
    worse = raised([better], measured(b_cubed_f1=0.2, innocents_flagged=0.9))[0]
    assert better.floors["b_cubed_f1"] > first.floors["b_cubed_f1"]
    assert better.ceilings["innocents_flagged"] < first.ceilings["innocents_flagged"]
    assert (worse.floors, worse.ceilings) == (better.floors, better.ceilings)


def test_a_changed_world_gets_bounds_of_its_own_where_that_is_meant() -> None:
    first = raised([WORLD], measured(b_cubed_f1=0.9))[0]
    worse = replace(measured(b_cubed_f1=0.3), changed=(WORLD.scenario,))
    with pytest.raises(UsageError, match=rf"{WORLD.scenario}.*--new-generator"):
        raised([first], worse)
    anew = raised([first], worse, new_generator=True)[0]
    assert anew.floors["b_cubed_f1"] == pytest.approx(0.22)


def test_a_new_generator_loosens_no_world_that_it_left_alone() -> None:
    first = raised([WORLD], measured(b_cubed_f1=0.9))[0]
    assert raised([first], measured(b_cubed_f1=0.3), new_generator=True) == (first,)


def test_one_ring_fewer_may_be_found_and_not_two() -> None:
    for planted in range(1, 30):
        for found in range(planted + 1):
            first = replace(measured(rings_flagged=found / planted), planted={WORLD.scenario: planted})
            (bound,) = raised([WORLD], first)
            for now in {0, *range(max(found - 3, 0), found + 1)}:
                told = held_against([bound], measured(rings_flagged=now / planted))
                (reading,) = (r for r in told.readings if r.figure == "rings_flagged")
                assert reading.holds is (now >= found - 1), (planted, found, now)


def test_rings_of_one_family_may_never_be_accused() -> None:
    told = replace(measured(single_family_accused=0.2), changed=(WORLD.scenario,))
    after = raised([WORLD], told, new_generator=True)
    assert after[0].ceilings["single_family_accused"] == 0
    crossed = {r.figure for r in held_against(after, told).readings if not r.holds}
    assert crossed == {"single_family_accused"}


def card_of(decision: str, single_family: bool) -> Scorecard:
    """Two rings of three accounts, each named by a cluster of its own; the second shows in one family."""
    ids = [f"a{n}" for n in range(8)]
    ring = ["R1"] * 3 + ["R2"] * 3 + [None] * 2
    accounts = pd.DataFrame({"account_id": ids, "population": "x", "ring": ring})
    rings = pd.DataFrame({"ring": ["R1", "R2"], "single_family": [False, single_family]})
    named = pd.DataFrame({"account_id": ids, "score": 0.5, "cluster": ring, "role": None})
    clusters = pd.DataFrame(
        {"cluster": ["R1", "R2"], "decision": ["ring", decision], "probability": [0.9, 0.9]}
    )
    return score(Findings("x", named, clusters), make_truth(accounts, rings))


@pytest.mark.parametrize(
    ("decision", "single_family", "share"),
    [("ring", True, 1.0), ("review", True, 0.0), ("ring", False, 0.0)],
)
def test_accused_of_one_family_are_counted(decision: str, single_family: bool, share: float) -> None:
    assert LOWER["single_family_accused"](card_of(decision, single_family)) == share


def test_what_moved_is_told_with_what_it_was() -> None:
    first = raised([WORLD], measured(b_cubed_f1=0.5))
    second = raised(first, measured(b_cubed_f1=0.9))
    assert moved(first, second) == (Moved(WORLD.scenario, "b_cubed_f1", 0.42, 0.82),)
    assert moved(first, first) == ()
    assert {m.old for m in moved([WORLD], first)} == {None}


def test_floors_are_read_as_they_were_written(tmp_path: Path) -> None:
    worlds = raised([WORLD], measured())
    write_floors(worlds, tmp_path / "gate.json")
    assert read_floors(tmp_path / "gate.json") == worlds


@pytest.mark.parametrize("text", ["", "{}", '[{"scenario": "x"}]', "[1]"])
def test_what_holds_no_floors_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.json").write_text(text)
    with pytest.raises(InputError, match=r"gate\.json"):
        read_floors(tmp_path / "gate.json")


def test_a_world_that_gives_itself_away_is_told(tmp_path: Path) -> None:
    """Every ring account has a plan of its own; before that, no column and no trees find it."""
    made = make_world(tmp_path / "world", WorldRequest("gate-single-family", 0.001, 503, labels=False))
    truth = read_truth(made.truth)
    assert {figure for figure, value, most in hardness(made.input, truth) if value > most} == set()
    path = made.input / "accounts.parquet"
    accounts = pd.read_parquet(path)
    guilty = truth.accounts.loc[truth.accounts["ring"].notna(), "account_id"]
    accounts.loc[accounts["account_id"].isin(guilty), "plan"] = "smurf"
    accounts.to_parquet(path, index=False)
    crossed = {figure for figure, value, most in hardness(made.input, truth) if value > most}
    assert crossed == {"single_column_precision", "boosted_trees_precision"}
