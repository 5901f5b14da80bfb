"""The three providers against the fake forge of their dialect: the conformance suite, and what HTTP brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.codec import from_json
from shipline.domain.errors import (
    ConfigurationError,
    ConflictError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
)
from shipline.ports.forge import Budget, Capability, CommitStatus, Forge, ForgeRelease, Known, StatusState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import Opinion
from shipline.ports.forge.tracker import IssueDraft
from shipline.ports.provider import ProviderContext
from shipline.providers.forge.github import GitHubForge
from shipline.testing.conformance.forge import HEAD, ForgeConformance, Speech, Tracker, digest, drafted, proposed
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.forge.github import GitHubDialect
from shipline.testing.fakes.forge.quota import Quota
from tests.providers.forge.places import KINDS, TOKEN, Place, running
from tests.secret_shapes import ALL, LEAKS, leaked


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the settings of these tests say that it is."""
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)


@pytest.fixture(params=sorted(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A forge of each kind."""
    with running(request.param, tmp_path) as made:
        yield made


class Conforming(ForgeConformance):
    kind = ""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[Place]:
        with running(self.kind, tmp_path) as made:
            yield made

    @pytest.fixture
    def forge(self, place: Place) -> Forge:
        return place.forge

    @pytest.fixture
    def commit(self, place: Place) -> str:
        return place.commits[0]

    @pytest.fixture
    def other_commit(self, place: Place) -> str:
        return place.commits[1]

    @pytest.fixture
    def merge(self, place: Place) -> Callable[[int, str], None]:
        return place.model.merge

    @pytest.fixture
    def tracker(self, place: Place) -> Tracker:
        return place.model

    @pytest.fixture
    def suggested(self, place: Place) -> Callable[[int], list[tuple[str, int, int]]]:
        return lambda number: [(one.path, one.line, one.last_line) for one in place.model.pull(number).line_notes]

    @pytest.fixture
    def open_from_fork(self, place: Place) -> Callable[[str], None]:
        return lambda head: (place.model.open_pull(head, "main", "theirs", "", fork=True), None)[1]

    @pytest.fixture
    def open_of_stranger(self, place: Place) -> Callable[[str], int]:
        return lambda body: place.model.create_item("theirs", body, [], author="stranger").number

    @pytest.fixture
    def comment_of_stranger(self, place: Place) -> Callable[[Thread, str], None]:
        return lambda thread, body: (place.model.add_note(thread, body, author="stranger"), None)[1]

    @pytest.fixture
    def speech(self, place: Place) -> Speech:
        return place.model

    @pytest.fixture
    def review(self, place: Place) -> Callable[[int, str, Opinion], None]:
        return lambda number, author, opinion: (place.model.review(number, author, opinion), None)[1]

    @pytest.fixture
    def lose_answer(self, place: Place) -> Callable[[], None]:
        return place.lose_answer

    @pytest.fixture
    def cut_off(self) -> Callable[[ForgeRelease, str], None]:
        return lambda _release, _name: None

    @pytest.fixture
    def forbid(self, place: Place) -> Callable[[], None]:
        return place.forbid

    @pytest.fixture
    def break_forge(self, place: Place) -> Callable[[], None]:
        return lambda: setattr(place.server.faults, "down", True)


def latest_of(place: Place) -> str:
    """The tag of the release that GitHub calls the latest."""
    assert isinstance(place.server.dialect, GitHubDialect)
    page = place.server.dialect.latest()
    assert page is not None
    return page.tag


class TestGitHub(Conforming):
    kind = "github"

    @pytest.fixture
    def cut_off(self, place: Place) -> Callable[[ForgeRelease, str], None]:
        return place.cut_off

    def test_the_latest_release_is_the_highest(self, place: Place) -> None:
        """Neither a maintenance release nor a pre-release takes its place, and an edit of an old one neither."""
        for tag, expected in (
            ("v1.0.0", "v1.0.0"),
            ("v2.0.0", "v2.0.0"),
            ("v1.0.1", "v2.0.0"),
            ("v2.1.0-rc.1", "v2.0.0"),
            ("v2.1.0", "v2.1.0"),
        ):
            page = drafted(place.forge, tag, place.commits[0], prerelease="rc" in tag)
            announced = place.forge.update_release(replace(page, draft=False))
            assert latest_of(place) == expected
        place.forge.update_release(replace(announced, notes_markdown="- mended"))
        old = place.forge.find_release("v1.0.1")
        assert old is not None
        place.forge.update_release(replace(old, notes_markdown="- mended"))
        assert latest_of(place) == "v2.1.0"


class TestGitLab(Conforming):
    kind = "gitlab"
    marks_prereleases = False


class TestGitea(Conforming):
    kind = "gitea"
    states_digests = False


def test_no_creation_is_sent_twice(place: Place, tmp_path: Path) -> None:
    """An answer that was lost is looked into: 47 duplicate runs of somebody else's came from sending it again."""
    file = tmp_path / "a.whl"
    file.write_bytes(b"bytes")
    place.server.faults.lost_answers = 100
    proposed(place.forge, place.commits[0])
    release = drafted(place.forge, "v1.0.0", place.commits[0])
    place.forge.upload_asset(release, file, digest=digest(file))
    sent = [path for method, path in place.server.changes() if method == "POST" or "/generic/" in path]
    assert len(place.model.effects) == len(set(place.model.effects)) == len(sent)


def test_an_answer_that_never_comes_is_given_up_and_looked_into(tmp_path: Path) -> None:
    for kind in KINDS:
        folder = tmp_path / kind
        folder.mkdir()
        with running(kind, folder, answer_timeout_s=0.5) as place:
            place.server.faults.lost_answers = 1
            place.server.faults.hang = True
            assert place.forge.create_branch(HEAD, place.commits[0]).commit == place.commits[0]
            assert len(place.server.changes()) == 1


def test_a_rate_limit_is_waited_for_as_long_as_the_forge_asks(place: Place) -> None:
    place.server.faults.limited = 2
    before_us = place.clock.now_us()
    assert place.forge.create_branch(HEAD, place.commits[0]).commit == place.commits[0]
    assert place.clock.now_us() - before_us == 2 * 7_000_000
    assert len(place.model.effects) == 1


def test_github_s_reset_is_waited_for_and_its_secondary_limit_too(tmp_path: Path) -> None:
    with running("github", tmp_path) as place:
        faults = place.server.faults
        faults.limited, faults.limit_status = 1, 403
        reset_s = place.clock.now_us() // 1_000_000 + 40
        faults.limit_headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset_s)}
        before_us = place.clock.now_us()
        place.forge.find_branch("main")
        assert place.clock.now_us() - before_us == 40_000_000


