"""What the audit log costs: adding to it, signing it, proving from it, checking all of it.

    python benchmarks/audit.py

Adding is told twice: a transaction each, which waits for the disk, and all in one. The log is then filled up
to its full length; signing it for the first time reads all of it, signing again what was added since. Beside
the time that passed stands the time on a core: others may be at work on the machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from machine import machine

from ringfence.enforcement.audit import steps
from ringfence.enforcement.audit.keeping import keep_checkpoint
from ringfence.enforcement.audit.log import entries
from ringfence.enforcement.audit.merkle import MerkleTree
from ringfence.enforcement.casebook.database import Casebook
from ringfence.state import StateFolder

Result = TypeVar("Result")

ENTRIES = 1_000_000
ALONE = 2_000
"""Entries that get a transaction each."""
PROOFS = 1_000


@dataclass(frozen=True, slots=True)
class Took:
    """How long something took."""

    wall: float
    """Seconds that passed."""
    core: float
    """Seconds on a core."""

    def each(self, count: int) -> Took:
        """Return what one of so many took."""
        return Took(self.wall / count, self.core / count)

    def rate(self, count: int) -> str:
        """Return how many there were a second."""
        return f"{count / self.wall:,.0f} a second | {count / self.core:,.0f} a second"

    def __str__(self) -> str:
        return " | ".join(
            f"{taken:.2f} s" if taken >= 0.1 else f"{taken * 1e3:.2f} ms" for taken in (self.wall, self.core)
        )


def timed(work: Callable[[], Result]) -> tuple[Took, Result]:
    """Return how long a piece of work took, and what it returned."""
    wall, core = time.perf_counter(), time.process_time()
    result = work()
    return Took(time.perf_counter() - wall, time.process_time() - core), result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What the audit log costs.")
    parser.add_argument("--entries", type=int, default=ENTRIES)
    wanted = parser.parse_args().entries
    with tempfile.TemporaryDirectory() as folder:
        state = StateFolder(Path(folder))
        with Casebook.open(state.casebook) as book:
            rows = measured(book, state, wanted)
    print(f"{machine()}; a log of {wanted:,} entries\n")
    print("| step | measured | on a core |\n|---|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


def measured(book: Casebook, state: StateFolder, wanted: int) -> list[tuple[str, str]]:
    """Fill a log and return what each step took."""
    alone = min(ALONE, wanted)
    singly, _ = timed(lambda: [add(book, 1) for _entry in range(alone)])
    together, _ = timed(lambda: add(book, wanted - alone))
    first, _ = timed(lambda: sign(book, state))
    again, _ = timed(lambda: (add(book, 1), sign(book, state)))
    with book.reading() as connection:
        build, tree = timed(lambda: MerkleTree(entry.leaf for entry in entries(connection)))
    root, _ = timed(tree.root)
    places = range(0, wanted, max(wanted // PROOFS, 1))
    proofs, _ = timed(lambda: [tree.inclusion(place, len(tree)) for place in places])
    prove, _ = timed(lambda: steps.prove_entry(book, state, wanted // 2))
    check, verified = timed(lambda: steps.verify(book, state))
    assert not verified.faults
    assert verified.covered == wanted + 1
    return [
        ("entries added, a transaction each", singly.rate(alone)),
        ("entries added, in one transaction", together.rate(wanted - alone)),
        ("first checkpoint: all entries hashed", str(first)),
        ("one more entry and its checkpoint", str(again)),
        ("tree of all entries", str(build)),
        ("root from the tree", str(root)),
        ("inclusion proof from the tree", str(proofs.each(len(places)))),
        ("`audit prove`, tree and all", str(prove)),
        ("`audit verify`", str(check)),
    ]


def add(book: Casebook, count: int) -> None:
    """Add entries within one transaction."""
    with book.writing("benchmark") as writing:
        for number in range(count):
            writing.audit("note added", f"R-{number % 5000:016x}", number=number)


def sign(book: Casebook, state: StateFolder) -> None:
    """Make a checkpoint."""
    with book.writing("benchmark") as writing:
        keep_checkpoint(writing, state)


if __name__ == "__main__":
    main()
