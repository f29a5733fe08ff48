"""A ring's evidence bundle: everything that a decision stands on, signed, to be checked without us."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

import ringfence
from ringfence.enforcement.audit.keeping import sign_news
from ringfence.enforcement.audit.log import Entry, entries, entries_about
from ringfence.enforcement.audit.merkle import MerkleTree
from ringfence.enforcement.audit.proofs import prove
from ringfence.enforcement.audit.steps import covering
from ringfence.enforcement.bundle import json_bytes, pack
from ringfence.enforcement.casebook.cases import case, ring_at
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.reading import FinishedRun, read_run
from ringfence.enforcement.keys import KeyFolder
from ringfence.enforcement.orders.records import orders, targets
from ringfence.errors import AuditError, OutputError
from ringfence.files import whole_file
from ringfence.pipeline.evidence.page import evidence_page
from ringfence.pipeline.evidence.slice import cut_graph, to_lines
from ringfence.queries import pack as queries
from ringfence.records import Ring
from ringfence.state import StateFolder

FORMAT = "ringfence evidence 1"
EXPORTED = "evidence exported"
"""What the entry says that tells of a bundle; it tells who looked, nothing of the ring, and stays at home."""

_AT_HOME = frozenset({EXPORTED, "query asked"})
_COLUMNS = {
    "verdicts": "account_id, at, by, reason, ring_id, verdict, version",
    "lineage": "accounts, at, event, other_id, ring_id, run_id, version",
    "exports": "delivered_at, digest, event_id, key, ring_id, sink, status",
}
"""Table → what of its rows goes along; what a sink was sent stays where it is, its digest goes."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written."""

    file: Path
    ring_id: str
    version: int
    """Of the ring, as the run told it."""
    files: int
    digest: str
    """SHA-256 of the archive."""
    key: str
    """Id of the key that signed."""


def export_evidence(
    book: Casebook,
    state: StateFolder,
    ring_id: str,
    out: Path,
    by: str,
    *,
    run: Path | None = None,
    version: int | None = None,
    force: bool = False,
) -> Exported:
    """Write the bundle of a ring: the same bytes until something about the ring changes.

    Args:
        book: The casebook.
        state: Its state folder: keys and checkpoints.
        ring_id: The ring.
        out: The archive to write.
        by: Who asks; goes into the audit log, which has its entry before the file is there.
        run: Output folder of the run that told the ring; None for where it lay when it was recorded.
        version: Of the ring; None for what runs told last.
        force: Replace what stands in ``out``.

    Raises:
        UnknownCaseError: the casebook knows no such ring, or no such version.
        OutputError: the run's folder is gone or another run's, or the archive cannot be written.
        AuditError: the casebook says otherwise of the ring than its run, or the log is not what was signed.
    """
    if out.exists() and not force:
        raise OutputError(f"{out} is there. Name another file, or replace it with --force.")
    sign_news(book, state)
    with book.reading() as connection:
        collected = _Collected(connection, state, ring_id, version, run)
        files, told = collected.files(), collected.version
    folder = KeyFolder(state.keys)
    key, known = folder.signing(), folder.known().values()
    about = {"format": FORMAT, "made_by": ringfence.__version__, "ring_id": ring_id, "version": told}
    archive = pack(files, about, key, known)
    done = Exported(out, ring_id, told, len(files), sha256(archive).hexdigest(), key.public.key_id)
    with book.writing(by) as writing:
        writing.audit(EXPORTED, ring_id, version=told, digest=done.digest, files=done.files)
    with whole_file(out, parents=True) as building:
        building.write_bytes(archive)
        building.chmod(0o600)
    return done


