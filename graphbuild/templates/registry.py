"""Templates that have been found: what they are known by, how prompts are matched to them, their file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.errors import InputError
from ringfence.graphbuild.templates import cover
from ringfence.graphbuild.templates.discover import Mined, MiningSettings
from ringfence.graphbuild.templates.public import is_public
from ringfence.graphbuild.templates.shingles import Shingles
from ringfence.graphbuild.templates.skeleton import Sample, Told

FILE = "templates.parquet"
_FORMAT = b"1"
_SCHEMA = pa.schema(
    {
        "template_id": pa.string(),
        "alias_of": pa.string(),
        "shingles": pa.list_(pa.uint64()),
        "within": pa.list_(pa.string()),
        "worth": pa.float64(),
        "prompts": pa.int64(),
        "skeleton": pa.string(),
    }
)


@dataclass(slots=True)
class Template:
    """A template as prompts are matched to it."""

    template_id: str
    shingles: npt.NDArray[np.uint64]
    """Sorted; shape: ``(shingles,)``."""
    worth: float
    """How wide-spread it is and how varied the text around it."""
    sample: Sample
    """Wording that may be shown once enough accounts have sent it."""
    within: set[str] = field(default_factory=set)
    """Ids of the templates that it occurs only within."""
    prompts: int = 0
    """Requests that named it."""


class Registry:
    """Templates by number and by id; ids that were merged away live on as aliases."""

    def __init__(self, settings: MiningSettings, least_accounts: int = 3) -> None:
        self._settings, self._least_accounts = settings, least_accounts
        self.templates: list[Template] = []
        self.aliases: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._index: _Index | None = None

    def number(self, template_id: str) -> int:
        """Return the number of a template that is known by this id or was."""
        return self._numbers[self.aliases.get(template_id, template_id)]

    def add(self, template: Template) -> int:
        """Add a template and return its number; one with its id keeps its place and its wording."""
        known = self._numbers.get(self.aliases.get(template.template_id, template.template_id))
        if known is not None:
            return known
        self._numbers[template.template_id] = len(self.templates)
        self.templates.append(template)
        self._index = None
        return len(self.templates) - 1

    def learn(self, mined: Mined, known: list[int], fresh: list[Template]) -> list[int]:
        """Take in what a window taught; return the number of each of its templates.

        Args:
            mined: What was found.
            known: Numbers of the templates that were known to it, in its order.
            fresh: The others, in its order.
        """
        for number, shingles in zip(known, mined.sets, strict=False):
            self.templates[number].shingles = shingles
        numbers = [*known, *(self.add(template) for template in fresh)]
        for outer, inner in zip(mined.parents.tolist(), mined.children.tolist(), strict=True):
            inside = self.templates[numbers[inner]]
            if numbers[outer] != numbers[inner]:
                inside.within.add(self.templates[numbers[outer]].template_id)
        self._merge(known)
        self._index = None
        return [self.number(self.templates[n].template_id) for n in numbers]

    def told(self) -> list[Told]:
        """Return what may be said of the templates that have not been merged into others."""
        live = [t for t in self.templates if t.template_id not in self.aliases]
        return [
            Told(t.template_id, t.prompts, t.sample.skeleton(t.shingles), is_public(t.shingles)) for t in live
        ]

    def match(self, shingles: Shingles) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the template that each text names, -1 where there is none, and how well it fits, 0..1."""
        if not self.templates:
            return np.full(len(shingles), -1, np.int64), np.zeros(len(shingles))
        if self._index is None:
            self._index = _Index(self.templates, self._live(), self._numbers)
        return self._index.match(shingles, self._settings)

    def _live(self) -> npt.NDArray[np.bool_]:
        return np.array([t.template_id not in self.aliases for t in self.templates])

    def _merge(self, numbers: list[int]) -> None:
        """Make templates one that have become the same; the one that has been there longer keeps its id."""
        first: dict[bytes, Template] = {}
        for number in sorted(numbers):
            template = self.templates[number]
            if template.template_id not in self.aliases:
                earlier = first.setdefault(template.shingles.tobytes(), template)
                if earlier is not template:
                    self._alias(template, earlier)

    def _alias(self, gone: Template, into: Template) -> None:
        self.aliases[gone.template_id] = into.template_id
        for old, new in self.aliases.items():
            if new == gone.template_id:
                self.aliases[old] = into.template_id
        self._numbers[gone.template_id] = self._numbers[into.template_id]
        into.prompts += gone.prompts
        into.within |= gone.within - {into.template_id}

    def save(self, folder: Path) -> None:
        """Write the registry; whoever dies while writing leaves the one before.

        Raises:
            OSError: the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        rows = [
            {
                "template_id": t.template_id,
                "alias_of": self.aliases.get(t.template_id),
                "shingles": t.shingles,
                "within": sorted(t.within),
                "worth": t.worth,
                "prompts": t.prompts,
                "skeleton": t.sample.skeleton(t.shingles),
            }
            for t in self.templates
        ]
        table = pa.Table.from_pylist(rows, _SCHEMA.with_metadata({"ringfence.templates": _FORMAT}))
        partial = folder / f".{FILE}.partial"
        with partial.open("wb") as stream:
            pq.write_table(table, stream, compression="zstd")
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path, settings: MiningSettings, least_accounts: int = 3) -> Registry:
        """Read a registry; a folder that has none gives an empty one.

        Args:
            folder: Where it was saved.
            settings: What decides which template a prompt names.
            least_accounts: Accounts that must send wording which was not told yet.

        Raises:
            InputError: the file is no registry, or one of another version.
        """
        registry = cls(settings, least_accounts)
        path = folder / FILE
        if not path.exists():
            return registry
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{path} is damaged: it cannot be read as Parquet.") from error
        if (table.schema.metadata or {}).get(b"ringfence.templates") != _FORMAT:
            raise InputError(f"{path} is no template registry of this version.")
        for row in table.to_pylist():
            template = Template(
                row["template_id"],
                np.array(row["shingles"], np.uint64),
                row["worth"],
                Sample.told(least_accounts, row["skeleton"]),
                set(row["within"]),
                row["prompts"],
            )
            registry._numbers[template.template_id] = len(registry.templates)
            registry.templates.append(template)
            if row["alias_of"] is not None:
                registry.aliases[template.template_id] = row["alias_of"]
        for gone, into in registry.aliases.items():
            registry._numbers[gone] = registry._numbers[into]
        return registry


class _Index:
    """Shingle → templates, for prompts as they stream by."""

    def __init__(
        self, templates: list[Template], live: npt.NDArray[np.bool_], numbers: dict[str, int]
    ) -> None:
        sets = [t.shingles if on else t.shingles[:0] for t, on in zip(templates, live, strict=True)]
        different, places = np.unique(np.concatenate(sets), return_inverse=True)
        bounds = np.cumsum([0, *(len(s) for s in sets)])
        by_template = [places[a:b].astype(np.int32) for a, b in pairwise(bounds)]
        self._inverted = cover.inverted(by_template, different)
        self._keys, self._values = cover.hashed(different)
        self._worth = np.array([t.worth for t in templates])
        pairs = np.array(
            sorted(
                (numbers[outer], k) for k, t in enumerate(templates) for outer in t.within if outer in numbers
            ),
            np.int64,
        ).reshape(-1, 2)
        starts = np.searchsorted(pairs[:, 0], np.arange(len(templates) + 1)).astype(np.int64)
        self._kin = cover.Kinship(self._worth, starts, pairs[:, 1].copy())

    def match(
        self, shingles: Shingles, settings: MiningSettings
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        numbers = cover.lookup(self._keys, self._values, shingles.hashes)
        pairs = cover.following(numbers, shingles.starts, self._inverted, settings.need)
        names, places = cover.named(len(shingles), pairs, self._worth, self._kin, settings.cap)
        return names, cover.fit(places, pairs, self._inverted)
