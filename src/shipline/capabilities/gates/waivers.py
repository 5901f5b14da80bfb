"""Waivers: what is signed, and which count now. Pure; whether a signature holds is found elsewhere.

A waiver names exact findings. It has an owner, who is an approver and has signed it, a reason, and a last day; what has
no end, or one too far away, counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import rfc8785

from shipline.domain.codec import to_json
from shipline.domain.errors import InvalidValue
from shipline.domain.gate import WAIVER_SCHEMA, Approver, Waiver

FINGERPRINT = re.compile(r"[0-9a-f]{32}")
FINDINGS_OF_WAIVER_MAX = 100
REASON_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class WaiverRule:
    """What waivers are held to. `days_max` is how many days one may hold; `roles` are those whose waivers count, all
    where there are none."""

    days_max: int
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiving:
    """What the policy says of waivers: those that there are, who may give one, and what they are held to."""

    waivers: tuple[Waiver, ...] = ()
    approvers: tuple[Approver, ...] = ()
    rule: WaiverRule = WaiverRule(days_max=0)


@dataclass(frozen=True, slots=True)
class SignedWaiver:
    """A waiver, and whether its signature is one of its owner's key as the policy names it now."""

    waiver: Waiver
    holds: bool


def waiver_statement(waiver: Waiver) -> bytes:
    """What the owner signs: all but the signature, as canonical JSON (RFC 8785)."""
    said = {name: value for name, value in to_json(waiver).items() if name != "signature"}
    return rfc8785.dumps({"schema": WAIVER_SCHEMA, **said})


def waiver_complaint(waiver: Waiver) -> str:
    """What is wrong with a waiver, whoever signed it and when; "" where nothing is."""
    reasons = (
        (not 1 <= len(waiver.findings) <= FINDINGS_OF_WAIVER_MAX, f"it names 1 to {FINDINGS_OF_WAIVER_MAX} findings"),
        (not all(map(FINGERPRINT.fullmatch, waiver.findings)), "a finding is named by its fingerprint, 32 hex digits"),
        (not waiver.reason.strip(), "it says no reason"),
        (len(waiver.reason) > REASON_LENGTH_MAX, f"its reason has more than {REASON_LENGTH_MAX} characters"),
        (not waiver.reason.isprintable(), "its reason is not one line of text"),
        (_day(waiver.given) is None or _day(waiver.until) is None, "given and until are days, as in 2026-11-28"),
    )
    return next((words for applies, words in reasons if applies), "")


def waiver_objection(signed: SignedWaiver, approvers: Sequence[Approver], rule: WaiverRule, now_us: int) -> str:
    """Why a waiver counts for nothing now, "" if it counts."""
    waiver = signed.waiver
    complaint = waiver_complaint(waiver)
    if complaint:
        return complaint
    owner = next((one for one in approvers if one.name == waiver.owner), None)
    if owner is None:
        return f"{waiver.owner} is no approver"
    given, until, today = _known_day(waiver.given), _known_day(waiver.until), day_of(now_us)
    reasons = (
        (not signed.holds, f"it is not signed with {owner.name}'s key"),
        (bool(rule.roles) and not set(rule.roles) & set(owner.roles), f"{owner.name} has no role that waives findings"),
        ((given - today).days > 1, "it was given on a day that is to come"),
        # As a difference: a day that lies beyond the last one that there is would be an error of its own.
        ((until - given).days > rule.days_max, f"it holds longer than {rule.days_max} days"),
        (today > until, f"it has ended with {waiver.until}"),
    )
    return next((words for applies, words in reasons if applies), "")


def is_about(waiver: Waiver, package: str, version: str) -> bool:
    """True if the waiver speaks of this version."""
    return waiver.package in ("", package) and (not waiver.versions or version in waiver.versions)


def day_of(time_us: int) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).date()


def read_day(text: str) -> date:
    """A day as people write it, `2026-11-28`. InvalidValue for anything else."""
    found = _day(text)
    if found is None:
        raise InvalidValue(f"{text[:40]!r} is no day", todo="write it as in 2026-11-28")
    return found


def _known_day(text: str) -> date:
    return date.fromisoformat(text)


def _day(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
