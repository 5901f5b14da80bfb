"""What a token may do: what each capability takes, whether the token has it, and how it is granted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shipline.ports.forge.answers import Known


class Capability(StrEnum):
    """What somebody may want from a forge. Releases take `CONTENT`; the rest is for what is switched on."""

    CONTENT = "branches, tags and releases"
    PULLS = "pull requests"
    ISSUES = "issues, milestones and labels"
    STATUSES = "commit statuses"
    HOOKS = "webhooks"
    SETTINGS = "rules of branches, tags and merges, security features, environments"
    VARIABLES = "variables of CI"
    SECRETS = "secrets of CI"


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether the token may do what a capability takes. `need` names that in the forge's own words; `todo` says how to
    grant it."""

    capability: Capability
    need: str
    granted: Known
    todo: str = ""
