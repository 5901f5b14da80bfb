"""Tags that follow the releases take the highest version that they stand for, and never go back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.releases.moving_tags import check_moving_tags, names_to_move
from shipline.domain.errors import RefusedError
from shipline.domain.package import Package
from shipline.testing.world import World
from tests.capabilities.releases.release_world import ReleaseWorld, new_remote

FORMS = ("v{major}", "v{major}.{minor}", "latest", "{channel}")
PACKAGE = Package("quotes")
VERSIONS = st.tuples(*(st.integers(0, 3),) * 3).map(lambda numbers: ".".join(map(str, numbers)))


@pytest.mark.parametrize(
    ("version", "others", "moved"),
    [
        ("1.0.0", (), ("v1", "v1.0", "latest", "stable")),
        ("1.4.9", ("1.4.8", "2.0.0"), ("v1", "v1.4")),
        ("1.4.9", ("1.5.0",), ("v1.4",)),
        ("1.4.9", ("1.5.0-rc.1",), ("v1", "v1.4", "latest", "stable")),
        ("2.0.0-rc.2", ("2.0.0-rc.1", "1.9.0"), ("rc",)),
        ("2.0.0-rc.1", ("2.0.0-rc.2",), ()),
        ("2.0.0", ("2.0.0",), ("v2", "v2.0", "latest", "stable")),
        ("no version", (), ()),
    ],
)
def test_what_a_version_takes(version: str, others: tuple[str, ...], moved: tuple[str, ...]) -> None:
    assert names_to_move(FORMS, PACKAGE, version, (*(f"v{other}" for other in others), "v1", "junk")) == moved


def test_tags_of_other_packages_do_not_count() -> None:
    package = Package("a", tag_format="{package}@{version}")
    assert names_to_move(("{package}-latest",), package, "1.0.0", ("b@2.0.0", "v3.0.0")) == ("a-latest",)


@given(st.lists(VERSIONS, min_size=1, unique=True))
def test_in_whatever_order_versions_come_the_highest_has_the_tag(versions: list[str]) -> None:
    holder = {}
    for number, version in enumerate(versions):
        for name in names_to_move(("latest", "v{major}"), PACKAGE, version, [f"v{each}" for each in versions[:number]]):
            holder[name] = version
    ordered = sorted(versions, key=lambda version: [int(number) for number in version.split(".")])
    assert holder["latest"] == ordered[-1]
    for major in {version.partition(".")[0] for version in versions}:
        assert holder[f"v{major}"] == [version for version in ordered if version.startswith(f"{major}.")][-1]


def test_a_form_whose_names_read_as_versions_is_refused() -> None:
    """PEP 440 takes 1.2 for a version, SemVer does not."""
    check_moving_tags(FORMS, PACKAGE)
    with pytest.raises(RefusedError, match=r"v1\.2"):
        check_moving_tags(FORMS, Package("quotes", scheme="pep440"))


def test_a_clone_that_lacks_newer_releases_moves_no_tag_back(tmp_path: Path, sqlite_url: str) -> None:
    """Goal: the remote says what the highest version is. Method: somebody else has released 0.9.0 there."""
    world = World(5, tmp_path, url=sqlite_url)
    remote = new_remote(tmp_path / "remote.git")
    project = ReleaseWorld(world, tmp_path, remote=remote, moving_tags=("v{major}", "v{major}.{minor}"))
    git = project.history.git
    project.history.tag("v0.9.0")
    git("push", "--quiet", remote, "v0.9.0", "v0.9.0^{}:refs/tags/v0")
    git("tag", "--delete", "v0.9.0")
    newer = project.history.repository.tags_on(remote, ("v0",))
    release = project.released()
    assert release.version == "0.1.0"
    now = project.history.repository.tags_on(remote, ("v0", "v0.1"))
    assert now == newer | {"v0.1": str(release.commit)}
    world.close()
