"""git-cliff. From: https://git-cliff.org/docs/configuration/, git-cliff 2."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from shipline.capabilities.scaffold.answers import (
    TEMPLATE,
    Draft,
    Meanings,
    Taker,
    answer_all,
    package_setting,
    text,
    texts,
)

FILES: dict[str, tuple[str, ...]] = {
    "cliff.toml": (),
    ".cliff.toml": (),
    ".config/cliff.toml": (),
    "pyproject.toml": ("tool", "git-cliff"),
}
TYPES = ("build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test")
"""The types that a pattern is tried on: those of Conventional Commits and of Angular's convention."""
WORDS = re.compile(r"\^?\(?\^?([a-z]+(?:\|\^?[a-z]+)*)\)?(?::|\\b)?")
"""Patterns that name types by their beginning: `^feat`, `^chore|^ci`, `^(fix|perf)`."""
EVERYTHING = (".*", "^.*", ".+")
MARK = re.compile(r"<!--.*?-->")
TAGS = re.compile(r"</?[a-z][^<>]*>")
NOT_NEEDED = {
    "trim": "blanks around entries are left out",
    "conventional_commits": "commits are conventional",
    "require_conventional": "`shipline lint` requires it",
    "split_commits": "a squash body with several changes is read as several",
    "protect_breaking_commits": "a breaking change is always listed",
    "topo_order": "reachability decides, not dates",
    "topo_order_commits": "reachability decides, not dates",
    "limit_commits": "the history is read in one pass",
    "features_always_bump_minor": "see (before 1.0.0)",
    "breaking_always_bump_major": "see (before 1.0.0)",
    "render_always": "an empty release writes nothing",
    "recurse_submodules": "a submodule has its own releases",
}
BY_HAND = dict.fromkeys(("header", "body", "footer", "postprocessors", "sort_commits", "link_parsers"), TEMPLATE)
NO_EQUAL = {
    "fail_on_unmatched_commit": "`shipline lint` finds what is not conventional",
    "commit_preprocessors": "messages are read as they are",
    "skip_tags": "tags that are no versions of the format are left alone",
    "ignore_tags": "tags that are no versions of the format are left alone",
    "count_tags": "tags that are no versions of the format are left alone",
    "use_branch_tags": "reachability decides which tags count",
    "initial_tag": "the first version is the one in the package's files",
    "bump_type": "the commits decide",
    "custom_major_increment_regex": "the commits decide",
    "custom_minor_increment_regex": "the commits decide",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key of every table."""
    for name, table in data.items():
        takers: dict[str, Taker] = {"output": package_setting("changelog"), "tag_pattern": _tag_pattern}
        takers |= {"filter_unconventional": _unconventional, "filter_commits": _filter_commits}
        takers |= {"include_paths": _include, "exclude_paths": _exclude}
        if name == "remote":
            draft.not_needed(name, "the address of the git remote says it")
        elif isinstance(table, dict):
            takers["commit_parsers"] = partial(_sections, rest=table.get("filter_commits") is not True)
            ordered = dict(sorted(table.items(), key=lambda each: each[0] == "exclude_paths"))  # Include goes first.
            answer_all(draft, ordered, Meanings(takers, NOT_NEEDED, NO_EQUAL, BY_HAND), prefix=f"{name}.")
        else:
            draft.no_equal(name, "it is not known to this import")
    bump = data.get("bump")
    _before_1(draft, bump if isinstance(bump, dict) else {})


def _before_1(draft: Draft, bump: dict[str, Any]) -> None:
    """From: git-cliff-core/src/release.rs, 2.13: both are true where nothing is said."""
    breaking = "minor" if bump.get("breaking_always_bump_major") is False else "major"
    features = "patch" if bump.get("features_always_bump_minor") is False else "minor"
    why = f"`git cliff --bump` moves the {breaking} version by a breaking change, the {features} one by a feature"
    draft.before_1("(before 1.0.0)", breaking=breaking, features=features, why=why)


def _tag_pattern(draft: Draft, key: str, value: Any) -> None:
    found = re.fullmatch(r"\^?([A-Za-z@/_-]*)(?:\[0-9\]|\\d|\(\\d)[^|]*", text(value))
    if found is None:
        raise ValueError("a pattern whose beginning is not plain")
    draft.put_package(key, "tag_format", found[1] + "{version}")


def _unconventional(draft: Draft, key: str, value: Any) -> None:
    words = "commits that are not conventional move no version, and are not listed"
    (draft.not_needed if value is True else draft.no_equal)(key, words)


def _filter_commits(draft: Draft, key: str, value: Any) -> None:
    if value is True:
        draft.not_needed(key, "a type that is in no [[changelog.section]] is not listed")
    else:
        draft.not_needed(key, "each usual type has a [[changelog.section]]")


def _include(draft: Draft, key: str, value: Any) -> None:
    """Only these: all else is taken out, since `include` goes before `exclude`."""
    if texts(value):
        draft.put_package(key, "include", list(map(_glob, texts(value))))
        draft.package()["exclude"] = ["**"]


def _exclude(draft: Draft, key: str, value: Any) -> None:
    if "include" in draft.package():
        draft.by_hand(key, "`include` of the [[package]] goes before `exclude`: name there only what counts")
    elif texts(value):
        draft.put_package(key, "exclude", list(map(_glob, texts(value))))


def _glob(pattern: str) -> str:
    """Our form of a glob in which `*` stands for slashes too, as in git-cliff-core/src/repo.rs; `dir/` is all in it."""
    names = pattern.removeprefix("./").split("/")
    names = ["**" if name in ("", "*", "**") else f"**/{name}" if "*" in name else name for name in names]
    return "/".join(name for at, name in enumerate(names) if name != "**" or names[at - 1 : at] != ["**"])


def _sections(draft: Draft, key: str, value: Any, *, rest: bool) -> None:
    """Groups of commits by the beginning of their message, which is the type. The first parser that fits holds.

    From: git-cliff-core/src/commit.rs, 2.13: what has no group is in one that is called after its type; and with `rest`
    so is what no parser fits.
    """
    titles: dict[str, list[str]] = {}
    orders: dict[str, str] = {}
    seen: set[str] = set()
    for number, parser in enumerate(value):
        place, group = f"{key}[{number}]", text(parser.get("group", ""))
        kinds = _types(text(parser.get("message", "")), seen) if set(parser) <= {"message", "group", "skip"} else None
        seen |= {*(kinds or ())}
        if kinds is None and parser.get("skip") is True and "release" in str(parser.get("message")):
            draft.not_needed(place, "the commits of releases are listed nowhere")
        elif kinds is None:
            draft.no_equal(place, "a [[changelog.section]] goes by types alone")
        elif parser.get("skip") is True:
            draft.not_needed(place, f"what is in no [[changelog.section]] is not listed: {', '.join(kinds)}"[:160])
        else:
            for kind in kinds:
                title = TAGS.sub("", MARK.sub("", group)).strip() or kind.capitalize()
                titles.setdefault(title, []).append(kind)
                orders.setdefault(title, group)
            draft.taken(place, f"[[changelog.section]] for {', '.join(kinds)}"[:160])
    if orders and all(MARK.match(group) for group in orders.values()):
        titles = {title: titles[title] for title in sorted(titles, key=orders.__getitem__)}
    if titles:
        left = [kind for kind in TYPES if kind not in seen] if rest else []
        titles |= {kind.capitalize(): [*titles.get(kind.capitalize(), []), kind] for kind in left}
        listed = [{"title": title, "types": kinds} for title, kinds in titles.items()]
        draft.settings.setdefault("changelog", {})["section"] = listed


def _types(message: str, seen: set[str]) -> list[str] | None:
    """The types that a pattern is about, without those that an earlier one took; None for what is no such pattern."""
    if message in EVERYTHING:
        return [kind for kind in TYPES if kind not in seen]
    found = WORDS.fullmatch(message)
    if found is None or not message.startswith(("^", "(^")):
        return None
    words = found[1].replace("^", "").split("|")
    kinds = [kind for word in words for kind in ([each for each in TYPES if each.startswith(word)] or [word])]
    return [kind for kind in dict.fromkeys(kinds) if kind not in seen]
