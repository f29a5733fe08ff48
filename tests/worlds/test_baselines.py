"""The baselines do what their papers and recipes say, checked against brute force on small tables."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import ibis
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import entropy
from sklearn.metrics import roc_auc_score

from ringfence.engine import connect
from ringfence.errors import InputError
from ringfence.worlds.baselines.clusters import clustered, large
from ringfence.worlds.baselines.co_action import CoAction, co_action, co_actions
from ringfence.worlds.baselines.columns import NETWORK, VOLUME, model_columns, own_columns, source
from ringfence.worlds.baselines.columns.network import describe
from ringfence.worlds.baselines.folds import cross_fit, deal, truth_groups
from ringfence.worlds.baselines.leiden import leiden
from ringfence.worlds.baselines.neighbours import neighbour_columns, shared_entities
from ringfence.worlds.baselines.panel import TAUGHT, UNTAUGHT, run_baselines
from ringfence.worlds.baselines.shared_identifiers import TUNED, Sharing, shared_identifiers
from ringfence.worlds.baselines.synchronous import Synchrony, similarities, synchronous
from ringfence.worlds.baselines.tables import contents, fetched, open_tables, sightings, without_hubs
from ringfence.worlds.baselines.trees import tree_own
from ringfence.worlds.baselines.tune import Tried, averaged, tune
from ringfence.worlds.score.findings import Findings, check_findings
from ringfence.worlds.score.truth import make_truth

START = pd.Timestamp("2026-03-02", tz="UTC")
ADDRESSES = [f"10.0.{n // 50}.{n}" for n in range(200)]

Write = Callable[..., Path]


@pytest.fixture
def engine() -> Any:
    return connect(None)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes data frames as the tables of a world, each into ``<table>.parquet``."""

    def written(**tables: pd.DataFrame) -> Path:
        folder = tmp_path / "input"
        folder.mkdir(exist_ok=True)
        for name, frame in tables.items():
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        return folder

    return written


