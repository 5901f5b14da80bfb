"""Settings -> the text of a shipline.toml. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def settings_text(settings: dict[str, Any], comment: str) -> str:
    """The file's text: plain settings, then tables, then lists of tables."""
    lines = [f"# {line}" for line in comment.splitlines()] + ["schema = 1"]
    for name, value in settings.items():
        if isinstance(value, dict):
            lines += _table(name, value)
        else:
            for each in value:
                lines += ["", f"[[{name}]]", *(f"{_key(key)} = {toml_value(item)}" for key, item in each.items())]
    return "\n".join(lines) + "\n"


def _table(name: str, table: dict[str, Any]) -> list[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = ["", f"[{name}]", *(f"{_key(key)} = {toml_value(value)}" for key, value in plain.items())] if plain else []
    for key, value in table.items():
        if isinstance(value, dict):
            lines += _table(f"{name}.{_key(key)}", value)
    return lines


def _key(name: str) -> str:
    return name if PLAIN_KEY.fullmatch(name) else _text(name)


def toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {toml_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return _text(str(value))


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's. What people would not see, and terminals obey, is escaped too."""
    return "".join(each if each.isprintable() else _escape(each) for each in json.dumps(value, ensure_ascii=False))


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 1 << 16 else f"\\U{ord(character):08x}"
