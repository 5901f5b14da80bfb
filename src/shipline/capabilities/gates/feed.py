"""The calendar for others: a feed that people subscribe to in the calendar that they use, and a document for programs.

The feed is iCalendar, RFC 5545.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shipline.capabilities.gates.calendar import opens_us, standing
from shipline.domain.calendar import CalendarRule, Period

CALENDAR_PERIODS_MAX = 1000
"""Of more than so many the first ones are told."""


def calendar_document(
    rules: Sequence[CalendarRule], stages: Sequence[str], coming: Sequence[Period], now_us: int
) -> dict[str, Any]:
    """`shipline.calendar/1`: how each stage stands now, and the periods that come."""
    standings = {stage: standing(rules, stage, now_us) for stage in stages}
    return {
        "schema": "shipline.calendar/1",
        "now_us": now_us,
        "stages": [
            {
                "stage": stage,
                "open": here.is_open,
                "reason": here.sentence,
                "opens_us": opens_us(rules, stage, now_us),
            }
            for stage, here in standings.items()
        ],
        "periods": [
            {
                "name": period.rule.name,
                "kind": period.rule.kind.value,
                "stages": list(period.rule.stages),
                "begins_us": period.begins_us,
                "ends_us": period.ends_us,
                "timezone": period.rule.timezone,
                "coordinator": period.rule.coordinator,
            }
            for period in coming
        ],
    }


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