def requests_at_random(seed: int, rows: int, accounts: int = 12, minutes: int = 30) -> pd.DataFrame:
    """Return requests with few prompts, few addresses and times that often meet, also across minutes."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "request_id": [f"r{n}" for n in range(rows)],
            "account_id": [f"a{n:02d}" for n in rng.integers(accounts, size=rows)],
            "ts": START + pd.to_timedelta(rng.integers(minutes * 60_000, size=rows), unit="ms"),
            "ip": rng.choice(ADDRESSES[:20], size=rows),
            "prompt": [f"Ask {chr(97 + n)}" for n in rng.integers(8, size=rows)],
        }
    )


def table_of(frame: pd.DataFrame) -> Any:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def members(findings: Findings) -> set[frozenset[str]]:
    named = findings.accounts.dropna(subset=["cluster"])
    return {frozenset(group) for _cluster, group in named.groupby("cluster")["account_id"]}


def planted_sharing() -> dict[str, pd.DataFrame]:
    """Seven accounts on one card, five in a chain of devices, four on a card, thirty behind one address."""
    card = [(f"c{n}", "card-1") for n in range(7)] + [(f"f{n}", "card-2") for n in range(4)]
    chain = [(f"d{n}", f"device-{n + step}") for n in range(5) for step in (0, 1)]
    crowd = [(f"n{n:02d}", "10.9.9.9") for n in range(30)]
    requests = pd.DataFrame(chain, columns=["account_id", "device_id"]).assign(ts=START)
    payments = pd.DataFrame(card, columns=["account_id", "instrument_id"])
    return {
        "requests": requests.assign(request_id=[f"r{n}" for n in range(len(requests))]),
        "payments": payments.assign(payment_id=[f"p{n}" for n in range(len(payments))]),
        "logins": pd.DataFrame(crowd, columns=["account_id", "ip"]).assign(ts=START),
    }


def test_shared_identifiers_reports_components_of_five_and_no_hub(write: Write, engine: Any) -> None:
    tables = open_tables(write(**planted_sharing()), engine)
    found = shared_identifiers(tables, engine, Sharing())
    assert members(found) == {
        frozenset(f"c{n}" for n in range(7)),
        frozenset(f"d{n}" for n in range(5)),
    }
    scores = found.accounts.set_index("account_id")["score"]
    assert scores["c0"] == 6
    assert (scores["d0"], scores["d2"]) == (1, 2)
    assert (scores["f0"], scores["n00"]) == (0, 0)
    with_hubs = shared_identifiers(tables, engine, Sharing(hub_cap=30))
    assert frozenset(f"n{n:02d}" for n in range(30)) in members(with_hubs)


@pytest.mark.parametrize("seed", range(5))
def test_shared_identifiers_are_the_components_of_the_bipartite_graph(
    seed: int, write: Write, engine: Any
) -> None:
    rng = np.random.default_rng(seed)
    frame = requests_at_random(seed, 70, accounts=60)
    frame["ip"] = rng.choice(ADDRESSES[:60], size=len(frame))
    found = shared_identifiers(open_tables(write(requests=frame), engine), engine, Sharing(hub_cap=3))
    graph = nx.Graph()
    pairs = set(zip(frame["account_id"], frame["ip"], strict=True))
    holders = Counter(ip for _account, ip in pairs)
    graph.add_edges_from(pair for pair in pairs if holders[pair[1]] <= 3)
    wanted = {frozenset(node for node in part if node[0] == "a") for part in nx.connected_components(graph)}
    assert members(found) == {part for part in wanted if len(part) >= 5}


def test_leiden_parts_two_cliques_that_share_one_address(write: Write, engine: Any) -> None:
    cliques = [(f"{side}{n}", f"{side}-card-{k}") for side in "ab" for n in range(6) for k in range(3)]
    payments = pd.DataFrame(cliques, columns=["account_id", "instrument_id"])
    payments["payment_id"] = [f"p{n}" for n in range(len(payments))]
    logins = pd.DataFrame({"account_id": ["a0", "b0"], "ip": "10.0.0.1", "ts": START})
    tables = open_tables(write(payments=payments, logins=logins), engine)
    sides = {frozenset(f"{side}{n}" for n in range(6)) for side in "ab"}
    assert len(members(shared_identifiers(tables, engine, Sharing()))) == 1
    found = leiden(tables, engine, Sharing())
    assert members(found) == sides
    assert (found.accounts["score"] == 5 * 3).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("least", [1, 2, 4])
def test_co_actions_are_those_of_all_pairs_of_requests(seed: int, least: int, engine: Any) -> None:
    frame = requests_at_random(seed, 150).rename(columns={"prompt": "content"})
    frame["ts"] = frame["ts"].dt.tz_localize(None)
    settings = CoAction(window_seconds=60, min_participation=least, actor_cap=10)
    found = fetched(engine, co_actions(table_of(frame.drop(columns="ip")), settings))
    actors = frame.groupby("content")["account_id"].nunique()
    busy = frame[frame.groupby("account_id")["ts"].transform("size") >= least]
    busy = busy[busy["content"].map(actors) <= 10]
    assert 0 < len(busy) < len(frame), "the cap leaves out some contents and keeps others"
    pairs = [
        (one, two)
        for one, two in combinations(busy.itertuples(), 2)
        if one.content == two.content
        and one.account_id != two.account_id
        and abs(one.ts - two.ts) <= pd.Timedelta(seconds=60)
    ]
    taking = Counter(account for _id, account in {(r.request_id, r.account_id) for p in pairs for r in p})
    wanted = Counter(
        tuple(sorted((one.account_id, two.account_id)))
        for one, two in pairs
        if max(taking[one.account_id], taking[two.account_id]) >= least
    )
    assert {(row.left, row.right): row.weight for row in found.itertuples()} == dict(wanted)


def test_co_action_keeps_the_heavier_half(write: Write, engine: Any) -> None:
    """A ring of six repeats itself; ten strangers meet once."""
    rows = [(f"ring{n}", f"Task {kind}", day) for n in range(6) for day in range(4) for kind in "xy"]
    rows += [(f"other{n}", "Write a poem", 0) for n in range(10)]
    frame = pd.DataFrame(rows, columns=["account_id", "prompt", "day"])
    frame["ts"] = START + pd.to_timedelta(frame.pop("day"), unit="D")
    frame["request_id"] = [f"r{n}" for n in range(len(frame))]
    found = co_action(open_tables(write(requests=frame), engine), engine, CoAction(min_participation=1))
    assert members(found) == {frozenset(f"ring{n}" for n in range(6))}
    assert set(found.accounts.loc[found.accounts["cluster"].isna(), "score"]) == {0.0}


@pytest.mark.parametrize("seed", range(4))
def test_similarities_are_jaccard(seed: int, engine: Any) -> None:
    frame = requests_at_random(seed, 260, minutes=60 * 5)
    frame["ts"] = frame["ts"].dt.tz_localize(None)
    actions = frame[["account_id", "ip"]].assign(slot=frame["ts"].dt.hour).drop_duplicates()
    settings = Synchrony(similarity=0.1, least_actions=17, actor_cap=4)
    found = fetched(engine, similarities(table_of(actions), settings))
    takers = Counter(zip(actions["ip"], actions["slot"], strict=True))
    done = {
        account: set(zip(group["ip"], group["slot"], strict=True))
        for account, group in actions.groupby("account_id")
        if len(group) >= 17
    }
    wanted = {}
    for one, two in combinations(sorted(done), 2):
        common = len({action for action in done[one] & done[two] if takers[action] <= 4})
        similarity = common / (len(done[one]) + len(done[two]) - common)
        if common and similarity >= 0.1:
            wanted[one, two] = similarity
    assert 0 < len(wanted) < len(list(combinations(done, 2)))
    assert max(takers.values()) > 4
    pairs = {(row.left, row.right): row.similarity for row in found.itertuples()}
    assert pairs == pytest.approx(wanted)


def test_synchronous_finds_who_moves_together(write: Write, engine: Any) -> None:
    rows = [(f"ring{n}", f"10.0.0.{day}", day) for n in range(6) for day in range(5)]
    rows += [(f"other{n}", f"10.0.0.{day}", day + 10 * n + 10) for n in range(6) for day in range(5)]
    frame = pd.DataFrame(rows, columns=["account_id", "ip", "day"])
    frame["ts"] = START + pd.to_timedelta(frame.pop("day"), unit="D")
    found = synchronous(open_tables(write(logins=frame), engine), engine)
    assert members(found) == {frozenset(f"ring{n}" for n in range(6))}
    assert found.accounts.set_index("account_id")["score"]["ring0"] == 5


def test_contents_differ_in_words_not_in_numbers_or_spaces(write: Write, engine: Any) -> None:
    frame = pd.DataFrame(
        {
            "system_prompt": ["You are  expert 12.", "you are expert 7.\n", "You are expert.", None, None],
            "prompt": ["a", "b", "c", "d  4", "D 5"],
        }
    ).assign(account_id="a", ts=START)
    frame["request_id"] = [str(n) for n in range(len(frame))]
    rows = fetched(engine, contents(open_tables(write(requests=frame), engine))).set_index("request_id")
    content = rows["content"]
    assert content["0"] == content["1"]
    assert content["3"] == content["4"]
    assert content.nunique() == 3


def test_tables_in_parts_and_with_few_columns(tmp_path: Path, engine: Any) -> None:
    frame = requests_at_random(1, 40)
    (tmp_path / "requests").mkdir()
    frame[:25].to_parquet(tmp_path / "requests" / "part-0.parquet")
    frame[25:].to_parquet(tmp_path / "requests" / "part-1.parquet")
    tables = open_tables(tmp_path, engine)
    rows = fetched(engine, tables("requests"))
    assert len(rows) == 40
    assert rows["device_id"].isna().all()
    assert len(fetched(engine, tables("payments"))) == 0
    with pytest.raises(InputError, match="requests"):
        open_tables(tmp_path / "requests", engine)


def test_small_groups_are_no_clusters() -> None:
    groups = np.array([0, 0, 1, 1, 1, -1, -1, -1])
    assert large(groups, 3).tolist() == [-1, -1, 1, 1, 1, -1, -1, -1]
    accounts = pd.Index([f"a{n}" for n in range(8)])
    found = clustered("x", accounts, large(groups, 3), np.zeros(8))
    assert found.clusters["cluster"].tolist() == ["x-00001"]
    assert found.accounts["cluster"].notna().tolist() == [False, False, True, True, True] + [False] * 3


def test_addresses_belong_to_their_narrowest_range() -> None:
    ranges = pd.DataFrame(
        {
            "cidr": ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "2001:db8::/32", "2001:db8:7::/48"],
            "asn": [1, 2, 3, 4, 5],
            "kind": ["isp", "mobile", "tor", "hosting", "vpn"],
        }
    )
    rng = np.random.default_rng(3)
    addresses = [f"10.{a}.{b}.9" for a, b in rng.integers(0, 4, size=(40, 2))]
    addresses += [f"2001:db8:{a}::{b}" for a, b in rng.integers(1, 9, size=(40, 2))]
    addresses += ["11.0.0.1", "2001:db9::1", "255.255.255.255"]
    found = describe(np.asarray(addresses, object), ranges)
    for row in found.itertuples():
        address = ipaddress.ip_address(row.ip)
        over = [r for r in ranges.itertuples() if address in ipaddress.ip_network(r.cidr)]
        best = max(over, key=lambda r: ipaddress.ip_network(r.cidr).prefixlen, default=None)
        assert (None if pd.isna(row.asn) else int(row.asn)) == (best.asn if best else None)
        assert (None if pd.isna(row.kind) else row.kind) == (best.kind if best else None)
    nets = [ipaddress.ip_network((a, 24 if "." in a else 48), strict=False) for a in addresses]
    assert found.groupby("subnet").ngroups == len(set(nets))


@pytest.fixture
def small_world() -> dict[str, pd.DataFrame]:
    frame = requests_at_random(5, 300, accounts=20, minutes=60 * 24 * 4)
    frame["output_tokens"] = np.random.default_rng(6).integers(1, 900, len(frame))
    accounts = pd.DataFrame({"account_id": [f"a{n:02d}" for n in range(22)], "country": "FR", "plan": "pro"})
    accounts["created_at"] = START - pd.Timedelta(days=3)
    return {"requests": frame, "accounts": accounts}


def test_own_columns_agree_with_a_recount(
    small_world: dict[str, pd.DataFrame], write: Write, engine: Any
) -> None:
    columns = own_columns(write(**small_world), engine)
    assert len(columns) == 22
    assert columns.index.is_monotonic_increasing
    assert np.isnan(columns["requests"]["a21"])
    for account, rows in small_world["requests"].groupby("account_id"):
        rows = rows.sort_values("ts")
        seen = columns.loc[account]
        gaps = rows["ts"].diff().dt.total_seconds().dropna()
        assert seen["requests"] == len(rows)
        assert seen["gap_mean"] == pytest.approx(gaps.mean(), rel=1e-5)
        assert seen["gap_cv"] == pytest.approx(gaps.std(ddof=0) / gaps.mean(), rel=1e-5)
        assert seen["hour_entropy"] == pytest.approx(entropy(rows["ts"].dt.hour.value_counts()), rel=1e-5)
        daily = rows["ts"].dt.date.value_counts()
        assert seen["requests_max_per_day"] == daily.max()
        assert seen["active_days"] == len(daily)
        assert seen["ip_count"] == rows["ip"].nunique()
        assert seen["prompt_top_share"] == pytest.approx(rows["prompt"].value_counts().max() / len(rows))
        assert seen["output_tokens_sd"] == pytest.approx(rows["output_tokens"].std(ddof=0), rel=1e-5)
        assert seen["age_days_at_first_request"] == pytest.approx(
            (rows["ts"].min() - START).total_seconds() / 86_400 + 3, rel=1e-4
        )


def test_own_columns_know_no_labels_bans_or_neighbours(
    small_world: dict[str, pd.DataFrame], write: Write, engine: Any
) -> None:
    before = own_columns(write(**small_world), engine)
    banned = {"account_id": ["a03"], "ts": [START], "event": ["banned"]}
    labelled = {"account_id": ["a03"], "label": ["ring"]}
    small_world["accounts"]["status"] = ["banned"] + ["active"] * 21
    after = own_columns(
        write(**small_world, account_events=pd.DataFrame(banned), labels=pd.DataFrame(labelled)), engine
    )
    pd.testing.assert_frame_equal(before, after)
    alone = small_world["requests"].query("account_id == 'a03'")
    only = own_columns(write(accounts=small_world["accounts"], requests=alone), engine)
    counted = [name for name in before if "=" not in name]
    pd.testing.assert_series_equal(only.loc["a03", counted], before.loc["a03", counted])


def test_detectors_see_no_country(small_world: dict[str, pd.DataFrame], write: Write, engine: Any) -> None:
    ranges = pd.DataFrame({"cidr": ["10.0.0.0/8"], "kind": ["isp"]})
    columns = own_columns(write(**small_world, ip_ranges=ranges), engine)
    names = {source(name) for name in columns}
    assert "country" in names
    assert names >= VOLUME | NETWORK
    assert "country" not in {source(name) for name in model_columns(columns)}


def test_neighbour_columns_agree_with_brute_force(write: Write, engine: Any) -> None:
    frame = requests_at_random(8, 40, accounts=25)
    frame["ip"] = np.random.default_rng(8).choice(ADDRESSES[:15], size=len(frame))
    tables = open_tables(write(requests=frame.drop(columns="prompt")), engine)
    seen = shared_entities(tables, engine, cap=4)
    values = np.random.default_rng(9).normal(size=26)
    values[::5] = np.nan
    columns = pd.DataFrame({"x": values}, index=[f"a{n:02d}" for n in range(26)])
    found = neighbour_columns(columns, seen)
    holders = frame.groupby("ip")["account_id"].agg(set)
    for account in columns.index:
        shared = [group for group in holders if account in group and 2 <= len(group) <= 4]
        others = [columns["x"][other] for group in shared for other in sorted(group - {account})]
        every = [columns["x"][other] for group in shared for other in sorted(group)]
        row = found.loc[account]
        assert row["x:mean"] == pytest.approx(pd.Series(others, dtype=float).mean(), nan_ok=True, rel=1e-5)
        assert row["x:max"] == pytest.approx(pd.Series(every, dtype=float).max(), nan_ok=True, rel=1e-5)
        assert (row["ip:shared"], row["ip:sharers"]) == (len(shared), sum(len(g) - 1 for g in shared))


def truth_at_random(seed: int, rings: int = 7, innocents: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 30, rings)
    ring = np.repeat([f"R{n}" for n in range(rings)], sizes)
    group = rng.choice(["family-1", "family-2", "agency-1", None], size=innocents)
    truth = pd.DataFrame(
        {
            "ring": [*ring, *[None] * innocents],
            "group": [*[None] * len(ring), *group],
            "population": ["ring"] * len(ring) + ["innocent"] * innocents,
        }
    )
    truth["account_id"] = [f"a{n:04d}" for n in range(len(truth))]
    return truth


@pytest.mark.parametrize("seed", range(5))
def test_folds_cut_no_ring_and_no_group(seed: int) -> None:
    truth = truth_at_random(seed)
    folds = pd.Series(deal(truth_groups(truth), truth["ring"].notna().to_numpy(), seed))
    assert folds.nunique() == 5
    assert folds.groupby(truth["ring"]).nunique().eq(1).all()
    assert folds.groupby(truth["group"]).nunique().eq(1).all()
    rings = truth["ring"].notna().groupby(folds).sum()
    assert (rings > 0).all()
    alone = truth["ring"].isna() & truth["group"].isna()
    assert folds[alone].nunique() == 5


def test_no_model_sees_the_fold_that_it_scores() -> None:
    truth = truth_at_random(1)
    target = truth["ring"].notna().to_numpy()
    folds = deal(truth_groups(truth), target, 1)
    known = np.arange(len(truth)) % 3 > 0
    rows = pd.DataFrame({"row": np.arange(len(truth))})

    def learner(columns: pd.DataFrame, told: Any) -> Any:
        seen = set(columns["row"])
        assert known[list(seen)].all()
        assert (target[columns["row"]] == told).all()

        def predict(others: pd.DataFrame) -> Any:
            assert not set(folds[others["row"]]) & set(folds[list(seen)])
            return np.ones(len(others))

        return predict

    scores = cross_fit(rows, target, known, folds, learner)
    for fold in np.unique(folds):
        share = target[known & (folds != fold)].mean()
        assert scores[folds == fold] == pytest.approx(1 - np.log(share / (1 - share)))


def taught_world() -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Two rings of 30, each on cards of ten, that answer at length; half of everybody is labelled."""
    rng = np.random.default_rng(2)
    truth = pd.DataFrame({"account_id": [f"a{n:03d}" for n in range(300)], "population": "x"})
    truth["ring"] = ["R1"] * 30 + ["R2"] * 30 + [None] * 240
    frame = requests_at_random(3, 3000, minutes=60 * 24 * 9)
    place = rng.permutation(3000) % 300
    frame["account_id"] = truth["account_id"].to_numpy()[place]
    frame["ip"] = [f"10.0.{n // 250}.{n % 250}" for n in range(3000)]
    frame["output_tokens"] = rng.poisson(np.where(place < 60, 900, 300))
    payments = pd.DataFrame({"account_id": truth["account_id"], "instrument_id": "x", "payment_id": "x"})
    payments["payment_id"] = [f"p{n}" for n in range(300)]
    payments["instrument_id"] = [f"card-{n // 10 if n < 60 else n}" for n in range(300)]
    labels = truth[["account_id"]].assign(label=np.where(truth["ring"].notna(), "ring", "benign"), ts=START)
    return {"requests": frame, "payments": payments, "labels": labels[::2]}, truth


