"""``ringfence templates``: any file of prompts in, its rows with templates out, and no text left anywhere."""

from __future__ import annotations

import gzip
import json
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence import cli
from ringfence.errors import InputError
from ringfence.graphbuild.templates.registry import FILE
from ringfence.pipeline import mine as mining
from ringfence.pipeline.mine import ADDED, MineRequest, mine
from ringfence.progress import Tick, silent
from ringfence.stores.mutex import mutex

SECRET = "zyxwvut"
"""What words begin with that one prompt alone has."""
TUTOR = (
    "You are a senior {} who works for {}. Read the task below with great care, think step by step before "
    "you answer, write down all of your reasoning in full, and finish with one line that states it.\nTask: {}"
)
JUDGE = (
    "Please act as an impartial judge and rate the following answer from 1 to 10 by helpfulness, accuracy "
    "and depth.\nQuestion: {}\nAnswer: {}\nGive the rating only, and never explain it."
)
README = (Path(__file__).parents[2] / "README.md").read_text()


class Printed(NamedTuple):
    out: str
    err: str


Said = Callable[..., Printed]


def made(rows: int, seed: int = 1) -> pa.Table:
    """Rows of four kinds in turn: two templates, one prompt that is the same each time, one that never is."""
    draw = random.Random(seed)

    def words(count: int) -> str:
        return " ".join("".join(draw.choices("abcdefghijklmnop", k=draw.randint(3, 9))) for _ in range(count))

    prompts = [
        [
            TUTOR.format(words(1), f"{SECRET}{words(1)} {words(1)}", words(6)),
            JUDGE.format(words(8), f"{words(9)} {SECRET}{words(1)}"),
            "Say it again, Sam",
            words(30),
        ][i % 4]
        for i in range(rows)
    ]
    return pa.table(
        {
            "n": pa.array(range(rows), pa.int32()),
            "account_id": [f"a{i // 4 % 5}" for i in range(rows)],
            "prompt": prompts,
            "country": ["DE", None] * (rows // 2),
        }
    )


def parquet(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path)
    return path


def ndjson(path: Path, table: pa.Table) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()
    packed = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)(text)
    path.write_bytes(packed)
    return path


