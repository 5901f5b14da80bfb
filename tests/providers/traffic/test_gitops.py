"""Versions brought to a cluster that follows git: real commits and pull requests, a controller that watches them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.git_tree import BranchOf
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.forge import PullState
from shipline.ports.provider import ProviderContext
from shipline.ports.traffic import Traffic, UnderWay
from shipline.providers.traffic.gitops import GitOpsTraffic, GitOpsTrafficSettings
from shipline.testing.conformance.switch import SwitchConformance
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, found
from shipline.testing.conformance.traffic import shares
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import GitRefs
from tests.clusters import digests_of
from tests.file_server import Files
from tests.gitops import ENVIRONMENT, FILE, FIRST, KUSTOMIZATION, Manifests, manifests


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Manifests]:
    with manifests(tmp_path) as made:
        yield made


class TestGitOpsTraffic(SwitchConformance):
    @pytest.fixture
    def open_traffic(self, place: Manifests) -> Callable[[], Traffic]:
        """The groups `old` and `new` are there, and nothing was brought yet."""
        place.stage("old", GOOD)
        place.stage("new", BETTER)
        return lambda: _closed(place)


def _closed(place: Manifests) -> GitOpsTraffic:
    context = replace(place.context("traffic"), target=place.chosen())
    return GitOpsTraffic(GitOpsTrafficSettings("quotes.example:443"), context)


def test_a_commit_changes_the_digest_and_no_other_byte(place: Manifests) -> None:
    """It is a Conventional Commit by who commits here, and says of which rollout it is."""
    place.traffic().apply((place.stage("one", GOOD),), revision=7)
    (digest,) = digests_of(GOOD)
    text = KUSTOMIZATION.replace("{image}", place.image)
    assert place.shown() == text.replace("{digest}", digest).encode()
    subject, author, body = place.git("log", "-1", "--format=%s%x00%an <%ae>%x00%b", "main").split("\0")
    assert subject == f"chore(deploy): production runs {PACKAGE} {GOOD}"
    assert author == "Ann Author <ann@example.com>"
    assert body.split("\n\n")[1].split() == [
        *("Shipline-Place:", "production", FILE, "quotes", "Shipline-Group:", "one", "Shipline-Revision:", "7"),
        *("Shipline-Release:", PACKAGE, GOOD, "Shipline-Digest:", digest),
    ]
    assert place.syncing.runs() == f"{place.image}@{digest}"


def test_a_version_is_brought_once_the_cluster_says_so(place: Manifests) -> None:
    """Until then it is told what is waited for, and asking again commits nothing."""
    traffic, route = place.traffic(), place.stage("one", GOOD)
    place.syncing.lag_s = 180.0
    place.world.slow_s[digests_of(GOOD)[0]] = 30.0
    with pytest.raises(UnderWay, match="Argo CD has taken no commit in yet"):
        traffic.apply((route,), revision=2)
    place.clock.sleep(181)
    with pytest.raises(UnderWay, match="Synced: Progressing"):
        traffic.apply((route,), revision=3)
    place.clock.sleep(31)
    traffic.apply((route,), revision=4)
    assert place.subjects() == [f"chore(deploy): production runs {PACKAGE} {GOOD}", "chore: begin"]


def test_what_fails_in_the_cluster_is_led_back_by_a_commit_that_holds_it(place: Manifests) -> None:
    """With the words of Argo CD."""
    traffic = place.traffic()
    old = place.stage("one", GOOD)
    traffic.apply((old,), revision=2)
    new = place.stage("two", BROKEN, revision=3)
    with pytest.raises(UnderWay):
        traffic.apply((new,), revision=3)
    place.clock.sleep(61)
    with pytest.raises(ShiplineError, match="failed in the cluster") as caught:
        traffic.apply((new,), revision=4)
    assert not caught.value.retryable
    assert "Deployment quotes Degraded: quotes has timed out progressing" in caught.value.why
    traffic.apply((old,), revision=5)
    assert shares(traffic) == {"one": 1.0, "two": 0.0}
    assert place.subjects()[0] == f"revert(deploy): production goes back to {PACKAGE} {GOOD}"
    assert f"Shipline-Hold: {BROKEN}" in place.git("log", "-1", "--format=%B", "main")
    assert traffic.held() == BROKEN


@pytest.mark.parametrize("watch", ["flux", "deployment"])
def test_others_may_tell_that_it_has_arrived(place: Manifests, watch: str) -> None:
    """Flux, and what runs."""
    traffic = place.traffic(watch=watch)
    place.syncing.paused = True
    with pytest.raises(UnderWay):
        traffic.apply((place.stage("one", GOOD),), revision=2)
    place.syncing.paused = False
    new = place.stage("two", BROKEN, revision=3)
    with pytest.raises(UnderWay):
        traffic.apply((new,), revision=3)
    place.clock.sleep(61)
    with pytest.raises(ShiplineError, match="failed in the cluster") as caught:
        traffic.apply((new,), revision=4)
    assert "has timed out progressing" in caught.value.why
    traffic.apply((place.stage("three", BETTER, revision=5),), revision=5)


def test_an_address_may_tell_that_it_has_arrived(place: Manifests) -> None:
    """Whoever brings it there: nobody is asked but the service."""
    server = Files()
    try:
        traffic = place.traffic(watch="url", object="", url=f"{server.url}/version")
        route = place.stage("one", GOOD)
        for told, words in ((None, "answers with HTTP 404"), (b"0.9.0\n", "tells 0.9.0")):
            if told is not None:
                server.files["/version"] = told
            with pytest.raises(UnderWay, match=words):
                traffic.apply((route,), revision=2)
        server.files["/version"] = f'{{"version": "{GOOD}"}}'.encode()
        traffic.apply((route,), revision=2)
    finally:
        server.stop()
    with pytest.raises(UnderWay, match="does not answer"):
        traffic.apply((route,), revision=2)


def test_a_tag_alone_may_say_it(tmp_path: Path) -> None:
    """As far as tags can be trusted not to move."""
    text, values = "image:\n  tag: v0\n", {"image.tag": "v{version}"}
    with manifests(tmp_path, file="values.yaml", text=text, values=values, watch="deployment") as place:
        traffic = place.traffic()
        traffic.apply((place.stage("one", GOOD),), revision=2)
        assert place.syncing.runs() == f"{place.image}:v{GOOD}"
        place.syncing.paused = True
        with pytest.raises(UnderWay, match=f"the Deployment runs {place.image}:v{GOOD}"):
            traffic.apply((place.stage("two", BETTER, revision=3),), revision=3)


VALUES = 'image:\r\n  digest: "{digest}"\r\n  tag: "0.1"\r\nold: &old x\r\n'
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: quotes}
spec:
  values:
    image: {digest: "{digest}"}
"""


