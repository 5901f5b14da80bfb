"""The facts that a gate may ask for: the one table of their names, types and meanings.

Policy and documentation read this table; a fact that is not in it does not exist, and naming one is an error when
the policy is loaded. Families are the exception: `approvals.<role>` and `issues.open["label"]` have names that a
project chooses.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from shipline.domain.errors import InvalidValue

Value: TypeAlias = "bool | int | float | str"


class FactType(StrEnum):
    """CEL's names of the types."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `source` says why it is missing where it is, `supply` what brings it: a command, or a setting.

    In `supply` of a family, `{name}` stands for the name in it; `{version}` and `{stage}` are those that are asked
    about.
    """

    path: str
    type: FactType
    doc: str
    source: str
    supply: str


def _facts(group: str, source: str, supply: str, *named: tuple[str, FactType, str]) -> tuple[Fact, ...]:
    return tuple(Fact(f"{group}.{name}", kind, doc, source, supply) for name, kind, doc in named)


_ADDED = "`shipline evidence add FILE --release {version}`"
_TESTED = f"{_ADDED}, or a [[test]] whose `reports` name the file"
_SCANNED = f"{_ADDED}, or a scanner that [scan] names"
_COMPARED = f"{_ADDED}, where the release before has such a report"
_BUILT = "`shipline release`, which builds and proves the release"
_ASKED = "`shipline gate check --release {version} --stage {stage}`, which asks for it now"
_SEVERITIES = ("critical", "high", "medium", "low", "info")
APPROVALS = "approvals"
ISSUES = "issues.open"
FAMILIES: dict[str, Fact] = {
    family.path: family
    for family in (
        Fact(
            APPROVALS,
            FactType.INT,
            "how many different approvers of a role have said yes for the stage",
            "nobody of this role has approved",
            "`shipline approve {version} --stage {stage} --role {name}`",
        ),
        Fact(
            ISSUES,
            FactType.INT,
            "how many open issues on the forge bear a label",
            "no forge was asked, or it gave no answer",
            "a `[forge]` table, and a token that may read issues",
        ),
    )
}
"""Whole numbers by names of the project's own. Which names there are is not known before they are asked for."""
KNOWN: dict[str, Fact] = {
    fact.path: fact
    for fact in (
        *_facts(
            "tests",
            "no test report (JUnit XML) was read in",
            _TESTED,
            ("total", FactType.INT, "tests that the reports list"),
            ("passed", FactType.INT, "tests that passed"),
            ("failed", FactType.INT, "tests that failed"),
            ("errors", FactType.INT, "tests that broke outside of what they assert"),
            ("skipped", FactType.INT, "tests that were not run"),
            ("flaky", FactType.INT, "tests that passed only when they were run again"),
        ),
        *_facts(
            "tests",
            "no test report was compared with an earlier one",
            _COMPARED,
            ("vanished", FactType.INT, "tests that the earlier report has and this one has not"),
            ("new_failures", FactType.INT, "tests that fail and did not fail before"),
        ),
        *_facts(
            "coverage",
            "no coverage report that measured it was read in",
            _TESTED,
            ("line", FactType.DOUBLE, "covered lines in percent, 0 to 100"),
            ("branch", FactType.DOUBLE, "covered branches in percent, 0 to 100"),
        ),
        *_facts(
            "coverage",
            "no coverage report was compared with an earlier one",
            _COMPARED,
            ("change", FactType.DOUBLE, "covered lines, in percentage points more (or less) than before"),
        ),
        *_facts(
            "coverage",
            "no coverage report was compared with an earlier one and the lines that were changed",
            _COMPARED,
            ("patch", FactType.DOUBLE, "covered lines among those that were changed and can run, in percent"),
            ("patch_lines", FactType.INT, "lines that were changed and can run"),
        ),
        *_facts(
            "findings",
            "no report of findings was read in",
            _SCANNED,
            ("total", FactType.INT, "findings of any severity"),
            *((severity, FactType.INT, f"findings of severity {severity}") for severity in _SEVERITIES),
            ("errors", FactType.INT, "what scanners say they could not look at"),
            ("waived", FactType.INT, "findings that somebody has accepted for now; they count nowhere else"),
        ),
        *_facts(
            "licences",
            "no report on licences was read in",
            _SCANNED,
            ("total", FactType.INT, "packages whose licences were looked at"),
            ("unclear", FactType.INT, "packages that state a licence, and not which one exactly"),
            ("unknown", FactType.INT, "packages that state no licence"),
        ),
        *_facts(
            "benchmark",
            "no report of benchmarks was read in",
            _TESTED,
            ("total", FactType.INT, "benchmarks that were measured"),
        ),
        *_facts(
            "benchmark",
            "no report of benchmarks was compared with an earlier one",
            _COMPARED,
            ("regressions", FactType.INT, "benchmarks that are worse, by more than is tolerated and more than noise"),
            ("vanished", FactType.INT, "benchmarks that cannot be compared any more"),
        ),
        *_facts(
            "size",
            "no report on sizes was read in",
            _TESTED,
            ("bytes", FactType.INT, "the sizes of what was built together, without source maps"),
            ("over_limit", FactType.INT, "files or bundles over the limit that their tool knows"),
        ),
        *_facts(
            "size",
            "no report on sizes was compared with an earlier one",
            _COMPARED,
            ("growth_percent", FactType.DOUBLE, "how much larger it became; below 0 where it became smaller"),
        ),
        *_facts(
            "lighthouse",
            "no Lighthouse report that scored it was read in",
            _TESTED,
            ("performance", FactType.DOUBLE, "the lowest score of a page, 0 to 100"),
            ("accessibility", FactType.DOUBLE, "the lowest score of a page, 0 to 100"),
            ("best_practices", FactType.DOUBLE, "the lowest score of a page, 0 to 100"),
            ("seo", FactType.DOUBLE, "the lowest score of a page, 0 to 100"),
            ("over_budget", FactType.INT, "budgets that are exceeded"),
        ),
        *_facts(
            "artifacts",
            "nobody said what was built",
            _BUILT,
            ("total", FactType.INT, "artifacts that were built"),
            ("distributions", FactType.INT, "Python and npm packages among them: what an SBOM is always written of"),
        ),
        *_facts("sbom", "nobody looked for an SBOM", _BUILT, ("present", FactType.BOOL, "the release has an SBOM")),
        *_facts(
            "sbom",
            "no SBOM was read in",
            _TESTED,
            ("components", FactType.INT, "components that the SBOMs list"),
            ("unlicensed", FactType.INT, "components of which no licence is stated"),
        ),
        *_facts(
            "provenance",
            "nobody looked for provenance",
            _BUILT,
            ("present", FactType.BOOL, "the release has signed build provenance"),
        ),
        *_facts(
            "signatures",
            "no signature was checked",
            _BUILT,
            ("verified", FactType.BOOL, "every statement's signature was verified with a trusted key"),
        ),
        *_facts(
            "dependencies",
            "no report on what is out of date was read in",
            _TESTED,
            ("outdated", FactType.INT, "packages of which there is a newer version"),
        ),
        *_facts(
            "dependencies",
            "no report on what is out of date was read in, or one has a version that is not understood",
            _TESTED,
            ("outdated_major", FactType.INT, "packages of which there is a newer major version"),
        ),
        *_facts(
            "calendar",
            "nobody looked into the calendar",
            _ASKED,
            ("frozen", FactType.BOOL, "a freeze keeps the release from the stage now"),
            ("open", FactType.BOOL, "the calendar lets the release pass the stage now"),
            ("train_open", FactType.BOOL, "a release train is at the stage now"),
        ),
        *_facts(
            "checklist",
            "nobody looked at the checklists",
            _ASKED,
            ("items", FactType.INT, "what has to be done for the release at the stage; 0 where there is no checklist"),
            ("open_items", FactType.INT, "what of it is not ticked"),
        ),
        *_facts(
            "codeowners",
            "nobody looked into CODEOWNERS",
            "a CODEOWNERS file on the protected branch that the forge of `[forge]` can read",
            ("needed", FactType.INT, "groups of owners whose approval the changed files need"),
            ("missing", FactType.INT, "of these groups, those of which not enough have approved for the stage"),
            ("unowned", FactType.INT, "changed files that need no owner's approval"),
        ),
        *_facts(
            "release",
            "no release was given",
            _BUILT,
            ("package", FactType.STRING, "the package's name"),
            ("version", FactType.STRING, "the version that is released"),
            ("prerelease", FactType.BOOL, "the version is a pre-release"),
            ("hotfix", FactType.BOOL, "it is a final version from a hotfix branch"),
        ),
    )
}


