"""Freezes for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipline.domain.codec import to_json
from shipline.domain.freeze import Freeze


def freezes_document(freezes: Sequence[Freeze]) -> dict[str, Any]:
    """`shipline.freezes/1`."""
    return {"schema": "shipline.freezes/1", "freezes": [to_json(one) for one in freezes]}
