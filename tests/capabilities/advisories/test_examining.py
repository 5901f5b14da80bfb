"""Shipped releases, examined: events for what is deployed, once, and nothing that cannot be told is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.advisories import Examined, advisories_document, examine, find_package, read_package, record
from shipline.capabilities.releases import RELEASES, save_components
from shipline.capabilities.rollouts import DEPLOYMENTS
from shipline.domain.component import Component
from shipline.domain.deployment import Deployment
from shipline.domain.errors import InvalidValue
from shipline.domain.release import Release, ReleaseStatus
from shipline.store.event_writer import EventWriter
from shipline.testing.conformance.advisories import entry
from shipline.testing.fakes.advisories import FakeAdvisories
from shipline.testing.world import World
from tests.capabilities.events import bodies


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(3, tmp_path)
    yield made
    made.close()


def part(text: str, version: str, licence: str = "MIT") -> Component:
    kind, _, name = text.partition(":")
    return Component(kind, name, version, f"pkg:{kind}/{name}@{version}" if kind else "", licence)


def ship(world: World, version: str, *parts: Component, status: ReleaseStatus = ReleaseStatus.PUBLISHED) -> None:
    with world.store.begin() as tx:
        created_us = int(version.replace(".", ""))
        RELEASES.save(tx, Release(f"rel_{version}", "quotes", version, f"v{version}", status, 1, created_us))
        save_components(tx, f"rel_{version}", parts)


def serve(world: World, environment: str, version: str, *, ended_us: int | None = None) -> None:
    with world.store.begin() as tx:
        name = f"dep_{environment}_{version}"
        DEPLOYMENTS.save(
            tx, Deployment(name, environment, "quotes", version, "rol", 1, finished_us=2, ended_us=ended_us)
        )


def check(world: World, *entries: dict[str, Any]) -> tuple[Examined, int]:
    found = examine(world.store, FakeAdvisories(*entries))
    with world.store.begin() as tx:
        return found, record(tx, EventWriter(world.ids, world.clock), found.affected)


LEFT = entry("OSV-1", "npm", "left", aliases=["CVE-2026-1"], database_specific={"severity": "HIGH"})


def test_names_of_nuget_go_without_case(world: World) -> None:
    ship(world, "1.0.0", part("nuget:newtonsoft.json", "1.0.0"))
    found, _ = check(world, entry("OSV-2", "NuGet", "Newtonsoft.Json"))
    assert [one.exposure.advisory.id for one in (*found.affected, *found.unknown)] == ["OSV-2"]


def test_a_new_vulnerability_in_a_deployed_version_is_told_once(world: World) -> None:
    """With the releases and environments that it touches, and the version that mends it."""
    for version in ("1.0.0", "1.1.0"):
        ship(world, version, part("npm:left", "1.5.0"), part("npm:right", "1.0.0"))
    ship(world, "1.2.0", part("npm:left", "2.0.0"))
    serve(world, "staging", "1.1.0")
    serve(world, "production", "1.0.0", ended_us=9)
    serve(world, "production", "1.1.0")
    found, raised = check(world, LEFT)
    assert raised == 1
    (only,) = bodies(world.store, "VulnerabilityFound")
    assert only == {
        "advisory": "OSV-1",
        "aliases": ["CVE-2026-1"],
        "summary": "",
        "severity": "high",
        "package": "npm:left",
        "version": "1.5.0",
        "purl": "pkg:npm/left@1.5.0",
        "fixed": ["2.0.0"],
        "releases": [
            {
                "release_id": "rel_1.1.0",
                "package": "quotes",
                "version": "1.1.0",
                "environments": ["production", "staging"],
            }
        ],
        "environments": ["production", "staging"],
    }
    (affected,) = advisories_document(found, raised)["affected"]
    assert [one["version"] for one in affected["releases"]] == ["1.1.0", "1.0.0"]
    assert check(world, LEFT)[1] == 0
    serve(world, "eu", "1.0.0")
    assert check(world, LEFT)[1] == 1
    assert bodies(world.store, "VulnerabilityFound")[-1]["environments"] == ["eu"]
    assert check(world, LEFT)[1] == 0


def test_a_version_that_mends_it_is_news(world: World) -> None:
    ship(world, "1.0.0", part("npm:left", "1.5.0"))
    serve(world, "production", "1.0.0")
    open_ended: dict[str, Any] = entry("OSV-1", "npm", "left")
    open_ended["affected"][0]["ranges"][0]["events"].pop()
    assert [check(world, one)[1] for one in (open_ended, open_ended, LEFT, LEFT)] == [1, 0, 1, 0]
    assert [body["fixed"] for body in bodies(world.store, "VulnerabilityFound")] == [[], ["2.0.0"]]


def test_what_is_yanked_counts_while_it_is_served(world: World) -> None:
    ship(world, "1.0.0", part("npm:left", "1.5.0"), status=ReleaseStatus.YANKED)
    assert check(world, LEFT)[0].releases == 0
    serve(world, "production", "1.0.0")
    assert check(world, LEFT)[1] == 1


def test_what_cannot_be_told_is_told(world: World) -> None:
    """Components of a kind that is not looked up, releases without an SBOM, versions that nobody knows; no event."""
    ship(
        world, "1.0.0", part("deb:debian/zlib", "1.3"), part(":thing", "1"), part("npm:left", ""), part("gem:rack", "2")
    )
    ship(world, "1.1.0")
    serve(world, "production", "1.0.0")
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    rack = entry("OSV-2", "RubyGems", "rack")
    rack["affected"][0]["ranges"] = ranges
    found, raised = check(world, LEFT, rack)
    document = advisories_document(found, raised)
    assert (raised, document["affected"]) == (0, [])
    assert {one["package"]: one["why"] for one in document["unknown"]} == {
        "npm:left": "nobody knows the component's version",
        "gem:rack": "versions of RubyGems cannot be ordered here",
    }
    assert document["not_looked_up"] == {"deb": 1, "without a package URL": 1}
    assert [one["version"] for one in document["not_known"]] == ["1.1.0"]


def test_nothing_shipped_asks_nobody(world: World) -> None:
    source = FakeAdvisories(LEFT)
    examine(world.store, source)
    assert source.asked == []


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("left", ["1.2.0", "1.1.0", "1.0.0"]),
        ("left@1.5.0", ["1.0.0"]),
        ("left@v1.5.0", ["1.0.0"]),
        ("left@<2", ["1.1.0?", "1.0.0"]),
        ("pkg:npm/left@^1.2", ["1.1.0?", "1.0.0"]),
        ("pkg:npm/left@2.0.0?x=y", ["1.2.0"]),
        ("pkg:pypi/left", []),
        ("Typing.Extensions", ["1.0.0"]),
        ("pkg:pypi/typing_extensions@<5", ["1.0.0"]),
        ("pkg:npm/%40scope/left", ["1.0.0"]),
        ("@scope/left@1.x", ["1.0.0"]),
        ("rack@<3", ["1.0.0?"]),
        ("rack@2", ["1.0.0"]),
    ],
)
def test_who_contains_a_package(world: World, text: str, versions: list[str]) -> None:
    """By name or package URL, a version or a range; with a question mark where it cannot be told."""
    ship(
        world,
        "1.0.0",
        *(part("npm:left", "1.5.0"), part("pypi:typing-extensions", "4.0"), part("npm:@scope/left", "1.0.0")),
        part("gem:rack", "2"),
    )
    ship(world, "1.1.0", part("npm:left", "2.0.0-rc.1"))
    ship(world, "1.2.0", part("npm:left", "2.0.0"))
    ship(world, "1.3.0")
    serve(world, "production", "1.0.0")
    with world.store.begin() as tx:
        found, unlisted = find_package(tx, read_package(text))
    assert [one.release.version + ("" if one.certain else "?") for one in found] == versions
    assert {one.environments for one in found if one.release.version == "1.0.0"} <= {("production",)}
    assert [one.version for one in unlisted] == ["1.3.0"]


@pytest.mark.parametrize("text", ["", " ", "pkg:", "pkg:npm/", "x" * 500])
def test_what_names_no_package_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        read_package(text)
