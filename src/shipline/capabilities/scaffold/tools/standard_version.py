"""standard-version 9 and commit-and-tag-version.

From: https://github.com/conventional-changelog/standard-version and, in the same place,
conventional-changelog-config-spec 2.1.
"""

from __future__ import annotations

from typing import Any

from shipline.capabilities.scaffold.answers import (
    Draft,
    Meanings,
    answer_all,
    message_pattern,
    package_setting,
    sections,
    text,
)

ENDINGS = ("", ".json", ".js", ".cjs")
FILES: dict[str, tuple[str, ...]] = {f".versionrc{ending}": () for ending in ENDINGS} | {
    "package.json": ("standard-version",)
}
FORGE = "links are those of the remote's forge"
NOT_NEEDED = {
    "$schema": "it is for editors",
    "packageFiles": "versions come from the tags",
    "firstRelease": "the first release is known by there being no tag",
    "commitAll": "a release commits what it changed, and nothing else",
    "preset": "commits are conventional",
    "silent": "it is an option of a command",
    "dryRun": "`shipline plan` shows what would be done",
    "noVerify": "hooks do not run for a release's commit",
    "gitTagFallback": "versions come from the tags",
    "preMajor": "before 1.0.0 a breaking change moves the minor version",
} | dict.fromkeys(("commitUrlFormat", "compareUrlFormat", "issueUrlFormat", "userUrlFormat", "issuePrefixes"), FORGE)
NO_EQUAL = {
    "header": "the changelog has one form",
    "skip": "a release does all of its steps",
    "scripts": "tests before a release are [[test]]; nothing else is run",
    "prerelease": "the branch decides, by its [[channel]]",
    "releaseAs": "the commits decide",
    "signoff": "the release's commit is not signed off",
    "path": "packages are found in the files, or named in [[package]]",
    "lernaPackage": "packages are found in the files, or named in [[package]]",
    "npmPublishHint": "a release publishes",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key."""
    takers = {
        "tagPrefix": lambda draft, key, value: draft.put_package(key, "tag_format", text(value) + "{version}"),
        "infile": package_setting("changelog"),
        "bumpFiles": _files,
        "types": sections,
        "releaseCommitMessageFormat": message_pattern("{{currentTag}}", "{{ currentTag }}"),
        "sign": lambda draft, key, value: draft.put(key, "release", "sign_tags", bool(value)),
    }
    answer_all(draft, data, Meanings(takers, NOT_NEEDED, NO_EQUAL))


def _files(draft: Draft, key: str, value: Any) -> None:
    names = [text(each["filename"] if isinstance(each, dict) else each) for each in value]
    draft.put_package(key, "version_files", names)
