"""A request that makes no sense is refused before anything is written, in words that help."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from made_world import make

from ringfence.errors import InputError, UsageError
from ringfence.worlds.corpus import read_corpus
from ringfence.worlds.make import WorldRequest, make_world

NAN = float("nan")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (WorldRequest(scale=0), "scale of 0"),
        (WorldRequest(scale=-0.1), "scale of -0.1"),
        (WorldRequest(scale=NAN), "scale of nan"),
        (WorldRequest(scale=51), "scale of 51"),
        (WorldRequest(scenario="everyday"), "report-everyday"),
        (WorldRequest(scenario=""), "published"),
        (WorldRequest(prevalence=0), "prevalence of 0"),
        (WorldRequest(prevalence=-0.01), "prevalence"),
        (WorldRequest(prevalence=0.51), "prevalence of 0.51"),
        (WorldRequest(prevalence=NAN), "prevalence of nan"),
        (WorldRequest(attacks=("jitter", "bribery")), "attack bribery"),
    ],
)
def test_what_makes_no_world(tmp_path: Path, request_: WorldRequest, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_world(tmp_path / "world", request_)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_is_a_whole_number_of_64_bits(tmp_path: Path, seed: int) -> None:
    with pytest.raises(UsageError, match="seed"):
        make_world(tmp_path / "world", WorldRequest(seed=seed))


@pytest.mark.parametrize("scenario", ["published", "demo", "tuning", "report-everyday"])
def test_the_smallest_world_is_one(tmp_path: Path, scenario: str) -> None:
    world = make(tmp_path / "world", WorldRequest(scenario, 1e-7, 1))
    assert len(world.rings) >= 1
    assert (world.rings["accounts"] >= 6).all()
    assert world.truth["population"].nunique() > 20
    assert len(world.sent) == world.rows["requests"] > 0


BROKEN = {
    "cut.json": b'[{"prompt": "What is the tide table for',
    "cut.jsonl": b'{"prompt": "What is the tide table for today?"}\n{"prom',
    "bytes.txt": b"\xff\xfe\x00\x01 this is no text at all",
    "empty.json": b"[]",
    "short.txt": b"Why?",
    "other.csv": b"prompt\nWhat is the tide table for today?\n",
    "fields.json": b'[{"colour": "What is the tide table for today?"}, 5, null]',
}


@pytest.mark.parametrize("name", BROKEN)
def test_prompts_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(InputError, match=name):
        make_world(tmp_path / "world", WorldRequest(scale=0.0001, prompts=path))
    assert list(tmp_path.iterdir()) == [path]


ODD = {
    "number.json": '{"prompt": "What is the tide table for today?", "instances": 5}',
    "texts.json": '{"prompt": "What is the tide table for today?", "instances": ["A text alone."]}',
    "deep.json": "[" * 100_000 + "]" * 100_000,
    "surrogate.json": json.dumps({"prompt": "What is the tide table for \ud800 today?"}),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_prompts_are_taken_or_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(ODD[name], encoding="utf-8")
    with suppress(InputError):
        make_world(tmp_path / "world", WorldRequest("demo", 0.00005, prompts=path))


@pytest.mark.parametrize("path", ["nowhere", "nowhere.json"])
def test_prompts_that_are_not_there(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match=path):
        make_world(tmp_path / "world", WorldRequest(prompts=tmp_path / path))


def test_a_folder_without_prompts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no prompts"):
        read_corpus(tmp_path)


def test_texts_are_told_apart_by_field_and_taken_once(tmp_path: Path) -> None:
    ask, passage, frame, bare = (
        f"This is the text of the {part} in this file."
        for part in ("instruction", "output", "system prompt", "jailbreak")
    )
    record = {"instruction": ask, "output": passage, "system_prompt": frame, "id": 7}
    nested = {"instances": [{"input": passage + " Again."}]}
    lines = "\n".join(json.dumps(r) for r in (record, record, nested))
    (tmp_path / "a.jsonl").write_text(lines + "\n\n", encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps([bare]), encoding="utf-8")
    (tmp_path / "c.txt").write_text("x" * 5000, encoding="utf-8")
    (tmp_path / "folder").mkdir()
    corpus = read_corpus(tmp_path)
    assert corpus.prompts == (ask, "x" * 4000)
    assert corpus.passages == (passage, passage + " Again.")
    assert corpus.framings == (frame, bare)


def test_given_prompts_are_sent_by_both_sides(tmp_path: Path) -> None:
    asked = [f"Please tell me about tide table number {n}, in a few words." for n in range(30)]
    frame = "You are a grader. Use the rubric below, point by point."
    (tmp_path / "p.json").write_text(
        json.dumps([{"prompt": text, "output": f"Passage of {text}"} for text in asked] + [frame]),
        encoding="utf-8",
    )
    world = make(
        tmp_path / "world", WorldRequest("tuning", 0.0005, 4, prevalence=0.2, prompts=tmp_path / "p.json")
    )
    sent = world.sent
    guilty = sent["ring"].notna()
    for rows in (sent[guilty], sent[~guilty]):
        assert rows["prompt"].isin(asked).mean() > 0.02
        assert rows["prompt"].str.contains("Passage of Please", regex=False).mean() > 0.1
        assert rows["system_prompt"].str.contains("You are a grader", regex=False).any()
    assert not sent["prompt"].isin(asked).all()
    assert json.loads((world.folder / "world.json").read_text(encoding="utf-8"))["prompts"]
