"""A template shapes what a release writes into the changelog, the tag and the notes; one that fails stops it before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.plans import Show
from shipline.capabilities.releases import foresee, release_package
from shipline.domain.errors import UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.testing.world import World
from tests.capabilities.releases.release_world import PERSON, ReleaseWorld, catalogue_of

TEMPLATE = (
    "# All that came\n\n## {{ release.title }} ({{ release.date }})\n\n"
    '{% for one in release.changes if one.type in ("feat", "fix") %}* {{ one.description }}\n{% endfor %}'
)


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    world = World(3, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path)
    yield made
    world.close()
    assert made.breaches == []


def released(project: ReleaseWorld, template: str) -> Release:
    ground = replace(project.ground(project.world.store), show=lambda: Show(template=template))
    engine = project.world.engine(catalogue_of(ground))
    _, begun = release_package(ground, engine, project.candidate(), PERSON, branch="main")
    assert begun is not None
    project.world.run_until_quiet(engine)
    return project.now(begun)


def test_changelog_tag_and_notes_are_as_the_template_says_and_what_stands_stays(project: ReleaseWorld) -> None:
    own = "# What changed here\n\nBy hand.\n"
    project.history.commit("docs: begin a changelog", {"CHANGELOG.md": own})
    first = released(project, TEMPLATE)
    assert first.status is ReleaseStatus.PUBLISHED
    day = first.notes_markdown.partition("(")[2][:10]
    assert first.notes_markdown == f"## 0.1.0 ({day})\n\n* say something\n"
    assert first.notes_markdown.strip() in project.history.git("tag", "--list", "--format=%(contents)", "v0.1.0")
    project.commit("fix: mend it")
    second = released(project, TEMPLATE.replace("*", "-"))
    assert project.history.git("show", "HEAD:CHANGELOG.md") == (
        f"{own}\n{second.notes_markdown}\n{first.notes_markdown}".strip()
    )


def test_a_template_that_fails_stops_the_release_before_anything_is_done(project: ReleaseWorld) -> None:
    """Also where it is only looked what would be done."""
    before = project.history.git("rev-parse", "HEAD")
    with pytest.raises(UsageError, match="cannot be rendered"):
        released(project, "{{ nothing.here }}")
    ground = replace(project.ground(project.world.store), show=lambda: Show(template="no heading"))
    with pytest.raises(UsageError, match="makes no section"):
        foresee(ground, (project.candidate(),), branch="main")
    assert (project.history.git("rev-parse", "HEAD"), project.history.git("tag")) == (before, "")
    assert project.history.git("status", "--porcelain") == ""
