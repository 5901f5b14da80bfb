"""Behaviour that every Forge owes its callers.

Subclass it in a test module and supply the fixtures. Every test begins with a repository on a forge that has a branch
`main` on `commit`, knows `other_commit` too, and has no tag, pull request or release. Plug-in
authors run the same suite.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, UnavailableError
from shipline.ports.forge import (
    Capability,
    CommitStatus,
    Forge,
    ForgeRelease,
    Known,
    PullRequest,
    PullState,
    Ref,
    StatusState,
    bears,
)
from shipline.ports.forge.answers import Thread
from shipline.testing.conformance.forge_guards import GuardsConformance
from shipline.testing.conformance.forge_hooks import HooksConformance
from shipline.testing.conformance.forge_reviews import ReviewsConformance
from shipline.testing.conformance.forge_tracker import MARKER, Speech, Tracker, TrackerConformance

__all__ = ["HEAD", "MARKER", "ForgeConformance", "Speech", "Tracker", "digest", "drafted", "proposed"]

HEAD = "shipline/release-main"


def digest(path: Path) -> str:
    """The identity of a file's bytes."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def drafted(forge: Forge, tag: str, commit: str, *, prerelease: bool = False) -> ForgeRelease:
    """A draft for a tag that is there."""
    forge.create_tag(tag, commit)
    return forge.create_release(tag, title=f"quotes {tag}", notes_markdown="- one", draft=True, prerelease=prerelease)


def proposed(forge: Forge, commit: str, *, head: str = HEAD) -> PullRequest:
    """An open pull request to main."""
    forge.create_branch(head, commit)
    return forge.create_pull_request(head=head, base="main", title="release 1.0.0", body="the plan")


