"""Reading a forge's answers: tolerant of what is new, strict about what is needed.

Unknown fields are passed over, since forges add some with every version; one that is needed and missing, or of another
type, is an error that names it. Nothing here guesses.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shipline.domain.errors import ShiplineError


def text(item: Any, *path: str) -> str:
    """The text at `path`."""
    found = _at(item, path)
    if not isinstance(found, str):
        raise _missing(path)
    return found


def text_or_none(item: Any, *path: str) -> str | None:
    """The text at `path`; None where there is nothing, or null."""
    try:
        found = _at(item, path)
    except ShiplineError:
        return None
    return found if isinstance(found, str) else None


def number(item: Any, *path: str) -> int:
    """The whole number at `path`."""
    found = _at(item, path)
    if not isinstance(found, int) or isinstance(found, bool):
        raise _missing(path)
    return found


def number_or_none(item: Any, *path: str) -> int | None:
    """The whole number at `path`; None where there is none."""
    try:
        return number(item, *path)
    except ShiplineError:
        return None


def flag(item: Any, *path: str) -> bool:
    """True if there is a true at `path`: what a forge leaves out is not so."""
    try:
        return _at(item, path) is True
    except ShiplineError:
        return False


def instant(item: Any, *path: str) -> int:
    """The instant at `path` in UTC microseconds; 0 where there is none, or what is none."""
    written = text_or_none(item, *path)
    try:
        found = None if not written else datetime.fromisoformat(written)
    except ValueError:
        found = None
    if found is None:
        return 0
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) * 1_000_000


def entries(item: Any, *path: str) -> list[Any]:
    """The list at `path`; empty where there is none, or null."""
    try:
        found = _at(item, path)
    except ShiplineError:
        return []
    return found if isinstance(found, list) else []


def _at(item: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(item, dict) or name not in item:
            raise _missing(path)
        item = item[name]
    return item


def _missing(path: tuple[str, ...]) -> ShiplineError:
    return ShiplineError(
        f"the forge's answer has no {'.'.join(path)} of the kind that is needed",
        todo="check provider and api_url in [forge]: another kind of forge may answer there",
    )
