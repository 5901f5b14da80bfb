"""Python modules: `__version__ = "…"` at the top level, once."""

from __future__ import annotations

import ast
import re
import warnings

from shipline.capabilities.version_files.lines import group_span
from shipline.capabilities.version_files.spans import Span, lines_of
from shipline.domain.version_file import VersionFile

# `VERSION` is what a module without `__version__` may call it, as for Hatch.
# From: https://hatch.pypa.io/latest/plugins/version-source/regex/
USUAL_NAMES = ("__version__", "VERSION")


class PythonModule:
    """The version in the first of `VersionFile.names` (empty: USUAL_NAMES) that the module's top level assigns."""

    _assignment = re.compile(
        rb"\w+[ \t]*+(?::[^=\r\n]*+)?=[ \t]*+(?:\w+[ \t]*+=[ \t]*+)*" rb"""(?:"([^"\\\r\n]*+)"|'([^'\\\r\n]*+)')"""
    )

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:
        """As in Editor; at most one, on the line where the parser sees the assignment."""
        stated = _stated(_module(data), file)
        if not stated:
            return ()
        lines = lines_of(data)
        offset, line = lines[stated[0].lineno - 1] if stated[0].lineno <= len(lines) else (0, b"")
        match = self._assignment.match(line)
        if len(stated) > 1 or match is None or group_span(match).text != stated[0].value:
            raise ValueError("its version is not assigned once, to a plain string, at the start of a line")
        return (group_span(match, offset),)

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: the syntax tree."""
        module = _module(data)
        for value in _stated(module, file) if version is not None else ():
            value.value = version
        return ast.dump(module)


def _module(data: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # What the module's author may want to mend is not our business.
        return ast.parse(data)


def _stated(module: ast.Module, file: VersionFile) -> list[ast.Constant]:
    """The strings that the module's top level assigns to the first of the names that it has."""
    values = (_assigned(module, name) for name in file.names or USUAL_NAMES)
    return next((found for found in values if found), [])


def _assigned(module: ast.Module, name: str) -> list[ast.Constant]:
    values = []
    for statement in module.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        value = getattr(statement, "value", None)
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            values.append(value)
    return values


PYTHON = PythonModule()
