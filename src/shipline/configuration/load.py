"""Finding and reading `shipline.toml`."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from shipline.configuration.settings import EnvironmentSettings, Settings
from shipline.domain.codec import from_json
from shipline.domain.errors import ConfigurationError, InvalidValue

FILE_NAME = "shipline.toml"
SIZE_MAX = 1 << 20
NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")

T = TypeVar("T")


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upwards that holds `shipline.toml` or `.git`; `start` itself if none does."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file() or (folder / ".git").exists():
            return folder
    return start


def load_settings(root: Path) -> Settings:
    """The settings of the project at `root`; the defaults where there is no file. Raises ConfigurationError."""
    path = root / FILE_NAME
    if not path.exists():
        return Settings()
    content = path.read_bytes()[: SIZE_MAX + 1]
    if len(content) > SIZE_MAX:
        raise ConfigurationError(f"{FILE_NAME} is larger than 1 MiB")
    try:
        data = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{FILE_NAME} is not valid TOML", why=str(error)) from error
    return checked(read_table(Settings, data, FILE_NAME))


def read_table(kind: type[T], data: dict[str, Any], where: str) -> T:
    """Read a table strictly into its dataclass; ConfigurationError names an unknown key's nearest known one."""
    try:
        return from_json(kind, data)
    except InvalidValue as error:
        raise ConfigurationError(f"{where}: {error.what}", why=error.why, todo=_advice(error)) from error


def _advice(error: InvalidValue) -> str:
    unknown = re.search(r"unknown field '([^']*)'", error.what)
    if unknown is None:
        return error.todo
    known = error.todo.removeprefix("known fields: ").split(", ")
    nearest = difflib.get_close_matches(unknown.group(1), known, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{hint}known keys: {', '.join(known)}"


def checked(settings: Settings) -> Settings:
    """Refuse what the types cannot: another schema, names that are no names, two of one name, unknown strategies."""
    if settings.schema != 1:
        raise ConfigurationError(
            f"{FILE_NAME}: schema {settings.schema} is not known", todo="this Shipline reads schema = 1"
        )
    _check_doubles(settings)
    for environment in settings.environment:
        _check_environment(environment)
    stages = {"release", *(environment.name for environment in settings.environment)}
    for gate in settings.gate:
        if gate.stage not in stages:
            raise ConfigurationError(
                f"{FILE_NAME}: gate {gate.name!r} has the unknown stage {gate.stage!r}",
                todo="known ones: " + ", ".join(sorted(stages)),
            )
    return settings


def _check_doubles(settings: Settings) -> None:
    for what, names in (
        ("environment", [environment.name for environment in settings.environment]),
        ("package", [package.name for package in settings.package]),
        ("gate", [f"{gate.stage}/{gate.name}" for gate in settings.gate]),
        ("test", [test.name for test in settings.test]),
    ):
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ConfigurationError(f"{FILE_NAME}: two [[{what}]] tables are named {doubles[0]!r}")


def _check_environment(environment: EnvironmentSettings) -> None:
    if not NAME.match(environment.name):
        raise ConfigurationError(
            f"{FILE_NAME}: {environment.name[:60]!r} cannot name an environment", todo="use a-z, 0-9 and -, at most 40"
        )
    if environment.strategy not in ("canary", "all-at-once"):
        raise ConfigurationError(
            f"{FILE_NAME}: environment {environment.name}: unknown strategy {environment.strategy!r}",
            todo="known ones: canary, all-at-once",
        )
    if not 1 <= environment.instances <= 100:
        raise ConfigurationError(f"{FILE_NAME}: environment {environment.name}: instances must be 1 to 100")
