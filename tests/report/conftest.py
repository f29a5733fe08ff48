"""A small run to report on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from report_samples import make_data, make_ring

from ringfence.records import Action, Decision
from ringfence.report import ReportData


@pytest.fixture
def data() -> ReportData:
    rings = [
        make_ring(1, [f"acct_a{n:03}" for n in range(70)]),
        make_ring(2, [f"acct_b{n:03}" for n in range(8)], Decision.REVIEW),
        make_ring(3, [f"acct_c{n:03}" for n in range(4)], Decision.BENIGN, recommended_action=Action.NONE),
    ]
    return make_data(rings)


@pytest.fixture
def many() -> Callable[[int], ReportData]:
    def build(count: int) -> ReportData:
        return make_data([make_ring(n, [f"acct_{n}_{m}" for m in range(3)]) for n in range(count)])

    return build
