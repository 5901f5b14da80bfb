"""Room `plans`: commits -> ReleasePlan, the changelog, and the commit lint.

Promises: a plan comes from git tags, commit messages and the package's own files alone, so it is the same on every
machine; it changes nothing; the history is read once, by one git process. Needs the standard library and, for PEP 440
versions, `packaging`. Does not write files, tags or releases: `releases` does.

The face is lazy (PEP 562): a name's module is imported when the name is first asked for, since a plan of a small
repository takes less time than importing everything that this room can do.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shipline.capabilities.plans.asked import Monorepo
    from shipline.capabilities.plans.attribution import Attribution
    from shipline.capabilities.plans.bumps import BumpRules
    from shipline.capabilities.plans.chains import explain
    from shipline.capabilities.plans.changelog import (
        PLAIN,
        SECTIONS,
        Style,
        prepend,
        render_section,
        section_titles,
        written_section,
    )
    from shipline.capabilities.plans.changelogs import changelog_pieces
    from shipline.capabilities.plans.changesets import is_changeset, without_package
    from shipline.capabilities.plans.channels import Channel, ChannelRule, channel_of, checked_line, is_hotfix, rule_for
    from shipline.capabilities.plans.choices import PackageChoice, packages_of
    from shipline.capabilities.plans.conventional import co_author_mails_in, read_change, read_message
    from shipline.capabilities.plans.documents import plan_document
    from shipline.capabilities.plans.finals import FinalPlan, make_final_plan
    from shipline.capabilities.plans.globs import matches
    from shipline.capabilities.plans.links import links_of
    from shipline.capabilities.plans.lint.bulk import Linter
    from shipline.capabilities.plans.lint.cleanup import SETTINGS as CLEANUP_SETTINGS
    from shipline.capabilities.plans.lint.cleanup import kept as kept_of_message
    from shipline.capabilities.plans.lint.documents import Linted, lint_document
    from shipline.capabilities.plans.lint.hook import HOOK, HOOK_MARKER, hook_script
    from shipline.capabilities.plans.lint.meanings import rules_schema as lint_rules_schema
    from shipline.capabilities.plans.lint.report import report as lint_report
    from shipline.capabilities.plans.lint.settings import read_rules as read_lint_rules
    from shipline.capabilities.plans.lowered import is_lowered, with_files
    from shipline.capabilities.plans.messages import read_messages
    from shipline.capabilities.plans.migrations import migrations_between
    from shipline.capabilities.plans.moments import rfc3339
    from shipline.capabilities.plans.packages import MANIFESTS
    from shipline.capabilities.plans.pending import (
        Pending,
        changeset_status,
        pending_document,
        uncommitted_changesets,
        write_changeset,
    )
    from shipline.capabilities.plans.planning import make_plan
    from shipline.capabilities.plans.remembered import Said, kept_plan
    from shipline.capabilities.plans.rules import bump_of
    from shipline.capabilities.plans.show import Show, upgrade_notes_at
    from shipline.capabilities.plans.strangers import safe_line
    from shipline.capabilities.plans.tags import version_text
    from shipline.capabilities.plans.usecases import (
        detect_packages,
        known_packages,
        latest_releases,
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
        pep440_parts,
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
    "Said",
    "Scheme",
    "Show",
    "Style",
    "Version",
    "bump_of",
    "changelog_pieces",
    "changeset_status",
    "channel_of",
    "checked_channel",
    "checked_line",
    "co_author_mails_in",
    "compare",
    "detect_packages",
    "explain",
    "hook_script",
    "is_changeset",
    "is_hotfix",
    "is_lowered",
    "kept_of_message",
    "kept_plan",
    "known_packages",
    "latest_releases",
    "links_of",
    "lint_document",
    "lint_report",
    "lint_rules_schema",
    "make_final_plan",
    "make_plan",
    "matches",
    "migrations_between",
    "next_version",
    "packages_of",
    "pending_document",
    "pep440_parts",
    "plan_document",
    "prepend",
    "read_change",
    "read_lint_rules",
    "read_message",
    "read_messages",
    "render_section",
    "rfc3339",
    "rule_for",
    "safe_line",
    "satisfies",
    "scheme_named",
    "section_titles",
    "uncommitted_changesets",
    "upgrade_notes_at",
    "version_text",
    "with_files",
    "without_package",
    "write_changeset",
    "written_section",
]

# Where each name is at home: a module of this room, and behind a colon its name there, if that is another one.
_HOMES = {
    "CLEANUP_SETTINGS": "lint.cleanup:SETTINGS",
    "HOOK": "lint.hook",
    "HOOK_MARKER": "lint.hook",
    "MANIFESTS": "packages",
    "PLAIN": "changelog",
    "SECTIONS": "changelog",
    "SNAPSHOT": "versions",
    "STABLE": "versions",
    "Attribution": "attribution",
    "BumpRules": "bumps",
    "Channel": "channels",
    "ChannelRule": "channels",
    "Dialect": "versions",
    "FinalPlan": "finals",
    "Linted": "lint.documents",
    "Linter": "lint.bulk",
    "Monorepo": "asked",
    "PackageChoice": "choices",
    "Pending": "pending",
    "Said": "remembered",
    "Scheme": "versions",
    "Show": "show",
    "Style": "changelog",
    "Version": "versions",
    "bump_of": "rules",
    "changelog_pieces": "changelogs",
    "changeset_status": "pending",
    "channel_of": "channels",
    "checked_channel": "versions",
    "checked_line": "channels",
    "co_author_mails_in": "conventional",
    "compare": "versions",
    "detect_packages": "usecases",
    "explain": "chains",
    "hook_script": "lint.hook",
    "is_changeset": "changesets",
    "is_hotfix": "channels",
    "is_lowered": "lowered",
    "kept_of_message": "lint.cleanup:kept",
    "kept_plan": "remembered",
    "known_packages": "usecases",
    "latest_releases": "usecases",
    "links_of": "links",
    "lint_document": "lint.documents",
    "lint_report": "lint.report:report",
    "lint_rules_schema": "lint.meanings:rules_schema",
    "make_final_plan": "finals",
    "make_plan": "planning",
    "matches": "globs",
    "migrations_between": "migrations",
    "next_version": "versions",
    "packages_of": "choices",
    "pending_document": "pending",
    "pep440_parts": "versions",
    "plan_document": "documents",
    "prepend": "changelog",
    "read_change": "conventional",
    "read_lint_rules": "lint.settings:read_rules",
    "read_message": "conventional",
    "read_messages": "messages",
    "render_section": "changelog",
    "rfc3339": "moments",
    "rule_for": "channels",
    "safe_line": "strangers",
    "satisfies": "versions",
    "scheme_named": "versions",
    "section_titles": "changelog",
    "uncommitted_changesets": "pending",
    "upgrade_notes_at": "show",
    "version_text": "tags",
    "with_files": "lowered",
    "without_package": "changesets",
    "write_changeset": "pending",
    "written_section": "changelog",
}

if not TYPE_CHECKING:  # Else a type checker would take every name for one of the face.

    def __getattr__(name: str) -> object:
        """A name of the face, imported from its home; from then on it is found here."""
        from importlib import import_module  # noqa: PLC0415 - the commit hook comes by here and needs none

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _HOMES[name].partition(":")
        value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), attribute or name)
        return value
