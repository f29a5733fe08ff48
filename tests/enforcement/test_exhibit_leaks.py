"""Whatever becomes of a sealing (done, refused, failed, killed), no prompt is on the disk in the clear."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from hashlib import blake2b
from pathlib import Path

import pandas as pd
import pytest
from exhibit_samples import MARKER, PASSPHRASE, SOAK, audited, custodian, exhibits, found_on_disk, ready

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.exhibits.choose import Candidate, Chooser
from ringfence.enforcement.exhibits.seal import seal
from ringfence.enforcement.exhibits.unlock import request, unlock
from ringfence.errors import CasebookError, InputError, NotAllowedError
from ringfence.pipeline.enforcement.exhibits import SealRequest, preview, seal_exhibits
from ringfence.state import StateFolder

SCRIPT = Path(sys.executable).with_name("ringfence")
SEED = 20260301


def rows(count: int) -> pd.DataFrame:
    """Requests of the ring's 30 accounts, its bystander and strangers, each with a marker."""
    senders = [f"acct_{n:05}" for n in range(30)] + ["acct_bystander"] + [f"other_{n}" for n in range(9)]
    return pd.DataFrame(
        {
            "request_id": [f"r{n}" for n in range(count)],
            "account_id": [senders[n % len(senders)] for n in range(count)],
            "ts": [f"2026-02-{n % 28 + 1:02}T10:00:00Z" for n in range(count)],
            "system_prompt": [f"{MARKER}-system «{n % 3}»" for n in range(count)],
            "prompt": [f'Say "{MARKER}-{n}",\nplease' for n in range(count)],
        }
    )


def write(logs: Path, form: str, count: int = 400) -> None:
    logs.mkdir()
    table = rows(count)
    if form == "parquet":
        table.to_parquet(logs / "requests.parquet")
    elif form == "ndjson":
        table.to_json(logs / "requests.ndjson", orient="records", lines=True)
    else:
        table.to_csv(logs / "requests.csv", index=False)


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_every_format_gives_the_same_exhibits_in_the_clear_nowhere(
    book: Casebook, state: StateFolder, tmp_path: Path, form: str
) -> None:
    ready(book)
    bob = custodian(book, "bob")
    write(tmp_path / "logs", form)
    done = seal_exhibits(book, "ada", SealRequest("R-1", tmp_path / "logs"))
    with book.writing("ada") as writing:
        asked = request(writing, "R-1", "Appeal.").request_id
    opened = unlock(book, "bob", asked, bob).exhibits

    table = rows(400).set_index("request_id")
    assert (done.exhibits, done.accounts) == (20, 20)
    for one in opened:
        row = table.loc[one.request_id]
        assert (one.account_id, one.at) == (row["account_id"], row["ts"])
        assert (one.system_prompt, one.prompt) == (row["system_prompt"], row["prompt"])
        assert one.account_id.startswith("acct_0")
    assert sorted(one.request_id for one in opened) == chosen_by_hand()
    assert found_on_disk([state.root], [MARKER]) == []


def chosen_by_hand() -> list[str]:
    """What is to be chosen, whatever the format."""
    chooser = Chooser("R-1", 20)
    for line, row in enumerate(rows(400).to_dict("records")):
        if row["account_id"].startswith("acct_0"):
            wording = blake2b(row["system_prompt"].encode(), digest_size=16).hexdigest()
            chooser.offer(Candidate(row["account_id"], row["request_id"], wording, row["ts"][:10], 0, line))
    return sorted(one.request_id for one in chooser.chosen())


def test_names_of_others_are_read_by_a_mapping(book: Casebook, tmp_path: Path) -> None:
    ready(book)
    custodian(book, "bob")
    logs = tmp_path / "logs"
    logs.mkdir()
    table = rows(200)
    table["ts"] = [1_770_000_000_000_000 + n for n in range(200)]
    table = table.rename(columns={"account_id": "user", "prompt": "body", "ts": "when"})
    table.drop(columns="system_prompt").assign(kind="chat").to_csv(logs / "api.csv", index=False)
    (tmp_path / "map.toml").write_text(
        '[[table]]\nname = "requests"\nsource = "api.csv"\nonly_where = ["ip"]\n'
        'columns = {account_id = "user", prompt = "body", ts = "when", ip = "kind"}\n'
        'time_units = {ts = "us"}\n'
    )
    told = preview(book, SealRequest("R-1", logs, tmp_path / "map.toml", most=7)).as_json()

    assert (told["exhibits"], told["accounts"], told["seen"]) == (7, 7, 150)


def test_logs_that_change_between_the_two_readings_are_refused(book: Casebook, tmp_path: Path) -> None:
    ready(book)
    custodian(book, "bob")
    write(tmp_path / "logs", "csv")
    other = rows(400).assign(request_id=[f"other{n}" for n in range(400)])

    def change(_share: float) -> None:
        other.to_csv(tmp_path / "logs" / "requests.csv", index=False)

    with pytest.raises(InputError, match="were changed while"):
        seal_exhibits(book, "ada", SealRequest("R-1", tmp_path / "logs"), change)
    assert not book.read("SELECT * FROM seals")


def test_logs_without_prompts_of_the_ring_are_refused(book: Casebook, tmp_path: Path) -> None:
    ready(book)
    custodian(book, "bob")
    (tmp_path / "logs").mkdir()
    strangers = rows(40)[lambda table: ~table["account_id"].str.startswith("acct_0")]
    path = tmp_path / "logs" / "requests.csv"
    strangers.to_csv(path, index=False)
    with pytest.raises(NotAllowedError, match="nothing to seal"):
        preview(book, SealRequest("R-1", tmp_path / "logs"))
    rows(40).assign(system_prompt=None, prompt="").to_csv(path, index=False)
    with pytest.raises(NotAllowedError, match="nothing to seal"):
        preview(book, SealRequest("R-1", tmp_path / "logs"))
    rows(40).drop(columns=["system_prompt", "prompt"]).to_csv(path, index=False)
    with pytest.raises(InputError, match="no requests with system_prompt or prompt"):
        preview(book, SealRequest("R-1", tmp_path / "logs"))