def family_of(path: str) -> tuple[Fact, str] | None:
    """The family that a path belongs to, and its name in it: `approvals.qa` is `qa` of the approvals.

    The family's own path is it as a whole, with the name "". None for any other path.
    """
    for family in FAMILIES.values():
        if path == family.path:
            return family, ""
        if path.startswith(f"{family.path}."):
            return family, path[len(family.path) + 1 :]
    return None


def fact_at(path: str) -> Fact:
    """The fact of a path. InvalidValue, with the nearest one, for one that is not known."""
    family = family_of(path)
    return family[0] if family is not None else _known(path)


def nearest(path: str) -> str:
    """The known fact that `path` was probably meant to be, "" where none is near."""
    return next(iter(difflib.get_close_matches(path, (*KNOWN, *FAMILIES), n=1, cutoff=0.6)), "")


def flattened(tree: Mapping[str, object]) -> dict[str, Value]:
    """A tree of facts (`{"tests": {"failed": 0}}`) as values by path. A null is a fact that is missing.

    That a family was looked at stands under its own path, as the number of its names: where nobody has, all of it is
    missing, and nothing holds of it. Raises InvalidValue for a fact that is not known, with the nearest one, and for a
    value of another type.
    """
    values: dict[str, Value] = {}
    for path, value in _leaves(tree):
        if path in FAMILIES and isinstance(value, Mapping):
            values[path] = len(value)
        elif value is not None:
            values[path] = _checked(path, value)
    return values


