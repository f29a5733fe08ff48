"""``ringfence why`` on a finished run, as a person asks it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from commands import Demo, ringfence
from typer.testing import CliRunner

from ringfence.cli import app
from ringfence.cli.why import FOLDER, ring_ids
from ringfence.errors import OutputError, UsageError
from ringfence.pipeline.finished import read_rings


@pytest.fixture
def asked(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """Name the run once for all commands."""
    monkeypatch.setenv(FOLDER, str(demo.out))
    return demo


def told(*names: str) -> dict:
    result = CliRunner().invoke(app, ["why", *names, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_steps_sum_to_the_weight_of_the_link(asked: Demo) -> None:
    links = pd.read_parquet(asked.out / "links.parquet")
    for link in links.sort_values("weight").iloc[[0, len(links) // 2, -1]].to_dict("records"):
        found = told(link["account_b"], link["account_a"])

        assert found["linked"]
        assert round(sum(step["nats"] for step in found["steps"]), 6) == link["weight"] == found["weight"]
        assert {step["what"] for step in found["steps"]}.isdisjoint({"rest"})


def test_a_ring_stands_on_what_its_links_weigh(asked: Demo) -> None:
    ring = read_rings(asked.out)[0]
    members = [member.account_id for member in ring.members]
    links = pd.read_parquet(asked.out / "links.parquet")
    inside = links[links["account_a"].isin(members) & links["account_b"].isin(members)]

    found = told(ring.ring_id)
    assert found["links"] == len(inside)
    assert found["weight"] == pytest.approx(inside["weight"].sum(), abs=1e-5)
    assert sum(found["families"].values()) == pytest.approx(found["weight"], abs=1e-3)
    assert found["stands"]
    assert found["needed_families"]


def test_people_see_bars_and_a_sum(asked: Demo) -> None:
    links = pd.read_parquet(asked.out / "links.parquet")
    top = links.sort_values("weight").iloc[-1]

    said = ringfence("why", top["account_a"], top["account_b"]).stdout
    assert f"{top['weight']:.6f}" in said
    assert "█" in said
    ring = read_rings(asked.out)[0]
    said = ringfence("why", ring.ring_id).stdout
    assert "Values that carry most" in said
    assert "Without what it would not stand" in said


def test_accounts_that_are_not_linked_are_told_how_they_hang_together(asked: Demo) -> None:
    rings = read_rings(asked.out)
    one, other = rings[0].members[0].account_id, rings[1].members[0].account_id

    found = told(one, other)
    assert not found["linked"]
    assert found["weight"] < 6.0
    for hops in (found["by_links"], found["by_values"]):
        ends = [(hop["account_a"], hop["account_b"]) for hop in hops]
        assert not ends or (ends[0][0] == one and ends[-1][1] == other)


def test_wrong_names_get_near_ones(asked: Demo, tmp_path: Path) -> None:
    ring = read_rings(asked.out)[0]
    one, other = (member.account_id for member in ring.members[:2])
    runner = CliRunner()
    for names, wanted in (
        ((one[:-1], other), one),
        ((ring.ring_id[:-1],), ring.ring_id),
        ((one,), f"is an account, of {ring.ring_id}"),
        ((one, one), "named twice"),
        ((one, other, one), "3 names"),
    ):
        with pytest.raises(UsageError, match=wanted):
            runner.invoke(app, ["why", *names], catch_exceptions=False)
    with pytest.raises(OutputError, match="holds no finished run"):
        runner.invoke(app, ["why", one, other, "--out", str(tmp_path)], catch_exceptions=False)


def test_a_shell_proposes_rings(asked: Demo) -> None:
    first = read_rings(asked.out)[0].ring_id

    assert first in [name for name, _ in ring_ids(first[:4])]
    assert ring_ids("nothing-like-it") == []


def test_the_report_shows_what_links_rest_on(asked: Demo) -> None:
    page = (asked.out / "report.html").read_text()

    assert "What its links rest on" in page
    assert "Values that carry most of it" in page
