"""The template benchmark's own arithmetic, against scikit-learn, brute force and cases made by hand."""

from __future__ import annotations

import importlib.util
import os
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import pair_confusion_matrix

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
SHARED = Path(os.environ.get("RINGFENCE_SHARED_DATA", ROOT.parent / "shared" / "data"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


scores = load("template_scores")
streams = load("template_stream")
plots = load("template_plot")
peers = load("template_peers")
quality = load("template_quality")
LABELS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40)


def measured(true: object, found: object) -> dict[str, float]:
    parts = scores.template_sums(scores.codes(true), scores.codes(found))
    return dict(zip(scores.FIGURES, scores.figures(parts.sum(axis=0)).tolist(), strict=True))


def exactly_right(true: list[int], found: list[int]) -> tuple[float, float]:
    """GA and FGA as their papers say them, over sets."""
    templates, groups = (
        {frozenset(np.flatnonzero(np.array(names) == name).tolist()) for name in set(names)}
        for names in (true, found)
    )
    right = templates & groups
    return sum(map(len, right)) / len(true), 2 * len(right) / (len(templates) + len(groups))


@given(LABELS)
def test_figures_agree_with_scikit_learn_and_with_sets(rows: list[tuple[int, int]]) -> None:
    true, found = (list(column) for column in zip(*rows, strict=True))
    said = measured(true, found)

    # Ordered pairs: together in neither, only found, only true, both.
    (_, only_found), (only_true, both) = pair_confusion_matrix(true, found)
    ga, fga = exactly_right(true, found)
    assert said["ARI"] == pytest.approx(adjusted_rand_score(true, found), abs=1e-9)
    assert said["precision"] == pytest.approx(both / (both + only_found) if both + only_found else 1)
    assert said["recall"] == pytest.approx(both / (both + only_true) if both + only_true else 1)
    wrong = only_found + only_true
    assert said["pair F1"] == pytest.approx(2 * both / (2 * both + wrong) if both + wrong else 1)
    assert (said["GA"], said["FGA"]) == pytest.approx((ga, fga))


@given(LABELS, st.randoms(use_true_random=False))
def test_neither_the_order_of_prompts_nor_the_names_of_groups_count(
    rows: list[tuple[int, int]], random: object
) -> None:
    mixed = [(f"true {t}", f"found {-g}") for t, g in rows]
    random.shuffle(mixed)  # type: ignore[attr-defined]

    assert measured(*zip(*mixed, strict=True)) == pytest.approx(measured(*zip(*rows, strict=True)))


def test_a_case_made_by_hand() -> None:
    # a is exact; b is split in two; c and d are one.
    said = measured("aaabbbbccd", "111223344" + "4")

    assert said["precision"] == pytest.approx(6 / 8)
    assert said["recall"] == pytest.approx(6 / 10)
    assert said["pair F1"] == pytest.approx(12 / 18)
    assert said["GA"] == pytest.approx(0.3)
    assert said["FGA"] == pytest.approx(2 * 1 / (4 + 4))


def test_what_has_no_template_is_a_group_of_its_own() -> None:
    assert scores.codes(["x", None, "x", None, None]).tolist() == [0, 1, 0, 2, 3]
    assert measured("aabb", ["x", "x", None, None]) == measured("aabb", ["x", "x", "y", "z"])


def test_all_right_and_all_alone_are_perfect_where_they_are_true() -> None:
    assert set(measured("aabbc", "xxyyz").values()) == {1.0}
    assert set(measured("abcd", "wxyz").values()) == {1.0}


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="3 prompts have a true template, 2 a group"):
        scores.template_sums(scores.codes("abc"), scores.codes("ab"))


def test_bounds_hold_the_figure_and_narrow_with_more_templates() -> None:
    rng = np.random.default_rng(0)

    def spread(templates: int) -> float:
        true = np.repeat(np.arange(templates), 20)
        # A third of the templates are found whole, the others in halves.
        halves = np.where(true % 3 == 0, 0, rng.integers(0, 2, true.size))
        parts = scores.template_sums(scores.codes(true), scores.codes(true * 2 + halves))
        low, high = scores.bounds(parts)
        figures = scores.figures(parts.sum(axis=0))
        assert (low <= figures).all()
        assert (figures <= high).all()
        assert low[-1] < high[-1]
        return float(high[-1] - low[-1])

    assert spread(300) < 0.5 * spread(30)
    assert np.array_equal(*(scores.bounds(scores.template_sums(*(scores.codes("aab"),) * 2)) for _ in "12"))


