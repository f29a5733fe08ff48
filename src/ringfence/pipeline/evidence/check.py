"""Checking an evidence bundle without the casebook it came from: is it whole, and does it decide the same?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ringfence.enforcement.audit.checkpoints import Checkpoint, read_checkpoint
from ringfence.enforcement.audit.proofs import Inclusion
from ringfence.enforcement.audit.tables import TOLD, order_faults, says_enough, verdict_faults
from ringfence.enforcement.bundle import Bundle, unpack
from ringfence.enforcement.keys import PublicKey
from ringfence.errors import AuditError
from ringfence.files import digest_json, parse_json
from ringfence.pipeline.evidence.rerun import rerun
from ringfence.records import Ring, Role

_NEAR = 1e-9
"""Sums of the same numbers in another order differ by less."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked."""

    name: str
    ok: bool
    said: str
    """What was found, in words."""


def check_evidence(file: Path, pinned: PublicKey | None = None) -> list[Step]:
    """Check a bundle; return what was checked, in order.

    Args:
        file: The archive.
        pinned: The key that must have signed it; the one that came along where none is given.

    Raises:
        AuditError: the file is no bundle, or anything in it was changed after it was signed.
    """
    try:
        bundle = unpack(file.read_bytes(), pinned)
    except OSError as error:
        raise AuditError(f"{file}: {error.strerror or error}.") from error
    return list(_steps(bundle, pinned))


def _steps(bundle: Bundle, pinned: PublicKey | None) -> Iterator[Step]:
    key = bundle.signer.key_id
    known = "the key given" if pinned else "which came along: compare it with one you have from elsewhere"
    yield Step("signature", True, f"The manifest is signed by key {key}, {known}.")
    yield Step("files", True, f"Each of {len(bundle.manifest['files'])} files is what the manifest says.")
    try:
        told = {name: _json(bundle, name) for name in ("ring", "run", "verdicts", "orders", "audit")}
        ring = Ring.from_json(told["ring"]["ring"])
        yield from _audit_steps(bundle, told)
        yield _settings_step(told["run"])
        yield from _decision_steps(ring, rerun(bundle.files, told["run"]), told["run"])
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise AuditError(f"The bundle lacks something, or is of another version: {error}.") from error


def _json(bundle: Bundle, name: str) -> Any:
    return parse_json(bundle.files[f"{name}.json"])


def _audit_steps(bundle: Bundle, told: Mapping[str, Any]) -> Iterator[Step]:
    checkpoint = read_checkpoint(told["audit"]["checkpoint"])
    keys = {**bundle.keys, bundle.signer.key_id: bundle.signer}
    signers = checkpoint.signers(keys)
    said = f"The checkpoint of {checkpoint.size} entries is signed by {', '.join(signers) or 'no known key'}."
    yield Step("checkpoint", bool(signers), said)
    proofs = [Inclusion.from_json(row) for row in told["audit"]["entries"]]
    yield _proof_step(proofs, checkpoint)
    contents = [proof.entry.content for proof in proofs]
    contents = [one for one in contents if one["what"] in TOLD and says_enough(one)]
    rows = [{**row, "accounts": [t["account_id"] for t in row["accounts"]]} for row in told["orders"]]
    faults = [*verdict_faults(contents, told["verdicts"]), *order_faults(contents, rows)]
    fine = f"{len(told['verdicts'])} verdicts and {len(rows)} orders are what the log says."
    yield Step("decided", not faults, " ".join(faults) or fine)


def _proof_step(proofs: list[Inclusion], checkpoint: Checkpoint) -> Step:
    failing = [proof.entry.place for proof in proofs if not proof.holds(checkpoint)]
    if failing:
        return Step("log", False, f"Entry {failing[0]} of the audit log is not what the checkpoint covers.")
    return Step("log", True, f"{len(proofs)} entries of the audit log are proved to be covered by it.")


