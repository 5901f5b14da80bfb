"""SARIF 2.1.0 (OASIS), which most scanners can write.

A finding is a result of the kind `fail`, `open`, `review` or `informational`; `pass` and `notApplicable` are none, nor
is one that is there no more (`baselineState` `absent`). Suppressed is what somebody has accepted (section 3.27.23).
A run without `results` has not looked (section 3.14.23), nor has one that failed and found nothing, and results kept in
other files are not here: all three are refused. What else a tool could not do is counted as an error. Severities are
`security-severity` of the result or its rule as a CVSS score, as code scanning on GitHub reads it, else the level.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.reports.findings import (
    Finding,
    Findings,
    ids_in,
    line_number,
    path_of,
    table,
    tables,
    texts,
    word,
)
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import LEVELS, PLAIN, Severity
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.capabilities.evidence.reports.walking import Walk
from shipline.domain.errors import InvalidValue

RESULTS = "runs.item.results.item"
_NAMES = ("tool", "invocations", "originalUriBaseIds", "externalPropertyFileReferences")
NAME_BYTES_MAX = max(map(len, _NAMES)) + 2
_PLACEHOLDER = re.compile(r"\{(\d{1,2})\}")
_NO_FINGERPRINTS = frozenset({"requires login", ""})
"""What Semgrep writes where it has none."""
_NO_FINGERPRINT_NAMES = frozenset({"email", "author", "date", "commitMessage"})
"""What gitleaks calls partial fingerprints beside the commit: they say who, and change when a history is rewritten."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a result may leave to its rule."""

    id: str
    title: str
    score: Any
    level: str | None
    ids: tuple[str, ...]
    messages: dict[str, str]


@dataclass(slots=True)
class Run:
    """A run: its tool, and its rules by place ((extension or -1), index) and by id."""

    tool: str
    by_place: dict[tuple[int, int], Rule]
    by_id: dict[str, Rule]
    bases: tuple[str, ...]
    troubles: list[str]
    has_failed: bool
    results: int = 0

    def rule_of(self, result: dict[str, Any]) -> Rule | None:
        """The rule that a result is about, as far as the run describes it."""
        reference = table(result.get("rule")) if "rule" in result else {}
        index = result.get("ruleIndex", reference.get("index"))
        place = table(reference.get("toolComponent")).get("index", -1) if reference else -1
        if isinstance(index, int) and isinstance(place, int) and (place, index) in self.by_place:
            return self.by_place[place, index]
        name = word(result.get("ruleId")) or word(reference.get("id"))
        # An id may go on with a slash into more exact ones than the rule's (section 3.27.5).
        return self.by_id.get(name) or self.by_id.get(name.partition("/")[0])


def read_sarif(file: ReportFile) -> Reading:
    """One run that says first what it is, as most files have, is walked through once; of others runs are read first."""
    findings = Findings("sarif")
    return Reading(_sarif(file, findings), findings)


def _sarif(file: ReportFile, findings: Findings) -> Iterator[Item]:
    version = word(file.value("version"))
    if version != "2.1.0":
        raise InvalidValue(f"SARIF 2.1.0 is read, and the report says that it is {version[:20] or 'of no version'!r}")
    told = _told_first(file)
    runs = _runs(file) if told is None else [_run(told)]
    findings.tool = ", ".join(dict.fromkeys(run.tool for run in runs))
    artifacts = _Artifacts(file)
    left_out = 0
    for place, result in _results(file, len(runs)) if told is None else _walked(file):
        runs[place].results += 1
        finding = _finding(table(result), runs[place], place, findings, artifacts)
        if finding is None:
            left_out += 1
        else:
            yield findings.take(finding)
    for run in runs:
        if run.has_failed and not run.results:
            raise InvalidValue(f"the SARIF run of {run.tool} failed and found nothing", todo="see the tool's own log")
        for trouble in run.troubles:
            findings.error(trouble)
    if left_out:
        findings.tell(f"{left_out} results say that a check passed, did not apply or finds nothing any more")


def _told_first(file: ReportFile) -> dict[str, Any] | None:
    """What the only run says before its results; None where more of it may come after them, or there are several."""
    found: dict[str, Any] = {}
    walk = Walk(file.chunks())
    for name in walk.members():
        if name != "runs" or not walk.is_at("["):
            walk.skip()
            continue
        for _ in walk.elements():
            for inner in walk.members():
                if inner == "results":
                    is_all = walk.is_at("[") and _comes_once(file, (*found, "runs", "results"))
                    return found | {"results": None} if is_all else None
                if inner in _NAMES:
                    found[inner] = walk.value()
                else:
                    walk.skip()
            return None
    return None


