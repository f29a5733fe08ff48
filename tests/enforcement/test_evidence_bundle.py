"""A bundle of a real run reproduces its decision without the casebook; what was changed shows."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from audit_samples import SINKS, rewrite, tamper
from evidence_world import write_world
from typer.testing import CliRunner, Result

from ringfence.cli.audit import app as audit_app
from ringfence.cli.evidence import app
from ringfence.enforcement.bundle import json_bytes, pack, unpack
from ringfence.enforcement.casebook.cases import ring_at
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import give_account_verdict, give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.casebook.reading import read_run
from ringfence.enforcement.casebook.record import record_run
from ringfence.enforcement.events import Target
from ringfence.enforcement.keys import KeyFolder, SigningKey
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Request
from ringfence.enforcement.orders.reverse import reverse
from ringfence.errors import AuditError, OutputError, RingfenceError, UnknownCaseError
from ringfence.pipeline.evidence.check import check_evidence
from ringfence.pipeline.evidence.export import export_evidence
from ringfence.pipeline.run import RunRequest, run
from ringfence.records import Action, Decision
from ringfence.state import StateFolder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run; decided by trees, which take seconds where the network takes longer."""
    folder = tmp_path_factory.mktemp("evidence")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch_geometric", None)
        run(RunRequest(write_world(folder / "input"), folder / "out", neo4j="none"))
    return folder / "out"


