"""The types of rings, by what gives them away.

Types are split by name into those that may be looked at while anything is tuned, and those that figures are
reported on. A type of one family only can be suspected, and never more: such types are reported apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.worlds.kinds import Kind, Mix, Rhythm, Shared, Together

_MIX: Mix = (0.3, 0.35, 0.28, 0.07)
_ALONE = Together(0.6, own_templates=True, tactics=True)
"""A campaign in which every account has prompts of its own and keeps hours of its own."""
_PERSONA = Together(0.65, 0.02, 3, tactics=True)
_CARDS = Shared(0.9, cell=(4, 9))
_PROXIES = Shared(0.75, 1.6, 12, kind="isp")


def _ring(name: str, size: tuple[int, int], families: tuple[str, ...], **kind: object) -> Kind:
    made = {
        "mix": _MIX,
        "heavy": 0.15,
        "known": 0.3,
        "banned": 0.06,
        "replaced": 0.6,
        "organisation": 0.1,
        **kind,
    }
    return Kind(name, size, families=families, **made)  # type: ignore[arg-type]


TUNING: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _ring("cards_only", (6, 60), ("payment",), instrument=Shared(0.95, cell=(5, 20)), together=_ALONE),
        _ring(
            "timing_only",
            (10, 80),
            ("timing",),
            together=Together(0.65, own_templates=True, rhythm=Rhythm.SHIFTS, crew=0.7, tactics=True),
        ),
        _ring(
            "residential_rotation",
            (12, 20_000),
            ("network", "payment", "content", "timing"),
            ip=_PROXIES,
            instrument=_CARDS,
            together=Together(0.65, 0.02, 3, rhythm=Rhythm.SHIFTS, crew=0.7, tactics=True),
        ),
        _ring(
            "hosting",
            (8, 400),
            ("network", "device", "payment", "content"),
            ip=Shared(0.7, 0.7, 4, kind="hosting", keeps=4),
            device=Shared(0.6, cell=(3, 6)),
            instrument=Shared(0.8, cell=(3, 6), reach=0.8),
            together=_PERSONA,
            servers=0.3,
        ),
        _ring(
            "regrown",
            (10, 300),
            ("payment", "content", "lifecycle"),
            instrument=_CARDS,
            together=_PERSONA,
            banned=0.4,
            replaced=0.9,
            signup_days=25,
        ),
        _ring(
            "mixed_accounts",
            (10, 600),
            ("device", "payment", "content"),
            device=Shared(0.5, cell=(3, 7), reach=0.8),
            instrument=Shared(0.8, cell=(3, 7), reach=0.6),
            together=_PERSONA,
            organisation=0.5,
            framework=0.2,
            servers=0.2,
        ),
    )
}
"""Types that thresholds, weights and models may be tuned on."""

REPORTING: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _ring("devices_only", (6, 60), ("device",), device=Shared(0.9, cell=(3, 9)), together=_ALONE),
        _ring("templates_only", (10, 120), ("content",), together=_PERSONA),
        _ring(
            "paraphrased",
            (10, 400),
            ("payment", "content"),
            instrument=_CARDS,
            together=Together(0.7, 4.0, 40, tactics=True),
        ),
        _ring(
            "slow_and_spread",
            (12, 500),
            ("network", "payment", "content"),
            volume=0.4,
            ip=Shared(0.4, 1.2, 10, kind="isp"),
            instrument=Shared(0.8, cell=(3, 6), reach=0.7),
            together=Together(0.4, 0.03, 3, crew=0.4, tactics=True),
        ),
        _ring(
            "blended",
            (20, 20_000),
            ("network", "content", "timing"),
            network=True,
            ip=Shared(0.75, 1.2, 20, kind="isp"),
            together=Together(0.4, 0.01, 3, rhythm=Rhythm.SHIFTS, crew=0.8, tactics=True),
        ),
        _ring(
            "shared_network",
            (15, 400),
            ("network", "payment", "content"),
            network=True,
            ip=Shared(0.75, 1.2, 20, kind="isp"),
            instrument=_CARDS,
            together=_PERSONA,
        ),
        _ring(
            "release_pivot",
            (10, 400),
            ("network", "content", "lifecycle"),
            eager=0.95,
            ip=_PROXIES,
            together=_PERSONA,
        ),
        _ring(
            "aged_accounts",
            (10, 300),
            ("payment", "network", "content"),
            aged=True,
            instrument=_CARDS,
            ip=Shared(0.6, 0.5, 4, kind="hosting", keeps=3),
            together=_PERSONA,
        ),
        _ring(
            "devices_and_timing",
            (8, 200),
            ("device", "timing"),
            device=Shared(0.7, cell=(3, 8)),
            together=Together(0.6, own_templates=True, rhythm=Rhythm.SHIFTS, crew=0.7, tactics=True),
        ),
    )
}
"""Types that figures are reported on: nothing may be tuned while looking at them."""

RINGS: Mapping[str, Kind] = {**TUNING, **REPORTING}
"""Every ring type by name."""
