"""Reading `shipline.toml`."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

from shipline.configuration.limits import complaints
from shipline.configuration.root import FILE_NAME
from shipline.configuration.settings import Settings
from shipline.configuration.written import SIZE_MAX, content_of
from shipline.domain.codec import from_json
from shipline.domain.errors import ConfigurationError, UsageError
from shipline.domain.gate import PULL_STAGE
from shipline.domain.strict_toml import read_toml

T = TypeVar("T")


def load_settings(root: Path) -> Settings:
    """The settings of the project at `root`; the defaults where there is no file. Raises ConfigurationError."""
    path = root / FILE_NAME
    if not path.exists():
        return Settings()
    return parse_settings(content_of(path))


def parse_settings(content: bytes) -> Settings:
    """The settings that the bytes of a `shipline.toml` state. Raises ConfigurationError."""
    if len(content) > SIZE_MAX:
        raise ConfigurationError(f"{FILE_NAME} is larger than 1 MiB")
    try:
        data = read_toml(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{FILE_NAME} is not valid TOML", why=str(error)[:200]) from error
    for name, example in (("registry", "pypi"), ("build", "python")):
        if isinstance(data.get(name), dict):
            raise ConfigurationError(
                f"{FILE_NAME}: [{name}] is one table, and there may be several",
                todo=f'write [[{name}]], and in it `provider`, for example "{example}"',
            )
    return checked(read_table(Settings, data, FILE_NAME))


def read_table(kind: type[T], data: dict[str, Any], where: str) -> T:
    """Read a table strictly into its dataclass; ConfigurationError names an unknown key's nearest known one."""
    try:
        return from_json(kind, data)
    except UsageError as error:  # Of the wrong shape, or refused by the dataclass itself.
        raise ConfigurationError(_placed(kind, where, error.what), why=error.why, todo=_advice(error)) from error


def _placed(kind: type, where: str, what: str) -> str:
    """The complaint with its place in the file: `shipline.toml, test[0]: ...` for `Settings.test[0]: ...`."""
    inner = what.removeprefix(kind.__name__)
    if inner == what:
        return f"{where}: {what}"
    return where + (f", {inner[1:]}" if inner.startswith(".") else inner)


def _advice(error: UsageError) -> str:
    unknown = re.search(r"unknown field '([^']*)'", error.what)
    if unknown is None:
        return error.todo
    known = error.todo.removeprefix("known fields: ").split(", ")
    nearest = difflib.get_close_matches(unknown.group(1), known, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{hint}known keys: {', '.join(known) or 'none'}"


def checked(settings: Settings) -> Settings:
    """Refuse what the types cannot: values beyond their limits, two tables of one name, gates of no stage."""
    for complaint in complaints(Settings, settings):
        raise ConfigurationError(f"{FILE_NAME}, {complaint}")
    _check_doubles(settings)
    for package in settings.package:
        if package.name and re.search(r"[*?\[{]", package.path):
            raise ConfigurationError(
                f"{FILE_NAME}: [[package]] {package.name!r} has a path that stands for several folders",
                todo="leave the name out: each package takes that of its manifest",
            )
    stages = {"release", PULL_STAGE, *(environment.name for environment in settings.environment)}
    for gate in settings.gate:
        if gate.stage not in stages:
            raise ConfigurationError(
                f"{FILE_NAME}: gate {gate.name!r} has the unknown stage {gate.stage!r}",
                todo="known ones: " + ", ".join(sorted(stages)),
            )
    _check_order(settings)
    _check_pull_requests(settings)
    return settings


def _check_pull_requests(settings: Settings) -> None:
    if settings.release.mode == "pull-request" and not (settings.forge and settings.release.remote):
        raise ConfigurationError(
            f"{FILE_NAME}: releases by pull request need a forge and a remote",
            todo='set [forge], and remote in [release], or leave out mode = "pull-request"',
        )


def _check_order(settings: Settings) -> None:
    """An environment comes after those that stand before it, so that there is no ring."""
    before: list[str] = []
    for environment in settings.environment:
        for name in environment.after:
            if name not in before:
                raise ConfigurationError(
                    f"{FILE_NAME}: environment {environment.name!r} comes after {name!r}, which is not before it",
                    todo="known ones: " + (", ".join(before) or "none, it is the first"),
                )
        before.append(environment.name)


def _check_doubles(settings: Settings) -> None:
    for what, names in (
        ("environment", [environment.name for environment in settings.environment]),
        ("package", [package.name for package in settings.package if package.name]),
        ("channel", [channel.branch for channel in settings.channel]),
        ("group", [group.name for group in settings.group]),
        ("approver", [approver.name for approver in settings.approver]),
        ("calendar", [rule.name for rule in settings.calendar]),
        ("remediation", [rule.name for rule in settings.remediation]),
        ("gate", [f"{gate.stage}/{gate.name}" for gate in settings.gate]),
        ("test", [test.name for test in settings.test]),
        ("environment.check", [f"{one.name}/{check.name}" for one in settings.environment for check in one.check]),
    ):
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ConfigurationError(f"{FILE_NAME}: two [[{what}]] tables are named {doubles[0]!r}")
