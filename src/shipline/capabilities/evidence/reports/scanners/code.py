"""Scanners of source code with formats of their own: Bandit, Semgrep, Hadolint, zizmor, mypy.

Sources: Bandit's JSON formatter; semgrep-interfaces' semgrep_output_v1; Hadolint's JSON formatter; zizmor's
`json-v1`; mypy's `--output json` and its default text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.findings import (
    Finding,
    Findings,
    ids_in,
    line_number,
    table,
    tables,
    texts,
    word,
)
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import HADOLINT, MYPY, PLAIN, SEMGREP
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue

MYPY_LINE = re.compile(
    r"^(?P<file>(?:[A-Za-z]:)?[^:\n]+):(?P<line>\d+):(?:\d+:)?(?:\d+:\d+:)? "
    r"(?P<severity>error|warning|note): (?P<message>.*?)(?:  \[(?P<code>[\w-]+)\])?$"
)
MYPY_END = re.compile(r"^(?:Success: no issues found in|Found (?P<errors>\d+) errors? in) ")
_MYPY_OTHER = re.compile(r"^(?:[^:\n]+: )?(?P<severity>error|note): (?P<message>.*)$")


def read_bandit(file: ReportFile) -> Reading:
    """Bandit's `-f json`. A file that it could not parse stands under `errors`."""
    findings = Findings("bandit")
    return Reading(_bandit(file, findings), findings)


