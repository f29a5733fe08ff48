"""What the demonstration finds over several seeds: planted rings flagged, innocents accused.

    python benchmarks/demo_seeds.py [--seeds 1 2 3 4 5]

The demonstration is small and its rings are easier than real ones: this shows that the default seed is no
lucky one, and nothing more. With labels, a third of the accounts of each ring are labelled.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from machine import machine

from ringfence.config import Settings
from ringfence.pipeline.run import RunRequest, run
from ringfence.worlds.compare import Comparison, compare
from ringfence.worlds.demo import make_demo


def found(seed: int, *, labels: bool) -> Comparison:
    """Make the world of a seed, run on it, compare."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        truth = make_demo(folder / "input", folder / "truth", seed)
        if not labels:
            (folder / "input" / "labels.parquet").unlink()
        settings = Settings(seed=seed, device="cpu")
        result = run(RunRequest(folder / "input", folder / "out", neo4j="none", settings=settings))
        return compare([ring.as_json() for ring in result.rings], truth.accounts)


def main() -> None:
    """Run every seed with and without labels and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    seeds = options.parse_args().seeds
    print(f"{machine()}\n")
    print(
        "| labels | seed | planted ring | decision | probability | members found | innocents in it "
        "| innocents accused | innocents under review |\n|---|---|---|---|---|---|---|---|---|"
    )
    for labels in (True, False):
        for seed in seeds:
            comparison = found(seed, labels=labels)
            accused, review = sum(comparison.accused.values()), sum(comparison.under_review.values())
            for ring in comparison.rings:
                probability = "–" if ring.probability is None else f"{ring.probability:.2f}"
                print(
                    f"| {'yes' if labels else 'no'} | {seed} | {ring.ring} | {ring.decision} | {probability} "
                    f"| {ring.found} of {ring.planted} | {ring.innocent} | {accused} | {review} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