@pytest.fixture(scope="module")
def template(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state in which people have decided on the run's first ring."""
    state = StateFolder(tmp_path_factory.mktemp("decided") / "state")
    with Casebook.open(state.casebook) as book:
        with book.writing("score") as writing:
            ring_id = record_run(writing, read_run(finished)).born[0]
        with book.writing("ada") as writing:
            ring = ring_at(writing.connection, ring_id)
            give_verdict(writing, ring_id, Verdict.CONFIRMED, "Same cards, <b>same</b> hours.")
            last = ring.members[-1].account_id
            give_account_verdict(writing, ring_id, last, Verdict.REJECTED, "A partner.")
            to = tuple(Target(m.account_id, m.role, m.score) for m in ring.members[:4])
            placed = place(writing, Request(ring_id, Action.SUSPEND, to, "Cards."), SINKS)  # type: ignore[arg-type]
        with book.writing("bo") as writing:
            reverse(writing, placed.order_id, "An appeal.", SINKS, [to[0].account_id])  # type: ignore[arg-type]
    connection = sqlite3.connect(state.casebook)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return state.root


@pytest.fixture
def state(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    folder = StateFolder(shutil.copytree(template, tmp_path / "state"))
    monkeypatch.setenv("RINGFENCE_STATE", str(folder.root))
    return folder


@pytest.fixture(scope="module")
def sealed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the ring that was decided on."""
    folder = tmp_path_factory.mktemp("sealed")
    state = StateFolder(shutil.copytree(template, folder / "state"))
    with Casebook.open(state.casebook) as book:
        export_evidence(book, state, ring_of(state), folder / "ring.zip", "ada")
    return folder / "ring.zip"


def evidence(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(result: Result) -> RingfenceError:
    assert isinstance(result.exception, RingfenceError), result.exception
    return result.exception


def ring_of(state: StateFolder) -> str:
    connection = sqlite3.connect(state.casebook)
    (found,) = connection.execute("SELECT ring_id FROM verdicts WHERE account_id IS NULL").fetchone()
    connection.close()
    return str(found)


def exported(state: StateFolder, out: Path, *words: str | Path) -> dict[str, Any]:
    result = evidence("export", ring_of(state), "--out", out, "--json", *words)
    assert result.exception is None, result.exception
    return dict(json.loads(result.stdout))


def test_a_bundle_reproduces_the_decision_without_the_state(state: StateFolder, tmp_path: Path) -> None:
    out = tmp_path / "ring.zip"
    done = exported(state, out)
    key = shutil.copy(state.keys / f"public-{done['key']}.pem", tmp_path)
    files = unpack(out.read_bytes()).files
    assert json.loads(files["ring.json"])["ring"]["decision"] == Decision.RING
    shutil.rmtree(state.root)

    result = evidence("verify", out, "--key", key, "--json")
    said = json.loads(result.stdout)
    assert said["ok"]
    names = [step["name"] for step in said["steps"]]
    assert names == [
        "signature",
        "files",
        "checkpoint",
        "log",
        "decided",
        "settings",
        "probability",
        *["family"] * 3,
        "members",
        "decision",
        "everything else",
    ]
    text = evidence("verify", out).stdout
    assert "2 verdicts and 2 orders are what the log says." in text
    assert "The mean score of 12 members is" in text
    assert "payment links 12 of 12 members" in text
    assert "it decides what the ring says" in text


def test_every_ring_of_the_run_comes_out_the_same(state: StateFolder, finished: Path, tmp_path: Path) -> None:
    rings = [ring.ring_id for ring in read_run(finished).rings if ring.flagged]
    assert len(rings) == 3
    with Casebook.open(state.casebook) as book:
        for ring in rings:
            export_evidence(book, state, ring, tmp_path / f"{ring}.zip", "ada")
            assert wrong(tmp_path / f"{ring}.zip") == set()


def test_the_same_ring_gives_the_same_bytes_and_every_export_is_audited(
    state: StateFolder, tmp_path: Path
) -> None:
    first, second = exported(state, tmp_path / "1.zip"), exported(state, tmp_path / "2.zip", "--by", "bo")

    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    log = json.loads(CliRunner().invoke(audit_app, ["log", "--json"]).stdout)
    told = [entry for entry in log if entry["what"] == "evidence exported"]
    assert [entry["digest"] for entry in told] == [first["digest"], second["digest"]]
    assert told[1]["by"] == "bo"
    assert CliRunner().invoke(audit_app, ["verify"]).exception is None


def test_the_page_can_be_read_and_asks_nothing_of_the_network(sealed: Path) -> None:
    page = unpack(sealed.read_bytes()).files["report.html"].decode()

    assert "Same cards, &lt;b&gt;same&lt;/b&gt; hours." in page
    assert "paid with" in page
    assert "order reversed" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_graph_holds_members_and_what_they_share(sealed: Path) -> None:
    files = unpack(sealed.read_bytes()).files
    members = {one["account_id"] for one in json.loads(files["ring.json"])["ring"]["members"]}
    rows = {
        name: [json.loads(line) for line in content.decode().splitlines()]
        for name, content in files.items()
        if name.startswith("graph/")
    }

    assert {row["account_id"] for row in rows["graph/nodes/Account.jsonl"]} == members
    for name in ("LINKED_TO", "PAID_WITH", "USED_IP", "USED_DEVICE", "MEMBER_OF"):
        assert {row["start"] for row in rows[f"graph/relationships/{name}.jsonl"]} <= members
    cards = [row["end"] for row in rows["graph/relationships/PAID_WITH.jsonl"]]
    assert all(cards.count(card) > 1 for card in cards)
    asked = json.loads(files["queries/parameters.json"])
    assert {f"queries/{name}.cypher" for name in asked} < files.keys()


def remade(file: Path, folder: Path, change: Callable[[dict[str, Any]], None], name: str) -> Path:
    """Change a file of a bundle and sign it anew with another key."""
    found = unpack(file.read_bytes())
    lines = name.endswith(".jsonl")
    text = found.files[name].decode()
    told = {"rows": [json.loads(line) for line in text.splitlines()]} if lines else json.loads(text)
    change(told)
    changed = "".join(json.dumps(row) + "\n" for row in told["rows"]).encode() if lines else json_bytes(told)
    about = {n: v for n, v in found.manifest.items() if n not in ("files", "key")}
    out = folder / "changed.zip"
    out.write_bytes(pack({**found.files, name: changed}, about, SigningKey.generate(), found.keys.values()))
    return out


def wrong(file: Path) -> set[str]:
    return {step.name for step in check_evidence(file) if not step.ok}


def set_digest(told: dict[str, Any]) -> None:
    from ringfence.files import digest_json

    told["settings"]["decisions"]["ring_probability"] = 0.999
    told["settings_digest"] = digest_json(told["settings"])


def first_card(told: dict[str, Any]) -> None:
    told["rows"] = told["rows"][2:]


CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], None], set[str]]] = {
    "a score": (
        "scores.jsonl",
        lambda told: told["rows"][0].update(score=0.1),
        {"probability", "members", "everything else"},
    ),
    "a score by a hair": (
        "scores.jsonl",
        lambda told: told["rows"][0].update(score=told["rows"][0]["score"] - 1e-5),
        {"probability", "everything else"},
    ),
    "a threshold": (
        "run.json",
        lambda told: told["settings"]["decisions"].update(ring_probability=0.999),
        {"settings", "decision", "everything else"},
    ),
    "a threshold that nothing hangs on": (
        "run.json",
        lambda told: told["settings"]["decisions"].update(ring_probability=0.85),
        {"settings"},
    ),
    "a threshold and its digest": ("run.json", set_digest, {"decision", "everything else"}),
    "calibrated or not": (
        "run.json",
        lambda told: told["scoring"].update(calibrated=False),
        {"probability", "decision", "everything else"},
    ),
    "the probability told": (
        "ring.json",
        lambda told: told["ring"].update(probability=0.99),
        {"probability"},
    ),
    "no probability told": (
        "ring.json",
        lambda told: told["ring"].update(probability=None),
        {"probability"},
    ),
    "the decision told": (
        "ring.json",
        lambda told: told["ring"].update(decision="review"),
        {"decision", "everything else"},
    ),
    "a role told": (
        "ring.json",
        lambda told: told["ring"]["members"][0].update(role="bystander"),
        {"members", "everything else"},
    ),
    "a coverage told": (
        "ring.json",
        lambda told: told["ring"]["evidence"][0].update(coverage=0.2),
        {"family", "everything else"},
    ),
    "a family left out": (
        "ring.json",
        lambda told: told["ring"]["evidence"].pop(),
        {"family", "everything else"},
    ),
    "a statement told": (
        "ring.json",
        lambda told: told["ring"]["evidence"][0].update(statement="They are guilty."),
        {"everything else"},
    ),
    "the score of the evidence": (
        "ring.json",
        lambda told: told["ring"].update(evidence_score=99.0),
        {"everything else"},
    ),
    "when it was first seen": (
        "ring.json",
        lambda told: told["ring"].update(first_seen="2020-01-01T00:00:00Z"),
        {"everything else"},
    ),
    "links left out": (
        "graph/relationships/LINKED_TO.jsonl",
        lambda told: told.update(rows=[row for row in told["rows"] if not row["payment"]]),
        {"family", "everything else"},
    ),
    "sightings left out": (
        "graph/relationships/PAID_WITH.jsonl",
        first_card,
        {"everything else"},
    ),
    "a verdict": ("verdicts.json", lambda told: told[0].update(by="eve"), {"decided"}),  # type: ignore[index]
    "an order": ("orders.json", lambda told: told[0].update(action="monitor"), {"decided"}),  # type: ignore[index]
    "an account of an order": (
        "orders.json",
        lambda told: told[0]["accounts"].pop(),  # type: ignore[index]
        {"decided"},
    ),
    "an entry": (
        "audit.json",
        lambda told: told["entries"][0].update(
            entry=told["entries"][0]["entry"].replace("recorded", "erased")
        ),
        {"log"},
    ),
    "an entry's place": (
        "audit.json",
        lambda told: told["entries"][0].update(place=1),
        {"log"},
    ),
}


@pytest.mark.parametrize(("name", "change", "steps"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_and_signed_anew_shows(
    sealed: Path,
    tmp_path: Path,
    name: str,
    change: Callable[[dict[str, Any]], None],
    steps: set[str],
) -> None:
    assert wrong(remade(sealed, tmp_path, change, name)) == steps


def test_the_command_says_whether_it_knows_the_signer(sealed: Path) -> None:
    key = next((sealed.parent / "state" / "keys").glob("public-*.pem"))
    told = [evidence("verify", sealed, *more).output for more in ((), ("--key", key))]

    assert ["WHO signed was not checked" in one for one in told] == [True, False]
    told = [evidence("verify", sealed, "--json", *more).output for more in ((), ("--key", key))]
    assert [json.loads(one)["key_given"] for one in told] == [False, True]


def test_the_command_says_what_is_wrong(sealed: Path, tmp_path: Path) -> None:
    changed = remade(sealed, tmp_path, CHANGES["a threshold"][1], "run.json")
    key = next((sealed.parent / "state" / "keys").glob("public-*.pem"))

    result = evidence("verify", changed)
    assert "does not hold" in str(refused(result))
    assert "WRONG  The thresholds are not those" in result.output
    assert "is not what key" in str(refused(evidence("verify", changed, "--key", key)))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("scores.jsonl", lambda told: told["rows"].pop()),
        ("scores.jsonl", lambda told: told["rows"][0].update(score=2)),
        ("graph/nodes/Account.jsonl", lambda told: told["rows"].clear()),
        ("graph/nodes/PaymentInstrument.jsonl", lambda told: told["rows"].clear()),
        ("run.json", lambda told: told["settings"]["links"].update(unheard_of=1)),
        ("run.json", lambda told: told.pop("scoring")),
        ("ring.json", lambda told: told.pop("ring")),
        ("audit.json", lambda told: told.update(checkpoint="")),
    ],
)
def test_what_a_decision_takes_is_missed(
    sealed: Path, tmp_path: Path, name: str, change: Callable[[dict[str, Any]], None]
) -> None:
    with pytest.raises(RingfenceError):
        check_evidence(remade(sealed, tmp_path, change, name))


def test_any_file_changed_and_zipped_again_shows(sealed: Path, tmp_path: Path) -> None:
    with ZipFile(sealed) as opened:
        inside = {name: opened.read(name) for name in opened.namelist()}
    for name in inside:
        written = BytesIO()
        with ZipFile(written, "w") as archive:
            for other, content in inside.items():
                archive.writestr(other, content + b" " if other == name else content)
        (tmp_path / "changed.zip").write_bytes(written.getvalue())
        with pytest.raises(AuditError):
            check_evidence(tmp_path / "changed.zip")


def test_a_checkpoint_by_nobody_shows(sealed: Path, tmp_path: Path) -> None:
    found = unpack(sealed.read_bytes())
    (tmp_path / "lone.zip").write_bytes(pack(found.files, {}, SigningKey.generate()))

    assert wrong(tmp_path / "lone.zip") == {"checkpoint"}


def test_a_bundle_after_the_key_was_changed(state: StateFolder, tmp_path: Path) -> None:
    exported(state, tmp_path / "1.zip")
    assert CliRunner().invoke(audit_app, ["rotate-key", "--reason", "A year is over."]).exception is None
    exported(state, tmp_path / "2.zip")

    assert wrong(tmp_path / "2.zip") == set()
    assert unpack((tmp_path / "2.zip").read_bytes()).signer == KeyFolder(state.keys).signing().public
    assert unpack((tmp_path / "1.zip").read_bytes()).signer in KeyFolder(state.keys).known().values()


class TestWhatIsRefused:
    def test_a_ring_that_nobody_knows(self, state: StateFolder, tmp_path: Path) -> None:
        found = refused(evidence("export", "R-1", "--out", tmp_path / "x.zip"))
        assert isinstance(found, UnknownCaseError)
        assert not (tmp_path / "x.zip").exists()

    def test_a_file_that_is_there(self, state: StateFolder, tmp_path: Path) -> None:
        (tmp_path / "x.zip").write_text("mine")
        assert "--force" in str(refused(evidence("export", ring_of(state), "--out", tmp_path / "x.zip")))
        written = evidence("export", ring_of(state), "--out", tmp_path / "x.zip", "--force").stdout
        assert "should have the key from you" in written

    def test_a_place_that_cannot_be_written(self, state: StateFolder) -> None:
        found = refused(evidence("export", ring_of(state), "--out", state.casebook / "x.zip"))
        assert isinstance(found, OutputError)

    def test_a_run_that_is_gone_or_another(self, state: StateFolder, finished: Path, tmp_path: Path) -> None:
        connection = sqlite3.connect(state.casebook)
        connection.execute("UPDATE runs SET out = ?", (str(tmp_path / "gone"),))
        connection.commit()
        connection.close()
        out = tmp_path / "x.zip"
        assert "--run OUT" in str(refused(evidence("export", ring_of(state), "--out", out)))
        exported(state, out, "--run", finished)

        other = shutil.copytree(finished, tmp_path / "other")
        lines = (other / "rings.jsonl").read_text().splitlines(keepends=True)
        (other / "rings.jsonl").write_text("".join(lines[:-1]))
        words = ("export", ring_of(state), "--out", out, "--force", "--run")
        assert "another run" in str(refused(evidence(*words, other)))

        broken = shutil.copytree(finished, tmp_path / "broken")
        shutil.rmtree(broken / "graph")
        assert "no graph" in str(refused(evidence(*words, broken)))

    def test_a_ring_that_was_changed_in_the_casebook(self, state: StateFolder, tmp_path: Path) -> None:
        from ringfence.enforcement.casebook.content import packed, unpacked

        connection = sqlite3.connect(state.casebook)
        ring = ring_of(state)
        (content,) = connection.execute("SELECT content FROM versions WHERE ring_id = ?", (ring,)).fetchone()
        told = {**unpacked(content), "probability": 0.5}
        connection.execute("UPDATE versions SET content = ? WHERE ring_id = ?", (packed(told), ring))
        connection.commit()
        connection.close()

        found = refused(evidence("export", ring, "--out", tmp_path / "x.zip"))
        assert "one of them was changed" in str(found)

    def test_a_log_that_was_changed(self, state: StateFolder, tmp_path: Path) -> None:
        exported(state, tmp_path / "1.zip")
        connection = sqlite3.connect(state.casebook)
        texts = [bytes(row[0]) for row in connection.execute("SELECT entry FROM audit ORDER BY place")]
        connection.close()
        texts[1] = texts[1].replace(b"confirmed", b"rejected!")
        tamper(state, lambda connection: rewrite(connection, texts))

        found = refused(evidence("export", ring_of(state), "--out", tmp_path / "2.zip"))
        assert "not what was signed" in str(found)

    def test_what_is_no_bundle(self, state: StateFolder, tmp_path: Path) -> None:
        assert "No such file" in str(refused(evidence("verify", tmp_path / "nothing.zip")))
        (tmp_path / "x.zip").write_text("nothing")
        assert "damaged" in str(refused(evidence("verify", tmp_path / "x.zip")))