class ForgeConformance(TrackerConformance, ReviewsConformance, HooksConformance, GuardsConformance):
    """The suite. A forge without marks for pre-releases, or without digests, says so below."""

    marks_prereleases = True
    states_digests = True

    @pytest.fixture
    def forge(self) -> Forge:
        raise NotImplementedError("supply a forge")

    @pytest.fixture
    def commit(self) -> str:
        raise NotImplementedError("supply the commit of main")

    @pytest.fixture
    def other_commit(self) -> str:
        raise NotImplementedError("supply another commit that the forge has")

    @pytest.fixture
    def merge(self) -> Callable[[int, str], None]:
        raise NotImplementedError("supply what merges a pull request, by its number, as this commit")

    @pytest.fixture
    def open_from_fork(self) -> Callable[[str], None]:
        raise NotImplementedError("supply what opens a pull request to main from a branch of this name in a fork")

    @pytest.fixture
    def lose_answer(self) -> Callable[[], None]:
        raise NotImplementedError("supply what lets the next change be made and its answer be lost")

    @pytest.fixture
    def cut_off(self) -> Callable[[ForgeRelease, str], None]:
        raise NotImplementedError("supply what leaves a file of this name that was sent in part, where a forge does so")

    @pytest.fixture
    def forbid(self) -> Callable[[], None]:
        raise NotImplementedError("supply what takes the token's right to write")

    @pytest.fixture
    def break_forge(self) -> Callable[[], None]:
        raise NotImplementedError("supply a function after which the forge cannot be reached")

    @pytest.fixture
    def file(self, tmp_path: Path) -> Callable[..., Path]:
        """A file by its name; other `content`, other bytes."""

        def make(name: str, content: bytes = b"one\r\n\x00\xff--") -> Path:
            folder = tmp_path / hashlib.sha256(content).hexdigest()[:8]
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
            return folder / name

        return make

    # --- branches and tags -------------------------------------------------------------------------------------

    def test_the_default_branch_is_there(self, forge: Forge, commit: str) -> None:
        assert forge.find_branch(forge.default_branch()) == Ref("main", commit)

    def test_a_branch_that_nobody_made_is_none(self, forge: Forge) -> None:
        assert forge.find_branch(HEAD) is None

    def test_creating_a_branch_twice_is_creating_it_once(self, forge: Forge, commit: str) -> None:
        assert forge.create_branch(HEAD, commit) == forge.create_branch(HEAD, commit) == forge.find_branch(HEAD)

    def test_a_branch_elsewhere_is_a_conflict(self, forge: Forge, commit: str, other_commit: str) -> None:
        forge.create_branch(HEAD, commit)
        with pytest.raises(ConflictError):
            forge.create_branch(HEAD, other_commit)

    def test_a_branch_is_deleted_only_where_it_is_known_to_stand(
        self, forge: Forge, commit: str, other_commit: str
    ) -> None:
        forge.create_branch(HEAD, commit)
        with pytest.raises(ConflictError):
            forge.delete_branch(HEAD, other_commit)
        forge.delete_branch(HEAD, commit)
        forge.delete_branch(HEAD, commit)
        assert forge.find_branch(HEAD) is None

    def test_creating_a_tag_twice_is_creating_it_once(self, forge: Forge, commit: str) -> None:
        assert forge.find_tag("v1.0.0") is None
        assert forge.create_tag("v1.0.0", commit) == forge.create_tag("v1.0.0", commit) == Ref("v1.0.0", commit)
        assert forge.find_tag("v1.0.0") == Ref("v1.0.0", commit)
        assert forge.find_tag("v1.0") is None

    def test_a_tag_elsewhere_is_a_conflict(self, forge: Forge, commit: str, other_commit: str) -> None:
        forge.create_tag("quotes@1.0.0", commit)
        with pytest.raises(ConflictError):
            forge.create_tag("quotes@1.0.0", other_commit)

    @pytest.mark.parametrize("name", ["../../user", "a b", "-f", "", "a//b", "x\n"])
    def test_what_git_takes_for_no_ref_is_refused(self, forge: Forge, commit: str, name: str) -> None:
        """Some of them would lead to another address of the API."""
        with pytest.raises(InvalidValue):
            forge.find_branch(name)
        with pytest.raises(InvalidValue):
            forge.create_tag(name, commit)

    def test_an_unguarded_branch_may_be_pushed_to(self, forge: Forge) -> None:
        found = forge.protection("main")
        assert (found.protected, found.may_push, found.demands) == (False, Known.YES, ())

    # --- pull requests -----------------------------------------------------------------------------------------

    def test_a_pull_request_is_found_by_its_branches_and_its_number(self, forge: Forge, commit: str) -> None:
        made = proposed(forge, commit)
        assert (made.title, made.body, made.head, made.base) == ("release 1.0.0", "the plan", HEAD, "main")
        assert (made.state, made.merge_commit, made.labels) == (PullState.OPEN, None, ())
        assert forge.open_pull_requests(head=HEAD) == forge.open_pull_requests(base="main") == (made,)
        assert forge.find_pull_request(made.number) == made
        assert forge.open_pull_requests(head="other") == ()
        assert forge.find_pull_request(made.number + 1000) is None

    def test_one_is_opened_for_two_branches(self, forge: Forge, commit: str) -> None:
        made = proposed(forge, commit)
        assert forge.create_pull_request(head=HEAD, base="main", title="other", body="other") == made

    def test_all_open_ones_are_listed_newest_first(self, forge: Forge, commit: str) -> None:
        made = [proposed(forge, commit, head=f"topic-{number}").number for number in range(5)]
        assert [pull.number for pull in forge.open_pull_requests()] == made[::-1]

    def test_what_comes_from_a_fork_is_not_ours(
        self, forge: Forge, commit: str, open_from_fork: Callable[[str], None]
    ) -> None:
        """A stranger can name a branch as we do, and copy any marker."""
        forge.create_branch(HEAD, commit)
        open_from_fork(HEAD)
        assert forge.open_pull_requests(head=HEAD) == ()
        assert forge.create_pull_request(head=HEAD, base="main", title="ours", body="").title == "ours"

    def test_title_and_body_can_be_set_again(self, forge: Forge, commit: str) -> None:
        made = proposed(forge, commit)
        for _ in range(2):
            changed = forge.update_pull_request(made.number, title="release 1.1.0", body="another plan ✓")
            assert changed == replace(made, title="release 1.1.0", body="another plan ✓")

    def test_a_closed_one_is_not_open_and_makes_room(self, forge: Forge, commit: str) -> None:
        made = proposed(forge, commit)
        assert forge.close_pull_request(made.number).state is PullState.CLOSED
        assert forge.close_pull_request(made.number).state is PullState.CLOSED
        assert forge.open_pull_requests() == ()
        again = forge.create_pull_request(head=HEAD, base="main", title="again", body="")
        assert again.number != made.number

    def test_a_closed_one_can_go_on(self, forge: Forge, commit: str) -> None:
        made = proposed(forge, commit)
        assert forge.reopen_pull_request(made.number) == made
        forge.close_pull_request(made.number)
        assert forge.reopen_pull_request(made.number) == made
        assert [pull.number for pull in forge.open_pull_requests()] == [made.number]

    def test_a_merged_one_says_what_it_became(
        self, forge: Forge, commit: str, other_commit: str, merge: Callable[[int, str], None]
    ) -> None:
        made = proposed(forge, commit)
        merge(made.number, other_commit)
        found = forge.find_pull_request(made.number)
        assert found is not None
        assert (found.state, found.merge_commit) == (PullState.MERGED, other_commit)
        assert forge.close_pull_request(made.number).state is PullState.MERGED
        assert forge.reopen_pull_request(made.number).state is PullState.MERGED
        assert forge.pull_requests_of(other_commit) == (found,)
        assert forge.pull_requests_of(commit) == ()

    # --- releases ----------------------------------------------------------------------------------------------

    def test_a_release_is_found_by_its_tag_also_as_a_draft(self, forge: Forge, commit: str) -> None:
        assert forge.find_release("v1.0.0") is None
        made = drafted(forge, "v1.0.0", commit)
        assert (made.tag, made.title, made.notes_markdown, made.draft) == ("v1.0.0", "quotes v1.0.0", "- one", True)
        assert forge.find_release("v1.0.0") == made
        other = drafted(forge, "quotes/v1.0.0", commit)
        announced = forge.update_release(replace(other, draft=False))
        assert forge.find_release("quotes/v1.0.0") == announced
        assert forge.find_release("v1.0") is None

    def test_creating_a_release_twice_is_creating_it_once(self, forge: Forge, commit: str) -> None:
        made = drafted(forge, "v1.0.0", commit)
        for draft in (True, False):
            again = forge.create_release("v1.0.0", title="x", notes_markdown="x", draft=draft, prerelease=False)
            assert again == made

    def test_a_draft_is_announced_with_other_notes(self, forge: Forge, commit: str) -> None:
        made = drafted(forge, "v1.0.0", commit)
        wanted = replace(made, notes_markdown="- two", draft=False)
        for _ in range(2):
            assert replace(forge.update_release(wanted), url="") == replace(wanted, url="")
        assert forge.find_release("v1.0.0") == forge.update_release(wanted)

    def test_a_prerelease_is_marked_where_there_is_a_mark(self, forge: Forge, commit: str) -> None:
        assert drafted(forge, "v1.0.0-rc.1", commit, prerelease=True).prerelease is self.marks_prereleases

    def test_all_releases_are_listed_with_their_files(
        self, forge: Forge, commit: str, file: Callable[..., Path]
    ) -> None:
        assert forge.releases() == ()
        draft = drafted(forge, "v1.0.0", commit)
        shown = forge.update_release(replace(drafted(forge, "v2.0.0", commit), draft=False))
        forge.upload_asset(shown, file("a.whl"), digest=digest(file("a.whl")))
        listed = {one.tag: one for one in forge.releases()}
        assert listed == {"v1.0.0": draft, "v2.0.0": shown}
        ((name, url),) = listed["v2.0.0"].files
        assert name == "a.whl"
        assert url.startswith("http")

    def test_a_deleted_release_leaves_its_tag(self, forge: Forge, commit: str, file: Callable[..., Path]) -> None:
        made = drafted(forge, "v1.0.0", commit)
        forge.upload_asset(made, file("a.whl"), digest=digest(file("a.whl")))
        forge.delete_release(made)
        forge.delete_release(made)
        assert forge.find_release("v1.0.0") is None
        assert forge.find_tag("v1.0.0") == Ref("v1.0.0", commit)

    def test_files_are_listed_with_what_is_known_of_them(
        self, forge: Forge, commit: str, file: Callable[..., Path]
    ) -> None:
        made = drafted(forge, "quotes@1.0.0", commit)
        assert forge.assets(made) == ()
        sent = [file("b.tar.gz"), file("a.whl")]
        for path in sent:
            forge.upload_asset(made, path, digest=digest(path))
        listed = forge.assets(made)
        assert [asset.name for asset in listed] == ["a.whl", "b.tar.gz"]
        assert all(asset.whole and asset.size == sent[0].stat().st_size for asset in listed)
        assert {asset.digest for asset in listed} == ({digest(sent[0])} if self.states_digests else {None})

    def test_uploading_twice_is_uploading_once(self, forge: Forge, commit: str, file: Callable[..., Path]) -> None:
        made = drafted(forge, "v1.0.0", commit)
        first = forge.upload_asset(made, file("a.whl"), digest=digest(file("a.whl")))
        assert forge.upload_asset(made, file("a.whl"), digest=digest(file("a.whl"))) == first
        assert len(forge.assets(made)) == 1

    def test_other_bytes_under_the_same_name_are_a_conflict(
        self, forge: Forge, commit: str, file: Callable[..., Path]
    ) -> None:
        made = drafted(forge, "v1.0.0", commit)
        forge.upload_asset(made, file("a.whl"), digest=digest(file("a.whl")))
        before = forge.assets(made)
        other = file("a.whl", b"other, and longer")
        with pytest.raises(ConflictError):
            forge.upload_asset(made, other, digest=digest(other))
        assert forge.assets(made) == before

    def test_a_file_that_was_sent_in_part_is_sent_anew(
        self,
        forge: Forge,
        commit: str,
        file: Callable[..., Path],
        cut_off: Callable[[ForgeRelease, str], None],
    ) -> None:
        made = drafted(forge, "v1.0.0", commit)
        cut_off(made, "a.whl")
        forge.upload_asset(made, file("a.whl"), digest=digest(file("a.whl")))
        (asset,) = forge.assets(made)
        assert asset.whole
        assert asset.size == file("a.whl").stat().st_size

    def test_a_deleted_file_can_come_again(self, forge: Forge, commit: str, file: Callable[..., Path]) -> None:
        made = drafted(forge, "v1.0.0", commit)
        asset = forge.upload_asset(made, file("a.whl"), digest=digest(file("a.whl")))
        for _ in range(2):
            forge.delete_asset(made, asset)
        assert forge.assets(made) == ()
        other = file("a.whl", b"other, and longer")
        forge.upload_asset(made, other, digest=digest(other))
        assert [asset.size for asset in forge.assets(made)] == [other.stat().st_size]

    # --- comments and statuses ---------------------------------------------------------------------------------

    def test_there_is_one_comment_a_marker(self, forge: Forge, commit: str) -> None:
        number = proposed(forge, commit).number
        first = forge.put_comment(Thread.pull(number), marker=MARKER, body="one")
        other = forge.put_comment(Thread.pull(number), marker="another", body="one")
        second = forge.put_comment(Thread.pull(number), marker=MARKER, body="two")
        assert (first.key, first.key == other.key) == (second.key, False)
        assert "two" in second.body
        assert bears(second.body, MARKER)
        assert forge.put_comment(Thread.pull(number), marker=MARKER, body="two") == second

    def test_the_newest_status_of_a_context_counts(self, forge: Forge, commit: str, other_commit: str) -> None:
        assert forge.statuses(commit) == ()
        pending = CommitStatus("gates", StatusState.PENDING, "asked")
        passed = CommitStatus("gates", StatusState.SUCCESS, "all open", "http://127.0.0.1/gates")
        other = CommitStatus("build", StatusState.FAILURE)
        for status in (pending, other, passed, passed):
            assert forge.set_status(commit, status) == status
        assert forge.statuses(commit) == (other, passed)
        assert forge.statuses(other_commit) == ()
        assert forge.checks(commit) == (other, passed)

    # --- trouble -----------------------------------------------------------------------------------------------

    def test_an_answer_that_was_lost_doubles_nothing(
        self, forge: Forge, commit: str, file: Callable[..., Path], lose_answer: Callable[[], None]
    ) -> None:
        """Whether the call itself finds what it has made, or leaves that to the next one."""

        def twice(call: Callable[[], object]) -> None:
            lose_answer()
            try:
                call()
            except UnavailableError:
                call()

        twice(lambda: forge.create_branch(HEAD, commit))
        twice(lambda: forge.create_tag("v1.0.0", commit))
        twice(lambda: forge.create_pull_request(head=HEAD, base="main", title="one", body=""))
        twice(lambda: forge.create_release("v1.0.0", title="t", notes_markdown="", draft=True, prerelease=False))
        (pull,) = forge.open_pull_requests()
        release = forge.find_release("v1.0.0")
        assert release is not None
        twice(lambda: forge.upload_asset(release, file("a.whl"), digest=digest(file("a.whl"))))
        twice(lambda: forge.put_comment(Thread.pull(pull.number), marker=MARKER, body="one"))
        twice(lambda: forge.set_status(commit, CommitStatus("gates", StatusState.SUCCESS)))
        assert [asset.name for asset in forge.assets(release)] == ["a.whl"]
        assert len(forge.statuses(commit)) == 1

    def test_a_token_without_the_right_is_refused_and_doctor_can_say_so(
        self, forge: Forge, commit: str, forbid: Callable[[], None]
    ) -> None:
        assert [permission.capability for permission in forge.permissions()] == list(Capability)
        assert all(permission.granted is not Known.NO for permission in forge.permissions())
        forbid()
        with pytest.raises(RefusedError) as caught:
            forge.create_branch(HEAD, commit)
        assert not caught.value.retryable
        assert Known.NO in {permission.granted for permission in forge.permissions()}
        assert forge.protection("main").may_push is Known.NO

    def test_out_of_reach_may_be_tried_again(self, forge: Forge, commit: str, break_forge: Callable[[], None]) -> None:
        break_forge()
        for call in (
            lambda: forge.find_branch("main"),
            lambda: forge.create_branch(HEAD, commit),
            lambda: forge.create_release("v1", title="t", notes_markdown="", draft=False, prerelease=False),
            lambda: forge.open_issues("P1"),
        ):
            with pytest.raises(UnavailableError) as caught:
                call()
            assert caught.value.retryable

    def test_what_it_lacks_is_said_in_sentences(self, forge: Forge) -> None:
        assert all(" " in sentence for sentence in forge.lacks())
