"""The report says what was decided, and nothing in the data can act on its reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import make_data, make_ring

from ringfence.records import Decision, Evidence, Family, FileAccount, Member, Role
from ringfence.report import ReportData, render_report
from ringfence.report.view import build_page

VOID = {"meta", "br"}


class Outline(HTMLParser):
    """Collects tags, attributes and the text of a page, and checks that tags close in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
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
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_first_line_says_what_was_found(data: ReportData) -> None:
    text = Outline(render_report(data)).text
    assert "1 ring found, 70 accounts" in text
    assert "Activity from 2 Mar 2026 to 11 Mar 2026. 1,210 rows read from 1 file." in text


def test_every_ring_is_told_in_full(data: ReportData) -> None:
    text = Outline(render_report(data)).text
    assert "R-0000000001 Ring" in text
    assert "Recommended: Suspend core and member accounts; leave bystanders alone." in text
    assert "They paid with one card." in text
    assert "9.0 nats a pair 80% of accounts" in text
    assert "Payment instruments: pi_1" in text
    assert "Addresses: 21.0.0.1 , 21.0.0.2" in text
    assert "R-0000000002 Review" in text


def test_heavier_evidence_comes_first(data: ReportData) -> None:
    page = render_report(data)
    assert page.index("They paid with one card.") < page.index("They meet on 3 addresses.")


def test_first_fifty_members_are_listed_and_the_rest_is_said(data: ReportData) -> None:
    page = render_report(data)
    text = Outline(page).text
    assert "Members (first 50 of 70)" in text
    assert "20 accounts more in rings.jsonl" in text
    assert len(re.findall(r'<th scope="row"><bdi class="id">acct_a', page)) == 50
    assert "Members (8)" in text


def test_benign_communities_are_lines_only(data: ReportData) -> None:
    page = render_report(data)
    assert page.count('<article class="case"') == 2
    assert "R-0000000003" in page
    assert "acct_c000" not in page


def test_bystanders_are_not_counted_as_accused() -> None:
    members = (Member("a", 0.9, Role.CORE), Member("b", 0.9, Role.MEMBER), Member("c", 0.1, Role.BYSTANDER))
    text = Outline(render_report(make_data([make_ring(1, ["a", "b", "c"], members=members)]))).text
    assert "1 ring found, 2 accounts" in text
    assert "1 bystander: unrelated customers" in text


def test_without_calibration_the_page_warns(data: ReportData) -> None:
    rings = [replace(r, probability=None, decision=Decision.REVIEW) for r in data.rings]
    scoring = {"method": "evidence", "calibrated": False, "reason": "There are no labels."}
    page = render_report(replace(data, rings=rings, manifest={"scoring": scoring}))
    text = Outline(page).text
    assert "Not calibrated. Decided by the weight of the evidence alone." in text
    assert "There are no labels." in text
    assert "No ring decided, 3 communities to review" in text
    assert 'class="note warn"' in page


def test_calibration_is_taken_from_the_rings_where_the_manifest_is_silent(data: ReportData) -> None:
    assert build_page(replace(data, manifest={})).method.calibrated
    silent = [replace(r, probability=None) for r in data.rings]
    assert not build_page(replace(data, rings=silent, manifest={})).method.calibrated


def test_rings_past_the_fiftieth_have_no_picture(many: Callable[[int], ReportData]) -> None:
    page = render_report(many(53))
    assert page.count('class="map"') == 50
    assert "3 communities past the first 50" in Outline(page).text
    assert "R-0000000034" in page


def test_benign_communities_past_the_hundredth_are_counted() -> None:
    rings = [make_ring(n, [f"a{n}"], Decision.BENIGN) for n in range(104)]
    text = Outline(render_report(make_data(rings))).text
    assert "The first 100; 4 more in rings.jsonl." in text
    assert "No ring found" in text


def test_the_days_of_all_that_was_judged_are_told_where_they_are_known(data: ReportData) -> None:
    told = build_page(replace(data, active=(date(2026, 2, 1), date(2026, 4, 1))))
    assert (told.first, told.last) == (date(2026, 2, 1), date(2026, 4, 1))
    assert build_page(data).first == min(data.activity["day"])


def test_nothing_found_and_nothing_read() -> None:
    empty = make_data([], files=[], manifest={})
    text = Outline(render_report(empty)).text
    assert "No ring found" in text
    assert "No dated activity" in text
    assert "No file is on record." in text


