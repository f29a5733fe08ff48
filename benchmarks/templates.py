"""The template miner beside Drain3 and MinHash-LSH: how well it groups, how fast it is, how it grows.

    python benchmarks/templates.py quality|logs|worlds|speed|growth [--shared ../shared/data]

The peers are installed apart: ``pip install drain3 datasketch``. What each word measures stands where it is
measured: ``quality`` and ``logs`` in template_quality.py, ``worlds`` in template_worlds.py, ``speed`` and
``growth`` in template_speed.py.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from machine import machine
from template_quality import logs, quality, read_t0
from template_speed import grow, growth, speed


def main() -> None:
    """Measure what is asked for and print it."""
    asked = options().parse_args()
    if asked.task:
        print(grow(asked.task, asked.new))
        return
    print(machine(), end="\n\n", flush=True)
    t0 = asked.shared / "templates" / "t0_prompts.parquet"
    if asked.what == "quality":
        quality(t0)
    elif asked.what == "logs":
        logs(asked.shared / "loghub")
    elif asked.what == "worlds":
        # Not above: ``growth`` measures the memory of this very program.
        from template_worlds import worlds

        worlds(asked.scenario, asked.scale, asked.seed, asked.shared / "prompts")
    elif asked.what == "speed":
        speed(read_t0(t0), asked.prompts, asked.new, asked.rounds)
    else:
        growth(Path(__file__), asked.most, asked.new, asked.svg)


def options() -> argparse.ArgumentParser:
    """Return the words that this benchmark understands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(os.environ.get("RINGFENCE_SHARED_DATA", "../shared/data"))
    picture = Path(__file__).with_name("templates_growth.svg")
    parser.add_argument("what", choices=("quality", "logs", "worlds", "speed", "growth"))
    parser.add_argument("--shared", type=Path, default=shared, metavar="DIR", help="The public data.")
    parser.add_argument("--scenario", default="tuning", help="worlds: one that may be tuned on.")
    parser.add_argument("--scale", type=float, default=0.002, help="worlds: 1 is 2,024,000 accounts.")
    parser.add_argument("--seed", type=int, default=11, help="worlds: one that may be tuned on.")
    parser.add_argument("--new", type=float, default=0.35, help="Generated prompts of templates never seen.")
    parser.add_argument("--rounds", type=int, default=5, help="speed: how often each is timed, in turn.")
    parser.add_argument(
        "--prompts", type=int, nargs="+", default=[10_000, 30_000], help="speed: generated prompts."
    )
    parser.add_argument("--most", type=int, default=10_000_000, help="growth: the largest size.")
    parser.add_argument("--svg", type=Path, default=picture, metavar="FILE", help="growth: where to draw it.")
    parser.add_argument("--task", type=int, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
