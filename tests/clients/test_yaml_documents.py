"""YAML from outside is plain data, or refused in words."""

from __future__ import annotations

import pytest

from shipline.clients.yaml_documents import read_documents
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
