"""A finished run goes into the casebook: new rings, new versions of known ones, and their lineage."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import blake2b

from ringfence.enforcement.casebook.content import matters, packed
from ringfence.enforcement.casebook.database import Writing
from ringfence.enforcement.casebook.life import State
from ringfence.enforcement.casebook.reading import FinishedRun
from ringfence.lineage import Heir, trace
from ringfence.records import Ring


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run added to the casebook."""

    run_id: str
    known: bool
    """Whether the run had been recorded before; then nothing was added."""
    born: tuple[str, ...] = ()
    """Rings seen for the first time."""
    changed: tuple[str, ...] = ()
    """Known rings that are told otherwise than before: they have a new version."""
    unchanged: tuple[str, ...] = ()
    merged: tuple[tuple[str, str], ...] = ()
    """Rings that have gone into others, and which."""
    split: tuple[tuple[str, str], ...] = ()
    """New rings, and the known one that each was part of."""
    names: tuple[tuple[str, str], ...] = ()
    """Ring id within the run, and in the casebook."""


def record_run(writing: Writing, run: FinishedRun) -> Recorded:
    """Take in what a run says. Verdicts and states stay as they are: a run overrules nobody.

    A community that the run calls benign is taken in where the casebook knows it as a ring.
    """
    if writing.execute("SELECT 1 FROM runs WHERE run_id = ?", (run.run_id,)).fetchone():
        return Recorded(run.run_id, known=True)
    writing.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)",
        (
            run.run_id,
            writing.stamp,
            str(run.out),
            run.accounts,
            run.flagged_accounts,
            json.dumps(run.manifest, sort_keys=True),
        ),
    )
    heirs = _heirs(writing, run)
    recording = _Recording(writing, run)
    names = []
    for ring in run.rings:
        heir = heirs[ring.ring_id]
        if heir.ring_id is None and not ring.flagged:
            continue
        names.append((ring.ring_id, recording.take_in(ring, heir)))
    done = replace(recording.done(), names=tuple(names))
    writing.audit(
        "run recorded",
        run_id=run.run_id,
        born=len(done.born),
        changed=len(done.changed),
        merged=len(done.merged),
    )
    return done


def _heirs(writing: Writing, run: FinishedRun) -> dict[str, Heir]:
    rows = writing.execute(
        "SELECT account_id, ring_id FROM members JOIN rings USING (ring_id) WHERE succeeded_by IS NULL "
        "ORDER BY opened_at DESC, ring_id"
    )
    # Where an account is a member of two, it stands for the one that was opened first.
    known = {row["account_id"]: row["ring_id"] for row in rows}
    sizes = {
        row["ring_id"]: row["size"]
        for row in writing.execute("SELECT ring_id, count(*) AS size FROM members GROUP BY ring_id")
    }
    return trace({ring.ring_id: [m.account_id for m in ring.members] for ring in run.rings}, known, sizes)


