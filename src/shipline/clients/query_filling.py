"""Values put into a query so that none can change what the query asks. Pure.

In PromQL a placeholder stands in a string: there the value is escaped as PromQL wants it, and as a literal of a regular
expression where the string is one. Anywhere else, and in other languages, a value is filled in only if it is made of
characters that mean nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from shipline.domain.errors import InvalidValue
from shipline.ports.metrics import Language

# Strings and comments as in prometheus.io/docs/prometheus/latest/querying/basics ("String literals").
_PROMQL = re.compile(
    r"""(?P<matcher>[=!]~\s*)?(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
    r"""|(?P<comment>\#[^\n]*)"""
    r"""|\{(?P<bare>[A-Za-z_]+)\}"""
)
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
# What RE2 gives a meaning to, from: github.com/google/re2/wiki/Syntax
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_WORD = re.compile(r"[A-Za-z0-9_]{1,200}")
# What Datadog allows in a tag, from: docs.datadoghq.com/getting_started/tagging; SQL's strings end at none of these.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")

Values = Mapping[str, str | None]
"""By placeholder, what is filled in; None where that is not known. Other names in braces are text."""


def named_in(query: str, placeholders: Collection[str]) -> frozenset[str]:
    """Those of the placeholders that are in a query."""
    return frozenset(name for name in _PLACEHOLDER.findall(query) if name in placeholders)


def check_placeholders(query: str, language: Language, placeholders: Collection[str]) -> None:
    """InvalidValue for a name in braces that stands for nothing. PromQL alone has no other use for one."""
    if language is not Language.PROMQL:
        return
    for part in _PROMQL.finditer(query):
        if part["bare"] is not None and part["bare"] not in placeholders:
            known = ", ".join(f"{{{name}}}" for name in placeholders)
            raise InvalidValue(
                f"the query has {{{part['bare'][:60]}}} in it, which stands for nothing", todo=f"known ones: {known}"
            )


def filled(query: str, values: Values, language: Language) -> str:
    """The query with the values in it. InvalidValue for one that cannot stand where it would have to."""
    if language is not Language.PROMQL:
        return _PLACEHOLDER.sub(lambda found: _plain(found, values), query)
    return _PROMQL.sub(lambda part: _promql_part(part, values), query)


def _plain(found: re.Match[str], values: Values) -> str:
    return _only(_PLAIN, found[1], values) if found[1] in values else found[0]


def _promql_part(part: re.Match[str], values: Values) -> str:
    if part["bare"] in values:
        return _only(_WORD, part["bare"], values)
    string = part["string"]
    if string is None:
        return part[0]
    is_pattern = part["matcher"] is not None
    inner = _PLACEHOLDER.sub(
        lambda found: (
            _quoted(found[1], values, quote=string[0], is_pattern=is_pattern) if found[1] in values else found[0]
        ),
        string[1:-1],
    )
    return f"{part['matcher'] or ''}{string[0]}{inner}{string[0]}"


def _quoted(placeholder: str, values: Values, *, quote: str, is_pattern: bool) -> str:
    value = _value(placeholder, values)
    if not value.isprintable() or (quote == "`" and "`" in value):
        raise _does_not_fit(placeholder, value)
    if is_pattern:
        value = _SPECIAL.sub(r"\\\1", value)
    return value if quote == "`" else value.replace("\\", "\\\\").replace(quote, f"\\{quote}")


def _only(allowed: re.Pattern[str], placeholder: str, values: Values) -> str:
    value = _value(placeholder, values)
    if not allowed.fullmatch(value):
        raise _does_not_fit(placeholder, value)
    return value


def _value(placeholder: str, values: Values) -> str:
    found = values[placeholder]
    if found is None:
        raise InvalidValue(f"{{{placeholder}}} stands for nothing here", why="no other version serves yet")
    return found


def _does_not_fit(placeholder: str, value: str) -> InvalidValue:
    return InvalidValue(
        f"{value[:60]!r} cannot stand where the query has {{{placeholder}}}",
        why="it holds characters that have a meaning of their own there",
        todo=f'in PromQL put the placeholder into a string in quotes, such as version="{{{placeholder}}}"',
    )
