"""Merkle trees against published vectors, and against a reference that follows the RFC's recursive definitions."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.store import merkle

# The vectors of the reference implementation of Certificate Transparency (google/certificate-transparency,
# cpp/merkletree/merkle_tree_test.cc), repeated in transparency-dev/merkle.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
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
PATHS = {
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
GROWTHS = {
    (1, 1): [],
    (1, 8): PATHS[0, 8],
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


class Tree:
    """A tree in memory that keeps its complete subtrees, as the store does."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[merkle.Node, bytes] = {}
        for place, data in enumerate(leaves):
            for level, index, value in merkle.appended_nodes(place, merkle.leaf_hash(data), self.get):
                self.nodes[level, index] = value

    def get(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


def reference_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + reference_root(leaves[:k]) + reference_root(leaves[k:])).digest()


def leaves_of(size: int) -> list[bytes]:
    return [str(place).encode() for place in range(size)]


sizes = st.integers(0, 70)


def test_roots_are_those_of_certificate_transparency() -> None:
    """The empty tree too."""
    tree = Tree(LEAVES)
    assert [merkle.root(size, tree.get).hex() for size in range(9)] == ROOTS


@pytest.mark.parametrize(("place", "size"), PATHS)
def test_inclusion_proofs_are_those_of_certificate_transparency(place: int, size: int) -> None:
    proof = merkle.inclusion_proof(place, size, Tree(LEAVES).get)
    assert [value.hex() for value in proof] == PATHS[place, size]
    root = bytes.fromhex(ROOTS[size])
    merkle.verify_inclusion(merkle.leaf_hash(LEAVES[place]), place=place, size=size, proof=proof, root_hash=root)


@pytest.mark.parametrize(("old", "new"), GROWTHS)
def test_consistency_proofs_are_those_of_certificate_transparency(old: int, new: int) -> None:
    proof = merkle.consistency_proof(old, new, Tree(LEAVES).get)
    assert [value.hex() for value in proof] == GROWTHS[old, new]
    old_root, new_root = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    merkle.verify_consistency(old=old, old_root=old_root, new=new, new_root=new_root, proof=proof)


def test_all_proofs_up_to_a_size_hold() -> None:
    """Every leaf of every tree, and every pair of sizes, up to 20; each root is the reference's."""
    leaves = leaves_of(20)
    tree = Tree(leaves)
    roots = [reference_root(leaves[:size]) for size in range(21)]
    for new in range(21):
        assert merkle.root(new, tree.get) == roots[new]
        for old in range(new + 1):
            proof = merkle.consistency_proof(old, new, tree.get)
            merkle.verify_consistency(old=old, old_root=roots[old], new=new, new_root=roots[new], proof=proof)
        for place in range(new):
            path = merkle.inclusion_proof(place, new, tree.get)
            leaf = merkle.leaf_hash(leaves[place])
            merkle.verify_inclusion(leaf, place=place, size=new, proof=path, root_hash=roots[new])


@given(size=st.integers(1, 70), data=st.data())
def test_an_inclusion_proof_proves_nothing_else(size: int, data: st.DataObject) -> None:
    """Another leaf, place, size or root, and a proof with a step changed, added or left out, are refused."""
    leaves = leaves_of(size)
    tree = Tree(leaves)
    place = data.draw(st.integers(0, size - 1))
    proof = list(merkle.inclusion_proof(place, size, tree.get))
    leaf, root = merkle.leaf_hash(leaves[place]), reference_root(leaves)
    other = hashlib.sha256(b"other").digest()
    step = data.draw(st.integers(0, len(proof)))
    longer = [*proof[:step], other, *proof[step:]]
    elsewhere = data.draw(st.integers(-2, size + 2).filter(lambda value: value != place))
    for claim in (
        {"leaf": other},
        {"root_hash": other},
        {"proof": longer},
        {"proof": [*proof[:step], other, *proof[step + 1 :]]} if step < len(proof) else {"root_hash": other},
        {"proof": proof[:-1]} if proof else {"leaf": other},
        {"place": elsewhere},
    ):
        arguments = {"leaf": leaf, "place": place, "size": size, "proof": proof, "root_hash": root} | claim
        with pytest.raises(merkle.InvalidProof):
            merkle.verify_inclusion(
                arguments.pop("leaf"),  # type: ignore[arg-type] # a dict of mixed values, as hostile input is
                **arguments,  # type: ignore[arg-type] # the same
            )


