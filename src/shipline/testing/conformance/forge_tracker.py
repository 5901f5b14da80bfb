"""Behaviour of milestones, issues, labels and comments that every Forge owes its callers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Protocol

import pytest

from shipline.domain.errors import InvalidValue, UnavailableError
from shipline.ports.forge import Forge, bears, marked
from shipline.ports.forge.answers import ItemState, Known, Thread
from shipline.ports.forge.speakers import Reaction, Role, Speaker
from shipline.ports.forge.tracker import Issue, IssueChange, IssueDraft, IssueQuery, Label

MARKER = "shipline:test"
BUG = Label("kind: bug", "d73a4a", "something is wrong")


def opened(forge: Forge, title: str, marker: str = "", *, milestone: str | None = None, labels: bool = False) -> Issue:
    """An issue of ours."""
    names = (forge.ensure_label(BUG).name,) if labels else ()
    return forge.create_issue(IssueDraft(title, "a body", names, milestone), marker=marker or f"test:{title}")


class Tracker(Protocol):
    """What people do on the forge."""

    def open_issue(self, *labels: str) -> int:
        """Open an issue with labels, which are made where they are missing; its number."""
        ...

    def close_issue(self, number: int) -> None:
        """Close one."""
        ...

    def label_pull(self, number: int, label: str) -> None:
        """Label a pull request."""
        ...


class Speech(Protocol):
    """What people say on the forge, and what they may do there."""

    def speak(self, thread: Thread, author: str, body: str) -> str:
        """Somebody writes a comment; its key."""
        ...

    def reword(self, key: str, body: str) -> None:
        """Somebody changes it, a second later at least."""
        ...

    def signs(self, key: str) -> tuple[str, ...]:
        """The reactions below it, by the forge's own words."""
        ...

    def allow(self, login: str, role: str, *, robot: bool = False) -> None:
        """Let an account be one of admin, maintain, write, triage, read or none."""
        ...

    def hide_roles(self) -> None:
        """Let the token not ask what others may do."""
        ...


