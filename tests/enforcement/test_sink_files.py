"""Writing an export's file: whole or not at all, once, whatever happens to the disk or the sender."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.enforcement.sinks.files import UNFINISHED, file_name
from ringfence.enforcement.sinks.jsonl import JsonlFiles
from ringfence.enforcement.sinks.protocol import Delivery, RefusedError, TryAgainError
from ringfence.testing.sink_contract import MOMENT, delivery, enforced

KILLS = 200 if os.environ.get("RINGFENCE_SOAK") else 6


def handed(number: int, body: bytes = b"{}\n", **changed: str) -> Delivery:
    return replace(
        Delivery(
            key=f"key_{number:032x}",
            ring_id="R-1",
            number=number,
            body=body,
            occurred_at=MOMENT,
            attempt=1,
        ),
        **changed,
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != UNFINISHED)


@pytest.fixture
def sink(tmp_path: Path) -> JsonlFiles:
    return JsonlFiles("files", tmp_path / "made" / "exports")


def test_a_file_is_named_after_number_ring_and_key(sink: JsonlFiles) -> None:
    receipt = sink.send(handed(7))
    assert names(sink.folder) == [f"0000000007-R-1-key_{7:032x}.jsonl"]
    assert receipt.startswith(names(sink.folder)[0])


def test_names_sort_as_events_follow(sink: JsonlFiles) -> None:
    for number in (100, 9, 20):
        sink.send(handed(number))
    assert [name[:10] for name in names(sink.folder)] == ["0000000009", "0000000020", "0000000100"]


@pytest.mark.parametrize("ring", ["../../etc/passwd", "/abs", "a\x00b", "con\nsole", "", ".", "ü" * 200])
def test_no_ring_id_leads_out_of_the_folder(sink: JsonlFiles, ring: str) -> None:
    sink.send(handed(1, ring_id=ring))
    (name,) = names(sink.folder)
    assert (sink.folder / name).read_bytes() == b"{}\n"
    assert name.isascii()
    assert len(name) < 200


def test_ids_that_are_changed_for_a_name_still_differ() -> None:
    made = {file_name(handed(1, ring_id=ring), "csv") for ring in ("a/b", "a\\b", "a:b", "a_b", "A/B")}
    assert len(made) == 5


def test_the_group_may_read_and_others_may_not(sink: JsonlFiles) -> None:
    sink.send(handed(1))
    assert (sink.folder / names(sink.folder)[0]).stat().st_mode & 0o777 == 0o640


def test_another_body_under_the_same_key_is_refused(sink: JsonlFiles) -> None:
    sink.send(handed(1))
    with pytest.raises(RefusedError, match="holds something else"):
        sink.send(handed(1, b"another\n"))
    assert (sink.folder / names(sink.folder)[0]).read_bytes() == b"{}\n"


def test_a_file_that_somebody_cut_is_not_taken_for_ours(sink: JsonlFiles) -> None:
    sink.send(handed(1))
    (sink.folder / names(sink.folder)[0]).write_bytes(b"{")
    with pytest.raises(RefusedError):
        sink.send(handed(1))


def test_two_senders_at_once_write_one_file(sink: JsonlFiles) -> None:
    body, raised = b"x" * 500_000, []

    def send() -> None:
        try:
            sink.send(handed(1, body))
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert raised == []
    assert (sink.folder / names(sink.folder)[0]).read_bytes() == body
    assert list((sink.folder / UNFINISHED).iterdir()) == []


def test_what_a_killed_sender_left_is_cleared_away_in_time(sink: JsonlFiles) -> None:
    sink.send(handed(1))
    old, young = sink.folder / UNFINISHED / "old", sink.folder / UNFINISHED / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    sink.send(handed(2))
    assert (old.exists(), young.exists()) == (False, True)


_SENDER = """
import json, sys
from pathlib import Path
from ringfence.enforcement.sinks.jsonl import JsonlFiles
from ringfence.enforcement.sinks.protocol import Delivery, TryAgainError
from ringfence.testing.sink_contract import MOMENT
sink = JsonlFiles("files", Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    body = (f"{number}\\n" * int(sys.argv[3])).encode()
    try:
        sink.send(Delivery(f"key_{number:032x}", "R-1", number, body, MOMENT, 1))
    except TryAgainError as error:
        print("again:", error)
        break
"""


def test_a_sender_killed_at_any_moment_leaves_whole_files_and_the_next_one_the_rest(tmp_path: Path) -> None:
    chance, folder, count, lines = random.Random(9), tmp_path / "exports", 300, 20_000
    for _ in range(KILLS):
        sender = subprocess.Popen(
            [sys.executable, "-c", _SENDER, str(folder), str(count), str(lines)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert sender.stdout is not None
        with sender.stdout:
            assert sender.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.1))
            sender.send_signal(signal.SIGKILL)
            sender.wait()
        for name in names(folder) if folder.exists() else []:
            assert (folder / name).read_bytes() == f"{int(name[:10])}\n".encode() * lines
    sink = JsonlFiles("files", folder)
    for number in range(count):
        sink.send(handed(number, f"{number}\n".encode() * lines))
    assert [int(name[:10]) for name in names(folder)] == list(range(count))


def sent_under(wrapper: list[str], folder: Path, body_lines: int = 50_000) -> str:
    """Send from a process that a wrapper holds back; return what it was told."""
    words = [*wrapper, sys.executable, "-c", _SENDER, str(folder), "1", str(body_lines)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return said.partition("again: ")[2].strip()


def test_a_limit_on_files_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    said = sent_under(["prlimit", "--fsize=4096"], folder)
    assert said.startswith(f"Cannot write {folder}")
    assert "too large" in said
    assert names(folder) == []
    assert list((folder / UNFINISHED).iterdir()) == []


def may_mount() -> bool:
    words = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return shutil.which("unshare") is not None and subprocess.run(words, capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="this system lets nobody mount a disk of his own")
@pytest.mark.parametrize(
    ("mount", "said"),
    [
        ('mount -t tmpfs -o size=64k tmpfs "$0"', "No space left on device"),
        ('mount -t tmpfs -o ro tmpfs "$0"', "Read-only file system"),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_takes_nothing_is_told_and_left_as_it_was(tmp_path: Path, mount: str, said: str) -> None:
    left = 'find "$0" -type f'
    told = sent_under(["unshare", "-rm", "sh", "-c", f'{mount} && "$@" && {left}', str(tmp_path)], tmp_path)
    assert told == f"Cannot write {tmp_path / file_name(handed(0), 'jsonl')}: {said}."


def test_when_the_disk_has_room_again_the_same_delivery_arrives(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.write_text("in the way")
    sink = JsonlFiles("files", folder)
    with pytest.raises(TryAgainError, match="Cannot write"):
        sink.send(delivery(sink, enforced()))
    folder.unlink()
    sink.send(delivery(sink, enforced(), attempt=2))
    (name,) = names(folder)
    assert [json.loads(line)["account_id"] for line in (folder / name).read_text().splitlines()] == [
        "acct_00001",
        "acct_00002",
        "acct_00003",
    ]
