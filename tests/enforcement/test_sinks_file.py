"""The sinks file: what it may say, what is refused, and that secrets stay where they are."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from ringfence.enforcement.sinks.open import KINDS, open_sinks, read_entries, sink_class
from ringfence.enforcement.sinks.protocol import Sink
from ringfence.enforcement.sinks.settings import Table
from ringfence.errors import PolicyError

SECRET = "s3cr3t-do-not-print"


def written(folder: Path, text: str) -> Path:
    path = folder / "sinks.toml"
    path.write_text(text)
    return path


def entry(tmp_path: Path, **table: Any) -> Table:
    return Table("place", {"kind": "x", **table}, tmp_path)


def test_a_missing_file_sends_nowhere(tmp_path: Path) -> None:
    assert open_sinks(tmp_path / "sinks.toml") == {}
    assert open_sinks(written(tmp_path, "# nothing yet\n")) == {}


def test_sinks_come_by_name_in_the_order_written(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[sinks.late]\nkind = "jsonl"\nfolder = "b"\n[sinks.early]\nkind = "csv"\nfolder = "/abs/a"\n',
    )
    sinks = open_sinks(path)
    assert [(name, sink.name, type(sink).__name__) for name, sink in sinks.items()] == [
        ("late", "late", "JsonlFiles"),
        ("early", "early", "CsvFiles"),
    ]
    assert [str(sink.folder) for sink in sinks.values()] == [str(tmp_path / "b"), "/abs/a"]


def test_folders_start_at_the_file_wherever_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, '[sinks.a]\nkind = "csv"\nfolder = "out"\n')
    monkeypatch.chdir(tmp_path)
    sink = open_sinks(Path("sinks.toml"))["a"]
    monkeypatch.chdir("/")
    assert sink.folder == tmp_path / "out"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sinks", "is not TOML"),
        ('[sink.a]\nkind = "csv"\n', "nothing else; found 'sink'. Did you mean 'sinks'?"),
        ("sinks = 3\n", "found 'sinks'"),
        ("[sinks]\na = 3\n", "sink 'a': write it as [sinks.a]"),
        ('[sinks."a b"]\nkind = "csv"\n', "'a b' cannot name a sink"),
        ('[sinks.""]\nkind = "csv"\n', "'' cannot name a sink"),
        ('[sinks."../x"]\nkind = "csv"\n', "cannot name a sink"),
        ("[sinks.a]\n", "sink 'a': kind is missing. There are csv, jsonl"),
        ("[sinks.a]\nkind = 3\n", "sink 'a': kind 3 is unknown"),
        ('[sinks.a]\nkind = "parket"\n', "sink 'a': kind 'parket' is unknown. Did you mean 'parquet'?"),
        ('[sinks.a]\nkind = "csv"\n', "sink 'a': folder is missing"),
        ('[sinks.a]\nkind = "csv"\nfoldr = "x"\n', "sink 'a': folder is missing. Did you mean 'foldr'?"),
        ('[sinks.a]\nkind = "csv"\nfolder = 3\n', "sink 'a': folder must be a text"),
        ('[sinks.a]\nkind = "csv"\nfolder = " "\n', "sink 'a': folder must be a text"),
        ('[sinks.a]\nkind = "csv"\nfolder = "x"\nfoler = 1\n', "unknown key 'foler'. Did you mean 'folder'?"),
        ('[sinks.a]\nkind = "csv"\nfolder = "x"\nzzz = 1\n', "unknown key 'zzz'. It takes kind, folder."),
    ],
)
def test_what_is_off_is_named_with_file_and_sink(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyError, match=re.escape(said)) as refused:
        open_sinks(path)
    assert str(path) in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_file_that_is_no_text_or_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "sinks.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="not TOML"):
        read_entries(tmp_path / "sinks.toml")
    with pytest.raises(PolicyError, match="Cannot read the sinks file"):
        read_entries(tmp_path)


def test_when_one_sink_is_off_those_made_before_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringfence.enforcement.sinks.csv import CsvFiles

    closed: list[str] = []
    monkeypatch.setattr(CsvFiles, "close", lambda self: closed.append(self.name))
    path = written(tmp_path, '[sinks.a]\nkind = "csv"\nfolder = "x"\n[sinks.b]\nkind = "csv"\n')
    with pytest.raises(PolicyError):
        open_sinks(path)
    assert closed == ["a"]


@pytest.fixture(scope="module")
def contract_tests() -> set[tuple[str, str]]:
    """Name and kind of each class here that is held to the contract, read without running it."""
    bases: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for path in sorted(Path(__file__).parent.glob("*sink*.py")):
        for one in ast.walk(ast.parse(path.read_text())):
            if isinstance(one, ast.ClassDef):
                bases[one.name] = [base.id for base in one.bases if isinstance(base, ast.Name)]
                if said := [kind for kind in map(kind_said, one.body) if kind is not None]:
                    kinds[one.name] = said[0]

    def line(name: str) -> list[str]:
        return [name, *(above for base in bases.get(name, []) for above in line(base))]

    return {
        (name, next((kinds[one] for one in line(name) if one in kinds), "none"))
        for name in bases
        if "SinkContract" in line(name)
    }


def kind_said(statement: ast.stmt) -> str | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id="kind")], value=ast.Constant(value=str(kind))):
            return kind
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_sink_with_a_contract_test(kind: str, contract_tests: set[tuple[str, str]]) -> None:
    """A kind without one is one that nobody holds to what a sink must do."""
    made = sink_class(kind)
    assert {name for name in vars(Sink) if not name.startswith("_")} - {"name"} <= set(dir(made))
    assert (f"Test{KINDS[kind].rsplit('.', 1)[1]}", kind) in contract_tests


class TestTable:
    """One entry, read by type."""

    def test_each_type_is_read_and_has_its_default(self, tmp_path: Path) -> None:
        full = entry(
            tmp_path,
            url="https://a.test",
            mode="b",
            wait=3,
            on=True,
            names=["x", "y"],
            ca="ca.pem",
        )
        assert full.text("url") == "https://a.test"
        assert full.choice("mode", ("a", "b"), "a") == "b"
        assert full.number("wait", 1.0, least=1, most=5) == 3.0
        assert full.flag("on", False) is True
        assert full.texts("names") == ("x", "y")
        assert full.path("ca") == tmp_path / "ca.pem"
        full.done()
        bare = entry(tmp_path)
        assert bare.optional_text("url") is None
        assert bare.choice("mode", ("a", "b"), "a") == "a"
        assert bare.number("wait", 1.5) == 1.5
        assert bare.flag("on", True) is True
        assert bare.texts("names") == ()
        assert bare.optional_path("ca") is None
        assert bare.optional_secret("token") is None
        bare.done()

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (True, "a number of at least 1"),
            ("3", "a number of at least 1"),
            (0, "a number of at least 1"),
            (float("nan"), "a number of at least 1"),
        ],
    )
    def test_a_number_is_a_number_within_bounds(self, tmp_path: Path, value: Any, said: str) -> None:
        with pytest.raises(PolicyError, match=f"'place': wait must be {said}"):
            entry(tmp_path, wait=value).number("wait", 2.0, least=1)
        with pytest.raises(PolicyError, match="from 0 to 9"):
            entry(tmp_path, wait=10).number("wait", 2.0, most=9)

    def test_other_types_are_refused_without_their_value(self, tmp_path: Path) -> None:
        off = entry(tmp_path, on="yes", names=["x", 3], mode="bb", path=[SECRET])
        with pytest.raises(PolicyError, match="on must be true or false"):
            off.flag("on", False)
        with pytest.raises(PolicyError, match="names must be a list of texts"):
            off.texts("names")
        with pytest.raises(PolicyError, match=re.escape("mode must be one of aa, bbb. Did you mean 'bbb'?")):
            off.choice("mode", ("aa", "bbb"), "aa")
        with pytest.raises(PolicyError, match="path must be a text") as refused:
            off.path("path")
        assert SECRET not in str(refused.value)

    def test_what_must_be_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match=r"path is missing\. Did you mean 'paths'\?"):
            entry(tmp_path, paths="x").path("path")


class TestSecrets:
    """They stand in files of their own, or in the environment."""

    def test_a_file_holds_one(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text(f"  {SECRET}\n")
        held = entry(tmp_path, token_file="token")
        assert held.secret("token") == SECRET
        held.done()

    def test_the_environment_holds_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RF_TEST_TOKEN", SECRET)
        held = entry(tmp_path, token_env="RF_TEST_TOKEN")
        assert held.optional_secret("token") == SECRET
        held.done()

    def test_there_may_be_several_while_they_are_rotated(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "new").write_text("new")
        (tmp_path / "old").write_text("old")
        monkeypatch.setenv("RF_TEST_TOKEN", "older")
        table = {"token_file": ["new", "old"], "token_env": "RF_TEST_TOKEN"}
        assert entry(tmp_path, **table).secrets("token") == ("new", "old", "older")
        with pytest.raises(PolicyError, match="must be one secret"):
            entry(tmp_path, **table).secret("token")

    def test_one_in_the_file_itself_is_refused_and_not_shown(self, tmp_path: Path) -> None:
        for take in ("secret", "secrets", "optional_secret"):
            with pytest.raises(PolicyError, match="secrets are not written into this file") as refused:
                getattr(entry(tmp_path, token=SECRET), take)("token")
            assert SECRET not in str(refused.value)
            assert "token_file" in str(refused.value)

    def test_none_at_all_is_told_with_near_names(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match=r"token_file or token_env is missing.*'token_fil'"):
            entry(tmp_path, token_fil="x").secret("token")

    def test_a_secret_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "empty").write_text("\n")
        (tmp_path / "binary").write_bytes(b"\xff\xfe")
        (tmp_path / "huge").write_text("x" * 70_000)
        for name, said in {
            "missing": "cannot be read: No such file",
            "empty": "which is empty",
            "binary": "holds no text",
            "huge": "too long",
            ".": "cannot be read",
        }.items():
            with pytest.raises(PolicyError, match=f"token_file names .*{said}"):
                entry(tmp_path, token_file=name).secret("token")
        with pytest.raises(PolicyError, match="RF_NOT_SET, which is not set"):
            entry(tmp_path, token_env="RF_NOT_SET").secret("token")
        with pytest.raises(PolicyError, match="must be a list of texts"):
            entry(tmp_path, token_file=3).secret("token")