def _comes_once(file: ReportFile, names: tuple[str, ...]) -> bool:
    """True if none of the names that tell of a run can come again: each stands in the file as often as it was seen.

    They are looked for as bytes, which takes no time; in a text they only make that the long way is gone.
    """
    wanted = {name: f'"{name}"'.encode() for name in (*_NAMES, "runs", "results")}
    counts = dict.fromkeys(wanted, 0)
    held = b""
    for chunk in file.chunks():
        piece = held + chunk
        # One may stand across two pieces; what is held back for that was counted before.
        for name, marked in wanted.items():
            counts[name] += piece.count(marked) - held.count(marked)
        held = piece[-NAME_BYTES_MAX:]
    return all(count == (name in names) for name, count in counts.items())


def _walked(file: ReportFile) -> Iterator[tuple[int, Any]]:
    """The results of the only run, and a look at all else: that nothing of it is another run, or tells of this one."""
    walk = Walk(file.chunks())
    runs = lists = 0
    for name in walk.members():
        if name != "runs":
            walk.skip()
            continue
        for _ in walk.elements():
            runs += 1
            for inner in walk.members():
                if inner == "results":
                    lists += 1
                    yield from ((0, result) for result in walk.items())
                elif lists and inner in _NAMES:
                    raise InvalidValue(f"the SARIF report hides its {inner!r} behind its results")
                else:
                    walk.skip()
    walk.end()
    if (runs, lists) != (1, 1):
        raise InvalidValue("the SARIF report has other runs than it seemed to have")


def _results(file: ReportFile, runs: int) -> Iterator[tuple[int, Any]]:
    """Each result with the number of its run."""
    if runs == 1:
        yield from ((0, result) for result in file.items(RESULTS))
        return
    place = -1
    for path, value in file.pieces([RESULTS], ["runs.item"]):
        if path == RESULTS:
            yield place, value
        else:
            place += 1


def _runs(file: ReportFile) -> list[Run]:
    """All runs without their results. Raises InvalidValue for what cannot be counted on."""
    file.require("runs")
    found: list[dict[str, Any]] = []
    paths = {f"runs.item.{name}": name for name in _NAMES}
    results = RESULTS.removesuffix(".item")
    for path, value in file.pieces(paths, ["runs.item", results], lists=[results]):
        if path == "runs.item":
            found.append({})
        else:
            found[-1][paths.get(path, "results")] = value
    if not found:
        raise InvalidValue("the SARIF report has no run, so nothing has been looked at")
    return [_run(each) for each in found]


def _run(found: dict[str, Any]) -> Run:
    tool = table(found.get("tool"))
    name = word(table(tool.get("driver")).get("name")) or "sarif"
    if "results" in table(found.get("externalPropertyFileReferences")):
        raise InvalidValue(f"the results of {name} stand in other files than the SARIF report")
    if "results" not in found:
        raise InvalidValue(f"the SARIF run of {name} has no results: it has not looked", todo="see the tool's own log")
    components = [table(tool.get("driver")), *tables(tool.get("extensions"))]
    by_place = {
        (place - 1, index): _rule(rule)
        for place, component in enumerate(components)
        for index, rule in enumerate(tables(component.get("rules")))
    }
    by_id: dict[str, Rule] = {}
    for rule in by_place.values():
        by_id.setdefault(rule.id, rule)
    bases = [word(table(base).get("uri")) for base in table(found.get("originalUriBaseIds")).values()]
    invocations = tables(found.get("invocations"))
    return Run(
        tool=name,
        by_place=by_place,
        by_id=by_id,
        bases=tuple(sorted(filter(None, bases), key=len, reverse=True)),
        troubles=[trouble for each in invocations for trouble in _troubles(name, each)],
        has_failed=any(each.get("executionSuccessful") is False for each in invocations),
    )


def _troubles(tool: str, invocation: dict[str, Any]) -> Iterator[str]:
    """What kept the tool from looking at something: its notifications of the level `error`, or at least its failing."""
    said = [
        _text_of(each.get("message")) or "an error without words"
        for name in ("toolExecutionNotifications", "toolConfigurationNotifications")
        for each in tables(invocation.get(name))
        if each.get("level") == "error"
    ]
    if not said and invocation.get("executionSuccessful") is False:
        said = ["it says that it did not succeed"]
    yield from (f"{tool}: {each}" for each in said)


def _rule(rule: dict[str, Any]) -> Rule:
    properties = table(rule.get("properties"))
    targets = [table(each.get("target")) for each in tables(rule.get("relationships"))]
    weaknesses = [
        word(each.get("id")) for each in targets if word(table(each.get("toolComponent")).get("name")) == "CWE"
    ]
    name = word(rule.get("id"))
    return Rule(
        id=name,
        title=_text_of(rule.get("shortDescription")) or word(rule.get("name")) or name,
        score=properties.get("security-severity"),
        level=table(rule.get("defaultConfiguration")).get("level"),
        ids=tuple(
            ids_in(
                name,
                *(tag.replace("/cwe/cwe-", " CWE-") for tag in texts(properties.get("tags"))),
                *(each if each.upper().startswith("CWE") else f"CWE-{each}" for each in weaknesses),
                *texts(properties.get("cwe")),
            )
        ),
        messages={key: _text_of(value) for key, value in table(rule.get("messageStrings")).items()},
    )


