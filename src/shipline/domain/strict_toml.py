"""TOML from outside, read with bounds: Python's parser takes time in the square of a key's parts."""

from __future__ import annotations

import re
import tomllib
from typing import Any

KEY_PARTS_MAX = 64
# Quoted parts that are longer are let pass: a file has room for few of them.
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.){0,200}+"|'[^'\n]{0,200}+')"""
_LONG_KEY = re.compile(rf"""(?<![A-Za-z0-9_"'-])(?:{_PART}[ \t]*+\.[ \t]*+){{{KEY_PARTS_MAX}}}""")


def read_toml(text: str, *, floats_as_text: bool = False) -> dict[str, Any]:
    """The document's tables. Raises ValueError for what is no TOML (RecursionError where it is nested too deeply), and
    for keys of more than KEY_PARTS_MAX parts."""
    if _LONG_KEY.search(text):
        raise ValueError(f"keys of more than {KEY_PARTS_MAX} parts are not read")
    return tomllib.loads(text, parse_float=str if floats_as_text else float)
