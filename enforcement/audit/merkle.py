"""Merkle tree hashes, inclusion and consistency proofs: RFC 6962, section 2.1.

Checking a proof follows RFC 9162, sections 2.1.3.2 and 2.1.4.2, which spell out what RFC 6962 leaves to the
reader; the proofs are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
"""Bytes of a hash."""

EMPTY_ROOT = sha256().digest()
"""Root of a tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf, 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node, 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """A tree that only grows; it knows the root of every size that it has had.

    Of every full subtree the hash is kept, level by level, so that a root or a proof takes steps by the
    logarithm of the size; 64 bytes of memory a leaf.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    def __len__(self) -> int:
        return len(self._levels[0]) // HASH_SIZE

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        hashed = leaf
        for level in self._levels:
            level += hashed
            if len(level) % (2 * HASH_SIZE):
                return
            hashed = node_hash(bytes(level[-2 * HASH_SIZE : -HASH_SIZE]), bytes(level[-HASH_SIZE:]))
        self._levels.append(bytearray(hashed))

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first ``size`` leaves, 32 bytes; of all where none is given."""
        size = len(self) if size is None else self._checked(size)
        return self._subtree(0, size) if size else EMPTY_ROOT

    def inclusion(self, place: int, size: int) -> list[bytes]:
        """Return the audit path of a leaf in the tree of the first ``size`` leaves, from the leaf up.

        Raises:
            ValueError: there is no such leaf, or fewer leaves.
        """
        if not 0 <= place < self._checked(size):
            raise ValueError(f"No leaf {place} among {size}.")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if place < middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Return the proof that the first ``size`` leaves begin with the first ``old``.

        Raises:
            ValueError: ``old`` is not in 1..``size``, or there are fewer leaves.
        """
        if not 0 < old <= self._checked(size):
            raise ValueError(f"No proof from {old} to {size} leaves.")
        proof: list[bytes] = []
        start, end = 0, size
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                proof.append(self._subtree(middle, end))
                end = middle
            else:
                proof.append(self._subtree(start, middle))
                start = middle
        # Whoever asks has the root of the old tree; only a part of it has to be told.
        return ([self._subtree(start, end)] if start else []) + proof[::-1]

    def _checked(self, size: int) -> int:
        if not 0 <= size <= len(self):
            raise ValueError(f"The tree has {len(self)} leaves, not {size}.")
        return size

    def _subtree(self, start: int, end: int) -> bytes:
        """Return the hash of leaves ``start`` to ``end``; where a subtree of that size may begin."""
        size = end - start
        if size & (size - 1) == 0:
            place = (start // size) * HASH_SIZE
            return bytes(self._levels[size.bit_length() - 1][place : place + HASH_SIZE])
        middle = start + _split(size)
        return node_hash(self._subtree(start, middle), self._subtree(middle, end))


class Frontier:
    """As much of a growing tree as its next root takes: the full subtrees it consists of, largest first."""

    def __init__(self, size: int = 0, parts: Iterable[bytes] = ()) -> None:
        self._size, self._parts = size, list(parts)
        if len(self._parts) != size.bit_count():
            raise ValueError(f"{size} leaves make {size.bit_count()} full subtrees, not {len(self._parts)}.")

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def parts(self) -> tuple[bytes, ...]:
        """Hashes of the full subtrees, the largest first."""
        return tuple(self._parts)

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        hashed, full = leaf, self._size
        while full & 1:
            hashed, full = node_hash(self._parts.pop(), hashed), full >> 1
        self._parts.append(hashed)
        self._size += 1

    def root(self) -> bytes:
        """Return the root, 32 bytes."""
        if not self._parts:
            return EMPTY_ROOT
        *others, root = self._parts
        for part in reversed(others):
            root = node_hash(part, root)
        return root


def _split(size: int) -> int:
    """Return the largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def includes(root: bytes, size: int, place: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Return whether an audit path proves that a leaf stands at a place of the tree with that root."""
    if not 0 <= place < size:
        return False
    node, last, hashed = place, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            hashed = node_hash(other, hashed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, other)
        node, last = node >> 1, last >> 1
    return last == 0 and hashed == root


def extends(old_root: bytes, old: int, root: bytes, size: int, proof: Sequence[bytes]) -> bool:
    """Return whether a proof shows that the tree of ``size`` leaves begins with that of ``old`` leaves."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        return False
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    then = now = hashes[0]
    for other in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            then, now = node_hash(other, then), node_hash(other, now)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            now = node_hash(now, other)
        node, last = node >> 1, last >> 1
    return last == 0 and then == old_root and now == root
