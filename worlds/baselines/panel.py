"""All baselines on one world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ringfence.progress import Tick, silent
from ringfence.worlds.baselines import co_action, leiden, shared_identifiers, synchronous, trees
from ringfence.worlds.baselines.columns import own_columns
from ringfence.worlds.baselines.folds import truth_groups
from ringfence.worlds.baselines.shared_identifiers import USUAL, Sharing
from ringfence.worlds.baselines.tables import Tables, open_tables
from ringfence.worlds.score.findings import Findings


def _as_usual(name: str, run: Callable[..., Findings]) -> Callable[..., Findings]:
    """Return a recipe that runs as tutorials have it unless told, under the name that says so."""

    def answer(tables: Tables, engine: Any, sharing: Sharing = USUAL) -> Findings:
        return replace(run(tables, engine, sharing), detector=name)

    return answer


def _both_settings(name: str, run: Callable[..., Findings]) -> dict[str, Callable[..., Findings]]:
    usual = f"{name} (usual)"
    return {usual: _as_usual(usual, run), name: run}


RECIPES: Mapping[str, Callable[..., Findings]] = {
    **_both_settings(shared_identifiers.NAME, shared_identifiers.shared_identifiers),
    **_both_settings(leiden.NAME, leiden.leiden),
}
"""Recipes over shared identifiers, each at the setting of tutorials and at the best one of tuning worlds."""

UNTAUGHT: Mapping[str, Callable[..., Findings]] = {
    **RECIPES,
    co_action.NAME: co_action.co_action,
    synchronous.NAME: synchronous.synchronous,
}
"""Baselines that need no labels: tables, engine and, where wanted, a setting → an answer."""

TAUGHT = {trees.OWN: trees.tree_own, trees.NEIGHBOURS: trees.tree_neighbours}
"""Baselines that learn from the world's labels."""


def run_baselines(
    folder: Path, truth: pd.DataFrame, engine: Any, *, seed: int = 7, tick: Tick = silent
) -> list[Findings]:
    """Return what each baseline says of a world; those that learn only where there are labels.

    Args:
        folder: The ``input`` folder of the world.
        truth: account_id, ring, and population and group where known: only for folds that cut no ring.
        engine: Ibis backend.
        seed: Of folds and trees.
        tick: Told the share of baselines that are done.
    """
    tables = open_tables(folder, engine)
    work: list[Callable[[], Findings]] = [partial(run, tables, engine) for run in UNTAUGHT.values()]
    if trees.can_learn(tables, engine):
        columns, groups = own_columns(folder, engine), truth_groups(truth)
        work += [partial(run, tables, engine, columns, groups, seed=seed) for run in TAUGHT.values()]
    answers = []
    for place, run in enumerate(work, start=1):
        answers.append(run())
        tick(place / len(work))
    return answers
