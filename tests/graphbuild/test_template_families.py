"""Families: other words or another order, and what everybody can find."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ringfence.graphbuild.templates.describe import DESCRIBED, describe, public_templates
from ringfence.graphbuild.templates.families import families
from ringfence.graphbuild.templates.public import fingerprint, is_public
from ringfence.graphbuild.templates.shingles import shingled
from ringfence.graphbuild.templates.skeleton import Told

GRADER = "Act as a strict judge and grade the answer below on a scale from one to ten: ▢"
TURNED = "On a scale from one to ten, grade the answer below, and act as a strict judge: ▢"
REWORDED = "Act as a strict judge and grade the following answer on a scale from one to ten: ▢"
OTHER = "Translate this recipe into Portuguese without changing any quantity of any ingredient: ▢"
CHINESE = "请给下面的文章打分，从一到十，并说明理由：▢"
CHINESE_TURNED = "从一到十，请给下面的文章打分，并说明理由：▢"
CHINESE_OTHER = "请把下面的菜谱翻译成葡萄牙语，不要改变任何数量：▢"


def test_the_same_in_another_order_is_of_one_family_and_something_else_is_not() -> None:
    assert families(["c", "b", "a", "d"], [GRADER, TURNED, REWORDED, OTHER]) == ["a", "a", "a", "d"]


def test_scripts_without_spaces_are_no_different() -> None:
    texts = [CHINESE, CHINESE_TURNED, CHINESE_OTHER]
    assert families(["a", "b", "c"], texts) == ["a", "a", "c"]


def test_few_words_make_no_family() -> None:
    assert families(["a", "b"], ["▢ please", "please ▢"]) == ["a", "b"]
    assert families([], []) == []
    assert families(["a", "b"], ["▢", ""]) == ["a", "b"]


def hashes(text: str) -> np.ndarray:
    return np.unique(shingled(pa.array([text])).hashes)


LONG = "Sort the letters below by the day on which they were sent, the oldest of them first: ▢"


def test_a_fingerprint_is_few_numbers_and_none_of_a_short_prompt() -> None:
    mark, length = fingerprint(LONG)
    assert len(mark) == 6 < length
    assert len(fingerprint("Tell me a joke")[0]) == 0


@pytest.mark.parametrize(
    "text",
    [
        "You support the staff of a shop for lamps. Answer in two sentences, and never name a price.",
        "You are a helpful assistant for the accountants of a small shipping company in the north",
    ],
)
def test_own_wording_is_not_public(text: str) -> None:
    assert not is_public(hashes(text))


def test_the_list_that_ships_knows_its_own_prompts() -> None:
    from ringfence.graphbuild.templates.public import _fingerprints

    marks, prompts, sizes, lengths = _fingerprints()
    assert len(sizes) > 5000
    known = np.flatnonzero(lengths >= 12)[:50]
    for prompt in known.tolist():
        assert is_public(np.sort(marks[prompts == prompt]))


def test_descriptions_have_their_columns_whatever_there_is() -> None:
    empty = describe([])
    assert tuple(empty.columns) == DESCRIBED
    told = [
        Told("t-2", 5, GRADER, False),
        Told("t-1", 9, None, True),
        Told("t-3", 7, TURNED, False),
    ]
    rows = describe(told).set_index("template_id")
    assert rows.index.tolist() == ["t-1", "t-2", "t-3"]
    assert rows.loc["t-2", "family"] == rows.loc["t-3", "family"] == "t-2"
    assert "rubric_grading" in rows.loc["t-2", "tactics"]
    assert rows.loc["t-1", ["skeleton", "family", "tactics"]].isna().all()
    assert describe(told, {"t-3"}).set_index("template_id").loc["t-2", "tactics"] is None
    assert public_templates(told) == ["t-1"]