class TrackerConformance:
    """A part of `ForgeConformance`: its fixtures are there, but for these."""

    @pytest.fixture
    def open_of_stranger(self) -> Callable[[str], int]:
        raise NotImplementedError("supply what opens an issue with this body of another account, and gives its number")

    @pytest.fixture
    def comment_of_stranger(self) -> Callable[[Thread, str], None]:
        raise NotImplementedError("supply what writes a comment of another account")

    @pytest.fixture
    def tracker(self) -> Tracker:
        raise NotImplementedError("supply what people do with issues there")

    # --- milestones --------------------------------------------------------------------------------------------

    def test_a_milestone_is_found_by_its_title_and_its_key(self, forge: Forge) -> None:
        assert forge.milestones() == ()
        made = forge.create_milestone("1.4.0", description="the fourth", due_on=date(2026, 12, 24))
        assert (made.title, made.description, made.due_on) == ("1.4.0", "the fourth", date(2026, 12, 24))
        assert made.state is ItemState.OPEN
        assert forge.find_milestone("1.4.0") == forge.read_milestone(made.key) == made
        assert forge.find_milestone("1.4") is None
        assert forge.read_milestone("999999") is None
        assert forge.create_milestone("1.4.0", description="other") == made

    def test_a_milestone_is_edited_closed_and_opened_again(self, forge: Forge) -> None:
        made = forge.create_milestone("1.4.0", due_on=date(2026, 12, 24))
        other = forge.create_milestone("1.5.0")
        wanted = replace(made, title="1.4.1", description="renamed", state=ItemState.CLOSED)
        for _ in range(2):
            assert forge.update_milestone(wanted) == wanted
        assert forge.milestones(state=ItemState.CLOSED) == (wanted,)
        assert forge.milestones(state=ItemState.OPEN) == (other,)
        assert forge.milestones() == (wanted, other)
        assert forge.update_milestone(replace(wanted, state=ItemState.OPEN)).state is ItemState.OPEN

    def test_a_deleted_milestone_leaves_its_issues(self, forge: Forge) -> None:
        made = forge.create_milestone("1.4.0")
        issue = opened(forge, "one", milestone=made.key)
        for _ in range(2):
            forge.delete_milestone(made.key)
        found = forge.find_issue(issue.number)
        assert found is not None
        assert found.milestone is None
        assert forge.milestones() == ()

    # --- issues ------------------------------------------------------------------------------------------------

    def test_an_issue_is_opened_once_a_marker(self, forge: Forge) -> None:
        made = opened(forge, "one", MARKER, labels=True)
        assert (made.title, made.state, made.labels) == ("one", ItemState.OPEN, (BUG.name,))
        assert made.body == marked("a body", MARKER)
        assert made.author == forge.account()
        assert 0 < made.created_us <= made.updated_us
        assert opened(forge, "another", MARKER) == forge.marked_issue(MARKER) == forge.find_issue(made.number) == made
        assert forge.marked_issue("shipline:other") is None
        assert forge.find_issue(made.number + 1000) is None

    def test_what_a_stranger_marked_is_not_ours(
        self,
        forge: Forge,
        open_of_stranger: Callable[[str], int],
        comment_of_stranger: Callable[[Thread, str], None],
    ) -> None:
        theirs = open_of_stranger(marked("mine!", MARKER))
        made = opened(forge, "one", MARKER)
        assert made.number != theirs
        assert forge.marked_issue(MARKER) == made
        thread = Thread.issue(made.number)
        comment_of_stranger(thread, marked("mine!", MARKER))
        ours = forge.put_comment(thread, marker=MARKER, body="ours")
        assert [one.key == ours.key for one in forge.comments(thread)] == [False, True]

    def test_issues_are_asked_for_by_state_label_milestone_and_time(self, forge: Forge) -> None:
        milestone = forge.create_milestone("1.4.0")
        planned = opened(forge, "planned", milestone=milestone.key)
        labelled = opened(forge, "labelled", labels=True)
        done = forge.edit_issue(opened(forge, "done").number, IssueChange(state=ItemState.CLOSED))

        def numbers(query: IssueQuery) -> set[int]:
            return {one.number for one in forge.issues(query)}

        assert numbers(IssueQuery()) == {planned.number, labelled.number, done.number}
        assert numbers(IssueQuery(state=ItemState.OPEN)) == {planned.number, labelled.number}
        assert numbers(IssueQuery(state=ItemState.CLOSED)) == {done.number}
        assert numbers(IssueQuery(labels=(BUG.name,))) == {labelled.number}
        assert numbers(IssueQuery(milestone=milestone.key)) == {planned.number}
        assert numbers(IssueQuery(milestone=milestone.key, state=ItemState.CLOSED)) == set()
        assert numbers(IssueQuery(updated_since_us=done.updated_us)) == {done.number}
        with pytest.raises(InvalidValue):
            list(forge.issues(IssueQuery(labels=("a,b",))))

    def test_an_issue_is_edited_closed_and_opened_again(self, forge: Forge) -> None:
        milestone = forge.create_milestone("1.4.0")
        made = opened(forge, "one")
        change = IssueChange("two", marked("more ✓", MARKER), ItemState.CLOSED, milestone.key)
        for _ in range(2):
            changed = forge.edit_issue(made.number, change)
            assert (changed.title, changed.body, changed.state) == ("two", marked("more ✓", MARKER), ItemState.CLOSED)
            assert changed.milestone == milestone.key
        again = forge.edit_issue(made.number, IssueChange(state=ItemState.OPEN, milestone=""))
        assert (again.title, again.state, again.milestone) == ("two", ItemState.OPEN, None)
        assert forge.edit_issue(made.number, IssueChange()).title == "two"

    def test_a_pull_request_is_no_issue(self, forge: Forge, commit: str) -> None:
        forge.create_branch("topic", commit)
        pull = forge.create_pull_request(head="topic", base="main", title="one", body="")
        assert list(forge.issues()) == []
        assert forge.find_issue(pull.number) is None

    def test_open_issues_of_a_label_are_counted(self, forge: Forge, commit: str, tracker: Tracker) -> None:
        """Closed ones and pull requests are none; case does not count."""
        numbers = [tracker.open_issue("P1"), tracker.open_issue("bug", "P1"), tracker.open_issue("bug")]
        forge.create_branch("topic", commit)
        pull = forge.create_pull_request(head="topic", base="main", title="one", body="")
        tracker.label_pull(pull.number, "P1")
        assert (forge.open_issues("P1"), forge.open_issues("p1"), forge.open_issues("bug")) == (2, 2, 2)
        for number in numbers[:2]:
            tracker.close_issue(number)
        assert (forge.open_issues("P1"), forge.open_issues("bug")) == (0, 1)

    def test_a_label_that_there_is_not_is_told_from_one_without_issues(self, forge: Forge, tracker: Tracker) -> None:
        """A label that is misspelt must not look like one that all is done of."""
        tracker.open_issue("priority: high/now")
        assert forge.open_issues("priority: high/now") == 1
        assert forge.open_issues("P11") is None

    @pytest.mark.parametrize("label", ["", "a,b", "..", "a\nb", "x" * 101])
    def test_what_cannot_be_a_label_is_refused(self, forge: Forge, label: str) -> None:
        """A comma would ask for two."""
        with pytest.raises(InvalidValue):
            forge.open_issues(label)

    # --- labels, assignees, comments ---------------------------------------------------------------------------

    def test_a_label_is_made_and_changed_by_its_name(self, forge: Forge) -> None:
        assert forge.labels() == ()
        for label in (BUG, BUG, replace(BUG, color="0075ca", description="other")):
            assert forge.ensure_label(label) == label
            assert forge.labels() == (label,)
        for _ in range(2):
            forge.delete_label(BUG.name)
        assert forge.labels() == ()

    @pytest.mark.parametrize("is_issue", [True, False], ids=["issue", "pull request"])
    def test_threads_bear_labels_assignees_and_comments(self, forge: Forge, commit: str, *, is_issue: bool) -> None:
        forge.ensure_label(BUG)
        forge.ensure_label(replace(BUG, name="size/s"))
        forge.create_branch("topic", commit)
        pull = forge.create_pull_request(head="topic", base="main", title="one", body="")
        thread = Thread.issue(opened(forge, "one").number) if is_issue else Thread.pull(pull.number)

        def labels() -> tuple[str, ...]:
            found = forge.find_issue(thread.number) if is_issue else forge.find_pull_request(thread.number)
            assert found is not None
            return found.labels

        for _ in range(2):
            forge.add_labels(thread, (BUG.name, "size/s"))
        assert sorted(labels()) == [BUG.name, "size/s"]
        for _ in range(2):
            forge.remove_labels(thread, (BUG.name,))
        assert labels() == ("size/s",)
        forge.assign(thread, (forge.account(), "nobody-of-this-name"))
        if is_issue:
            issue = forge.find_issue(thread.number)
            assert issue is not None
            assert issue.assignees == (forge.account(),)
        one = forge.put_comment(thread, marker="one", body="first")
        two = forge.put_comment(thread, marker="two", body="second")
        assert [each.key for each in forge.comments(thread)] == [one.key, two.key]
        assert (one.author, bears(one.body, "one"), one.created_us <= two.created_us) == (forge.account(), True, True)
        for _ in range(2):
            forge.delete_comment(thread, one.key)
        assert [each.key for each in forge.comments(thread)] == [two.key]

    # --- who says something ------------------------------------------------------------------------------------

    @pytest.fixture
    def speech(self) -> Speech:
        raise NotImplementedError("supply what people say there, and what they may do")

    @pytest.mark.parametrize("is_issue", [True, False], ids=["issue", "pull request"])
    def test_a_comment_is_read_as_it_is_now_and_is_answered_by_a_sign(
        self, forge: Forge, speech: Speech, commit: str, *, is_issue: bool
    ) -> None:
        forge.create_branch("topic", commit)
        pull = forge.create_pull_request(head="topic", base="main", title="one", body="")
        thread = Thread.issue(opened(forge, "one").number) if is_issue else Thread.pull(pull.number)
        key = speech.speak(thread, "ada", "/release")
        found = forge.remark(thread, key)
        assert found is not None
        assert (found.comment.key, found.comment.author, found.edited) == (key, "ada", False)
        assert found.comment.body == "/release"
        assert found.comment.created_us > 0
        for reaction in (Reaction.SEEN, Reaction.SEEN, Reaction.NO, Reaction.YES):
            forge.react(thread, key, reaction)
        assert len(speech.signs(key)) == len(Reaction)
        again = forge.remark(thread, key)
        assert again is not None
        assert not again.edited
        speech.reword(key, "/promote production")
        edited = forge.remark(thread, key)
        assert edited is not None
        assert edited.edited
        elsewhere = Thread.issue(opened(forge, "another").number)
        assert forge.remark(elsewhere, key) is None
        forge.delete_comment(thread, key)
        assert forge.remark(thread, key) is None
        forge.react(thread, key, Reaction.SEEN)

    def test_what_an_account_may_do_is_told(self, forge: Forge, speech: Speech) -> None:
        """A robot is told from a person wherever the forge tells them apart; who is unknown may nothing."""
        speech.allow("ada", "admin")
        speech.allow("grace", "write")
        assert forge.speaker("ada") == Speaker(Role.ADMIN, Known.NO)
        assert forge.speaker("grace") == Speaker(Role.WRITE, Known.NO)
        speech.allow("machine", "admin", robot=True)
        assert forge.speaker("machine").robot is Known.YES
        for name in ("stranger", "../admin", "a b", ""):
            assert not forge.speaker(name).role.reaches(Role.TRIAGE)
        speech.hide_roles()
        assert forge.speaker("ada").role is Role.UNKNOWN

    # --- trouble -----------------------------------------------------------------------------------------------

    def test_an_answer_that_was_lost_doubles_no_issue(self, forge: Forge, lose_answer: Callable[[], None]) -> None:
        def twice(call: Callable[[], object]) -> None:
            lose_answer()
            try:
                call()
            except UnavailableError:
                call()

        twice(lambda: forge.create_milestone("1.4.0"))
        twice(lambda: forge.ensure_label(BUG))
        twice(lambda: opened(forge, "one", MARKER))
        (issue,) = forge.issues()
        thread = Thread.issue(issue.number)
        twice(lambda: forge.put_comment(thread, marker=MARKER, body="said"))
        twice(lambda: forge.add_labels(thread, (BUG.name,)))
        assert len(forge.milestones()) == len(forge.labels()) == len(list(forge.comments(thread))) == 1