@given(sizes=st.tuples(sizes, sizes).map(sorted), data=st.data())
def test_a_rewritten_history_has_no_consistency_proof(sizes: list[int], data: st.DataObject) -> None:
    """With any leaf of the old tree changed, the new tree's proof no longer fits the old root."""
    old, new = sizes
    leaves = leaves_of(new)
    old_root = reference_root(leaves[:old])
    if old:
        leaves[data.draw(st.integers(0, old - 1))] = b"changed"
        proof = merkle.consistency_proof(old, new, Tree(leaves).get)
        new_root = reference_root(leaves)
        with pytest.raises(merkle.InvalidProof):
            merkle.verify_consistency(old=old, old_root=old_root, new=new, new_root=new_root, proof=proof)


def test_empty_trees_have_one_root() -> None:
    """The empty tree begins every tree, with an empty proof and with its own root alone."""
    one = merkle.leaf_hash(b"a")
    empty = merkle.EMPTY_ROOT
    merkle.verify_consistency(old=0, old_root=empty, new=1, new_root=one, proof=[])
    merkle.verify_consistency(old=0, old_root=empty, new=0, new_root=empty, proof=[])
    for old, old_root, new, new_root, proof in (
        (0, one, 1, one, []),
        (0, empty, 0, one, []),
        (0, one, 0, one, []),
        (0, empty, 1, one, [one]),
        (1, one, 1, empty, []),
        (1, one, 0, empty, []),
        (-1, empty, 1, one, []),
    ):
        with pytest.raises(merkle.InvalidProof):
            merkle.verify_consistency(old=old, old_root=old_root, new=new, new_root=new_root, proof=proof)
    with pytest.raises(merkle.InvalidProof):
        merkle.verify_inclusion(one, place=0, size=0, proof=[], root_hash=empty)


@given(st.integers(), st.integers(), st.lists(st.binary(max_size=40) | st.just(b"x" * 32), max_size=70))
def test_hostile_proofs_are_refused_and_nothing_else(first: int, second: int, proof: list[bytes]) -> None:
    """Any integers and any bytes end in InvalidProof (or, for nothing proven, in peace), never in another error."""
    one = merkle.leaf_hash(b"a")
    if first != 0 or second != 1 or proof:
        with pytest.raises(merkle.InvalidProof):
            merkle.verify_inclusion(one, place=first, size=second, proof=proof, root_hash=one)
    if first != second or first < 0 or proof:
        with pytest.raises(merkle.InvalidProof):
            merkle.verify_consistency(old=first, old_root=one, new=second, new_root=one, proof=proof)


def test_the_longest_proofs_are_read() -> None:
    """A tree of 2^63 - 1 leaves has proofs of 63 and 64 hashes; one hash more is refused unread."""
    leaf = merkle.leaf_hash(b"a")
    for count in (64, 65, 10_000):
        with pytest.raises(merkle.InvalidProof, match="longer" if count > 64 else "root"):
            merkle.verify_consistency(old=3, old_root=leaf, new=merkle.SIZE_MAX, new_root=leaf, proof=[leaf] * count)


@pytest.mark.parametrize(("place", "size"), [(0, 0), (1, 1), (-1, 3)])
def test_there_is_no_proof_for_a_place_outside(place: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion_proof(place, size, Tree(leaves_of(3)).get)
    with pytest.raises(ValueError, match="not grown"):
        merkle.consistency_proof(3, 2, Tree(leaves_of(3)).get)


def test_the_nodes_of_a_proof_are_known_before_they_are_read() -> None:
    """Exactly those that the proof asks for."""
    for size in range(1, 20):
        for place in range(size):
            asked: list[merkle.Node] = []

            def get(level: int, index: int, asked: list[merkle.Node] = asked) -> bytes:
                asked.append((level, index))
                return bytes(32)

            merkle.inclusion_proof(place, size, get)
            assert list(merkle.inclusion_nodes(place, size)) == asked
