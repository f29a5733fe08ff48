"""The innocent populations: ordinary people, and the groups that look like rings and are none.

The list is that of the design. A share is of all innocents in a realistic world; where a scenario asks for
more look-alikes, all but ``background`` grow.
"""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.worlds.kinds import BUSY, Kind, Rhythm, Shared, Together

_TEAM = Together(0.5, 0.3, 2)
_DISTILLS = Together(0.6, 1.0, 2, tactics=True)

_KINDS: tuple[tuple[float, Kind], ...] = (
    (0.4, Kind("background")),
    (0.08, Kind("carrier_nat", (40, 400), ip=Shared(0.65, 0.06, 4, kind="mobile", keeps=3))),
    (
        0.05,
        Kind(
            "corporate_nat",
            (20, 200),
            ip=Shared(0.7, 0.04, 2, kind="business", keeps=2),
            together=Together(0.12, 0.05, 2),
            organisation=0.9,
            instrument=Shared(0.8, 0.05, cell=(10, 40), reach=0.5),
        ),
    ),
    (0.05, Kind("commercial_vpn", (30, 300), ip=Shared(0.6, 0.15, 6, kind="vpn", keeps=6))),
    (
        0.05,
        Kind(
            "university",
            (20, 150),
            ip=Shared(0.55, 0.06, 3, kind="education", keeps=3),
            device=Shared(0.3, 0.1, 3, reach=0.4, keeps=2),
            together=Together(0.4, 0.0, 1, rhythm=Rhythm.DEADLINE, pasted="assignment"),
            signup_days=12,
        ),
    ),
    (
        0.025,
        Kind(
            "hackathon",
            (12, 60),
            ip=Shared(0.7, 0.05, 2, kind="business", keeps=2),
            instrument=Shared(0.9, cell=(6, 20), kind="prepaid"),
            together=Together(0.6, 0.0, 1, rhythm=Rhythm.EVENT, pasted="starter"),
            signup_days=3,
            prepaid=0.5,
        ),
    ),
    (
        0.025,
        Kind(
            "internet_cafe",
            (10, 60),
            ip=Shared(0.75, 0.03, kind="isp"),
            device=Shared(0.8, 0.25, 4, keeps=3),
        ),
    ),
    (
        0.02,
        Kind(
            "research_lab",
            (7, 24),
            mix=BUSY,
            ip=Shared(0.7, 0.2, 2, kind="education", keeps=3),
            device=Shared(0.6, 0.12),
            instrument=Shared(0.8, reach=0.6),
            together=Together(0.5, 0.2, 2, tactics=True, rhythm=Rhythm.ON_THE_HOUR),
            organisation=0.7,
        ),
    ),
    (0.015, Kind("proxy_victim", ip=Shared(0.75), network=True)),
    (
        0.04,
        Kind(
            "proxy_customer",
            mix=BUSY,
            ip=Shared(0.75),
            network=True,
            framework=0.2,
        ),
    ),
    (0.01, Kind("reseller", mix=(0, 0.1, 0.4, 0.5), volume=1.5, end_users=400, servers=0.6, framework=0.3)),
    (
        0.02,
        Kind(
            "seat_reseller",
            (8, 60),
            banned=0.03,
            replaced=0.4,
            instrument=Shared(0.95, cell=(7, 25)),
            signup_days=20,
            ip=Shared(0.1, 0.2, kind="hosting", reach=0.5),
        ),
    ),
    (
        0.04,
        Kind(
            "business",
            (1, 8),
            mix=BUSY,
            ip=Shared(0.8, 0.3, kind="hosting", keeps=2),
            instrument=Shared(0.9),
            together=Together(0.7, 0.4, 2, rhythm=Rhythm.ON_THE_HOUR),
            organisation=0.8,
            servers=0.3,
        ),
    ),
    (0.04, Kind("framework", framework=1.0, mix=(0.4, 0.35, 0.2, 0.05))),
    (0.02, Kind("public_collection", public=4.0, mix=BUSY)),
    (
        0.02,
        Kind(
            "evaluation",
            (1, 6),
            mix=BUSY,
            framework=0.6,
            servers=0.5,
            ip=Shared(0.5, 0.5, kind="hosting"),
            together=Together(0.6, 1.0, 2, tactics=True, rhythm=Rhythm.ON_THE_HOUR),
            organisation=0.4,
        ),
    ),
    (
        0.03,
        Kind(
            "family",
            (3, 7),
            banned=0.03,
            replaced=0.4,
            ip=Shared(0.7, kind="isp"),
            device=Shared(0.3, 0.3, reach=0.7),
            instrument=Shared(1.0),
        ),
    ),
    (
        0.03,
        Kind(
            "agency",
            (8, 25),
            banned=0.03,
            replaced=0.4,
            mix=BUSY,
            ip=Shared(0.6, 0.1, kind="business", keeps=2),
            device=Shared(0.3, 0.15, reach=0.4),
            instrument=Shared(0.95),
            together=_TEAM,
            organisation=0.7,
            signup_days=40,
        ),
    ),
    (
        0.025,
        Kind(
            "power_user",
            (2, 5),
            banned=0.03,
            replaced=0.4,
            mix=BUSY,
            ip=Shared(0.8, 0.5, 2),
            device=Shared(0.8, 0.5, 2),
            instrument=Shared(0.8, 0.4),
            together=Together(0.6, 0.6, 2),
        ),
    ),
    (0.025, Kind("prepaid_cards", prepaid=0.95)),
    (0.03, Kind("release_day", eager=0.95, mix=BUSY)),
    (
        0.015,
        Kind(
            "partner",
            (5, 40),
            mix=BUSY,
            volume=1.5,
            ip=Shared(0.9, 0.2, 2, kind="hosting", keeps=3),
            instrument=Shared(1.0),
            together=Together(0.8, 0.1, 3, tactics=True, rhythm=Rhythm.SHIFTS, crew=0.8),
            organisation=1.0,
            known=0.8,
        ),
    ),
    (
        0.02,
        Kind(
            "academic_distiller",
            (1, 4),
            mix=BUSY,
            ip=Shared(0.6, 0.6, kind="education"),
            together=_DISTILLS,
            organisation=0.3,
        ),
    ),
    (0.015, Kind("hobby_distiller", mix=BUSY, together=_DISTILLS, servers=0.2)),
    (0.015, Kind("self_distiller", mix=BUSY, public=2.0, together=Together(0.4, 2.0, tactics=True))),
)

INNOCENTS: Mapping[str, Kind] = {kind.name: kind for _, kind in _KINDS}
"""Every innocent population by name."""


def shares(lookalikes: float) -> dict[str, float]:
    """Return each population's share of the innocents; they sum to 1.

    Args:
        lookalikes: Factor on all populations but the background.
    """
    weights = {kind.name: share * (1 if kind.name == "background" else lookalikes) for share, kind in _KINDS}
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}
