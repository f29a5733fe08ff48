"""The whole scorecard: reading, errors, pooling, JSON and text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from score_samples import answer, large_world, truth_of
from sklearn.metrics import average_precision_score

from ringfence.errors import InputError
from ringfence.worlds.score import (
    Detection,
    as_rows,
    detection_of,
    detection_rows,
    detector_rows,
    findings_of,
    make_truth,
    pool,
    read_findings,
    read_truth,
    score,
)
from ringfence.worlds.score.rows import rate

TRUTH = truth_of([("a", "ring", "A"), ("b", "ring", "A"), ("x", "family", None)])


def ring_line(*accounts: str, **changes: Any) -> dict[str, Any]:
    members = [{"account_id": a, "score": 0.5, "role": "member"} for a in accounts]
    return {"ring_id": "R-1", "decision": "ring", "probability": 0.9, "members": members, **changes}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    scores = pd.DataFrame({"account_id": ["a", "b", "x"], "score": [0.9, None, 0.1]})
    scores.to_parquet(folder / "accounts.parquet")
    (folder / "rings.jsonl").write_text(json.dumps(ring_line("a", "b")) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def world(tmp_path: Path) -> Path:
    folder = tmp_path / "world"
    (folder / "truth" / "requests").mkdir(parents=True)
    TRUTH.accounts.to_parquet(folder / "truth" / "accounts.parquet")
    pd.DataFrame(
        {"ring": ["A"], "operator": ["op"], "single_family": [True], "tactics": [["judge"]]}
    ).to_parquet(folder / "truth" / "rings.parquet")
    for part in (0, 1):
        frame = pd.DataFrame({"request_id": [f"q{part}"], "distilling": [part == 0]})
        frame.to_parquet(folder / "truth" / "requests" / f"part-{part}.parquet")
    (folder / "world.json").write_text('{"scenario": "campaigns", "seed": 3}')
    return folder


def test_a_run_is_read_and_scored(out: Path, world: Path) -> None:
    truth = read_truth(world)
    findings = read_findings(out, truth)
    assert findings.accounts["cluster"].tolist()[:2] == ["R-1", "R-1"]
    card = score(findings, truth)
    assert (card.detector, card.worlds) == ("ringfence", ("campaigns, seed 3",))
    assert card.rings.ring.recall.hits == 1
    assert [r.name for r in card.rings.by_evidence] == ["one family"]
    # The score that is missing counts as 0, below the innocent's 0.1.
    assert card.accounts.ranking.average_precision.value == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_the_truth_folder_itself_will_do_and_requests_are_read_when_asked(world: Path) -> None:
    assert read_truth(world / "truth").requests()["distilling"].tolist() == [True, False]
    assert read_truth(world).rings["operator"].tolist() == ["op"]


@pytest.mark.parametrize("name", ["labels.parquet", "labels/part-0.parquet"])
@pytest.mark.parametrize("given", ["", "truth"])
def test_what_reviewers_know_is_read_with_the_truth(world: Path, name: str, given: str) -> None:
    assert read_truth(world).rings["labelled"].tolist() == [False]
    labels = pd.DataFrame(
        {"account_id": ["x", "b", "b", "old", "a"], "label": ["benign", "ring", "benign", "ring", None]}
    )
    (world / "input" / name).parent.mkdir(parents=True)
    labels.to_parquet(world / "input" / name)
    truth = read_truth(world / given)
    assert truth.accounts["label"].fillna("-").tolist() == ["-", "ring", "benign"]
    assert truth.rings["labelled"].tolist() == [True]
    assert truth.only(["a", "x"]).rings["labelled"].tolist() == [False]


def test_labels_that_are_off(world: Path) -> None:
    (world / "input").mkdir()
    pd.DataFrame({"account_id": ["x"], "lable": ["ring"]}).to_parquet(world / "input" / "labels.parquet")
    with pytest.raises(InputError, match=r"labels in .* has no column label.*'lable'"):
        read_truth(world)


def test_labelled_accounts_are_left_out_of_their_own_figure() -> None:
    truth, findings = large_world(3)
    rng = np.random.default_rng(0)
    known = truth.accounts["ring"].isin(["ring-0", "ring-1"]) & (rng.random(len(truth.accounts)) < 0.7)
    benign = truth.accounts["ring"].isna() & (rng.random(len(truth.accounts)) < 0.2)
    label = np.where(known, "ring", np.where(benign, "benign", None))
    card = score(findings, make_truth(truth.accounts.assign(label=label)))
    left = ~(known | benign).to_numpy()
    expected = average_precision_score(
        truth.accounts["ring"].notna().to_numpy()[left], findings.accounts["score"].to_numpy()[left]
    )
    assert card.accounts.unlabelled.average_precision.value == pytest.approx(expected)
    assert card.accounts.ranking == score(findings, truth).accounts.ranking
    assert expected != pytest.approx(card.accounts.ranking.average_precision.value, abs=1e-4)
    (head, row) = detector_rows([card])
    assert row[head.index("AP, unlabelled accounts")].startswith(f"{expected:.2f} (")
    said = card.as_json()
    assert said["accounts"]["unlabelled"]["average_precision"]["value"] == pytest.approx(expected)
    assert [(r["name"], r["ring"]["of"]) for r in said["rings"]["by_knowledge"]] == [
        ("known to reviewers in part", 2),
        ("unheard of", 4),
    ]
    rows = as_rows(card)["Rings found"]
    assert [row[0] for row in rows[2:4]] == ["known to reviewers in part", "unheard of"]


def test_where_nobody_is_labelled_the_figures_are_the_same() -> None:
    truth, findings = large_world(3)
    scores = score(findings, truth).accounts
    assert scores.unlabelled == scores.ranking


def test_a_truth_without_requests_says_so() -> None:
    with pytest.raises(InputError, match="does not tell which requests distil"):
        TRUTH.requests()


@pytest.mark.parametrize("name", ["accounts.parquet", "rings.jsonl"])
def test_a_missing_file_is_named(out: Path, name: str) -> None:
    (out / name).unlink()
    with pytest.raises(InputError, match=rf"There is no .*{name}.*ringfence run"):
        read_findings(out, TRUTH)


@pytest.mark.parametrize("name", ["accounts.parquet", "rings.jsonl"])
def test_a_damaged_file_is_named(out: Path, name: str) -> None:
    (out / name).write_bytes(b'{"ring_id"')
    with pytest.raises(InputError, match=f"{name} is damaged"):
        read_findings(out, TRUTH)


def test_a_missing_world_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ringfence worlds make"):
        read_truth(tmp_path)


def test_a_missing_column_is_named_with_what_is_near() -> None:
    with pytest.raises(InputError, match=r"no column population.*Did you mean 'populations'"):
        make_truth(TRUTH.accounts.rename(columns={"population": "populations"}))


def test_a_ring_that_the_truth_does_not_tell() -> None:
    with pytest.raises(InputError, match="belong to A"):
        make_truth(TRUTH.accounts, pd.DataFrame({"ring": ["B"]}))


SCORES = pd.DataFrame({"account_id": ["a", "b", "x"], "score": [1.0, 0.5, 0.0]})


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([ring_line("a", "a")], "names account_id a more than once"),
        ([ring_line("a"), ring_line("b", ring_id="R-2"), ring_line("a", ring_id="R-3")], "more than once"),
        ([ring_line("stranger")], "names stranger, which the scores do not"),
        ([{"ring_id": "R-1", "members": []}], "lacks 'decision'"),
        ([ring_line("a", probability="high")], "has a probability that is not a number"),
        ([ring_line("a", probability=[0.5])], "has a probability that is not a number"),
        ([ring_line("a", ring_id=7)], "ring_id|cluster of kind integer"),
        (
            [ring_line("a", decision=None), ring_line("b", ring_id="R-2", decision=1)],
            "decision of kind integer",
        ),
        ([ring_line(5)], "account_id of kind integer"),  # type: ignore[arg-type]
        ([5], "lacks"),
    ],
)
def test_lines_that_are_off(lines: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        findings_of(lines, SCORES)


def test_scores_of_accounts_that_are_numbers(out: Path) -> None:
    pd.DataFrame({"account_id": [1, 2, 3], "score": 0.5}).to_parquet(out / "accounts.parquet")
    with pytest.raises(InputError, match="account_id of kind integer; names must be text"):
        read_findings(out, TRUTH)


def test_a_truth_about_numbers() -> None:
    with pytest.raises(InputError, match="account_id of kind integer"):
        make_truth(TRUTH.accounts.assign(account_id=[1, 2, 3]))
    with pytest.raises(InputError, match="ring of kind floating"):
        make_truth(TRUTH.accounts.assign(ring=[1.0, 1.0, None]))


def broken(**columns: Any) -> Any:
    findings = answer(TRUTH, {"c": ("ring", ["a"])})
    return replace(findings, accounts=findings.accounts.assign(**columns))


def stated(probability: Any) -> Any:
    findings = answer(TRUTH, {"c": ("ring", ["a"])})
    return replace(findings, clusters=findings.clusters.assign(probability=probability))


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        (broken(account_id=["a", "b", "z"]), "1 accounts that this world does not have, such as z"),
        (broken(account_id=["a", "b", "b"]), "names account_id b more than once"),
        (broken(account_id=["a", "b", None]), "1 rows without account_id"),
        (broken(score=[np.inf, 0.0, 0.0]), "1 infinite scores"),
        (broken(score=["high", "low", "low"]), "scores that are not numbers"),
        (broken(account_id=["a", "b", 7]), "account_id of kind mixed-integer"),
        (broken(cluster=["c", 5, None]), "cluster of kind mixed-integer"),
        (stated(1.2), "1 probabilities that are not between 0 and 1"),
        (stated(-0.1), "1 probabilities that are not between 0 and 1"),
        (stated(np.inf), "1 probabilities that are not between 0 and 1"),
        (stated("high"), "a probability that is not a number"),
        (broken(cluster=["c", "d", None]), "puts accounts into d without deciding it"),
        (answer(TRUTH, {"c": ("guilty", ["a"])}), "decides guilty; it may say ring, review, benign"),
    ],
)
def test_answers_that_are_off(findings: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        score(findings, TRUTH)


def test_accounts_left_out_are_counted() -> None:
    findings = answer(TRUTH, {"c": ("ring", ["a"])})
    with pytest.raises(InputError, match="leaves out 1 of the world's 3 accounts, such as x"):
        score(replace(findings, accounts=findings.accounts.iloc[:2]), TRUTH)
    with pytest.raises(InputError, match="no column role"):
        score(replace(findings, accounts=findings.accounts.drop(columns="role")), TRUTH)


def test_pooled_counts_are_those_of_one_large_world() -> None:
    worlds = [large_world(seed) for seed in (1, 2)]
    pooled = pool([score(findings, truth) for truth, findings in worlds]).as_json()
    accounts = pd.concat([renamed(t.accounts, n, "account_id", "ring") for n, (t, _) in enumerate(worlds)])
    said = pd.concat([renamed(f.accounts, n, "account_id", "cluster") for n, (_, f) in enumerate(worlds)])
    clusters = pd.concat([renamed(f.clusters, n, "cluster") for n, (_, f) in enumerate(worlds)])
    truth = make_truth(accounts.reset_index(drop=True))
    findings = replace(worlds[0][1], accounts=said, clusters=clusters.reset_index(drop=True))
    whole = score(findings, truth).as_json()
    for part in ("innocents", "populations", "bystanders", "fairness"):
        assert pooled[part] == whole[part], part
    assert pooled["accounts"]["ring"] == whole["accounts"]["ring"]
    for part in ("ring", "review", "pieces", "by_type", "by_size", "by_evidence", "by_knowledge"):
        assert pooled["rings"][part] == whole["rings"][part], part
    assert pooled["rings"]["flagged"] == pytest.approx(whole["rings"]["flagged"])
    assert pooled["calibration"]["accounts"]["ece"] == pytest.approx(whole["calibration"]["accounts"]["ece"])
    assert len(pooled["outcomes"]) == len(whole["outcomes"])


def renamed(frame: pd.DataFrame, number: int, *columns: str) -> pd.DataFrame:
    return frame.assign(
        **{name: frame[name].map(lambda v: f"{number}:{v}", na_action="ignore") for name in columns}
    )


def test_pooled_rankings_are_means() -> None:
    cards = [score(findings, truth) for truth, findings in (large_world(1), large_world(2))]
    pooled = pool(cards).accounts.ranking
    assert pooled.average_precision.value == pytest.approx(
        np.mean([card.accounts.ranking.average_precision.value for card in cards])
    )
    assert pooled.average_precision.low < pooled.average_precision.value < pooled.average_precision.high


def test_detectors_are_not_mixed() -> None:
    card = score(answer(TRUTH, {}), TRUTH)
    with pytest.raises(InputError, match="leiden, ringfence"):
        pool([card, replace(card, detector="leiden")])
    with pytest.raises(InputError, match="none"):
        pool([])


def test_a_world_without_rings_is_scored_for_its_innocents() -> None:
    truth = truth_of([("x", "family", None), ("y", "family", None)])
    card = score(answer(truth, {"c": ("review", ["x"])}), truth)
    said = json.dumps(card.as_json(), allow_nan=False)
    assert card.innocents.review.hits == 1
    assert json.loads(said)["accounts"]["ranking"]["average_precision"]["value"] is None
    assert "not found" not in str(as_rows(card))


def test_json_holds_what_is_claimed_and_no_replicates() -> None:
    truth, findings = large_world(3)
    said = score(findings, truth).as_json()
    assert said["claims"] == {"false_positives_0.1%": False, "ring_precision_0.99": False}
    assert said["large_enough"] == {"false_positives_0.1%": False, "ring_precision_0.99": False}
    assert "replicates" not in json.dumps(said, allow_nan=False)


def test_the_same_seed_gives_the_same_card() -> None:
    truth, findings = large_world(3)
    assert score(findings, truth, seed=5) == score(findings, truth, seed=5)


def test_tables_of_text() -> None:
    card = score(answer(TRUTH, {"c": ("ring", ["a", "b", "x"])}, probability={"c": 0.97}), TRUTH)
    tables = as_rows(card)
    assert all(len(row) == len(rows[0]) for rows in tables.values() for row in rows)
    assert tables["Planted rings and what was found"][1] == ("A", "c", "ring", "0.97", "2 of 2", "1", "1")
    assert tables["Innocents named"][1][:3] == ("family", "1", "1")
    assert tables["Innocents named"][1][-1] == "too small for 0.1%"
    figures = {row[0]: row[1:] for row in tables["Accounts, clusters, networks and probabilities"]}
    assert figures["accounts flagged: precision"] == ("67% (21%–94%)", "3")
    assert figures["calibration of clusters"] == ("ECE 0.030, Brier 0.001", "1")
    assert tables["What is shown"][2] == (
        "ring precision of at least 0.99", "100% (21%–100%)", "no", "1 reported rings",
        "fewer than the 381 that it takes",
    )  # fmt: skip


def test_a_large_sample_of_bad_figures_carries_no_claim() -> None:
    truth = truth_of([("r", "ring", "A"), *((f"x{n}", "family", None) for n in range(5000))])
    accusing = answer(truth, {"c": ("ring", ["r", *(f"x{n}" for n in range(400))])})
    said = score(accusing, truth).as_json()
    assert said["large_enough"]["false_positives_0.1%"]
    assert not said["claims"]["false_positives_0.1%"]
    assert as_rows(score(accusing, truth))["What is shown"][1][2] == "no"
    assert score(answer(truth, {"c": ("ring", ["r"])}), truth).as_json()["claims"]["false_positives_0.1%"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0%"), (1.0, "100%"), (0.000214, "0.021%"), (0.043, "4.3%"), (0.37, "37%"), (0.9995, "99.950%"),
     (float("nan"), "–"), (1e-9, "0.000%")],
)  # fmt: skip
def test_rates_in_words(value: float, words: str) -> None:
    assert rate(value) == words


DETECTED = Detection(
    pd.DataFrame(
        {
            "ring": ["A", "B", "C"],
            "ring_type": ["relay", "relay", "slow"],
            "share_at_review": [0.1, 0.3, None],
            "share_at_ring": [0.2, None, None],
            "hours_at_review": [24.0, 48.0, None],
            "hours_at_ring": [30.0, None, None],
        }
    )
)


def test_a_ring_never_found_has_spent_everything() -> None:
    review, ring = DETECTED.lateness("review"), DETECTED.lateness("ring")
    assert (review.found, review.median_share, review.worst_share, review.median_hours) == (2, 0.3, 1.0, 48.0)
    assert (ring.found, ring.median_share, ring.median_hours) == (1, 1.0, float("inf"))
    assert DETECTED.lateness("review", "relay").median_share == pytest.approx(0.2)
    said = json.loads(json.dumps(DETECTED.as_json(), allow_nan=False))
    assert said["overall"]["ring"]["median_hours"] is None
    assert said["rings"][2]["share_at_review"] is None
    assert detection_rows(DETECTED)[2] == ("all", "ring", "1 of 3", "100%", "100%", "never", "never")


BACK = pd.DataFrame(
    [("a2", "a", "A", 5.0), ("b2", "b", "A", 40.0), ("c2", "c", "B", 12.0), ("d2", "d", "B", None)],
    columns=["account_id", "replaces", "ring", "hours"],
)


def test_replacements_of_banned_accounts_are_told() -> None:
    assert detection_rows(Detection(DETECTED.rings, BACK))[-1] == (
        "replacements named", "review", "3 of 4", "–", "–", "26", "never",
    )  # fmt: skip
    all_named = Detection(DETECTED.rings, BACK.iloc[:3])
    assert detection_rows(all_named)[-1][2:] == ("3 of 3", "–", "–", "12", "40")
    assert all_named.replaced().as_json() == {
        "accounts": 3, "named": 3, "median_hours": 12.0, "worst_hours": 40.0,
    }  # fmt: skip
    assert "replacements named" not in str(detection_rows(DETECTED))


@pytest.mark.parametrize("detection", [DETECTED, Detection(DETECTED.rings, BACK)])
def test_what_a_replay_wrote_is_read_as_it_was(detection: Detection) -> None:
    written = json.dumps({"detection": detection.as_json()}, allow_nan=False)
    read = detection_of(json.loads(written))
    assert read.as_json() == detection.as_json()
    assert detection_rows(read) == detection_rows(detection)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "not what a replay writes"),
        ([], "not what a replay writes"),
        ({"detection": {"rings": 5}}, "not what a replay writes"),
        ({"detection": {"rings": [{"ring": "A"}]}}, "no column ring_type"),
        (
            {"detection": {"rings": [dict.fromkeys(DETECTED.rings, "A")]}},
            "share_at_review that is not a number",
        ),
        (
            {"detection": {**DETECTED.as_json(), "replacements": {"each": [{"hours": 1}]}}},
            "no column account_id",
        ),
    ],
)
def test_what_no_replay_wrote_is_refused(told: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        detection_of(told)


def test_replays_written_before_replacements_were_listed_are_read() -> None:
    assert detection_of({"detection": {"rings": DETECTED.as_json()["rings"]}}).replaced().accounts == 0


def test_the_main_figures_name_what_they_are() -> None:
    truth, findings = large_world(3)
    card = score(findings, truth)
    head, row = detector_rows([card])
    told = dict(zip(head, row, strict=True))
    assert told["B-cubed F1, flagged"] == f"{card.rings.flagged.f1:.2f}"
    for name, (_, estimate) in zip(
        ("AP at 0.1%", "AP at 1%", "AP at 3%"), card.accounts.ranking.at_prevalence, strict=True
    ):
        assert told[name].startswith(f"{estimate.value:.2f} (")


def test_a_detection_frame_is_checked() -> None:
    with pytest.raises(InputError, match="no column hours_at_ring"):
        Detection(DETECTED.rings.drop(columns="hours_at_ring"))
    with pytest.raises(InputError, match="more than once"):
        Detection(pd.concat([DETECTED.rings, DETECTED.rings]))
