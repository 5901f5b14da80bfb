"""Is a version affected? By the OSV schema's own rules, with what cannot be decided told as unknown."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.capabilities.advisories.ordering import ordered
from shipline.capabilities.advisories.rules import Answer, Exposure, examine_component
from shipline.clients.osv import advisory_of
from shipline.domain.component import Component
from shipline.testing.conformance.advisories import entry


def asked(kind: str, version: str, affected: dict[str, Any], name: str = "click") -> Exposure | None:
    ecosystem = {"pypi": "PyPI", "npm": "npm", "golang": "Go", "gem": "RubyGems", "maven": "Maven"}[kind]
    about = {"package": {"ecosystem": ecosystem, "name": name.replace("/", ":") if kind == "maven" else name}}
    advisory = advisory_of(entry("OSV-1", ecosystem, name) | {"affected": [about | affected]}, "an entry")
    return examine_component(advisory, Component(kind, name, version, f"pkg:{kind}/{name}@{version}", ""), ordered)


def said(kind: str, version: str, affected: dict[str, Any], name: str = "click") -> tuple[str, tuple[str, ...]]:
    exposure = asked(kind, version, affected, name)
    assert exposure is not None
    return exposure.answer.value, exposure.fixed


def semver(*events: dict[str, str], kind: str = "SEMVER") -> dict[str, Any]:
    return {"ranges": [{"type": kind, "events": list(events)}]}


FIXED_TWICE = ({"introduced": "1.0.0"}, {"fixed": "1.0.4"}, {"introduced": "2.0.0"}, {"fixed": "2.1.0"})


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.9.0", ("not affected", ())),
        ("1.0.0-rc.1", ("not affected", ())),
        ("1.0.0", ("affected", ("1.0.4",))),
        ("1.0.4", ("not affected", ())),
        ("2.0.1", ("affected", ("2.1.0",))),
        ("2.1.0-beta", ("affected", ("2.1.0",))),
        ("3.0.0", ("not affected", ())),
        ("latest", ("unknown", ("1.0.4", "2.1.0"))),
    ],
)
def test_semver_ranges(version: str, expected: tuple[str, tuple[str, ...]]) -> None:
    """In whatever order the events stand; the version that mends it is that of the same line."""
    for events in (FIXED_TWICE, FIXED_TWICE[::-1]):
        answer, fixed = said("npm", version, semver(*events))
        assert (answer, tuple(sorted(fixed))) == expected


def test_last_affected_limits_and_the_beginning() -> None:
    """`last_affected` is affected itself, "0" is before all, and beyond a limit nothing is said."""
    events = ({"introduced": "0"}, {"last_affected": "1.2.0"})
    assert said("npm", "1.2.0", semver(*events)) == ("affected", ())
    assert said("npm", "1.2.1", semver(*events)) == ("not affected", ())
    assert said("npm", "0.0.0-alpha", semver(*events))[0] == "affected"
    limited = semver({"introduced": "0"}, {"limit": "2.0.0"})
    assert [said("npm", version, limited)[0] for version in ("1.9.9", "2.0.0")] == ["affected", "not affected"]


def test_python_versions_are_ordered_by_pep_440() -> None:
    """As no SemVer would be; names and versions compare normalised."""
    about = semver({"introduced": "0"}, {"fixed": "8.1"}, kind="ECOSYSTEM")
    assert said("pypi", "8.1.0rc1", about) == ("affected", ("8.1",))
    assert said("pypi", "8.1.0", about)[0] == "not affected"
    assert said("pypi", "8.0.post1", about)[0] == "affected"
    assert said("pypi", "1.0", {"versions": ["1.0.0"]})[0] == "affected"
    assert said("golang", "v1.2.3", semver({"introduced": "1.0.0"}, {"fixed": "1.3.0"})) == ("affected", ("1.3.0",))


def test_a_listed_version_is_affected_whatever_the_ranges_say() -> None:
    about = {"versions": ["3.0.0"]} | semver(*FIXED_TWICE)
    assert said("npm", "3.0.0", about) == ("affected", ())
    assert said("npm", "1.0.5", {"versions": ["1.0.5"]} | semver(*FIXED_TWICE)) == ("affected", ("2.1.0",))


@pytest.mark.parametrize(
    ("kind", "version", "affected", "why"),
    [
        ("gem", "1.2", semver({"introduced": "0"}, {"fixed": "2"}, kind="ECOSYSTEM"), "RubyGems cannot be ordered"),
        ("npm", "1.0.0", semver({"introduced": "0"}, {"fixed": "abc"}, kind="GIT"), "names commits"),
        ("npm", "1.0.0", {}, "says nothing of versions"),
        ("npm", "", semver({"introduced": "0"}), "nobody knows the component's version"),
        ("pypi", "banana", semver({"introduced": "0"}, kind="ECOSYSTEM"), "cannot be ordered"),
    ],
)
def test_what_cannot_be_decided_is_unknown(kind: str, version: str, affected: dict[str, Any], why: str) -> None:
    exposure = asked(kind, version, affected)
    assert exposure is not None
    assert exposure.answer is Answer.UNKNOWN
    assert why in exposure.why


def test_where_nothing_orders_versions_a_list_still_tells() -> None:
    about = {"versions": ["1.2"]} | semver({"introduced": "0"}, {"fixed": "2"}, kind="ECOSYSTEM")
    assert said("gem", "1.2", about)[0] == "affected"
    assert said("maven", "1.2", {"versions": ["1.2"]}, "org.acme/left")[0] == "affected"


def test_others_and_what_was_withdrawn_concern_nobody() -> None:
    component = Component("npm", "click", "1.0.0", "pkg:npm/click@1.0.0", "")
    assert examine_component(advisory_of(entry("A", "PyPI", "click"), ""), component, ordered) is None
    withdrawn = entry("A", "npm", "click", withdrawn="2026-01-01T00:00:00Z")
    assert examine_component(advisory_of(withdrawn, ""), component, ordered) is None
    nameless = Component("", "click", "1", "", "")
    assert examine_component(advisory_of(entry("A", "npm", "click"), ""), nameless, ordered) is None
