"""What timing evidence says on worlds for tuning: under the null, and of accounts of one operator.

    python benchmarks/timing.py WORLD... [--links work/links] [--degree 64]

A WORLD is a folder that ``ringfence worlds make`` wrote. Pairs are those that share an address, device,
instrument or template that no more than ``--degree`` accounts have. Templates are only known where the world
was made with ``--template-ids``, or where ``--links`` names the folder of sightings within each world.

Three nulls, each of which leaves an account its own habits: *days* gives what an account did on each of its
days to another of its days; *hours* does so with the hours, so that pairs stay together by the hour only;
*strangers* are pairs of different operators, as they were. An e-value has mean 1 at most there.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
from machine import machine
from sklearn.metrics import roc_auc_score

from ringfence.engine import connect
from ringfence.graphbuild.linkage.timing import TimingSettings, slots, timing_evidence, timing_ratios
from ringfence.graphbuild.linkage.timing_windows import PAIR
from ringfence.graphbuild.sightings import sightings
from ringfence.schema import ENTITY_TYPES

_SEED = 20260201
_SIGNALS = ("hours", "minutes", "handover")


def main() -> None:
    """Measure world after world."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("worlds", nargs="+", type=Path)
    options.add_argument("--links", help="Folder of sightings within each world.")
    options.add_argument("--degree", type=int, default=64)
    options.add_argument("--memory", default="6GiB")
    chosen = options.parse_args()
    print(machine(), TimingSettings(), sep="\n")
    for folder in chosen.worlds:
        engine = connect(None, chosen.memory)
        keep = _keeper(engine)
        requests = engine.read_parquet(str(folder / "input/requests/*.parquet"))
        seen = _sightings(engine, folder, chosen.links)
        pairs = keep(_pairs(seen, chosen.degree))
        _measure(folder, engine, keep, keep(slots(requests)), pairs)
        engine.disconnect()


def _keeper(engine: Any) -> Callable[[Any], Any]:
    numbers = itertools.count()
    return lambda table: engine.create_table(f"held_{next(numbers)}", table, temp=True)


def _sightings(engine: Any, folder: Path, links: str | None) -> Iterator[Any]:
    """Yield entity, account_id, entity_id, a row a sighting, of each type that is known."""
    for name, entity in ENTITY_TYPES.items():
        if links is not None:
            seen = engine.read_parquet(str(folder / links / f"{name}.parquet"))
        else:
            tables = {
                table: engine.read_parquet(str(folder / f"input/{table}/*.parquet"))
                for table, _ in entity.sources
            }
            if any(column not in tables[table].columns for table, column in entity.sources):
                continue
            seen = sightings(tables.__getitem__, entity)
        yield seen.select("account_id", "entity_id", entity=ibis.literal(name))


def _pairs(seen: Iterator[Any], degree: int) -> Any:
    rows = ibis.union(*seen).distinct()
    shared = rows.group_by("entity", "entity_id").agg(accounts=rows.count())
    rows = rows.semi_join(shared.filter(shared["accounts"] <= degree), ["entity", "entity_id"])
    a, b = (rows.rename({f"account_{end}": "account_id"}) for end in "ab")
    both = a.join(b, ["entity", "entity_id"])
    return both.filter(both["account_a"] < both["account_b"]).select(*PAIR).distinct()


def _measure(folder: Path, engine: Any, keep: Callable[[Any], Any], made: Any, pairs: Any) -> None:
    counted = [engine.to_pyarrow(table.count()).as_py() for table in (pairs, made)]
    start = time.perf_counter()
    told = keep(timing_evidence(pairs, made, keep=keep))
    seconds = time.perf_counter() - start
    rows = engine.to_pyarrow(told.count()).as_py()
    print(f"\n{folder}: {counted[0]:,} pairs, {counted[1]:,} minutes, {rows:,} weights, {seconds:.1f} s")
    sent = engine.to_pyarrow(made).to_pandas()
    truth = pd.read_parquet(folder / "truth/accounts.parquet").set_index("account_id")
    weights = _weights(engine, timing_ratios(pairs, made, keep=keep), truth)
    print(
        "\n| null | signal | pairs | mean of e^weight | as told | above 3 | above 6 |",
        "|" + "---|" * 7,
        sep="\n",
    )
    for unit, minutes in (("days", 1440), ("hours", 60)):
        moved = keep(ibis.memtable(_moved(sent, minutes)))
        _print_null(unit, _weights(engine, timing_ratios(pairs, moved, keep=keep), truth))
    _print_null("strangers", weights[~weights["same"]])
    _print_operators(weights)


def _moved(sent: pd.DataFrame, length: int) -> pd.DataFrame:
    """Return what each account did with its units (days, hours) in another order."""
    rng = np.random.default_rng(_SEED)
    unit = sent["minute"] // length
    units = pd.DataFrame({"account_id": sent["account_id"], "unit": unit}).drop_duplicates()
    units = units.sort_values(["account_id", "unit"], ignore_index=True)
    drawn = units.assign(at=rng.random(len(units))).sort_values(["account_id", "at"])
    units["to"] = drawn["unit"].to_numpy()
    to = sent.assign(unit=unit).merge(units, on=["account_id", "unit"])
    minute = to["to"] * length + to["minute"] % length
    return pd.DataFrame({"account_id": to["account_id"], "minute": minute})


def _weights(engine: Any, ratios: Any, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the weight of each signal, a row a pair, and whose the accounts are."""
    rows = engine.to_pyarrow(ratios).to_pandas()
    wide = rows.pivot(index=list(PAIR), columns="signal", values="weight").reset_index()
    group = truth["ring"].fillna(truth["group"])
    a, b = wide["account_a"], wide["account_b"]
    kind = truth["ring_type"].fillna(truth["population"])
    return wide.assign(same=a.map(group) == b.map(group), kind=a.map(kind), ring=a.map(truth["ring"]).notna())


def _print_null(name: str, weights: pd.DataFrame) -> None:
    for signal in _SIGNALS:
        nats = weights[signal].dropna()
        mean, told = np.exp(nats).mean(), np.exp(nats.clip(lower=0)).mean()
        above = " | ".join(f"{(nats > limit).mean():.6f}" for limit in (3, 6))
        print(f"| {name} | {signal} | {len(nats):,} | {mean:.3f} | {told:.3f} | {above} |")


def _print_operators(weights: pd.DataFrame) -> None:
    """Print what pairs of one operator get in all, beside pairs of two."""
    total = weights[list(_SIGNALS)].clip(lower=0).fillna(0.0).sum(axis=1)
    strangers = total[~weights["same"]]
    print("\n| operator | pairs | mean told | 99% below | above 3 | AUC |", "|" + "---|" * 6, sep="\n")
    print(f"| strangers | {_told(strangers)} | |")
    for (ring, kind), own in total[weights["same"]].groupby([weights["ring"], weights["kind"]]):
        if len(own) < 20:
            continue
        truth = np.repeat((1, 0), (len(own), len(strangers)))
        auc = roc_auc_score(truth, np.concatenate([own, strangers]))
        print(f"| {'ring' if ring else 'innocent'} {kind} | {_told(own)} | {auc:.3f} |")


def _told(nats: pd.Series) -> str:
    return f"{len(nats):,} | {nats.mean():.3f} | {nats.quantile(0.99):.2f} | {(nats > 3).mean():.5f}"


if __name__ == "__main__":
    main()
