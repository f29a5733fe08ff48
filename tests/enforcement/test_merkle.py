"""The Merkle tree against published vectors, and against the definition read word by word.

Leaves, roots and proofs are those of the Certificate Transparency reference implementation, as
github.com/transparency-dev/merkle keeps them (testonly/constants.go and testonly/reference_test.go).
"""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.enforcement.audit.merkle import Frontier, MerkleTree, extends, includes, leaf_hash

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def published() -> MerkleTree:
    return MerkleTree(leaf_hash(entry) for entry in ENTRIES)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert published().root(size).hex() == ROOTS[size]
    assert MerkleTree(leaf_hash(entry) for entry in ENTRIES[:size]).root().hex() == ROOTS[size]


@pytest.mark.parametrize(("place", "size"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(place: int, size: int) -> None:
    path = published().inclusion(place, size)

    assert [part.hex() for part in path] == INCLUSION[place, size]
    assert includes(bytes.fromhex(ROOTS[size]), size, place, leaf_hash(ENTRIES[place]), path)


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(old: int, size: int) -> None:
    proof = published().consistency(old, size)

    assert [part.hex() for part in proof] == CONSISTENCY[old, size]
    assert extends(bytes.fromhex(ROOTS[old]), old, bytes.fromhex(ROOTS[size]), size, proof)


def naive_root(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, as it stands there."""
    n = len(entries)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = max(1 << e for e in range(n.bit_length()) if 1 << e < n)
    return sha256(b"\x01" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


def naive_path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.1."""
    n = len(entries)
    if n == 1:
        return []
    k = max(1 << e for e in range(n.bit_length()) if 1 << e < n)
    if m < k:
        return [*naive_path(m, entries[:k]), naive_root(entries[k:])]
    return [*naive_path(m - k, entries[k:]), naive_root(entries[:k])]


def naive_proof(m: int, entries: list[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF of section 2.1.2."""
    n = len(entries)
    if m == n:
        return [] if known else [naive_root(entries)]
    k = max(1 << e for e in range(n.bit_length()) if 1 << e < n)
    if m <= k:
        return [*naive_proof(m, entries[:k], known), naive_root(entries[k:])]
    return [*naive_proof(m - k, entries[k:], False), naive_root(entries[:k])]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_the_tree_is_what_the_definition_says(data: st.DataObject) -> None:
    entries = data.draw(st.lists(st.binary(max_size=3), min_size=1, max_size=70))
    size = data.draw(st.integers(1, len(entries)))
    place, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    tree = MerkleTree(leaf_hash(entry) for entry in entries)
    told = entries[:size]
    root, path, proof = tree.root(size), tree.inclusion(place, size), tree.consistency(old, size)

    assert len(tree) == len(entries)
    assert root == naive_root(told)
    assert path == naive_path(place, told)
    assert proof == naive_proof(old, told)
    assert includes(root, size, place, leaf_hash(told[place]), path)
    assert extends(tree.root(old), old, root, size, proof)


@pytest.mark.parametrize("size", range(1, 20))
def test_no_proof_proves_anything_else(size: int) -> None:
    tree = MerkleTree(leaf_hash(bytes([n])) for n in range(20))
    root, junk = tree.root(size), bytes(32)
    for place in range(size):
        leaf, path = leaf_hash(bytes([place])), tree.inclusion(place, size)
        wrong = [[*path[:n], junk, *path[n + 1 :]] for n in range(len(path))]
        wrong += [[*path, junk], path[:-1]] if path else [[junk]]
        assert not any(includes(root, size, place, leaf, other) for other in wrong)
        assert not includes(root, size, place, junk, path)
        assert not includes(junk, size, place, leaf, path)
        assert not any(includes(root, size, at, leaf, path) for at in range(-1, size + 2) if at != place)
    for old in range(1, size + 1):
        before, proof = tree.root(old), tree.consistency(old, size)
        wrong = [[*proof[:n], junk, *proof[n + 1 :]] for n in range(len(proof))]
        wrong += [[*proof, junk], proof[:-1]] if proof else [[junk]]
        assert not any(extends(before, old, root, size, other) for other in wrong)
        assert not extends(junk, old, root, size, proof)
        assert not extends(before, old, junk, size, proof)
        assert not extends(before, size + 1, root, size, proof)
        assert not extends(before, 0, root, size, proof)


def test_a_proof_without_hashes_shows_no_growth() -> None:
    tree = published()

    assert not extends(tree.root(3), 3, tree.root(8), 8, [])


def test_what_the_tree_does_not_have_is_not_proved() -> None:
    tree = published()

    for ask in (
        lambda: tree.root(9),
        lambda: tree.root(-1),
        lambda: tree.inclusion(3, 3),
        lambda: tree.inclusion(-1, 3),
        lambda: tree.consistency(0, 3),
        lambda: tree.consistency(4, 3),
        lambda: tree.consistency(3, 9),
    ):
        with pytest.raises(ValueError, match=r"lea[fv]"):
            ask()


@pytest.mark.parametrize("kept", range(9))
def test_a_frontier_goes_on_where_it_was_left(kept: int) -> None:
    frontier = Frontier()
    for size, entry in enumerate(ENTRIES):
        assert frontier.root().hex() == ROOTS[size]
        if size == kept:
            frontier = Frontier(frontier.size, frontier.parts)
        frontier.append(leaf_hash(entry))
    assert frontier.size == 8
    assert frontier.root().hex() == ROOTS[8]


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="make 2 full subtrees, not 1"):
        Frontier(3, [bytes(32)])
