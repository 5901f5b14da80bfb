"""Ranges raised, and what is changed in a repository so that a version that mends something is required."""

from __future__ import annotations

import pytest

from shipline.capabilities.automation.remediation.bumping import Proposal, manifests_of, propose
from shipline.capabilities.automation.remediation.ranges import highest, raised, target_of

DIGEST = f"sha256:{'b' * 64}"


@pytest.mark.parametrize(
    ("kind", "text", "fixed", "expected"),
    [
        ("pypi", "==2.31.0", "2.32.4", "==2.32.4"),
        ("pypi", "==2.33", "2.32.4", "==2.33"),
        ("pypi", ">=2,<3,!=2.30", "2.32.4", ">=2.32.4,<3,!=2.30"),
        ("pypi", "<3", "2.32.4", "<3,>=2.32.4"),
        ("pypi", "~=2.31", "2.32.4", "~=2.31,>=2.32.4"),
        ("pypi", "<2.32", "2.32.4", None),
        ("pypi", "~=2.31.0", "2.32.4", None),
        ("pypi", "===2.31.0", "2.32.4", None),
        ("pypi", "^2.31", "2.32.4", "^2.32.4"),
        ("pypi", "2.31 || 3", "2.32.4", None),
        ("npm", "^1.2.3", "1.2.9", "^1.2.9"),
        ("npm", "~2", "1.2.9", "~2"),
        ("npm", "1.x || 2", "1.2.9", None),
        ("npm", "latest", "1.2.9", None),
        ("cargo", "0.8", "0.8.5", "0.8.5"),
        ("golang", "v0.17.0", "0.31.0", "v0.31.0"),
        ("golang", "v1.0.0", "v2.0.0", None),
        ("docker", "3.18", DIGEST, None),
        ("docker", f"sha256:{'a' * 64}", DIGEST, DIGEST),
        ("maven", "1.0", "2.0", None),
    ],
)
def test_a_range_is_raised_or_left_to_people(kind: str, text: str, fixed: str, expected: str | None) -> None:
    assert raised(kind, text, fixed) == expected


def test_the_lowest_version_that_mends_all_is_aimed_at() -> None:
    assert target_of("pypi", "2.31.0", ("1.9", "3.0", "2.32.0")) == "2.32.0"
    assert target_of("pypi", "", ("1.9", "3.0")) is None
    assert target_of("maven", "1", ("2",)) is None
    assert highest("pypi", ("2.32.0", "2.32.10")) == "2.32.10"
    assert highest("npm", ("1.0.0", "next")) is None


def proposed(purl: str, target: str, files: dict[str, str], *installed: str) -> Proposal:
    paths = tuple(files)
    contents = {path: files[path].encode() for path in manifests_of(purl, paths)}
    return propose(purl, target, contents, paths, installed=frozenset(installed))


def test_every_manifest_is_edited_and_lock_files_are_named() -> None:
    """What is copied from elsewhere is left alone, and what leaves its range is said to do so."""
    files = {
        "web/package.json": '{"dependencies": {"left": "^1.2.3"}}',
        "node_modules/x/package.json": '{"dependencies": {"left": "^1.2.3"}}',
        "web/package-lock.json": "{}",
        "api/package.json": '{"dependencies": {"left": ">=1 <2"}}',
    }
    made = proposed("pkg:npm/left", "2.0.0", files)
    assert made.files == {"web/package.json": b'{"dependencies": {"left": "^2.0.0"}}'}
    assert "may break something" in made.changes[0]
    assert ("api/package.json" in made.left[0], made.is_settled) == (True, False)
    (lock,) = made.locks
    assert lock.startswith("run `npm install --package-lock-only` for web/package-lock.json: ")


@pytest.mark.parametrize(
    ("purl", "target", "files", "left", "is_settled"),
    [
        ("pkg:pypi/requests", "2.32.4", {"requirements.txt": "requests==2.33\n"}, "", True),
        ("pkg:pypi/requests", "2.32.4", {"requirements.txt": "requests==2 --hash=sha256:0\n"}, "by hand", False),
        ("pkg:pypi/requests", "2.32.4", {"pyproject.toml": "["}, "by hand", False),
        ("pkg:pypi/requests", "2.32.4", {"requirements.txt": "other==1\n"}, "no manifest", False),
        ("pkg:maven/g/a", "2", {"pom.xml": "<project/>"}, "not known here", False),
        ("pkg:npm/a%0ab", "2.0.0", {"package.json": "{}"}, "not known here", False),
        ("pkg:pypi/a", "2;evil", {"requirements.txt": "a==1\n"}, "not known here", False),
        ("pkg:docker/library/alpine", "3.21", {"Dockerfile": "FROM alpine:3.22\n"}, "not raised", False),
    ],
)
def test_what_cannot_be_edited_safely_is_said(
    purl: str,
    target: str,
    files: dict[str, str],
    left: str,
    is_settled: bool,  # noqa: FBT001
) -> None:
    made = proposed(purl, target, files, "3.18")
    assert (dict(made.files), made.is_settled) == ({}, is_settled)
    assert left in " ".join(made.left)
    assert bool(left) == bool(made.left)