def test_a_values_file_may_say_it(tmp_path: Path) -> None:
    """Also with the line ends of another system, and with anchors that are elsewhere."""
    values = {"image.digest": "{digest}", "image.tag": "v{version}"}
    with manifests(tmp_path, file="values.yaml", text=VALUES, values=values) as place:
        place.traffic().apply((place.stage("one", GOOD),), revision=2)
        told = VALUES.replace("{digest}", digests_of(GOOD)[0]).replace("0.1", f"v{GOOD}")
        assert place.shown("values.yaml") == told.encode()


def test_a_helm_release_tells_of_the_values_in_it(tmp_path: Path) -> None:
    values = {"spec.values.image.digest": "{digest}"}
    with manifests(tmp_path, file="release.yaml", text=RELEASE, values=values, watch="helm-release") as place:
        traffic, route = place.traffic(), place.stage("one", GOOD)
        place.syncing.paused = True
        with pytest.raises(UnderWay, match=r"there is no HelmRelease|does not have this version yet"):
            traffic.apply((route,), revision=2)
        place.syncing.paused = False
        traffic.apply((route,), revision=3)
        with pytest.raises(UnderWay):
            traffic.apply((place.stage("two", BROKEN, revision=4),), revision=4)
        place.clock.sleep(61)
        with pytest.raises(ShiplineError, match="failed in the cluster"):
            traffic.apply((place.stage("two", BROKEN, revision=5),), revision=5)


OTHER = "apps/other/kustomization.yaml"


def other_project(place: Manifests) -> None:
    """Another project has its file in the repository, and calls its environment the same."""
    path = place.people.folder / OTHER
    path.parent.mkdir(parents=True)
    path.write_bytes(place.shown())
    place.people.commit("chore: another project")
    place.people.git("push", "--quiet", "origin", "main")


