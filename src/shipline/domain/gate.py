"""Gate: a rule that must hold; Approval and Waiver are what people add to it."""

from __future__ import annotations

from dataclasses import dataclass, field

APPROVAL_NAMESPACE = "shipline-approval"
"""The SSHSIG namespace of approvals: a signature that was made for anything else counts for nothing here."""

PULL_STAGE = "pull-request"
"""The stage whose gates are asked about the newest commit of an open pull request."""
WAIVER_SCHEMA = "shipline.waiver/1"
WAIVER_NAMESPACE = "shipline-waiver"
"""The same of waivers."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule that must hold.

    `name` tells the gates of a stage apart. `rule` is CEL over typed facts. `stage` is `release`, `pull-request` or an
    environment's name. `message` is shown on refusal. `when`, CEL too, says for what the gate applies, "" for
    everything.
    `approvals` is how many authenticated people of each role must have said yes, each count at least 1.
    """

    name: str
    rule: str
    stage: str = "release"
    message: str = ""
    when: str = ""
    approvals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approver:
    """Somebody whose yes counts.

    `name` tells them apart, `roles` are those that they have. `key` is an OpenSSH public key in one line (type and
    base64), which their approvals are signed with. `emails` are the addresses under which they commit: nobody approves
    a release that holds a commit of their own, or one that names them as co-authors. `owns` is what CODEOWNERS calls
    them beside these: their account and the teams that they speak for (`@ann`, `@acme/backend`).
    """

    name: str
    roles: tuple[str, ...]
    key: str
    emails: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes by `approver`, in one role, for one release and one stage.

    `digest` is that of exactly what was approved: another content of the same name is not. `expires_us` None: never.
    """

    approver: str
    role: str
    stage: str
    package: str
    version: str
    digest: str
    given_us: int
    expires_us: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Findings that are accepted for a time.

    `findings` are their fingerprints, each 32 hex digits: exact ones alone. `owner` is the approver who accepts them,
    and `reason` why, in one line. `given` and `until` are days (UTC, `2026-11-28`); it holds through the second.
    `package` and `versions` are for what it holds, "" and [] for whatever has these findings. `signature` is
    the owner's over all of that, in OpenSSH's armour.
    """

    findings: tuple[str, ...]
    owner: str
    reason: str
    given: str
    until: str
    signature: str
    package: str = ""
    versions: tuple[str, ...] = ()
