"""What is so of milestones, read from forge and git. Changes nothing that anybody else can see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.automation.milestones import texts
from shipline.capabilities.automation.milestones.rules import Flow, branch_of
from shipline.capabilities.automation.milestones.states import (
    BranchSeen,
    Content,
    IssueSeen,
    Left,
    MilestoneSeen,
    PullSeen,
    Seen,
    Tracking,
)
from shipline.capabilities.automation.milestones.tags import (
    CANDIDATE,
    DEV,
    Checked,
    Checks,
    Numbered,
    Tags,
    due_commits,
    first_green,
    next_tags,
    read_tags,
)
from shipline.capabilities.plans import STABLE, scheme_named
from shipline.capabilities.releases import Stated
from shipline.domain.errors import ConfigurationError
from shipline.domain.package import Package
from shipline.ports.forge import CommitStatus, Forge, Known, StatusState, bears
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.tracker import Issue, IssueQuery, Milestone
from shipline.ports.repository import Commit, Repository

# Only so many commits of the development branch are looked at, the newest; and so many for one that a milestone may
# begin on.
CHAIN_MAX, BEGINS_MAX = 500, 50
LISTED_MAX = 3
OWN_CONTEXT = "shipline/"
KEY_LINE = "Shipline-Key: "


@dataclass(frozen=True, slots=True)
class MilestoneGround:
    """What a look stands on. `on_the_way` (version, base) and `final` (version, tag, base) make the commit of a
    milestone's branch, on no branch yet; `stated` is the version that a commit states."""

    forge: Forge
    repository: Repository
    remote: str
    package: Package
    flow: Flow
    on_the_way: Callable[[str, str], Stated]
    final: Callable[[str, str, str], Stated]
    stated: Callable[[str], str | None]


def look_at_milestones(ground: MilestoneGround, now_us: int) -> Seen:
    """What is so. ConfigurationError where a branch of the settings is not there; other errors are those of ports."""
    return _Look(ground, now_us).seen()


