"""What else speaks for a pair that something shared has brought: timing, lifecycle, indicators."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import ibis
import pandas as pd

from ringfence.graphbuild.linkage.indicators import IndicatorSettings, indicator_evidence
from ringfence.graphbuild.linkage.lifecycle import LifecycleSettings, beginnings, lifecycle_evidence
from ringfence.graphbuild.linkage.links import PAIR
from ringfence.graphbuild.linkage.moves import MoveSettings, model_moves
from ringfence.graphbuild.linkage.steps import Steps
from ringfence.graphbuild.linkage.timing import slots, timing_evidence
from ringfence.graphbuild.sightings import Tables
from ringfence.records import Family
from ringfence.schema import ACTIVITY_TABLES

_COLUMNS = {**dict.fromkeys(PAIR, "int64"), "family": "string", "signal": "string", "weight": "float64"}


def no_signals() -> Any:
    """Return account_a, account_b, family, signal, weight without a row."""
    return ibis.memtable([], schema=_COLUMNS)


@dataclass(frozen=True, slots=True)
class Signalling:
    """Where signals about pairs come from. Accounts are numbers throughout."""

    steps: Steps
    numbers: Any
    """Ibis table with account_id and account."""
    tables: Tables
    accounts: int
    """Number of accounts in all."""
    hits: pd.DataFrame
    """Accounts that match indicators, as :mod:`~ringfence.graphbuild.linkage.indicators` tells them."""
    present: frozenset[str]
    """Canonical tables that something fed: where one is empty, there is nothing to ask it."""

    def about(self, pairs: Any, without: Collection[str] = ()) -> Any:
        """Return account_a, account_b, family, signal, weight, a row a signal that speaks for a pair.

        Args:
            pairs: Ibis table with account_a < account_b.
            without: Families that are left out.
        """
        told = [] if self.hits.empty else [self._indicators(pairs)]
        if Family.TIMING not in without and "requests" in self.present:
            told.append(self._timing(pairs).mutate(family=ibis.literal(str(Family.TIMING))))
        if Family.LIFECYCLE not in without:
            told.append(self._lifecycle(pairs).mutate(family=ibis.literal(str(Family.LIFECYCLE))))
        return ibis.union(*(signals.select(*_COLUMNS) for signals in told)) if told else no_signals()

    def _timing(self, pairs: Any) -> Any:
        minutes = self.steps.keep(self._numbered(slots(self.tables("requests"))), "minutes")
        return self.steps.keep(timing_evidence(pairs, minutes, keep=self.steps.keep), "timing")

    def _lifecycle(self, pairs: Any) -> Any:
        tables, settings = self.tables, LifecycleSettings()
        active = [tables(name) for name in ACTIVITY_TABLES if name in self.present]
        begun = self.steps.keep(self._numbered(beginnings(tables("accounts"), *active)), "beginnings")
        events = self._numbered(tables("account_events")) if "account_events" in self.present else None
        moves = None
        if {"models", "requests"} <= self.present:
            levels = [level for level, _ in settings.pivot]
            found = model_moves(tables("requests"), tables("models"), levels, MoveSettings())
            moves = self.steps.keep(self._numbered(found), "moves")
        return self.steps.keep(lifecycle_evidence(pairs, begun, events, moves, settings), "lifecycle")

    def _indicators(self, pairs: Any) -> Any:
        hit = self.numbers.filter(self.numbers["account_id"].isin(sorted(set(self.hits["account_id"]))))
        listed = self.steps.engine.to_pyarrow(hit).to_pandas().set_index("account_id")["account"]
        numbered = self.hits.assign(account_id=self.hits["account_id"].map(listed).astype("int64"))
        told = indicator_evidence(pairs, numbered, self.accounts, IndicatorSettings())
        return self.steps.keep(told, "indicators")

    def _numbered(self, rows: Any) -> Any:
        """Return rows with account numbers in place of ids; ``account_id`` stays the name of the column."""
        joined = rows.inner_join(self.numbers, "account_id")
        return joined.drop("account_id").rename(account_id="account").select(*rows.columns)
