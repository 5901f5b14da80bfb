"""What blocks and what warns as SARIF 2.1.0, which forges show at the lines of a change.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from shipline.capabilities.gates.manifests.results import Outcome, Result

_LEVELS = {Outcome.FAIL: "error", Outcome.ERROR: "error", Outcome.WARN: "warning"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SECURITY = {"critical": "9.0", "high": "7.0", "medium": "5.0", "low": "3.0"}


def sarif(results: Sequence[Result], version: str) -> dict[str, Any]:
    """The log: one result a row that blocks or warns, with a fingerprint that outlives a change of lines."""
    told = [result for result in results if result.outcome in _LEVELS]
    rules = {_rule_id(result): result for result in told}
    driver = {"name": "Shipline", "version": version, "rules": [_rule(name, each) for name, each in rules.items()]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_result(each) for each in told]}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(name: str, result: Result) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": name, "shortDescription": {"text": f"{result.policy}: {result.rule}"}}
    if result.severity in _SECURITY:
        rule["properties"] = {"security-severity": _SECURITY[result.severity], "tags": ["security"]}
    return rule


def _result(result: Result) -> dict[str, Any]:
    about = f"{result.resource}: " if result.resource else ""
    identity = f"{result.policy}\0{result.rule}\0{result.resource}"
    found: dict[str, Any] = {
        "ruleId": _rule_id(result),
        "level": _LEVELS[result.outcome],
        "message": {"text": about + (result.message or result.outcome.value)},
        "partialFingerprints": {"shiplinePolicy/v1": hashlib.sha256(identity.encode()).hexdigest()},
    }
    if result.file:
        place = {"artifactLocation": {"uri": PurePath(result.file).as_posix()}}
        region = {"region": {"startLine": max(result.line, 1)}}
        found["locations"] = [{"physicalLocation": {**place, **region}}]
    return found


def _rule_id(result: Result) -> str:
    return result.policy if result.rule == result.policy else f"{result.policy}/{result.rule}"
