"""A world with its languages swapped is the same world in other words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from made_world import TUNING, MadeWorld, passing

from ringfence.worlds.phrases import PHRASEBOOKS

TEXT = ["system_prompt", "prompt", "input_tokens"]
"""What a language changes; the length of a text goes into its tokens."""


@pytest.fixture(scope="module")
def twin() -> Iterator[MadeWorld]:
    with passing(replace(TUNING, swap_languages=True)) as world:
        yield world


def test_nothing_but_texts_differs(tuning_world: MadeWorld, twin: MadeWorld) -> None:
    for name, frame in tuning_world.tables.items():
        other = twin.tables[name]
        if name != "requests":
            assert other.equals(frame), name
            continue
        assert other.drop(columns=TEXT).equals(frame.drop(columns=TEXT))
        assert (other["system_prompt"].isna() == frame["system_prompt"].isna()).all()


def test_the_truth_differs_in_languages_alone(tuning_world: MadeWorld, twin: MadeWorld) -> None:
    assert twin.truth.drop(columns="language").equals(tuning_world.truth.drop(columns="language"))
    assert twin.rings.drop(columns="tactics").equals(tuning_world.rings.drop(columns="tactics"))
    assert twin.rings["tactics"].str[0].equals(tuning_world.rings["tactics"].str[0])
    became = dict(zip(tuning_world.truth["language"], twin.truth["language"], strict=True))
    assert sorted(became) == sorted(became.values()) == sorted(PHRASEBOOKS)
    assert all(before != after for before, after in became.items())
    pairs = set(zip(tuning_world.truth["language"], twin.truth["language"], strict=True))
    assert len(pairs) == len(PHRASEBOOKS), "one language becomes one other"


def test_nearly_every_text_is_another_and_as_often_repeated(tuning_world: MadeWorld, twin: MadeWorld) -> None:
    before, after = (world.tables["requests"] for world in (tuning_world, twin))
    assert (before["prompt"] != after["prompt"]).mean() > 0.99
    for column in ("system_prompt", "prompt"):
        repeats = [frame[column].nunique() / frame[column].notna().sum() for frame in (before, after)]
        assert repeats[0] == pytest.approx(repeats[1], rel=0.05)
    tokens = [frame["input_tokens"].mean() for frame in (before, after)]
    assert tokens[0] == pytest.approx(tokens[1], rel=0.35)


def test_no_language_is_told_by_its_tokens(tuning_world: MadeWorld) -> None:
    own = tuning_world.sent[tuning_world.sent["population"] == "background"]
    mean = own.groupby("language")["input_tokens"].mean()
    assert len(mean) == len(PHRASEBOOKS)
    assert mean.max() < 1.3 * mean.min()
