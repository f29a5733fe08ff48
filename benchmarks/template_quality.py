"""How well templates are found: on prompts whose templates are known, and on logs.

``quality``: 29,210 prompts of 152 true templates (T0). The datasets they were made from are split in halves:
peers' settings are chosen on one, by ARI with twins joined, and so may ours be; figures are reported on
the other. Each half is mined alone, in one shuffled order for all miners. A prompt without a template
counts as a group of its own. Some templates have two or three names, because a question answering set
was split by source, and no text tells them apart. So figures are given with labels as they are and with
such twins joined; with labels as they are also for an oracle that knows the joined templates and no more,
which is as much as text can tell.

``logs``: seven systems (Loghub, 2,000 lines each, corrected labels), in the order of the log, with one
setting for all: ours as it stands, Drain3 as it stands, the same with what is commonly masked in logs, and
whichever one setting is best on these very logs, which favours Drain3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from template_peers import GRID, LSH_GRID, DrainSetting, drain3_groups, lsh_groups, our_groups, sketches
from template_scores import FIGURES, bounds, codes, figures, template_sums

TUNED = ("adversarial", "common", "dream", "qasc", "quoref", "samsum", "trec", "yelp")
"""Datasets on which settings may be chosen."""
REPORTED = ("ag", "cosmos", "duorc", "quarel", "rotten", "sciq", "wiki")
"""Datasets on which none was chosen."""
TWINS = re.compile(r"(?<=^adversarial_qa_)(?:dbert|dbidaf|droberta)_|(?<=^duorc_)(?:ParaphraseRC|SelfRC)_")
"""The part of a template's name that says which source the question is from."""
SYSTEMS = ("Apache", "HDFS", "Hadoop", "Linux", "OpenSSH", "Proxifier", "Thunderbird")
_BOUNDED = ("ARI", "pair F1", "GA", "FGA")

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Groups = Iterable[Hashable | None]
Grouping = Callable[[Sequence[str]], Groups]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Prompts with their true templates."""

    prompts: Sequence[str]
    templates: Sequence[str]

    @property
    def joined(self) -> list[str]:
        """Templates with twins under one name."""
        return [TWINS.sub("", name) for name in self.templates]


def read_t0(file: Path, datasets: Sequence[str] = TUNED + REPORTED) -> Labelled:
    """Return the prompts of some datasets, shuffled by a fixed seed, since traffic comes mixed.

    Raises:
        ValueError: The file holds datasets that are on neither side of the split.
    """
    table = pq.read_table(file)
    unknown = set(table["dataset"].unique().to_pylist()) - set(TUNED + REPORTED)
    if unknown:
        raise ValueError(f"on neither side of the split: {', '.join(sorted(unknown))}")
    table = table.filter(pc.is_in(table["dataset"], pa.array(datasets)))
    table = table.take(np.random.default_rng(0).permutation(len(table)))
    return Labelled(table["prompt"].to_pylist(), table["template"].to_pylist())


def quality(file: Path) -> None:
    """Choose the peers' settings; print figures of the reported half, the tuned half and both together."""
    tuned = read_t0(file, TUNED)
    drain = best_drain(tuned)
    permutations, threshold = best_lsh(tuned)
    miners: Mapping[str, Grouping] = {
        "Ringfence": our_groups,
        f"Drain3 ({drain})": partial(drain3_groups, setting=drain),
        f"MinHash-LSH (threshold {threshold:g}, {permutations} permutations)": lambda prompts: lsh_groups(
            sketches(prompts, permutations), threshold
        ),
    }
    print(
        f"Of {len(GRID)} settings of Drain3 and {len(LSH_GRID)} of MinHash-LSH, the best on the tuned half."
    )
    print("In brackets: 95% bootstrap bounds, drawing true templates.")
    for title, part in (
        ("Reported half", read_t0(file, REPORTED)),
        ("Tuned half, on which settings were chosen", tuned),
        ("All together, tuned half included", read_t0(file)),
    ):
        print_quality(title, part, {name: list(miner(part.prompts)) for name, miner in miners.items()})


