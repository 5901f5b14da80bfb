"""Room `plans`: commits -> ReleasePlan, and the changelog.

Promises: a plan comes from git tags, commit messages and the package's own files alone, so it is the same on every
machine; it changes nothing; the history is read once, by one git process. Needs the standard library and, for PEP 440
versions, `packaging`. Does not write files, tags or releases: `releases` does.
"""

from shipline.capabilities.plans.bumps import BumpRules
from shipline.capabilities.plans.chains import explain
from shipline.capabilities.plans.changelog import PLAIN, SECTIONS, Style, prepend, render_section, rfc3339
from shipline.capabilities.plans.changesets import is_changeset, without_package
from shipline.capabilities.plans.conventional import read_change, read_message
from shipline.capabilities.plans.documents import plan_document
from shipline.capabilities.plans.links import links_of
from shipline.capabilities.plans.messages import read_messages
from shipline.capabilities.plans.monorepo import Monorepo
from shipline.capabilities.plans.packages import MANIFESTS
from shipline.capabilities.plans.pending import Pending, pending_document, write_changeset
from shipline.capabilities.plans.show import Show, upgrade_notes_at
from shipline.capabilities.plans.survey import PackageChoice
from shipline.capabilities.plans.usecases import (
    changelog_of,
    changeset_status,
    detect_packages,
    known_packages,
    latest_releases,
    make_plan,
    packages_of,
)
from shipline.capabilities.plans.versions import (
    STABLE,
    Dialect,
    Scheme,
    Version,
    checked_channel,
    compare,
    next_version,
    satisfies,
    scheme_named,
)

__all__ = [
    "MANIFESTS",
    "PLAIN",
    "SECTIONS",
    "STABLE",
    "BumpRules",
    "Dialect",
    "Monorepo",
    "PackageChoice",
    "Pending",
    "Scheme",
    "Show",
    "Style",
    "Version",
    "changelog_of",
    "changeset_status",
    "checked_channel",
    "compare",
    "detect_packages",
    "explain",
    "is_changeset",
    "known_packages",
    "latest_releases",
    "links_of",
    "make_plan",
    "next_version",
    "packages_of",
    "pending_document",
    "plan_document",
    "prepend",
    "read_change",
    "read_message",
    "read_messages",
    "render_section",
    "rfc3339",
    "satisfies",
    "scheme_named",
    "upgrade_notes_at",
    "without_package",
    "write_changeset",
]
