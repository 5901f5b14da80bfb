"""Merkle tree hashing, proofs and their verification: RFC 9162, section 2.1 (the same trees as RFC 6962, SHA-256).

Pure. A tree is known by its stored nodes: node (level, index) is the root of the complete subtree over the leaves
[index * 2^level, (index + 1) * 2^level), level 0 holding the leaf hashes. Such a node never changes once it exists,
so appending only ever adds nodes. Hashes are 32 bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_SIZE = 32
# Sizes that a verifier looks at end here, as the database's integers do; the longest proof of such a tree is a
# consistency proof, with one hash a level and the one that it starts from.
SIZE_MAX = (1 << 63) - 1
PROOF_LENGTH_MAX = 64

# RFC 9162, section 2.1.1: the hash of an empty list is the hash of an empty string.
EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]
NodeGetter = Callable[[int, int], bytes]


class InvalidProof(ValueError):
    """The proof does not prove what it should."""


def leaf_hash(data: bytes) -> bytes:
    """MTH({d}): 0x00 before the data, so that no leaf passes for a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: 0x01 before its children's hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def peaks(size: int) -> Iterator[Node]:
    """The stored nodes that a tree of `size` leaves is made of, from left (the largest) to right."""
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, start >> level
            start += 1 << level


def appended_nodes(place: int, leaf: bytes, get: NodeGetter) -> Iterator[tuple[int, int, bytes]]:
    """The nodes (level, index, hash) that become complete when the leaf hash `leaf` takes the next `place`.

    `get` is asked for left siblings alone; all are older than the leaf.
    """
    level, index, value = 0, place, leaf
    yield level, index, value
    while index & 1:
        value = node_hash(get(level, index - 1), value)
        level, index = level + 1, index >> 1
        yield level, index, value


def root(size: int, get: NodeGetter) -> bytes:
    """The root of the tree over the first `size` leaves."""
    return _range_root(0, size, get) if size else EMPTY_ROOT


def inclusion_proof(place: int, size: int, get: NodeGetter) -> tuple[bytes, ...]:
    """PATH(place, D[size]) of RFC 9162, section 2.1.3.1, from the leaf up. Needs 0 <= place < size."""
    if not 0 <= place < size:
        raise ValueError(f"place {place} is not in a tree of {size}")
    return tuple(reversed(list(_path(place, 0, size, get))))


def inclusion_nodes(place: int, size: int) -> tuple[Node, ...]:
    """The stored nodes that `inclusion_proof` asks for, so that they can be read together."""
    asked: list[Node] = []

    def note(level: int, index: int) -> bytes:
        asked.append((level, index))
        return EMPTY_ROOT  # Which nodes are asked for does not depend on what they hold.

    inclusion_proof(place, size, note)
    return tuple(asked)


def consistency_proof(old: int, new: int, get: NodeGetter) -> tuple[bytes, ...]:
    """PROOF(old, D[new]) of RFC 9162, section 2.1.4.1; empty for old = 0 and old = new. Needs 0 <= old <= new."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} is not grown from one of {old}")
    if old in (0, new):
        return ()
    return tuple(reversed(list(_subproof(old, 0, new, get))))


def verify_inclusion(leaf: bytes, *, place: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> None:
    """Check that `leaf` stands at `place` in the tree of `size` with `root_hash` (RFC 9162, section 2.1.3.2).

    All arguments may be hostile. Raises InvalidProof.
    """
    _check_hashes((leaf, root_hash), proof)
    if not 0 <= place < size <= SIZE_MAX:
        raise InvalidProof(f"place {place} is not in a tree of {size}")
    first, last, value = place, size - 1, leaf
    for step in proof:
        if last == 0:
            raise InvalidProof("the proof is longer than the tree is high")
        if first & 1 or first == last:
            value = node_hash(step, value)
            first, last = _without_trailing(first, last, first)
        else:
            value = node_hash(value, step)
        first, last = first >> 1, last >> 1
    if last != 0 or value != root_hash:
        raise InvalidProof("the proof leads to another root")


def verify_consistency(*, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree `new` begins with the tree `old` (RFC 9162, section 2.1.4.2).

    Section 2.1.4 leaves the empty tree out: here it is the beginning of every tree, its root must be EMPTY_ROOT and
    its proof is empty. All arguments may be hostile. Raises InvalidProof.
    """
    _check_hashes((old_root, new_root), proof)
    if not 0 <= old <= new <= SIZE_MAX:
        raise InvalidProof(f"a tree of {new} is not grown from one of {old}")
    for size, value in ((old, old_root), (new, new_root)):
        if size == 0 and value != EMPTY_ROOT:
            raise InvalidProof("an empty tree has another root")
    if old in (0, new):
        if proof or (old == new and old_root != new_root):
            raise InvalidProof("trees of one size have one root and need no proof")
        return
    _check_growth(old, old_root, new, new_root, proof)


def _check_growth(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    # Where the old tree is one complete subtree, the proof leaves its root out.
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        raise InvalidProof("the proof is empty")
    first, last = _without_trailing(old - 1, new - 1, ~(old - 1))
    from_old = from_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise InvalidProof("the proof is longer than the tree is high")
        if first & 1 or first == last:
            from_old, from_new = node_hash(step, from_old), node_hash(step, from_new)
            first, last = _without_trailing(first, last, first)
        else:
            from_new = node_hash(from_new, step)
        first, last = first >> 1, last >> 1
    if last != 0 or from_old != old_root or from_new != new_root:
        raise InvalidProof("the proof leads to other roots")


def _without_trailing(first: int, last: int, bits: int) -> tuple[int, int]:
    """Shift both right past the trailing zeros of `bits` (RFC 9162: "until LSB(fn) is set"); 0 stays as it is."""
    shift = (bits & -bits).bit_length() - 1 if bits else 0
    return first >> shift, last >> shift


def _check_hashes(ends: Sequence[bytes], proof: Sequence[bytes]) -> None:
    if len(proof) > PROOF_LENGTH_MAX:
        raise InvalidProof("the proof is longer than any tree is high")
    if any(len(value) != HASH_SIZE for value in (*ends, *proof)):
        raise InvalidProof(f"a hash has {HASH_SIZE} bytes")


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(start: int, end: int, get: NodeGetter) -> bytes:
    """MTH over the leaves [start, end), where `start` is a multiple of the range's largest complete subtree."""
    value = b""
    for level, index in reversed(list(peaks(end - start))):
        stored = get(level, index + (start >> level))
        value = node_hash(stored, value) if value else stored
    return value


def _path(place: int, start: int, end: int, get: NodeGetter) -> Iterator[bytes]:
    while end - start > 1:
        middle = start + _split(end - start)
        if place < middle:
            yield _range_root(middle, end, get)
            end = middle
        else:
            yield _range_root(start, middle, get)
            start = middle


def _subproof(old: int, start: int, end: int, get: NodeGetter) -> Iterator[bytes]:
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            yield _range_root(middle, end, get)
            end = middle
        else:
            yield _range_root(start, middle, get)
            start = middle
    if start:
        yield _range_root(start, end, get)
