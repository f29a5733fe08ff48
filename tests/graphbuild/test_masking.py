"""Masking: no secret leaves a word behind, and invisible tricks change nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.graphbuild.templates.masking import WORD_LIMIT, masked_words

_KEY_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def _around(secret: str) -> list[str]:
    return masked_words(f"Please write to {secret} today")


def _masked_as(mask: str) -> list[str]:
    return ["please", "write", "to", mask, "today"]


@given(st.emails())
def test_email_addresses(address: str) -> None:
    # A quoted or bracketed local part is split at its brackets; nobody's address has them.
    assume(not set(address) & set('()<>[]",;:'))
    assert _around(address) == _masked_as("<email>")


@given(
    st.sampled_from(["http", "HTTPS", "ftp", "s3", "postgres"]),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=3000),
)
def test_urls_of_any_length(scheme: str, rest: str) -> None:
    assert _around(f"{scheme}://{rest}") == _masked_as("<url>")


@given(st.text(_KEY_CHARACTERS, min_size=16, max_size=64))
def test_keys(key: str) -> None:
    assume(any(c.isdigit() for c in key) and any(c.isalpha() for c in key))
    assume(key[0] not in "-" and key[-1] not in "-")
    assert _around(key) == _masked_as("<secret>")


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEF", min_size=32, max_size=64))
def test_keys_without_a_digit(key: str) -> None:
    assert _around(key) == _masked_as("<secret>")


@given(st.from_regex(r"(\d{4}[ -]?){3}\d{4}", fullmatch=True))
def test_card_numbers(number: str) -> None:
    assert _around(number) == _masked_as("<number>")


@pytest.mark.parametrize(
    "number", ["+1 (555) 010-9999", "+49 30 901820", "0151.23456789", "020 7946 0018", "٠١٢٣٤٥٦٧٨٩"]
)
def test_phone_numbers(number: str) -> None:
    words = _around(number)
    assert set(words) == {"please", "write", "to", "<number>", "today"}


@given(st.text())
def test_no_digit_ever_stays(text: str) -> None:
    assert not any(c.isdecimal() for word in masked_words(text) for c in word)


PROMPT = "You are an expert in Economics.\nAnswer step by step."
WORDS = masked_words(PROMPT)


@pytest.mark.parametrize(
    "trick",
    [
        PROMPT.upper(),
        PROMPT.replace(" ", "   \t\u3000"),
        PROMPT.replace("e", "e\u200b"),
        PROMPT.replace("n", "\u00adn\u2060"),
        f"\u202e{PROMPT}\u202c",
        "\ufeff" * 20_000 + PROMPT,
        " " * 20_000 + PROMPT,
        PROMPT.replace("a", "\U000e0041a\ufe0f"),
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in PROMPT),
        PROMPT.replace("You", "𝐘𝐨𝐮"),
    ],
    ids=["case", "space", "zero width", "soft hyphen", "bidi", "pad", "blank", "tags", "full width", "bold"],
)
def test_tricks_that_nobody_sees_change_nothing(trick: str) -> None:
    assert masked_words(trick) == WORDS == PROMPT.lower().replace(".", "").split()


def test_scripts_without_spaces_are_no_keys() -> None:
    assert masked_words("请用3句话总结下面的内容abc然后翻译成英文")[:3] == ["请", "用", "<number>"]
    assert "<secret>" not in masked_words("请用3句话总结下面的内容abc然后翻译成英文再写一遍")


def test_a_secret_on_the_border_of_what_is_read_leaves_no_half() -> None:
    for offset in range(16_350, 16_390):
        text = ("-" * 9 + " ") * (offset // 10) + "-" * (offset % 10) + " jane.doe@example.org tail"
        assert set(masked_words(text)) <= {"<email>", "tail"}


@pytest.mark.parametrize("text", ["", " \n\t", "...", "\u200b\u200d", "\ud800", "—"])
def test_nothing_to_read_gives_no_words(text: str) -> None:
    assert masked_words(text) == []


def test_only_digits_are_a_number() -> None:
    assert masked_words("1234567890" * 30) == ["<number>"]


def test_lone_surrogates_part_words() -> None:
    assert masked_words("one\ud800two") == ["one", "two"]


@pytest.mark.parametrize(
    "piece",
    ["a", "1", "a1", "a-", "@", "a@", "1 ", "1(", "://", "a.", "+", "\u200b", "字", "\ufdfa", "www.", "<"],
)
def test_the_work_of_a_prompt_is_bounded(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    words = masked_words(text)
    assert time.process_time() - started < 2.0, "some 0.05 s on an idle machine"
    assert len(words) <= WORD_LIMIT
