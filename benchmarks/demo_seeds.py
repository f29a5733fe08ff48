"""What the demonstration finds over several seeds: planted rings flagged, innocents accused.

    python benchmarks/demo_seeds.py [--seeds 1 2 3 4 5]

The demonstration is small and its rings are of tuning types: this shows that the default seed is no lucky
one, and nothing more.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from machine import machine

from ringfence.cli.demo import DEMO_SCALE
from ringfence.config import Settings
from ringfence.pipeline.run import RunRequest, run
from ringfence.worlds.make import WorldRequest, make_world
from ringfence.worlds.score.findings import read_findings
from ringfence.worlds.score.scorecard import Scorecard, score
from ringfence.worlds.score.truth import read_truth


def found(seed: int, *, labels: bool) -> Scorecard:
    """Make the world of a seed, run on it, score."""
    with tempfile.TemporaryDirectory() as made:
        world = make_world(Path(made) / "world", WorldRequest("demo", DEMO_SCALE, seed, labels=labels))
        out = Path(made) / "out"
        run(RunRequest(world.input, out, neo4j="none", settings=Settings(seed=seed, device="cpu")))
        truth = read_truth(world.truth)
        return score(read_findings(out, truth), truth)


def main() -> None:
    """Run every seed with and without labels and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    seeds = options.parse_args().seeds
    print(f"{machine()}\n")
    head = ("labels", "seed", "rings accused", "flagged", "account AP", "innocents accused", "flagged")
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for labels in (True, False):
        for seed in seeds:
            card = found(seed, labels=labels)
            accused, flagged = card.rings.ring.recall, card.rings.review.recall
            innocents = card.innocents
            cells = (
                "yes" if labels else "no",
                seed,
                f"{accused.hits} of {accused.of}",
                f"{flagged.hits} of {flagged.of}",
                f"{card.accounts.ranking.average_precision.value:.2f}",
                innocents.ring.hits,
                f"{innocents.review.hits} of {innocents.review.of}",
            )
            print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