def test_rows_are_accounted_for(data: ReportData) -> None:
    files = [*data.files, FileAccount("logins.csv", "logins", 10, 8, 1, 0)]
    text = Outline(render_report(replace(data, files=files))).text
    assert "requests.parquet requests 1,210 1,200 7 3" in text
    assert "does not balance" in text
    assert "Total 1,220 1,208 8 3" in text


def test_settings_are_listed_without_what_differs_from_run_to_run(data: ReportData) -> None:
    text = Outline(render_report(data)).text
    assert "settings.links.degree_cap.ip 64" in text
    assert "seed 7" in text
    assert "3.25" not in text
    slower = {**data.manifest, "stages": [{"name": "load", "seconds": 99.0}]}
    assert render_report(replace(data, manifest=slower)) == render_report(data)


def test_models_are_compared_on_the_page(data: ReportData) -> None:
    rows = [{"name": "GNN", "roc_auc": 0.98765, "folds": 5}, {"name": "trees", "roc_auc": 0.9, "folds": 5}]
    manifest = {"scoring": {"method": "gnn", "calibrated": True, "comparison": rows}}
    text = Outline(render_report(replace(data, manifest=manifest))).text
    assert "name roc auc folds GNN 0.988 5 trees 0.900 5" in text


def test_same_data_same_page(data: ReportData) -> None:
    shuffled = replace(data, sightings=data.sightings.sample(frac=1, random_state=3), links=data.links[::-1])
    assert render_report(data) == render_report(shuffled)


def test_the_page_is_well_formed_and_asks_nothing_of_anyone(data: ReportData) -> None:
    page = render_report(data)
    outline = Outline(page)
    assert outline.open == []
    policy = next(
        m["content"] for m in outline.all("meta") if m.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "script-src" not in policy, "default-src forbids them"
    assert {tag for tag, _ in outline.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "form"})
    assert not re.search(r"https?:|url\(|@import", page)
    links = [a["href"] for a in outline.all("a")]
    targets = {attributes.get("id") for _, attributes in outline.tags}
    assert all(link and link.startswith("#") and link[1:] in targets for link in links)


def test_the_page_can_be_read_without_seeing_it(data: ReportData) -> None:
    outline = Outline(render_report(data))
    names = {attributes.get("id") for _, attributes in outline.tags}
    pictures = [svg for svg in outline.all("svg") if svg.get("aria-hidden") != "true"]
    assert len(pictures) == 4
    assert all(svg["role"] == "img" and svg["aria-labelledby"] in names for svg in pictures)
    assert len(outline.all("caption")) == len(outline.all("table"))
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [a["id"] for _, a in outline.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert outline.all("html") == [{"lang": "en"}]


HOSTILE = st.text(min_size=1, max_size=40) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "\"'><svg onload=alert(1)>",
        "a\u202eb\u2066c",
        "{{ 7*7 }}",
        "</title>",
        "\x00\n\x9f",
    ]
)


@given(account=HOSTILE, entity=HOSTILE, statement=HOSTILE, ring_id=HOSTILE)
@settings(max_examples=60, deadline=None)
def test_hostile_text_stays_text(account: str, entity: str, statement: str, ring_id: str) -> None:
    """Whatever the data says, the page has the very tags of a harmless one, and shows no unseen character."""
    page = render_report(_one_ring(account, entity, statement, ring_id))
    assert _shape(page) == _harmless()
    assert not re.search("[\u0000-\u0008\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", page)
    page.encode("utf-8")


def _shape(page: str) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attributes)) for tag, attributes in Outline(page).tags]


@cache
def _harmless() -> list[tuple[str, list[str]]]:
    return _shape(render_report(_one_ring("account", "entity", "statement", "ring")))


def _one_ring(account: str, entity: str, statement: str, ring_id: str) -> ReportData:
    # A leading word keeps the hostile account from being the name of one of the others.
    accounts = [f"x{account}", "b", "c"]
    said = (Evidence(Family.DEVICE, statement, 5.0, 1.0, (f"device:{entity}",)),)
    data = make_data([make_ring(1, accounts, ring_id=ring_id, evidence=said)])
    return replace(data, sightings=data.sightings.assign(entity_type="device", entity_id=entity))


@pytest.mark.parametrize("entity", ["", "no-colon", "unknown:thing", "ip:", ":"])
def test_entities_of_any_shape_are_shown(entity: str) -> None:
    said = (Evidence(Family.DEVICE, "Shared.", 5.0, 1.0, (entity,)),)
    Outline(render_report(make_data([make_ring(1, ["a", "b"], evidence=said)])))
