"""Room `plans`: commits -> ReleasePlan, the changelog, and the commit lint.

Promises: a plan comes from git tags, commit messages and the package's own files alone, so it is the same on every
machine; it changes nothing; the history is read once, by one git process. Needs the standard library and, for PEP 440
versions, `packaging`. Does not write files, tags or releases: `releases` does.
"""

from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.bumps import BumpRules
from shipline.capabilities.plans.chains import explain
from shipline.capabilities.plans.changelog import (
    PLAIN,
    SECTIONS,
    Style,
    prepend,
    render_section,
    rfc3339,
    section_titles,
    written_section,
)
from shipline.capabilities.plans.changesets import is_changeset, without_package
from shipline.capabilities.plans.channels import Channel, ChannelRule, channel_of, checked_line, rule_for
from shipline.capabilities.plans.conventional import read_change, read_message
from shipline.capabilities.plans.documents import plan_document
from shipline.capabilities.plans.links import links_of
from shipline.capabilities.plans.lint.bulk import Linter
from shipline.capabilities.plans.lint.cleanup import SETTINGS as CLEANUP_SETTINGS
from shipline.capabilities.plans.lint.cleanup import kept as kept_of_message
from shipline.capabilities.plans.lint.documents import Linted, lint_document
from shipline.capabilities.plans.lint.hook import HOOK, HOOK_MARKER, hook_script
from shipline.capabilities.plans.lint.meanings import rules_schema as lint_rules_schema
from shipline.capabilities.plans.lint.report import report as lint_report
from shipline.capabilities.plans.lint.settings import read_rules as read_lint_rules
from shipline.capabilities.plans.messages import read_messages
from shipline.capabilities.plans.monorepo import Monorepo
from shipline.capabilities.plans.packages import MANIFESTS
from shipline.capabilities.plans.pending import Pending, pending_document, write_changeset
from shipline.capabilities.plans.show import Show, upgrade_notes_at
from shipline.capabilities.plans.survey import PackageChoice
from shipline.capabilities.plans.tags import version_text
from shipline.capabilities.plans.usecases import (
    FinalPlan,
    changelog_of,
    changeset_status,
    detect_packages,
    known_packages,
    latest_releases,
    make_final_plan,
    make_plan,
    packages_of,
)
from shipline.capabilities.plans.versions import (
    SNAPSHOT,
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
    "CLEANUP_SETTINGS",
    "HOOK",
    "HOOK_MARKER",
    "MANIFESTS",
    "PLAIN",
    "SECTIONS",
    "SNAPSHOT",
    "STABLE",
    "Attribution",
    "BumpRules",
    "Channel",
    "ChannelRule",
    "Dialect",
    "FinalPlan",
    "Linted",
    "Linter",
    "Monorepo",
    "PackageChoice",
    "Pending",
    "Scheme",
    "Show",
    "Style",
    "Version",
    "changelog_of",
    "changeset_status",
    "channel_of",
    "checked_channel",
    "checked_line",
    "compare",
    "detect_packages",
    "explain",
    "hook_script",
    "is_changeset",
    "kept_of_message",
    "known_packages",
    "latest_releases",
    "links_of",
    "lint_document",
    "lint_report",
    "lint_rules_schema",
    "make_final_plan",
    "make_plan",
    "next_version",
    "packages_of",
    "pending_document",
    "plan_document",
    "prepend",
    "read_change",
    "read_lint_rules",
    "read_message",
    "read_messages",
    "render_section",
    "rfc3339",
    "rule_for",
    "satisfies",
    "scheme_named",
    "section_titles",
    "upgrade_notes_at",
    "version_text",
    "without_package",
    "write_changeset",
    "written_section",
]
