"""The casebook's file: full disks, locks, damage, strangers, later versions, many processes at once."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from case_samples import accounts, confirmed, recorded, ring, targets_of

from ringfence.enforcement.casebook import database
from ringfence.enforcement.casebook.cases import cases
from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.casebook.decide import add_note, give_verdict
from ringfence.enforcement.casebook.life import Verdict
from ringfence.enforcement.casebook.migrate import migrate
from ringfence.enforcement.orders.place import place
from ringfence.enforcement.orders.records import Request
from ringfence.errors import CasebookError, UnknownCaseError
from ringfence.records import Action

PYTHON = (sys.executable, "-c")


def run(script: str, *words: str | Path) -> subprocess.Popen[str]:
    """Start another process."""
    return subprocess.Popen(
        [*PYTHON, script, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )


def test_it_is_made_where_it_is_missing_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "casebook.db"
    with Casebook.open(path) as book, book.writing("ada"):
        assert book.path == path
        beside = [one for one in path.parent.iterdir() if one != path]
        assert {one.stat().st_mode & 0o777 for one in (path, *beside)} == {0o600}
        assert any(one.name.endswith("-wal") for one in beside)


def test_it_is_not_made_where_it_should_be_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownCaseError, match="rings record"):
        Casebook.open(tmp_path / "casebook.db", make=False)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CasebookError, match=r"Not a directory|File exists"):
        Casebook.open(tmp_path / "file" / "casebook.db")
    with pytest.raises(CasebookError, match="cannot be opened"):
        Casebook.open(tmp_path)


def test_what_is_no_casebook_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(b"Dear reader, " * 100)
    with pytest.raises(CasebookError, match="no casebook"):
        Casebook.open(path)
    assert path.read_bytes() == b"Dear reader, " * 100


def test_another_program_s_database_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(CasebookError, match="another program"):
        Casebook.open(path)
    assert path.read_bytes() == before


def test_a_later_schema_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    with Casebook.open(path) as book:
        confirmed(book, ring("R-1", accounts(5)))
        later = book.read("PRAGMA user_version")[0][0] + 1
        book._connection.execute(f"PRAGMA user_version = {later}")
    with pytest.raises(CasebookError, match=f"schema {later}.*Update"):
        Casebook.open(path)


def test_an_older_schema_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.enforcement.casebook import migrate as steps

    class First:
        """The folder of migrations as it was at first."""

        def __init__(self, package: str) -> None:
            self._all = database_files(package)

        def iterdir(self) -> list[Path]:
            return [one for one in self._all.iterdir() if one.name.startswith("0001")]

    database_files = steps.files
    path = tmp_path / "casebook.db"
    with monkeypatch.context() as patch:
        patch.setattr(steps, "files", First)
        with Casebook.open(path) as book:
            # Nothing but the first step is there, so only what it knows can be written.
            book._connection.execute("INSERT INTO runs VALUES ('run', '2026', '/out', 1, 1, '{}')")
            assert book.read("PRAGMA user_version")[0][0] == 1
    with Casebook.open(path) as book:
        assert [row["run_id"] for row in book.read("SELECT run_id FROM runs")] == ["run"]
        assert book.read("SELECT * FROM appeals") == []
        assert book.read("PRAGMA user_version")[0][0] > 1


def test_migrations_are_numbered_and_end_with_whole_statements() -> None:
    from importlib.resources import files

    found = sorted(
        (
            one
            for one in files("ringfence.enforcement.casebook.migrations").iterdir()
            if one.name.endswith("sql")
        ),
        key=lambda one: one.name,
    )
    assert [int(one.name[:4]) for one in found] == list(range(1, len(found) + 1))
    for one in found:
        assert sqlite3.complete_statement(one.read_text()), one.name


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.enforcement.casebook import migrate as steps

    monkeypatch.setattr(
        steps, "_statements", lambda script: iter(["CREATE TABLE runs (x)", "CREATE TABLE runs (x)"])
    )
    path = tmp_path / "casebook.db"
    with pytest.raises(sqlite3.OperationalError):
        Casebook.open(path)
    with sqlite3_at(path) as connection:
        assert connection.execute("SELECT * FROM sqlite_schema").fetchall() == []


def test_two_processes_migrate_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ringfence.enforcement.casebook.database import Casebook\n"
        "sys.stdin.readline()\n"
        "with Casebook.open(Path(sys.argv[1])) as book:\n"
        "    with book.writing('score') as writing: writing.audit('here')\n"
    )
    path = tmp_path / "casebook.db"
    both = [run(script, path) for _ in range(4)]
    for one in both:
        one.stdin.write("go\n")  # type: ignore[union-attr]
        one.stdin.flush()  # type: ignore[union-attr]
    said = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0] * 4, said
    with Casebook.open(path) as book:
        assert book.read("SELECT count(*) AS n FROM audit")[0]["n"] == 4


@contextmanager
def sqlite3_at(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    try:
        yield connection
    finally:
        connection.close()


def test_another_process_that_holds_it_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    with Casebook.open(path) as book:
        confirmed(book, ring("R-1", accounts(5)))
    script = (
        "import sqlite3, sys\n"
        "held = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "held.execute('BEGIN IMMEDIATE')\n"
        "print('held', flush=True); sys.stdin.readline(); held.execute('ROLLBACK'); held.close()\n"
    )
    holder = run(script, path)
    assert holder.stdout.readline() == "held\n"  # type: ignore[union-attr]
    with Casebook.open(path, patience=0.05) as book:
        with pytest.raises(CasebookError, match="another process holds it"), book.writing("ada") as writing:
            add_note(writing, "R-1", "Never written.")
        assert book.read("SELECT * FROM notes") == []
        with book.reading() as connection:
            assert len(cases(connection)) == 1, "reading goes on"
        holder.communicate("go\n", timeout=60)
        with book.writing("ada") as writing:
            add_note(writing, "R-1", "Written.")
        assert [row["text"] for row in book.read("SELECT text FROM notes")] == ["Written."]


def test_it_waits_for_another_process_to_let_go_of_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    with Casebook.open(path):
        pass
    with sqlite3_at(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CasebookError, match="another process holds it"):
            Casebook.open(path, patience=0.05)
        connection.rollback()
    with Casebook.open(path, patience=0.05) as book:
        assert book.read("PRAGMA journal_mode")[0][0] == "wal"


def test_it_waits_for_a_reader_before_it_changes_how_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    with Casebook.open(path):
        pass
    with sqlite3_at(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        reader = run(
            "import sqlite3, sys\n"
            "held = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "held.execute('BEGIN'); held.execute('SELECT * FROM rings').fetchall()\n"
            "print('held', flush=True); sys.stdin.readline(); held.execute('ROLLBACK'); held.close()\n",
            path,
        )
        assert reader.stdout.readline() == "held\n"  # type: ignore[union-attr]
        with pytest.raises(CasebookError, match="another process holds it"):
            Casebook.open(path, patience=0.05)
        reader.communicate("go\n", timeout=60)
    with Casebook.open(path, patience=0.05) as book:
        assert book.read("PRAGMA journal_mode")[0][0] == "wal"


def test_it_asks_again_where_sqlite_does_not_wait_by_itself() -> None:
    """Two processes that change it at the same moment see that; nothing makes it happen for certain."""

    class Refusing:
        asked = 0

        def execute(self, _statement: str) -> None:
            self.asked += 1
            if self.asked < 3:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error

    connection = Refusing()
    database._write_ahead(connection, 60.0)  # type: ignore[arg-type]
    assert connection.asked == 3


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    found = ring("R-1", accounts(3000))
    with Casebook.open(path) as book:
        confirmed(book, found)
        before = [tuple(row) for row in book.read("SELECT * FROM rings")]
        pages = book.read("PRAGMA page_count")[0][0]
        book._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(CasebookError, match="disk is full"), book.writing("ada") as writing:
            place(writing, Request("R-1", Action.SUSPEND, targets_of(found), "Same cards."), {})
        assert [tuple(row) for row in book.read("SELECT * FROM rings")] == before
        assert book.read("SELECT * FROM orders") == []
        book._connection.execute(f"PRAGMA max_page_count = {pages * 10}")
        with book.writing("ada") as writing:
            place(writing, Request("R-1", Action.SUSPEND, targets_of(found), "Same cards."), {})
        assert book.read("SELECT count(*) AS n FROM order_accounts")[0]["n"] == 3000


def test_a_disk_that_fills_up_within_a_part_ends_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    found = ring("R-1", accounts(3000))
    with Casebook.open(path) as book:
        confirmed(book, found)
        pages = book.read("PRAGMA page_count")[0][0]
        book._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        request = Request("R-1", Action.SUSPEND, targets_of(found), "Same cards.")
        with (
            pytest.raises(CasebookError, match="disk is full"),
            book.writing("ada") as writing,
            writing.apart(),
        ):
            place(writing, request, {})
        assert book.read("SELECT * FROM orders") == []


def test_a_file_that_may_not_grow_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """The operating system itself refuses to write, as it does where a quota is used up."""
    path = tmp_path / "casebook.db"
    with Casebook.open(path) as book:
        confirmed(book, ring("R-1", accounts(5)))
    limit = path.stat().st_size
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from case_samples import accounts, recorded, ring\n"
        "from ringfence.enforcement.casebook.database import Casebook\n"
        "from ringfence.errors import CasebookError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with Casebook.open(Path(sys.argv[1])) as book:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        recorded(book, ring('R-2', accounts(20000, 'other')), name='run-2')\n"
        "    except CasebookError as error:\n"
        "        print(error)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    child = run(script, path, limit)
    said, wrong = child.communicate(timeout=60)
    assert "the disk" in said, said + wrong
    assert "full" in said
    with Casebook.open(path) as book:
        assert [row["ring_id"] for row in book.read("SELECT ring_id FROM rings")] == ["R-1"]
        assert book.read("PRAGMA integrity_check")[0][0] == "ok"


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    with Casebook.open(path) as book:
        recorded(book, ring("R-1", accounts(2000)))
        book._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    page = 4096
    for place_ in range(page, len(content), page):
        content[place_ : place_ + 100] = b"\xff" * 100
    path.write_bytes(content)
    with pytest.raises(CasebookError, match="damaged"), Casebook.open(path) as book:
        book.read("SELECT * FROM members")


def test_errors_of_a_step_itself_come_through(tmp_path: Path) -> None:
    with Casebook.open(tmp_path / "casebook.db") as book:
        recorded(book, ring("R-1", accounts(5)))

        def step() -> None:
            with book.writing("ada") as writing:
                add_note(writing, "R-1", "Never kept.")
                (tmp_path / "missing").read_text()

        with pytest.raises(FileNotFoundError):
            step()
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            book.read("SELECT * FROM nowhere")
        assert book.read("SELECT * FROM notes") == []


def test_a_reading_sees_one_state(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    with Casebook.open(path) as book, Casebook.open(path) as other:
        recorded(book, ring("R-1", accounts(5)))
        with other.reading() as connection:
            assert len(cases(connection)) == 1
            recorded(book, ring("R-2", accounts(5, "other")), name="run-2")
            assert len(cases(connection)) == 1
        with other.reading() as connection:
            assert len(cases(connection)) == 2
        with pytest.raises(RuntimeError), other.reading():
            raise RuntimeError


def test_of_verdicts_given_at_once_on_one_version_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    with Casebook.open(path) as book:
        recorded(book, ring("R-1", accounts(5)))
    script = (
        "import sys; from pathlib import Path; from ringfence.enforcement.casebook.database import Casebook\n"
        "from ringfence.enforcement.casebook.decide import give_verdict\n"
        "from ringfence.enforcement.casebook.life import Verdict\n"
        "from ringfence.errors import StaleVersionError\n"
        "with Casebook.open(Path(sys.argv[1])) as book:\n"
        "    print('ready', flush=True); sys.stdin.readline()\n"
        "    try:\n"
        "        with book.writing(sys.argv[2]) as writing:\n"
        "            give_verdict(writing, 'R-1', Verdict.WATCH, 'Looked.', version=1)\n"
        "        print('won')\n"
        "    except StaleVersionError as error:\n"
        "        print(error)\n"
    )
    people = [run(script, path, f"person {number}") for number in range(4)]
    for one in people:
        assert one.stdout.readline() == "ready\n"  # type: ignore[union-attr]
    for one in people:
        one.stdin.write("go\n")  # type: ignore[union-attr]
        one.stdin.flush()  # type: ignore[union-attr]
    said = [one.communicate(timeout=60)[0].strip() for one in people]
    assert sum(word == "won" for word in said) == 1, said
    assert sum("at version 2, not 1" in word for word in said) == 3, said
    with Casebook.open(path) as book:
        assert book.read("SELECT count(*) AS n FROM verdicts")[0]["n"] == 1


def test_clocks_and_times(tmp_path: Path) -> None:
    text = database.stamp(database.utc_now())
    assert database.stamp(database.read_stamp(text)) == text
    with Casebook.open(tmp_path / "casebook.db") as book:
        assert book.now.tzinfo is not None
        with book.writing("ada") as writing:
            recorded_at = writing.stamp
        assert recorded_at.endswith("Z")
        migrate(book._connection, book.path)
        recorded(book, ring("R-1", accounts(5)))
        with book.writing("ada") as writing:
            give_verdict(writing, "R-1", Verdict.WATCH, "Looked.")


def test_bytes_that_are_no_text_are_told_and_not_kept(book: Casebook) -> None:
    """A command line hands them on as halves of pairs."""
    with pytest.raises(CasebookError, match="no letter"), book.writing("ada") as writing:
        writing.audit("note added", "R-1", reason="\udcff")
    assert book.read("SELECT * FROM audit") == []
