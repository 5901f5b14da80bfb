"""The calendar as an iCalendar feed (RFC 5545), which people subscribe to in the calendar that they use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from shipline.domain.calendar import Period


def calendar_feed(periods: Sequence[Period], now_us: int) -> str:
    """One VEVENT a period, in UTC. A period keeps its UID from feed to feed, so that a calendar updates it."""
    from icalendar import Calendar, Event  # noqa: PLC0415 - only the feed needs it

    feed = Calendar()
    feed.add("prodid", "-//Shipline//Calendar//EN")
    feed.add("version", "2.0")
    feed.add("name", "Releases and deployments")
    for period in periods:
        event = Event()
        event.add("uid", _uid(period))
        event.add("dtstamp", _moment(now_us))
        event.add("dtstart", _moment(period.begins_us))
        event.add("dtend", _moment(period.ends_us))
        event.add("summary", f"{period.rule.kind.value}: {period.rule.name}")
        event.add("description", _about(period))
        feed.add_component(event)
    return str(feed.to_ical().decode())


def _uid(period: Period) -> str:
    name = f"{period.rule.kind.value}\0{period.rule.name}\0{period.begins_us}"
    return f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@shipline"


def _about(period: Period) -> str:
    stages = ", ".join(period.rule.stages)
    coordinator = f" Coordinator: {period.rule.coordinator}." if period.rule.coordinator else ""
    return f"{'Closed' if period.rule.kind.value == 'freeze' else 'Open'}: {stages}.{coordinator}"


def _moment(moment_us: int) -> datetime:
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC)
