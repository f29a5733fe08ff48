"""What rings send: wording with its slots marked, and nothing that a browser would take for code."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pandas as pd
import pytest
from report_samples import make_data, make_ring

from ringfence.records import Evidence, Family
from ringfence.report import ReportData, render_report
from ringfence.report.view import LISTED_TEMPLATES, LONGEST_WORDING

ACCOUNTS = [f"acct_{n}" for n in range(6)]


def data(skeleton: str | None, count: int = 1, **changes: object) -> ReportData:
    names = [f"t-{n:03}" for n in range(count)]
    content = Evidence(Family.CONTENT, "They sent one.", 5.0, 1.0, tuple(f"template:{n}" for n in names))
    ring = make_ring(1, ACCOUNTS)
    made = make_data([replace(ring, evidence=(*ring.evidence, content), tactics=("rubric_grading",))])
    told = {"template_id": names, "skeleton": skeleton, "public": False}
    templates = pd.DataFrame(told).assign(tactics=[{"rubric_grading": 0.9}] * count, **changes)
    sent = pd.DataFrame(
        [(account, "template", names[0], 4) for account in ACCOUNTS[:5]], columns=made.sightings.columns
    )
    return replace(made, templates=templates, sightings=pd.concat([made.sightings, sent]))


def quotes(page: str) -> list[str]:
    """What stands in the page's quotations, as a reader sees it."""
    found = re.findall(r"<blockquote>(.*?)</blockquote>", page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", quote)) for quote in found]


def test_wording_is_shown_with_its_slots_its_senders_and_its_tactics() -> None:
    page = render_report(data("Grade ▢ from one to ten.\nSay why ▢"))
    assert quotes(page) == ["Grade ▢ from one to ten.\nSay why ▢"]
    assert page.count('class="slot"') == 2
    assert "sent by 5 members; rubric grading" in page
    assert "<strong>Tactics:</strong> rubric grading." in page
    assert "public prompt" not in page


def test_a_public_prompt_is_said_to_be_weak_evidence() -> None:
    assert "a public prompt, and so weak evidence" in render_report(
        data("Please act as a judge", public=True)
    )


def test_wording_that_may_not_be_told_is_not_there() -> None:
    page = render_report(data(None))
    assert quotes(page) == []
    assert "What they send" not in page
    assert "t-000" in page, "the evidence still names it"


@pytest.mark.parametrize("wording", ["<script>alert(1)</script> ▢", "</blockquote><img src=x> ▢", '"▢&amp;'])
def test_hostile_wording_stays_text(wording: str) -> None:
    page = render_report(data(wording))
    assert quotes(page) == [wording]
    assert "<script" not in page
    assert "<img" not in page


def test_long_wording_and_many_templates_are_cut() -> None:
    page = render_report(data("word " * 400, count=LISTED_TEMPLATES + 3))
    assert len(quotes(page)) == LISTED_TEMPLATES
    assert all(len(quote) <= LONGEST_WORDING + 2 for quote in quotes(page))


def test_unseen_characters_in_wording_are_spelt_out() -> None:
    assert quotes(render_report(data("a\u202eb ▢"))) == ["a‹U+202E›b ▢"]
