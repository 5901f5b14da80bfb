"""A release's bundle, as the release leaves it and as it is made later: all that the rooms know, and proven."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.evidence import Verification, document_bytes, read_public_key, verify_bundle
from shipline.capabilities.releases import Besides, whole_bundle
from shipline.capabilities.releases.scan_reports import bundled_reports
from shipline.capabilities.rollouts import ROLLOUTS, rollouts_document, rollouts_of_release
from shipline.domain.errors import RefusedError
from shipline.domain.release import Release
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.store.log import sequence
from shipline.testing.fakes.signer import MemorySigner
from shipline.testing.world import World
from tests.capabilities.releases.release_world import ReleaseWorld
from tests.secret_shapes import LEAKS
from tests.store.logs import KEY, PUBLIC

GITHUB = next(one for one in LEAKS if one.name == "github")


@pytest.fixture
def made(sqlite_url: str, tmp_path: Path) -> Iterator[ReleaseWorld]:
    world = World(7, tmp_path, url=sqlite_url)
    yield ReleaseWorld(world, tmp_path)
    world.close()


def asked(path: Path, *artifacts: Path) -> Verification:
    return verify_bundle(path, [read_public_key(MemorySigner().public_key_pem().encode())], artifacts)


def written(made: ReleaseWorld, release: Release, besides: Besides | None = None) -> Path:
    path = made.folder / "whole.tar"
    path.write_bytes(whole_bundle(made.ground(made.world.store), release, besides or Besides()))
    return path


def test_the_bundle_that_a_release_leaves_has_plan_verdicts_and_policy(made: ReleaseWorld) -> None:
    """Nothing of the log where nothing has a place in it yet."""
    made.released()
    found = asked(made.folder / "releases" / "quotes-0.1.0" / "bundle.tar")
    words = [f"{check.name}: {check.words}" for check in found.checks]
    assert found.proven, words
    assert "plan: it is the first version, with 2 commits on stable" in words
    assert "gates: 2 gates (tests pass, proof) said PASS of the release" in words
    assert any(check.name == "summary" for check in found.checks)
    assert not any(check.name == "log" for check in found.checks)


def test_what_tests_have_printed_is_handed_out_without_secrets(tmp_path: Path) -> None:
    """All else is byte for byte what the tool wrote, in whatever encoding."""
    report, plain = tmp_path / "unit" / "junit.xml", tmp_path / "more" / "junit.xml"
    for path, text in ((report, f"<system-out>{GITHUB.text}</system-out>".encode()), (plain, b"<a b='\xe9\xff'/>\r\n")):
        path.parent.mkdir()
        path.write_bytes(text)
    found = bundled_reports([report, plain])
    assert GITHUB.secret.encode() not in found["unit+junit.xml"]
    assert found["unit+junit.xml"].startswith(b"<system-out>")
    assert found["more+junit.xml"] == plain.read_bytes()


def test_the_whole_bundle_has_the_log_and_what_became_of_it(made: ReleaseWorld) -> None:
    release = made.released()
    rollout = Rollout("rol_1", "quotes", "0.1.0", "production", "canary", RolloutStatus.PROMOTED, 1, release.id)
    with made.world.store.begin() as tx:
        ROLLOUTS.save(tx, rollout)
        ROLLOUTS.save(tx, Rollout("rol_2", "quotes", "0.1.0", "other", "canary", RolloutStatus.FAILED, 1, "rel_other"))
        document = rollouts_document(tx, rollouts_of_release(tx, release))
    sequence(made.world.store, KEY)
    besides = Besides({"rollouts.json": document_bytes(document)}, ("rollout:rol_1",))
    path = written(made, release, besides)
    wheel = made.folder / "releases" / "quotes-0.1.0" / "dist" / "quotes-0.1.0-py3-none-any.whl"
    found = asked(path, wheel)
    words = [f"{check.name}: {check.words}" for check in found.checks]
    assert found.proven, words
    assert [check.words for check in found.checks if check.name == "rollout"] == [
        "to production: promoted after 0 looks of the analysis"
    ]
    assert "log: the log says that it was published" in words
    assert verify_bundle(path, [read_public_key(MemorySigner().public_key_pem().encode())], log_key=PUBLIC).proven


def test_gates_that_have_changed_since_change_nothing(made: ReleaseWorld) -> None:
    """The summary speaks of those that were asked, and the bundle has them."""
    release = made.released()
    made.gates = made.gates[:1]
    assert asked(written(made, release)).proven


def test_what_proves_it_must_be_there(made: ReleaseWorld) -> None:
    release = made.released()
    shutil.rmtree(made.folder / "releases" / "quotes-0.1.0" / "evidence")
    with pytest.raises(RefusedError, match="are not on this machine"):
        written(made, release)