def environment(tmp_path: Path, state: StateFolder) -> dict[str, str]:
    (tmp_path / "tmp").mkdir(exist_ok=True)
    return {
        **os.environ,
        "RINGFENCE_STATE": str(state.root),
        "RINGFENCE_USER": "ada",
        "RINGFENCE_CUSTODIAN_PASSPHRASE": PASSPHRASE,
        "TMPDIR": str(tmp_path / "tmp"),
        "HOME": str(tmp_path / "tmp"),
    }


def command(tmp_path: Path, state: StateFolder, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *words],
        capture_output=True,
        text=True,
        env=environment(tmp_path, state),
        cwd=tmp_path,
        timeout=120,
    )


def test_from_seal_to_unlock_as_people_do_it(book: Casebook, state: StateFolder, tmp_path: Path) -> None:
    ready(book)
    write(tmp_path / "logs", "ndjson")
    adding = ["exhibits", "custodian", "add", "bob", "--key", "bob.pem", "--by", "root"]
    assert command(tmp_path, state, *adding).returncode == 0
    sealing = command(tmp_path, state, "exhibits", "seal", "R-1", "logs", "--json")
    assert json.loads(sealing.stdout)["exhibits"] == 20
    asked = command(tmp_path, state, "exhibits", "request", "R-1", "--reason", "Appeal.", "--json")
    words = ["exhibits", "unlock", json.loads(asked.stdout)["request_id"], "--key", "bob.pem"]

    shown = command(tmp_path, state, *words, "--by", "bob")
    assert shown.stdout.count(f'Say "{MARKER}-') == 20
    assert found_on_disk([state.root, tmp_path / "tmp"], [MARKER]) == []
    assert (tmp_path / "bob.pem").stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in (tmp_path / "bob.pem").read_bytes()


def test_a_damaged_log_leaves_nothing(book: Casebook, state: StateFolder, tmp_path: Path) -> None:
    ready(book)
    custodian(book, "bob")
    (tmp_path / "logs").mkdir()
    packed = gzip.compress(rows(1_000).to_csv(index=False).encode())
    (tmp_path / "logs" / "requests.csv.gz").write_bytes(packed[:-2_000])
    failed = command(tmp_path, state, "exhibits", "seal", "R-1", "logs")

    assert failed.returncode == 1
    assert MARKER not in failed.stdout + failed.stderr
    assert found_on_disk([state.root, tmp_path / "tmp"], [MARKER]) == []
    assert not book.read("SELECT * FROM seals")


def test_a_full_disk_leaves_nothing(book: Casebook, state: StateFolder) -> None:
    ready(book)
    custodian(book, "bob")
    pages = book.read("PRAGMA page_count")[0][0]
    book.read(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(CasebookError, match="disk is full"), book.writing("ada") as writing:
        seal(writing, "R-1", exhibits(20))

    assert found_on_disk([state.root], [MARKER]) == []
    assert not book.read("SELECT * FROM seals")
    assert not audited(book, "exhibits sealed")


_DIES = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from exhibit_samples import exhibits
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.exhibits.choose import Candidate, Chooser
from ringfence.enforcement.exhibits.seal import seal
from ringfence.enforcement.exhibits.unlock import request, unlock
left = int(sys.argv[3])
def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
with Casebook.open(Path(sys.argv[2])) as book:
    book._connection.set_trace_callback(count)
    with book.writing("ada") as writing:
        seal(writing, "R-1", exhibits(6))
"""
_STATEMENTS = 24


@pytest.mark.parametrize(
    "statements",
    range(1, _STATEMENTS) if SOAK else sorted(random.Random(SEED).sample(range(1, _STATEMENTS), 3)),
)
def test_killed_at_any_statement_all_is_sealed_or_nothing(
    book: Casebook, state: StateFolder, statements: int
) -> None:
    ready(book)
    custodian(book, "bob")
    died = subprocess.run(
        [sys.executable, "-c", _DIES, str(Path(__file__).parent), str(state.casebook), str(statements)],
        capture_output=True,
        timeout=60,
    )

    assert died.returncode in (0, -signal.SIGKILL), died.stderr
    assert found_on_disk([state.root], [MARKER]) == []
    counts = [
        book.read(f"SELECT count(*) FROM {table}")[0][0] for table in ("exhibits", "case_keys", "seals")
    ]
    assert (*counts, len(audited(book, "exhibits sealed"))) in ((0, 0, 0, 0), (6, 1, 1, 1))
    assert died.returncode != 0 or counts[0] == 6


@pytest.mark.parametrize("attempt", range(40 if SOAK else 1))
def test_killed_at_any_moment_no_prompt_is_left(
    book: Casebook, state: StateFolder, tmp_path: Path, attempt: int
) -> None:
    ready(book)
    custodian(book, "bob")
    write(tmp_path / "logs", "csv", 40_000)
    sealing = subprocess.Popen(
        [SCRIPT, "exhibits", "seal", "R-1", "logs"],
        env=environment(tmp_path, state),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    time.sleep(random.Random(SEED + attempt).uniform(0.5, 2.5))
    sealing.kill()
    said, _ = sealing.communicate()

    assert MARKER not in said
    assert found_on_disk([state.root, tmp_path / "tmp"], [MARKER]) == []
    assert book.read("SELECT count(*) FROM exhibits")[0][0] in (0, 20)
