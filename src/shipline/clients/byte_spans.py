"""Places in a file as byte offsets, and the one way in which bytes are replaced there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands: byte offsets, the end exclusive, and what it says."""

    start: int
    end: int
    text: str


def replaced(data: bytes, spans: Sequence[Span], new: str) -> bytes:
    """`data` with `new` in every one of `spans`."""
    return with_texts(data, [(span, new) for span in spans])


def with_texts(data: bytes, edits: Sequence[tuple[Span, str]]) -> bytes:
    """`data` with each of these spans saying its new text. The spans do not overlap, and the texts are ASCII."""
    parts, at = [], 0
    for span, new in sorted(edits, key=lambda edit: edit[0].start):
        parts += [data[at : span.start], new.encode("ascii")]
        at = span.end
    return b"".join([*parts, data[at:]])
