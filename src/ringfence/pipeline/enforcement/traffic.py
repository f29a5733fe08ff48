"""What accounts did, paid and shared, as the output of a run tells it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.enforcement.impact import Used
from ringfence.errors import OutputError

LEAST_SHARED = 2
"""Members that have a payment instrument in common make it the ring's."""


class RunOutput:
    """The output folder of a run, asked about accounts. Whatever it does not hold is told as unknown."""

    def __init__(self, out: Path) -> None:
        """Take the folder; each of its tables is read when it is first asked for."""
        self._out = out
        self._tables: dict[str, Any] = {}

    def used(self, accounts: Collection[str]) -> dict[str, Used]:
        """Return account → what it did, for those that the output knows; empty where the output is gone."""
        nodes = self._table("nodes/Account")
        if nodes is None:
            return {}
        wanted = _rows(nodes, "account_id", accounts)
        payments = self._payments(accounts)
        return {
            row["account_id"]: Used(
                score=row["score"],
                requests=row["requests"],
                tokens=row.get("tokens"),
                payments=payments.get(row["account_id"], 0),
                amount_usd=row.get("amount_usd"),
            )
            for row in wanted.to_pylist()
        }

    def sharing(self, members: Collection[str]) -> frozenset[str] | None:
        """Return everyone who paid with an instrument that members share; None where the output is gone."""
        paid = self._table("relationships/PAID_WITH")
        if paid is None:
            return None
        theirs = _rows(paid, "start", members)["end"].value_counts().to_pylist()
        shared = [row["values"] for row in theirs if row["counts"] >= LEAST_SHARED]
        return frozenset(_rows(paid, "end", shared)["start"].to_pylist())

    def accounts_of(self, kind: str, value: str) -> list[str]:
        """Return the accounts of an organisation (``org``) or of an ``email_domain``.

        Raises:
            OutputError: the output does not tell; an allow-list that cannot be looked up protects nobody.
        """
        if kind == "org":
            belongs = self._table("relationships/BELONGS_TO")
            if belongs is not None:
                return list(_rows(belongs, "end", [value])["start"].to_pylist())
        nodes = self._table("nodes/Account")
        if kind == "email_domain" and nodes is not None and "email_domain" in nodes.column_names:
            spelled = pc.utf8_lower(nodes["email_domain"].cast(pa.string()))
            return list(nodes.filter(pc.equal(spelled, value))["account_id"].to_pylist())
        raise OutputError(
            f"The allow-list names {kind} {value!r}, and {self._out} does not tell whose it is: the folder "
            "is gone, or an earlier version wrote it. Run again and record that, or list the accounts."
        )

    def _payments(self, accounts: Collection[str]) -> dict[str, int]:
        paid = self._table("relationships/PAID_WITH")
        if paid is None:
            return {}
        counted = _rows(paid, "start", accounts).group_by("start").aggregate([("count", "sum")])
        return {row["start"]: row["count_sum"] for row in counted.to_pylist()}

    def _table(self, name: str) -> Any:
        if name not in self._tables:
            self._tables[name] = self._read(self._out / "graph" / f"{name}.parquet")
        return self._tables[name]

    def _read(self, path: Path) -> Any:
        try:
            return pq.read_table(path) if path.is_file() else None
        except (OSError, pa.ArrowException) as error:
            raise OutputError(f"{path} is damaged: {error}. Run again.") from error


def _rows(table: Any, column: str, values: Iterable[str]) -> Any:
    wanted = pa.array(list(values), table.schema.field(column).type)
    return table.filter(pc.is_in(table[column], value_set=wanted))