def test_trees_learn_from_labels_and_name_who_shares_a_card(write: Write, engine: Any) -> None:
    world, truth = taught_world()
    answers = {f.detector: f for f in run_baselines(write(**world), truth, engine)}
    assert set(answers) == {*UNTAUGHT, *TAUGHT}
    cards = {frozenset(f"a{n:03d}" for n in range(ten, ten + 10)) for ten in range(0, 60, 10)}
    for name in TAUGHT:
        check_findings(answers[name], make_truth(truth))
        named = members(answers[name])
        assert len(named) == len(cards), name
        assert all(any(group <= card for card in cards) for group in named), name
        assert roc_auc_score(truth["ring"].notna(), answers[name].accounts["score"]) > 0.98, name


def test_trees_need_labels_of_both_kinds(write: Write, engine: Any) -> None:
    world, truth = taught_world()
    world["labels"] = world["labels"].query("label == 'benign'")
    folder = write(**world)
    answers = run_baselines(folder, truth, engine)
    assert [f.detector for f in answers] == list(UNTAUGHT)
    for answer in answers:
        check_findings(answer, make_truth(truth))
    with pytest.raises(InputError, match="labels"):
        tree_own(open_tables(folder, engine), engine, own_columns(folder, engine), truth_groups(truth))


def test_tuning_puts_the_best_setting_first(write: Write, engine: Any) -> None:
    tables = open_tables(write(**planted_sharing()), engine)
    grid = [Sharing(hub_cap=20), Sharing(hub_cap=30), Sharing(hub_cap=5)]
    tried = tune("shared_identifiers", tables, engine, lambda f: float(len(f.clusters)), grid)
    assert [one.setting.hub_cap for one in tried] == [30, 20, 5]
    assert [one.goodness for one in tried] == [3, 2, 1]