def _bandit(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("results")
    for error in file.items("errors.item"):
        findings.error(f"{word(table(error).get('filename'))}: {word(table(error).get('reason'))}")
    for each in file.items("results.item"):
        result = _result(each, "Bandit", "test_id")
        said = result.get("issue_severity")
        cwe = table(result.get("issue_cwe")).get("id")
        yield findings.take(
            Finding(
                rule=word(result["test_id"]),
                severity=findings.severity(said, PLAIN),
                said=word(said),
                title=word(result.get("test_name")).replace("_", " "),
                message=result.get("issue_text", ""),
                path=word(result.get("filename")),
                line=line_number(result.get("line_number")),
                ids=[f"CWE-{cwe}"] if isinstance(cwe, int) else [],
            )
        )


def read_semgrep(file: ReportFile) -> Reading:
    """Semgrep's `--json`. What it names `extra.fingerprint` is used where it is one: without a login it is none."""
    findings = Findings("semgrep")
    return Reading(_semgrep(file, findings), findings)


def _semgrep(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("results")
    for error in map(table, file.items("errors.item")):
        findings.error(f"{word(error.get('path'))}: {word(error.get('message')) or word(error.get('type'))}")
    for each in file.items("results.item"):
        result = _result(each, "Semgrep", "check_id")
        extra = table(result.get("extra"))
        metadata = table(extra.get("metadata"))
        said, known = extra.get("severity"), word(extra.get("fingerprint"))
        yield findings.take(
            Finding(
                rule=word(result["check_id"]),
                severity=findings.severity(said, SEMGREP),
                said=word(said),
                message=extra.get("message", ""),
                path=word(result.get("path")),
                line=line_number(table(result.get("start")).get("line")),
                ids=ids_in(*texts(metadata.get("cwe")), *texts(metadata.get("cve"))),
                identity=(known,) if len(known) >= 32 else (),
                suppressed=extra.get("is_ignored") is True,
            )
        )


def read_hadolint(file: ReportFile) -> Reading:
    """Hadolint's `-f json`, a list."""
    findings = Findings("hadolint")
    return Reading(_hadolint(file, findings), findings)


def _hadolint(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("")
    for each in file.items("item"):
        result = _result(each, "Hadolint", "code")
        yield findings.take(
            Finding(
                rule=word(result["code"]),
                severity=findings.severity(result.get("level"), HADOLINT),
                said=word(result.get("level")),
                message=result.get("message", ""),
                path=word(result.get("file")),
                line=line_number(result.get("line")),
            )
        )


def read_zizmor(file: ReportFile) -> Reading:
    """Reads zizmor's `--format json`. A finding stands at its location of the kind Primary; lines count from 0."""
    findings = Findings("zizmor")
    return Reading(_zizmor(file, findings), findings)


def _zizmor(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("")
    for each in file.items("item"):
        result = _result(each, "zizmor", "ident")
        said = table(result.get("determinations")).get("severity")
        places = tables(result.get("locations"))
        place = next(
            (one for one in places if table(one.get("symbolic")).get("kind") == "Primary"), *places[:1] or [{}]
        )
        symbolic = table(place.get("symbolic"))
        row = table(table(table(place.get("concrete")).get("location")).get("start_point")).get("row")
        annotation = word(symbolic.get("annotation"))
        title = word(result.get("desc"))
        yield findings.take(
            Finding(
                rule=word(result["ident"]),
                severity=findings.severity(said, PLAIN),
                said=word(said),
                title=title,
                message=f"{title}: {annotation}" if annotation else title,
                path=_zizmor_path(table(symbolic.get("key"))),
                line=row + 1 if isinstance(row, int) and 0 <= row < 10**9 else None,
                # The route through the workflow (job, step) is what stays when lines move.
                identity=(
                    word(result["ident"]),
                    _zizmor_path(table(symbolic.get("key"))),
                    annotation,
                    _route(symbolic),
                ),
                suppressed=result.get("ignored") is True,
            )
        )


def _zizmor_path(key: dict[str, Any]) -> str:
    """`{"Local": {"verbatim_path"}}`, older ones with `given_path`, or `{"Remote": {"path"}}`."""
    place = next((table(value) for value in key.values()), {})
    return next((word(place[name]) for name in ("verbatim_path", "given_path", "path") if name in place), "")


def _route(symbolic: dict[str, Any]) -> str:
    return json.dumps(table(symbolic.get("route")), sort_keys=True)[:1000]


def read_mypy_json(file: ReportFile) -> Reading:
    """Reads mypy's `--output json`: a document a line, and no line where nothing was found."""
    findings = Findings("mypy")
    return Reading(_mypy_json(file, findings), findings)


def _mypy_json(file: ReportFile, findings: Findings) -> Iterator[Item]:
    for line in file.lines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise InvalidValue("a line of the mypy report is not JSON", why=line[:80]) from None
        result = _result(found, "mypy", "message")
        yield _mypy_item(findings, result | {"hint": result.get("hint") or ""})


def read_mypy_text(file: ReportFile) -> Reading:
    """Reads mypy's text. Its last line counts the errors: without it, or with another number, it is cut off."""
    findings = Findings("mypy")
    return Reading(_mypy_text(file, findings), findings)


def _mypy_text(file: ReportFile, findings: Findings) -> Iterator[Item]:
    errors, end = 0, None
    for line in file.lines():
        end = MYPY_END.match(line)
        if end is not None:
            continue
        found = MYPY_LINE.match(line) or _MYPY_OTHER.match(line)
        if found is not None:
            errors += found["severity"] == "error"
            yield _mypy_item(findings, found.groupdict())
    if end is None or (end["errors"] is not None and int(end["errors"]) != errors):
        raise InvalidValue(
            f"the mypy report is cut off: it lists {errors} errors, and its last line does not say so",
            todo="run mypy again, with --output json or without --no-error-summary",
        )


def _mypy_item(findings: Findings, result: dict[str, Any]) -> Item:
    message = result.get("message")
    hint = result.get("hint")
    return findings.take(
        Finding(
            rule=word(result.get("code")) or "misc",
            severity=findings.severity(result.get("severity"), MYPY),
            said=word(result.get("severity")),
            title=message if isinstance(message, str) else "",
            message=f"{message} {hint}" if hint and isinstance(hint, str) else message or "",
            path=word(result.get("file")),
            line=line_number(result.get("line")),
        )
    )


def _result(value: Any, tool: str, needed: str) -> dict[str, Any]:
    """A result, which must at least say what was found."""
    if not isinstance(value, dict) or not isinstance(value.get(needed), str):
        raise InvalidValue(f"a result in the {tool} report has no {needed!r}")
    return value
