"""What the log is searched for, by the query of an address: the same for the page and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeAlias
from urllib.parse import urlencode

from fastapi import Depends, Query

from shipline.store.search import Wanted

TEXT_MAX = 200
Words: TypeAlias = Annotated[str, Query(max_length=TEXT_MAX)]
Moment: TypeAlias = Annotated[
    str, Query(max_length=40, pattern=r"^$|^\d{4}-\d\d-\d\d(T[0-9:.]{5,15}(Z|[+-]\d\d:\d\d)?)?$")
]


@dataclass(frozen=True, slots=True)
class Search:
    """The words of a query, "" where nothing is said. `since` and `until` are a day or a moment of ISO 8601, in UTC
    unless they say otherwise."""

    kind: str = ""
    stream: str = ""
    actor: str = ""
    text: str = ""
    since: str = ""
    until: str = ""

    @property
    def said(self) -> dict[str, str]:
        """What was given."""
        names = ("kind", "stream", "actor", "text", "since", "until")
        return {name: value for name in names if (value := getattr(self, name))}

    @property
    def query(self) -> str:
        """The same as it stands in an address."""
        return urlencode(self.said)

    @property
    def wanted(self) -> Wanted:
        """The events that it means. No moment that a calendar does not have: such a one fits nothing."""
        return Wanted(
            kinds=(self.kind,) if self.kind else (),
            stream=self.stream or None,
            actor=self.actor,
            text=self.text,
            since_us=_moment_us(self.since),
            until_us=_moment_us(self.until),
        )


def searched(  # noqa: PLR0913 - one argument a word of the query
    *,
    kind: Words = "",
    stream: Words = "",
    actor: Words = "",
    text: Words = "",
    since: Moment = "",
    until: Moment = "",
) -> Search:
    """What a request searches for."""
    return Search(kind=kind, stream=stream, actor=actor, text=text, since=since, until=until)


Searched: TypeAlias = Annotated[Search, Depends(searched)]


def _moment_us(text: str) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 2**62
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)
