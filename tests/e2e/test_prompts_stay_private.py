"""What a run leaves behind says what many sent, and nothing of what one did."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from commands import ringfence

PERSONA = (
    "You are a patient tutor of {}. Explain every step of your reasoning before you give the answer, and name"
    " the rule that each step rests on. My contact is {}. The task: {}"
)
SHARED = {
    "mail": "quillfeather@marmalade.example",
    "key": "sk-Zq81mmvT0pplQ7xxR2",
    "card": "4929 1234 5678 9018",
}
ALONE = "Bartholomew Quibblesworth of the Lakeside office"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("private")
    rng = random.Random(4)
    words = [f"{a}{b}" for a in ("bar", "cor", "dun", "fel", "gor") for b in ("ak", "eb", "il", "om", "ur")]

    def slot(least: int, most: int) -> str:
        return " ".join(rng.choices(words, k=rng.randint(least, most)))

    rows = []
    for number in range(600):
        account = number % 30
        text = PERSONA.format(slot(1, 2), rng.choice(list(SHARED.values())), f"{slot(5, 40)} only{number}z")
        if account == 7:
            text += f" Signed by {ALONE}, as always, with regards."
        rows.append(
            {
                "request_id": f"r{number}",
                "account_id": f"acct{account}",
                "ts": f"2026-03-0{1 + number % 9}T10:00:00Z",
                "ip": f"192.0.2.{account % 5}",
                "system_prompt": text if number % 2 else None,
                "prompt": f"{slot(4, 12)} secretive{number}q" if number % 2 else text,
            }
        )
    (folder / "in").mkdir()
    pd.DataFrame(rows).to_parquet(folder / "in" / "requests.parquet")
    ringfence("run", folder / "in", "--out", folder / "out", "--neo4j", "none")
    return folder / "out"


def said(out: Path) -> str:
    """All that the files of a run say, packed or not."""
    text = []
    for path in sorted(out.rglob("*")):
        if path.is_file():
            text.append(path.read_bytes().decode("utf-8", "replace"))
        if path.suffix == ".parquet":
            text.append(str(pq.read_table(path).to_pylist()))
    return "\n".join(text)


def test_what_many_accounts_sent_can_be_read(out: Path) -> None:
    assert "Explain every step of your reasoning before you give the answer" in said(out)


def test_what_one_request_or_one_account_said_cannot(out: Path) -> None:
    everything = said(out)
    assert [n for n in range(600) if f"only{n}z" in everything or f"secretive{n}q" in everything] == []
    assert "Quibblesworth" not in everything
    assert "Lakeside" not in everything


@pytest.mark.parametrize("kind", SHARED)
def test_a_secret_cannot_be_read_even_if_all_send_it(out: Path, kind: str) -> None:
    everything = said(out)
    for part in (SHARED[kind], SHARED[kind].split("@")[0], SHARED[kind].replace(" ", "")):
        assert part not in everything
