"""commitizen. From: https://commitizen-tools.github.io/commitizen/config/, commitizen 4."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.scaffold.answers import (
    TEMPLATE,
    Draft,
    Meanings,
    answer_all,
    package_setting,
    text,
    texts,
    version_pattern,
)
from shipline.capabilities.scaffold.answers import with_version as _with_version
from shipline.capabilities.scaffold.places import known, on_lines_with, put_version_files

FILES: dict[str, tuple[str, ...]] = {
    ".cz.toml": ("tool", "commitizen"),
    "cz.toml": ("tool", "commitizen"),
    "pyproject.toml": ("tool", "commitizen"),
    ".cz.json": ("commitizen",),
    "cz.json": ("commitizen",),
    ".cz.yaml": ("commitizen",),
    "cz.yaml": ("commitizen",),
}
SCHEMES = {"pep440": "pep440", "semver": "semver", "semver2": "semver"}
VERSION = ("${version}", "$version")
NOT_NEEDED = {
    "version": "versions come from the tags",
    "update_changelog_on_bump": "a release writes the changelog",
    "changelog_incremental": "the changelog is prepended to",
    "changelog_merge_prerelease": "a final release has all changes since the last one",
    "annotated_tag": "tags are annotated",
    "major_version_zero": "see (before 1.0.0)",
    "use_shortcuts": "there are no questions",
    "style": "there are no questions",
    "encoding": "files are edited as bytes",
    "allow_abort": "an empty message is refused by git",
    "always_signoff": "`git commit --signoff` does it",
}
NO_EQUAL = {
    "pre_bump_hooks": "tests before a release are [[test]]",
    "post_bump_hooks": "nothing is run after a release",
    "customize": "types are set in lint.rules, other bumps cannot be",
    "allowed_prefixes": "what is let pass is fixed: merges, reverts, fixups",
    "changelog_start_rev": "the changelog begins with the first release tag",
    "changelog_format": "changelogs are Markdown",
    "prerelease_offset": "pre-releases are counted from 0 or 1 by their scheme",
    "ignored_tag_formats": "tags that are no versions of the format are left alone",
    "legacy_tag_formats": "only tags of one format count",
    "retry_after_failure": "there are no questions",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key."""
    takers = {
        "name": _name,
        "tag_format": version_pattern("tag_format", *VERSION),
        "version_scheme": _scheme,
        "version_type": _scheme,
        "version_files": _version_files,
        "version_provider": _provider,
        "changelog_file": package_setting("changelog"),
        "bump_message": _bump_message,
        "gpg_sign": lambda draft, key, value: draft.put(key, "release", "sign_tags", bool(value)),
        "message_length_limit": _length,
    }
    answer_all(draft, data, Meanings(takers, NOT_NEEDED, NO_EQUAL, dict.fromkeys(("template", "extras"), TEMPLATE)))
    _before_1(draft, stays=data.get("major_version_zero") is True)
    if "tag_format" not in data:
        draft.put_package("(no tag_format)", "tag_format", "{version}")


def _before_1(draft: Draft, *, stays: bool) -> None:
    """From: commitizen/defaults.py, 4.17: `major_version_zero` is false where nothing is said."""
    why = "major_version_zero is true" if stays else "without major_version_zero a breaking change leads to 1.0.0"
    draft.before_1("(before 1.0.0)", breaking="minor" if stays else "major", why=why)


def _name(draft: Draft, key: str, value: Any) -> None:
    if text(value) == "cz_conventional_commits":
        draft.not_needed(key, "messages are conventional commits")
    else:
        draft.no_equal(key, "messages are conventional commits; what counts can be set in lint.rules")


def _scheme(draft: Draft, key: str, value: Any) -> None:
    draft.put_package(key, "scheme", SCHEMES[text(value)])


def _provider(draft: Draft, key: str, value: Any) -> None:
    """What a provider reads the version from it also writes, beside the version files."""
    if text(value) not in ("commitizen", "scm"):
        draft.beside.add(".")
    draft.not_needed(key, "versions come from the tags, and are written into the version files")


def _version_files(draft: Draft, key: str, value: Any) -> None:
    """`FILE`, or `FILE:WORDS` for the lines that hold them."""
    for number, each in enumerate(texts(value)):
        path, _, words = each.partition(":")
        place = f"{key}[{number}]"
        if any(mark in path for mark in "*?["):
            draft.no_equal(place, f"name the files one by one: {path[:60]!r} stands for several")
            continue
        try:
            put_version_files(draft, place, [on_lines_with(path, words) if words else known(path)])
        except ValueError as error:
            draft.no_equal(place, str(error))


def _bump_message(draft: Draft, key: str, value: Any) -> None:
    pattern = text(value).split("\n")[0].replace("$current_version → ", "").replace("$current_version -> ", "")
    draft.put(key, "release", "commit_message", _with_version(pattern, ("$new_version",)))


def _length(draft: Draft, key: str, value: Any) -> None:
    draft.rule(key, "header-max-length", [2, "always", int(value)] if value else [0])
