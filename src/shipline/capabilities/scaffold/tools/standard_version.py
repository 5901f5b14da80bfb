"""standard-version 9 and commit-and-tag-version.

From: https://github.com/conventional-changelog/standard-version and, in the same place,
conventional-changelog-config-spec 2.1.
"""

from __future__ import annotations

from typing import Any

from shipline.capabilities.scaffold.answers import (
    TEMPLATE,
    Draft,
    Meanings,
    answer_all,
    message_pattern,
    package_setting,
    sections,
    text,
)
from shipline.capabilities.scaffold.places import known, put_version_files
from shipline.capabilities.version_files import kind_by_name

ENDINGS = ("", ".json", ".js", ".cjs")
FILES: dict[str, tuple[str, ...]] = {f".versionrc{ending}": () for ending in ENDINGS} | {
    "package.json": ("standard-version",)
}
KINDS = {"json": "npm-package", "plain-text": "plain", "maven": "maven", "gradle": "gradle"}
USUAL_PRESET = "conventional-changelog-conventionalcommits"
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
    "preMajor": "see (before 1.0.0)",
} | dict.fromkeys(("commitUrlFormat", "compareUrlFormat", "issueUrlFormat", "userUrlFormat", "issuePrefixes"), FORGE)
NO_EQUAL = {
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
    answer_all(draft, data, Meanings(takers, NOT_NEEDED, NO_EQUAL, {"header": TEMPLATE}))
    _before_1(draft, str(data.get("preset") or ""))


def _before_1(draft: Draft, preset: str) -> None:
    """From: lib/lifecycles/bump.js of standard-version 9.5 and of commit-and-tag-version 13.1.

    Below 1.0.0 `preMajor` is set, whatever is said, and the usual preset makes every step one smaller. Another preset
    that is named gets no such word.
    """
    if preset in ("", USUAL_PRESET):
        why = "it sets preMajor itself, which makes each step one smaller"
        draft.before_1("(before 1.0.0)", breaking="minor", features="patch", why=why)
    else:
        why = f"the preset {preset[:40]!r} is handed no preMajor, so a breaking change leads to 1.0.0"
        draft.before_1("(before 1.0.0)", breaking="major", why=why)


def _files(draft: Draft, key: str, value: Any) -> None:
    """A name, or a table with the kind; what runs code of the project is left to a person."""
    for number, each in enumerate(value):
        place = f"{key}[{number}]"
        name = text(each["filename"] if isinstance(each, dict) else each)
        kind = each.get("type", "") if isinstance(each, dict) else ""
        if isinstance(each, dict) and "updater" in each:
            draft.no_equal(place, f"its updater is code: give {name[:60]!r} a `pattern` with (?P<version>…)")
        elif kind_by_name(name) is None and kind in KINDS:
            put_version_files(draft, place, [{"path": name, "kind": KINDS[kind]}])
        else:
            try:
                put_version_files(draft, place, [known(name)])
            except ValueError as error:
                draft.no_equal(place, str(error))
