"""Which ring is which, held against a definition carried out in the plainest way."""

from __future__ import annotations

from fractions import Fraction

from case_samples import accounts, recorded, ring
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.enforcement.casebook.database import Casebook
from ringfence.lineage import Heir, trace

POOL = accounts(9)


@st.composite
def two_partitions(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    def partition(prefix: str) -> dict[str, list[str]]:
        places = draw(st.lists(st.integers(-1, 3), min_size=len(POOL), max_size=len(POOL)))
        found: dict[str, list[str]] = {}
        for account, place in zip(POOL, places, strict=True):
            if place >= 0:
                found.setdefault(f"{prefix}{place}", []).append(account)
        return found

    return partition("found-"), partition("known-")


def by_definition(found: dict[str, list[str]], known: dict[str, list[str]]) -> dict[str, Heir]:
    """Take the strongest pair left, again and again; then say of each what is left to say."""
    pairs = {
        (name, ring_id): len({*mine} & {*theirs})
        for name, mine in found.items()
        for ring_id, theirs in known.items()
        if {*mine} & {*theirs}
        and Fraction(len({*mine} & {*theirs}), min(len(mine), len(theirs))) >= Fraction(1, 2)
    }
    left, heirs = dict(pairs), {}
    while left:
        best = min(left, key=lambda pair: (-left[pair], pair))
        heirs[best[0]] = best[1]
        left = {pair: n for pair, n in left.items() if pair[0] != best[0] and pair[1] != best[1]}
    told = {}
    for name in found:
        theirs = sorted((r for n, r in pairs if n == name), key=lambda r: (-pairs[name, r], r))
        if name not in heirs:
            told[name] = Heir(None, (), theirs[0] if theirs else None)
            continue
        merged = []
        for ring_id in theirs:
            if ring_id in heirs.values():
                continue
            into = min((n for n, r in pairs if r == ring_id), key=lambda n: (-pairs[n, ring_id], n))
            if into == name:
                merged.append(ring_id)
        told[name] = Heir(heirs[name], tuple(merged))
    return told


@settings(max_examples=300, deadline=None, derandomize=True)
@given(two_partitions())
def test_lineage_is_what_the_definition_says(
    parts: tuple[dict[str, list[str]], dict[str, list[str]]],
) -> None:
    found, known = parts
    member_of = {account: ring_id for ring_id, theirs in known.items() for account in theirs}
    sizes = {ring_id: len(theirs) for ring_id, theirs in known.items()}
    heirs = trace(found, member_of, sizes)
    assert heirs == by_definition(found, known)
    continued = [one.ring_id for one in heirs.values() if one.ring_id is not None]
    merged = [other for one in heirs.values() for other in one.merged]
    assert len(set(continued)) == len(continued), "a ring is continued once"
    assert len(set(merged)) == len(merged), "a ring merges once"
    assert not set(merged) & set(continued)
    backwards = dict(reversed([(name, theirs[::-1]) for name, theirs in found.items()]))
    assert trace(backwards, member_of, sizes) == heirs, "order decides nothing"


def test_growing_shrinking_merging_splitting_and_coming_back_are_told(book: Casebook) -> None:
    recorded(book, ring("R-1", accounts(8)), ring("R-2", accounts(8, "other")))
    grown = recorded(book, ring("R-9", accounts(10)), name="run-2")
    assert (grown.born, grown.changed, grown.names) == ((), ("R-1",), (("R-9", "R-1"),))
    shrunk = recorded(book, ring("R-9", accounts(6)), name="run-3")
    assert shrunk.changed == ("R-1",)
    same = recorded(book, ring("R-9", accounts(6)), name="run-4")
    assert same.unchanged == ("R-1",)
    merged = recorded(book, ring("R-5", [*accounts(6), *accounts(8, "other")]), name="run-5")
    assert merged.merged == (("R-1", "R-2"),)
    split = recorded(book, ring("R-1", accounts(6)), ring("R-7", accounts(8, "other")), name="run-6")
    assert dict(split.names) == {"R-7": "R-2", "R-1": split.born[0]}
    assert split.split == ((split.born[0], "R-2"),)
    assert split.born[0] != "R-1", "the id is taken by the ring that has merged"
    assert recorded(book, ring("R-9", accounts(6)), name="run-4").known
    events = [(row["ring_id"], row["event"], row["accounts"]) for row in book.read("SELECT * FROM lineage")]
    assert events == [
        ("R-1", "born", 8),
        ("R-2", "born", 8),
        ("R-1", "seen again", 8),
        ("R-1", "grew", 2),
        ("R-1", "seen again", 6),
        ("R-1", "shrank", 4),
        ("R-2", "seen again", 8),
        ("R-2", "grew", 6),
        ("R-1", "merged", 6),
        ("R-2", "merged", 6),
        (split.born[0], "born", 6),
        (split.born[0], "split", 6),
        ("R-2", "seen again", 8),
        ("R-2", "shrank", 6),
    ]


def test_one_of_24000_members_is_recorded(book: Casebook) -> None:
    from time import perf_counter

    began = perf_counter()
    recorded(book, ring("R-1", accounts(24_000)))
    recorded(book, ring("R-1", accounts(24_001)), name="run-2")
    print(f"24,000 members recorded, and again with one more: {perf_counter() - began:.2f} s")
    assert book.read("SELECT count(*) AS n FROM members")[0]["n"] == 24_001
