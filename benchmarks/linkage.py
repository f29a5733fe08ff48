"""What links accounts, beside plain tools: how fast, how good, and what chance alone would link.

    python benchmarks/linkage.py sightings|links|hubs|ablation|null WORLD...
    python benchmarks/linkage.py ablation --scale 0.01 --seed 4
    python benchmarks/linkage_growth.py run

A WORLD is a folder that ``ringfence worlds make`` wrote; without one, a world is made for ``--scale`` and
each ``--seed``. Its tables are loaded and its templates mined first, into ``--work`` (else a folder that goes
again). What each word measures stands where it is measured: ``sightings`` and ``links`` in linkage_speed.py,
``hubs``, ``ablation`` and ``null`` in linkage_quality.py. The peer of ``links`` is installed apart:
``pip install sparse_dot_topn``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from linkage_quality import ablation, hubs, null
from linkage_speed import links, sightings
from linkage_world import Prepared, made, prepare
from machine import machine

_TASKS = {"sightings": sightings, "links": links, "hubs": hubs, "ablation": ablation, "null": null}


def main() -> None:
    """Measure what is asked for, world after world."""
    asked = options().parse_intermixed_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = asked.work or Path(scratch)
        folders = asked.worlds or [
            made(place, asked.scenario, asked.scale, seed, asked.prompts) for seed in asked.seed
        ]
        for folder in folders:
            world: Prepared = prepare(folder, place / f"{folder.name}-work", asked.memory, asked.threads)
            print(f"\n{folder.name}: {world.told()}\n", flush=True)
            _TASKS[asked.what](world, asked)
            world.engine.disconnect()


def options() -> argparse.ArgumentParser:
    """Return the words that this benchmark understands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=tuple(_TASKS))
    parser.add_argument("worlds", nargs="*", type=Path)
    parser.add_argument("--scenario", default="tuning", help="One that may be tuned on.")
    parser.add_argument("--scale", type=float, default=0.01, help="1 is 2,024,000 accounts.")
    parser.add_argument("--seed", type=int, nargs="+", default=[4], help="Seeds that may be tuned on.")
    parser.add_argument("--prompts", type=Path, help="Real prompts to fill worlds with.")
    parser.add_argument("--work", type=Path, metavar="DIR", help="Where loaded worlds stay; read again.")
    parser.add_argument("--memory", default="6GiB", help="What the engine may hold before it spills.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="How often each is timed, in turn.")
    parser.add_argument("--draws", type=int, default=3, help="null: how often sightings are dealt out anew.")
    return parser


if __name__ == "__main__":
    main()
