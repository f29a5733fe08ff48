"""How well pairs of requests of one template are found in simulated worlds.

A world is made whose provider logs true templates. Its prompts, those of the system and the user, are mined
as ``ringfence run`` mines them, file by file, and the log's own ids are not looked at. A request's true
template is that of its system prompt where there is one, else of its prompt. A request for which no id is
found is a group of its own.

Ours are told in three ways: *wordings*, which a run links accounts by; *templates* alone; and *families* of
wordings that say the same, where a wording may be told, that is, three accounts sent it. Peers are given the
very text that the true template is of, so they need not choose between system prompt and prompt: exact
text after common masking, and MinHash-LSH, with the setting chosen on the T0 prompts and with whichever
threshold has the highest pair F1 on these very requests, which favours it. Both see each text once; equal
texts are of one group with both.

Most pairs of a world are of few popular templates (system prompts that frameworks come with), so figures are
also given without templates that more than one request in a hundred has, for requests of campaigns, and per
language of the account. These are pairs within the part; what is confused with requests outside counts
only in the whole.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from template_peers import LSH_GRID, MASKS, lsh_groups, sketches
from template_quality import cell
from template_scores import FIGURES, bounds, codes, figures, template_sums

from ringfence.graphbuild.templates.describe import describe
from ringfence.graphbuild.templates.miner import PromptMiner
from ringfence.worlds.make import World, WorldRequest, make_world
from ringfence.worlds.scenarios import GATE, REPORT, TUNING_SEEDS

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Groups = Mapping[str, Ints]
"""Name of a grouping → the group of each request; shape: ``(n,)``."""

LSH_ON_T0 = (256, 0.2)
"""Permutations and threshold that the benchmark ``quality`` chooses on the tuned half of the T0 prompts."""
PERMUTATIONS = 128
"""Of MinHash-LSH where its best threshold is sought."""
POPULAR = 0.01
"""Share of all requests that a popular template has."""

_PRECISION, _RECALL, _F1 = (FIGURES.index(name) for name in ("precision", "recall", "pair F1"))
_TEXT = ("system_prompt", "prompt", "account_id")


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of a world, in the order in which a run reads them."""

    batches: Sequence[pa.Table]
    """``system_prompt``, ``prompt`` and ``account_id``, a table a file."""
    true: Ints
    """True templates, numbered from 0; shape: ``(n,)``."""
    parts: Mapping[str, npt.NDArray[np.bool_]]
    """What figures are told of → which requests are of it; shape: ``(n,)``."""

    @property
    def texts(self) -> list[str]:
        """The text that each true template is of."""
        return [
            text or ""
            for batch in self.batches
            for text in pc.coalesce(batch["system_prompt"], batch["prompt"]).to_pylist()
        ]


def worlds(scenario: str, scale: float, seed: int, real: Path) -> None:
    """Print the figures of two worlds: one of made sentences, one that is filled with real prompts.

    Args:
        scenario: One that may be tuned on.
        scale: 1 is 2,024,000 accounts.
        seed: One that may be tuned on.
        real: Folder of real prompts.

    Raises:
        ValueError: The world is kept for the gate or for reports.
    """
    if scenario in (*GATE, *REPORT) or seed not in TUNING_SEEDS:
        raise ValueError(f"scenario {scenario}, seed {seed}: kept for the gate or for reports")
    print(
        f"Scenario {scenario}, scale {scale:g}, seed {seed}. "
        "In brackets: 95% bootstrap bounds, drawing true templates."
    )
    for title, prompts in (("Made sentences", None), ("Filled with real prompts", real)):
        with tempfile.TemporaryDirectory() as folder:
            request = WorldRequest(scenario, scale, seed, prompts=prompts, labels=False, template_ids=True)
            requests = read(make_world(Path(folder) / "world", request))
        print_figures(title, requests, {**ours(requests), **peers(requests)})


