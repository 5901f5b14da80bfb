"""What a version lacks before it may come to an environment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.rollouts import DEPLOYMENTS, Way, promotable_version, runnable_digests
from shipline.capabilities.rollouts.promotion import check_way, missing_on_the_way
from shipline.domain.artifact import Artifact
from shipline.domain.deployment import Deployment
from shipline.domain.errors import RefusedError
from shipline.domain.release import Release, ReleaseStatus
from tests.capabilities.rollouts.rollout_world import RolloutWorld

HOUR_US = 3_600_000_000
NOW_US = 100 * HOUR_US


def deployment(*, finished: float | None, ended: float | None = None, failed: bool = False) -> Deployment:
    """Of quotes 1.0.0 to staging; times are hours before now."""
    base = Deployment("dep_1", "staging", "quotes", "1.0.0", "rol_1", NOW_US - 50 * HOUR_US, failed=failed)
    return replace(base, finished_us=before(finished), ended_us=before(ended))


def before(hours: float | None) -> int | None:
    """So many hours before now, as microseconds."""
    return None if hours is None else NOW_US - int(hours * HOUR_US)


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        ((), "it has not been deployed to staging"),
        ((deployment(finished=None),), "it has not been deployed to staging"),
        ((deployment(finished=None, ended=1, failed=True),), "it failed in staging"),
        ((deployment(finished=1),), ""),
        ((deployment(finished=0.5),), "it has served staging for 1800 s, and 3600 s are asked for"),
        ((deployment(finished=9, ended=8),), ""),
        ((deployment(finished=9, ended=8.5),), "it served staging for 1800 s, and 3600 s are asked for"),
        ((deployment(finished=9, failed=True),), "it failed in staging"),
        ((deployment(finished=9, ended=8, failed=True), deployment(finished=40, ended=20)), "it failed in staging"),
        ((deployment(finished=None), deployment(finished=40, ended=20)), ""),
    ],
)
def test_what_is_missing_is_said(found: tuple[Deployment, ...], missing: str) -> None:
    assert missing_on_the_way(found, "staging", 3600, NOW_US) == missing


def test_every_environment_before_is_asked(place: RolloutWorld) -> None:
    """And the refusal says what to do."""
    with place.world.store.begin() as tx:
        DEPLOYMENTS.save(tx, deployment(finished=2))
    with place.world.store.begin() as tx:
        check_way(tx, "quotes", "1.0.0", Way(("staging",), 3600), NOW_US)
        check_way(tx, "quotes", "9.0.0", Way(), NOW_US)
        with pytest.raises(RefusedError, match="may not come here yet") as refused:
            check_way(tx, "quotes", "1.0.0", Way(("staging", "canary"), 0), NOW_US)
    assert refused.value.why == "it has not been deployed to canary"
    assert refused.value.todo == "shipline deploy 1.0.0 --to canary"


def test_what_the_environment_before_serves_is_promoted(place: RolloutWorld) -> None:
    with place.world.store.begin() as tx:
        with pytest.raises(RefusedError, match="nothing to promote") as refused:
            promotable_version(tx, Way(("staging",)), None)
        assert refused.value.why == "it comes after staging, which serves nothing"
        with pytest.raises(RefusedError, match="nothing to promote"):
            promotable_version(tx, Way(), None)
        DEPLOYMENTS.save(tx, deployment(finished=2))
        assert promotable_version(tx, Way(("staging",)), None) == ("quotes", "1.0.0")
        with pytest.raises(RefusedError, match="nothing to promote"):
            promotable_version(tx, Way(("staging",)), "other")


def test_a_release_is_run_from_its_artifacts_of_a_kind_that_the_target_knows() -> None:
    """Without one there is nothing that could be checked by its digest."""
    artifacts = tuple(
        Artifact(f"quotes.{kind}", kind, "sha256:" + digit * 64, 1) for kind, digit in (("wheel", "1"), ("oci", "2"))
    )
    release = Release("rel_1", "quotes", "1.0.0", "v1.0.0", ReleaseStatus.PUBLISHED, 1, 1, artifacts=artifacts)
    assert runnable_digests(release, ("wheel", "sdist")) == ("sha256:" + "1" * 64,)
    assert runnable_digests(release, ()) == ("sha256:" + "1" * 64, "sha256:" + "2" * 64)
    with pytest.raises(RefusedError, match="no artifact that its target can run") as refused:
        runnable_digests(release, ("npm",))
    assert refused.value.why == "the target runs npm; the release has oci, wheel"
