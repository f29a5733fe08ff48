"""What is told of templates: wording, family, tactics, and whether everybody can find them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pandas as pd

from ringfence.graphbuild.templates.families import families
from ringfence.graphbuild.templates.skeleton import Told
from ringfence.graphbuild.templates.tactics import tactics

DESCRIBED = ("template_id", "prompts", "skeleton", "family", "tactics", "public")
"""Columns of described templates; a skeleton, and what follows from it, may be null: too few accounts."""


def public_templates(templates: Iterable[Told]) -> list[str]:
    """Return the ids of templates whose wording is that of a public prompt."""
    return sorted(told.template_id for told in templates if told.public)


def describe(templates: Iterable[Told], wanted: Collection[str] | None = None) -> pd.DataFrame:
    """Return :data:`DESCRIBED`, a row a template.

    ``prompts`` are those that go by it, ``family`` the least id of templates that say the same, ``tactics``
    label → score, ``public`` whether its wording is that of a public prompt.

    Args:
        templates: What may be said of each.
        wanted: Templates whose family and tactics are asked for; None: all. To read a skeleton takes a while.
    """
    rows = sorted(templates, key=lambda told: told.template_id)
    read = {
        told.template_id: told.skeleton
        for told in rows
        if told.skeleton and (wanted is None or told.template_id in wanted)
    }
    family = dict(zip(read, families(list(read), list(read.values())), strict=True))
    return pd.DataFrame(
        {
            "template_id": [told.template_id for told in rows],
            "prompts": [told.prompts for told in rows],
            "skeleton": [told.skeleton for told in rows],
            "family": [family.get(told.template_id) for told in rows],
            "tactics": [
                tactics(read[told.template_id]) if told.template_id in read else None for told in rows
            ],
            "public": [told.public for told in rows],
        },
        columns=list(DESCRIBED),
    ).astype({"template_id": "str", "skeleton": "str", "family": "str", "prompts": "int64", "public": "bool"})