class _Recording:
    """One run being taken in."""

    def __init__(self, writing: Writing, run: FinishedRun) -> None:
        self._writing, self._run = writing, run
        self._born: list[str] = []
        self._changed: list[str] = []
        self._unchanged: list[str] = []
        self._merged: list[tuple[str, str]] = []
        self._split: list[tuple[str, str]] = []

    def done(self) -> Recorded:
        return Recorded(
            self._run.run_id,
            known=False,
            born=tuple(self._born),
            changed=tuple(self._changed),
            unchanged=tuple(self._unchanged),
            merged=tuple(self._merged),
            split=tuple(self._split),
        )

    def take_in(self, ring: Ring, heir: Heir) -> str:
        """Take in a ring; return its id in the casebook."""
        if heir.ring_id is None:
            ring_id = self._open(ring, heir)
        else:
            ring_id = heir.ring_id
            self._continue(ring_id, ring)
        for other in heir.merged:
            self._merge(ring_id, other)
        return ring_id

    def _open(self, ring: Ring, heir: Heir) -> str:
        ring_id = self._free_id(ring.ring_id)
        now = self._writing.stamp
        self._writing.execute(
            "INSERT INTO rings VALUES "
            "(:id, :state, 1, NULL, :decision, :probability, :size, :now, :now, :run, NULL)",
            {"id": ring_id, "state": State.NEW, "now": now, **self._told(ring)},
        )
        write_version(self._writing, ring_id, 1, self._run.run_id, ring)
        self._born.append(ring_id)
        self._note_event(ring_id, 1, "born", None, ring.size)
        if heir.split_from is not None:
            self._note_event(ring_id, 1, "split", heir.split_from, ring.size)
            self._split.append((ring_id, heir.split_from))
        return ring_id

    def _free_id(self, ring_id: str) -> str:
        """Return the run's own id, or another one where a ring of other accounts has that already."""
        taken = self._writing.execute("SELECT 1 FROM rings WHERE ring_id = ?", (ring_id,)).fetchone()
        if not taken:
            return ring_id
        return f"R-{blake2b((ring_id + self._run.run_id).encode(), digest_size=8).hexdigest()}"

    def _continue(self, ring_id: str, ring: Ring) -> None:
        told = self._told(ring)
        self._writing.execute(
            "UPDATE rings SET decision = :decision, probability = :probability, size = :size, "
            "last_run = :run "
            "WHERE ring_id = :id",
            {"id": ring_id, **told},
        )
        row = self._writing.execute(
            "SELECT digest FROM versions WHERE ring_id = ? ORDER BY version DESC LIMIT 1", (ring_id,)
        ).fetchone()
        if row["digest"] == matters(ring):
            self._unchanged.append(ring_id)
            return
        before = {
            row["account_id"]
            for row in self._writing.execute("SELECT account_id FROM members WHERE ring_id = ?", (ring_id,))
        }
        now = {member.account_id for member in ring.members}
        version = raised(self._writing, ring_id)
        write_version(self._writing, ring_id, version, self._run.run_id, ring)
        self._changed.append(ring_id)
        self._note_event(ring_id, version, "seen again", None, len(now & before))
        if now - before:
            self._note_event(ring_id, version, "grew", None, len(now - before))
        if before - now:
            self._note_event(ring_id, version, "shrank", None, len(before - now))

    def _merge(self, ring_id: str, other: str) -> None:
        """Let ``other`` end in ``ring_id``; its verdicts and orders stay with it."""
        version = raised(self._writing, other)
        self._writing.execute("UPDATE rings SET succeeded_by = ? WHERE ring_id = ?", (ring_id, other))
        shared = self._writing.execute(
            "SELECT count(*) FROM members JOIN members AS mine USING (account_id) "
            "WHERE members.ring_id = ? AND mine.ring_id = ?",
            (other, ring_id),
        ).fetchone()[0]
        self._note_event(other, version, "merged", ring_id, shared)
        current = self._writing.execute("SELECT version FROM rings WHERE ring_id = ?", (ring_id,)).fetchone()
        self._note_event(ring_id, current["version"], "merged", other, shared)
        self._merged.append((other, ring_id))

    def _told(self, ring: Ring) -> dict[str, object]:
        return {
            "decision": ring.decision,
            "probability": ring.probability,
            "size": ring.size,
            "run": self._run.run_id,
        }

    def _note_event(self, ring_id: str, version: int, event: str, other: str | None, accounts: int) -> None:
        self._writing.execute(
            "INSERT INTO lineage VALUES (?, ?, ?, ?, ?, ?, ?)",
            (ring_id, version, event, other, accounts, self._run.run_id, self._writing.stamp),
        )


def raised(writing: Writing, ring_id: str) -> int:
    """Raise a ring's version by one and return it."""
    row = writing.execute(
        "UPDATE rings SET version = version + 1, changed_at = ? WHERE ring_id = ? RETURNING version",
        (writing.stamp, ring_id),
    ).fetchone()
    return int(row["version"])


def write_version(writing: Writing, ring_id: str, version: int, run_id: str, ring: Ring) -> None:
    """Write down what a run says of a ring from a version on."""
    content = packed({**ring.as_json(), "ring_id": ring_id})
    writing.execute(
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)",
        (ring_id, version, run_id, writing.stamp, matters(ring), content),
    )
    writing.execute("DELETE FROM members WHERE ring_id = ?", (ring_id,))
    writing.connection.executemany(
        "INSERT INTO members VALUES (?, ?, ?, ?)",
        [(ring_id, m.account_id, m.role, m.score) for m in ring.members],
    )