class _Collected:
    """What goes into one bundle, read from one state of the casebook."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        state: StateFolder,
        ring_id: str,
        version: int | None,
        run: Path | None,
    ) -> None:
        self._connection, self._state, self._ring_id = connection, state, ring_id
        self._case = case(connection, ring_id)
        self._ring = ring_at(connection, ring_id, version)
        row = connection.execute(
            "SELECT version, run_id, out FROM versions JOIN runs USING (run_id) "
            "WHERE ring_id = ? AND version <= ? ORDER BY version DESC LIMIT 1",
            (ring_id, (1 << 62) if version is None else version),
        ).fetchone()
        self.version: int = row["version"]
        self._run = _run_of(run or Path(row["out"]), row["run_id"])
        self._in_run = _same_ring(self._run, self._ring)

    def files(self) -> dict[str, bytes]:
        members = [member.account_id for member in self._ring.members]
        told = {
            "ring": {"version": self.version, "in_run": self._in_run, "ring": self._ring.as_json()},
            "case": self._case.as_json(),
            "run": {"run_id": self._run.run_id, **self._run.manifest},
            "verdicts": self._rows("verdicts", "verdict_id"),
            "lineage": self._rows("lineage", "rowid"),
            "exports": self._rows("exports", "number"),
            "orders": [
                {**one.as_json(), "accounts": [asdict(t) for t in targets(self._connection, one.order_id)]}
                for one in orders(self._connection, self._ring_id)
            ],
            "audit": self._audit(),
        }
        graph = cut_graph(self._run.out, members, self._in_run)
        return {
            **{f"{name}.json": json_bytes(value) for name, value in told.items()},
            **{f"{name}.jsonl": to_lines(rows) for name, rows in graph.items()},
            "scores.jsonl": to_lines(_scores(self._run.out, members)),
            **_questions(self._in_run, graph["graph/relationships/LINKED_TO"]),
            "report.html": evidence_page(told).encode(),
        }

    def _rows(self, table: str, order: str) -> list[dict[str, Any]]:
        statement = f"SELECT {_COLUMNS[table]} FROM {table} WHERE ring_id = ? ORDER BY {order}"  # noqa: S608
        return [dict(row) for row in self._connection.execute(statement, (self._ring_id,))]

    def _audit(self) -> dict[str, Any]:
        """Return the entries about the ring with their proofs, against the earliest checkpoint of all."""
        told = [one for one in self._about() if one.content["what"] not in _AT_HOME]
        checkpoint = covering(self._state, told[-1].place)
        if checkpoint is None:
            raise AuditError("No checkpoint covers the entries about the ring. `ringfence audit verify`.")
        tree = MerkleTree(one.leaf for one in entries(self._connection, 0, checkpoint.size))
        proofs = [prove(tree, one, checkpoint) for one in told] if len(tree) == checkpoint.size else []
        if not proofs or not all(proof.holds(checkpoint) for proof in proofs):
            raise AuditError("The audit log is not what was signed. `ringfence audit verify` says more.")
        return {"checkpoint": checkpoint.note, "entries": [proof.as_json() for proof in proofs]}

    def _about(self) -> list[Entry]:
        runs = [
            entry
            for entry in entries_about(self._connection, what="run recorded")
            if entry.content["run_id"] == self._run.run_id
        ]
        about = [*runs, *entries_about(self._connection, self._ring_id)]
        return sorted(about, key=lambda entry: entry.place)


def _run_of(out: Path, run_id: str) -> FinishedRun:
    """Return the run, if the folder still holds that one."""
    try:
        run = read_run(out)
    except OutputError as error:
        raise OutputError(f"{error} Say where the run's output is by now: --run OUT.") from error
    if run.run_id != run_id:
        raise OutputError(f"{out} holds another run than the one that told the ring. Name that: --run OUT.")
    return run


def _same_ring(run: FinishedRun, ring: Ring) -> str:
    """Return what the run calls the ring, after holding one against the other.

    Raises:
        AuditError: the run has no such ring, or says otherwise of it.
    """
    for found in run.rings:
        if replace(found, ring_id=ring.ring_id) == ring:
            return found.ring_id
    raise AuditError(f"The run says otherwise of {ring.ring_id} than the casebook: one of them was changed.")


def _scores(out: Path, members: list[str]) -> list[dict[str, Any]]:
    table = pq.read_table(out / "accounts.parquet", columns=["account_id", "score"])
    rows = table.filter(pc.is_in(table["account_id"], value_set=_strings(members, table)))
    return list(rows.to_pylist())


def _strings(values: list[str], like: Any) -> Any:
    import pyarrow as pa

    return pa.array(values, like["account_id"].type)


def _questions(ring_id: str, links: list[dict[str, Any]]) -> dict[str, bytes]:
    """Return the named queries that show the ring in a graph store, and the values to ask them with."""
    asked: dict[str, dict[str, str]] = {"ring-members": {"ring": ring_id}, "ring-evidence": {"ring": ring_id}}
    if links:
        strongest = max(links, key=lambda link: (link["weight"], link["start"], link["end"]))
        asked["why-linked"] = {"account_a": strongest["start"], "account_b": strongest["end"]}
    texts = {f"queries/{name}.cypher": queries.get(name).cypher.encode() for name in asked}
    return {**texts, "queries/parameters.json": json_bytes(asked)}
