"""Which setting of a baseline finds most rings on worlds for tuning: where their ``TUNED`` comes from.

    python benchmarks/tune_baselines.py [--seeds 1 2 3] [--scale 0.002] [--detectors leiden]

Every setting of ``ringfence.worlds.baselines.tune.GRIDS`` is judged by the F1 of the rings it reports, on a
world of the scenario ``tuning`` for each seed. Small worlds hold few rings, and their best settings differ
from seed to seed: ``TUNED`` is chosen at ``--scale 0.01``. No world that is reported on is looked at.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from ringfence.engine import connect
from ringfence.worlds.baselines import leiden, shared_identifiers
from ringfence.worlds.baselines.shared_identifiers import TUNED, USUAL
from ringfence.worlds.baselines.tables import open_tables
from ringfence.worlds.baselines.tune import GRIDS, Setting, Tried, averaged, tune
from ringfence.worlds.make import WorldRequest, make_world
from ringfence.worlds.scenarios import TUNING_SEEDS
from ringfence.worlds.score.findings import Findings
from ringfence.worlds.score.matching import match
from ringfence.worlds.score.rings import judge_rings
from ringfence.worlds.score.truth import Truth, read_truth

RECIPES = (shared_identifiers.NAME, leiden.NAME)


def main() -> None:
    """Make the worlds, try every setting on each, and print a table a detector."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], choices=TUNING_SEEDS, metavar="N")
    options.add_argument("--scale", type=float, default=0.002)
    options.add_argument("--detectors", nargs="+", default=list(RECIPES), choices=list(GRIDS))
    options.add_argument("--rows", type=int, default=10, help="Settings to print for each detector.")
    chosen = options.parse_args()
    tried: dict[str, list[tuple[Tried, ...]]] = {name: [] for name in chosen.detectors}
    for seed in chosen.seeds:
        for name, settings in try_on_world(chosen.scale, seed, chosen.detectors).items():
            tried[name].append(settings)
    for name, worlds in tried.items():
        print(f"\n{name}: ring F1 on scenario tuning, scale {chosen.scale:g}\n")
        print_table(worlds, chosen.seeds, chosen.rows)


def try_on_world(scale: float, seed: int, detectors: Sequence[str]) -> dict[str, tuple[Tried, ...]]:
    """Return every setting of each detector with its F1 on one world."""
    engine = connect(None)
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder) / "world", WorldRequest("tuning", scale, seed, labels=False))
        truth, tables = read_truth(world.truth), open_tables(world.input, engine)
        return {name: tune(name, tables, engine, lambda said: ring_f1(said, truth)) for name in detectors}


def ring_f1(said: Findings, truth: Truth) -> float:
    """Return the F1 of reported rings."""
    return judge_rings(match(said, truth)).ring.f1


def print_table(worlds: Sequence[Sequence[Tried]], seeds: Sequence[int], rows: int) -> None:
    """Print the best settings by their mean, and wherever they stand the usual one and the one in use."""
    by_world = [{one.setting: one.goodness for one in world} for world in worlds]
    columns = " | ".join(f"seed {seed}" for seed in seeds)
    print(f"| place | setting | mean F1 | {columns} | |\n|{'---|' * (len(seeds) + 4)}")
    for place, one in enumerate(averaged(worlds), start=1):
        known = {USUAL: "usual", TUNED: "in use"}.get(one.setting, "")  # type: ignore[call-overload]
        if place <= rows or known:
            each = " | ".join(f"{world[one.setting]:.3f}" for world in by_world)
            print(f"| {place} | {told(one.setting)} | {one.goodness:.3f} | {each} | {known} |")


def told(setting: Setting) -> str:
    """Return a setting in a line."""
    values = ((f.name, getattr(setting, f.name)) for f in fields(setting))
    return ", ".join(f"{name} {'+'.join(v) if isinstance(v, tuple) else v}" for name, v in values)


if __name__ == "__main__":
    main()