def csv(path: Path, table: pa.Table) -> Path:
    pa_csv.write_csv(table, path)
    return path


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """The command line without another process; checks its exit code, returns what it printed."""

    def run(*words: str | Path, code: int = 0) -> Printed:
        monkeypatch.setattr(sys, "argv", ["ringfence", "templates", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = Printed(*capsys.readouterr())
        assert (ended.value.code or 0) == code, printed
        return printed

    return run


@pytest.mark.parametrize(
    ("name", "write"),
    [("p.csv", csv), ("p.ndjson.gz", ndjson), ("p.jsonl.zst", ndjson), ("p.parquet", parquet)],
)
def test_rows_of_every_format_keep_their_order(tmp_path: Path, said: Said, name: str, write) -> None:
    table = made(80)
    summary = json.loads(
        said("mine", write(tmp_path / name, table), "--out", tmp_path / "o.parquet", "--json").out
    )
    out = pq.read_table(tmp_path / "o.parquet")

    assert out.column_names == ["n", "account_id", "country", "template_id", "confidence", "slots"]
    assert {field.name: field.type for field in out.schema if field.name in ADDED} == ADDED
    assert [int(n) for n in out["n"].to_pylist()] == list(range(80))
    assert out["country"].to_pylist() == table["country"].to_pylist()
    kinds = [set(out["template_id"].to_pylist()[kind::4]) for kind in range(4)]
    assert [len(kind) for kind in kinds] == [1, 1, 1, 1]
    assert None not in set.union(*kinds[:3])
    assert len(set.union(*kinds[:3])) == 3
    assert kinds[3] == {None}
    assert summary["rows"] == {"in": 80, "written": 80, "rejected": 0}
    assert (summary["prompts"], summary["with_template"]) == (80, 60)
    assert (summary["templates"], summary["templates_told"], summary["repeated_prompts"]) == (2, 2, 1)
    assert summary["left_out"] == ["prompt"]
    assert [row["prompts"] for row in summary["largest"]] == [20, 20]
    assert summary["prompts_per_second"] == pytest.approx(80 / summary["seconds"], abs=1)
    assert summary["peak_memory_mib"] > 0


def test_slots_are_what_differs(tmp_path: Path) -> None:
    table = made(80)
    mine(MineRequest(parquet(tmp_path / "p.parquet", table), tmp_path / "o.parquet"))
    rows = pq.read_table(tmp_path / "o.parquet").to_pylist()
    for i, (row, prompt) in enumerate(zip(rows, table["prompt"].to_pylist(), strict=True)):
        if i % 4 == 3:
            assert (row["confidence"], row["slots"]) == (None, None)
            continue
        assert 0 < row["confidence"] <= 1
        slots = [prompt[slot["start"] : slot["end"]] for slot in row["slots"]]
        pattern = [TUTOR, JUDGE, "Say it again, Sam"][i % 4]
        differs = re.fullmatch(re.escape(pattern).replace(r"\{\}", "(.+?)"), prompt, re.DOTALL)
        assert differs is not None
        assert [slot.strip(" .,\n") for slot in slots] == list(differs.groups())


def test_ids_stay_while_a_registry_grows(tmp_path: Path, said: Said) -> None:
    names = []
    for seed in (1, 2):
        path = parquet(tmp_path / f"{seed}.parquet", made(80, seed))
        said("mine", path, "--out", tmp_path / f"o{seed}.parquet", "--registry", tmp_path / "reg")
        names.append(pq.read_table(tmp_path / f"o{seed}.parquet")["template_id"].to_pylist())
    assert names[0] == names[1]
    shown = json.loads(said("show", tmp_path / "reg", "--json").out)
    assert {row["template_id"]: row["prompts"] for row in shown["templates"]} == dict.fromkeys(
        names[0][:2], 40
    )


def test_a_registry_is_shown_largest_first(tmp_path: Path, said: Said) -> None:
    few = made(80).filter([i % 8 != 1 for i in range(80)])
    rare = "Translate this from {0} to {0} for {0}, keep every word, and do not add a thing of your own: {0}"
    lonely = pa.table(
        {"account_id": ["a0"] * 8, "prompt": [rare.format(f"w{chr(97 + i)}") for i in range(8)]}
    )
    table = pa.concat_tables([few, lonely], promote_options="default")
    said(
        "mine",
        parquet(tmp_path / "p.parquet", table),
        "--out",
        tmp_path / "o.parquet",
        "--registry",
        tmp_path / "r",
    )

    shown = json.loads(said("show", tmp_path / "r", "--json").out)
    first, second = shown["templates"]
    assert first["skeleton"].startswith("You are a senior ▢ who works for")
    assert (first["prompts"], second["prompts"], shown["more"], shown["not_shown"]) == (20, 10, 0, 1)
    assert set(first) == {"template_id", "prompts", "skeleton", "family", "tactics", "public"}
    assert second["tactics"]["rubric_grading"] > 0.5
    text = said("show", tmp_path / "r", "--limit", "1").out
    assert first["skeleton"].splitlines()[0] in text
    assert second["template_id"] not in text
    assert "1 more" in text
    graded = said("show", tmp_path / "r", "--tactic", "rubric_grading").out
    assert second["template_id"] in graded
    assert first["template_id"] not in graded
    assert "Translate" not in text + graded
    assert "'rubric_grading'" in said("show", tmp_path / "r", "--tactic", "rubric", code=2).err


def test_a_folder_without_a_registry_is_told(tmp_path: Path, said: Said) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert "holds no registry" in said("show", folder, code=1).err
    (tmp_path / FILE).write_bytes(b"PAR1 something else")
    assert "damaged" in said("show", tmp_path, code=1).err


def test_no_text_is_left_anywhere(tmp_path: Path, said: Said) -> None:
    """Columns are read, too: pages of Parquet are compressed."""
    (tmp_path / "in").mkdir()
    table = made(80).append_column("system_prompt", pa.array([f"{SECRET} system"] * 80))
    path = ndjson(tmp_path / "in" / "p.ndjson", table)
    words = ("mine", path, "--out", tmp_path / "out" / "o.parquet", "--registry", tmp_path / "out" / "reg")
    (tmp_path / "out").mkdir()
    printed = said(*words)
    assert not _with_secret(tmp_path / "out")
    assert SECRET not in printed.out + printed.err
    assert "prompt, system_prompt" in printed.out

    said(*words, "--force", "--keep-prompt")
    assert _with_secret(tmp_path / "out") == ["o.parquet"], "what is looked for can be found"
    kept = pq.read_table(tmp_path / "out" / "o.parquet")
    assert kept["prompt"].to_pylist() == table["prompt"].to_pylist()


def _with_secret(folder: Path) -> list[str]:
    found = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        text = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            text += json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False)
        found += [path.name] if SECRET in text else []
    return found


def test_without_accounts_no_wording_is_told(tmp_path: Path, said: Said) -> None:
    path = parquet(tmp_path / "p.parquet", made(80).drop_columns("account_id"))
    text = said("mine", path, "--out", tmp_path / "o.parquet", "--registry", tmp_path / "r").out
    assert "--account-column" in text
    assert "senior" not in text
    assert "2 not shown" in said("show", tmp_path / "r").out
    named = parquet(tmp_path / "q.parquet", made(80).rename_columns(["n", "who", "prompt", "country"]))
    text = said("mine", named, "--out", tmp_path / "q2.parquet", "--account-column", "who").out
    assert "You are a senior ▢" in text


BAD = {
    "other column": ({"prompt_text": ["x"]}, (), "Did you mean 'prompt_text'"),
    "other accounts": (
        {"prompt": ["x"], "account": ["a"]},
        ("--account-column", "acount"),
        "Did you mean 'account'",
    ),
    "lists": ({"prompt": [["x"]]}, (), "prompts are text"),
    "accounts in lists": ({"prompt": ["x"], "account_id": [["x"]]}, (), "names no accounts"),
    "there already": ({"prompt": ["x"], "slots": [1], "template_id": ["t"]}, (), "'template_id' and 'slots'"),
    "row numbers": ({"prompt": ["x"], "_line": [1]}, (), "'_line'"),
}


@pytest.mark.parametrize("what", BAD)
def test_columns_that_cannot_be_used_are_told(tmp_path: Path, said: Said, what: str) -> None:
    columns, words, reason = BAD[what]
    path = parquet(tmp_path / "p.parquet", pa.table(columns))
    assert reason in said("mine", path, "--out", tmp_path / "o.parquet", *words, code=1).err
    assert [p.name for p in tmp_path.iterdir()] == ["p.parquet"]


def test_files_that_cannot_be_used_are_told(tmp_path: Path, said: Said) -> None:
    path = csv(tmp_path / "p.csv", made(8))
    (tmp_path / "p.txt").write_text("prompt\nx\n")
    (tmp_path / "zero.csv").write_text("")
    (tmp_path / "cut.ndjson.gz").write_bytes(gzip.compress(b'{"prompt": "x"}\n' * 999)[:-9])
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    out = ("--out", tmp_path / "o.parquet")
    for words, code, reason in [
        (("mine", tmp_path / "q.csv", *out), 1, "Did you mean 'p.csv'"),
        (("mine", tmp_path, *out), 1, "is no file"),
        (("mine", tmp_path / "p.txt", *out), 1, "known are .parquet"),
        (("mine", tmp_path / "zero.csv", *out), 1, "no header"),
        (("mine", tmp_path / "cut.ndjson.gz", *out), 1, "not a whole gzip file"),
        (("mine", path, "--out", tmp_path / "o.csv"), 2, ".parquet"),
        (("mine", path, "--out", tmp_path / "no" / "o.parquet"), 1, "no place"),
        (("mine", path, *out, "--column", "account_id"), 2, "cannot both"),
        (("mine", path, *out, "--registry", path), 1, "is a file"),
        (("mine", path, "--out", tmp_path / FILE, "--registry", tmp_path), 1, "registry's own"),
    ]:
        assert reason in said(*words, code=code).err
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_what_stands_there_is_replaced_only_when_asked(tmp_path: Path, said: Said) -> None:
    path = parquet(tmp_path / "p.parquet", made(40))
    before = path.read_bytes()
    assert "--force" in said("mine", path, "--out", path, code=1).err
    assert "what is read" in said("mine", path, "--out", path, "--force", code=1).err
    (tmp_path / "link.parquet").symlink_to(path)
    assert "what is read" in said("mine", path, "--out", tmp_path / "link.parquet", "--force", code=1).err
    assert path.read_bytes() == before
    out = tmp_path / "o.parquet"
    out.write_text("mine")
    assert "--force" in said("mine", path, "--out", out, code=1).err
    assert out.read_text() == "mine"
    said("mine", path, "--out", out, "--force")
    assert pq.read_table(out).num_rows == 40


@pytest.mark.parametrize(
    ("name", "text"), [("p.ndjson", ""), ("p.csv", "prompt,account_id\n"), ("q.ndjson", " \n\n")]
)
def test_a_file_without_rows_has_none(tmp_path: Path, said: Said, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    summary = json.loads(said("mine", tmp_path / name, "--out", tmp_path / "o.parquet", "--json").out)
    assert (summary["rows"]["in"], summary["prompts"], summary["largest"]) == (0, 0, [])
    out = pq.read_table(tmp_path / "o.parquet")
    assert out.num_rows == 0
    assert set(ADDED) <= set(out.column_names)


def test_refused_rows_are_told_and_counted(tmp_path: Path, said: Said) -> None:
    good = [json.dumps({"n": n, "prompt": "Say it again, Sam"}).encode() for n in range(4)]
    lines = [good[0], b'{"n": 9, "prompt": "x\\ud800"}', good[1], b"[1]", b'{"prompt": "\xff"}', *good[2:]]
    (tmp_path / "p.ndjson").write_bytes(b"\n".join([*lines, b'{"prompt": "a\\u0000b"}', b""]))
    printed = said("mine", tmp_path / "p.ndjson", "--out", tmp_path / "o.parquet", "--json", code=3)
    assert json.loads(printed.out)["rows"] == {"in": 8, "written": 4, "rejected": 4}
    told = printed.err.splitlines()
    assert [re.match(r"p\.ndjson:(\d+):", line).group(1) for line in told] == ["2", "4", "5", "8"]  # type: ignore[union-attr]
    assert "NUL" in told[3]
    out = pq.read_table(tmp_path / "o.parquet")
    assert out["n"].to_pylist() == ["0", "1", "2", "3"]
    assert len(set(out["template_id"].to_pylist())) == 1
    said("mine", tmp_path / "p.ndjson", "--out", tmp_path / "p.parquet", "--max-rejected", "0.5")


def test_columns_that_come_late_are_kept(tmp_path: Path) -> None:
    rows = [
        *({"prompt": "hello"} for _ in range(2_500)),
        {"prompt": "hello", "late ~/": {"a": 1}, "prompt2": "x"},
    ]
    (tmp_path / "p.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    mine(MineRequest(tmp_path / "p.ndjson", tmp_path / "o.parquet", "prompt2"))
    out = pq.read_table(tmp_path / "o.parquet")
    assert out.column_names == ["late ~/", *ADDED], "a column that logs keep prompts in is left out, too"
    assert json.loads(out["late ~/"][2_500].as_py()) == {"a": 1}


@pytest.mark.parametrize("more", [b'{"prompt": "y"}\n', b""])
def test_a_file_that_changes_meanwhile_is_told(tmp_path: Path, more: bytes) -> None:
    path = tmp_path / "p.ndjson"
    path.write_bytes(b'{"prompt": "x"}\n' * 9)

    class Meddler:
        @contextmanager
        def stage(self, title: str) -> Iterator[Tick]:
            if title == "Write rows":
                path.write_bytes((b'{"prompt": "z"}\n' if not more else b'{"prompt": "x"}\n') * 9 + more)
            yield silent

    with pytest.raises(InputError, match="was changed"):
        mine(MineRequest(path, tmp_path / "o.parquet", registry=tmp_path / "r"), Meddler())
    assert {p.name for p in tmp_path.iterdir()} == {"p.ndjson", "r"}
    assert not (tmp_path / "r" / FILE).exists()


def test_two_do_not_learn_into_one_registry_at_once(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mining, "_SECONDS_TO_WAIT", 0.05)
    path = parquet(tmp_path / "p.parquet", made(8))
    words = ("mine", path, "--out", tmp_path / "o.parquet", "--registry", tmp_path / "r")
    with mutex(tmp_path / "r" / ".lock", timeout=1):
        assert "Another process" in said(*words, code=1).err
    said(*words)


_TEXTS = st.text(st.characters(codec=None) | st.sampled_from("\0\ud800\u202e\u200b a.\n\x1b"), max_size=40)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | _TEXTS, max_size=12))
def test_any_text_is_written_back_or_refused(tmp_path: Path, texts: list[str | None]) -> None:
    rows = [json.dumps({"n": n, "prompt": text}) for n, text in enumerate(texts)]
    (tmp_path / "p.ndjson").write_text("\n".join(rows))
    result = mine(MineRequest(tmp_path / "p.ndjson", tmp_path / "o.parquet", keep_prompt=True))
    out = pq.read_table(tmp_path / "o.parquet").to_pylist()
    good = [n for n, text in enumerate(texts) if text is None or not re.search("[\0\ud800-\udfff]", text)]
    assert [(row["n"], row["prompt"]) for row in out] == [(str(n), texts[n]) for n in good]
    assert [r.line for r in result.rejections] == [n + 1 for n in range(len(texts)) if n not in good]
    for row in out:
        assert (row["template_id"] is None) == (row["confidence"] is None) == (row["slots"] is None)
        assert all(0 <= s["start"] < s["end"] <= len(row["prompt"]) for s in row["slots"] or ())


# The first run warms up; each child begins with its registry, and is killed while it writes another one.
_KILLED = """
import os, random, shutil, signal, sys, time
from pathlib import Path
from ringfence.pipeline.mine import MineRequest, mine

folder, draw = Path(sys.argv[1]), random.Random(7)
def learn(name):
    mine(MineRequest(folder / f"{name}.parquet", folder / f"{name}.out.parquet", registry=folder / "r"))
learn("first")
shutil.copytree(folder / "r", folder / "before")
learn("second")
shutil.copytree(folder / "r", folder / "after")
for turn in range(8):
    shutil.rmtree(folder / "r")
    shutil.copytree(folder / "before", folder / "r")
    (folder / "second.out.parquet").unlink(missing_ok=True)
    partial = folder / "r" / ".templates.parquet.partial"
    child = os.fork()
    if not child:
        learn("second")
        os._exit(0)
    late = time.monotonic() + 1
    while not partial.exists() and time.monotonic() < late and not os.waitpid(child, os.WNOHANG)[0]:
        pass
    time.sleep(draw.random() * 0.003)
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    shutil.copytree(folder / "r", folder / f"killed{turn}")
    print("out" if (folder / "second.out.parquet").exists() else "no out")
"""


def test_whoever_is_killed_leaves_a_whole_registry(tmp_path: Path) -> None:
    parquet(tmp_path / "first.parquet", made(80))
    swapped = made(80, 2).to_pandas()
    swapped["prompt"] = swapped["prompt"].str.replace("senior", "junior").str.replace("rating", "grade")
    parquet(tmp_path / "second.parquet", pa.Table.from_pandas(swapped, preserve_index=False))
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    before, after = ((tmp_path / name / FILE).read_bytes() for name in ("before", "after"))
    left = [(tmp_path / f"killed{turn}" / FILE).read_bytes() for turn in range(8)]
    assert before != after
    assert set(left) <= {before, after}
    assert before in left, "none was killed before the end"
    for state, out in zip(left, done.stdout.split("\n"), strict=False):
        assert state == after or out == "no out", "ids were handed out that the registry does not know"
    assert not _with_secret(tmp_path / "r")


def test_the_readmes_commands_run(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    csv(tmp_path / "prompts.csv", made(80))
    commands = re.findall(r"^\.venv/bin/ringfence templates (.*?)(?: +#.*)?$", README, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["mine", "show"]
    shown = [said(*shlex.split(command)).out for command in commands]
    assert "80 rows" in shown[0]
    assert "reasoning_trace" in shown[1]
