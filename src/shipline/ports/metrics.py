"""The Metrics port: one number from a source of metrics, by a query in the source's own language.

What is no number is an error of its own kind, never a zero: no data is not good data. A caller that has caught NoNumber
knows that the source was asked and answered; UnavailableError says that nobody knows.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Protocol

from shipline.domain.errors import ShiplineError

API_VERSION = 1

EXPRESSION_LENGTH_MAX = 10_000


class Language(StrEnum):
    """How values are put into a query. PROMQL: in quotes, with PromQL's escapes. PLAIN: as they are, so that only
    values without any special character can be put in."""

    PROMQL = "promql"
    PLAIN = "plain"


class NoNumber(ShiplineError):
    """The source was asked, and its answer is not one finite number. Its subclasses tell the ways apart."""


class NoData(NoNumber):
    """The query found nothing."""


class NotFinite(NoNumber):
    """Not a number, or infinite: a division by zero, most often."""


class ManySeries(NoNumber):
    """A number for each of several series, where one is asked for."""


class WrongType(NoNumber):
    """Something that is no number at all: text, a range of values, a histogram."""


class QueryRefused(NoNumber):
    """The source does not take the query: its syntax, an unknown function, a limit of the source's."""


class IncompleteAnswer(NoNumber):
    """The source itself warns that a part of what it should have looked at is missing, or that the query is wrong."""


class Metrics(Protocol):
    """A source of metrics. `language` is how values are put into its queries."""

    api_version: int
    language: Language

    def query(self, expression: str, *, at_us: int) -> float:
        """The number that `expression` (1 to EXPRESSION_LENGTH_MAX characters) has at `at_us`. Changes nothing.

        Returns within a time limit of the source's settings. Raises NoNumber, by its subclass, for any answer that is
        not one finite number; UnavailableError where the source cannot be reached, is too busy or has trouble of its
        own; RefusedError where it does not take the credentials; ConfigurationError where there are none.
        """
        ...


def checked_expression(expression: str) -> str:
    """The expression, if it is one at all; QueryRefused else."""
    if not expression.strip() or len(expression) > EXPRESSION_LENGTH_MAX:
        raise QueryRefused(
            f"a query has 1 to {EXPRESSION_LENGTH_MAX} characters, this one has {len(expression)}",
            todo="write a query that the source can answer with one number",
        )
    return expression


def one_finite(values: list[float], *, who: str) -> float:
    """The only value, if it is finite. NoData, ManySeries or NotFinite else; `who` begins their sentences."""
    if not values:
        raise NoData(
            f"{who} found nothing",
            todo="check the names of the metric and its labels; where nothing means zero, say so in the query",
        )
    if len(values) > 1:
        raise ManySeries(
            f"{who} answered with {len(values)} series, and one number is needed",
            todo="aggregate in the query, with sum(...) or max(...) for instance",
        )
    if not math.isfinite(values[0]):
        raise NotFinite(
            f"{who} answered with {values[0]}",
            why="a division by zero gives this, and so does a quantile of no observations",
            todo="check that there was traffic; where this means zero, say so in the query",
        )
    return values[0]