@pytest.mark.parametrize("theirs", [{"file": OTHER}, {"name": "other"}])
def test_projects_that_share_a_repository_do_not_hear_each_other(place: Manifests, theirs: dict[str, str]) -> None:
    """Each has its own fence and its own hold, also in one file."""
    other_project(place)
    entry = f"\n  - name: other\n    newName: {place.image}\n    digest: {FIRST}"
    place.by_hand("chore: another image", "  # set by machines", entry)
    another = replace(place, settings=place.settings | theirs)
    ours, others = place.traffic(), another.traffic(machine="other")
    for revision, (name, version) in enumerate((("one", GOOD), ("two", BETTER), ("three", GOOD)), start=2):
        ours.apply((place.stage(name, version, revision=revision),), revision=revision)
    route = another.stage("theirs", BETTER, machine="other")
    others.apply((route,), revision=900)
    place.later()
    assert (ours.held(), others.held()) == (BETTER, "")
    with pytest.raises(RefusedError, match="is held"):
        place.stage("four", BETTER, revision=5)
    ours.apply((place.stage("five", GOOD, revision=5),), revision=5)
    with pytest.raises(RefusedError, match="revision 899 is older than 900"):
        others.apply((route,), revision=899)


def test_a_late_call_is_refused_on_another_machine(place: Manifests) -> None:
    """The branch knows of the newer one, whatever that machine remembers."""
    zombie, late = place.traffic(machine="paused"), place.stage("late", GOOD, machine="paused")
    place.traffic().apply((place.stage("one", BETTER, revision=9),), revision=9)
    with pytest.raises(RefusedError, match="revision 8 is older than 9"):
        zombie.apply((late,), revision=8)
    assert place.syncing.runs().endswith(digests_of(BETTER)[0])