def best_drain(part: Labelled) -> DrainSetting:
    """Return the setting of Drain3 with the highest ARI, the first of equals."""
    return max(GRID, key=lambda setting: ari(part, drain3_groups(part.prompts, setting)))


def best_lsh(part: Labelled) -> tuple[int, float]:
    """Return permutations and threshold of MinHash-LSH with the highest ARI, the first of equals."""
    made = {permutations: sketches(part.prompts, permutations) for permutations, _ in LSH_GRID}
    return max(LSH_GRID, key=lambda setting: ari(part, lsh_groups(made[setting[0]], setting[1])))


def ari(part: Labelled, found: Groups) -> float:
    """Return the adjusted Rand index, twins joined."""
    return float(measure(part.joined, found)[FIGURES.index("ARI")])


def measure(true: Groups, found: Groups) -> Reals:
    """Return all figures; shape: ``(6,)``."""
    return figures(template_sums(codes(true), codes(found)).sum(axis=0))


def print_quality(title: str, part: Labelled, found: Mapping[str, Groups]) -> None:
    """Print the figures of one part of the prompts, a row a miner."""
    joined = part.joined
    print(
        f"\n**{title}**: {len(part.prompts):,} prompts, {len(set(part.templates))} templates, "
        f"{len(set(joined))} with twins joined\n\n| labels | miner | {' | '.join(FIGURES)} | groups |\n"
        f"|{'---|' * (len(FIGURES) + 3)}",
    )
    oracle = {"oracle of joined templates": joined}
    for labels, true, miners in (
        ("twins joined", joined, found),
        ("as they are", part.templates, {**found, **oracle}),
    ):
        for name, groups in miners.items():
            numbers = codes(groups)
            sums = template_sums(codes(true), numbers)
            cells = " | ".join(
                cell(*row) for row in zip(FIGURES, figures(sums.sum(axis=0)), *bounds(sums), strict=True)
            )
            print(f"| {labels} | {name} | {cells} | {len(np.unique(numbers)):,} |", flush=True)


def cell(name: str, value: float, low: float, high: float) -> str:
    """Return a figure in words, with its bounds where they are given."""
    return f"{value:.3f}" + (f" [{low:.2f}, {high:.2f}]" if name in _BOUNDED else "")


def logs(folder: Path) -> None:
    """Print GA and FGA of every system, and their averages."""
    systems = {name: read_log(folder, name) for name in SYSTEMS}
    settings = [DrainSetting(), DrainSetting(masked=True)]
    tried = {
        setting: log_figures(systems, partial(drain3_groups, setting=setting))
        for setting in (*GRID, *(replace(setting, masked=True) for setting in GRID))
    }
    settings.append(max(tried, key=lambda setting: float(tried[setting].mean())))
    names = ("Drain3 as it stands", "Drain3 with masks", "Drain3, best of the grid on these logs")
    table = {"Ringfence": log_figures(systems, our_groups)}
    for name, setting in zip(names, settings, strict=True):
        table[f"{name} ({setting})"] = tried[setting]
    print("GA / FGA.\n")
    print(f"| system | {' | '.join(table)} |\n|{'---|' * (len(table) + 1)}")
    for row, system in enumerate(SYSTEMS):
        print(f"| {system} | {' | '.join(pair(rates[row]) for rates in table.values())} |")
    print(f"| **average** | {' | '.join(f'**{pair(rates.mean(axis=0))}**' for rates in table.values())} |")


def read_log(folder: Path, system: str) -> Labelled:
    """Return one system's messages with their true events."""
    file = folder / f"{system}_2k.log_structured_corrected.csv"
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    return Labelled(rows["Content"].tolist(), rows["EventId"].tolist())


def log_figures(systems: Mapping[str, Labelled], miner: Grouping) -> Reals:
    """Return GA and FGA of each system, mined alone; shape: ``(systems, 2)``."""
    return np.array([measure(part.templates, miner(part.prompts))[-2:] for part in systems.values()])


def pair(rates: Reals) -> str:
    """Return GA and FGA in words."""
    return f"{rates[0]:.3f} / {rates[1]:.3f}"
