"""The one comment of a pull request: what merging it releases, and what is known of its newest commit. Pure.

It says the same as long as the same is so, and holds no times, so nobody is told of what did not change. What reports,
checks and commits say is somebody else's: see `wording`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.automation.housekeeping.acts import Act, Said, StatusSaid
from shipline.capabilities.automation.housekeeping.queue import Standing, Turn, theirs
from shipline.capabilities.automation.housekeeping.queue import told as told_of
from shipline.capabilities.automation.housekeeping.titles import DESCRIPTION_MAX
from shipline.capabilities.automation.housekeeping.wording import code, counted, words
from shipline.capabilities.releases import CommitRecord, status_of
from shipline.domain.gate import PULL_STAGE
from shipline.domain.release_plan import ReleasePlan
from shipline.domain.secrecy import redacted
from shipline.domain.verdict import Answer, Verdict
from shipline.ports.forge import Comment, CommitStatus, PullRequest, StatusState, bears, marked
from shipline.ports.forge.answers import Thread, is_ours
from shipline.ports.forge.reviews import ChangedFile

COMMENT_MARKER = "shipline:pull-request"
LISTED_MAX = 5
PACKAGES_MAX = 20
SEVERITIES = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A package whose next release a merge changes. `current` None: it was never released. `anyway`: the version is due
    already, and the merge only adds to it."""

    package: str
    current: str | None
    version: str
    anyway: bool


