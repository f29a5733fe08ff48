"""What may be shown of a template: wording that several accounts sent, with slots where prompts differ."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.graphbuild.templates.masking import masked
from ringfence.graphbuild.templates.shingles import SECRET, located

SLOT = "▢"
_NUMBER = re.compile(r"\b0\b")


@dataclass(frozen=True, slots=True)
class Told:
    """What may be said of a template."""

    template_id: str
    prompts: int
    """Prompts that go by it."""
    skeleton: str | None
    """Its wording; None where too few accounts sent it."""
    public: bool
    """Whether its wording is that of a public prompt."""


@dataclass(slots=True)
class Sample:
    """A masked prompt of a template, and which of its shingles other accounts' prompts have, too.

    Nothing of it is shown before ``least`` accounts have sent the template, and then only wording that the
    prompts of so many accounts have: what one account alone repeats, its name, say, stays unseen. All strings
    that are too long for a word count as the same one, so none is shown.
    """

    least: int
    accounts: list[str] = field(default_factory=list)
    _text: str = ""
    _common: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    _told: str | None = None

    @classmethod
    def told(cls, least: int, skeleton: str | None) -> Sample:
        """Return a sample that shows what was shown before; without that it starts anew."""
        return cls(least, _told=skeleton)

    @property
    def open(self) -> bool:
        """Whether more accounts are needed."""
        return self._told is None and len(self.accounts) < self.least

    def add(self, account: str, text: str, hashes: npt.NDArray[np.uint64]) -> None:
        """Take in a prompt that an account sent.

        Args:
            account: Who sent it.
            text: Masked.
            hashes: Its shingles; shape: ``(shingles,)``.
        """
        if not self.open or account in self.accounts:
            return
        if self.accounts:
            self._common = np.intersect1d(self._common, hashes)
        else:
            self._text, self._common = text, np.unique(hashes)
        self.accounts.append(account)

    @property
    def common(self) -> npt.NDArray[np.uint64]:
        """Shingles that the prompts of all these accounts have; sorted, shape: ``(shingles,)``."""
        return self._common

    def skeleton(self, shingles: npt.NDArray[np.uint64] | None = None) -> str | None:
        """Return the wording with ``▢`` for slots; None where too few accounts sent it.

        Args:
            shingles: Of the template; shape: ``(shingles,)``. None: all that the accounts have in common.
        """
        if self._told is not None or self.open or not self.accounts:
            return self._told
        found, spans = located(pa.array([self._text]))
        shown = self._common if shingles is None else np.intersect1d(self._common, shingles)
        fixed = spans[np.isin(found.hashes, shown) & (found.hashes & np.uint64(SECRET) == 0)]
        return _NUMBER.sub("<number>", _with_slots(self._text, merged(fixed)))


def show(prompts: Iterable[tuple[Sample, str | None, str | None]]) -> None:
    """Show prompts to samples that may need them.

    Args:
        prompts: Sample, account and text of each; without an account or a text it shows nothing.
    """
    needed: list[tuple[Sample, str, str]] = []
    senders: dict[int, set[str]] = {}
    for sample, account, text in prompts:
        known = senders.setdefault(id(sample), set(sample.accounts))
        if sample.open and len(known) < sample.least and account and text and account not in known:
            known.add(account)
            needed.append((sample, account, masked(text)))
    shingles, _ = located(pa.array([text for *_, text in needed], pa.string()))
    for row, (sample, account, text) in enumerate(needed):
        sample.add(account, text, shingles.hashes[shingles.starts[row] : shingles.starts[row + 1]])


def merged(spans: npt.NDArray[np.int32]) -> list[tuple[int, int]]:
    """Return spans, sorted by their beginnings, with those that touch or overlap made one."""
    out: list[tuple[int, int]] = []
    for start, end in spans.tolist():
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def slots(text: str, fixed: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what lies between fixed spans and is more than space: the slots of a prompt, in characters."""
    out, at = [], 0
    for start, end in [*fixed, (len(text), len(text))]:
        if text[at:start].strip():
            out.append((at, start))
        at = end
    return out


def _with_slots(text: str, fixed: list[tuple[int, int]]) -> str:
    pieces, at = [], 0
    for start, end in [*fixed, (len(text), len(text))]:
        between = text[at:start]
        pieces += [SLOT.join(_space_around(between)) if between.strip() else between, text[start:end]]
        at = end
    return "".join(pieces).strip()


def _space_around(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
