"""A finished run, open to questions about its links."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import ibis
import pandas as pd

from ringfence.config import DecisionSettings, LinkSettings
from ringfence.engine import connect
from ringfence.errors import OutputError, UsageError, near_names
from ringfence.files import MANIFEST
from ringfence.graphbuild.explain.shared import Sightings
from ringfence.graphbuild.linkage.links import LINK_COLUMNS
from ringfence.records import Ring
from ringfence.schema import ENTITY_TYPES

_AGAIN = "Run again to make it anew."
_SUBNETS, _IPS, _PAID = "graph/relationships/IN_SUBNET", "graph/nodes/IP", "graph/relationships/PAID_WITH"
_NEEDED: Mapping[str, frozenset[str]] = {
    "accounts": frozenset({"account_id"}),
    "links": frozenset(LINK_COLUMNS),
    _IPS: frozenset({"address", "kind", "asn"}),
    _SUBNETS: frozenset({"start", "end"}),
    "graph/nodes/PromptTemplate": frozenset({"template_id", "public"}),
    **{
        f"graph/relationships/{one.relationship}": frozenset({"start", "end"})
        for one in ENTITY_TYPES.values()
    },
    _PAID: frozenset({"start", "end", "bin"}),
}
"""Tables that questions are answered from, and the columns that are looked at."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run: see :func:`opened`."""

    out: Path
    engine: Any
    settings: LinkSettings
    decisions: DecisionSettings
    manifest: Mapping[str, Any]

    def read(self, name: str) -> Any:
        """Return one of its tables, as an Ibis table."""
        return self.engine.read_parquet(str(self.out / f"{name}.parquet"))

    def fetch(self, rows: Any) -> pd.DataFrame:
        """Return the rows of an Ibis table."""
        found: pd.DataFrame = self.engine.to_pyarrow(rows).to_pandas()
        return found

    def sightings(self) -> Sightings:
        """Return what accounts were linked by."""
        nodes, lies, prompts = self.read(_IPS), self.read(_SUBNETS), self.read("graph/nodes/PromptTemplate")
        addresses = nodes.inner_join(lies, nodes["address"] == lies["start"])
        paid = self._sighted("instrument")
        return Sightings(
            self.engine,
            self._sighted,
            addresses.select("address", "asn", "kind", subnet="end"),
            paid.select("account_id", "bin", ts="first_seen", instrument_type=ibis.null("string")),
            prompts.filter(prompts["public"]).select(entity_id="template_id"),
            self.settings,
            (self.manifest.get("links") or {}).get("sightings", {}),
        )

    def _sighted(self, name: str) -> Any:
        rows = self.read(f"graph/relationships/{ENTITY_TYPES[name].relationship}")
        return rows.rename(account_id="start", entity_id="end")

    def ring(self, ring_id: str) -> Ring:
        """Return a ring by its id.

        Raises:
            UsageError: there is none; an account's id is told apart.
        """
        rings = {ring.ring_id: ring for ring in read_rings(self.out)}
        if ring_id in rings:
            return rings[ring_id]
        for ring in rings.values():
            if any(member.account_id == ring_id for member in ring.members):
                raise UsageError(
                    f"{ring_id!r} is an account, of {ring.ring_id}. Name that ring, or a second account."
                )
        some = f" It has {len(rings):,}, such as {next(iter(rings))!r}." if rings else " It has none at all."
        near = near_names(ring_id, rings) or some
        raise UsageError(f"The run in {self.out} has no ring {ring_id!r}.{near}")

    def check_accounts(self, *names: str) -> None:
        """Refuse accounts that the run does not know.

        Raises:
            UsageError: one is not there, or two are one.
        """
        if len(set(names)) < len(names):
            raise UsageError(f"{names[0]!r} is named twice. Name two accounts, or one ring.")
        accounts = self.read("accounts").select("account_id")
        known = set(self.fetch(accounts.filter(accounts["account_id"].isin(names)))["account_id"])
        for name in names:
            if name not in known:
                near = self._near(accounts, name)
                raise UsageError(f"The run in {self.out} has no account {name!r}.{near}")

    def _near(self, accounts: Any, name: str) -> str:
        """Return a hint at the ids that differ least; the engine counts, there may be millions."""
        apart = accounts["account_id"].levenshtein(name)
        rows = accounts.mutate(apart=apart).filter(apart <= max(len(name) // 3, 1))
        close = self.fetch(rows.order_by("apart", "account_id").limit(2))["account_id"].tolist()
        return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def read_rings(out: Path) -> list[Ring]:
    """Return the rings of a finished run, in their order.

    Raises:
        OutputError: the file is missing or damaged.
    """
    path = out / "rings.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Ring.from_json(json.loads(line)) for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path} is missing or damaged. {_AGAIN}") from error


@contextmanager
def opened(out: Path) -> Iterator[Finished]:
    """Yield a finished run, open to questions.

    Raises:
        OutputError: the folder holds none, or one whose links cannot be taken apart.
    """
    path = out / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        settings, decisions = (
            resolved(kind, manifest["settings"][name])
            for kind, name in ((LinkSettings, "links"), (DecisionSettings, "decisions"))
        )
    except FileNotFoundError as error:
        raise OutputError(
            f"{out} holds no finished run. `ringfence run INPUT --out OUT` makes one."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{path} is damaged. {_AGAIN}") from error
    engine = connect(None)
    try:
        run = Finished(out, engine, settings, decisions, manifest)
        _check(run)
        yield run
    finally:
        engine.disconnect()


def resolved(kind: Any, told: Mapping[str, Any]) -> Any:
    """Return settings as a manifest tells them; what it does not know yet is as it is by default."""
    known = {one.name for one in fields(kind)}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in told.items() if k in known})


def _check(run: Finished) -> None:
    """Refuse a run that did not keep what its links rest on."""
    for name, columns in _NEEDED.items():
        path = run.out / f"{name}.parquet"
        if not path.is_file():
            raise OutputError(f"{path} is not there, so links cannot be taken apart. {_AGAIN}")
        try:
            missing = sorted(columns - set(run.read(name).columns))
        except Exception as error:
            raise OutputError(f"{path} is damaged. {_AGAIN}") from error
        if missing:
            raise OutputError(
                f"{path} is of an earlier version: it has no {', '.join(missing)}, so links cannot be taken "
                f"apart. {_AGAIN}"
            )
