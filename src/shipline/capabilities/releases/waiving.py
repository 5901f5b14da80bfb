"""Findings of releases and the waivers that hold for them now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shipline.capabilities.evidence import FindingCounts
from shipline.capabilities.gates import (
    SignedWaiver,
    Waiving,
    is_about,
    waiver_complaint,
    waiver_objection,
    waiver_statement,
)
from shipline.capabilities.releases.ahead import Ahead
from shipline.capabilities.releases.stored.findings import count_findings, open_among
from shipline.clients.ssh_signatures import is_signed
from shipline.domain.gate import WAIVER_NAMESPACE, Approver, Waiver
from shipline.domain.release import Release
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Findings:
    """What a release's rows say now: how many count, and of which findings somebody's waiver holds, by fingerprint."""

    counts: FindingCounts
    waived: Mapping[str, Waiver]


def findings_now(tx: Transaction, said: Waiving, release: Release | Ahead, now_us: int) -> Findings:
    """The open findings of a release, less those that are waived. Signatures are checked of those alone that matter."""
    counts = count_findings(tx, release.id)
    about = [one for one in said.waivers if is_about(one, release.package, release.version)]
    named = tuple(dict.fromkeys(name for one in about for name in one.findings)) if counts else ()
    found = open_among(tx, release.id, named)
    waived: dict[str, Waiver] = {}
    for waiver in about:
        hit = [name for name in waiver.findings if name in found and name not in waived]
        if hit and not objection_to_waiver(said, waiver, now_us):
            waived |= dict.fromkeys(hit, waiver)
    for name in waived:
        counts[found[name]] -= 1
    return Findings(FindingCounts(counts, len(waived)), waived)


def waivers_used(now: Findings, approvers: Sequence[Approver]) -> list[dict[str, Any]]:
    """The waivers that hold for findings of the release, as the log tells of them: with what was signed, and the key
    that the policy names for the owner, so that it can be proven when the policy has changed."""
    used = dict.fromkeys(now.waived.values())
    keys = {approver.name: approver.key for approver in approvers}
    return [
        {
            "owner": waiver.owner,
            "reason": waiver.reason,
            "until": waiver.until,
            "findings": [name for name, one in now.waived.items() if one == waiver],
            "statement": waiver_statement(waiver).decode(),
            "signature": waiver.signature,
            "key": keys[waiver.owner],
        }
        for waiver in used
    ]


def objection_to_waiver(said: Waiving, waiver: Waiver, now_us: int) -> str:
    """Why a waiver counts for nothing now, "" if it counts."""
    complaint = waiver_complaint(waiver)
    if complaint:
        return complaint
    key = next((one.key for one in said.approvers if one.name == waiver.owner), None)
    holds = key is not None and _holds(waiver_statement(waiver), waiver.signature, key)
    return waiver_objection(SignedWaiver(waiver, holds), said.approvers, said.rule, now_us)


def waiver_holds(statement: str, signature: str, key: str) -> bool:
    """Whether what the log has of a waiver is signed with this key, whatever it is about."""
    return _holds(statement.encode(), signature, key)


@lru_cache(maxsize=1024)
def _holds(statement: bytes, signature: str, key: str) -> bool:
    """Whether it is signed so. Remembered: it never changes, and a program is run to find out."""
    return is_signed(statement, signature, public_key=key, namespace=WAIVER_NAMESPACE)
