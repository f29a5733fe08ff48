"""How fast templates are mined, and how time and memory grow.

``speed``: prompts a second on one core, Ringfence and Drain3 in turn in one process; the median of several
rounds, and the median of each round's ratio. Each is given prompts in the form it takes: Ringfence Arrow
arrays, Drain3 Python strings, one ``add_log_message`` a prompt, masking off, as it stands. Ringfence's
time holds ``finish`` and the template id of every prompt. Both mine other prompts before the clock starts,
so that compiling and importing do not count. The prompts are T0 as it is, and generated ones in which new
templates keep coming (template_stream.py), so that knowing a prompt again wins little. Drain3's rate falls as
its clusters grow in number, so a ratio holds for one number of prompts: there are several.

``growth``: time and peak memory, each size in a process of its own, on one core. Making the prompts is not in
the time, but is in the memory, as are Python and the libraries; what is held before mining is told apart.
Grouping is judged as well, since what is fast by lumping prompts together is worth nothing.

Time is that of the processor (``time.process_time``, all threads together), since machines are shared: what
others do on the core does not count.
"""

from __future__ import annotations

import gc
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from template_peers import DRAIN_ON_T0, DrainSetting, batches, drain3_groups, ours
from template_plot import growth_svg
from template_quality import Groups, Labelled, ari, measure
from template_scores import FIGURES
from template_stream import Part, stream

from ringfence.pipeline.measure import peak_mib

SIZES = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
_SEED, _WARM_UP_SEED, _WARM_UP = 1, 999, 20_000
_LIMIT_MIB = 4096.0
_JUDGED = 500_000
"""Prompts of a large stream, evenly taken, on which grouping is judged and templates are counted."""
_LEAST = 5
"""Prompts that a template needs to be told from chance."""
_DRAINS = {f"Drain3 ({setting})": setting for setting in (DrainSetting(), DRAIN_ON_T0)}
_OURS = "Ringfence"
_Made = TypeVar("_Made")


def speed(t0: Labelled, prompts: Sequence[int], new: float, rounds: int) -> None:
    """Print prompts a second and ratios.

    Args:
        t0: Real prompts.
        prompts: How many are generated, for each stream.
        new: Share of those whose template no earlier one had.
        rounds: How often each miner is timed.
    """
    one_core()
    time_all(generate(_WARM_UP_SEED, _WARM_UP, new).prompts)
    streams = {f"generated, {size:,}": generate(_SEED, size, new) for size in prompts}
    print(f"One core, median of {rounds} rounds in turn.", *map(told, streams.values()), sep="\n", end="\n\n")
    print(f"| prompts | miner | prompts/s | times as long as Ringfence | ARI |\n|{'---|' * 5}")
    for name, part in {f"T0, {len(t0.prompts):,}": t0, **streams}.items():
        timed = [time_all(part.prompts) for _round in range(rounds)]
        for miner, (_, groups) in timed[-1].items():
            rate = statistics.median(len(part.prompts) / one[miner][0] for one in timed)
            ratio = statistics.median(one[miner][0] / one[_OURS][0] for one in timed)
            print(f"| {name} | {miner} | {rate:,.0f} | {ratio:.2f} | {ari(part, groups):.3f} |", flush=True)


def told(part: Labelled) -> str:
    """Return what generated prompts are like in a sentence."""
    count, sizes = len(part.prompts), np.unique(part.templates, return_counts=True)[1]
    length, often = statistics.mean(map(len, part.prompts)), sizes[sizes >= _LEAST].sum()
    return (
        f"Generated: {count:,} prompts of {length:.0f} characters on average; {len(sizes) / count:.0%} come "
        f"with a template never seen before, {often / count:.0%} with one that at least {_LEAST} have."
    )


def generate(seed: int, prompts: int, new: float) -> Labelled:
    """Return generated prompts as Python strings."""
    parts = list(stream(seed, prompts, new))
    texts = [text for part in parts for text in part.prompts.to_pylist()]
    return Labelled(texts, [str(number) for part in parts for number in part.templates])