def _leaves(tree: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for group, inner in tree.items():
        if not isinstance(inner, Mapping):
            raise InvalidValue(f"the fact group {group[:60]!r} is no object of facts", todo=_known_words(group))
        if group in FAMILIES:
            yield group, inner
        for name, value in inner.items():
            path = f"{group}.{name}"
            if path in FAMILIES and isinstance(value, Mapping):
                yield from _leaves({path: value})
            else:
                yield path, value


def _checked(path: str, value: object) -> Value:
    if path in FAMILIES:
        raise InvalidValue(f"the facts {path} are an object of numbers by name, not {str(value)[:40]!r}")
    kind = fact_at(path).type
    if kind is FactType.DOUBLE and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
        return float(value)
    if kind is FactType.BOOL and isinstance(value, bool):
        return value
    if kind is FactType.STRING and isinstance(value, str):
        return value
    if kind is FactType.DOUBLE and isinstance(value, float) and math.isfinite(value):
        return value  # NaN is neither below a limit nor above it: `!(coverage.line < 90.0)` would hold.
    if kind is FactType.INT and isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    raise InvalidValue(f"the fact {path} is a {kind.value}, not {str(value)[:40]!r}")


def _known(path: str) -> Fact:
    fact = KNOWN.get(path)
    if fact is None:
        raise InvalidValue(f"the fact {path[:80]!r} is not known", todo=_known_words(path))
    return fact


def _known_words(path: str) -> str:
    near = nearest(path)
    return f"did you mean {near!r}? {KNOWN_WORDS}" if near else KNOWN_WORDS


KNOWN_WORDS = "known facts: " + ", ".join((*KNOWN, f"{APPROVALS}.<role>", f'{ISSUES}["<label>"]'))
