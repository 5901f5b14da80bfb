"""YAML from outside is plain data, or refused in words."""

from __future__ import annotations

import pytest

from shipline.clients.yaml_documents import read_documents, read_manifests
from shipline.domain.errors import InvalidValue


def test_documents_are_tables_of_plain_data() -> None:
    """Empty ones are left out."""
    text = b"a: 1\nb: [x, {c: true}]\n---\n---\nd: null\n"
    assert read_documents(text, what="it", limit_bytes=100) == ({"a": 1, "b": ["x", {"c": True}]}, {"d": None})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a: &x [1]\nb: *x\n", "alias"),
        (b"a: 1\na: 2\n", "stands twice"),
        (b"b: {c: 1, c: 2}\n", "stands twice"),
        (b"1: x\n", "no text"),
        (b"- a\n", "no table"),
        (b"a: !!python/object:os.system x\n", "YAML"),
        (b"a: [", "YAML"),
        (b"\xff\xfe\xff", "YAML"),
        (b"a: " + b"[" * 200, "too deeply"),
        (b"a: 1\n---\n" * 60, "too many documents"),
        (b"? [a]\n: 1\n", "YAML"),
        (b"a: 2026-13-45\n", "YAML"),
        (b"x: " + b"a" * 1000, "larger than"),
    ],
)
def test_what_is_not_is_refused(text: bytes, why: str) -> None:
    """With the reason."""
    with pytest.raises(InvalidValue) as caught:
        read_documents(text, what="it", limit_bytes=900)
    assert why in caught.value.diagnosis()


def test_manifests_are_read_as_kubernetes_reads_them() -> None:
    """Scalars of YAML 1.1 as Go has them, and the line that each document begins at."""
    text = b"""# first
a: [yes, off, n, True, ~, 012, 0o12, 0x1f, 1_000, 1e3, 1., .5, -1, 08]
b: [2020-01-01, 12:30:00, "1", <<, 1.2.3, 1e, 0x]
7: {true: x, 1.5: z}
---

---
c:
"""
    first = {
        "a": [True, False, False, True, None, 10, 10, 31, 1000, 1000.0, 1.0, 0.5, -1, 8.0],
        "b": ["2020-01-01", "12:30:00", "1", "<<", "1.2.3", "1e", "0x"],
        "7": {"true": "x", "1.5": "z"},
    }
    assert read_manifests(text, what="it", limit_bytes=1000) == ((2, first), (8, {"c": None}))
    assert read_manifests(b"- 1", what="it", limit_bytes=10, tables=False) == ((1, [1]),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a: &x [1]\nb: *x\n", "alias"),
        (b"1: a\n'1': b\n", "stands twice"),
        (b"a: !!timestamp 2020-01-01", "the tag"),
        (b"a: !!python/object:os.system x\n", "the tag"),
        (b"a: 1e999", "too large"),
        (b"? [a]\n: 1\n", "no text"),
        (b"a: " + b"[" * 200, "too deeply"),
    ],
)
def test_manifests_that_are_not_read(text: bytes, why: str) -> None:
    """In words."""
    with pytest.raises(InvalidValue) as caught:
        read_manifests(text, what="it", limit_bytes=1000)
    assert why in caught.value.why
