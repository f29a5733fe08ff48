"""What views and signals say of pairs → links, against a recount of every family."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.config import LinkSettings
from ringfence.graphbuild.linkage.links import LINK_COLUMNS, brought_pairs, links
from ringfence.graphbuild.linkage.views import VIEWS, View
from ringfence.schema import LINK_FAMILIES

FAMILIES = [str(family) for family in LINK_FAMILIES]
Said = list[tuple[int, View, float, int, int]]
"""The other account, the view, nats, led, followed."""

_WORDS = pa.schema(
    [
        *((name, pa.int64()) for name in ("account_a", "account_b")),
        *((name, pa.string()) for name in ("view", "family")),
        ("weak", pa.bool_()),
        ("weight", pa.float64()),
        *((name, pa.int64()) for name in ("led", "followed")),
    ]
)
_SIGNALS = pa.schema(
    [
        *((name, pa.int64()) for name in ("account_a", "account_b")),
        *((name, pa.string()) for name in ("family", "signal")),
        ("weight", pa.float64()),
    ]
)


def _brought(engine: Any, said: Said, asked: LinkSettings) -> pd.DataFrame:
    return engine.to_pyarrow(brought_pairs(_said(said), asked)).to_pandas().set_index("account_b")


def _said(said: Said) -> Any:
    rows = [(0, b, v.name, str(v.family), v.weak, weight, led, after) for b, v, weight, led, after in said]
    return ibis.memtable(_table(rows, _WORDS))


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


def _nats() -> st.SearchStrategy[float]:
    return st.integers(1, 15_000_000).map(lambda millionths: millionths / 1e6)


def _views() -> st.SearchStrategy[Said]:
    count = st.integers(0, 2)
    row = st.tuples(st.integers(1, 5), st.sampled_from(VIEWS), _nats(), count, count)
    return st.lists(row, max_size=30, unique_by=lambda said: (said[0], said[1].name))


@settings(max_examples=10)
@given(_views(), st.sampled_from([4.0, 10.0, 1e9]))
def test_pairs_equal_a_recount_of_their_families(engine: Any, said: Said, one_sided: float) -> None:
    asked = LinkSettings(one_sided_cap=one_sided, family_cap={"network": 4.5, "content": 8.0})
    by_pair: dict[int, Said] = defaultdict(list)
    for row in said:
        by_pair[row[0]].append(row)

    found = _brought(engine, said, asked)

    assert set(found.index) <= set(by_pair)
    for other, rows in by_pair.items():
        caps = {family: asked.cap(family) for family in FAMILIES}
        families = {
            family: min(max([w for _, v, w, *_ in rows if v.family == family], default=0.0), caps[family])
            for family in FAMILIES
        }
        strong = sum(
            min(max([w for _, v, w, *_ in rows if v.family == f and not v.weak], default=0.0), caps[f])
            for f in FAMILIES
        )
        led, followed = (sum(row[place] for row in rows) for place in (3, 4))
        total = sum(families.values())
        part = 1.0
        if 0 in (led, followed) and total > one_sided:
            part = one_sided / total
        expected = {family: weight * part for family, weight in families.items()}
        if other not in found.index:
            assert total * part < asked.least_candidate + 1e-5
            continue
        row = found.loc[other]
        assert row[FAMILIES].sum() >= asked.least_candidate - 1e-9
        assert row[FAMILIES].to_dict() == pytest.approx(expected, abs=1e-6)
        assert row["shared"] == pytest.approx(strong * part, abs=1e-6)
        assert (row["led"], row["followed"]) == (led, followed)


VIEW = {view.name: view for view in VIEWS}


def test_views_of_one_family_see_the_same_fact(engine: Any) -> None:
    said: Said = [(1, VIEW["ip"], 4.0, 1, 1), (1, VIEW["subnet"], 1.5, 0, 0), (1, VIEW["asn"], 1.2, 0, 0)]
    assert _brought(engine, said, LinkSettings()).loc[1, "network"] == 4.0


def test_who_was_followed_around_is_linked_up_to_a_cap_and_no_further(engine: Any) -> None:
    for led, followed, total in ((3, 0, 10.0), (0, 3, 10.0), (0, 0, 10.0), (2, 1, 24.0)):
        said: Said = [(1, VIEW["device"], 12.0, led, followed), (1, VIEW["instrument"], 12.0, 0, 0)]
        row = _brought(engine, said, LinkSettings()).loc[1]
        assert row[FAMILIES].sum() == pytest.approx(total, abs=1e-6)
        assert row["device"] == row["payment"]


Signals = list[tuple[int, str, str, float]]
"""The other account, family, signal, nats."""


def _links(
    engine: Any, said: Said, told: Signals, significant: float = 5.0, asked: LinkSettings | None = None
) -> pd.DataFrame:
    asked = asked or LinkSettings()
    signals = ibis.memtable(_table([(0, *row) for row in told], _SIGNALS))
    found = links(brought_pairs(_said(said), asked), signals, significant, asked)
    assert tuple(found.columns) == LINK_COLUMNS
    return engine.to_pyarrow(found).to_pandas().set_index("account_b")


def test_signals_add_to_their_family_a_little_beyond_its_cap(engine: Any) -> None:
    said: Said = [(1, VIEW["device"], 11.8, 1, 1), (2, VIEW["device"], 7.0, 1, 1)]
    told: Signals = [
        (1, "device", "indicator", 3.0),
        (1, "timing", "hours", 1.0),
        (1, "timing", "minutes", 1.5),
        (2, "lifecycle", "replacement", 4.0),
        (2, "lifecycle", "signup", 1.0),
        (3, "timing", "hours", 12.0),
    ]
    found = _links(engine, said, told)
    assert set(found.index) == {1, 2}
    assert found.loc[1, ["device", "timing", "weight"]].tolist() == [13.0, 2.5, 15.5]
    assert found.loc[2, ["lifecycle", "replacement", "weight"]].tolist() == [5.0, 4.0, 12.0]
    assert found.loc[1, "replacement"] == 0


def test_a_pair_at_the_least_weight_is_a_link(engine: Any) -> None:
    least = LinkSettings().least_weight
    said: Said = [(1, VIEW["device"], least, 1, 1), (2, VIEW["device"], least - 1e-6, 1, 1)]
    assert set(_links(engine, said, []).index) == {1}
    # Signals may carry a pair over the line.
    assert set(_links(engine, said, [(2, "timing", "hours", 0.1)]).index) == {1, 2}


def test_only_what_is_shared_and_rare_makes_a_pair_significant(engine: Any) -> None:
    """Neither signals nor values of half a country: the null knows nothing of them."""
    said: Said = [
        (1, VIEW["device"], 8.0, 1, 1),
        (2, VIEW["device"], 7.0, 1, 1),
        (3, VIEW["device"], 7.0, 1, 1),
        (3, VIEW["bin"], 1.5, 0, 0),
    ]
    found = _links(engine, said, [(2, "timing", "hours", 9.0)], significant=8.0)
    assert found["significant"].to_dict() == {1: True, 2: False, 3: False}
    assert not _links(engine, said, [], significant=float("inf"))["significant"].any()
