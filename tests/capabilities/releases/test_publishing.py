"""Publishing to several registries: each is asked first, gets what is missing, and is written down with its time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.releases.outlets import Outlet, channel_of
from shipline.capabilities.releases.rules import Start
from shipline.domain.artifact import Artifact
from shipline.domain.errors import RefusedError, UnavailableError
from shipline.domain.package import Package
from shipline.domain.release import ReleaseStatus
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.registry import FakeRegistry
from shipline.testing.world import World
from tests.capabilities.events import bodies, check_positions, kinds
from tests.capabilities.releases.release_world import ReleaseWorld

FILES = ["quotes-0.1.0-py3-none-any.whl", "quotes-0.1.0.tar.gz"]


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    """A package that goes to two registries."""
    world = World(5, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path)
    yield made
    check_positions(world.store)
    world.close()
    assert made.breaches == []


def test_every_registry_gets_all_of_it_and_is_written_down(project: ReleaseWorld) -> None:
    release = project.released()
    assert project.registry.uploads == project.mirror.uploads == FILES
    assert [(one.registry, list(one.files), one.channel) for one in release.publications] == [
        ("index", FILES, "stable"),
        ("mirror", FILES, "stable"),
    ]
    said = bodies(project.world.store, "ArtifactsPublished")
    assert [body["registry"] for body in said] == ["index", "mirror"]
    assert all(body["seconds"] >= 0 for body in said)
    assert bodies(project.world.store, "ReleasePublished")[0]["registries"] == ["index", "mirror"]


def test_a_registry_that_would_get_nothing_refuses_the_release_before_anything_is_committed(
    project: ReleaseWorld,
) -> None:
    """Else it would be released with a word that nobody reads, and be nowhere."""
    head, project.mirror.kinds = project.history.repository.head(), ("oci",)
    with pytest.raises(RefusedError, match="mirror is configured, and would get nothing of quotes") as refused:
        project.order()
    assert refused.value.why == "it takes oci, and of quotes wheel, sdist is built"
    assert project.history.repository.head() == head
    assert project.registry.uploads == []


PYTHON, CHART = Package("quotes", ecosystem="python"), Package("chart", path="chart", ecosystem="helm")


@pytest.mark.parametrize(
    ("kinds", "named", "idle"),
    [
        (("wheel",), (), ()),  # The chart goes elsewhere.
        (("wheel",), ("quotes",), ()),
        (("wheel",), ("quotes", "chart"), ("chart",)),
        (("npm",), (), ("quotes", "chart")),
        (("oci",), ("quotes",), ("quotes",)),
        ((), (), ()),
        ((), ("chart",), ("chart",)),
    ],
)
def test_a_registry_is_idle_for_whom_it_names_or_if_nothing_goes_there_at_all(
    kinds: tuple[str, ...], named: tuple[str, ...], idle: tuple[str, ...]
) -> None:
    outlet = Outlet("index", FakeRegistry(FakeClock(), kinds), named)
    built = {"quotes": ("wheel", "sdist"), "chart": ()}
    found = outlet.idle_for((PYTHON, CHART), lambda package: built[package.name])
    assert tuple(package.name for package in found) == idle


def test_when_one_is_down_the_next_run_publishes_only_there(project: ReleaseWorld) -> None:
    project.mirror.faults.fails_after_files = 1
    stopped = project.released()
    assert stopped.status is ReleaseStatus.STOPPED
    assert [one.registry for one in stopped.publications] == ["index"]
    project.mirror.faults.fails_after_files = None
    assert project.order()[0].start is Start.RESUME
    project.settle()
    assert project.now(stopped).status is ReleaseStatus.PUBLISHED
    assert project.registry.uploads == project.mirror.uploads == FILES
    assert len(bodies(project.world.store, "ArtifactsPublished")) == 2


def test_other_bytes_in_one_registry_keep_everything_from_becoming_public(
    project: ReleaseWorld, tmp_path: Path
) -> None:
    (tmp_path / FILES[1]).write_bytes(b"somebody else's")
    _, release = project.order()
    assert release is not None
    project.mirror.publish("quotes", "0.1.0", (tmp_path / FILES[1],))
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert project.registry.uploads == []


def test_a_version_that_is_there_and_was_never_tagged_begins_nothing(project: ReleaseWorld, tmp_path: Path) -> None:
    """The way out is said: a tag where it was made from, and then the next version is released."""
    (tmp_path / FILES[1]).write_bytes(b"somebody else's")
    project.mirror.publish("quotes", "0.1.0", (tmp_path / FILES[1],))
    head = project.history.git("rev-parse", "HEAD")
    with pytest.raises(RefusedError, match=r"mirror has quotes 0\.1\.0 already") as caught:
        project.order()
    assert "git tag --annotate v0.1.0 COMMIT" in caught.value.todo
    assert (project.history.git("rev-parse", "HEAD"), project.history.git("tag")) == (head, "")
    project.history.tag("v0.1.0")
    project.commit("fix: ours")
    assert project.released().version == "0.1.1"


def test_a_registry_that_says_no_or_nothing_uses_up_no_version(project: ReleaseWorld) -> None:
    head = project.history.git("rev-parse", "HEAD")
    project.mirror.faults.refuses = True
    with pytest.raises(RefusedError, match="mirror: the fake registry refuses the credentials"):
        project.order()
    project.mirror.faults.refuses, project.registry.faults.down = False, True
    with pytest.raises(UnavailableError):
        project.order()
    assert (project.history.git("rev-parse", "HEAD"), kinds(project.world.store)) == (head, [])
    project.registry.faults.down = False
    project.commit("fix: meanwhile")
    assert project.released().version == "0.1.0"


def test_credentials_that_are_refused_are_found_before_anything_is_public(project: ReleaseWorld) -> None:
    _, release = project.order()
    assert release is not None
    project.mirror.faults.refuses = True
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert project.registry.uploads == []
    (stop,) = bodies(project.world.store, "ReleaseStopped")
    assert "mirror: the fake registry refuses the credentials" in stop["reason"]
    assert "nothing was pushed or published" in stop["reason"]


def test_a_package_that_is_not_named_does_not_go_there(project: ReleaseWorld) -> None:
    other = Package("other", ecosystem="python", tag_format="other-{version}")
    project.gates = ()
    _, release = project.order(other)
    assert release is not None
    project.settle()
    assert [one.registry for one in project.now(release).publications] == ["index"]
    assert project.mirror.uploads == []


def test_a_registry_takes_the_kinds_that_it_knows() -> None:
    wheel, image = (Artifact(name, kind, f"sha256:{'a' * 64}", 1) for name, kind in (("a", "wheel"), ("b", "oci")))
    images = Outlet("images", FakeRegistry(FakeClock(), kinds=("oci",)))
    anything = Outlet("anything", FakeRegistry(FakeClock()))
    assert images.artifacts("quotes", (wheel, image)) == (image,)
    assert anything.artifacts("quotes", (wheel, image)) == (wheel, image)
    package = Package("quotes")
    assert images.kinds_of(package, ("wheel", "oci")) == ("oci",)
    assert anything.kinds_of(package, ("wheel", "oci")) == ("wheel", "oci")
    assert Outlet("others", FakeRegistry(FakeClock()), ("other",)).kinds_of(package, ("wheel",)) == ()


@pytest.mark.parametrize(
    ("scheme", "version", "channel"),
    [("semver", "1.0.0", "stable"), ("semver", "1.0.0-rc.1", "rc"), ("pep440", "1.0.0rc1", "rc")],
)
def test_a_version_says_its_channel(scheme: str, version: str, channel: str) -> None:
    assert channel_of(Package("quotes", scheme=scheme), version) == channel
