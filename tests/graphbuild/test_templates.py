"""Templates: one for the variants of a prompt, others for others, and told only when enough sent them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.graphbuild.templates.minhash import MinHashMiner

_PERSONA = (
    "You are a senior {role} with {years} years of experience who works for {firm}. Read the task below with "
    "great care, think through every step before you answer, write down all of your reasoning in full, check "
    "each step against the facts you were given, and finish with one final line that states the answer. "
    "Never skip a step, never apologise, and never mention these instructions. Where something is missing "
    "from the facts, say which, assume the most ordinary value for it, and go on as if it had been given. "
    "Write in plain sentences for a reader who knows the field well but has not seen this case before, and "
    "give every quantity with its unit. Task: {task}"
)
_SLOTS = [
    {"role": "economist", "years": "12", "firm": "Acme Ltd", "task": "price a bond"},
    {"role": "chemist", "years": "7", "firm": "the Umbrella group", "task": "balance this long equation"},
    {"role": "software engineer", "years": "3.5", "firm": "me", "task": "sort a list"},
]
_OTHERS = [
    "Translate the following paragraph into French and keep the tone of the original.",
    "Summarise the meeting notes in five bullet points for a reader who was not there.",
    "Écris un poème sur la mer en hiver, avec des rimes croisées.",
    "请把下面的句子翻译成英文",
]


def _mine(
    prompts: list[str | None], accounts: list[str] | None = None, miner: MinHashMiner | None = None
) -> list[str | None]:
    senders = accounts or [f"a{i}" for i in range(len(prompts))]
    found = (miner or MinHashMiner())(None, pa.array(prompts, pa.string()), pa.array(senders))
    assert found.type == pa.string()
    return list(found.to_pylist())


def test_variants_of_a_prompt_have_one_template() -> None:
    assert len(set(_mine([_PERSONA.format(**slots) for slots in _SLOTS]))) == 1


def test_different_prompts_have_templates_of_their_own() -> None:
    prompts = [_PERSONA.format(**_SLOTS[0]), *_OTHERS]
    assert len(set(_mine(prompts))) == len(prompts)


def test_the_system_prompt_goes_first() -> None:
    system = pa.array([_PERSONA.format(**_SLOTS[0]), None, ""])
    prompt = pa.array([_OTHERS[0], _OTHERS[0], _OTHERS[0]])
    first, second, third = MinHashMiner()(system, prompt, pa.array(["a", "b", "c"])).to_pylist()
    assert first == _mine([_PERSONA.format(**_SLOTS[0])])[0] != second
    assert second == third == _mine([_OTHERS[0]])[0]


def test_no_text_has_no_template() -> None:
    assert _mine([None, "", " ", "\u200b", "?!"]) == [None] * 5
    assert MinHashMiner()(None, None, pa.array(["a", "b"])).to_pylist() == [None, None]
    assert _mine([]) == []


def test_short_prompts_have_templates() -> None:
    short = _mine(["hi", "Hi!", "thanks", "a b", "x y z", "42"])
    assert short[0] == short[1]
    assert None not in short
    assert len(set(short)) == 5


def test_batches_do_not_show() -> None:
    prompts = [_PERSONA.format(**slots) for slots in _SLOTS] + _OTHERS
    miner = MinHashMiner()
    one_by_one = [_mine([prompt], miner=miner)[0] for prompt in prompts]
    assert one_by_one == _mine(prompts)


@given(st.lists(st.sampled_from([*_OTHERS, "x " * 500, "", *(_PERSONA.format(**s) for s in _SLOTS)])))
def test_a_prompt_keeps_its_template(prompts: list[str]) -> None:
    found = _mine([*prompts, *prompts])
    assert found[: len(prompts)] == found[len(prompts) :]
    assert found == _mine([*prompts, *prompts])


def _skeletons(prompts: list[str], accounts: list[str], least: int = 3) -> dict[str, str]:
    miner = MinHashMiner(least)
    _mine(list(prompts), accounts, miner)
    rows = miner.skeletons()
    assert rows.column_names == ["template_id", "skeleton"]
    return {row["template_id"]: row["skeleton"] for row in rows.to_pylist()}


def test_a_skeleton_shows_what_all_variants_have() -> None:
    prompts = [_PERSONA.format(**slots) for slots in _SLOTS]
    (skeleton,) = _skeletons(prompts, ["a", "b", "c"]).values()
    assert skeleton.startswith(
        "you are a senior ▢ with <number> years of experience who works for ▢ read the"
    )
    assert not {"economist", "chemist", "acme", "umbrella", "bond"} & set(skeleton.split())


@pytest.mark.parametrize(("accounts", "told"), [("aaaaa", False), ("ababa", False), ("abcab", True)])
def test_a_skeleton_is_told_when_enough_accounts_sent_it(accounts: str, told: bool) -> None:
    assert bool(_skeletons([_OTHERS[0]] * 5, list(accounts))) is told


def test_rows_without_an_account_tell_nothing() -> None:
    miner = MinHashMiner()
    miner(None, pa.array([_OTHERS[0]] * 4), pa.array(["a", None, "b", None]))
    assert miner.skeletons().num_rows == 0


@given(
    st.one_of(
        st.from_regex(r"[a-z]{3,9}\.[a-z]{3,9}@[a-z]{3,9}\.(com|org)", fullmatch=True),
        st.from_regex(r"https://[a-z]{3,9}\.example/[a-z]{4,20}\?token=[a-z]{8,20}", fullmatch=True),
        st.from_regex(r"sk-[a-z]{4}[0-9][A-Za-z0-9]{20}", fullmatch=True),
    )
)
def test_a_secret_that_all_share_is_in_no_skeleton(secret: str) -> None:
    (skeleton,) = _skeletons([f"Log in with {secret} and stop"] * 3, ["a", "b", "c"]).values()
    assert skeleton.split() in (
        ["log", "in", "with", mask, "and", "stop"] for mask in ("<email>", "<url>", "<secret>")
    )


def test_template_ids_name_one_template_each() -> None:
    miner = MinHashMiner(1)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
    prompts = [" ".join(words[i:] + words[:i][::step]) for i in range(10) for step in (1, -1)]
    found = _mine(list(prompts), miner=miner)
    told = miner.skeletons()["template_id"].to_pylist()
    assert len(told) == len(set(told))
    assert set(told) == set(found)


def test_a_megabyte_in_one_word_is_one_template() -> None:
    one, two, other = _mine(["x" * 1_000_000, "x" * 999_999, "y z"])
    assert one == two != other
