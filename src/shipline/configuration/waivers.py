"""What is wrong with waivers, before one of them is counted on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration.settings import Settings

WAIVERS_MAX = 1000


def waiver_complaints(settings: Settings) -> Iterator[ConfigurationError]:
    """Waivers that nobody can have signed, or that name nothing. One that has ended is none of them: it may stay."""
    if not settings.waiver:
        return
    from shipline.capabilities.gates import waiver_complaint  # noqa: PLC0415 - brings the CEL library

    if len(settings.waiver) > WAIVERS_MAX:
        yield ConfigurationError(
            f"{FILE_NAME}: more than {WAIVERS_MAX} [[waiver]] tables",
            todo="leave out those that have ended: shipline waive list",
        )
    known = [one.name for one in settings.approver]
    for number, waiver in enumerate(settings.waiver[:WAIVERS_MAX], start=1):
        complaint = waiver_complaint(waiver)
        if not complaint and waiver.owner not in known:
            complaint = f"its owner {waiver.owner[:60]!r} is no approver; known ones: {', '.join(known) or 'none'}"
        if complaint:
            yield ConfigurationError(
                f"{FILE_NAME}: the [[waiver]] number {number} is none: {complaint}",
                todo="make it with `shipline waive`",
            )