def test_a_race_is_run_again_on_what_has_become(place: Manifests, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody pushes between the look and the push: another part of the file stays, and the same line is theirs."""
    push, races = BranchOf.push, iter((("# Who runs what.", "# Ours."), ("# Ours.", "# Theirs.")))

    def raced(self: BranchOf, commit: str, expected: str | None) -> None:
        if (race := next(races, None)) is not None:
            place.by_hand("docs: mine", *race)
        push(self, commit, expected)

    monkeypatch.setattr(BranchOf, "push", raced)
    place.traffic().apply((place.stage("one", GOOD),), revision=2)
    assert place.shown().startswith(b"# Theirs.\n")
    assert place.subjects()[1:] == ["docs: mine", "docs: mine", "chore: begin"]
    races = iter(((digests_of(GOOD)[0], FIRST),))
    route = place.stage("two", BETTER, revision=3)
    with pytest.raises(ConflictError, match="which Shipline did not write"):
        place.traffic().apply((route,), revision=3)
    assert FIRST.encode() in place.shown()


@pytest.mark.parametrize("dies", ["before the push", "after the push", "after it was noted"])
def test_a_process_that_is_killed_costs_nothing(place: Manifests, monkeypatch: pytest.MonkeyPatch, dies: str) -> None:
    """At each write: the next one finds the commit, or makes it, once."""

    class Killed(BaseException):
        pass

    push, accept = BranchOf.push, GitOpsTraffic._accept

    def pushed(self: BranchOf, commit: str, expected: str | None) -> None:
        if dies != "before the push":
            push(self, commit, expected)
        raise Killed

    def accepted(self: GitOpsTraffic, *arguments: Any) -> None:
        accept(self, *arguments)
        raise Killed

    route = place.stage("one", GOOD)
    with monkeypatch.context() as patched:
        noted = dies == "after it was noted"
        patched.setattr(*((GitOpsTraffic, "_accept", accepted) if noted else (BranchOf, "push", pushed)))
        with pytest.raises(Killed):
            place.traffic().apply((route,), revision=2)
    traffic = place.traffic()
    traffic.apply((route,), revision=3)
    assert shares(traffic) == {"one": 1.0}
    assert len(place.subjects()) == 2


def test_a_branch_that_takes_no_commits_says_what_to_do(place: Manifests) -> None:
    """As a protected one does."""
    hook = place.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho main is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ShiplineError, match="main does not take commits from here") as caught:
        place.traffic().apply((place.stage("one", GOOD),), revision=2)
    assert "pull-request" in caught.value.todo


def test_what_people_set_by_hand_is_seen_and_may_be_adopted(place: Manifests) -> None:
    """What was brought there before is known by its digest; anything else is nobody's version."""
    traffic, target = place.traffic(), place.target()
    traffic.apply((place.stage("one", GOOD),), revision=2)
    traffic.apply((place.stage("two", BETTER, revision=3),), revision=3)
    traffic.forget("one", revision=3)
    for name in ("one", "two"):
        target.stop(name, revision=3)
    commit = place.by_hand("revert: that was bad", digests_of(BETTER)[0], digests_of(GOOD)[0])
    place.later()
    name = f"by-hand-{commit[:12]}"
    assert shares(traffic) == {"two": 0.0, name: 1.0}
    group = found(target, name)
    assert (group.package, group.version, group.digests, group.is_whole) == (PACKAGE, GOOD, digests_of(GOOD), True)
    traffic.apply(tuple(route for route in traffic.routes() if route.share), revision=4)
    assert len(place.subjects()) == 4, "it is said already"
    traffic.apply((place.stage("three", BETTER, revision=5),), revision=5)
    target.run(group.spec, revision=6)
    traffic.apply((replace(traffic.routes()[0], group_id=name, share=1.0),), revision=6)
    assert place.syncing.runs().endswith(digests_of(GOOD)[0])
    place.by_hand("fix: try this", digests_of(GOOD)[0], FIRST)
    place.later()
    (served,) = (route for route in traffic.routes() if route.share)
    assert served.version == FIRST
    assert not [each for each in target.groups() if each.id == served.group_id]


def test_the_projects_own_remote_is_the_default_and_its_token_is_not_told(place: Manifests) -> None:
    """Its address may hold one; a path is seen from the top of the repository."""
    place.settings["repository"] = ""
    place.people.git("remote", "set-url", "origin", "../manifests.git")
    traffic, route = place.traffic(), place.stage("one", GOOD)
    traffic.apply((route,), revision=2)
    assert shares(traffic) == {"one": 1.0}
    place.people.git("remote", "set-url", "origin", "http://hunter2@127.0.0.1:9/manifests.git")
    with pytest.raises(UnavailableError, match="manifests cannot be reached") as caught:
        place.target().prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert "hunter2" not in caught.value.diagnosis()
    kept = (place.root / "state").rglob("*")
    assert not [path for path in kept if path.is_file() and b"hunter2" in path.read_bytes()]


def test_settings_of_another_platform_are_refused(tmp_path: Path) -> None:
    """The target says where the manifests are."""
    context = ProviderContext(tmp_path, tmp_path / "state", FakeClock(), ENVIRONMENT)
    with pytest.raises(ConfigurationError, match="needs the target provider gitops"):
        GitOpsTraffic(GitOpsTrafficSettings("quotes.example:443"), context)
    with pytest.raises(ConfigurationError, match="not a host and a port"):
        GitOpsTrafficSettings("quotes.example")


# --- pull requests ----------------------------------------------------------------------------------------------------


@pytest.fixture
def reviewed(place: Manifests) -> Manifests:
    """The same, where versions are brought by pull requests."""
    place.forge = FakeForge(GitRefs(place.bare))
    place.settings["mode"] = "pull-request"
    return place


def pull(place: Manifests) -> Any:
    """The newest pull request, as the forge has it."""
    assert isinstance(place.forge, FakeForge)
    return list(place.forge.model.pulls.values())[-1]


def merge(place: Manifests) -> None:
    """A person merges it."""
    one = pull(place)
    place.git("update-ref", "refs/heads/main", place.git("rev-parse", one.head).strip())
    one.state = PullState.MERGED


def test_a_pull_request_is_opened_once_and_waited_for(reviewed: Manifests) -> None:
    """Until people merge it; then until the cluster has it."""
    traffic, route = reviewed.traffic(), reviewed.stage("one", GOOD)
    for revision in (2, 3):
        with pytest.raises(UnderWay, match="pull request #1 waits to be merged into main"):
            traffic.apply((route,), revision=revision)
    assert pull(reviewed).title == f"chore(deploy): production runs {PACKAGE} {GOOD}"
    assert reviewed.subjects() == ["chore: begin"]
    assert traffic.switch_s == 900
    merge(reviewed)
    traffic.apply((route,), revision=4)
    assert reviewed.syncing.runs().endswith(digests_of(GOOD)[0])


def test_a_pull_request_that_is_not_wanted_any_more_is_closed(reviewed: Manifests) -> None:
    """Its time was over, and the rollout turned back: nobody may merge it later."""
    traffic, old = reviewed.traffic(), reviewed.stage("one", GOOD)
    with pytest.raises(UnderWay):
        traffic.apply((old,), revision=2)
    merge(reviewed)
    traffic.apply((old,), revision=3)
    with pytest.raises(UnderWay):
        traffic.apply((reviewed.stage("two", BETTER, revision=4),), revision=4)
    late = pull(reviewed)
    traffic.apply((old,), revision=5)
    assert late.state is PullState.CLOSED
    assert late.head not in reviewed.git("branch", "--format=%(refname:short)").splitlines()
    assert shares(traffic) == {"one": 1.0, "two": 0.0}


@pytest.mark.parametrize("moment", ["before it is found", "before it is closed"])
def test_a_pull_request_that_is_merged_at_the_last_moment_is_led_back(
    reviewed: Manifests, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """By a request that holds the version, for it was brought though the rollout had turned back."""
    traffic, old = reviewed.traffic(), reviewed.stage("one", GOOD)
    with pytest.raises(UnderWay):
        traffic.apply((old,), revision=2)
    merge(reviewed)
    traffic.apply((old,), revision=3)
    with pytest.raises(UnderWay):
        traffic.apply((reviewed.stage("two", BETTER, revision=4),), revision=4)
    name = "open_pull_requests" if moment == "before it is found" else "close_pull_request"
    act = getattr(FakeForge, name)

    def merged(self: FakeForge, *arguments: Any, **others: Any) -> Any:
        if pull(reviewed).state is PullState.OPEN:
            merge(reviewed)
        return act(self, *arguments, **others)

    with monkeypatch.context() as patched:
        patched.setattr(FakeForge, name, merged)
        with pytest.raises(UnderWay, match="main has moved meanwhile"):
            traffic.apply((old,), revision=5)
    with pytest.raises(UnderWay, match="waits to be merged"):
        traffic.apply((old,), revision=6)
    assert f"Shipline-Hold: {BETTER}" in pull(reviewed).body


def test_a_pull_request_of_another_project_is_left_alone(reviewed: Manifests) -> None:
    """It is in the same repository, for an environment of the same name."""
    other_project(reviewed)
    with pytest.raises(UnderWay):
        reviewed.traffic().apply((reviewed.stage("one", GOOD),), revision=2)
    ours, others = pull(reviewed), reviewed.traffic(machine="other", file=OTHER)
    with pytest.raises(UnderWay, match="pull request #2"):
        others.apply((reviewed.stage("two", BETTER, machine="other", file=OTHER),), revision=2)
    assert ours.state is PullState.OPEN


def test_a_squash_that_drops_the_trailers_is_understood(reviewed: Manifests) -> None:
    """The file says what was brought; what people set later may be set back to that, and is not written over."""
    traffic, route = reviewed.traffic(), reviewed.stage("one", GOOD)
    with pytest.raises(UnderWay):
        traffic.apply((route,), revision=2)
    assert "Shipline-Group: one" in pull(reviewed).body
    reviewed.by_hand("chore: squashed", FIRST, digests_of(GOOD)[0])
    pull(reviewed).state = PullState.MERGED
    traffic.apply((route,), revision=3)
    reviewed.by_hand("fix: back", digests_of(GOOD)[0], FIRST)
    with pytest.raises(ConflictError, match="which Shipline did not write"):
        reviewed.stage("two", BETTER, revision=4)
    reviewed.stage("three", GOOD, revision=4)


def test_a_pull_request_that_people_close_ends_it(reviewed: Manifests) -> None:
    """That is an answer. Another rollout of the version asks again."""
    traffic, route = reviewed.traffic(), reviewed.stage("one", GOOD)
    with pytest.raises(UnderWay):
        traffic.apply((route,), revision=2)
    pull(reviewed).state = PullState.CLOSED
    with pytest.raises(ShiplineError, match="pull request #1 was closed unmerged") as caught:
        traffic.apply((route,), revision=3)
    assert not caught.value.retryable
    with pytest.raises(UnderWay, match="pull request #2"):
        traffic.apply((reviewed.stage("two", GOOD, revision=4),), revision=4)


def test_without_a_forge_there_are_no_pull_requests(place: Manifests) -> None:
    traffic = place.traffic(mode="pull-request")
    with pytest.raises(ConfigurationError, match="needs a \\[forge\\]"):
        traffic.apply((place.stage("one", GOOD),), revision=2)
