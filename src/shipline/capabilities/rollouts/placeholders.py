"""What a check's query says about the rollout, filled in so that no value can change what the query asks. Pure.

In PromQL a placeholder stands in a string: there the value is escaped as PromQL wants it, and as a literal of a regular
expression where the string is one. Anywhere else, and in other languages, a value is filled in only if it is made of
characters that mean nothing there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipline.capabilities.rollouts.routing import group_id
from shipline.domain.errors import InvalidValue
from shipline.domain.rollout import Rollout
from shipline.ports.metrics import Language
from shipline.ports.target import Role

PLACEHOLDERS = ("environment", "package", "version", "stable_version", "group", "role")
_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")
# Strings and comments as in prometheus.io/docs/prometheus/latest/querying/basics ("String literals").
_PROMQL = re.compile(
    r"""(?P<matcher>[=!]~\s*)?(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
    r"""|(?P<comment>\#[^\n]*)"""
    r"""|\{(?P<bare>[A-Za-z_]+)\}"""
)
# What RE2 gives a meaning to, from: github.com/google/re2/wiki/Syntax
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_WORD = re.compile(r"[A-Za-z0-9_]{1,200}")
# What Datadog allows in a tag, from: docs.datadoghq.com/getting_started/tagging; SQL's strings end at none of these.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a query is about. `stable_version` and `group` are None where that is not known."""

    environment: str
    package: str
    version: str
    stable_version: str | None
    group: str | None
    role: Role

    def value(self, placeholder: str) -> str:
        """What is filled in. InvalidValue where it is not known."""
        found: str | None = getattr(self, placeholder)
        if found is None:
            raise InvalidValue(f"{{{placeholder}}} stands for nothing here", why="no other version serves yet")
        return found


def canary_of(rollout: Rollout) -> Subject:
    """The new version of a rollout, as its own group."""
    return Subject(
        environment=rollout.environment,
        package=rollout.package,
        version=rollout.version,
        stable_version=rollout.stable_version,
        group=group_id(rollout.package, rollout.version, rollout.attempt, Role.CANARY),
        role=Role.CANARY,
    )


def stable_of(rollout: Rollout) -> Subject:
    """What serves before a rollout begins, in the place of the new version: to try a query on something that runs."""
    return Subject(
        environment=rollout.environment,
        package=rollout.package,
        version=rollout.stable_version or rollout.version,
        stable_version=rollout.stable_version,
        group=None,
        role=Role.STABLE,
    )


def named_in(query: str) -> frozenset[str]:
    """The placeholders in a query."""
    return frozenset(_PLACEHOLDER.findall(query))


def check_placeholders(query: str, language: Language) -> None:
    """InvalidValue for a name in braces that stands for nothing. PromQL alone has no other use for one."""
    if language is not Language.PROMQL:
        return
    for part in _PROMQL.finditer(query):
        if part["bare"] is not None and part["bare"] not in PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise InvalidValue(
                f"the query has {{{part['bare'][:60]}}} in it, which stands for nothing", todo=f"known ones: {known}"
            )


def filled(query: str, subject: Subject, language: Language) -> str:
    """The query with the values in it. InvalidValue for one that cannot stand where it would have to."""
    if language is not Language.PROMQL:
        return _PLACEHOLDER.sub(lambda found: _only(_PLAIN, found[1], subject), query)
    return _PROMQL.sub(lambda part: _promql_part(part, subject), query)


def _promql_part(part: re.Match[str], subject: Subject) -> str:
    if part["bare"] in PLACEHOLDERS:
        return _only(_WORD, part["bare"], subject)
    string = part["string"]
    if string is None:
        return part[0]
    is_pattern = part["matcher"] is not None
    inner = _PLACEHOLDER.sub(
        lambda found: _quoted(found[1], subject, quote=string[0], is_pattern=is_pattern), string[1:-1]
    )
    return f"{part['matcher'] or ''}{string[0]}{inner}{string[0]}"


def _quoted(placeholder: str, subject: Subject, *, quote: str, is_pattern: bool) -> str:
    value = subject.value(placeholder)
    if not value.isprintable() or (quote == "`" and "`" in value):
        raise _does_not_fit(placeholder, value)
    if is_pattern:
        value = _SPECIAL.sub(r"\\\1", value)
    return value if quote == "`" else value.replace("\\", "\\\\").replace(quote, f"\\{quote}")


def _only(allowed: re.Pattern[str], placeholder: str, subject: Subject) -> str:
    value = subject.value(placeholder)
    if not allowed.fullmatch(value):
        raise _does_not_fit(placeholder, value)
    return value


def _does_not_fit(placeholder: str, value: str) -> InvalidValue:
    return InvalidValue(
        f"{value[:60]!r} cannot stand where the query has {{{placeholder}}}",
        why="it holds characters that have a meaning of their own there",
        todo=f'in PromQL put the placeholder into a string in quotes, such as version="{{{placeholder}}}"',
    )
