"""Worlds for the benchmarks of linkage: made or found, loaded, with their sightings and what was planted."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from ringfence.config import DEFAULT_SEED, LinkSettings
from ringfence.engine import connect
from ringfence.files import Workspace
from ringfence.graphbuild.build import build_addresses, build_sightings, sightings_path
from ringfence.graphbuild.linkage.build import Linked, LinkSources, link_accounts
from ringfence.graphbuild.linkage.indicators import HIT_COLUMNS
from ringfence.graphbuild.placement import place_accounts
from ringfence.graphbuild.templates.describe import public_templates
from ringfence.graphbuild.templates.miner import PromptMiner
from ringfence.loaders.discover import discover
from ringfence.loaders.load import canonical_table, load_tables
from ringfence.worlds.make import WorldRequest, make_world


@dataclass(frozen=True)
class Prepared:
    """A world with everything that stands before links."""

    engine: Any
    work: Workspace
    folder: Path
    """Where the truth is."""
    public: list[str]
    rows: dict[str, int]
    between: Path
    """For what lies between the steps."""
    numbers: Iterator[int]
    """Counts up."""

    def tables(self, name: str) -> Any:
        """Return a canonical table."""
        return canonical_table(self.engine, self.work, name)

    def seen(self, name: str) -> Any:
        """Return the sightings of an entity type."""
        return self.engine.read_parquet(str(sightings_path(self.work, name)))

    def addresses(self) -> Any:
        """Return what is known of addresses."""
        return self.engine.read_parquet(str(self.work.links / "addresses.parquet"))

    def scratch(self) -> Path:
        """Return a folder that is not there yet."""
        return self.between / f"{next(self.numbers):03}"

    def told(self) -> str:
        """Return its size in words."""
        return ", ".join(f"{rows:,} {name}" for name, rows in self.rows.items() if rows > 1000)

    def link(self, settings: LinkSettings) -> tuple[pd.DataFrame, Linked]:
        """Link its accounts; no indicator is known."""
        hits = pd.DataFrame(columns=list(HIT_COLUMNS))
        present = frozenset(name for name, rows in self.rows.items() if rows)
        sources = LinkSources(
            self.tables, self.seen, self.addresses(), self.public, self.rows["accounts"], hits, present
        )
        folder = self.scratch()
        folder.mkdir(parents=True)
        path = folder / "links.parquet"
        linked = link_accounts(self.engine, sources, path, folder / "steps", settings)
        return pd.read_parquet(path), linked

    def communities(self, links: pd.DataFrame, settings: LinkSettings) -> np.ndarray:
        """Return the community of each account of :attr:`truth`; -1 for none of the least size."""
        found = place_accounts(
            self.engine,
            ibis.memtable(pa.Table.from_pandas(links, preserve_index=False)),
            pa.array(self.truth["account_id"], pa.string()),
            self.scratch(),
            resolution=settings.resolution,
            seed=DEFAULT_SEED,
        ).community
        size = np.bincount(found[found >= 0], minlength=1)
        return np.where((found >= 0) & (size[found] >= settings.least_size), found, -1)

    @cached_property
    def truth(self) -> pd.DataFrame:
        """Who belongs to what, by account id, and ``own``: the ring, else the innocent group."""
        truth = pd.read_parquet(self.folder / "truth/accounts.parquet").sort_values("account_id")
        own = truth["ring"].where(truth["ring"].notna(), "innocent " + truth["group"].astype(str))
        return truth.assign(own=own).reset_index(drop=True)


def made(place: Path, scenario: str, scale: float, seed: int, prompts: Path | None) -> Path:
    """Make a world unless it is there; return its folder."""
    folder = place / f"{scenario}-{scale:g}-{seed}"
    if not folder.exists():
        make_world(folder, WorldRequest(scenario, scale, seed, prompts=prompts), workers=2)
    return folder


def prepare(folder: Path, work: Path, memory: str, threads: int) -> Prepared:
    """Load a world and see who was seen with what, unless ``work``, or the world's own folder, has it."""
    # A folder in which a run has left its work is as good.
    root = folder if (folder / "work/links/addresses.parquet").is_file() else work
    space = Workspace(root / "work")
    engine = connect(work / "spill", memory)
    engine.con.execute("SET threads = ?", [threads])
    if not (root / "rows.json").is_file():
        _load(folder, root, space, engine)
    public, rows = (json.loads((root / name).read_text()) for name in ("public.json", "rows.json"))
    return Prepared(engine, space, folder, public, rows, work / "between", itertools.count())


def _load(folder: Path, root: Path, space: Workspace, engine: Any) -> None:
    miner = PromptMiner(wordings=True)
    loaded = load_tables(engine, discover(folder / "input", ()), space, miner)
    tables = partial(canonical_table, engine, space)
    build_sightings(engine, tables, space)
    build_addresses(engine, tables, space)
    (root / "public.json").write_text(json.dumps(sorted(public_templates(miner.told()))))
    (root / "rows.json").write_text(json.dumps(dict(loaded.rows)))