def time_all(prompts: Sequence[str]) -> dict[str, tuple[float, Groups]]:
    """Mine prompts with every miner once; return seconds and groups by its name."""
    parts = list(batches(prompts))
    mined, found = seconds(lambda: list(ours(parts)))
    timed: dict[str, tuple[float, Groups]] = {
        _OURS: (mined, [name for ids in found for name in ids.to_pylist()])
    }
    for name, setting in _DRAINS.items():
        timed[name] = seconds(partial(drain3_groups, prompts, setting))
    return timed


def seconds(task: Callable[[], _Made]) -> tuple[float, _Made]:
    """Return how long a task takes, with nothing left by others to collect, and what it returns."""
    gc.collect()
    start = time.process_time()
    made = task()
    return time.process_time() - start, made


def growth(script: Path, most: int, new: float, picture: Path) -> None:
    """Print time and peak memory by size, and draw them.

    Args:
        script: What measures one size when called with ``growth --task SIZE``.
        most: The largest size.
        new: Share of prompts whose template no earlier one had.
        picture: Where the plot goes.
    """
    sizes = [size for size in SIZES if size <= most]
    columns = ("prompts", "seconds", "prompts/s", "peak MiB", "MiB before", "with a template", "templates")
    judged = ("ARI", "precision", "recall")
    print(f"One core; {new:.0%} of prompts have a template never seen before.\n")
    print(f"| {' | '.join(columns + judged)} |\n|{'---|' * len(columns + judged)}")
    done = []
    for size in sizes:
        words = [sys.executable, str(script), "growth", "--task", str(size), "--new", str(new)]
        cost = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)
        done.append(cost)
        time_told = f"{cost['seconds']:.1f} | {size / cost['seconds']:,.0f}"
        found = f"{cost['placed'] / size:.0%} | {cost['templates']:,}"
        memory = f"{cost['peak']:,.0f} | {cost['before']:,.0f}"
        agreement = " | ".join(f"{cost[name]:.3f}" for name in judged)
        print(f"| {size:,} | {time_told} | {memory} | {found} | {agreement} |", flush=True)
    times, peaks = (
        list(zip(sizes, [cost[what] for cost in done], strict=True)) for what in ("seconds", "peak")
    )
    if len(sizes) > 1:
        logarithms = zip(*((math.log(size), math.log(spent)) for size, spent in times), strict=True)
        slope = statistics.linear_regression(*map(list, logarithms)).slope
        print(f"\nTime grows with the number of prompts to the power of {slope:.2f}.")
    panels = (("seconds", times, None), ("peak MiB", peaks, _LIMIT_MIB))
    picture.write_text(growth_svg(panels, "prompts", "Time and peak memory against the number of prompts"))


def grow(size: int, new: float) -> str:
    """Mine a stream of ``size`` prompts in this process and return as JSON what it cost."""
    one_core()
    for _ids in ours((part.prompts, part.accounts) for part in stream(_WARM_UP_SEED, _WARM_UP, new)):
        pass
    before, source = peak_mib(), Clocked(stream(_SEED, size, new))
    placed, found, every = 0, [], -(-size // _JUDGED)
    start = time.process_time()
    for ids in ours((part.prompts, part.accounts) for part in source):
        placed += len(ids) - ids.null_count
        found.append(ids[::every])
    spent = time.process_time() - start - source.seconds
    cost = {"seconds": spent, "peak": peak_mib(), "before": before, "placed": placed}
    true = np.concatenate([templates[::every] for templates in source.templates])
    names = pa.chunked_array(found).to_pylist()
    cost["templates"] = len(set(names) - {None})
    cost.update(zip(FIGURES, measure(true.tolist(), names).tolist(), strict=True))
    return json.dumps(cost)


class Clocked:
    """Passes parts of a stream on; keeps how long it took to make them, and their true templates."""

    def __init__(self, parts: Iterator[Part]) -> None:
        self._parts = parts
        self.seconds = 0.0
        self.templates: list[npt.NDArray[np.int32]] = []

    def __iter__(self) -> Iterator[Part]:
        return self

    def __next__(self) -> Part:
        start = time.process_time()
        try:
            part = next(self._parts)
            self.templates.append(part.templates.astype(np.int32))
            return part
        finally:
            self.seconds += time.process_time() - start


def one_core() -> None:
    """Keep this process and its threads to one core, where the system can."""
    pa.set_cpu_count(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
