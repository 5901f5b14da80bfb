"""What a release pull request says: pure text.

One part of the body is Shipline's, between two comments that no page shows; whatever people write around it stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipline.capabilities.plans import safe_line
from shipline.capabilities.releases.mentions import without_calls
from shipline.capabilities.releases.rules import subject_of
from shipline.domain.release_plan import PackagePlan

BEGIN = "<!-- shipline:plan -->"
END = "<!-- shipline:plan:end -->"
BODY_LENGTH_MAX = 60_000  # GitHub takes 65,536 characters, the others more.
CUT = "\n\n(The rest is in the changelog.)\n"


def branch_for(target: str) -> str:
    """The branch of the pull request to `target`: one for each, always the same."""
    return f"shipline/release-{target}"


def title_of(plans: Sequence[PackagePlan], message: str) -> str:
    """The title, and the commit's subject: as a release commit has it."""
    return subject_of(message, [(plan.name, plan.next or "") for plan in plans])


def part_of(plans: Sequence[PackagePlan], sections: Sequence[str]) -> str:
    """Shipline's part of the body: what merging releases, why, and the notes."""
    lines = ["Merging this releases:", ""]
    lines += [
        f"- **{plan.name}** {plan.current or '(nothing)'} → **{plan.next}**: {safe_line(' '.join(plan.reasons))}"
        for plan in plans
    ]
    notes = [_titled(plan, section, alone=len(plans) == 1) for plan, section in zip(plans, sections, strict=True)]
    text = "\n".join(lines) + "\n\n" + "\n".join(notes)
    # A message may hold anything, also what ends our part.
    text = without_calls(text.replace("<!--", "&lt;!--"))
    return text if len(text) <= BODY_LENGTH_MAX else text[:BODY_LENGTH_MAX] + CUT


def _titled(plan: PackagePlan, section: str, *, alone: bool) -> str:
    return section if alone else f"# {plan.name}\n\n{section}"


def body_with(existing: str, part: str) -> str:
    """`existing` with `part` in Shipline's place, and everything else as people left it.

    Without such a place, it comes first. A forge may have changed the line breaks: both forms are read.
    """
    ours = f"{BEGIN}\n{part.strip()}\n{END}"
    before, begin, rest = existing.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        return f"{before}{ours}{after}"
    theirs = existing.replace(BEGIN, "").replace(END, "").strip()
    return f"{ours}\n\n{theirs}" if theirs else f"{ours}\n"