def test_recipes_answer_at_the_usual_and_at_the_best_setting(write: Write, engine: Any) -> None:
    """Rings share cards or devices, which only the usual setting looks at."""
    folder = write(**planted_sharing())
    truth = pd.DataFrame({"account_id": ["c0"], "ring": ["R1"]})
    answers = {f.detector: f for f in run_baselines(folder, truth, engine)}
    tables = open_tables(folder, engine)
    for name, run in (("shared_identifiers", shared_identifiers), ("leiden", leiden)):
        assert members(answers[f"{name} (usual)"]) == members(run(tables, engine, Sharing()))
        assert frozenset(f"c{n}" for n in range(7)) in members(answers[f"{name} (usual)"])
        assert members(answers[name]) == members(run(tables, engine, TUNED)) == set()


def test_settings_are_judged_by_their_mean_over_worlds() -> None:
    low, high = Sharing(hub_cap=5), Sharing(hub_cap=50)
    worlds = [(Tried(low, 0.9), Tried(high, 0.6)), (Tried(high, 0.6), Tried(low, 0.1))]
    assert averaged(worlds) == (Tried(high, 0.6), Tried(low, 0.5))


def test_hubs_are_counted_over_both_tables(write: Write, engine: Any) -> None:
    frame = requests_at_random(4, 60)
    logins = frame[["account_id", "ts", "ip"]].assign(ip="10.0.0.1")[:3]
    tables = open_tables(write(requests=frame, logins=logins), engine)
    rows = fetched(engine, without_hubs(sightings(tables, ["ip"]), 6))
    pairs = pd.concat([frame[["account_id", "ip"]], logins[["account_id", "ip"]]]).drop_duplicates()
    holders = pairs.groupby("ip").size()
    kept = holders[(holders > 1) & (holders <= 6)]
    assert rows.groupby("entity")["sharers"].first().to_dict() == kept.to_dict()
    assert len(rows) == kept.sum()
