"""Approvals: what is signed, and which count for a stage. Pure; whether a signature holds is found elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import rfc8785

from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue
from shipline.domain.gate import APPROVAL_NAMESPACE, Approval, Approver
from shipline.domain.strict_json import read_json

SCHEMA = "shipline.approval/1"
NAMESPACE = APPROVAL_NAMESPACE
STATEMENT_BYTES_MAX = 10_000


def statement(approval: Approval) -> bytes:
    """What the approver signs: the approval as canonical JSON (RFC 8785)."""
    return rfc8785.dumps({"schema": SCHEMA, **to_json(approval)})


def read_statement(data: bytes) -> Approval:
    """The reverse. InvalidValue for anything that `statement` would not have written."""
    document = read_json(data, what="the approval", limit_bytes=STATEMENT_BYTES_MAX)
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise InvalidValue(f"the approval is not a {SCHEMA}")
    approval = from_json(Approval, document)
    if statement(approval) != data:
        raise InvalidValue("the approval is not in its canonical form")
    return approval


@dataclass(frozen=True, slots=True)
class Matter:
    """What an approval must be about to count, and who may not give it.

    `digest` is that of the content as it is now; `authors` are the addresses of those who have written it.
    """

    package: str
    version: str
    stage: str
    digest: str
    authors: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Signed:
    """An approval, and whether its signature is one of its approver's key as the policy names it now."""

    approval: Approval
    holds: bool


def objection(signed: Signed, matter: Matter, approvers: Sequence[Approver], now_us: int) -> str:
    """Why an approval does not count, "" if it does."""
    approval = signed.approval
    approver = next((one for one in approvers if one.name == approval.approver), None)
    if approver is None:
        return f"{approval.approver} is no approver"
    own = {address.casefold() for address in approver.emails} & {address.casefold() for address in matter.authors}
    is_other = (approval.package, approval.version, approval.stage) != (matter.package, matter.version, matter.stage)
    reasons = (
        (is_other, "it is for something else"),
        (not signed.holds, f"it is not signed with {approver.name}'s key"),
        (approval.role not in approver.roles, f"{approver.name} does not have the role {approval.role}"),
        (approval.digest != matter.digest, "what was approved has changed since"),
        (approval.expires_us is not None and now_us >= approval.expires_us, "it has expired"),
        (bool(own), f"{approver.name} has written a part of it"),
    )
    return next((words for applies, words in reasons if applies), "")


def counted(given: Sequence[Signed], matter: Matter, approvers: Sequence[Approver], now_us: int) -> dict[str, int]:
    """How many different people have approved, by role; roles that nobody has approved in are left out."""
    people: dict[str, set[str]] = {}
    for signed in given:
        if not objection(signed, matter, approvers, now_us):
            people.setdefault(signed.approval.role, set()).add(signed.approval.approver)
    return {role: len(names) for role, names in sorted(people.items())}
