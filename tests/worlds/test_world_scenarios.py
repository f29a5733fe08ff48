"""What is tuned on and what is reported on have nothing in common; figures name their generator."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from ringfence.records import Family
from ringfence.worlds import make
from ringfence.worlds.innocents import INNOCENTS, shares
from ringfence.worlds.rings import REPORTING, RINGS, TUNING
from ringfence.worlds.scenarios import (
    GATE,
    GATE_SEEDS,
    REPORT,
    REPORTING_SEEDS,
    SCENARIOS,
    TUNING_SEEDS,
)

LOOK_ALIKES = {
    "carrier_nat",
    "corporate_nat",
    "university",
    "commercial_vpn",
    "proxy_victim",
    "reseller",
    "seat_reseller",
    "business",
    "framework",
    "public_collection",
    "evaluation",
    "family",
    "agency",
    "power_user",
    "hackathon",
    "prepaid_cards",
    "release_day",
    "partner",
    "academic_distiller",
    "hobby_distiller",
    "self_distiller",
    "internet_cafe",
    "research_lab",
}


def test_types_are_for_one_or_the_other() -> None:
    assert not set(TUNING) & set(REPORTING)
    assert set(RINGS) == set(TUNING) | set(REPORTING)
    looks = [(k.ip, k.device, k.instrument, k.together, k.aged, k.network) for k in RINGS.values()]
    assert all(one != other for one, other in combinations(looks, 2)), "another name is not another type"


def test_scenarios_keep_to_their_types() -> None:
    for name in (*GATE, "tuning"):
        assert set(SCENARIOS[name].ring_types) <= set(TUNING), name
    for name in REPORT:
        assert set(SCENARIOS[name].ring_types) <= set(REPORTING), name
    assert set(SCENARIOS["report-everyday"].ring_types) == set(REPORTING)
    assert set(SCENARIOS["tuning"].ring_types) == set(TUNING)
    assert not set(GATE) & set(REPORT)
    assert all(SCENARIOS[name].name == name for name in SCENARIOS)


def test_seeds_are_for_one_or_the_other() -> None:
    for one, other in combinations((TUNING_SEEDS, GATE_SEEDS, REPORTING_SEEDS), 2):
        assert not set(one) & set(other)


@pytest.mark.parametrize("kinds", [TUNING, REPORTING], ids=["tuning", "reporting"])
def test_each_half_has_types_of_one_family_and_of_several(kinds: dict[str, object]) -> None:
    counts = [len(RINGS[name].families) for name in kinds]
    assert min(counts) == 1
    assert sum(count > 1 for count in counts) >= 4
    families = {family for name in kinds for family in RINGS[name].families}
    assert families == {str(family) for family in Family}


def test_every_look_alike_of_the_design_is_there() -> None:
    assert set(INNOCENTS) >= LOOK_ALIKES | {"background", "proxy_customer"}
    assert not set(INNOCENTS) & set(RINGS)
    assert not any(kind.families for kind in INNOCENTS.values())
    # Who is banned and comes back is no ring for that.
    assert sum(kind.replaced > 0 for kind in INNOCENTS.values()) >= 4


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_shares_of_innocents(factor: float) -> None:
    once, more = shares(1.0), shares(factor)
    assert sum(more.values()) == pytest.approx(1)
    for name in set(INNOCENTS) - {"background"}:
        assert more[name] / more["background"] == pytest.approx(factor * once[name] / once["background"])


def test_the_digest_tells_every_change_of_the_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = SCENARIOS["tuning"]
    before = make.generator_digest(scenario)
    here = Path(make.__file__).parent
    copy = tmp_path / "worlds"
    shutil.copytree(here, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(make, "__file__", str(copy / "make.py"))
    assert make.generator_digest(scenario) == before
    for part in ("kinds.py", "rings.py", "days.py", "attack.py", "words.py", "make.py", "phrases/zh.py"):
        text = (copy / part).read_text(encoding="utf-8")
        (copy / part).write_text(text + "\n", encoding="utf-8")
        assert make.generator_digest(scenario) != before, part
        (copy / part).write_text(text, encoding="utf-8")
    for part in ("score/rings.py", "separable.py"):
        (copy / part).write_text("", encoding="utf-8")
    assert make.generator_digest(scenario) == before, "how worlds are judged makes no other world"


def test_the_digest_tells_scenarios_apart() -> None:
    digests = {make.generator_digest(scenario) for scenario in SCENARIOS.values()}
    assert len(digests) == len(SCENARIOS)
    assert make.generator_digest(replace(SCENARIOS["demo"], known_rings=0.5)) not in digests
