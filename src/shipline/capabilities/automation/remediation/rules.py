"""What is due about findings, from what is so: pure.

    found, and a rule is about it -> an issue -> says what is so, and escalates as it grows old
                                             -> not found again by whoever found it -> closed -> found again: opened
                                             -> closed by a person -> left alone

That something is gone is said only by whoever had found it: a version that a tool has not looked at closes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shipline.capabilities.automation.remediation import texts
from shipline.capabilities.automation.remediation.effects import (
    LABEL,
    CloseIssue,
    Dress,
    DressPull,
    EditIssue,
    Effect,
    Escalate,
    MakeLabel,
    OpenIssue,
    OpenPull,
    Told,
)
from shipline.capabilities.automation.remediation.flaws import SEVERITIES, Flaw, Rule, Thing, key_of, name_of
from shipline.capabilities.automation.remediation.texts import State
from shipline.capabilities.plans import matches
from shipline.ports.forge import marked

HOUR_US = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class IssueSeen:
    """An issue of ours, as the forge has it."""

    number: int
    key: str
    state: State
    title: str
    body: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What is so. `looked` are those who have looked at the newest version; `labels` what the repository knows.
    `remedies` are sentences of ours about what mends what is in a dependency, by its package URL."""

    issues: tuple[IssueSeen, ...]
    looked: frozenset[str]
    labels: tuple[str, ...]
    remedies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done, each with the key that it is about, and what there is to say: what waits, what is left."""

    effects: tuple[tuple[str, Effect], ...]
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are made."""
        return tuple(effect.name for _, effect in self.effects if isinstance(effect, MakeLabel))


def fits(rule: Rule, flaw: Flaw, known_us: int) -> bool:
    """Whether a rule is about a flaw that is known for `known_us` microseconds."""
    names = (flaw.purl.removeprefix("pkg:"), flaw.purl, name_of(flaw.purl)) if flaw.purl else ()
    return (
        (not rule.kinds or flaw.kind.value in rule.kinds)
        and (not rule.tools or flaw.tool.casefold() in {each.casefold() for each in rule.tools})
        and SEVERITIES.index(flaw.severity) <= SEVERITIES.index(rule.severity)
        and (not rule.packages or any(matches(pattern, name) for pattern in rule.packages for name in names))
        and (rule.fixed == "any" or (rule.fixed == "known") == bool(flaw.fixed))
        and known_us >= rule.older_than_us
    )


def things_of(
    rules: Sequence[Rule], flaws: Sequence[Flaw], first_us: Mapping[str, int], now_us: int
) -> tuple[Thing, ...]:
    """What the rules ask for, the worst first. `first_us` is since when a flaw is known, by its identity; one that is
    not in it is known since now. Of several rules the first one holds."""
    found: dict[str, list[Flaw]] = {}
    ruled: dict[str, Rule] = {}
    order = {rule.name: number for number, rule in enumerate(rules)}
    for flaw in flaws:
        known_us = now_us - first_us.get(flaw.identity, now_us)
        rule = next((each for each in rules if fits(each, flaw, known_us)), None)
        if rule is None:
            continue
        key = key_of(rule, flaw)
        found.setdefault(key, []).append(flaw)
        ruled[key] = min(ruled.get(key, rule), rule, key=lambda each: order[each.name])
    things = []
    for key, some in found.items():
        ordered = sorted(
            dict.fromkeys(some),
            key=lambda one: (
                SEVERITIES.index(one.severity),
                one.name,
                one.package,
                one.version,
                one.tool,
                one.identity,
            ),
        )
        purls = {flaw.purl for flaw in ordered}
        things.append(Thing(key, ruled[key], tuple(ordered), purls.pop() if len(purls) == 1 else ""))
    return tuple(sorted(things, key=lambda one: (SEVERITIES.index(one.severity), one.key)))


