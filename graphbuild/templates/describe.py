"""What is told of templates: wording, family, tactics, and whether everybody can find them."""

from __future__ import annotations

import pandas as pd

from ringfence.graphbuild.templates.families import families
from ringfence.graphbuild.templates.public import is_public
from ringfence.graphbuild.templates.registry import Registry
from ringfence.graphbuild.templates.tactics import tactics

DESCRIBED = ("template_id", "prompts", "skeleton", "family", "tactics", "public")
"""Columns of described templates; skeleton and what follows from it are null while too few accounts sent it."""


def describe(registry: Registry) -> pd.DataFrame:
    """Return :data:`DESCRIBED`, a row a template that has not been merged into another.

    ``prompts`` are requests that named it, ``family`` the least id of templates that say the same, ``tactics``
    label → score, ``public`` whether its wording is that of a public prompt.
    """
    live = [t for t in registry.templates if t.template_id not in registry.aliases]
    skeletons = [t.sample.skeleton(t.shingles) for t in live]
    told = [(t.template_id, s) for t, s in zip(live, skeletons, strict=True) if s is not None]
    family = dict(
        zip((t for t, _ in told), families([t for t, _ in told], [s for _, s in told]), strict=True)
    )
    frame = pd.DataFrame(
        {
            "template_id": [t.template_id for t in live],
            "prompts": [t.prompts for t in live],
            "skeleton": skeletons,
            "family": [family.get(t.template_id) for t in live],
            "tactics": [None if s is None else tactics(s) for s in skeletons],
            "public": [is_public(t.shingles) for t in live],
        },
        columns=list(DESCRIBED),
    )
    return frame.sort_values("template_id", ignore_index=True)
