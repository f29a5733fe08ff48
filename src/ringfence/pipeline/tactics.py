"""What a ring is after: the tactics of the prompts that its accounts have in common."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ringfence.records import Ring

_TEMPLATE = "template:"


def shared_templates(rings: list[Ring]) -> set[str]:
    """Return the templates that the evidence on rings and reviews names."""
    return {name for ring in rings if ring.flagged for name in _named(ring)}


def with_tactics(rings: list[Ring], templates: pd.DataFrame) -> list[Ring]:
    """Return rings with the tactics of the templates their evidence names, the one of most templates first.

    Args:
        rings: Judged communities; benign ones stay as they are.
        templates: template_id and tactics (label → score, or null).
    """
    known = templates[templates["tactics"].notna()]
    tactics = dict(zip(known["template_id"], known["tactics"], strict=True))
    return [replace(ring, tactics=_of(ring, tactics)) if ring.flagged else ring for ring in rings]


def _of(ring: Ring, tactics: dict[str, dict[str, float]]) -> tuple[str, ...]:
    total: dict[str, float] = {}
    for name in _named(ring):
        for label, score in tactics.get(name, {}).items():
            total[label] = total.get(label, 0.0) + score
    return tuple(sorted(total, key=lambda label: (-total[label], label)))


def _named(ring: Ring) -> list[str]:
    entities = [name for line in ring.evidence for name in line.entities]
    return [name.removeprefix(_TEMPLATE) for name in entities if name.startswith(_TEMPLATE)]
