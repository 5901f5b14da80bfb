"""Release trains and freezes of the stage `release`: nothing final begins, and what has begun goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipline.capabilities.gates import NAMESPACE, statement
from shipline.capabilities.releases import SignedApproval, approval_digest, check_approval, record_approval
from shipline.capabilities.releases.checks import check_calendar
from shipline.clients.ssh_signatures import sign
from shipline.domain.calendar import CalendarRule, Exemption, PeriodKind
from shipline.domain.errors import RefusedError
from shipline.domain.gate import Approval, Approver, Gate
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.releases.release_world import ReleaseWorld
from tests.clients.test_ssh_signatures import new_key, public
from tests.clients.test_ssh_signatures import pytestmark as keys

HOUR_US = 3_600_000_000


@pytest.fixture
def made(tmp_path: Path) -> ReleaseWorld:
    return ReleaseWorld(World(11, tmp_path), tmp_path)


def freeze(made: ReleaseWorld, *, hours: int, exempt: str = "") -> CalendarRule:
    """From now on, for so many hours."""
    now_us = made.world.clock.now_us()
    begins, ends = (datetime.fromtimestamp(at // 1_000_000, UTC) for at in (now_us, now_us + hours * HOUR_US))
    exemptions = (Exemption(exempt, "it is urgent", "ann", "2100-01-01 00:00"),) if exempt else ()
    form = "%Y-%m-%d %H:%M"
    return CalendarRule(
        "audit",
        PeriodKind.FREEZE,
        ("release",),
        begins=begins.strftime(form),
        ends=ends.strftime(form),
        exemptions=exemptions,
    )


def test_in_a_freeze_nothing_begins_and_nothing_is_written(made: ReleaseWorld) -> None:
    made.calendar = (freeze(made, hours=5),)
    head = made.history.git("rev-parse", "HEAD")
    with pytest.raises(RefusedError, match=r"quotes 0\.1\.0 is not released now") as refused:
        made.order()
    assert "release is frozen by 'audit' until" in refused.value.why
    assert made.history.git("rev-parse", "HEAD") == head
    made.world.clock.sleep(6 * 3600)
    assert made.released().status is ReleaseStatus.PUBLISHED


@keys
def test_an_exempted_version_begins_and_is_made_public_once_its_approver_has_signed(
    made: ReleaseWorld, tmp_path: Path
) -> None:
    made.calendar = (freeze(made, hours=5, exempt="quotes 0.1.0"),)
    key = new_key(tmp_path, "ann")
    made.approvers = (Approver("ann", ("operations",), public(key)),)
    refused = made.released()
    assert refused.status is ReleaseStatus.REFUSED
    assert "counts once ann has approved it" in bodies(made.world.store, "ReleaseRefused")[0]["reason"]
    assert made.registry.uploads == []
    approve(made, refused, key)
    assert made.released().status is ReleaseStatus.PUBLISHED


def approve(made: ReleaseWorld, release: Release, key: Path) -> None:
    """As `shipline approve` does."""
    now_us, ground = made.world.clock.now_us(), made.ground(made.world.store)
    about = (release.package, release.version, approval_digest(release))
    approval = Approval("ann", "operations", "release", *about, given_us=now_us)
    given = SignedApproval(approval, sign(statement(approval), key=key, namespace=NAMESPACE))
    check_approval(ground, release, given)
    with made.world.store.begin() as tx:
        record_approval(tx, ground, release, given)


def stop_at_the_registry(made: ReleaseWorld) -> None:
    """Begun, judged, and then the registry takes no credentials any more, for a while."""
    _, release = made.order()
    assert release is not None
    made.registry.faults.refuses = True
    made.settle()
    assert made.now(release).status is ReleaseStatus.STOPPED
    made.registry.faults.refuses = False


def train(made: ReleaseWorld) -> CalendarRule:
    """For an hour from now on, once."""
    return replace(freeze(made, hours=1), name="weekly", kind=PeriodKind.TRAIN)


def test_what_stopped_before_the_freeze_is_not_made_public_in_it(made: ReleaseWorld) -> None:
    """All of it is done again that may have changed, and after the freeze it goes on."""
    stop_at_the_registry(made)
    made.calendar = (freeze(made, hours=5),)
    refused = made.released()
    assert refused.status is ReleaseStatus.REFUSED
    assert "frozen by 'audit'" in bodies(made.world.store, "ReleaseRefused")[0]["reason"]
    assert made.registry.uploads == []
    made.world.clock.sleep(6 * 3600)
    assert made.released().status is ReleaseStatus.PUBLISHED


def test_what_stopped_on_its_train_goes_on_after_it(made: ReleaseWorld) -> None:
    made.calendar = (train(made),)
    made.silent = True
    assert made.released().status is ReleaseStatus.STOPPED
    made.world.clock.sleep(6 * 3600)
    made.silent = False
    assert made.released().status is ReleaseStatus.PUBLISHED


def test_a_gate_is_asked_anew_by_who_goes_on_later(made: ReleaseWorld) -> None:
    """It said PASS before the registry refused; the policy has changed since."""
    stop_at_the_registry(made)
    made.gates = (Gate("enough tests", "tests.total > 100"),)
    assert made.released().status is ReleaseStatus.REFUSED
    assert made.registry.uploads == []


def test_what_is_public_in_part_is_ended_in_a_freeze(made: ReleaseWorld) -> None:
    """Half a version helps nobody: the way forward is to finish it."""
    made.mirror.faults.fails_after_files = 0
    assert made.released().status is ReleaseStatus.STOPPED
    made.mirror.faults.fails_after_files = None
    made.calendar = (freeze(made, hours=5),)
    assert made.released().status is ReleaseStatus.PUBLISHED


@pytest.mark.parametrize("version", ["1.0.0-rc.1", "0.0.0-20261127-abcdef0"])
def test_what_is_not_final_waits_for_nothing(made: ReleaseWorld, version: str) -> None:
    made.calendar = (freeze(made, hours=5),)
    check_calendar(made.ground(made.world.store), Package("quotes", scheme="semver"), version)


def test_what_was_committed_while_it_was_open_goes_on(made: ReleaseWorld) -> None:
    made.calendar = (freeze(made, hours=5),)
    ground, package = made.ground(made.world.store), Package("quotes", scheme="semver")
    now_us = made.world.clock.now_us()
    check_calendar(ground, package, "1.0.0", committed_us=now_us - HOUR_US)
    with pytest.raises(RefusedError):
        check_calendar(ground, package, "1.0.0", committed_us=now_us + HOUR_US)
