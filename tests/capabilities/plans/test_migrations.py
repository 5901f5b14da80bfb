"""What commits declare of the data that they migrate."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.capabilities.plans import migrations_between
from shipline.capabilities.plans.migrations import WORDS_MAX, Migration, migrations_in
from shipline.domain.package import Package
from shipline.testing.histories import History


@pytest.mark.parametrize(
    ("footers", "found"),
    [
        ("Migration: reversible adds a column", [(True, "adds a column")]),
        ("Migration: irreversible drops the\n table `drafts`", [(False, "drops the table `drafts`")]),
        ("Migration: Irreversible: drops it", [(False, "drops it")]),
        ("migration: reversible", [(True, "")]),
        ("Migration: adds a column", [(False, "adds a column")]),
        ("Migration: reversible a\nRefs: #1\nMigration: irreversible b", [(True, "a"), (False, "b")]),
        ("Refs: #1", []),
        ("Immigration: irreversible", []),
        (f"Migration: irreversible {'x' * 999}", [(False, "x" * WORDS_MAX)]),
    ],
)
def test_footers_are_read(footers: str, found: list[tuple[bool, str]]) -> None:
    message = f"feat: keep drafts elsewhere\n\nSome words.\n\n{footers}\n"
    assert migrations_in(message, "c0ffee") == tuple(Migration("c0ffee", *each) for each in found)


def test_a_subject_declares_nothing() -> None:
    assert migrations_in("Migration: irreversible", "c0ffee") == ()


def test_those_between_two_versions_are_found_by_package(tmp_path: Path) -> None:
    """By the paths that a commit changed, else by its scope; what the older version holds already is not in the way."""
    history = History(tmp_path / "project")
    packages = (Package("api", "api"), Package("web", "web"))
    history.commit("feat: begin\n\nMigration: irreversible a", {"api/a": "1", "web/a": "1"})
    older = history.repository.head() or ""
    own = history.commit("feat: more\n\nMigration: irreversible b", {"api/a": "2"})
    history.commit("feat: other\n\nMigration: irreversible c", {"web/a": "2"})
    scoped = history.commit("chore(api): say it\n\nMigration: reversible d")
    newer = history.repository.head() or ""
    found = migrations_between(history.repository, packages, "api", older=older, newer=newer)
    assert found == (Migration(scoped, True, "d"), Migration(own, False, "b"))
    one = (Package("project"),)
    assert len(migrations_between(history.repository, one, "project", older=older, newer=newer)) == 3
    assert migrations_between(history.repository, one, "project", older=newer, newer=older) == ()
