"""A detector's answer, in the one form in which ours and the baselines' are scored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ringfence.errors import InputError, told
from ringfence.records import Decision
from ringfence.worlds.score.frames import read_parquet, require_columns, require_keys, require_text
from ringfence.worlds.score.truth import Truth

OURS = "ringfence"
_ADVICE = "Name the folder given as --out to `ringfence run`."


@dataclass(frozen=True, slots=True)
class Findings:
    """What a detector says of every account of a world."""

    detector: str
    """Its name in the table."""
    accounts: pd.DataFrame
    """account_id, score (float, higher is more suspect; NaN = 0), cluster (str|None), role (str|None); every
    account of the world once. ``bystander`` accounts are not named by their cluster."""
    clusters: pd.DataFrame
    """cluster (str), decision ("ring"|"review"|"benign"), probability (float|NaN)."""


def read_findings(out: Path, truth: Truth) -> Findings:
    """Read what a run of ours decided.

    Args:
        out: The output folder of the run.
        truth: Of the world it ran on.

    Raises:
        InputError: a file is missing or damaged, or the answer is not one about this world.
    """
    accounts = read_parquet(out / "accounts.parquet", _ADVICE)
    require_columns(accounts, ("account_id", "score"), str(out / "accounts.parquet"))
    findings = findings_of(_ring_lines(out / "rings.jsonl"), accounts)
    check_findings(findings, truth)
    return findings


def findings_of(rings: list[dict[str, Any]], accounts: pd.DataFrame, detector: str = OURS) -> Findings:
    """Put the lines of ``rings.jsonl`` and account scores into the common form.

    Args:
        rings: Each with ring_id, decision, probability (or None) and members (account_id, role).
        accounts: account_id, score; a row an account.
        detector: Its name.

    Raises:
        InputError: a line lacks a field or has one of another kind, or an account or community is unnamed or
            named twice.
    """
    require_columns(accounts, ("account_id", "score"), "The scores")
    require_keys(accounts, "account_id", "The scores")
    try:
        members = pd.DataFrame(
            [(m["account_id"], r["ring_id"], m["role"]) for r in rings for m in r["members"]],
            columns=["account_id", "cluster", "role"],
            dtype="object",
        )
        clusters = pd.DataFrame(
            [(r["ring_id"], r["decision"], r["probability"]) for r in rings],
            columns=["cluster", "decision", "probability"],
            dtype="object",
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"A line of rings.jsonl lacks {error}. Run again to make it anew.") from error
    what = "rings.jsonl"
    require_keys(members, "account_id", "The communities of rings.jsonl")
    require_keys(clusters, "cluster", what)
    require_text(clusters, "decision", what)
    require_text(members, "role", what)
    clusters = clusters.astype({"cluster": "str", "decision": "str"}).assign(
        probability=_numbers(clusters["probability"], what)
    )
    members = members.astype("str")
    unknown = sorted(set(members["account_id"]) - set(accounts["account_id"]))
    if unknown:
        raise InputError(f"rings.jsonl names {told(unknown, 3)}, which the scores do not.")
    joined = accounts[["account_id", "score"]].merge(members, on="account_id", how="left")
    return Findings(detector, joined, clusters)


def check_findings(findings: Findings, truth: Truth) -> None:
    """Refuse an answer that is not one about every account of this world.

    Raises:
        InputError: it names unknown accounts, lacks some, names one twice, leaves out a column, has names
            that are not text, a score that is no number, a probability beyond 0..1, a cluster that is not
            decided, or a decision that does not exist.
    """
    what = f"The answer of {findings.detector}"
    require_columns(findings.accounts, ("account_id", "score", "cluster", "role"), what)
    require_columns(findings.clusters, ("cluster", "decision", "probability"), what)
    require_keys(findings.accounts, "account_id", what)
    require_keys(findings.clusters, "cluster", what)
    _check_accounts(set(findings.accounts["account_id"]), set(truth.accounts["account_id"]), what)
    if not pd.api.types.is_numeric_dtype(findings.accounts["score"]):
        raise InputError(f"{what} has scores that are not numbers.")
    endless = int(np.isinf(findings.accounts["score"].to_numpy(float, na_value=np.nan)).sum())
    if endless:
        raise InputError(f"{what} has {endless:,} infinite scores; finite ones can be ranked and drawn.")
    _check_probabilities(findings.clusters["probability"], what)
    require_text(findings.accounts, "cluster", what)
    undecided = set(findings.accounts["cluster"].dropna()) - set(findings.clusters["cluster"])
    if undecided:
        raise InputError(f"{what} puts accounts into {told(sorted(undecided), 3)} without deciding it.")
    unknown = {str(said) for said in findings.clusters["decision"]} - set(Decision)
    if unknown:
        raise InputError(f"{what} decides {told(unknown, 3)}; it may say {', '.join(Decision)}.")


def _check_probabilities(stated: pd.Series[float], what: str) -> None:
    beyond = int((~_numbers(stated, what).dropna().between(0, 1)).sum())
    if beyond:
        raise InputError(f"{what} has {beyond:,} probabilities that are not between 0 and 1.")


def _numbers(stated: pd.Series[Any], what: str) -> pd.Series[float]:
    """Return stated probabilities as numbers, NaN where none is stated."""
    try:
        return stated.astype("float64")
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what} has a probability that is not a number; leave out what is not known."
        ) from error


def _check_accounts(said: set[str], planted: set[str], what: str) -> None:
    unknown = sorted(said - planted)
    if unknown:
        raise InputError(
            f"{what} names {len(unknown):,} accounts that this world does not have, such as "
            f"{told(unknown, 3)}. Is it about another world?"
        )
    missing = sorted(planted - said)
    if missing:
        raise InputError(
            f"{what} leaves out {len(missing):,} of the world's {len(planted):,} accounts, such as "
            f"{told(missing, 3)}. Every account needs a score, be it 0."
        )


def _ring_lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"There is no {path}. {_ADVICE}")
    try:
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error}. {_ADVICE}") from error
