"""Templates: one for the variants of a prompt, others for others, told when enough accounts sent them."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from ringfence.errors import InputError
from ringfence.graphbuild.templates import miner as mining
from ringfence.graphbuild.templates.discover import MiningSettings, discover
from ringfence.graphbuild.templates.miner import PromptMiner
from ringfence.graphbuild.templates.registry import FILE
from ringfence.graphbuild.templates.shingles import shingled

WORDS = [
    f"{a}{b}" for a in ("bar", "cor", "dun", "fel", "gor", "hal", "kim", "lor", "mun", "nor", "pel", "quo")
    for b in ("ak", "eb", "il", "om", "ur", "yst", "and", "ent", "iff", "oll", "usk")
]  # fmt: skip
PERSONA = (
    "You are a senior {} who works for {}. Read the task below with great care, and write down all of your"
    " reasoning before you answer. Task: {}"
)
GRADER = "{}\n\nGrade the answer above from one to ten, and say in one sentence why."
REWRITER = "Improve this draft: {}\nKeep its tone, and change no names."
TEMPLATES = [PERSONA, GRADER, REWRITER]


def words(rng: random.Random, least: int, most: int) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(least, most)))


def prompts(template: str, count: int, seed: int = 1) -> list[str]:
    """Prompts of a template whose slots are often longer than its words."""
    rng = random.Random(f"{template}{seed}")
    return [template.format(*(words(rng, 1, 60) for _ in range(template.count("{}")))) for _ in range(count)]


def mine(
    texts: list[str | None],
    accounts: list[str] | None = None,
    miner: PromptMiner | None = None,
    batch: int = 1000,
) -> tuple[list[str | None], PromptMiner]:
    miner = miner or PromptMiner()
    senders = pa.array(accounts or [f"a{n}" for n in range(len(texts))], pa.string())
    column = pa.array(texts, pa.string())
    keys = [
        miner(None, column[at : at + batch], senders[at : at + batch]) for at in range(0, len(texts), batch)
    ]
    miner.finish()
    return [template for part in keys for template in miner.resolve(part).to_pylist()], miner


def mixed(count: int = 60, seed: int = 1) -> tuple[list[str], list[int]]:
    """Prompts of all templates in a random order, and which each is of."""
    made = [(text, n) for n, template in enumerate(TEMPLATES) for text in prompts(template, count, seed)]
    random.Random(seed).shuffle(made)
    return [text for text, _ in made], [n for _, n in made]


def test_variants_of_a_prompt_have_one_template_and_others_have_others() -> None:
    texts, true = mixed()
    found, _ = mine(list(texts))
    assert None not in found
    assert len(set(found)) == len(TEMPLATES)
    assert len(set(zip(found, true, strict=True))) == len(TEMPLATES)


def test_what_has_no_template_gets_none() -> None:
    texts, _ = mixed()
    alone = [words(random.Random(n), 20, 40) for n in range(30)]
    found, _ = mine([*texts, *alone])
    assert None not in found[: len(texts)]
    assert found[len(texts) :] == [None] * 30


def test_a_template_with_fewer_variants_than_are_asked_for_is_none() -> None:
    few, enough = prompts(PERSONA, 4), prompts(PERSONA, 5)
    assert mine(list(few))[0] == [None] * 4
    (found,) = set(mine(list(enough))[0])
    assert found is not None


def test_wording_that_closes_a_prompt_is_another_template_than_the_same_before_a_slot() -> None:
    before, after = (
        "What is this text about, and who wrote it?\n\n{}",
        "{}\n\nWhat is this text about, and who wrote it?",
    )
    found, _ = mine(prompts(before, 40) + prompts(after, 40))
    assert len(set(found[:40])) == len(set(found[40:])) == 1
    assert found[0] != found[40]


def test_a_passage_that_several_templates_are_filled_with_is_no_template() -> None:
    rng = random.Random(5)
    passages = [words(rng, 60, 80) for _ in range(20)]
    asks = [
        "Read the passage below and name its three most important points.\n\n{}\n\nAnswer: {}",
        "{}\n\nWhich question does the passage above answer best? {}",
        "Translate what follows into plain words for a child of ten: {} {}",
        "{} {}\n\nFind the one sentence above that could be left out without loss.",
    ]
    texts = [ask.format(passage, words(rng, 2, 9)) for ask in asks for passage in passages for _ in range(5)]
    found, _ = mine(list(texts))
    true = [n for n in range(len(asks)) for _ in range(100)]
    assert len(set(zip(found, true, strict=True))) == len(asks) == len(set(found))


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_do_not_show(batch: int) -> None:
    texts, _ = mixed(20)
    assert mine(list(texts), batch=batch)[0] == mine(list(texts))[0]


def test_templates_of_many_windows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mining, "WINDOW", 4000)
    monkeypatch.setattr(mining, "_CARRIED", 1000)
    texts, true = mixed(300)
    found, miner = mine(list(texts), batch=50)
    pairs = set(zip(found, true, strict=True))
    assert len({template for template, _ in pairs if template}) == len(TEMPLATES)
    assert sum(template is None for template in found) <= 0.02 * len(found)
    assert len(miner.registry.templates) == len(TEMPLATES)


def test_templates_within_known_ones_are_found_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mining, "WINDOW", 4000)
    monkeypatch.setattr(mining, "_CARRIED", 1000)
    wide = "Sum up what follows in three lines for a busy reader: {}"
    within = wide + "\n\nLeave out all names, and give every date as a number."
    first, miner = mine(prompts(wide, 300), batch=50)
    assert len(set(first)) == 1
    found, miner = mine(prompts(within, 2000) + prompts(wide, 200, 2), miner=miner, batch=50)
    assert len(miner.registry.templates) == 2
    assert set(found[-200:]) == set(first)
    late = found[1700:2000]
    assert set(late) == {template.template_id for template in miner.registry.templates} - set(first)


def test_a_known_template_loses_what_most_of_its_prompts_lack_and_nothing_by_chance() -> None:
    wording = "Sum up what follows in three lines for a busy reader, and name its author and its year: {}"
    shorter = "Sum up what follows in three lines for a busy reader, and name its author: {}"
    (known,) = (t.shingles for t in mine(prompts(wording, 40))[1].registry.templates)
    for count, lost in [(5, False), (40, True)]:
        texts = shingled(pa.array(prompts(shorter, count)))
        mined = discover(texts, np.ones(count), [known], MiningSettings())
        assert set(mined.names.tolist()) == {0}
        assert (len(mined.sets[0]) < len(known)) is lost
        assert np.isin(mined.sets[0], known).all()


@pytest.mark.parametrize("batch", [3, 64, 450])
def test_batches_do_not_show_over_many_windows(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mining, "WINDOW", 5000)
    monkeypatch.setattr(mining, "_CARRIED", 1200)
    texts, _ = mixed(150)
    others = [text if n % 3 else None for n, text in enumerate(reversed(texts))]
    senders = pa.array([f"a{n % 70}" for n in range(len(texts))])

    def found(size: int) -> list[str | None]:
        miner = PromptMiner(wordings=True)
        keys = [
            miner(
                pa.array(others[at : at + size], pa.string()),
                pa.array(texts[at : at + size]),
                senders[at : at + size],
            )
            for at in range(0, len(texts), size)
        ]
        miner.finish()
        return [template for part in keys for template in miner.resolve(part).to_pylist()]

    assert found(batch) == found(len(texts))


def test_text_without_a_word_has_no_template() -> None:
    assert mine([None, "", " ", "\u200b", "\n\n", "\t"] * 3)[0] == [None] * 18
    nobody = PromptMiner()
    assert nobody(None, None, pa.array(["a", "b"])).to_pylist() == [None, None]
    nobody.finish()
    assert nobody.resolve(pa.nulls(2, pa.uint64())).to_pylist() == [None, None]
    assert mine([])[0] == []


@pytest.mark.parametrize("wordings", [False, True])
def test_first_texts_may_be_none(wordings: bool) -> None:
    miner = PromptMiner(wordings=wordings)
    senders = pa.array(["a", "b"])
    first = miner(pa.nulls(2, pa.string()), pa.array(["", None]), senders)
    second = miner(pa.nulls(2, pa.string()), pa.array(["One and the same, said twice"] * 2), senders)
    miner.finish()
    assert miner.resolve(first).to_pylist() == [None, None]
    assert len(set(miner.resolve(second).to_pylist())) == 1
    assert miner.resolve(second).null_count == 0


def test_numbers_and_keys_alone_are_nobodys_wording() -> None:
    keys = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "QUJDREVGR0hJSktMTU5PUFFSU1RVVg1"]
    assert mine(["4711", "99", "4711", *keys, *keys])[0] == [None] * 7
    assert mine([f"crack {key}" for key in keys])[0] == [None, None]


def test_a_prompt_that_is_sent_again_and_again_is_its_own_template() -> None:
    found, _ = mine(["Hello there", "hello  THERE", "hello there", "good bye"])
    assert found[0] is not None
    assert found == [found[0]] * 3 + [None]


def test_tricks_that_nobody_sees_change_nothing() -> None:
    texts, _ = mixed(20)
    plain, miner = mine(list(texts))
    tricks = [
        texts[0].replace("e", "e\u200b"),
        texts[0].replace("a", "\u0430").replace("o", "\u03bf"),
        texts[0].upper(),
        texts[0].replace(" ", " \u202e\u202c"),
        "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalpha() else c for c in texts[0]),
    ]
    column = pa.array(tricks)
    keys = miner(None, column, pa.array(["x"] * len(tricks)))
    miner.finish()
    assert miner.resolve(keys).to_pylist() == [plain[0]] * len(tricks)


HOSTILE = [
    "x" * 1_000_000,
    "ab1" * 300_000,
    "[" * 100_000 + "]" * 100_000,
    '{"a":' * 50_000 + "1" + "}" * 50_000,
    "QUJD" * 100_000 + "==",
    "\u202e\u2066\u200f" * 1000,
    "\U000e0041" * 1000,
    "e" + "\u0301" * 10_000,
    "\ufeff\ufffd\uffff",
    "🏴\U000e0067\U000e0062" * 500,
    "\n" * 100_000,
    "a\x00b\x7f\x1b[31m",
]


def test_hostile_prompts_are_prompts() -> None:
    found, miner = mine([*HOSTILE, *HOSTILE, *mixed(20)[0]])
    assert len(found) == 2 * len(HOSTILE) + 60
    assert found[: len(HOSTILE)] == found[len(HOSTILE) : 2 * len(HOSTILE)]
    # However long a prompt is, only so much of it is looked at.
    assert miner._window.size < 50_000


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=30))
def test_any_text_is_mined_and_equal_text_gets_equal_templates(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    found, _ = mine([*clean, *clean])
    assert found[: len(clean)] == found[len(clean) :]


def skeletons(texts: list[str], accounts: list[str], *, wordings: bool = False) -> list[str]:
    _, miner = mine(list(texts), accounts, PromptMiner(wordings=wordings))
    return [told.skeleton for told in miner.told() if told.skeleton is not None]


def test_a_skeleton_shows_what_stays_and_slots_for_the_rest() -> None:
    texts = prompts(PERSONA, 40)
    (skeleton,) = skeletons(texts, [f"a{n}" for n in range(40)])
    assert skeleton == (
        "You are a senior ▢ who works for ▢. Read the task below with great care, and write down all of your"
        " reasoning before you answer. Task: ▢"
    )


@pytest.mark.parametrize(("accounts", "told"), [("a", 0), ("ab", 0), ("abc", 1)])
def test_wording_is_told_when_three_accounts_sent_it(accounts: str, told: int) -> None:
    texts = prompts(PERSONA, 30)
    assert len(skeletons(texts, [accounts[n % len(accounts)] for n in range(30)])) == told


def test_what_one_account_alone_repeats_stays_unseen() -> None:
    secret = "for Montgomery Featherstonehaugh at the Lakeside office"
    loud = [text + f"\nThis is {secret}, as always." for text in prompts(REWRITER, 200)]
    others = prompts(REWRITER, 8, seed=2)
    texts = [*loud[:100], *others, *loud[100:]]
    accounts = ["loud"] * 100 + [f"a{n}" for n in range(8)] + ["loud"] * 100
    for shown in skeletons(texts, accounts) + skeletons(texts, accounts, wordings=True):
        assert "Montgomery" not in shown
        assert "Lakeside" not in shown


def test_rows_without_an_account_tell_nothing() -> None:
    miner = PromptMiner()
    texts = prompts(PERSONA, 30)
    miner(None, pa.array(texts), pa.array([None, "a", "b"] * 10, pa.string()))
    miner.finish()
    assert [told.skeleton for told in miner.told()] == [None]


SECRETS = st.one_of(
    st.from_regex(r"[a-z]{3,9}\.[a-z]{3,9}@[a-z]{3,9}\.(com|org)", fullmatch=True),
    st.from_regex(r"https://[a-z]{3,9}\.example/[a-z]{4,20}\?token=[a-z]{8,20}", fullmatch=True),
    st.from_regex(r"sk-[a-z]{4}[0-9][A-Za-z0-9]{20}", fullmatch=True),
    st.from_regex(r"4[0-9]{3} [0-9]{4} [0-9]{4} [0-9]{4}", fullmatch=True),
)


@settings(max_examples=40, deadline=None)
@given(secret=SECRETS, wordings=st.booleans())
def test_a_secret_that_all_share_is_in_no_skeleton(secret: str, wordings: bool) -> None:
    texts = [
        f"Please log in with {secret} and then stop at once, before you read {w} and {w}" for w in WORDS[:30]
    ]
    shown = skeletons(texts, [f"a{n}" for n in range(30)], wordings=wordings)
    assert shown
    assert not any(secret in text or secret.split("@")[0] in text for text in shown)


@pytest.mark.parametrize(
    "secret", ["петрсекретныйпароль{}", "ağacımıngölgesindeyim{}", "፩፪፫{}", "½¾{}", "{0}{0}{0}" * 9]
)
@pytest.mark.parametrize("wordings", [False, True])
def test_what_is_read_as_the_same_is_not_shown(secret: str, wordings: bool) -> None:
    secrets = [secret.format(n) for n in range(40)]
    texts = [
        f"Log in with the password {s} and then read every line aloud, {w} and {w}"
        for s, w in zip(secrets, WORDS, strict=False)
    ]
    shown = skeletons(texts, [f"a{n}" for n in range(40)], wordings=wordings)
    assert shown
    assert not any(s in text or s[:-1] in text for text in shown for s in secrets)


def test_slots_are_where_prompts_differ() -> None:
    texts = prompts(PERSONA, 20)
    column, senders = pa.array(texts), pa.array([f"a{n}" for n in range(20)])
    miner = PromptMiner()
    keys = miner(None, column, senders)
    miner.finish()
    pieces = [
        [text[slot["start"] : slot["end"]].strip() for slot in found]
        for text, found in zip(texts, miner.slots(column, keys).to_pylist(), strict=True)
    ]
    rng = random.Random(f"{PERSONA}1")
    assert pieces == [[words(rng, 1, 60) for _ in range(3)] for _ in range(20)]
    assert miner.slots(pa.array(["", None]), pa.nulls(2, pa.uint64())).to_pylist() == [None, None]
    assert all(confidence == 1 for confidence in miner.answers(keys)[1].to_pylist())


def test_the_system_prompt_names_the_template_unless_it_stands_above_everything() -> None:
    count = 40
    system, other = prompts(PERSONA, count), prompts(GRADER, count)
    senders = pa.array([f"a{n}" for n in range(count)])
    miner = PromptMiner()
    alone = miner(pa.array(system), pa.nulls(count, pa.string()), senders)
    both = miner(pa.array(system), pa.array(other), senders)
    crowd = [words(random.Random(n), 20, 30) for n in range(4000)]
    many = pa.array([f"b{n}" for n in range(4000)])
    miner(None, pa.array(crowd), many)
    default = miner(
        pa.array(["You are a helpful assistant."] * count * 20),
        pa.array(other * 20),
        pa.array(["c"] * count * 20),
    )
    miner.finish()
    assert miner.resolve(both).equals(miner.resolve(alone))
    assert set(miner.resolve(default).to_pylist()) == set(mine(list(other))[0])


def test_wordings_tell_prompts_apart_that_share_every_sentence() -> None:
    rng = random.Random(3)
    bank = [" ".join(rng.choices(WORDS, k=12)).capitalize() + "." for _ in range(60)]
    wholes = [" ".join(rng.sample(bank, 6)) for _ in range(30)]
    texts = [f"{whole} {words(rng, 1, 3)}" for whole in wholes for _ in range(10)]
    true = [n for n in range(30) for _ in range(10)]
    order = list(range(len(texts)))
    rng.shuffle(order)
    found, _ = mine([texts[n] for n in order], miner=PromptMiner(wordings=True))
    pairs = set(zip(found, (true[n] for n in order), strict=True))
    assert None not in found
    assert len({template for template, _ in pairs}) >= 28
    assert len(pairs) <= 32


class TestRegistry:
    def test_ids_stay_as_prompts_come(self, tmp_path: Path) -> None:
        first, miner = mine(prompts(PERSONA, 40) + prompts(GRADER, 40))
        miner.registry.save(tmp_path)
        later = PromptMiner(registry=tmp_path)
        found, later = mine(
            prompts(GRADER, 3, 2) + prompts(REWRITER, 40) + prompts(PERSONA, 3, 2), miner=later
        )
        assert found[:3] == [first[-1]] * 3
        assert found[-3:] == [first[0]] * 3
        assert len({*first, *found}) == 3
        later.registry.save(tmp_path)
        counts = {told.template_id: told.prompts for told in PromptMiner(registry=tmp_path).registry.told()}
        assert counts[first[0] or ""] == 43

    def test_wording_that_was_told_is_told_and_nothing_else_is_kept(self, tmp_path: Path) -> None:
        _, miner = mine(prompts(PERSONA, 40) + prompts(GRADER, 40), ["a", "b", "c", "d"] * 10 + ["a"] * 40)
        miner.registry.save(tmp_path)
        told = [t.skeleton for t in PromptMiner(registry=tmp_path).registry.told()]
        assert sorted(text is None for text in told) == [False, True]
        assert not any(word in str(told) for word in WORDS)

    def test_templates_that_become_the_same_are_one_and_both_ids_lead_to_it(self, tmp_path: Path) -> None:
        narrow = "Sum up what follows in three lines for a busy reader: the report on {} says {}"
        wide = "Sum up what follows in three lines for a busy reader: {}"
        one, miner = mine(prompts(narrow, 40))
        # The wording shrinks as prompts come that have less of it.
        found, miner = mine(prompts(wide, 400, 2), miner=miner)
        assert len(set(found)) == 1
        ids = {t.template_id for t in miner.registry.templates}
        live = {t.template_id for t in miner.registry.told()}
        assert one[0] in ids
        assert live | miner.registry.aliases.keys() == ids
        for gone, into in miner.registry.aliases.items():
            assert miner.registry.number(gone) == miner.registry.number(into)

    def test_as_many_accounts_as_are_asked_for_must_send_it(self, tmp_path: Path) -> None:
        _, miner = mine(prompts(PERSONA, 40), ["a", "b", "c", "d"] * 10, PromptMiner(10))
        miner.registry.save(tmp_path)
        again = PromptMiner(10, registry=tmp_path)
        _, again = mine(prompts(PERSONA, 40, 2), ["e", "f", "g", "h"] * 10, again)
        assert [told.skeleton for told in again.told()] == [None]

    @pytest.mark.parametrize("content", [b"", b"PAR1 no", b"{}"])
    def test_a_damaged_registry_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            PromptMiner(registry=tmp_path)

    def test_another_file_is_refused(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"a": [1]}), tmp_path / FILE)
        with pytest.raises(InputError, match="version"):
            PromptMiner(registry=tmp_path)


def test_every_key_has_one_answer() -> None:
    texts, _ = mixed(30)
    miner = PromptMiner(wordings=True)
    keys = miner(None, pa.array(texts), pa.array(["a"] * len(texts)))
    miner.finish()
    again = np.random.default_rng(0).permutation(len(texts))
    shuffled = keys.take(pa.array(again))
    assert miner.resolve(shuffled).equals(miner.resolve(keys).take(pa.array(again)))


@pytest.mark.shared_data
def test_public_templates_are_found() -> None:
    path = Path(os.environ.get("RINGFENCE_SHARED_DATA", "../shared/data")) / "templates/t0_prompts.parquet"
    if not path.exists():
        pytest.skip("the T0 prompts are not there; name the data's folder in RINGFENCE_SHARED_DATA")
    rows = pd.read_parquet(path)
    rows = rows[rows["dataset"].isin(["common", "trec", "yelp", "samsum", "qasc"])]
    found, _ = mine(rows["prompt"].tolist())
    groups = [template or f"alone-{n}" for n, template in enumerate(found)]
    assert adjusted_rand_score(rows["template"], groups) >= 0.9
