"""The text that sections of a changelog become: Markdown, an announcement, or what a user's template makes of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shipline.capabilities.plans import changelog
from shipline.capabilities.plans.changelog import BREAKING, PLAIN, UNRELEASED, Section, Style
from shipline.capabilities.plans.entries import people_of
from shipline.domain.errors import UsageError
from shipline.domain.package import unknown_package
from shipline.domain.release_plan import PackagePlan
from shipline.ports.repository import Repository

UPGRADE_NOTES_MAX = 1000
COMMIT_AT_END = re.compile(r" \([0-9a-f]{7}(?:, [^\s()]+)*\)$")


@dataclass(frozen=True, slots=True)
class Show:
    """How sections are shown. `template` is a Jinja2 template's text, None for our own form.

    `announcement` asks for plain text to tell people; `version` for that one release, None for the next; `package` for
    that one alone, None for all.
    """

    style: Style = field(default_factory=lambda: PLAIN)
    template: str | None = None
    announcement: bool = False
    version: str | None = None
    package: str | None = None

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        """The package that was asked for, or all of the names. UsageError where there is no such package."""
        if self.package is None:
            return names
        if self.package not in names:
            raise unknown_package(self.package, names)
        return (self.package,)

    def text(self, package: str, sections: Sequence[Section]) -> str:
        """The text of a package's sections, the latest first."""
        if self.template is not None and not self.announcement:
            # Imported here: the engine costs as much as the rest of a changelog, and few have templates.
            from shipline.capabilities.plans.templates import render_template  # noqa: PLC0415 - see above

            return render_template(self.template, package, sections, self.style)
        if self.announcement:
            return "\n".join(announced(package, section, self.style) for section in sections)
        return "\n".join(changelog.render(section, self.style) for section in sections)

    def whole(self, package: str, sections: Sequence[Section]) -> list[str]:
        """The text of a file with a head and all of a package's sections, in pieces."""
        if self.template is not None:
            return [self.text(package, sections)]
        return list(changelog.render_all(sections, self.style))

    def released(self, plan: PackagePlan, time_us: int) -> str:
        """The section that a release writes into the changelog, and uses as its notes.

        What a template puts before the version's heading is the head of a whole changelog, and is left out. UsageError
        for a template that fails, or whose text could not be found again in the changelog.
        """
        if self.template is None:
            return changelog.render_section(plan, time_us=time_us, style=self.style)
        text = self.text(plan.name, [changelog.section_of(plan, time_us=time_us)]).replace("\r\n", "\n")
        section = changelog.only_section(text, str(plan.next))
        if not section:
            raise UsageError(
                f"the changelog's template makes no section of {plan.name} {plan.next}",
                why="a release finds its section again by the heading, and its text has not just that one of its level",
                todo=f"let it write a line such as `## {plan.next}` ({{{{ release.title }}}}) for each release, and all"
                " other headings with ### below it",
            )
        return section


def announced(package: str, section: Section, style: Style) -> str:
    """What people are told of a release: plain text, what breaks first, without commit ids."""
    open_yet = section.title == UNRELEASED
    lines = [f"What comes next in {package}:" if open_yet else f"{package} {section.title} is released.", ""]
    plain = Style(sections=style.sections, upgrade_notes=style.upgrade_notes)
    for heading, entries in changelog.grouped(section.changes, plain).items():
        lines.append(f"{heading}:")
        lines += [_without_id(entry) for entry in entries if entry.strip()]
        if heading == BREAKING and changelog.has_upgrade_notes(section.changes, plain):
            lines.append("Read the upgrade notes before you update.")
        lines.append("")
    if not section.changes:
        lines += [changelog.NO_CHANGES, ""]
    people = people_of(section.changes)
    if people:
        lines += [f"Thanks to {', '.join(people)}.", ""]
    before, after = section.tags
    if style.links is not None and before and after:
        lines += [style.links.compare(before, after), ""]
    return "\n".join(lines).rstrip() + "\n"


def upgrade_notes_at(repository: Repository, folder: str = "upgrade-notes") -> dict[str, str]:
    """The authored notes in a folder of HEAD: `12.md` belongs to what names #12, `1a2b3c4.md` to that commit."""
    paths = [path for path in repository.list_files((folder,)) if path.endswith(".md")][:UPGRADE_NOTES_MAX]
    contents = repository.read_files(tuple(paths)) if paths else {}
    return {
        path.rpartition("/")[2].removesuffix(".md"): content.decode("utf-8-sig", "replace")
        for path, content in contents.items()
    }


def _without_id(entry: str) -> str:
    """An entry as plain text: without marks for bold, and without the commit and the numbers at its end."""
    text = entry.rstrip("\n").replace("&lt;", "<")
    if not text.startswith("- "):
        return text
    first, broken, rest = text.partition("\n")
    return COMMIT_AT_END.sub("", first).replace("**", "", 2) + broken + rest
