"""What a user asks of a run, and what the program makes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

DEFAULT_SEED = 20260201


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How sightings become links and links become communities. Log-odds are natural logarithms (nats)."""

    degree_cap: dict[str, int] = field(
        default_factory=lambda: {"ip": 64, "instrument": 64, "device": 64, "template": 256}
    )
    """View → the most accounts a value may have and still make a pair of every two; larger ones are hubs."""
    most_pairs: int = 10_000_000
    """The most pairs that values of one view may make; above it the caps sink until they fit."""
    hub_signatures: int = 8
    """Draws by which accounts that share hubs are sorted."""
    signature_length: int = 2
    """Hubs that two accounts must both have drawn to come next to each other."""
    hub_neighbours: int = 4
    """Accounts behind it in each draw that an account is paired with."""
    agreement: dict[str, float] = field(
        default_factory=lambda: {
            "ip": 0.2,
            "instrument": 0.5,
            "device": 0.3,
            "template": 0.15,
            "subnet": 0.2,
            "asn": 0.3,
            "bin": 0.3,
        }
    )
    """View → m: probability that two accounts of one operator share a given value one of them has."""
    scale: dict[str, float] = field(default_factory=lambda: {"template": 0.6})
    """View → factor on what it says; below 1 where values come together, as wordings of one template do."""
    kind_discount: dict[str, float] = field(
        default_factory=lambda: {
            "mobile": 0.15,
            "education": 0.25,
            "vpn": 0.25,
            "tor": 0.25,
            "business": 0.5,
            "hosting": 0.75,
            "public": 0.1,
        }
    )
    """Kind of address range, or ``public`` prompt → factor on the weight of sharing it; 1 where unknown."""
    family_cap: dict[str, float] = field(default_factory=lambda: {"network": 4.5, "lifecycle": 6.0})
    """Family → the most that what is shared of it adds to a pair; 12 where not named. That of the network
    lies below ``least_weight``: customers of one proxy network share many addresses and nothing else."""
    weak_cap: float = 0.9
    """The most that a view adds whose values half a country shares: with what indicators may add, less than
    makes a family count."""
    signal_cap: float = 1.0
    """How far signals about a pair may go beyond the cap of its family."""
    one_sided_cap: float = 10.0
    """The most that all shared values together add if one account came first to each of them: an operator can
    follow anybody around."""
    least_candidate: float = 3.0
    """Nats that shared values must bring before timing and lifecycle of a pair are looked at."""
    least_weight: float = 4.6
    """A pair below this weight is no link."""
    false_link_rate: float = 0.05
    """The most that the expected share of chance links among the significant ones may be."""
    null_accounts: int = 50_000
    """What chance links is counted on the pairs of so many accounts, drawn from all."""
    without: tuple[str, ...] = ()
    """Families that are left out, to see what each is worth."""
    least_family_weight: float = 2.0
    """A family links a pair only from this weight on: an address of thousands corroborates nothing."""
    resolution: float = 0.6
    """CPM resolution γ: a community's mean weight per pair stays above it."""
    least_size: int = 3
    """The smallest community that is judged."""

    def cap(self, family: str) -> float:
        """Return the most that what is shared of a family adds to a pair, in nats."""
        return self.family_cap.get(family, 12.0)

    def scaled(self, view: str) -> float:
        """Return the factor on what a view says."""
        return self.scale.get(view, 1.0)


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """When a community is a ring, and when it is worth a person's time."""

    ring_probability: float = 0.9
    review_probability: float = 0.5
    least_families: int = 2
    """A ring needs this many evidence families; with fewer it is at most ``review``."""
    family_coverage: float = 0.5
    """A family counts when at least this share of the members has a link of it."""
    review_size: int = 10
    """Active members from which a community is worth a look where nothing is calibrated."""
    evidence_scale: float = 6.0
    """Mean link weight (nats) at which the uncalibrated score of an account reaches 1 - 1/e."""
    least_ring_size: int = 5
    significant_share: float = 0.5
    """A ring needs so large a share of active members with a link that chance would hardly make."""
    least_labelled_rings: int = 2
    """Without labelled accounts in so many separate components nothing is calibrated."""
    least_labelled: int = 20
    """Nor with fewer labelled accounts of either kind."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A run as resolved: what the manifest prints."""

    seed: int = DEFAULT_SEED
    device: str = "auto"
    memory_limit: str = "1GiB"
    """The table engine spills above it while it loads, which needs no more for any number of rows."""
    link_memory_limit: str = "auto"
    """The same while accounts are linked, which takes more for more; ``auto``: half of what is free."""
    engine: str = "duckdb"
    """What links accounts: ``duckdb``, or ``spark`` where one machine is too small."""
    spark_master: str | None = None
    """Where Spark's executors are; None for what the environment says, else this machine."""
    links: LinkSettings = field(default_factory=LinkSettings)
    decisions: DecisionSettings = field(default_factory=DecisionSettings)


def home() -> Path:
    """Return the folder that holds the local Neo4j's data: ``RINGFENCE_HOME``, or the platform's place."""
    named = os.environ.get("RINGFENCE_HOME")
    return Path(named) if named else Path(platformdirs.user_data_dir("ringfence"))


def cache() -> Path:
    """Return the folder for what can be fetched again: ``RINGFENCE_CACHE``, or the platform's place."""
    named = os.environ.get("RINGFENCE_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("ringfence"))
