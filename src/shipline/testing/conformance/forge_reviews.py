"""Behaviour of reviews and merges that every Forge owes its callers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shipline.domain.errors import ConflictError, UnavailableError
from shipline.ports.forge import Forge, Known, PullRequest, PullState
from shipline.ports.forge.reviews import ChangedFile, FileChange, MergeMethod, Opinion, Review, Suggestion
from shipline.ports.forge.tracker import IssueDraft


def topical(forge: Forge, commit: str, *, head: str = "topic", body: str = "") -> PullRequest:
    """An open pull request to main."""
    forge.create_branch(head, commit)
    return forge.create_pull_request(head=head, base="main", title="feat: one", body=body)


class ReviewsConformance:
    """A part of `ForgeConformance`: its fixtures are there, but for this. `other_commit` changes a line of `a`."""

    @pytest.fixture
    def review(self) -> Callable[[int, str, Opinion], None]:
        raise NotImplementedError("supply what says something of a pull request in the name of an account")

    def test_a_pull_request_says_whose_it_is_and_where_it_stands(self, forge: Forge, other_commit: str) -> None:
        made = topical(forge, other_commit)
        assert (made.author, made.draft, made.fork) == (forge.account(), False, False)
        assert made.head_commit == other_commit
        assert forge.readiness(made.number).head == other_commit

    def test_all_are_listed_by_their_last_change_those_of_forks_too(
        self, forge: Forge, other_commit: str, open_from_fork: Callable[[str], None]
    ) -> None:
        first = topical(forge, other_commit)
        second = topical(forge, other_commit, head="other")
        forge.close_pull_request(second.number)
        open_from_fork("theirs")
        listed = list(forge.each_pull_request())
        assert [(one.head, one.fork) for one in listed] == [("theirs", True), ("other", False), ("topic", False)]
        assert {one.head for one in forge.each_pull_request(state=PullState.OPEN)} == {"theirs", "topic"}
        assert [one.number for one in forge.each_pull_request(state=PullState.CLOSED)] == [second.number]
        since = list(forge.each_pull_request(updated_since_us=listed[1].updated_us))
        assert [one.head for one in since] == ["theirs", "other"]
        assert first.updated_us < listed[1].updated_us

    def test_those_that_somebody_has_opened_are_told_whatever_became_of_them(
        self, forge: Forge, other_commit: str, open_from_fork: Callable[[str], None]
    ) -> None:
        forge.create_issue(IssueDraft("one", ""), marker="shipline:one")
        numbers = [topical(forge, other_commit, head=head).number for head in ("topic", "other")]
        forge.close_pull_request(numbers[0])
        open_from_fork("theirs")
        assert list(forge.pulls_opened_by(forge.account(), most=5)) == numbers
        assert len(forge.pulls_opened_by(forge.account(), most=1)) == 1
        assert forge.pulls_opened_by("nobody-of-this-name", most=5) == ()

    def test_the_last_word_of_each_reviewer_counts(
        self, forge: Forge, other_commit: str, review: Callable[[int, str, Opinion], None]
    ) -> None:
        number = topical(forge, other_commit).number
        assert forge.reviews(number) == ()
        review(number, "ada", Opinion.CHANGES_REQUESTED)
        review(number, "grace", Opinion.APPROVED)
        review(number, "grace", Opinion.COMMENTED)

        def said() -> list[Review]:
            return [replace(one, commit=None) for one in forge.reviews(number)]

        assert said() == [Review("ada", Opinion.CHANGES_REQUESTED), Review("grace", Opinion.APPROVED)]
        review(number, "ada", Opinion.APPROVED)
        assert said() == [Review("ada", Opinion.APPROVED), Review("grace", Opinion.APPROVED)]

    def test_what_has_the_expected_head_is_merged_once(
        self, forge: Forge, commit: str, other_commit: str, lose_answer: Callable[[], None]
    ) -> None:
        number = topical(forge, other_commit).number
        assert forge.readiness(number).mergeable is Known.YES
        with pytest.raises(ConflictError):
            forge.merge_pull_request(number, head=commit, method=MergeMethod.MERGE)
        lose_answer()
        try:
            merged = forge.merge_pull_request(number, head=other_commit, method=MergeMethod.MERGE)
        except UnavailableError:
            merged = forge.merge_pull_request(number, head=other_commit, method=MergeMethod.MERGE)
        assert merged.state is PullState.MERGED
        main = forge.find_branch("main")
        assert main is not None
        assert main.commit == merged.merge_commit
        assert forge.merge_pull_request(number, head=other_commit, method=MergeMethod.MERGE) == merged
        assert forge.readiness(number).mergeable is Known.NO

    def test_what_was_closed_is_not_merged(self, forge: Forge, other_commit: str) -> None:
        number = topical(forge, other_commit).number
        forge.close_pull_request(number)
        with pytest.raises(ConflictError):
            forge.merge_pull_request(number, head=other_commit, method=MergeMethod.SQUASH)
        assert forge.readiness(number).blocks != ()

    def test_reviewers_are_asked_who_are_known(self, forge: Forge, other_commit: str) -> None:
        number = topical(forge, other_commit).number
        for _ in range(2):
            forge.request_reviewers(number, ("ada",))
        assert forge.requested_reviewers(number) == ("ada",)
        forge.request_reviewers(number, ("grace",))
        assert forge.requested_reviewers(number) == ("ada", "grace")
        with pytest.raises(ConflictError):
            forge.request_reviewers(number, ("nobody-of-this-name",))

    @pytest.fixture
    def suggested(self) -> Callable[[int], list[tuple[str, int, int]]]:
        raise NotImplementedError("supply what stands below the lines of a pull request: path, first and last line")

    def test_a_suggestion_stands_below_its_lines_once(
        self, forge: Forge, other_commit: str, suggested: Callable[[int], list[tuple[str, int, int]]]
    ) -> None:
        """Whatever else is said there; not of a head that has moved; where it cannot be taken over there is none."""
        number = topical(forge, other_commit).number
        suggestion = Suggestion(other_commit, "a", 1, 1, None, "better", "3", "shipline:suggestion:1")
        if not forge.takes_suggestions():
            with pytest.raises(ConflictError):
                forge.suggest(number, suggestion)
            return
        for _ in range(2):
            forge.suggest(number, suggestion)
        forge.suggest(number, replace(suggestion, last_line=2, marker="shipline:suggestion:2"))
        with pytest.raises(ConflictError):
            forge.suggest(number, replace(suggestion, commit="f" * 40, marker="shipline:suggestion:3"))
        assert suggested(number) == [("a", 1, 1), ("a", 1, 2)]

    def test_changed_files_and_closed_issues_are_listed(self, forge: Forge, other_commit: str) -> None:
        issue = forge.create_issue(IssueDraft("one", ""), marker="shipline:one")
        number = topical(forge, other_commit, body=f"Fixes #{issue.number}, and mentions #999999").number
        assert forge.changed_files(number) == (ChangedFile("a", FileChange.MODIFIED, None, 1, 1),)
        assert forge.closes(number) == (issue.number,)
