"""Named worlds: which rings hide among whom, and which of them figures may be tuned or reported on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.worlds import rings

INNOCENT_ACCOUNTS = 2_000_000
RING_ACCOUNTS = 24_000
"""Of the published campaigns, at scale 1."""
TUNING_SEEDS = range(1, 500)
GATE_SEEDS = (501, 502, 503)
REPORTING_SEEDS = range(1000, 2000)
"""Worlds of these seeds and of a reporting scenario are for reporting alone."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One planted ring of a given size."""

    type: str
    accounts: int
    requests: int
    """Sent by its accounts in all, at scale 1."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named world."""

    name: str
    purpose: str
    """One sentence for ``ringfence worlds list``."""
    ring_types: tuple[str, ...]
    """Types that are planted in turn until the share of ring accounts is reached."""
    campaigns: tuple[Campaign, ...] = ()
    """Rings of given sizes at scale 1, in place of rings drawn by type."""
    prevalence: float = 0.01
    """Share of ring accounts among all."""
    lookalikes: float = 1.0
    """Factor on all innocent populations but the background."""
    innocent_requests: float = 12.0
    """Mean requests of an innocent account."""
    ring_requests: float = 60.0
    """Mean requests of a ring account, where there are no campaigns."""
    customer_requests: float = 0.0
    """Requests at scale 1 that unrelated customers send through proxy networks; 0: as everybody."""
    known_rings: float = 0.6
    """Share of the rings of which reviewers know some accounts."""
    largest_share: float = 0.12
    """The most that one drawn ring may have of all ring accounts."""


_PUBLISHED = (
    Campaign("blended", 20_000, 13_000_000),
    Campaign("residential_rotation", 3_500, 3_400_000),
    Campaign("hosting", 500, 150_000),
)

SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "published",
            "The three published campaigns: 24,000 ring accounts and 16 million exchanges at scale 1.",
            tuple(campaign.type for campaign in _PUBLISHED),
            _PUBLISHED,
            RING_ACCOUNTS / (RING_ACCOUNTS + INNOCENT_ACCOUNTS),
            customer_requests=13_000_000,
        ),
        Scenario(
            "demo",
            "Six rings of two types that an afternoon's reading can follow.",
            ("residential_rotation", "hosting"),
            tuple(Campaign("residential_rotation", size, size * 75) for size in (64, 44, 32))
            + tuple(Campaign("hosting", size, size * 75) for size in (45, 35, 25)),
            245 / 5000,
            innocent_requests=22.0,
            known_rings=1.0,
        ),
        Scenario("tuning", "Every ring type that may be tuned on.", tuple(rings.TUNING)),
        Scenario(
            "gate-everyday",
            "Small, for the gate: rings of tuning types.",
            tuple(rings.TUNING),
            prevalence=0.04,
        ),
        Scenario(
            "gate-lookalikes",
            "Small, for the gate: three times as many look-alikes.",
            ("residential_rotation", "hosting", "regrown", "mixed_accounts"),
            prevalence=0.04,
            lookalikes=3.0,
        ),
        Scenario(
            "gate-single-family",
            "Small, for the gate: rings that show in one family, and may not be accused.",
            ("cards_only", "timing_only", "residential_rotation"),
            prevalence=0.04,
        ),
        Scenario(
            "report-everyday",
            "For reporting: all reporting types among everyday innocents.",
            tuple(rings.REPORTING),
        ),
        Scenario(
            "report-lookalikes",
            "For reporting: all reporting types, three times as many look-alikes.",
            tuple(rings.REPORTING),
            lookalikes=3.0,
        ),
        Scenario(
            "report-rare",
            "For reporting: the types that show in two families or more, 0.3 % of accounts.",
            tuple(name for name, kind in rings.REPORTING.items() if len(kind.families) > 1),
            prevalence=0.003,
            largest_share=0.3,
        ),
    )
}
"""Every scenario by name."""

GATE = ("gate-everyday", "gate-lookalikes", "gate-single-family")
REPORT = ("report-everyday", "report-lookalikes", "report-rare")