@dataclass(frozen=True, slots=True)
class PullSeen:
    """What is known of a pull request beside what its forge says.

    `merged` is what a merge commit of it would release, `squashed` what it would as one commit by its title. `trouble`
    is a sentence on why that cannot be told, "" where it can. `records` are by package.
    """

    merged: tuple[Foreseen, ...] = ()
    squashed: tuple[Foreseen, ...] = ()
    trouble: str = ""
    records: tuple[CommitRecord, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class ForgeSaid:
    """What the forge says: the files that change, all checks of the newest commit, and the statuses among them.

    `standing` is where it stands in the queue, None where nobody has asked for its merge.
    """

    files: tuple[ChangedFile, ...]
    checks: tuple[CommitStatus, ...]
    statuses: tuple[CommitStatus, ...]
    standing: Standing | None = None


def foreseen(before: ReleasePlan, after: ReleasePlan) -> tuple[Foreseen, ...]:
    """The packages whose next release is another one, or holds more, after a merge."""
    known = {each.name: each for each in before.packages}
    found = []
    for each in after.releasable:
        former = known.get(each.name)
        same = former is not None and former.next == each.next
        if each.next is not None and (not same or (former is not None and former.changes != each.changes)):
            found.append(Foreseen(each.name, each.current, each.next, anyway=same))
    return tuple(found)


def comment_text(pull: PullRequest, seen: PullSeen, said: ForgeSaid) -> str:
    """What the comment says."""
    lines = [*_plan(seen), "", *_checks(said.checks)]
    for record in seen.records:
        lines += _record(record, named=len(seen.records) > 1)
    lines += [_size(said.files), *_verdicts(seen.verdicts)]
    if said.standing is not None:
        lines += [f"- Merge when ready: {_standing(said.standing)}"]
    about = pull.head_commit[:9] or "nothing"
    return redacted("\n".join((*lines, "", f"This is about `{about}`, and is kept up to date by Shipline.")))


def _plan(seen: PullSeen) -> Iterator[str]:
    if seen.trouble:
        yield f"What merging this releases cannot be told: {words(seen.trouble)}"
        return
    yield _releases("Merging this", seen.merged)
    if seen.squashed != seen.merged:
        yield ""
        yield _releases("Squashed into one commit with this title, it", seen.squashed)


def _releases(who: str, packages: Sequence[Foreseen]) -> str:
    if not packages:
        return f"{who} releases nothing."
    own = [f"**{_named(each)}**{_after(each)}" for each in packages if not each.anyway]
    joined = [_named(each) for each in packages if each.anyway]
    sentences = [f"{who} releases {', '.join(own[:PACKAGES_MAX])}{_more(own)}."] if own else []
    if joined:
        subject = "It" if own else who
        sentences.append(f"{subject} goes into {', '.join(joined[:PACKAGES_MAX])}{_more(joined)}, which is due anyway.")
    return " ".join(sentences)


def _named(one: Foreseen) -> str:
    return f"{code(one.package)} {words(one.version)}"


def _after(one: Foreseen) -> str:
    return ", its first" if one.current is None else f" after {words(one.current)}"


def _more(listed: Sequence[str]) -> str:
    return f" and {len(listed) - PACKAGES_MAX} more" if len(listed) > PACKAGES_MAX else ""


def _checks(checks: Sequence[CommitStatus]) -> Iterator[str]:
    """Those of others: what Shipline itself says stands below."""
    told_by_others = theirs(checks)
    if not told_by_others:
        yield "- Checks: none yet"
        return
    states = [(state, [each.context for each in told_by_others if each.state is state]) for state in StatusState]
    told = {StatusState.SUCCESS: "passed", StatusState.FAILURE: "failed", StatusState.PENDING: "not ended"}
    yield "- Checks: " + ", ".join(f"{len(names)} {told[state]}" for state, names in states if names)
    failed = next(names for state, names in states if state is StatusState.FAILURE)
    yield from (f"  - failed: {code(name)}" for name in failed[:LISTED_MAX])


def _record(record: CommitRecord, *, named: bool) -> Iterator[str]:
    of = f" of {code(record.package)}" if named else ""
    beside = f" than {words(record.beside)}"
    facts = record.facts
    if "tests" in facts:
        yield f"- Tests{of}: {_tests(facts['tests'])}"
        yield from (f"  - fails now: {code(name)}" for name in record.failing[:LISTED_MAX])
    if "line" in facts.get("coverage", {}):
        change = facts["coverage"].get("change")
        yield f"- Coverage{of}: {facts['coverage']['line']:.2f} % of lines{_change(change, beside)}"
    if "total" in facts.get("findings", {}):
        yield f"- Findings{of}: {_findings(facts['findings'])}{_new_and_gone(record)}"
        yield from (f"  - new, {each.severity}: {code(each.rule)} {_place(each.path)}" for each in record.new)


def _tests(facts: Mapping[str, Any]) -> str:
    bad = int(facts.get("failed") or 0) + int(facts.get("errors") or 0)
    parts = [f"{facts.get('passed', 0)} passed", f"{bad} failed"] if bad else [f"{facts.get('passed', 0)} passed"]
    for name, told in (("skipped", "skipped"), ("new_failures", "fail now that did not before"), ("vanished", "gone")):
        if facts.get(name):
            parts.append(f"{facts[name]} {told}")
    return ", ".join(parts)


def _change(change: float | None, beside: str) -> str:
    if change is None:
        return ""
    rounded = round(change, 2)
    return f", {abs(rounded):.2f} points {'less' if rounded < 0 else 'more'}{beside}" if rounded else ", no change"


def _findings(facts: Mapping[str, Any]) -> str:
    shown = [f"{facts[name]} {name}" for name in SEVERITIES if facts.get(name)]
    return ", ".join(shown) or ("none" if not facts["total"] else str(facts["total"]))


def _new_and_gone(record: CommitRecord) -> str:
    if record.new_count is None:
        return ""
    return f"; {record.new_count} new and {record.gone_count or 0} gone since {words(record.beside)}"


def _place(path: str | None) -> str:
    return f"in {code(path)}" if path else ""


def _size(files: Sequence[ChangedFile]) -> str:
    added, removed = sum(file.added for file in files), sum(file.removed for file in files)
    return f"- Size: {counted(len(files), 'file')}, {counted(added, 'line')} added, {removed} removed"


def _verdicts(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for each in verdicts:
        why = "" if each.answer is Answer.PASS or not each.reasons else f": {words(each.reasons[0])}"
        yield f"- Gate {code(each.gate)}: {each.answer.value}{why}"


def _standing(standing: Standing) -> str:
    """Each block on a line of its own; other people's turns would change it without need."""
    if standing.turn is Turn.BLOCKED:
        return "\n".join(("it waits", *(f"  - {block}" for block in standing.blocks)))
    return "it waits for its turn" if standing.turn is Turn.WAITING else told_of(standing)


def comment_acts(
    pull: PullRequest, seen: PullSeen, said: ForgeSaid, comments: Sequence[Comment], account: str
) -> Iterator[Act]:
    """The verdicts' statuses and the comment, where they say something else so far. `account` is as in `stale_acts`."""
    if pull.head_commit:
        there = {each.context: (each.state, each.description) for each in said.statuses}
        for verdict in seen.verdicts:
            status = _short(status_of(verdict, PULL_STAGE))
            if there.get(status.context) != (status.state, status.description):
                yield StatusSaid(pull.head_commit, status)
    text = comment_text(pull, seen, said)
    ours = next((each for each in comments if bears(each.body, COMMENT_MARKER) and is_ours(account, each.author)), None)
    if ours is None or ours.body.replace("\r\n", "\n").strip() != marked(text, COMMENT_MARKER).strip():
        why = "say what merging it does" if ours is None else "bring the comment up to date"
        yield Said(Thread.pull(pull.number), COMMENT_MARKER, text, why)


def _short(status: CommitStatus) -> CommitStatus:
    cut = status.description
    return status if len(cut) <= DESCRIPTION_MAX else replace(status, description=f"{cut[: DESCRIPTION_MAX - 1]}…")