def test_a_stream_is_the_same_whenever_it_is_made_and_however_it_is_cut() -> None:
    first, again = (list(streams.stream(seed=1, prompts=3_000, batch=1_000)) for _ in "12")
    other = next(streams.stream(seed=2, prompts=1_000, batch=1_000))

    assert [len(part.prompts) for part in first] == [1_000] * 3
    for one, two in pairwise(first):
        assert one.prompts != two.prompts
    assert all(one.prompts == two.prompts for one, two in zip(first, again, strict=True))
    assert first[0].prompts != other.prompts


@pytest.mark.parametrize("new", [0.3, 0.5])
def test_a_stream_has_the_share_of_new_templates_and_the_length_it_promises(new: float) -> None:
    parts = list(streams.stream(seed=3, prompts=20_000, new=new, batch=1_000))
    templates = np.concatenate([part.templates for part in parts])
    lengths = np.concatenate([[len(text) for text in part.prompts.to_pylist()] for part in parts])

    _, first_seen = np.unique(templates, return_index=True)
    assert first_seen.size / templates.size == pytest.approx(new, abs=0.02)
    # New ones keep coming: as many in the last quarter as in any other.
    assert (first_seen >= 15_000).mean() == pytest.approx(0.25, abs=0.03)
    assert lengths.mean() == pytest.approx(300, rel=0.05)
    assert np.bincount(templates).max() > 50


def test_prompts_of_one_template_share_its_words_and_no_two_texts_are_the_same() -> None:
    part = next(streams.stream(seed=4, prompts=5_000, batch=5_000))
    texts = part.prompts.to_pylist()
    often = np.bincount(part.templates).argmax()
    words = [set(texts[row].split()) for row in np.flatnonzero(part.templates == often)]

    assert len(set.intersection(*words)) >= 10
    assert len(set(texts)) == len(texts)


def test_twins_are_joined_and_nothing_else() -> None:
    names = [
        "adversarial_qa_dbert_based_on",
        "adversarial_qa_droberta_based_on",
        "adversarial_qa_dbidaf_generate_question",
        "duorc_SelfRC_movie_director",
        "duorc_ParaphraseRC_movie_director",
        "wiki_qa_dbert_based_on",
        "quoref_Answer_Test",
    ]
    assert quality.Labelled(names, names).joined == [
        "adversarial_qa_based_on",
        "adversarial_qa_based_on",
        "adversarial_qa_generate_question",
        "duorc_movie_director",
        "duorc_movie_director",
        "wiki_qa_dbert_based_on",
        "quoref_Answer_Test",
    ]


@pytest.mark.shared_data
def test_the_halves_are_the_datasets_of_the_prompts_and_do_not_meet() -> None:
    file = SHARED / "templates" / "t0_prompts.parquet"
    if not file.exists():
        pytest.skip("the T0 prompts are not there; name the data's folder in RINGFENCE_SHARED_DATA")
    halves = [quality.read_t0(file, datasets) for datasets in (quality.TUNED, quality.REPORTED)]

    assert not set(quality.TUNED) & set(quality.REPORTED)
    assert not set(halves[0].templates) & set(halves[1].templates)
    assert sum(len(half.prompts) for half in halves) == 29_210
    assert [len(set(half.joined)) for half in halves] == [59, 74]
    assert len(set(quality.read_t0(file).templates)) == 152


def test_batches_keep_every_prompt_in_its_place() -> None:
    prompts = [f"prompt {number}" for number in range(2 * peers.BATCH + 1)]
    parts = list(peers.batches(prompts))

    assert [text for part, _ in parts for text in part.to_pylist()] == prompts
    assert len({name for _, accounts in parts for name in accounts.to_pylist()}) == len(prompts)


def test_growth_is_drawn_where_its_numbers_are() -> None:
    curve = [(1e5, 2.0), (1e6, 20.0), (1e7, 200.0)]
    drawn = ElementTree.fromstring(plots.growth_svg([("seconds", curve, 100.0)], "prompts", "Growth"))
    dots = drawn.findall(".//{*}circle")
    xs, ys = ([float(dot.get(axis, "nan")) for dot in dots] for axis in ("cx", "cy"))

    # Two decades across from edge to edge; upright three decades, one step each.
    assert xs == pytest.approx([plots.LEFT, (plots.LEFT + plots.RIGHT) / 2, plots.RIGHT], abs=0.1)
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
    assert ys[0] - ys[1] == pytest.approx((plots.BOTTOM - plots.TOP) / 3, abs=0.2)
