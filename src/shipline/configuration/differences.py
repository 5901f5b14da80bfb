"""Where the settings of two environments differ. Values that may be secret are never given: only that they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shipline.clients.programs import without_secrets
from shipline.configuration.settings import EnvironmentSettings
from shipline.domain.codec import to_json

HIDDEN = "(not shown)"
UNSET = None
# Such a key names a variable, and holds no secret itself.
NAMING = ("_environment", "_env")


@dataclass(frozen=True, slots=True)
class Difference:
    """One key, as `traffic.port` or `check[0].min`. A value is None where the key is not there."""

    key: str
    left: Any
    right: Any


def differences(left: EnvironmentSettings, right: EnvironmentSettings) -> tuple[Difference, ...]:
    """The keys whose values differ, by their names; the environments' own names aside."""
    one, other = dict(_flat("", to_json(left))), dict(_flat("", to_json(right)))
    keys = sorted((one.keys() | other.keys()) - {"name"})
    return tuple(
        Difference(key, _shown(key, one.get(key)), _shown(key, other.get(key)))
        for key in keys
        if one.get(key) != other.get(key)
    )


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), each)
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for number, each in enumerate(value):
            yield from _flat(f"{path}[{number}]", each)
    elif value not in ({}, []):
        yield path, value


def _shown(key: str, value: Any) -> Any:
    """The value, unless it may be a secret: by its key's name, by an address with a password, or as the variable of a
    program, whatever that is called."""
    if value is None or isinstance(value, bool | int | float):
        return value
    parts = key.split(".")
    if "environment" in parts[:-1]:
        return HIDDEN
    texts = value if isinstance(value, list) else [value]
    is_named_so = not parts[-1].endswith(NAMING) and not without_secrets({parts[-1]: ""})
    # By a name that says nothing: there are names to which an address with a password is left.
    is_secret = is_named_so or any(not without_secrets({"VALUE": str(text)}) for text in texts)
    return HIDDEN if is_secret else value
