"""python-semantic-release 10. From: https://python-semantic-release.readthedocs.io/en/latest/configuration/."""

from __future__ import annotations

import re
from typing import Any

from shipline.capabilities.scaffold.answers import (
    TEMPLATE,
    Draft,
    Meanings,
    Taker,
    answer_all,
    message_pattern,
    text,
    texts,
    version_pattern,
)
from shipline.capabilities.scaffold.places import assigned, put_version_files
from shipline.capabilities.scaffold.writing import toml_value

FILES: dict[str, tuple[str, ...]] = {
    "pyproject.toml": ("tool", "semantic_release"),
    "releaserc.toml": ("semantic_release",),
    "releaserc.json": ("semantic_release",),
}
ONLY = "it is an option of the machine, not of the project"
NOT_NEEDED = {
    "allow_zero_version": "see (before 1.0.0)",
    "major_on_zero": "see (before 1.0.0)",
    "commit_author": "git's own identity commits",
    "logging_use_named_masks": ONLY,
    "no_git_verify": "hooks do not run for a release's commit",
    "repo_dir": ONLY,
    "add_partial_tags": "moving tags are made by nobody",
    "tag_commit": "a release commits and tags",
}
NO_EQUAL = {
    "build_command_env": "what builds a package gets no credentials",
    "assets": "what a release commits are its version files and changelog",
    "commit_parser": "commits are conventional",
}
PYTHON_BUILDS = (
    "python -m build",
    "python3 -m build",
    "poetry build",
    "hatch build",
    "uv build",
    "pdm build",
    "flit build",
)
PREPARATIONS = ("pip install", "python -m pip install", "python3 -m pip install", "uv pip install", "uv sync")
FORGES = ("github", "gitlab", "gitea")
FIXED = "the conventional bumps hold"
PARSERS = ("conventional", "conventional-monorepo", "angular")
WORDS = {
    "parse_squash_commits": "a squash body is read as several changes",
    "ignore_merge_commits": "merges move nothing",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key."""
    takers = {
        "build_command": _build_command,
        "publish": _publish,
        "upload_to_pypi": _to_index,
        "upload_to_repository": _to_index,
        "version_toml": _version_files,
        "version_variables": _version_files,
        "tag_format": version_pattern("tag_format", "{version}"),
        "branches": _branches,
        "branch": lambda draft, key, value: draft.put(key, "release", "branch", text(value)),
        "commit_message": message_pattern("{version}"),
        "commit_parser": _parser,
        "commit_parser_options": _options,
        "remote": _remote,
        "changelog": _changelog,
    }
    answer_all(draft, data, Meanings(takers, NOT_NEEDED, NO_EQUAL))
    _before_1(draft, data)


def _before_1(draft: Draft, data: dict[str, Any]) -> None:
    """From: src/semantic_release/version/algorithm.py and cli/config.py, 10.6: `major_on_zero` is true where nothing is
    said, and looked at only with `allow_zero_version`, which is false since version 10 and was true before."""
    stays = data.get("major_on_zero") is False and data.get("allow_zero_version") is not False
    why = "major_on_zero is false" if stays else "unless major_on_zero is false, a breaking change leads to 1.0.0"
    draft.before_1("(before 1.0.0)", breaking="minor" if stays else "major", why=why)
    if data.get("allow_zero_version") is not True:
        words = (
            "version 10 makes the next release after 0.x 1.0.0, whatever it holds, unless allow_zero_version is true: "
        )
        draft.no_equal("(no allow_zero_version)", words + "to leave 0.x here, mark the change that does as breaking")


def _version_files(draft: Draft, key: str, value: Any) -> None:
    """`FILE:NAME`, and since 9.20 `FILE:NAME:FORMAT`: nf for the number, tf for the tag, whose `v` may stand there."""
    parts = [(*each.split(":"), "", "") for each in texts(value)]
    put_version_files(draft, key, [assigned(path, name) for path, name, *_ in parts])


def _build_command(draft: Draft, key: str, value: Any) -> None:
    """What builds Python packages is known; anything else is a command that leaves its files in dist/."""
    command = text(value).strip()
    if not command:
        draft.not_needed(key, "it is empty")
        return
    steps = [step.strip() for step in re.split(r"&&|;|\n", command) if step.strip()]
    if all(step.startswith((*PYTHON_BUILDS, *PREPARATIONS)) for step in steps):
        draft.not_needed(key, "Python packages are built in an environment of their own")
    elif any(build in command for build in PYTHON_BUILDS):
        words = "Python packages are built from the tagged commit alone: let the build backend do what else it does"
        draft.no_equal(key, words)
    else:
        script = f'export NEW_VERSION="$1"\n{command}\ncp dist/* "$0"'
        draft.listed(
            key, "build", {"provider": "command", "command": ["sh", "-e", "-c", script, "{output}", "{version}"]}
        )


def _publish(draft: Draft, key: str, value: Any) -> None:
    for name, each in value.items():
        if name == "upload_to_vcs_release" and each is True:
            draft.shown_on(f"{key}.{name}", draft.settings.get("forge", {}).get("provider", "github"))
        elif name == "upload_to_vcs_release":
            draft.not_needed(f"{key}.{name}", "leave [forge] out to show releases nowhere")
        elif name == "dist_glob_patterns":
            draft.not_needed(f"{key}.{name}", "all artifacts are shown with their release")
        else:
            draft.no_equal(f"{key}.{name}", "it is not known to this import")


def _to_index(draft: Draft, key: str, value: Any) -> None:
    """Before version 8 it published to an index itself."""
    if value is True:
        draft.listed(key, "registry", {"provider": "pypi"})
    else:
        draft.not_needed(key, "leave [[registry]] out to publish nowhere")


def _branches(draft: Draft, key: str, value: Any) -> None:
    for name, table in value.items():
        pattern = text(table.get("match", name)).removeprefix("^").removesuffix("$").replace(".*", "*")
        either = re.fullmatch(r"\(?([\w/|-]+)\)?", pattern)
        globs = either[1].split("|") if either else [pattern]
        if any(mark in each for each in globs for mark in "()|+\\?"):
            draft.no_equal(f"{key}.{name}", f"a branch is named by a glob, and {pattern[:60]!r} is a pattern")
            continue
        for each in globs:
            channel = {"branch": each}
            if table.get("prerelease"):
                channel["name"] = text(table.get("prerelease_token", "rc"))
            draft.settings.setdefault("channel", []).append(channel)
        draft.taken(f"{key}.{name}", f"[[channel]] for {', '.join(globs)}"[:160])


def _parser(draft: Draft, key: str, value: Any) -> None:
    if text(value) in PARSERS:
        draft.not_needed(key, "commits are conventional")
    else:
        draft.no_equal(key, "only conventional commits are read")


def _options(draft: Draft, key: str, value: Any) -> None:
    takers: dict[str, Taker] = {"allowed_tags": _types, "other_allowed_tags": _types}
    takers |= {"minor_tags": _bumps("minor"), "patch_tags": _bumps("patch")}
    answer_all(draft, value, Meanings(takers, WORDS, {"default_bump_level": FIXED}), prefix=f"{key}.")


def _bumps(bump: str) -> Taker:
    """Takes a list of types that move the version in one way."""

    def take(draft: Draft, key: str, value: Any) -> None:
        found = [{"type": kind, "bump": bump} for kind in texts(value)]
        draft.settings.setdefault("bump", []).extend(found)
        draft.taken(key, f"{len(found)} [[bump]] to {bump}")

    return take


def _types(draft: Draft, key: str, value: Any) -> None:
    draft.rule(key, "type-enum", [2, "always", texts(value)])


def _remote(draft: Draft, key: str, value: Any) -> None:
    draft.put(f"{key}.name", "release", "remote", text(value.get("name", "origin")))
    token = value.get("token")
    variable = text(token["env"]) if isinstance(token, dict) and "env" in token else ""
    provider = text(value.get("type", "github"))
    if provider in FORGES and ("type" in value or variable):
        draft.shown_on(f"{key}.type", provider, token_env=variable)
    elif "type" in value:
        draft.no_equal(f"{key}.type", f"releases are shown on {', '.join(FORGES)}")
    for name in (name for name in value if name not in ("name", "type")):
        if name == "token" and variable:
            draft.taken(f"{key}.{name}", f"forge.token_env = {toml_value(variable)}"[:160])
        else:
            draft.no_equal(f"{key}.{name}", "the address of the git remote, and the environment, say it")


def _changelog(draft: Draft, key: str, value: Any) -> None:
    found = value.get("default_templates", {}).get("changelog_file") or value.get("changelog_file")
    if found:
        draft.put_package(f"{key}.changelog_file", "changelog", text(found))
    for name in (name for name in value if name not in ("changelog_file", "default_templates")):
        draft.by_hand(f"{key}.{name}", TEMPLATE)
