"""What a release keeps of a framework, as programs read it."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.gates.compliance.rules import Assessed, ControlState, Coverage
from shipline.domain.codec import to_json

SCHEMA = "shipline.compliance/1"


def coverage_document(coverage: Coverage, *, package: str, version: str) -> dict[str, Any]:
    """The document: who and what, the verdict, how many controls stand how, and each of them, gaps first."""
    framework = coverage.framework
    return {
        "schema": SCHEMA,
        "framework": framework.name,
        "title": framework.title,
        "source": framework.source,
        "package": package,
        "version": version,
        "verdict": coverage.answer.value,
        "counts": {state.value: coverage.count(state) for state in ControlState},
        "controls": [_control(one) for one in coverage.controls],
    }


def _control(one: Assessed) -> dict[str, Any]:
    return {
        "id": one.control.id,
        "title": one.control.title,
        "state": one.state.value,
        "shown": to_json(one.shown),
        "missing": list(one.missing),
        "todo": one.control.todo if one.missing else "",
    }
