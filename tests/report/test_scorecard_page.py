"""The scorecard page holds the figures, opens, and nothing in the data can act on its reader."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_report_browser import BROWSER, opened

from ringfence.errors import UsageError
from ringfence.report import plots
from ringfence.report.scorecard import render_scorecard
from ringfence.worlds.score import Detection, Findings, Scorecard, make_truth, score
from ringfence.worlds.score.intervals import Share

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Collects tags and text, and checks that tags close in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def card(*, calibrated: bool = True, network: bool = True) -> Scorecard:
    rng = np.random.default_rng(4)
    ring = [f"ring-{n // 6}" if n < 24 else None for n in range(400)]
    accounts = pd.DataFrame(
        {
            "account_id": [f"a{n}" for n in range(400)],
            "population": ["ring" if r else ("cafe", "carrier_nat")[n % 9 > 0] for n, r in enumerate(ring)],
            "ring": ring,
            "label": ["ring" if n < 2 else None for n in range(400)],
            "country": rng.choice(["AA", "BB"], 400),
            "network": ["n1" if network and n % 40 < 3 else None for n in range(400)],
        }
    )  # fmt: skip
    truth = make_truth(accounts)
    home = ["c0"] * 7 + ["c1"] * 4 + [None] * 389
    clusters = pd.DataFrame(
        {"cluster": ["c0", "c1"], "decision": ["ring", "review"], "probability": [0.93, 0.61]}
    )
    if not calibrated:
        clusters["probability"] = np.nan
    scores = np.clip(rng.normal([0.7 if r else 0.2 for r in ring], 0.15), 0, 1)
    said = pd.DataFrame(
        {"account_id": accounts["account_id"], "score": scores, "cluster": home, "role": None}
    )
    said.loc[30, "cluster"] = "c0"
    return score(Findings("ringfence", said, clusters), truth)


@pytest.fixture(scope="module")
def ours() -> Scorecard:
    return card()


DETECTED = Detection(
    pd.DataFrame(
        {
            "ring": ["ring-0", "ring-1"],
            "ring_type": ["relay", "slow"],
            "share_at_review": [0.25, None],
            "share_at_ring": [0.5, None],
            "hours_at_review": [24.0, None],
            "hours_at_ring": [36.0, None],
        }
    )
)


def test_the_page_holds_the_figures(ours: Scorecard) -> None:
    text = Reader(render_scorecard([ours])).text
    assert "2 of 4 planted rings flagged, 1 innocent accused" in text
    assert "1 of 376; 95%: up to 1.5%. Flagged: 1" in text
    assert f"{ours.accounts.ranking.average_precision.value:.2f} (" in text
    assert "sample too small for a claim of 0.1% false positives" in text
    assert "fewer than 381 reported rings" in text
    assert "Ring precision of at least 0.99 100% (21%–100%) no 1 reported rings" in text
    assert "carrier nat" in text
    assert "Inside blended networks" in text
    assert "Largest gap, accused:" in text
    assert "AP at 0.1% AP at 1% AP at 3% AP, unlabelled accounts" in text
    assert f"{ours.accounts.unlabelled.average_precision.value:.2f} (" in text
    assert "Known to reviewers in part 1 1 1" in text
    assert "Unheard of 3 0 1" in text
    assert "B-cubed F1, flagged" in text
    assert "Time to detection" not in text


def test_baselines_stand_beside_ours(ours: Scorecard) -> None:
    page = render_scorecard([ours, replace(ours, detector="shared_identifiers")])
    text = Reader(page).text
    assert "Detectors side by side" in text
    assert text.count("shared identifiers") == 3
    assert page.count('<g class="s1">') == 1


def test_time_to_detection(ours: Scorecard) -> None:
    text = Reader(render_scorecard([ours], DETECTED)).text
    assert "Traffic spent before a flag 62% median ring; worst 100%" in text
    assert "all review 1 of 2 62% 100% never never" in text
    assert "replacements" not in text
    back = pd.DataFrame(
        {"account_id": ["a1", "a2"], "replaces": ["b1", "b2"], "ring": "ring-0", "hours": [7.0, 9.0]}
    )
    text = Reader(render_scorecard([ours], replace(DETECTED, replacements=back))).text
    assert "replacements named review 2 of 2 – – 8 9" in text
    assert "in the end 1 of 2 flagged and 1 of 2 reported as a ring" in text


def test_nothing_calibrated_is_said() -> None:
    text = Reader(render_scorecard([card(calibrated=False)])).text
    assert "None: nothing is calibrated" in text
    assert "Expected calibration error" not in text


def test_without_blended_networks_there_is_no_such_part() -> None:
    assert "Inside blended networks" not in render_scorecard([card(network=False)])


def test_a_world_without_rings_has_a_page() -> None:
    accounts = pd.DataFrame({"account_id": ["x", "y"], "population": "family", "ring": None})
    truth = make_truth(accounts)
    said = pd.DataFrame({"account_id": ["x", "y"], "score": [0.1, 0.2], "cluster": None, "role": None})
    none = pd.DataFrame({"cluster": [], "decision": [], "probability": []}).astype(
        {"cluster": "str", "decision": "str"}
    )
    text = Reader(render_scorecard([score(Findings("ringfence", said, none), truth)])).text
    assert "0 of 0 planted rings flagged, 0 innocents accused" in text
    assert "No ring was planted" in text
    assert "nan" not in text.lower().split()


def test_every_picture_has_a_title_and_nothing_comes_from_outside(ours: Scorecard) -> None:
    page = render_scorecard([ours], DETECTED)
    pictures = re.findall(r'<svg[^>]*role="img"[^>]*>\s*<title', page)
    assert len(pictures) == page.count('role="img"') > 8
    reader = Reader(page)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in reader.tags}
    assert all((a.get("href") or "#").startswith("#") for tag, a in reader.tags if tag == "a")
    assert "prefers-color-scheme: dark" in page


def test_hostile_names_stay_inert(ours: Scorecard) -> None:
    attack = "<img src=x onerror=alert(1)>\u202e"
    outcomes = (replace(ours.outcomes[0], ring=attack, ring_type=attack), *ours.outcomes[1:])
    groups = (replace(ours.populations[0], name=attack), *ours.populations[1:])
    page = render_scorecard([replace(ours, detector=attack, outcomes=outcomes, populations=groups)])
    assert "<img" not in page
    assert "\u202e" not in page


def test_missed_rings_come_first_and_the_rest_is_said(ours: Scorecard) -> None:
    many = tuple(replace(ours.outcomes[0], ring=f"many-{n}") for n in range(230))
    text = Reader(render_scorecard([replace(ours, outcomes=many)])).text
    assert "Planted rings one by one (200 of 230)" in text
    page = render_scorecard([ours])
    assert page.index("ring-3</bdi>") < page.index("ring-0</bdi>")


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on the path: install it to run this test")
def test_a_browser_opens_it(ours: Scorecard, tmp_path: Path) -> None:
    document = opened(render_scorecard([ours], DETECTED), tmp_path)
    assert "2 of 4 planted rings flagged, 1 innocent accused" in document
    assert document.count('class="curve"') >= 3


def test_worlds_must_be_the_same(ours: Scorecard) -> None:
    with pytest.raises(UsageError, match="different worlds"):
        render_scorecard([ours, replace(ours, worlds=("another",))])
    with pytest.raises(UsageError, match="at least one"):
        render_scorecard([])


def test_the_page_is_the_same_for_the_same_figures(ours: Scorecard) -> None:
    assert render_scorecard([ours], DETECTED) == render_scorecard([ours], DETECTED)


def test_places_on_the_logarithmic_line() -> None:
    shares = (0.0, 5e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    places = [plots.place(value, logarithmic=True) for value in shares]
    assert places == sorted(places)
    gaps = np.diff(places[2:])
    assert gaps == pytest.approx([gaps[0]] * 4, abs=0.2)
    assert (places[0], places[-1]) == (8, plots.SPAN - 8)
    assert plots.place(0.5) == plots.SPAN / 2


def test_whiskers_hold_the_share() -> None:
    whisker = plots.whisker(Share(3, 40))
    assert whisker is not None
    assert whisker.low < whisker.at < whisker.high
    assert "3 of 40" in whisker.title
    assert plots.whisker(Share(0, 0)) is None


def test_detection_steps_end_where_the_last_ring_was_found() -> None:
    flagged = plots.detection_plot(DETECTED).series[0].path
    x, y = flagged.split("L")[-1].split()
    assert float(x) == plots.RIGHT
    assert float(y) == pytest.approx((plots.TOP + plots.BOTTOM) / 2)
