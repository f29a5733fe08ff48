"""A column that tells rings apart is caught, one that only names them or is noise is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from ringfence.errors import InputError
from ringfence.worlds.baselines.columns.network import describe
from ringfence.worlds.separable import boosted, innocents_weighted, single_columns


@pytest.fixture
def truth() -> pd.DataFrame:
    ring = [f"R{n // 20}" for n in range(200)]
    frame = pd.DataFrame({"ring": [*ring, *[None] * 3000]})
    frame["account_id"] = [f"a{n:04d}" for n in range(len(frame))]
    frame["population"] = np.where(frame["ring"].notna(), "ring", "innocent")
    frame["language"] = np.random.default_rng(0).choice(["en", "fr", "de"], len(frame))
    return frame


@pytest.fixture
def columns(truth: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    ring = truth["ring"].notna().to_numpy()
    code = pd.factorize(truth["ring"])[0]
    level = rng.random(10)
    one = rng.integers(0, 2, len(truth))
    frame = {
        "noise": rng.random(len(truth)),
        "gap_cv": rng.normal(size=len(truth)) + 6 * ring,
        "requests": rng.normal(size=len(truth)) + 1.5 * ring,
        # The same value all over a ring: tells rings that were seen, and no other.
        "fingerprint": np.where(ring, level[code], rng.random(len(truth))),
        "odd": one,
        "span_days": rng.normal(size=len(truth)) + 1.5 * ring,
        "payments": rng.normal(size=len(truth)) + 1.5 * ring,
        "logins": rng.normal(size=len(truth)) + 1.5 * ring,
        "plan=pro": ring & (one > 0),
        "plan=team": ring & (one == 0),
        "country=FR": ring,
        "empty": np.nan,
    }
    gaps = rng.random(len(truth)) < 0.1
    known = pd.DataFrame(frame, index=pd.Index(truth["account_id"])).astype("float32")
    known.loc[gaps, "gap_cv"] = np.nan
    return known


def test_columns_are_ranked_by_what_they_give_away(columns: pd.DataFrame, truth: pd.DataFrame) -> None:
    shuffled = columns.sample(frac=1, random_state=3)
    found = single_columns(shuffled, truth).set_index("column")
    assert found["average_precision"].is_monotonic_decreasing
    precision = found["average_precision"]
    assert "empty" not in found.index
    assert precision["plan"] == pytest.approx(1), "neither plan alone names all rings"
    assert precision["country"] == pytest.approx(1)
    assert precision["gap_cv"] > 0.5
    assert 0.02 < precision["requests"] < 0.5
    for name in ("noise", "fingerprint", "odd", "language"):
        assert precision[name] < 0.03, name
    assert found["kind"].to_dict()["requests"] == "volume"
    assert found["kind"].to_dict()["gap_cv"] == "other"
    assert found["roc_auc"]["noise"] == pytest.approx(0.5, abs=0.1)


def test_trees_add_columns_up_and_never_see_the_country(columns: pd.DataFrame, truth: pd.DataFrame) -> None:
    weak = ["requests", "span_days", "payments", "logins"]
    alone = single_columns(columns[weak], truth)["average_precision"]
    assert boosted(columns[weak], truth) > 2 * alone.max()
    assert boosted(columns[["country=FR", "noise"]], truth) < 0.03


def test_what_is_no_address_is_of_no_kind() -> None:
    ranges = pd.DataFrame(
        {"cidr": ["0.0.0.0/8", "10.0.0.0/8", "::/32"], "asn": [1, 2, 3], "kind": ["a", "b", "c"]}
    )
    bad = ["unknown", "10.0.0.999", "10.0.0.1:443", "", "::g", "10.0.0.\0"]
    found = describe(np.asarray([*bad, "10.0.0.9"], object), ranges)
    assert found["kind"].isna().tolist() == [True] * len(bad) + [False]
    assert found["subnet"].isna().tolist() == [True] * len(bad) + [False]
    assert found["ip"].tolist() == [*bad, "10.0.0.9"]


@pytest.mark.parametrize("prevalence", [0.01, 0.1])
def test_weights_stand_for_more_innocents(prevalence: float) -> None:
    rng = np.random.default_rng(4)
    target = np.arange(220) < 20
    scores = np.round(rng.normal(size=220) + target, 1)
    weights = innocents_weighted(target, prevalence)
    assert weights[target].sum() / weights.sum() == pytest.approx(prevalence)
    times = np.where(target, 10, np.round(weights * 10)).astype(int)
    repeated = average_precision_score(np.repeat(target, times), np.repeat(scores, times))
    weighted = average_precision_score(target, scores, sample_weight=weights)
    assert weighted == pytest.approx(repeated, rel=1e-3)


def test_a_world_without_rings_has_nothing_to_tell_apart(columns: pd.DataFrame, truth: pd.DataFrame) -> None:
    for ask in (single_columns, boosted):
        with pytest.raises(InputError, match="innocents"):
            ask(columns, truth.assign(ring=None))
