"""Changesets as text: what is read, what is refused, and what a release leaves of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans.changesets import (
    check_known,
    is_changeset,
    read_changeset,
    read_config,
    render_changeset,
    without_ignored,
    without_package,
)
from shipline.domain.change import Bump
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.package import Group

PATH = ".changeset/brave-dogs-run.md"


@pytest.mark.parametrize(
    ("text", "bumps", "summary"),
    [
        ('---\n"a": minor\n---\n\nHello.\n', {"a": Bump.MINOR}, "Hello."),
        ("---\n'@s/a': major\nb: patch\n---\n", {"@s/a": Bump.MAJOR, "b": Bump.PATCH}, ""),
        ('---\r\n"a": "none"   # later\r\n---\r\nOne\r\n\r\nTwo', {"a": Bump.NONE}, "One\n\nTwo"),
        ("---\n---\n", {}, ""),
        ("---\n\n# nothing\n---\n\ntext --- and\n---\n", {}, "text --- and\n---"),
        ('\ufeff\n---\n"a": patch\n---', {"a": Bump.PATCH}, ""),
    ],
)
def test_what_people_write_is_read(text: str, bumps: dict[str, Bump], summary: str) -> None:
    found = read_changeset(PATH, text.encode())
    assert (found.bumps, found.summary, found.name) == (bumps, summary, "brave-dogs-run")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no front matter", "between two lines of ---"),
        (b'---\n"a": minor\n', "between two lines of ---"),
        (b'---\n"a": huge\n---\n', "no package with its bump"),
        (b"---\na: &x minor\nb: *x\n---\n", "no package with its bump"),
        (b'---\n"a": !!python/object:os.system minor\n---\n', "no package with its bump"),
        (b'---\n"a": minor\n"a": major\n---\n', "twice"),
        (b'---\n{"a": minor}\n---\n', "no package with its bump"),
        (b"---\n" + b"x" * 70_000, "larger than 64 KiB"),
        (b"---\n" + b"".join(b'"p%d": patch\n' % number for number in range(1001)) + b"---\n", "more than 1000"),
        (b"---\n" + b'"a' * 20_000 + b"\n---\n", "no package with its bump"),
    ],
)
def test_what_cannot_be_understood_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(InvalidValue, match=told) as caught:
        read_changeset(PATH, content)
    assert PATH in caught.value.what


NAMES = st.from_regex(r"(?:@[a-z]{1,5}/)?[a-z][a-z0-9._-]{0,8}", fullmatch=True)


@given(st.dictionaries(NAMES, st.sampled_from(list(Bump)), max_size=5), st.text(max_size=60))
def test_what_is_written_is_read_again(bumps: dict[str, Bump], summary: str) -> None:
    found = read_changeset(PATH, render_changeset(bumps, summary).encode("utf-8", "replace"))
    assert found.bumps == bumps


@given(st.dictionaries(NAMES, st.sampled_from(list(Bump)), min_size=1, max_size=5), st.data())
def test_a_release_takes_its_own_line_and_no_other(bumps: dict[str, Bump], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(bumps)))
    content = render_changeset(bumps, 'Hello.\n\n"other": minor').encode()
    left = without_package(PATH, content, name)
    others = {each: bump for each, bump in bumps.items() if each != name}
    if left is None:
        assert set(others.values()) <= {Bump.NONE}
    else:
        assert read_changeset(PATH, left).bumps == others
        assert len(content.split(b"\n")) - len(left.split(b"\n")) == 1


def test_what_is_no_changeset_is_known_by_its_path() -> None:
    paths = [PATH, ".changeset/README.md", ".changeset/.x.md", ".changeset/a/b.md", ".changeset/config.json", "a.md"]
    assert [path for path in paths if is_changeset(path)] == [PATH]


def test_a_changeset_for_nobody_is_refused_with_the_nearest_name() -> None:
    found = read_changeset(PATH, b'---\n"quote": minor\n---\n')
    with pytest.raises(InvalidValue, match="no such package") as caught:
        check_known([found], ["quotes", "other"])
    assert "did you mean 'quotes'" in caught.value.todo


def test_ignored_packages_keep_their_changesets() -> None:
    one, other = (read_changeset(PATH, b'---\n"%s": minor\n---\n' % name) for name in (b"a", b"b"))
    both = read_changeset(PATH, b'---\n"a": minor\n"b": minor\n---\n')
    assert without_ignored([one, other], ["a*"]) == (other,)
    with pytest.raises(ConfigurationError, match="'a'"):
        without_ignored([both], ["a"])


def test_the_configuration_is_read_as_far_as_it_means_something() -> None:
    table = {
        "fixed": [["a", "b"]],
        "linked": [["c", "d-*"]],
        "ignore": ["e"],
        "updateInternalDependencies": "minor",
        "bumpVersionsWithWorkspaceProtocolOnly": True,
        "baseBranch": "main",
        "changelog": ["@changesets/changelog-git", {}],
    }
    config = read_config(json.dumps(table).encode())
    assert config.groups == (Group("fixed 1", ("a", "b"), fixed=True), Group("linked 1", ("c", "d-*")))
    assert (config.ignored, config.protocol_only, config.base) == (("e",), True, "main")
    assert config.update_from is Bump.MINOR


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"fixed": "a"}', b'{"ignore": [1]}', b"[" * 10_000])
def test_a_configuration_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigurationError):
        read_config(content)
