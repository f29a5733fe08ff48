"""Prompts that everybody can find: judge prompts, instruction sets, jailbreaks from public collections.

Accounts that send the same public prompt need not know each other. A list of fingerprints ships with the
package: of each prompt a few hashes of shingles, from which no text can be read.
``benchmarks/public_prompts.py`` makes it.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.graphbuild.templates.shingles import CLOSES, OPENS, shingled

SAMPLED = 6
"""Shingles of a fingerprint: those with the least hashes, which only the text decides (Broder 1997)."""

_FEWEST = 6
_CONTAINED = 0.7
_OWN = 2.0
_FILE = "public.parquet"


def fingerprint(text: str) -> tuple[npt.NDArray[np.uint64], int]:
    """Return the fingerprint of a prompt, empty where it is too short, and how many shingles it has."""
    hashes = np.unique(shingled(pa.array([text])).hashes)
    inner = hashes[(hashes & np.uint64(OPENS | CLOSES)) == 0]
    if len(inner) < _FEWEST:
        return inner[:0], len(inner)
    return inner[:SAMPLED], len(inner)


def is_public(shingles: npt.NDArray[np.uint64], *, whole: bool = False) -> bool:
    """Return whether the wording of a public prompt is most of a template's wording.

    Args:
        shingles: Of the template; shape: ``(shingles,)``.
        whole: These are of a whole prompt, what it was filled with included, so that it is enough if a public
            prompt is within it.
    """
    hashes, prompts, sizes, lengths = _fingerprints()
    first = np.searchsorted(hashes, shingles, side="left")
    last = np.searchsorted(hashes, shingles, side="right")
    met = [prompts[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True) if b > a]
    if not met:
        return False
    found = np.bincount(np.concatenate(met), minlength=len(sizes))
    return bool(np.any((found >= _CONTAINED * sizes) & (whole | (len(shingles) <= _OWN * lengths))))


@lru_cache(1)
def _fingerprints() -> tuple[
    npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]
]:
    """Return all hashes, sorted; the prompt of each; of each prompt its hashes listed and its shingles."""
    path = files("ringfence.graphbuild.templates").joinpath(_FILE)
    with path.open("rb") as stream:
        table = pq.read_table(pa.BufferReader(stream.read()))
    lists = table["shingles"].combine_chunks()
    hashes = lists.flatten().to_numpy(zero_copy_only=False).astype(np.uint64)
    sizes = np.diff(lists.offsets.to_numpy()).astype(np.int64)
    order = np.argsort(hashes, kind="stable")
    lengths = table["length"].to_numpy().astype(np.int64)
    return hashes[order], np.repeat(np.arange(len(sizes)), sizes)[order], sizes, lengths
