"""Masking: nothing of a secret stays, the layout of the rest does, and invisible tricks change nothing."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.graphbuild.templates.masking import masked

_KEY_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_MOST_KEPT = 300_000  # the beginning of a text, with what one character may be spelt out as


def _around(secret: str) -> str:
    return masked(f"Please write to {secret} today")


def _masked_as(mask: str) -> str:
    return f"Please write to {mask} today"


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


@pytest.mark.parametrize("address", ["www.example.org/a?b=jane", "WWW.Example.ORG"])
def test_urls_without_a_scheme(address: str) -> None:
    assert _around(address) == _masked_as("<url>")


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
    assert _around(number) == _masked_as("0")


@pytest.mark.parametrize(
    "number", ["+1 (555) 010-9999", "+49 30 901820", "0151.23456789", "020 7946 0018", "٠١٢٣٤٥٦٧٨٩"]
)
def test_phone_numbers(number: str) -> None:
    assert re.fullmatch(r"Please write to [+(]?0 today", _around(number))


@given(st.text())
def test_no_digit_ever_stays(text: str) -> None:
    digits = re.findall(r"\d+", masked(text))
    assert set(digits) <= {"0"}


PROMPT = "You are an expert in Economics.\nAnswer step by step."


@pytest.mark.parametrize(
    "trick",
    [
        PROMPT.replace("e", "e\u200b"),
        PROMPT.replace("n", "\u00adn\u2060"),
        f"\u202e{PROMPT}\u202c",
        "\ufeff" * 20_000 + PROMPT,
        " " * 20_000 + PROMPT,
        PROMPT.replace("a", "\U000e0041a\ufe0f"),
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in PROMPT),
        PROMPT.replace("You", "𝐘𝐨𝐮"),
    ],
    ids=["zero width", "soft hyphen", "bidi", "pad", "blank", "tags", "full width", "bold"],
)
def test_tricks_that_nobody_sees_change_nothing(trick: str) -> None:
    assert masked(trick) == PROMPT


@pytest.mark.parametrize(
    "trick",
    [
        "jane\u200b.doe@exam\u00adple.org",
        "ｊａｎｅ．ｄｏｅ＠ｅｘａｍｐｌｅ．ｏｒｇ",
        "𝐣𝐚𝐧𝐞.doe@example.org",
        "jane.doe@\u202eexample\u202c.org",
    ],
    ids=["zero width", "full width", "bold", "bidi"],
)
def test_tricks_that_nobody_sees_hide_no_secret(trick: str) -> None:
    assert _around(trick) == _masked_as("<email>")


@given(st.text("ab .,;!?()\n\t-'\"", max_size=200))
def test_layout_stays(text: str) -> None:
    # Nothing in these texts is a number, has an @ or is long enough to be a secret.
    assume(not re.search(r"[ab]{32}", text))
    assert masked(text) == text.lstrip()


def test_layout_stays_around_masks() -> None:
    prompt = "Send it\n\tto: jane@example.org,\n  by 10:30.\n\n- thanks"
    assert masked(prompt) == "Send it\n\tto: <email>,\n  by 0.\n\n- thanks"


def test_scripts_without_spaces_are_no_keys() -> None:
    prompt = "请用3句话总结下面的内容abc然后翻译成英文再写一遍"
    assert masked(prompt) == prompt.replace("3", "0")


def test_a_secret_on_the_border_of_what_is_read_leaves_no_half() -> None:
    for offset in range(16_350, 16_390):
        text = ("-" * 9 + " ") * (offset // 10) + "-" * (offset % 10) + " jane.doe@example.org tail"
        assert set(re.findall(r"<?[a-z]+>?", masked(text))) <= {"<email>", "tail"}


def test_a_secret_on_the_border_of_a_text_without_spaces_leaves_no_half() -> None:
    for offset in range(16_350, 16_390):
        text = "字" * offset + "jane.doe@example.org" + "字" * 600
        assert not set("janedoe") & set(masked(text).replace("<email>", ""))


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200d", "\ud800", "a" * 20_000 + "\n"])
def test_nothing_to_read_leaves_nothing(text: str) -> None:
    assert masked(text).strip() == ""


def test_only_digits_are_a_number() -> None:
    assert masked("1234567890" * 30) == "0"


@given(st.text(st.characters(exclude_categories=[]), max_size=50))
def test_what_is_left_can_be_written(text: str) -> None:
    assert isinstance(masked(text).encode(), bytes)


def test_lone_surrogates_part_words() -> None:
    assert masked("one\ud800two") == "one two"


@pytest.mark.parametrize(
    "piece",
    ["a", "1", "a1", "a-", "@", "a@", "1 ", "1(", "://", "a.", "+", "\u200b", "字", "\ufdfa", "www.", "<"],
)
def test_the_work_of_a_prompt_is_bounded(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    kept = masked(text)
    assert time.process_time() - started < 2.0, "some 0.05 s on an idle machine"
    assert len(kept) <= _MOST_KEPT
