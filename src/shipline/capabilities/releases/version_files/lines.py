"""Formats in which the version stands on a line of its own: Python modules, plain files, Helm charts."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from shipline.capabilities.releases.version_files.spans import Span, replaced


@dataclass(frozen=True, slots=True)
class Pattern:
    """A format in which the version stands where `pattern` matches, in the first of its groups that took part."""

    pattern: re.Pattern[bytes]

    def spans(self, data: bytes) -> tuple[Span, ...]:
        """As in Editor; at most one."""
        found = list(self.pattern.finditer(data))
        if len(found) > 1:
            raise ValueError("its version is written more than once")
        return tuple(_group_span(match) for match in found)

    def document(self, data: bytes, version: str | None = None) -> object:
        """As in Editor: no parser is at hand, so it is the bytes."""
        return data if version is None else replaced(data, self.spans(data), version)


def _group_span(match: re.Match[bytes]) -> Span:
    group = next(number for number, text in enumerate(match.groups(), start=1) if text is not None)
    return Span(match.start(group), match.end(group), match[group].decode("latin-1"))


class PythonModule:
    """`__version__ = "…"` at the top level of a Python module, once."""

    _assignment = re.compile(
        rb"(?:(?<![^\r\n])|(?<=\A\xef\xbb\xbf))__version__[ \t]*(?::[^=\r\n]*)?=[ \t]*(?:\w+[ \t]*=[ \t]*)*"
        rb"""(?:"([^"\\\r\n]*)"|'([^'\\\r\n]*)')"""
    )
    _line_end = re.compile(rb"\r\n|\r|\n")

    def spans(self, data: bytes) -> tuple[Span, ...]:
        """As in Editor; at most one, on the line where the parser sees the assignment."""
        stated = [(value.lineno, value.value) for value in _stated(_module(data))]
        found = [(self._line(data, match), _group_span(match)) for match in self._assignment.finditer(data)]
        spans = tuple(span for line, span in found if (line, span.text) in stated)
        if len(stated) > 1 or len(spans) != len(stated):
            raise ValueError("__version__ is not assigned once, to a plain string, at the start of a line")
        return spans

    def _line(self, data: bytes, match: re.Match[bytes]) -> int:
        return len(self._line_end.findall(data, 0, match.start())) + 1

    def document(self, data: bytes, version: str | None = None) -> object:
        """As in Editor: the syntax tree."""
        module = _module(data)
        for value in _stated(module):
            value.value = value.value if version is None else version
        return ast.dump(module)


def _module(data: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # What the module's author may want to mend is not our business.
        return ast.parse(data)


def _stated(module: ast.Module) -> list[ast.Constant]:
    """The strings that the module's top level assigns to `__version__`."""
    values = []
    for statement in module.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == "__version__" for target in targets)
        value = getattr(statement, "value", None)
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            values.append(value)
    return values


PYTHON = PythonModule()
PLAIN = Pattern(re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(\S+)\s*\Z"))
# A top-level key stands at the start of a line; what continues another value is indented (YAML 1.2.2, section 8.2.2).
CHART = Pattern(
    re.compile(
        rb"""(?:(?<![^\r\n])|(?<=\A\xef\xbb\xbf))(?:version|"version"|'version')[ \t]*:[ \t]+"""
        rb"""(?:"([^"\\\r\n]*)"|'([^'\r\n]*)'|([0-9A-Za-z][^\s#]*))(?=[ \t]*(?:[ \t]\#[^\r\n]*)?(?:[\r\n]|\Z))"""
    )
)