class _Look:
    """One look: what several milestones need is read once."""

    def __init__(self, ground: MilestoneGround, now_us: int) -> None:
        self.ground = ground
        self.forge, self.repository, self.flow = ground.forge, ground.repository, ground.flow
        self.now_us = now_us
        self.scheme = scheme_named(ground.package.scheme)
        self.account = ground.forge.account()
        self.development = self._tip(ground.flow.development)
        self.release = self._tip(ground.flow.release_branch)
        self.tags = self._tags()
        self.pulls = {pull.head: pull for pull in self.forge.open_pull_requests(base=ground.flow.release_branch)}
        self.stated = ground.stated(self.release)
        self.waits = False

    def _tip(self, branch: str) -> str:
        found = self.repository.fetch_branch(self.ground.remote, branch)
        if found is None:
            raise ConfigurationError(
                f"{self.ground.remote} has no branch {branch}",
                todo="push it, or mend development_branch in [automation.milestones] of shipline.toml",
            )
        return found

    def _tags(self) -> Tags:
        for _ in range(LISTED_MAX):
            tags = read_tags(self.ground.package, self.repository.tags_on(self.ground.remote, None))
            if tags.are_whole():
                break
        return tags  # Still not whole: somebody has deleted one.

    def seen(self) -> Seen:
        """All of it."""
        trackings = self._trackings()
        wanted, ignored = self._wanted(trackings)
        active = min(
            (
                version
                for version, one in wanted.items()
                if one.state is ItemState.OPEN and not self._is_tagged(version)
            ),
            key=self._key,
            default="",
        )
        found = tuple(
            self._milestone(one, version, trackings.get(one.key), is_active=version == active)
            for version, one in sorted(wanted.items(), key=lambda pair: self._key(pair[0]))
        )
        keys = {one.key for one in wanted.values()}
        gone = [each for key, each in trackings.items() if key not in keys and each.is_open]
        former = {
            one.key: self._branch(one.tracking.version)
            for one in found
            if one.tracking is not None and one.tracking.version != one.version
        }
        return Seen(
            tags=self.tags,
            milestones=found,
            left=tuple(Left(each, self._branch(each.version)) for each in gone),
            former=former,
            ignored=ignored,
            has_label=bool(trackings) or any(label.name == texts.LABEL for label in self.forge.labels()),
            waits=self.waits,
            development_tip=self.development,
            release_tip=self.release,
        )

    # --- which ones --------------------------------------------------------------------------------------------

    def _trackings(self) -> dict[str, Tracking]:
        found: dict[str, Tracking] = {}
        for issue in sorted(self.forge.issues(IssueQuery(labels=(texts.LABEL,))), key=lambda one: one.number):
            marks = texts.read_markers(issue.body)
            if marks is None or not self._is_ours(issue) or not self._version_of(marks[1]):
                continue
            state = issue.state is ItemState.OPEN
            found.setdefault(marks[0], Tracking(issue.number, *marks, issue.title, issue.body, state))
        return found

    def _is_ours(self, issue: Issue) -> bool:
        return issue.author == self.account if self.account else issue.author.endswith("[bot]")

    def _wanted(
        self, trackings: Mapping[str, Tracking]
    ) -> tuple[dict[str, Milestone], tuple[tuple[str, str, str], ...]]:
        wanted: dict[str, Milestone] = {}
        ignored: list[tuple[str, str, str]] = []
        newest = self.tags.newest_final()
        for one in self.forge.milestones():
            version, tracking = self._version_of(one.title), trackings.get(one.key)
            is_followed = tracking is not None and tracking.is_open
            why = ""
            if not version:
                why = "its title is no version"
            elif version in wanted:
                why = f"{version} is that of the milestone {wanted[version].title!r} already"
            elif self._is_tagged(version):
                why = "" if is_followed else f"{version} is released already"
            elif newest is not None and self._key(version) <= newest.key:
                why = f"{version} is not above {newest.text}, which is released"
            if not why:
                wanted[version] = one
            elif one.state is ItemState.OPEN:
                ignored.append((one.key, one.title, why))
        return wanted, tuple(ignored)

    def _version_of(self, title: str) -> str:
        """The final version that a title is, "" for none."""
        text = self.scheme.normalized(title)
        version = None if text is None else self.scheme.parse(text)
        if version is None or not version.is_stable or version.build:
            return ""
        return self.scheme.render(version.release, channel=STABLE, number=0, epoch=version.epoch)

    def _key(self, version: str) -> Any:
        parsed = self.scheme.parse(version)
        assert parsed is not None  # noqa: S101 - it was rendered by the scheme
        return parsed.key

    def _is_tagged(self, version: str) -> bool:
        return version in self.tags.finals

    # --- one of them -------------------------------------------------------------------------------------------

    def _milestone(self, one: Milestone, version: str, tracking: Tracking | None, *, is_active: bool) -> MilestoneSeen:
        issues = tuple(
            IssueSeen(issue.number, issue.title, issue.state is ItemState.OPEN)
            for issue in sorted(self.forge.issues(IssueQuery(milestone=one.key)), key=lambda each: each.number)
            if tracking is None or issue.number != tracking.number
        )
        found = MilestoneSeen(
            key=one.key,
            title=one.title,
            version=version,
            url=one.url,
            is_closed=one.state is ItemState.CLOSED,
            issues=issues,
            tracking=tracking,
            branch=self._branch(version),
            is_merged=self.stated == version,
            is_tagged=self._is_tagged(version),
        )
        if found.is_tagged:
            page = self.forge.find_release(self.ground.package.tag(version))
            url = None if page is None or page.draft else page.url or page.tag
            row = self.tags.development.get(version, ())
            return replace(
                found,
                issues=issues if url is None else tuple(self._told(each, version) for each in issues),
                newest=row[-1] if row else None,
                candidate=self._last_candidate(version),
                is_merged=True,
                page_url=url,
                brings_back=self._brings_back(version),
            )
        return self._with_content(self._with_tags(found, is_active=is_active))

    def _told(self, issue: IssueSeen, version: str) -> IssueSeen:
        marker = texts.released_marker(version)
        comments = self.forge.comments(Thread.issue(issue.number))
        return replace(issue, is_told=any(bears(each.body, marker) for each in comments))

    def _branch(self, version: str) -> BranchSeen:
        name = branch_of(version)
        tip = self.repository.fetch_branch(self.ground.remote, name)
        pull = self.pulls.get(name)
        pages = (self.forge.find_release(each.name) for each in self.tags.candidates.get(version, ()))
        return BranchSeen(
            tip=tip,
            is_ours=tip is None or self._made_by_us(tip, version),
            pull=None if pull is None else PullSeen(pull.number, pull.title, pull.body),
            drafts=tuple(page.tag for page in pages if page is not None and page.draft),
        )

    def _made_by_us(self, tip: str, version: str) -> bool:
        if tip in {each.commit for each in self.tags.development.get(version, ())}:
            return True  # Where no file states a version, the branch stands on the commit itself.
        commit = next(iter(self.repository.log((), tip, limit=1)), None)
        return commit is not None and any(line.startswith(KEY_LINE) for line in commit.message.splitlines())

    def _with_tags(self, found: MilestoneSeen, *, is_active: bool) -> MilestoneSeen:
        row = self.tags.development.get(found.version, ())
        new: tuple[Numbered, ...] = ()
        if not row:
            begins = first_green([*self._checked(self._chain(None, BEGINS_MAX), until_green=True)])
            self.waits = self.waits or begins is None
            new = next_tags(self.tags, found.version, DEV, [] if begins is None else [begins])
        chain = self._chain(row[0].commit, CHAIN_MAX) if row else []
        if row and is_active:
            taken = {each.commit for some in self.tags.development.values() for each in some if each.number > 0}
            oldest_first = [each for each in reversed(chain) if each.id not in taken]
            due, waits = due_commits([*self._checked(oldest_first)], self.now_us)
            self.waits = self.waits or waits
            new = next_tags(self.tags, found.version, DEV, due)
        own = {each.commit: each for each in (*row, *new)}
        # In the order of the branch: a commit that became green late has a higher number, and is no newer for that.
        newest = next((own[one.id] for one in chain if one.id in own), (*row, *new)[0] if row or new else None)
        return replace(found, new_tags=new, newest=newest)

    def _with_content(self, found: MilestoneSeen) -> MilestoneSeen:
        newest, version = found.newest, found.version
        if newest is None or found.is_merged:
            return replace(found, candidate=self._last_candidate(version), held_said=self._held_said(found))
        if not found.is_closed or found.open_issues:
            stated = self.ground.on_the_way(version_in(self.tags, newest), newest.commit)
            content = Content(stated.commit, version_in(self.tags, newest))
            return replace(found, content=content, held_said=self._held_said(found))
        known = self._last_candidate(version)
        makes = known is None or known.commit != newest.commit
        candidate = next_tags(self.tags, version, CANDIDATE, [newest.commit])[0] if makes else known
        stated = self.ground.final(version, newest.name, newest.commit)
        content = Content(stated.commit, version, stated.section)
        return replace(found, candidate=candidate, makes_candidate=makes, content=content)

    def _last_candidate(self, version: str) -> Numbered | None:
        row = self.tags.candidates.get(version, ())
        return row[-1] if row else None

    def _held_said(self, found: MilestoneSeen) -> str:
        if found.tracking is None or not (found.is_closed and found.open_issues):
            return ""
        marker = texts.held_marker(found.key)
        comments = self.forge.comments(Thread.issue(found.tracking.number))
        return next((each.body for each in comments if bears(each.body, marker)), "")

    def _brings_back(self, version: str) -> str:
        commit, flow = self.tags.finals[version], self.flow
        if flow.development == flow.release_branch or self._contains(self.development, commit):
            return ""
        if (
            self._contains(self.release, self.development)
            and self.forge.protection(flow.development).may_push is not Known.NO
        ):
            return "forward"
        return "" if self.forge.open_pull_requests(head=flow.release_branch, base=flow.development) else "pull"

    def _contains(self, commit: str, other: str) -> bool:
        return self.repository.merge_base((commit, other)) == other

    # --- commits -----------------------------------------------------------------------------------------------

    def _chain(self, base: str | None, limit: int) -> list[Commit]:
        """The branch itself (first parents) after `base`, or to its beginning, the newest first."""
        since = () if base is None else (base,)
        commits = {one.id: one for one in self.repository.log(since, self.development, limit=CHAIN_MAX * 4)}
        found: list[Commit] = []
        at = commits.get(self.development)
        while at is not None and len(found) < limit:
            found.append(at)
            at = commits.get(at.parents[0]) if at.parents else None
        return found

    def _checked(self, commits: Iterable[Commit], *, until_green: bool = False) -> Iterator[Checked]:
        for one in commits:
            checked = Checked(one.id, one.time_us, checks_of(self.forge.checks(one.id)))
            yield checked
            if until_green and checked.checks is Checks.GREEN:
                return


def checks_of(said: Iterable[CommitStatus]) -> Checks:
    """What checks say together. Our own verdicts are about releases, and not about the commit."""
    states = {each.state for each in said if not each.context.startswith(OWN_CONTEXT)}
    if StatusState.FAILURE in states:
        return Checks.RED
    if StatusState.PENDING in states:
        return Checks.PENDING
    return Checks.GREEN if states else Checks.SILENT


def version_in(tags: Tags, tag: Numbered) -> str:
    """The version that a tag of the package names."""
    before, _, after = tags.package.tag("\0").partition("\0")
    return tag.name[len(before) : len(tag.name) - len(after)]
