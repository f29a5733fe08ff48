"""Ringfence's template miner and two peers, each as a function from prompts to groups.

The peers are no part of the package and are installed apart: ``pip install drain3 datasketch``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array  # type: ignore[import-untyped, unused-ignore]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped, unused-ignore]

if TYPE_CHECKING:
    from datasketch import MinHash  # type: ignore[import-untyped, import-not-found, unused-ignore]

Ints = npt.NDArray[np.int64]
Prompts = tuple[pa.Array, pa.Array]
"""A batch of prompts, and the accounts that sent them."""

BATCH = 8192
SHINGLE = 3
"""Words a shingle of MinHash-LSH."""
_THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LSH_GRID = tuple((permutations, threshold) for permutations in (64, 128, 256) for threshold in _THRESHOLDS)
"""Permutations and threshold."""
MASKS = (
    (r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])", "IP"),
    (r"(?<![\w])(?:0[xX])?[0-9a-fA-F]*\d[0-9a-fA-F]{7,}(?![\w])", "HEX"),
    (r"(?<![\w])[-+]?\d+(?:\.\d+)?(?![\w])", "NUM"),
)
"""What is commonly masked in logs: addresses, long hexadecimal numbers, numbers."""


@dataclass(frozen=True, slots=True)
class DrainSetting:
    """A setting of Drain3; what is not named here stands as Drain3 has it."""

    sim_th: float = 0.4
    depth: int = 4
    masked: bool = False
    """Whether :data:`MASKS` are set; Drain3 masks nothing by itself."""

    def __str__(self) -> str:
        return f"sim_th {self.sim_th:g}, depth {self.depth}{', masks' if self.masked else ''}"


GRID = tuple(
    DrainSetting(sim_th, depth)
    for sim_th in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    for depth in (3, 4, 5, 6, 8, 12)
)
DRAIN_ON_T0 = DrainSetting(0.05, 4)
"""The best of :data:`GRID` on the tuned half of the T0 prompts."""


def ours(parts: Iterable[Prompts]) -> Iterator[pa.Array]:
    """Mine prompts with Ringfence as it stands; there is one setting for everything.

    Yields:
        The template ids of each batch, once the last one was mined; null where a prompt has no template.
    """
    from ringfence.graphbuild.templates.miner import PromptMiner

    miner = PromptMiner(least_accounts=3)
    keys = [miner(None, prompts, accounts) for prompts, accounts in parts]
    miner.finish()
    yield from map(miner.resolve, keys)


def our_groups(prompts: Sequence[str]) -> list[str | None]:
    """Return Ringfence's template id of each prompt, None where it has none."""
    return [name for ids in ours(batches(prompts)) for name in ids.to_pylist()]


def batches(prompts: Sequence[str]) -> Iterator[Prompts]:
    """Cut prompts into batches; each prompt comes from an account of its own."""
    for start in range(0, len(prompts), BATCH):
        cut = prompts[start : start + BATCH]
        accounts = [f"account_{number}" for number in range(start, start + len(cut))]
        yield pa.array(cut, pa.string()), pa.array(accounts)


def drain3_groups(prompts: Iterable[str], setting: DrainSetting) -> list[int]:
    """Return Drain3's cluster of each prompt (He et al. 2017)."""
    from drain3 import TemplateMiner  # type: ignore[import-untyped, import-not-found, unused-ignore]
    from drain3.masking import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
        MaskingInstruction,
    )
    from drain3.template_miner_config import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
        TemplateMinerConfig,
    )

    config = TemplateMinerConfig()
    config.drain_sim_th, config.drain_depth = setting.sim_th, setting.depth
    if setting.masked:
        config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    miner = TemplateMiner(config=config)
    return [miner.add_log_message(text)["cluster_id"] for text in prompts]


def sketches(prompts: Iterable[str], permutations: int) -> list[MinHash]:
    """Return the MinHash (Broder 1997) of the word 3-shingles of each prompt, as datasketch makes it.

    Shingles are hashed by BLAKE2b, which is faster than datasketch's SHA-1 and changes nothing else.
    """
    from datasketch import MinHash

    empty = MinHash(permutations, seed=1, hashfunc=_hash32)
    made = []
    for text in prompts:
        words = text.split()
        last = max(1, len(words) - SHINGLE + 1)
        sketch = empty.copy()
        sketch.update_batch({" ".join(words[n : n + SHINGLE]).encode() for n in range(last)})
        made.append(sketch)
    return made


def lsh_groups(made: Sequence[MinHash], threshold: float) -> Ints:
    """Return the connected components of prompts that share a band of datasketch's MinHash-LSH.

    Buckets are read as they stand: to query each prompt instead would give the same components, and take time
    by the square of a bucket's size.
    """
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold, len(made[0]))
    for number, sketch in enumerate(made):
        index.insert(number, sketch, check_duplication=False)
    edges = [
        edge
        for table in index.hashtables
        for bucket in table.keys()  # noqa: SIM118 - no mapping, though it has keys
        for edge in pairwise(table.get(bucket))
    ]
    start, end = np.array(edges, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(start)), (start, end)), (len(made), len(made)))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _hash32(value: bytes) -> int:
    return int.from_bytes(blake2b(value, digest_size=4).digest(), "little")
