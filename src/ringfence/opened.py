"""The output of a run, opened in Python."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.errors import OutputError, RingfenceError, near_names
from ringfence.schema import ENTITY_TYPES

if TYPE_CHECKING:
    import networkx as nx

RING_COLUMNS = (
    "ring_id",
    "probability",
    "decision",
    "size",
    "first_seen",
    "last_seen",
    "evidence_score",
    "members",
    "evidence",
    "tactics",
    "recommended_action",
)
"""The columns of :meth:`OpenedRun.rings`."""

_NEEDED = ("rings.jsonl", "accounts.parquet", "links.parquet", "manifest.json")


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A finished run: what :func:`open_run` returns."""

    folder: Path
    manifest: dict[str, Any]
    """Versions, seed, digests, thresholds, row counts and timings of the run."""

    def rings(self) -> pd.DataFrame:
        """Return every judged community, a row each, in the order of the run.

        ``members`` and ``evidence`` are lists of dictionaries, ``first_seen`` and ``last_seen`` UTC times.

        Raises:
            OutputError: ``rings.jsonl`` is damaged.
        """
        frame = pd.DataFrame(self._ring_lines(), columns=list(RING_COLUMNS))
        for column in ("first_seen", "last_seen"):
            frame[column] = pd.to_datetime(frame[column], utc=True)
        return frame.astype({"probability": "float64", "size": "int64", "evidence_score": "float64"})

    def accounts(self) -> pd.DataFrame:
        """Return every account: account_id, score, ring_id, ring_probability, role.

        Raises:
            OutputError: ``accounts.parquet`` is damaged.
        """
        return _frame(_read(self.folder / "accounts.parquet"))

    def links(self) -> pd.DataFrame:
        """Return every link: account_a, account_b, weight in nats, and the weight of each evidence family.

        Raises:
            OutputError: ``links.parquet`` is damaged.
        """
        return _frame(_read(self.folder / "links.parquet"))

    def graph(self, ring_id: str) -> nx.Graph:
        """Return one ring as a graph.

        Nodes are named ``account:<id>`` (attributes type, id, score, role) and ``<type>:<id>`` for what the
        accounts used (attributes type, id). Edges have ``kind``: ``sighting`` (count, first_seen, last_seen)
        or ``link`` (weight, and the weight of each evidence family).

        Raises:
            RingfenceError: there is no such ring.
            OutputError: a file of the run is missing or damaged.
        """
        import networkx as nx

        members = self._members(ring_id)
        ids = pa.array([member["account_id"] for member in members], pa.string())
        graph: nx.Graph = nx.Graph(ring_id=ring_id)
        for member in members:
            name = member["account_id"]
            graph.add_node(
                f"account:{name}", type="account", id=name, score=member["score"], role=member["role"]
            )
        self._add_sightings(graph, ids)
        self._add_links(graph, ids)
        return graph

    def _members(self, ring_id: str) -> list[dict[str, Any]]:
        rings = self._ring_lines()
        for ring in rings:
            if ring["ring_id"] == ring_id:
                members: list[dict[str, Any]] = ring["members"]
                return members
        known = [str(ring["ring_id"]) for ring in rings]
        hint = near_names(ring_id, known) or (
            f" It has {len(known)} rings; .rings() lists them." if known else " It has no rings at all."
        )
        raise RingfenceError(f"The run in {self.folder} has no ring {ring_id!r}.{hint}")

    def _ring_lines(self) -> list[dict[str, Any]]:
        path = self.folder / "rings.jsonl"
        try:
            with path.open(encoding="utf-8") as lines:
                return [json.loads(line) for line in lines if line.strip()]
        except (OSError, ValueError) as error:
            raise OutputError(f"{path} is damaged: {error}. Run again to make it anew.") from error

    def _add_sightings(self, graph: nx.Graph, ids: pa.Array) -> None:
        for entity in ENTITY_TYPES.values():
            path = self.folder / "graph" / "relationships" / f"{entity.relationship}.parquet"
            if not path.is_file():
                continue
            table = _read(path)
            for row in table.filter(pc.is_in(table["start"], ids)).to_pylist():
                account, value = row.pop("start"), row.pop("end")
                node = f"{entity.name}:{value}"
                graph.add_node(node, type=entity.name, id=value)
                graph.add_edge(f"account:{account}", node, kind="sighting", **row)

    def _add_links(self, graph: nx.Graph, ids: pa.Array) -> None:
        table = _read(self.folder / "links.parquet")
        inside = pc.and_(pc.is_in(table["account_a"], ids), pc.is_in(table["account_b"], ids))
        for row in table.filter(inside).to_pylist():
            first, second = row.pop("account_a"), row.pop("account_b")
            graph.add_edge(f"account:{first}", f"account:{second}", kind="link", **row)


def open_run(out: str | Path) -> OpenedRun:
    """Open the output folder of a run.

    Args:
        out: The folder that ``ringfence run INPUT --out OUT`` wrote.

    Raises:
        OutputError: it is no such folder, or its manifest is damaged.
    """
    folder = Path(out)
    if not folder.is_dir():
        raise OutputError(f"There is no folder {folder}. Make one with `ringfence run INPUT --out {folder}`.")
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise OutputError(
            f"{folder} is not the output of a run: it has no {', '.join(missing)}. "
            "Name the folder given as --out to `ringfence run`."
        )
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise OutputError(
            f"{folder / 'manifest.json'} is damaged: {error}. Run again to make it anew."
        ) from error
    return OpenedRun(folder, manifest)


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise OutputError(f"{path} is damaged: {error}. Run again to make it anew.") from error


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
