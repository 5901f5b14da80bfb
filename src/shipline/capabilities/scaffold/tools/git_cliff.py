"""git-cliff. From: https://git-cliff.org/docs/configuration/, git-cliff 2."""

from __future__ import annotations

import re
from typing import Any

from shipline.capabilities.scaffold.answers import Draft, Meanings, answer_all, package_setting, text

FILES: dict[str, tuple[str, ...]] = {
    "cliff.toml": (),
    ".cliff.toml": (),
    ".config/cliff.toml": (),
    "pyproject.toml": ("tool", "git-cliff"),
}
FORM = "the changelog has one form"
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
NO_EQUAL = dict.fromkeys(("header", "body", "footer", "postprocessors", "sort_commits", "link_parsers"), FORM) | {
    "filter_unconventional": "commits that are not conventional move no version, and are not listed",
    "filter_commits": "types decide what is listed",
    "fail_on_unmatched_commit": "`shipline lint` finds what is not conventional",
    "commit_preprocessors": "messages are read as they are",
    "commit_parsers": "types decide the section of a change",
    "skip_tags": "tags that are no versions of the format are left alone",
    "ignore_tags": "tags that are no versions of the format are left alone",
    "count_tags": "tags that are no versions of the format are left alone",
    "use_branch_tags": "reachability decides which tags count",
    "include_paths": "what belongs to a package is its folder",
    "exclude_paths": "what belongs to a package is its folder",
    "initial_tag": "the first version is the one in the package's files",
    "bump_type": "the commits decide",
    "custom_major_increment_regex": "the commits decide",
    "custom_minor_increment_regex": "the commits decide",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key of every table."""
    for name, table in data.items():
        takers = {"output": package_setting("changelog"), "tag_pattern": _tag_pattern}
        if name == "remote":
            draft.not_needed(name, "the address of the git remote says it")
        elif isinstance(table, dict):
            answer_all(draft, table, Meanings(takers, NOT_NEEDED, NO_EQUAL), prefix=f"{name}.")
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
