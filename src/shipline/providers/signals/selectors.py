"""The selectors of counters, as settings, PromQL's above all: what may be asked for, and what is asked. Pure."""

from __future__ import annotations

import re

from shipline.clients.query_filling import check_placeholders, filled
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.ports.metrics import Language
from shipline.ports.signals import CountedGroup

PLACEHOLDERS = ("environment", "package", "version", "group", "role")
LENGTH_MAX = 2000
# From: prometheus.io/docs/prometheus/latest/querying/basics ("Instant vector selectors"), and with names in quotes
# prometheus.io/docs/guides/utf8.
_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
_MATCHER = rf"(?:(?:[A-Za-z_]\w*|{_STRING})\s*(?:=~|!~|!=|=)\s*)?{_STRING}"
_SELECTOR = re.compile(
    rf"(?:[A-Za-z_:][\w:]*\s*)?(?:\{{\s*(?:{_MATCHER}\s*(?:,\s*{_MATCHER}\s*)*,?\s*)?\}})?", re.ASCII
)


def check_selector(text: str, *, name: str) -> None:
    """ConfigurationError for what is no selector alone: counts are read from samples as they were scraped."""
    if not (text.strip() and len(text) <= LENGTH_MAX and _SELECTOR.fullmatch(text.strip())):
        raise ConfigurationError(
            f"{name} = {text[:80]!r} is no selector",
            why="counts are read from the samples of counters as they were scraped, and functions change these",
            todo='name a metric and its labels alone, as in http_requests_total{version="{version}"}',
        )
    try:
        check_placeholders(text, Language.PROMQL, PLACEHOLDERS)
    except InvalidValue as error:
        raise ConfigurationError(f"{name}: {error.what}", why=error.why, todo=error.todo) from None


def selector_of(text: str, group: CountedGroup, *, environment: str) -> str:
    """The selector of a group's counters."""
    return filled(text.strip(), values_of(group, environment=environment), Language.PROMQL)


def values_of(group: CountedGroup, *, environment: str) -> dict[str, str]:
    """By placeholder, what is filled in for a group."""
    return {
        "environment": environment,
        "package": group.package,
        "version": group.version,
        "group": group.group_id,
        "role": group.role.value,
    }
