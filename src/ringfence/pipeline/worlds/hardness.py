"""Is a world still hard? Who looks at single accounts or shared identifiers alone may not find its rings."""

from __future__ import annotations

from pathlib import Path

from ringfence.engine import connect
from ringfence.worlds.baselines.columns import own_columns
from ringfence.worlds.baselines.panel import RECIPES
from ringfence.worlds.baselines.tables import open_tables
from ringfence.worlds.score.matching import match
from ringfence.worlds.score.rings import judge_rings
from ringfence.worlds.score.truth import Truth
from ringfence.worlds.separable import boosted, single_columns

COLUMN_CEILING = 0.15
"""The most average precision that a shallow tree on one column may reach."""
TREES_CEILING = 0.5
"""The most that boosted trees on all columns of single accounts may reach."""
RECIPE_CEILING = 0.5
"""The most ring F1 that a recipe over shared identifiers may reach, at either of its settings."""


def hardness(folder: Path, truth: Truth) -> tuple[tuple[str, float, float], ...]:
    """Return figure, value and ceiling of what makes a world too easy.

    Args:
        folder: The ``input`` folder of the world.
        truth: Of that world.
    """
    engine = connect(None)
    tables = open_tables(folder, engine)
    recipes = [judge_rings(match(run(tables, engine), truth)).ring.f1 for run in RECIPES.values()]
    columns = own_columns(folder, engine)
    single = single_columns(columns, truth.accounts)["average_precision"].max()
    return (
        ("recipe_f1", max(recipes), RECIPE_CEILING),
        ("single_column_precision", float(single), COLUMN_CEILING),
        ("boosted_trees_precision", boosted(columns, truth.accounts), TREES_CEILING),
    )
