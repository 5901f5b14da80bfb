"""A release that waits for somebody's yes goes on as soon as that is there."""

from __future__ import annotations

from pathlib import Path

from shipline.capabilities.gates import NAMESPACE, statement
from shipline.capabilities.releases import SignedApproval, approval_digest, record_approval, reevaluate
from shipline.clients.ssh_signatures import sign
from shipline.domain.gate import Approval, Approver, Gate
from shipline.domain.release import ReleaseStatus
from shipline.testing.world import World
from tests.capabilities.releases.release_world import PERSON, ReleaseWorld
from tests.clients.test_ssh_signatures import new_key, public, pytestmark  # noqa: F401 - it needs ssh-keygen, too


def test_a_release_that_waits_for_a_yes_goes_on_with_it(sqlite_url: str, tmp_path: Path) -> None:
    """Nobody orders it again: who runs the engine carries it out."""
    world, key = World(7, tmp_path, url=sqlite_url), new_key(tmp_path, "ann")
    made = ReleaseWorld(world, tmp_path, gates=(Gate("two eyes", "true", approvals={"security": 1}),))
    made.approvers = (Approver("ann", ("security",), public(key).strip()),)
    release = made.released()
    assert release.status is ReleaseStatus.REFUSED
    ground = made.ground(world.store)
    approval = Approval(
        "ann", "security", "release", "quotes", release.version, approval_digest(release), world.clock.now_us()
    )
    given = SignedApproval(approval, sign(statement(approval), key=key, namespace=NAMESPACE))
    with world.store.begin() as tx:
        record_approval(tx, ground, release, given)
    assert reevaluate(ground, made.engine, release, PERSON).goes_on
    made.settle()
    assert made.now(release).status is ReleaseStatus.PUBLISHED
    world.close()
