"""The report shows what a ring's links rest on: family by family, and the values that carry most."""

from __future__ import annotations

import pandas as pd
from report_samples import make_data, make_ring

from ringfence.report import render_report
from ringfence.report.evidence import CARRIED_COLUMNS, carried_evidence
from ringfence.schema import LINK_FAMILIES

FAMILIES = [str(family) for family in LINK_FAMILIES]


def made_links(members: list[str]) -> pd.DataFrame:
    rows = [
        {
            "account_a": members[0],
            "account_b": other,
            **dict.fromkeys(FAMILIES, 0.0),
            "payment": 6.0,
            "device": 2.0,
        }
        for other in members[1:]
    ]
    return pd.DataFrame(rows).assign(weight=8.0)


def made_values(ring_id: str, count: int) -> pd.DataFrame:
    rows = [
        (ring_id, "instrument", f"pi_<{n}>\u202e", 5 + n, "public" if n else None, 3, 20.0 - n)
        for n in range(count)
    ]
    return pd.DataFrame(rows, columns=list(CARRIED_COLUMNS))


def test_families_add_up_to_the_weight_of_the_links() -> None:
    members = [f"acct_{n}" for n in range(4)]
    links = pd.concat([made_links(members), made_links([members[0], "stranger"])])

    found = carried_evidence(members, links, made_values("R-1", 10))
    assert found is not None
    assert found.links == 3
    assert found.weight == 24.0 == sum(bar.nats for bar in found.families)
    assert [(bar.name, bar.start, bar.width) for bar in found.families] == [
        ("payment", 0, 75),
        ("device", 75, 25),
    ]
    assert [one.width for one in found.values][:2] == [100.0, 95.0]
    assert (len(found.values), found.values_left) == (8, 2)


def test_what_is_not_told_is_not_shown() -> None:
    members = [f"acct_{n}" for n in range(4)]
    links = made_links(members)

    assert (
        carried_evidence(members, links[["account_a", "account_b", "weight"]], made_values("R-1", 0)) is None
    )
    assert carried_evidence(members, links.head(0), made_values("R-1", 0)) is None


def test_the_page_shows_it_and_takes_values_for_hostile() -> None:
    members = [f"acct_{n}" for n in range(4)]
    ring = make_ring(1, members)

    page = render_report(make_data([ring], links=made_links(members), carried=made_values(ring.ring_id, 9)))
    assert "What its links rest on" in page
    assert "3 links inside the ring, 24.0 nats in all" in page
    assert "pi_&lt;0&gt;‹U+202E›" in page
    assert "pi_<0>" not in page
    assert "1 value more with" in page
    assert "What its links rest on" not in render_report(make_data([ring]))