def decide_issues(things: Sequence[Thing], seen: Seen, most: int, now_us: int) -> Due:
    """What is due of issues; at most `most` are opened."""
    wanted = {thing.key: thing for thing in things if thing.rule.issue != "none"}
    due, left, waiting, kept = list(_doubles(seen)), most, 0, 0
    first = {one.key: one for one in sorted(seen.issues, key=lambda one: one.number, reverse=True)}
    for key, thing in wanted.items():
        issue = first.get(key)
        if issue is not None and not issue.is_open and not issue.state.gone:
            kept += 1
        elif issue is not None and issue.is_open:
            due += [(key, effect) for effect in _keep(thing, issue, seen, now_us)]
        elif thing.is_certain and left > 0:
            due.append((key, _open(thing, issue, seen, now_us)))
            left -= 1
        elif thing.is_certain:
            waiting += 1
    due += [(key, _closing(one)) for key, one in first.items() if key not in wanted and _is_gone(one, seen.looked)]
    notes = []
    if waiting:
        notes.append(f"{waiting} more issues wait for the next look: issues_most in [automation.remediation] is {most}")
    if kept:
        notes.append(f"{kept} issues were closed by people and are left alone")
    return Due((*labels_made([effect for _, effect in due], seen.labels), *due), tuple(notes))


def _doubles(seen: Seen) -> Iterator[tuple[str, Effect]]:
    """Two who looked at once may have opened two: the older one stays."""
    oldest: dict[str, int] = {}
    for one in sorted(seen.issues, key=lambda each: each.number):
        if oldest.setdefault(one.key, one.number) != one.number and one.is_open:
            body = texts.with_state(one.body, texts.gone_state(one.state))
            yield one.key, CloseIssue(one.number, texts.DOUBLE_WORDS, body)


def _is_gone(issue: IssueSeen, looked: frozenset[str]) -> bool:
    return issue.is_open and set(issue.state.sources) <= looked


def _closing(issue: IssueSeen) -> Effect:
    return CloseIssue(issue.number, texts.GONE_WORDS, texts.with_state(issue.body, texts.gone_state(issue.state)))


def _open(thing: Thing, known: IssueSeen | None, seen: Seen, now_us: int) -> Effect:
    title, labels = texts.issue_title(thing), tuple(dict.fromkeys((LABEL, *thing.rule.labels)))
    remedy = seen.remedies.get(thing.purl, ()) or texts.remedy_of(thing)
    marker = texts.marker_of(thing.key)
    if known is not None:
        state = texts.opened_state(thing, now_us, is_dressed=True)
        return EditIssue(known.number, title, marked(texts.issue_body(thing, state, remedy, 0), marker), reopens=True)
    state = texts.opened_state(thing, now_us, is_dressed=not thing.rule.assign)
    dressed = texts.issue_body(thing, replace(state, stage=1), remedy, 0)
    body = texts.issue_body(thing, state, remedy, 0)
    return OpenIssue(marker, title, body, labels, thing.rule.assign, marked(dressed, marker))


def _keep(thing: Thing, issue: IssueSeen, seen: Seen, now_us: int) -> Iterator[Effect]:
    """Its text, and the escalations that are due. Whoever has not looked again stays among its sources."""
    title, rule, marker = texts.issue_title(thing), thing.rule, texts.marker_of(thing.key)
    remedy = seen.remedies.get(thing.purl, ()) or texts.remedy_of(thing)
    now = {flaw.source for flaw in thing.flaws}
    silent = {each for each in issue.state.sources if each not in seen.looked} - now
    state = replace(issue.state, sources=tuple(sorted(now | silent)), gone=False)

    def body(stage: int) -> str:
        return marked(texts.issue_body(thing, replace(state, stage=stage), remedy, len(silent)), marker)

    stage = state.stage
    if stage == 0:
        stage = 1
        yield Dress(issue.number, title, rule.assign, body(stage))
    for step, each in enumerate(rule.steps, start=1):
        if step < stage or now_us - state.since < each.after_us:
            continue
        hours = each.after_us // HOUR_US
        stage = step + 1
        words = f"issue {issue.number} is open for {hours} hours: {title}"
        told = Told(thing.key, state.since, step, words)
        comment = texts.escalation_words(hours, each.comment)
        yield Escalate(issue.number, title, comment, each.labels, each.assign, body(stage), told)
    if stage == state.stage and not texts.are_same((issue.title, issue.body), (title, body(stage))):
        yield EditIssue(issue.number, title, body(stage))


def labels_made(effects: Sequence[Effect], known: Sequence[str]) -> Iterator[tuple[str, Effect]]:
    """The labels that are needed and not there yet."""
    there = {name.casefold() for name in known}
    bearing = [each for each in effects if isinstance(each, OpenIssue | Escalate | OpenPull | DressPull)]
    needed = [name for each in bearing for name in each.labels]
    for name in dict.fromkeys(needed):
        if name.casefold() not in there:
            there.add(name.casefold())
            yield "", MakeLabel(name)
