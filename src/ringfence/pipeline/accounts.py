"""Every account with what is known of it and what was decided about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa

from ringfence.files import Workspace
from ringfence.gnn.scores import AccountScores
from ringfence.records import Ring

_OUTPUT = pa.schema(
    [
        ("account_id", pa.string()),
        ("score", pa.float64()),
        ("ring_id", pa.string()),
        ("ring_probability", pa.float64()),
        ("role", pa.string()),
        ("decision", pa.string()),
    ]
)


def account_frame(
    engine: Any, tables: Callable[[str], Any], work: Workspace, scores: AccountScores, rings: list[Ring]
) -> pd.DataFrame:
    """Return a row an account, in the order of account_id.

    Columns: account_id, created_at, plan, status, email_domain, org_id, first_seen, last_seen, banned_at,
    requests, tokens (into the model and out of it; null where no request says), amount_usd (paid; null where
    no payment says), community, own_share (of its requests, those its end users send for it), score,
    ring_id, ring_probability, role, decision (of its community).
    """
    members = pd.read_parquet(work.links / "members.parquet")
    frame = members[["account_id", "first_seen", "last_seen", "community", "own_share"]].assign(
        score=scores.score
    )
    known = engine.to_pyarrow(
        tables("accounts").select("account_id", "created_at", "plan", "status", "email_domain", "org_id")
    )
    events, requests = tables("account_events"), tables("requests")
    banned = (
        events.filter(events["event"] == "banned").group_by("account_id").agg(banned_at=events["ts"].min())
    )
    counted = requests.group_by("account_id").agg(
        requests=requests.count(),
        tokens=requests["input_tokens"].sum().fill_null(0) + requests["output_tokens"].sum().fill_null(0),
        tokens_told=requests["input_tokens"].count() + requests["output_tokens"].count(),
    )
    payments = tables("payments")
    paid = payments.group_by("account_id").agg(
        amount_usd=payments["amount_usd"].sum().fill_null(0.0), amounts_told=payments["amount_usd"].count()
    )
    for table in (known, *(engine.to_pyarrow(one) for one in (banned, counted, paid))):
        frame = frame.merge(table.to_pandas(), on="account_id", how="left")
    frame["requests"] = frame["requests"].fillna(0).astype("int64")
    frame["tokens"] = _if_told(frame["tokens"], frame.pop("tokens_told")).astype("Int64")
    frame["amount_usd"] = _if_told(frame["amount_usd"], frame.pop("amounts_told"))
    judged = pd.DataFrame(
        [
            (m.account_id, r.ring_id, r.probability, str(m.role), str(r.decision))
            for r in rings
            if r.flagged
            for m in r.members
        ],
        columns=["account_id", "ring_id", "ring_probability", "role", "decision"],
    )
    return frame.merge(judged, on="account_id", how="left")


def _if_told(sums: pd.Series, told: pd.Series) -> pd.Series:
    """Return sums with 0 for accounts without any; all null where no row of any account says."""
    return sums.fillna(0) if told.sum() > 0 else pd.Series(float("nan"), sums.index)


def account_output(accounts: pd.DataFrame) -> pa.Table:
    """Return the columns of ``accounts.parquet``."""
    return pa.Table.from_pandas(
        accounts[_OUTPUT.names], _OUTPUT, preserve_index=False
    ).replace_schema_metadata()
