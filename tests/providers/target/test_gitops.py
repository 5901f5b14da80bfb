"""Versions staged for a cluster that follows git, over a real repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError
from shipline.ports.target import Group, GroupSpec, Target
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, TargetConformance, found
from tests.clusters import digests_of
from tests.gitops import FILE, FIRST, Manifests, manifests


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manifests]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with manifests(tmp_path) as made:
        yield made


class TestGitOpsTarget(TargetConformance):
    @pytest.fixture
    def open_target(self, place: Manifests) -> Callable[[], Target]:
        return place.target

    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return digests_of

    @pytest.fixture
    def kill_copy(self, place: Manifests) -> Callable[[Target, str], None]:
        def kill_copy(_target: Target, _group_id: str) -> None:
            place.by_hand("chore: take the digest out", "    digest:", "    #digest:")
            place.later()

        return kill_copy

    def test_a_copy_that_died_is_missed_and_run_again(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        kill_copy: Callable[[Target, str], None],
        one: GroupSpec,
    ) -> None:
        """The cluster keeps copies. What can be lost is the place that says the version: a person puts it back."""
        target.run(one, revision=1)
        until_whole(target, "one")
        kill_copy(target, "one")
        hurt = found(target, "one")
        assert (hurt.spec, hurt.ready, hurt.hopeless) == (one, 0, True)
        assert "images.0.digest is not there" in hurt.trouble

    def test_a_group_that_cannot_become_ready_says_so(
        self,
        target: Target,
        wait: Callable[[Callable[[], bool], str], None],
        one: GroupSpec,
        digests_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        """Whether a version is well is known when it runs: it is the traffic's `apply` that says so."""
        target.prepare(PACKAGE, BROKEN, digests_of(BROKEN))
        assert target.run(replace(one, version=BROKEN, digests=digests_of(BROKEN)), revision=1).is_whole


def test_nothing_is_pushed_before_it_is_brought(place: Manifests) -> None:
    """A staged version is a thought."""
    before = place.git("rev-parse", "main")
    place.stage("one", GOOD)
    assert place.git("rev-parse", "main") == before


def test_the_group_that_git_states_tells_what_the_cluster_says(place: Manifests) -> None:
    """Drift of the cluster is the group's trouble; that it is on its way is none."""
    traffic, target = place.traffic(), place.target()
    traffic.apply((place.stage("one", GOOD),), revision=2)
    assert found(target, "one").trouble == ""
    place.syncing.paused = True
    place.by_hand("docs: other", "# Who runs what.", "# Who runs what, today.")
    assert found(target, "one").trouble == "Argo CD says OutOfSync: Healthy"
    place.syncing.paused = False
    place.syncing.refuses = "kustomize build failed: no such file"
    place.later()
    assert "could not sync: kustomize build failed" in found(target, "one").trouble


def test_a_held_version_is_refused_until_a_person_lets_it_go(place: Manifests) -> None:
    """The way back says in git what it left, and on any machine that is obeyed."""
    traffic = place.traffic()
    for revision, (name, version) in enumerate((("one", GOOD), ("two", BETTER), ("three", GOOD)), start=2):
        traffic.apply((place.stage(name, version, revision=revision),), revision=revision)
    assert traffic.held() == BETTER
    for machine in ("state", "other"):
        with pytest.raises(RefusedError, match="is held") as caught:
            place.target(machine=machine).prepare(PACKAGE, BETTER, digests_of(BETTER))
        assert f"--trailer 'Shipline-Unhold: production {FILE} quotes {BETTER}'" in caught.value.todo
    place.people.git("pull", "--quiet", "--rebase", "origin", "main")
    place.people.commit(f"chore: let {BETTER} go\n\nShipline-Unhold: production {FILE} quotes {BETTER}\n")
    place.people.git("push", "--quiet", "origin", "main")
    place.later()
    assert traffic.held() == ""
    traffic.apply((place.stage("four", BETTER, revision=6),), revision=6)


def test_what_people_set_by_hand_is_not_deployed_over(place: Manifests) -> None:
    """It is said whose it was. What was there before may be brought back."""
    traffic = place.traffic()
    traffic.apply((place.stage("one", GOOD),), revision=2)
    place.by_hand("fix: go back for now", digests_of(GOOD)[0], FIRST)
    with pytest.raises(ConflictError, match="which Shipline did not write") as caught:
        place.stage("two", BETTER, revision=3)
    assert "by Ann Author" in caught.value.why
    traffic.apply((place.stage("three", GOOD, revision=4),), revision=4)
    assert place.syncing.runs().endswith(digests_of(GOOD)[0])


def test_a_version_without_its_image_is_not_prepared(place: Manifests) -> None:
    with pytest.raises(ShiplineError, match="has no image of conforming"):
        place.target().prepare(PACKAGE, GOOD, (FIRST,))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"image": "quotes"}, "no image with its registry"),
        ({"image": "registry.example/quotes:1"}, "without a tag"),
        ({"file": "../x/kustomization.yaml"}, "inside of the repository"),
        ({"name": "quotes\nShipline-Hold: 1.0.0"}, "no name of an image"),
        ({"branch": "--force"}, "name of a branch"),
        ({"repository": "https://me:hunter2@git.example/x"}, "holds a user name or a password"),
        ({"repository": "https://ghp_token@git.example/x"}, "holds a user name or a password"),
        ({"repository": "https://[git.example/x"}, "an address that git can clone from"),
        ({"file": "values.yaml"}, "values are needed"),
        ({"values": {"image.tag": "{version}"}}, "a kustomization has none"),
        ({"file": "values.yaml", "values": {"image.tag": "latest"}}, "holds {digest} or {version}"),
        ({"watch": "jenkins"}, "watch is one of argocd"),
        ({"object": ""}, "the name of what argocd stands for"),
        ({"watch": "url", "url": "http://quotes.example/version"}, "an https address"),
        ({"watch": "helm-release"}, "needs values"),
        ({"mode": "force"}, "mode is commit or pull-request"),
        ({"deadline_s": 0}, "deadline_s"),
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(place: Manifests, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        place.chosen(**wrong)
    assert words in caught.value.what
    assert "hunter2" not in caught.value.diagnosis()
