"""Behaviour that every Advisories owes its callers. Subclass it; supply `advisories` over ENTRIES."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.domain.advisory import RangeType, Turn
from shipline.ports.advisories import Advisories, PackageName


def entry(id_: str, ecosystem: str, name: str, **more: Any) -> dict[str, Any]:
    """An OSV document about one package, mended in 2.0.0."""
    affected = {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}],
    }
    return {"schema_version": "1.6.0", "id": id_, "modified": "2026-01-01T00:00:00Z", "affected": [affected]} | more


ENTRIES = (
    *(entry(f"OSV-{number}", "npm", "@scope/left") for number in range(5)),
    entry(
        "OSV-MANY",
        "PyPI",
        "click",
        aliases=["CVE-2026-1"],
        summary="Reads  too\nmuch",
        database_specific={"severity": "HIGH"},
    ),
    entry("OSV-GONE", "PyPI", "click", withdrawn="2026-01-02T00:00:00Z"),
    entry("OSV-OTHER", "npm", "click"),
    entry("OSV-NUGET", "NuGet", "Newtonsoft.Json"),
    entry("OSV-WRITTEN", "PyPI", "Zope.Inter_face"),
)


class AdvisoriesConformance:
    """The suite."""

    @pytest.fixture
    def advisories(self) -> Advisories:
        raise NotImplementedError("supply advisories over ENTRIES")

    def test_all_about_a_package_and_nothing_else(self, advisories: Advisories) -> None:
        """However many there are; of the same name elsewhere none."""
        found = list(advisories.about([PackageName("npm", "@scope/left")]))
        assert sorted(one.id for one in found) == [f"OSV-{number}" for number in range(5)]

    def test_each_once_whatever_is_asked(self, advisories: Advisories) -> None:
        found = [one.id for one in advisories.about([PackageName("PyPI", "click"), PackageName("npm", "click")])]
        assert sorted(found) == ["OSV-GONE", "OSV-MANY", "OSV-OTHER"]

    def test_names_are_compared_as_pypi_compares_them(self, advisories: Advisories) -> None:
        """Packages are asked about by their normalized names, and entries are written by people."""
        (found,) = advisories.about([PackageName("PyPI", "zope-inter-face")])
        assert (found.id, found.affected[0].name) == ("OSV-WRITTEN", "zope-inter-face")

    def test_names_of_nuget_go_without_case(self, advisories: Advisories) -> None:
        (found,) = advisories.about([PackageName("NuGet", "newtonsoft.JSON")])
        assert found.id == "OSV-NUGET"

    def test_an_entry_is_told_whole(self, advisories: Advisories) -> None:
        """Withdrawn ones too: who has told of it takes that back."""
        found = {one.id: one for one in advisories.about([PackageName("PyPI", "click")])}
        many = found["OSV-MANY"]
        assert (many.aliases, many.summary, many.severity) == (("CVE-2026-1",), "Reads too much", "high")
        (affected,) = many.affected
        (only,) = affected.ranges
        assert only.type is RangeType.SEMVER
        assert set(only.events) == {(Turn.INTRODUCED, "0"), (Turn.FIXED, "2.0.0")}
        assert (many.withdrawn, found["OSV-GONE"].withdrawn) == (False, True)

    def test_nothing_is_known_of_others(self, advisories: Advisories) -> None:
        assert list(advisories.about([PackageName("PyPI", "no-such-package")])) == []
        assert list(advisories.about([])) == []