def read(world: World) -> Requests:
    """Return the requests of a world whose provider logs template ids."""
    files = sorted((world.input / "requests").glob("*.parquet"))
    tables = [pq.read_table(file) for file in files]
    distilling = [pq.read_table(world.truth / "requests" / file.name)["distilling"] for file in files]
    accounts = pq.read_table(world.truth / "accounts.parquet")
    whole = pa.concat_tables(tables)
    spoken = accounts["language"].take(pc.index_in(whole["account_id"], accounts["account_id"]))
    true = codes(whole["template_id"].to_pylist())
    parts = {
        "all requests": np.ones(len(true), np.bool_),
        "without popular templates": np.bincount(true)[true] <= POPULAR * len(true),
        "campaigns": np.concatenate([part.to_numpy() for part in distilling]),
        **{name: pc.equal(spoken, name).to_numpy() for name in sorted(spoken.unique().to_pylist())},
    }
    return Requests([table.select(_TEXT) for table in tables], true, parts)


def ours(requests: Requests) -> dict[str, Ints]:
    """Return what Ringfence finds: wordings, templates, families of wordings."""
    wordings, miner = mined(requests, PromptMiner(wordings=True))
    told = describe(miner.told())
    told = told[told["family"].notna()]
    family = dict(zip(told["template_id"], told["family"], strict=True))
    templates, _ = mined(requests, PromptMiner())
    return {
        "Ringfence, wordings": codes(wordings),
        "Ringfence, templates": codes(templates),
        "Ringfence, families": codes(None if name is None else family.get(name, name) for name in wordings),
    }


def mined(requests: Requests, miner: PromptMiner) -> tuple[list[str | None], PromptMiner]:
    """Return the id of each request, and the miner when all is mined."""
    keys = [miner(*(batch[name].combine_chunks() for name in _TEXT)) for batch in requests.batches]
    miner.finish()
    return [name for part in keys for name in miner.resolve(part).to_pylist()], miner


def peers(requests: Requests) -> dict[str, Ints]:
    """Return what exact text after masking and MinHash-LSH find."""
    texts = requests.texts
    distinct = list(dict.fromkeys(texts))
    place = {text: number for number, text in enumerate(distinct)}
    of = np.array([place[text] for text in texts])
    found = {"exact, masked": codes(map(masked, distinct))[of]}
    made = {count: sketches(distinct, count) for count in {LSH_ON_T0[0], PERMUTATIONS}}
    tried = {
        (count, threshold): lsh_groups(made[count], threshold)[of]
        for count, threshold in LSH_GRID
        if count == PERMUTATIONS or (count, threshold) == LSH_ON_T0
    }
    best = max(tried, key=lambda setting: float(measured(requests.true, tried[setting])[_F1]))
    for name, (count, threshold) in (("as on T0", LSH_ON_T0), ("best here", best)):
        title = f"MinHash-LSH, {name} (threshold {threshold:g}, {count} permutations)"
        found[title] = tried[count, threshold]
    return found


def masked(text: str) -> str:
    """Return a text with what is commonly masked in logs replaced, and its white space evened out."""
    for pattern, name in MASKS:
        text = re.sub(pattern, f"<{name}>", text)
    return " ".join(text.split())


def measured(true: Ints, found: Ints) -> Reals:
    """Return all figures; shape: ``(6,)``."""
    rates: Reals = figures(template_sums(true, found).sum(axis=0))
    return rates


def print_figures(title: str, requests: Requests, found: Groups) -> None:
    """Print the figures of the whole, and pair figures of its parts."""
    count, templates = len(requests.true), len(np.unique(requests.true))
    print(
        f"\n**{title}**: {count:,} requests, {templates:,} true templates\n\n"
        f"| grouping | {' | '.join(FIGURES)} | groups |\n|{'---|' * (len(FIGURES) + 2)}"
    )
    for name, groups in found.items():
        sums = template_sums(requests.true, groups)
        cells = map(cell, FIGURES, figures(sums.sum(axis=0)), *bounds(sums))
        print(f"| {name} | {' | '.join(cells)} | {len(np.unique(groups)):,} |")
    print("\nPairs: precision / recall / F1.\n")
    print(f"| part | requests | templates | {' | '.join(found)} |\n|{'---|' * (len(found) + 3)}")
    for part, rows in requests.parts.items():
        true = codes(requests.true[rows].tolist())
        told = (pairs(true, codes(groups[rows].tolist())) for groups in found.values())
        print(f"| {part} | {len(true):,} | {len(np.unique(true)):,} | {' | '.join(told)} |", flush=True)


def pairs(true: Ints, found: Ints) -> str:
    """Return precision, recall and F1 of pairs in words."""
    rates = measured(true, found)
    return " / ".join(f"{rates[column]:.3f}" for column in (_PRECISION, _RECALL, _F1))
