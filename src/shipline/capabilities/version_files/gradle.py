"""Gradle's build scripts, Groovy and Kotlin: `version = "…"` of the project itself, not of a plug-in or dependency."""

from __future__ import annotations

import re

from shipline.capabilities.version_files.lines import group_span, once
from shipline.capabilities.version_files.spans import Span, replaced
from shipline.domain.version_file import VersionFile

# Everything that may hold a brace or a quote is stepped over whole; what is not closed reaches to the end.
_TOKEN = re.compile(
    rb"""//[^\r\n]*+|/\*(?:.*?\*/|.*+)|\"{3}(?:.*?\"{3}|.*+)|'{3}(?:.*?'{3}|.*+)"""
    rb"""|"[^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*"?|'[^'\\\r\n]*+(?:\\.[^'\\\r\n]*+)*'?"""
    rb"""|(?P<everywhere>\ballprojects[ \t]*+\{)|(?P<open>[({])|(?P<close>[)}])"""
    rb"""|(?P<statement>(?:(?<![^\r\n;])|(?<=\A\xef\xbb\xbf))[ \t]*+(?:(?:project|this)\.)?version\b)""",
    re.DOTALL,
)
_VALUE = re.compile(rb"""[ \t]*+=?[ \t]*+(?:"([^"\\$\r\n]*+)"|'([^'\\\r\n]*+)')""")


class GradleScript:
    """A statement at the top of the script, or in its `allprojects`, that sets the version to a plain string."""

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:  # noqa: ARG002 - as in Editor
        """As in Editor; at most one."""
        found: list[Span] = []
        blocks: list[bool] = []
        for token in _TOKEN.finditer(data):
            if token.lastgroup in ("everywhere", "open"):
                blocks.append(token.lastgroup == "everywhere")
            elif token.lastgroup == "close" and blocks:
                blocks.pop()
            elif token.lastgroup == "statement" and all(blocks):
                value = _VALUE.match(data, token.end())
                found += [] if value is None else [group_span(value)]
        return once(found)

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: no parser is at hand, so it is the bytes."""
        return data if version is None else replaced(data, self.spans(data, file), version)


GRADLE = GradleScript()