def _settings_step(run: Mapping[str, Any]) -> Step:
    same = digest_json(run["settings"]) == run["settings_digest"]
    said = "are those of" if same else "are not those whose digest was written down by"
    return Step("settings", same, f"The thresholds {said} the run.")


def _decision_steps(told: Ring, again: Ring, run: Mapping[str, Any]) -> Iterator[Step]:
    limits = run["settings"]["decisions"]
    yield _probability_step(told, again)
    yield from _family_steps(told, again, limits["family_coverage"])
    roles = {member.account_id: member.role for member in again.members}
    active = sum(role is not Role.BYSTANDER for role in roles.values())
    same = roles == {member.account_id: member.role for member in told.members}
    said = f"{active} of {again.size} members are active{'' if same else ', and the ring tells other roles'}."
    yield Step("members", same, said)
    yield _decision_step(told, again, active, limits)
    yield _rest_step(told, again)


def _probability_step(told: Ring, again: Ring) -> Step:
    if again.probability is None or told.probability is None:
        same = again.probability is told.probability
        return Step("probability", same, "Nothing was calibrated: there is no probability.")
    same = _near(told.probability, again.probability)
    scores = f"The mean score of {again.size} members is {again.probability:.6f}"
    return Step("probability", same, f"{scores}; the ring says {told.probability:.6f}.")


def _family_steps(told: Ring, again: Ring, least: float) -> Iterator[Step]:
    said = {line.family: line.coverage for line in told.evidence}
    found = {line.family: line.coverage for line in again.evidence}
    for family in sorted({*said, *found}):
        share = found.get(family, 0.0)
        linked = f"{family} links {round(share * again.size)} of {again.size} members"
        counts = f"it {'counts' if share >= least else 'does not count'}: {least} are needed"
        yield Step(
            "family",
            _near(share, said.get(family, 0.0)),
            f"{linked}, a share of {share:.4f} ({counts}); the ring says {said.get(family, 0.0):.4f}.",
        )


def _decision_step(told: Ring, again: Ring, active: int, limits: Mapping[str, Any]) -> Step:
    counted = sum(line.coverage >= limits["family_coverage"] for line in again.evidence)
    likely = "no probability" if again.probability is None else f"a probability of {again.probability:.4f}"
    needed = (
        f"a ring needs {limits['ring_probability']}, {limits['least_families']} families and "
        f"{limits['least_ring_size']} active members"
    )
    said = f"{likely}, {counted} families and {active} active members make it {again.decision}; {needed}"
    return Step("decision", told.decision is again.decision, f"{said}. The ring says {told.decision}.")


def _rest_step(told: Ring, again: Ring) -> Step:
    """Hold everything else against what comes out.

    The name, the tactics, the ring's life, its parts, whom else its members serve and who of an account's end
    users are meant are no part of the decision.
    """
    end_users = {member.account_id: member.end_users for member in told.members}
    exact = replace(
        again,
        members=tuple(replace(m, end_users=end_users.get(m.account_id, ())) for m in again.members),
        replacements=told.replacements,
        history=told.history,
        parts=told.parts,
        also_in=told.also_in,
        ring_id=told.ring_id,
        tactics=told.tactics,
        probability=told.probability,
        evidence_score=told.evidence_score,
        first_seen=told.first_seen,
        last_seen=told.last_seen,
    ).as_json()
    written = told.as_json()
    seen = [(a, b) for a, b in zip(_span(told), _span(again), strict=True) if a != b]
    names = [name for name in exact if exact[name] != written[name]]
    names += ["first_seen or last_seen"] if seen else []
    names += [] if _near(told.evidence_score, again.evidence_score) else ["evidence_score"]
    if names:
        return Step("everything else", False, f"The ring says otherwise of {', '.join(names)}.")
    fine = "Every member's score and role, and every line of evidence, come out the same."
    return Step("everything else", True, fine)


def _span(ring: Ring) -> tuple[Any, Any]:
    row = ring.as_json()
    return row["first_seen"], row["last_seen"]


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=0, abs_tol=_NEAR)
