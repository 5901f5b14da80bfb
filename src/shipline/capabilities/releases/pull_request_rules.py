"""What a release pull request says: pure text.

One part of the body is Shipline's, between two comments that no page shows; whatever people write around it stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipline.domain.release_plan import PackagePlan

BEGIN = "<!-- shipline:plan -->"
END = "<!-- shipline:plan:end -->"
TITLE_LENGTH_MAX = 120
BODY_LENGTH_MAX = 60_000  # GitHub takes 65,536 characters, the others more.
CUT = "\n\n(The rest is in the changelog.)\n"


def branch_for(target: str) -> str:
    """The branch of the pull request to `target`: one for each, always the same."""
    return f"shipline/release-{target}"


def title_of(plans: Sequence[PackagePlan], message: str) -> str:
    """The title, and the commit's subject: by the pattern of `commit_message` for one package, else all their names."""
    if len(plans) == 1:
        return message.replace("{package}", plans[0].name).replace("{version}", plans[0].next or "")
    start = message.partition("{package}")[0].rstrip() or "release"
    names = ", ".join(f"{plan.name} {plan.next}" for plan in plans)
    whole = f"{start} {names}"
    return whole if len(whole) <= TITLE_LENGTH_MAX else f"{start} {len(plans)} packages"


def part_of(plans: Sequence[PackagePlan], sections: Sequence[str]) -> str:
    """Shipline's part of the body: what merging releases, why, and the notes."""
    lines = ["Merging this releases:", ""]
    lines += [
        f"- **{plan.name}** {plan.current or '(nothing)'} → **{plan.next}**: {' '.join(plan.reasons)}" for plan in plans
    ]
    notes = [_titled(plan, section, alone=len(plans) == 1) for plan, section in zip(plans, sections, strict=True)]
    text = "\n".join(lines) + "\n\n" + "\n".join(notes)
    # A message may hold anything, also what ends our part.
    text = text.replace("<!--", "&lt;!--")
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
