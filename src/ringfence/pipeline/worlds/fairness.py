"""Country and language swapped, and the same decisions wanted: a world run again with other ones."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ringfence.config import Settings
from ringfence.engine import connect
from ringfence.errors import InputError
from ringfence.files import check_apart
from ringfence.pipeline.asof import write_canonical
from ringfence.pipeline.run import NO_STORE, RunRequest, run
from ringfence.progress import Tick, silent
from ringfence.records import Decision, Role
from ringfence.schema import TABLES
from ringfence.worlds.baselines.tables import open_tables
from ringfence.worlds.score.findings import Findings, read_findings
from ringfence.worlds.score.truth import read_truth


@dataclass(frozen=True, slots=True)
class Changed:
    """What became otherwise when an attribute was swapped."""

    attribute: str
    """``country`` or ``language``."""
    accounts: int
    """How many were compared."""
    named: int
    """How many of them a flagged cluster named before; where it is 0, that nothing changed says little."""
    changed: tuple[str, ...]
    """Accounts whose decision changed: that of their community, or whether it names them."""
    largest_score_change: float
    """The most that any account's score changed."""

    @property
    def fair(self) -> bool:
        """Whether no decision changed."""
        return not self.changed


@dataclass(frozen=True, slots=True)
class Swap:
    """What became otherwise when countries were swapped, and languages where the world has a twin."""

    swaps: tuple[Changed, ...]

    @property
    def fair(self) -> bool:
        """Whether no decision changed."""
        return all(swap.fair for swap in self.swaps)

    def as_json(self) -> dict[str, Any]:
        """Return both as plain JSON values."""
        return {"fair": self.fair, "swaps": [{**asdict(swap), "fair": swap.fair} for swap in self.swaps]}


def fairness_swap(
    world: Path,
    out: Path,
    settings: Settings | None = None,
    scratch: Path | None = None,
    *,
    twin: Path | None = None,
    tick: Tick = silent,
) -> Swap:
    """Run on a world with countries swapped, and on its twin with other languages; compare with ``out``.

    Args:
        world: Folder with ``input`` and ``truth``.
        out: What a run on it with the same settings found.
        settings: Of the runs.
        scratch: Where the swapped world goes; the platform's place for what is temporary where None. Nothing
            is left there.
        twin: The same world with the languages of its prompts rotated, with the same account ids.
        tick: Told how much is done.

    Raises:
        InputError: the world has no two countries, or ``out`` or the twin is not about the same accounts.
        OutputError: the scratch folder and the world lie in each other.
    """
    chosen = settings or Settings()
    truth = read_truth(world)
    before = read_findings(out, truth)
    if scratch is not None:
        check_apart(scratch, world / "input", out)
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".swap-", dir=scratch) as place:
        folder = Path(place)
        _swap_countries(world / "input", folder / "input", chosen.seed)
        inputs = {"country": folder / "input"}
        if twin is not None:
            inputs["language"] = twin / "input"
        swaps = []
        for number, (attribute, swapped) in enumerate(inputs.items(), start=1):
            run(RunRequest(swapped, folder / attribute, neo4j=NO_STORE, settings=chosen))
            swaps.append(compare_findings(attribute, before, read_findings(folder / attribute, truth)))
            shutil.rmtree(folder / attribute)
            tick(number / len(inputs))
    return Swap(tuple(swaps))


def derangement(values: list[str], seed: int) -> dict[str, str]:
    """Return each value's replacement: a cyclic order of all of them, so that none stays what it is.

    Raises:
        InputError: there are fewer than two.
    """
    distinct = sorted(set(values))
    if len(distinct) < 2:
        raise InputError(
            f"The accounts have {len(distinct)} countries; two are the least that can be swapped."
        )
    order = [distinct[n] for n in np.random.default_rng(seed).permutation(len(distinct))]
    return dict(zip(order, order[1:] + order[:1], strict=True))


def compare_findings(attribute: str, before: Findings, after: Findings) -> Changed:
    """Return whose decision differs between two answers about the same accounts.

    An account in no community and one in a benign community have the same decision.
    """
    was, now = _decided(before), _decided(after).reindex(before.accounts["account_id"])
    was = was.reindex(now.index)
    differs = (was["decision"] != now["decision"]) | (was["named"] != now["named"])
    return Changed(
        attribute=attribute,
        accounts=len(was),
        named=int(was["named"].sum()),
        changed=tuple(sorted(was.index[differs])),
        largest_score_change=float((was["score"] - now["score"]).abs().max()),
    )


def _decided(findings: Findings) -> pd.DataFrame:
    """Return decision, named (bool), score by account."""
    accounts = findings.accounts.set_index("account_id")
    decisions = accounts["cluster"].map(findings.clusters.set_index("cluster")["decision"])
    decision = decisions.astype(object).where(decisions.notna(), Decision.BENIGN.value)
    named = (decision != Decision.BENIGN.value) & (accounts["role"] != Role.BYSTANDER.value)
    return pd.DataFrame({"decision": decision, "named": named, "score": accounts["score"].fillna(0.0)})


def _swap_countries(source: Path, target: Path, seed: int) -> None:
    """Copy canonical tables, with the accounts' countries replaced."""
    engine = connect(None)
    tables = open_tables(source, engine)
    accounts = tables("accounts")
    known = engine.to_pyarrow(accounts.select("country").distinct())["country"].drop_null().to_pylist()
    swapped = accounts.mutate(country=_replaced(accounts["country"], derangement(known, seed)))
    target.mkdir(parents=True)
    for name in TABLES:
        write_canonical(engine, swapped if name == "accounts" else tables(name), target / f"{name}.parquet")


def _replaced(column: Any, mapping: Mapping[str, str]) -> Any:
    return column.cases(*((ibis.literal(old), ibis.literal(new)) for old, new in mapping.items()), else_=None)