def test_a_limit_that_is_too_far_off_is_left_to_the_engine(place: Place) -> None:
    place.server.faults.limited = 1
    place.server.faults.limit_headers = {"Retry-After": "3600"}
    before_us = place.clock.now_us()
    with pytest.raises(UnavailableError, match="limits how much") as caught:
        place.forge.find_branch("main")
    assert caught.value.retryable
    assert place.clock.now_us() == before_us


def test_a_limit_without_end_is_given_up(place: Place) -> None:
    place.server.faults.limited = 1000
    with pytest.raises(UnavailableError, match="limits how much"):
        place.forge.find_branch("main")
    assert len(place.server.requests) < 10


def test_all_pages_are_read(place: Place) -> None:
    place.server.faults.page_size = 2
    numbers = [proposed(place.forge, place.commits[0], head=f"topic-{number}").number for number in range(5)]
    assert [pull.number for pull in place.forge.open_pull_requests()] == numbers[::-1]


def test_the_token_is_not_sent_to_another_host(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with running("github", other) as stranger:
        place.server.faults.redirect = stranger.server.origin
        with pytest.raises(ConfigurationError):
            place.forge.find_branch("main")
        with pytest.raises(ConfigurationError):
            place.forge.create_branch(HEAD, place.commits[0])
        assert stranger.server.requests == []


def test_a_wrong_token_is_refused_and_stays_secret(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", "another-secret-token")
    with pytest.raises(RefusedError, match="does not take the token") as caught:
        place.forge.create_branch(HEAD, place.commits[0])
    assert "FORGE_TOKEN" in caught.value.todo
    assert "another-secret-token" not in caught.value.diagnosis()
    assert not caught.value.retryable


def test_a_token_that_may_not_is_told_which_permission_is_missing(place: Place) -> None:
    place.forbid()
    with pytest.raises(RefusedError, match="does not allow this") as caught:
        place.forge.create_tag("v1.0.0", place.commits[0])
    assert "permission" in caught.value.todo


@pytest.mark.parametrize("value", ["", "   "])
def test_no_token_is_a_mistake_in_the_environment(place: Place, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FORGE_TOKEN", value)
    with pytest.raises(ConfigurationError, match="FORGE_TOKEN is not set"):
        place.forge.default_branch()
    assert place.server.requests == []


def test_a_token_with_a_line_break_in_it_reaches_no_message(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", "half-a-secret\nHost: elsewhere")
    with pytest.raises(ConfigurationError) as caught:
        place.forge.default_branch()
    assert "half-a-secret" not in caught.value.diagnosis()


def test_a_token_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with running("gitlab", tmp_path, token_file="token", token_env="") as place:
        assert place.forge.default_branch() == "main"
        (tmp_path / "token").unlink()
        with pytest.raises(ConfigurationError, match="token_file cannot be read"):
            place.forge.default_branch()


def test_a_commit_that_the_forge_has_not_is_refused(place: Place) -> None:
    with pytest.raises(ShiplineError):
        place.forge.create_tag("v1.0.0", "f" * 40)
    with pytest.raises(InvalidValue, match="full id"):
        place.forge.create_tag("v1.0.0", "main")


def test_github_without_digests_compares_sizes(tmp_path: Path) -> None:
    """Enterprise Servers before 3.18."""
    with running("github", tmp_path) as place:
        place.server.dialect.states_digests = False  # type: ignore[attr-defined]  # this dialect's own
        release = drafted(place.forge, "v1.0.0", place.commits[0])
        file = tmp_path / "a.whl"
        file.write_bytes(b"one")
        place.forge.upload_asset(release, file, digest=digest(file))
        place.forge.upload_asset(release, file, digest=digest(file))
        assert len(place.forge.assets(release)) == 1
        file.write_bytes(b"another")
        with pytest.raises(ConflictError) as caught:
            place.forge.upload_asset(release, file, digest=digest(file))
        assert "3 bytes" in caught.value.why


def test_a_protected_branch_says_what_it_demands(place: Place) -> None:
    place.model.protected.add("main")
    found = place.forge.protection("main")
    assert found.protected
    assert found.may_push.value in ("no", "unknown")
    assert "pull request" in " ".join(found.demands) or "merge request" in " ".join(found.demands)


def test_a_page_that_is_no_api_is_said_to_be_none(place: Place) -> None:
    settings = GitHubForge.Settings(repository="acme/quotes", api_url=place.server.origin, token_env="FORGE_TOKEN")
    forge = GitHubForge(settings, ProviderContext(place.bare, place.bare, FakeClock()))
    with pytest.raises(RefusedError, match="404"):
        forge.default_branch()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"repository": "quotes"}, "owner/name"),
        ({"repository": "acme/.."}, "owner/name"),
        ({"repository": "acme/quotes?x=1"}, "owner/name"),
        ({"api_url": "ftp://example.org"}, "not an http"),
        ({"api_url": "https://robot:secret@example.org"}, "plain address"),
        ({"answer_timeout_s": 0}, "more than 0"),
    ],
)
def test_settings_that_can_only_be_mistakes_are_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        from_json(GitHubForge.Settings, table)
    assert "secret" not in caught.value.diagnosis()


