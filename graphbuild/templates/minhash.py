"""A first miner: prompts that have half of their words in common have one template.

MinHash sketches (Broder 1997) in LSH bands find the template whose first prompt a new one resembles;
where there is none, the prompt founds a template of its own. Ids therefore depend on the order in
which prompts come; for one order they are always the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.graphbuild.templates.masking import masked_words

_BANDS, _ROWS = 16, 4
_RESEMBLANCE = 0.5
_SLOT = "▢"
_WORDS_REMEMBERED = 1 << 16
_HALF = np.uint64(32)


@dataclass(slots=True)
class _Template:
    template_id: str
    sketch: npt.NDArray[np.uint32]
    """shape: ``(bands × rows,)``."""
    words: list[str]
    common: set[str]
    """Words that every prompt seen so far has: all that a skeleton may show."""
    accounts: set[str] = field(default_factory=set)
    """The first accounts that sent it, no more than are needed to know that they are enough."""


class MinHashMiner:
    """Implements :class:`~ringfence.graphbuild.templates.protocol.TemplateMiner`.

    Args:
        least_accounts: A skeleton is told only when at least so many accounts sent it.
    """

    def __init__(self, least_accounts: int = 3) -> None:
        self._least_accounts = least_accounts
        random = np.random.default_rng(0)
        # Multiply-shift hashing (Dietzfelbinger et al. 1997), modulo 2**64: factors are odd and of full
        # width, since with small ones the rows of a sketch agree or disagree all at once.
        self._factors = random.integers(0, 1 << 63, (_BANDS * _ROWS, 1), dtype=np.uint64) * 2 + 1
        self._known: dict[bytes, _Template | None] = {}
        self._bands: list[dict[bytes, _Template]] = [{} for _ in range(_BANDS)]
        self._templates: dict[str, _Template] = {}

    def __call__(self, system: pa.Array | None, prompt: pa.Array | None, accounts: pa.Array) -> pa.Array:
        """Return a template id a row: of the system prompt where there is one, else of the prompt."""
        none = [None] * len(accounts)
        systems = none if system is None else system.to_pylist()
        prompts = none if prompt is None else prompt.to_pylist()
        found = []
        for first, second, account in zip(systems, prompts, accounts.to_pylist(), strict=True):
            template = self._template(first or second or "")
            if template and account and len(template.accounts) < self._least_accounts:
                template.accounts.add(account)
            found.append(template.template_id if template else None)
        return pa.array(found, pa.string())

    def skeletons(self) -> pa.Table:
        """Return template_id and skeleton, words that vary shown as ``▢``."""
        told = [t for t in self._templates.values() if len(t.accounts) >= self._least_accounts]
        return pa.table(
            {
                "template_id": pa.array([t.template_id for t in told], pa.string()),
                "skeleton": pa.array([_skeleton(t) for t in told], pa.string()),
            }
        )

    def _template(self, text: str) -> _Template | None:
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key not in self._known:
            self._known[key] = self._place(masked_words(text))
        return self._known[key]

    def _place(self, words: list[str]) -> _Template | None:
        if not words:
            return None
        sketch = self._sketch(words)
        keys = _band_keys(sketch)
        near = {t.template_id: t for band, key in zip(self._bands, keys, strict=True) if (t := band.get(key))}
        agreeing, _, best = max(
            ((np.count_nonzero(t.sketch == sketch), name, t) for name, t in near.items()),
            default=(0, "", None),
        )
        if best and agreeing >= _RESEMBLANCE * len(sketch):
            best.common.intersection_update(words)
            return best
        return self._found(words, sketch, keys)

    def _found(self, words: list[str], sketch: npt.NDArray[np.uint32], keys: list[bytes]) -> _Template:
        digest = hashlib.blake2b(" ".join(words).encode(), digest_size=6).hexdigest()
        template = _Template(f"t-{digest}", sketch, words, set(words))
        # The same words come here twice where older templates hold all their bands.
        template = self._templates.setdefault(template.template_id, template)
        for band, key in zip(self._bands, keys, strict=True):
            band.setdefault(key, template)
        return template

    def _sketch(self, words: list[str]) -> npt.NDArray[np.uint32]:
        """Return the MinHash sketch of the set of words; shape: ``(bands × rows,)``."""
        hashes = np.fromiter(map(_word_hash, set(words)), np.uint64)
        lowest = (self._factors * hashes).min(axis=1)
        return np.asarray(lowest >> _HALF, np.uint32)


def _band_keys(sketch: npt.NDArray[np.uint32]) -> list[bytes]:
    raw, width = sketch.tobytes(), _ROWS * sketch.itemsize
    return [raw[start : start + width] for start in range(0, len(raw), width)]


@lru_cache(_WORDS_REMEMBERED)
def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())


def _skeleton(template: _Template) -> str:
    shown: list[str] = []
    for word in template.words:
        piece = word if word in template.common else _SLOT
        if piece != _SLOT or shown[-1:] != [_SLOT]:
            shown.append(piece)
    return " ".join(shown)