def _text_of(message: Any) -> str:
    found = table(message).get("text")
    return found if isinstance(found, str) else ""


def _finding(result: dict[str, Any], run: Run, place: int, findings: Findings, artifacts: _Artifacts) -> Finding | None:
    """The finding that a result is, or None where it is none."""
    kind = result.get("kind", "fail")
    if kind in ("pass", "notApplicable") or result.get("baselineState") == "absent":
        return None
    rule = run.rule_of(result)
    severity, said = _severity(result, rule, kind, findings)
    location = _physical_location(result)
    named = result.get("ruleId") or table(result.get("rule")).get("id") or (rule.id if rule else "")
    return Finding(
        rule=named if isinstance(named, str) and named else "unnamed",
        severity=severity,
        said=said,
        title=rule.title if rule is not None else "",
        message=_message(result, rule),
        path=_path(table(location.get("artifactLocation")), run, place, artifacts),
        line=line_number(table(location.get("region")).get("startLine")),
        ids=rule.ids if rule is not None else ids_in(named),
        identity=_identity(result, named),
        suppressed=_is_suppressed(result.get("suppressions")),
        tool=run.tool,
    )


def _physical_location(result: dict[str, Any]) -> dict[str, Any]:
    """Where the first of its locations is, {} where it has none."""
    locations = result.get("locations")
    if isinstance(locations, list) and len(locations) > 1:
        return table(next(iter(tables(locations)), {}).get("physicalLocation"))
    return table(table(locations[0]).get("physicalLocation")) if isinstance(locations, list) and locations else {}


def _severity(result: dict[str, Any], rule: Rule | None, kind: Any, findings: Findings) -> tuple[Severity, str]:
    """Ours, and what the report said."""
    said = table(result.get("properties")).get("security-severity", rule.score if rule is not None else None)
    if said is not None:
        scored = findings.score(said)
        if scored is not None:
            return scored, str(said)
        if isinstance(said, str) and said.lower() in PLAIN:
            return PLAIN[said.lower()], said
    if kind != "fail":
        # Such a result has no level (section 3.27.10): what a person has yet to look at is not harmless.
        return (Severity.INFO if kind == "informational" else Severity.MEDIUM), str(kind)[:40]
    level = result.get("level") or (rule.level if rule is not None else None) or "warning"
    return findings.severity(level, LEVELS), word(level)


def _message(result: dict[str, Any], rule: Rule | None) -> str:
    """The message, or the rule's one that it names, with its arguments."""
    message = table(result.get("message"))
    found = _text_of(message)
    if not found and rule is not None:
        found = rule.messages.get(word(message.get("id")), "")
    arguments = texts(message.get("arguments"))
    if not arguments:
        return found
    return _PLACEHOLDER.sub(lambda mark: arguments[int(mark[1])] if int(mark[1]) < len(arguments) else mark[0], found)


def _identity(result: dict[str, Any], named: Any) -> tuple[str, ...]:
    """Its fingerprints, the full ones first, or the partial ones with what they are partial to."""
    for name in ("fingerprints", "partialFingerprints"):
        if name not in result:
            continue
        known = {key: value for key, value in table(result.get(name)).items() if isinstance(value, str)}
        parts = [
            f"{key}={value}"
            for key, value in sorted(known.items())
            if value not in _NO_FINGERPRINTS and key not in _NO_FINGERPRINT_NAMES
        ]
        if parts:
            place = _physical_location(result)
            return (str(named), path_of(table(place.get("artifactLocation")).get("uri")), *parts)
    return ()


def _is_suppressed(suppressions: Any) -> bool:
    """True if there is one, and none of them is still asked for or was rejected."""
    found = tables(suppressions)
    return bool(found) and all(each.get("status", "accepted") == "accepted" for each in found)


def _path(location: dict[str, Any], run: Run, place: int, artifacts: _Artifacts) -> str:
    uri = location.get("uri")
    if not isinstance(uri, str):
        uri = artifacts.uri(place, location.get("index"))
    for base in run.bases:
        if uri.startswith(base) and len(base) > len("file:///"):
            uri = uri[len(base) :]
            break
    return path_of(uri)


class _Artifacts:
    """The files that a run lists, for results that name them by their number. Read when first asked for."""

    def __init__(self, file: ReportFile) -> None:
        self._file = file
        self._uris: dict[tuple[int, int], str] | None = None

    def uri(self, run: int, index: Any) -> str:
        """The URI of a run's artifact, "" where there is none."""
        if not isinstance(index, int) or index < 0:
            return ""
        if self._uris is None:
            self._uris = dict(self._read())
        return self._uris.get((run, index), "")

    def _read(self) -> Iterator[tuple[tuple[int, int], str]]:
        run, index = -1, -1
        starts = ["runs.item", "runs.item.artifacts.item"]
        for path, value in self._file.pieces(["runs.item.artifacts.item.location.uri"], starts):
            if path == "runs.item":
                run, index = run + 1, -1
            elif path == "runs.item.artifacts.item":
                index += 1
            else:
                yield (run, index), word(value)