def test_without_an_address_nobody_is_asked(tmp_path: Path) -> None:
    """There is no built-in default."""
    context = ProviderContext(tmp_path, tmp_path, FakeClock())
    for provider, _ in KINDS.values():
        with pytest.raises(ConfigurationError, match="api_url is not set"):
            provider(provider.Settings(repository="acme/quotes"), context).default_branch()


def test_a_token_without_hooks_is_told_so(place: Place) -> None:
    """And how it is granted; the rest stays as it is."""

    def granted() -> dict[Capability, Known]:
        return {one.capability: one.granted for one in place.forge.permissions()}

    before = granted()
    place.model.lacking = {Capability.HOOKS}
    administration = [Capability.HOOKS, Capability.SETTINGS]
    # On GitHub whoever may push may also set variables and secrets.
    administration += [] if isinstance(place.forge, GitHubForge) else [Capability.VARIABLES, Capability.SECRETS]
    assert granted() == before | dict.fromkeys(administration, Known.NO)
    assert all(one.todo for one in place.forge.permissions() if one.granted is not Known.YES)
    with pytest.raises(RefusedError):
        place.forge.hooks()


def test_what_a_classic_token_of_github_may_is_known_by_its_scopes(tmp_path: Path) -> None:
    with running("github", tmp_path) as place:
        place.model.scopes = frozenset({"public_repo"})
        granted = {one.capability: one.granted for one in place.forge.permissions()}
        assert granted == dict.fromkeys(Capability, Known.YES) | {Capability.HOOKS: Known.NO}


