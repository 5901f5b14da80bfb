"""The bytes of a configuration file -> data, by the file's name. Pure; ValueError says what is wrong with it."""

from __future__ import annotations

import configparser
import json
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.capabilities.scaffold.literal import read_literal, without_computed
from shipline.domain.strict_toml import read_toml

CODE = (".js", ".cjs", ".mjs", ".ts")
SIZE_MAX = 1 << 20
YAML_SIZE_MAX = 256 << 10
YAML_DEPTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Read:
    """The table that a file holds. `computed` are places below its keys of which only code says the value, with its
    words; a key itself of that kind is still there, as Computed."""

    data: dict[str, Any]
    computed: tuple[tuple[str, str], ...] = ()


def read_data(name: str, content: bytes) -> Read:
    """What the file holds. A name without a known ending is YAML, of which JSON is a part."""
    if len(content) > SIZE_MAX:
        raise ValueError("it is larger than 1 MiB")
    source = content.decode("utf-8-sig")
    try:
        data = _parsed(name, source)
    except (RecursionError, yaml.YAMLError, configparser.Error) as error:
        raise ValueError(str(error)[:200] or "it is nested too deeply") from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ValueError("it is no table of names")
    return Read(*without_computed(data)) if name.endswith(CODE) else Read(data)


def _parsed(name: str, source: str) -> Any:
    if name.endswith(".toml"):
        return read_toml(source)
    if name.endswith(".json"):
        return json.loads(source)
    if name.endswith(CODE):
        return read_literal(source)
    if name == ".gitlint":
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(source)
        return {section: dict(parser.items(section)) for section in parser.sections()}
    return _read_yaml(source)


def _read_yaml(source: str) -> Any:
    """Plain data. An alias is refused: a few lines of them stand for more than there is memory."""
    if len(source) > YAML_SIZE_MAX:
        raise ValueError(f"YAML of more than {YAML_SIZE_MAX >> 10} KiB is not read")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    for event in yaml.parse(source, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > YAML_DEPTH_MAX or isinstance(event, yaml.AliasEvent):
            raise ValueError("it is nested too deeply, or holds an alias (*name), which is not followed")
    return yaml.load(source, Loader=loader)  # noqa: S506 - either of the safe loaders
