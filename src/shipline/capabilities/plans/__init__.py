"""Room `plans`: commits -> ReleasePlan, and the changelog.

Promises: a plan comes from git tags, commit messages and the package's own files alone, so it is the same on every
machine; it changes nothing; the history is read once, by one git process. Needs the standard library and, for PEP 440
versions, `packaging`. Does not write files, tags or releases: `releases` does.
"""

from shipline.capabilities.plans.bumps import BumpRules
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
from shipline.capabilities.plans.conventional import read_change, read_message
from shipline.capabilities.plans.documents import plan_document
from shipline.capabilities.plans.links import links_of
from shipline.capabilities.plans.messages import read_messages
from shipline.capabilities.plans.show import Show, upgrade_notes_at
from shipline.capabilities.plans.usecases import changelog_of, detect_packages, ecosystem_at, make_plan
from shipline.capabilities.plans.versions import STABLE, compare, scheme_named

__all__ = [
    "PLAIN",
    "SECTIONS",
    "STABLE",
    "BumpRules",
    "Show",
    "Style",
    "changelog_of",
    "compare",
    "detect_packages",
    "ecosystem_at",
    "links_of",
    "make_plan",
    "plan_document",
    "prepend",
    "read_change",
    "read_message",
    "read_messages",
    "render_section",
    "rfc3339",
    "scheme_named",
    "section_titles",
    "upgrade_notes_at",
    "written_section",
]