def test_a_long_job_knows_what_is_left_and_goes_on_after_the_reset(place: Place) -> None:
    """Gitea does not say it."""
    place.server.quota = Quota(place.clock, limit=3)
    place.forge.find_branch("main")
    budget = place.forge.budget()
    ends_us = place.clock.now_us() + 3600 * 1_000_000
    assert budget in (Budget(2, ends_us), Budget())
    assert (budget == Budget()) == (place.server.dialect.prefix == "/api/v1")
    for _ in range(2):
        place.forge.find_branch("main")
    with pytest.raises(UnavailableError, match="limits how much"):
        place.forge.find_branch("main")
    place.clock.jump_to(ends_us)
    assert place.forge.find_branch("main") is not None


def test_too_many_creations_in_a_minute_are_waited_for_and_doubled_none(tmp_path: Path) -> None:
    """GitHub's secondary limit."""
    with running("github", tmp_path) as place:
        place.server.quota = Quota(place.clock, creations_max=2)
        for number in range(5):
            place.forge.create_tag(f"v{number}", place.commits[0])
        assert len(place.model.effects) == 5
        assert place.clock.steady_s() == 120
        place.server.quota = Quota(place.clock, an_hour_max=2)
        for number in range(5, 7):
            place.forge.create_tag(f"v{number}", place.commits[0])
        with pytest.raises(UnavailableError, match="limits how much"):
            place.forge.create_tag("v7", place.commits[0])
        place.clock.sleep(3600)
        place.forge.create_tag("v7", place.commits[0])
        assert len(place.model.effects) == 8


@pytest.mark.parametrize("label", ["none", "Any"])
def test_gitlab_s_words_for_all_and_no_issues_are_no_labels(tmp_path: Path, label: str) -> None:
    """Asked for with them it would list other issues."""
    with running("gitlab", tmp_path) as place, pytest.raises(InvalidValue):
        place.forge.open_issues(label)


def test_runs_of_checks_count_beside_statuses_the_worse_of_a_name(tmp_path: Path) -> None:
    """GitHub Actions says what it found in runs alone; more than a page of them is read."""
    with running("github", tmp_path) as place:
        (commit, _), dialect = place.commits, place.server.dialect
        assert isinstance(dialect, GitHubDialect)
        dialect.runs = [(commit, f"job {number:03d}", "success") for number in range(120)]
        dialect.runs += [(commit, "lint", "skipped"), (commit, "gates", None), (commit, "job 007", "failure")]
        place.forge.set_status(commit, CommitStatus("gates", StatusState.SUCCESS))
        found = {one.context: one.state for one in place.forge.checks(commit)}
        assert len(found) == 122
        assert found["job 007"] is StatusState.FAILURE
        assert (found["lint"], found["gates"]) == (StatusState.SUCCESS, StatusState.PENDING)
        assert [one.context for one in place.forge.statuses(commit)] == ["gates"]


def test_a_forge_is_told_no_secret(place: Place) -> None:
    """In statuses, comments, pull requests and releases: many can read them. Said again, nothing new is written."""
    forge, commit = place.forge, place.commits[0]
    place.model.refs.put("refs/tags/v1", commit)
    for _ in range(2):
        for leak in LEAKS:
            forge.set_status(commit, CommitStatus(leak.name, StatusState.FAILURE, leak.text[:100]))
    pull = proposed(forge, place.commits[-1])
    for _ in range(2):
        forge.put_comment(Thread.pull(pull.number), marker="m", body=ALL)
    forge.update_pull_request(pull.number, title="t", body=ALL)
    forge.create_release("v1", title="t", notes_markdown=ALL, draft=False, prerelease=False)
    forge.create_issue(IssueDraft("t", ALL), marker="m")
    assert leaked(str(vars(place.model))) == []
    assert len(place.model.notes) == 1
    assert len(forge.statuses(commit)) == len(LEAKS)
