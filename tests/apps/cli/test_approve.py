"""`shipline approve`, from the gate that asks for it to the deployment that it lets through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli import approve
from shipline.apps.cli.rollouts import order_deployment, order_rollback
from shipline.bootstrap import Application
from shipline.capabilities.releases import (
    EVIDENCE,
    RELEASES,
    approvals_of,
    count_approvals,
    evidence_of,
    record_approval,
    verdicts_of,
)
from shipline.capabilities.releases.queries import VERDICTS
from shipline.capabilities.rollouts import DEPLOYMENTS, ROLLOUTS
from shipline.domain.artifact import Artifact
from shipline.domain.deployment import Deployment
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnknownName, UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout, RolloutPurpose, RolloutStatus
from shipline.domain.verdict import Answer, Verdict
from shipline.store.log import read_latest
from shipline.testing.histories import History
from tests.apps.cli.test_rollouts import CONFIGURATION
from tests.clients.test_ssh_signatures import new_key, public, pytestmark  # noqa: F401 - it needs ssh-keygen, too
from tests.secret_shapes import LEAKS, leaked

GATE = """
[[gate]]
name = "two eyes"
stage = "production"
rule = "true"
approvals = { security = 1 }
"""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("ann", "ben"):
        new_key(folder, name)
    return folder


@pytest.fixture
def application(tmp_path: Path, keys: Path) -> Iterator[Application]:
    history = History(tmp_path / "project")
    commit = history.commit("feat: say something", {"a": "1"})
    approvers = f"""
[[approver]]
name = "ann"
roles = ["security", "product"]
key = "{public(keys / "ann").strip()}"

[[approver]]
name = "ben"
roles = ["security"]
key = "{public(keys / "ben").strip()}"
emails = ["{history.git("log", "-1", "--format=%ae")}"]
"""
    (history.folder / "shipline.toml").write_text(CONFIGURATION + GATE + approvers)
    made = Application(history.folder)
    release = Release("rel_1", "quotes", "1.0.0", "v1.0.0", ReleaseStatus.PUBLISHED, 1, 1, commit=commit)
    with made.store.begin() as tx:
        RELEASES.save(
            tx, replace(release, artifacts=(Artifact("quotes-1.0.0.tar.gz", "sdist", "sha256:" + "a" * 64, 10),))
        )
    yield made
    made.store.close()


def say_yes(application: Application, key: Path, *more: str) -> str:
    """What is told of it."""
    arguments = ["1.0.0", "--stage", "production", "--key", str(key), *more]
    return CliRunner().invoke(approve.command, arguments, obj=application, catch_exceptions=False).stderr


def test_gates_that_were_asked_before_are_asked_anew_at_once(application: Application, keys: Path) -> None:
    with application.store.begin() as tx:
        said = Verdict("two eyes", Answer.UNKNOWN, ("nobody of this role has approved",), 1, {})
        VERDICTS.save(tx, said, row_id="ver_1", release_id="rel_1", stage="production")
    told = say_yes(application, keys / "ann", "--role", "security")
    assert "production: PASS two eyes (was another)" in told
    with application.store.begin() as tx:
        assert verdicts_of(tx, "rel_1")[-1].answer is Answer.PASS


def test_without_a_yes_it_is_refused_and_with_one_it_goes_through(application: Application, keys: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        order_deployment(application, "1.0.0", None, None)
    assert "two eyes says UNKNOWN" in refused.value.why
    say_yes(application, keys / "ann", "--role", "security", "--comment", "looked at it")
    assert order_deployment(application, "1.0.0", None, None).version == "1.0.0"
    events = [each.event for each in read_latest(application.store, 20, "release:rel_1")]
    (approved,) = [event for event in events if event.kind == "ReleaseApproved"]
    assert (approved.body["approver"], approved.body["comment"]) == ("ann", "looked at it")


def served(application: Application, version: str, purpose: RolloutPurpose) -> None:
    """On record: it served all of production once, and does no more if it is 1.0.0."""
    rollout = Rollout(
        id=f"rol_{version}",
        environment="production",
        package="quotes",
        version=version,
        status=RolloutStatus.PROMOTED,
        strategy="all-at-once",
        weight=1.0,
        started_us=1,
        purpose=purpose,
    )
    ended_us = 3 if version == "1.0.0" else None
    deployment = Deployment(f"dep_{version}", "production", "quotes", version, rollout.id, 1, None, 2, ended_us)
    with application.store.begin() as tx:
        ROLLOUTS.save(tx, rollout)
        DEPLOYMENTS.save(tx, deployment)


@pytest.mark.parametrize("purpose", [RolloutPurpose.RELEASE, RolloutPurpose.ADOPTION])
def test_the_way_back_to_what_has_served_needs_no_yes_that_has_expired(
    application: Application, purpose: RolloutPurpose
) -> None:
    """Its gates were open when it came there. What somebody brought there by hand never passed them."""
    with application.store.begin() as tx:
        RELEASES.save(tx, Release("rel_2", "quotes", "1.1.0", "v1.1.0", ReleaseStatus.PUBLISHED, 1, 2))
    served(application, "1.0.0", purpose)
    served(application, "1.1.0", RolloutPurpose.RELEASE)
    if purpose is RolloutPurpose.ADOPTION:
        with pytest.raises(RefusedError, match="may not enter production"):
            order_rollback(application, None, None)
        return
    rollout = order_rollback(application, None, None)
    assert rollout.version == "1.0.0"
    refusal, save = application.rollout_ground(application.environment("production")).check_gates(rollout)
    assert refusal == ""
    with application.store.begin() as tx:
        save(tx)
        (verdict,) = [one for one in verdicts_of(tx, "rel_1") if one.gate == "two eyes"]
    assert verdict.answer is Answer.UNKNOWN  # It is on record that nobody has said yes.


def test_who_wrote_only_the_release_before_may_approve_this_one(application: Application, keys: Path) -> None:
    """The tag of the release before is where the own commits end."""
    repository = History(application.root)
    repository.git("tag", "v1.0.0")
    repository.git("config", "user.email", "carl@example.org")
    commit = repository.commit("fix: say it better", {"a": "2"})
    release = Release("rel_2", "project", "1.0.1", "v1.0.1", ReleaseStatus.PUBLISHED, 1, 2, "1.0.0", commit=commit)
    with application.store.begin() as tx:
        RELEASES.save(tx, release)
    arguments = ["1.0.1", "--stage", "production", "--key", str(keys / "ben")]
    result = CliRunner().invoke(approve.command, arguments, obj=application, catch_exceptions=False)
    assert result.exit_code == 0


@pytest.mark.parametrize("line", ["Co-authored-by: Ben <ANN@example.com>", "  CO-AUTHORED-BY: ann@example.com"])
def test_nobody_approves_what_they_wrote_together_with_its_author(
    application: Application, keys: Path, line: str
) -> None:
    """As a squash names them, also where git would see no trailer."""
    repository = History(application.root)
    repository.git("tag", "v1.0.0")
    repository.git("config", "user.email", "carl@example.org")
    commit = repository.commit(f"fix: say it better (#7)\n\n{line}\n\n* More.", {"a": "2"})
    release = Release("rel_2", "project", "1.0.1", "v1.0.1", ReleaseStatus.PUBLISHED, 1, 2, "1.0.0", commit=commit)
    with application.store.begin() as tx:
        RELEASES.save(tx, release)
    arguments = ["1.0.1", "--stage", "production", "--key", str(keys / "ben")]
    with pytest.raises(RefusedError) as refused:
        CliRunner().invoke(approve.command, arguments, obj=application, catch_exceptions=False)
    assert refused.value.why == "ben has written a part of it"


@pytest.mark.parametrize(
    ("mail", "message", "mailmap"),
    [
        ("ann@example.com", "fix: mine", "Dan <dan@example.org> <ann@example.com>"),
        ("ann@home.example", "fix: mine", "Ann <ann@example.com> <ann@home.example>"),
        ("ann@home.example", "fix: mine", "Ann <ann@example.com> A <ann@home.example>"),
        ("dan@example.org", "fix: ours\n\nCo-authored-by: Ann <ann@example.com>", "D <d@b> <ann@example.com>"),
        (
            "dan@example.org",
            "fix: ours\n\nCo-authored-by: A <ann@home.example>",
            "<ann@example.com> <ann@home.example>",
        ),
    ],
)
def test_no_mailmap_makes_a_part_of_a_release_somebody_else_s(
    application: Application, keys: Path, mail: str, message: str, mailmap: str
) -> None:
    """What the commits say counts, and so does what a mailmap makes of it: ben has no other address in the settings."""
    repository = History(application.root)
    repository.git("tag", "v1.0.0")
    repository.git("config", "user.name", "A")
    repository.git("config", "user.email", mail)
    repository.commit(message, {"a": "2"})
    repository.git("config", "user.email", "carl@example.org")
    commit = repository.commit("chore: who is who", {".mailmap": f"{mailmap}\n"})
    release = Release("rel_2", "project", "1.0.1", "v1.0.1", ReleaseStatus.PUBLISHED, 1, 2, "1.0.0", commit=commit)
    with application.store.begin() as tx:
        RELEASES.save(tx, release)
    arguments = ["1.0.1", "--stage", "production", "--key", str(keys / "ben")]
    with pytest.raises(RefusedError) as refused:
        CliRunner().invoke(approve.command, arguments, obj=application, catch_exceptions=False)
    assert refused.value.why == "ben has written a part of it"


def test_in_a_shallow_clone_nobody_approves(application: Application, keys: Path) -> None:
    """Their own commits may be among those that are cut off."""
    repository = History(application.root)
    repository.git("config", "user.email", "carl@example.org")
    repository.commit("fix: say it better", {"a": "2"})
    (application.root / ".git" / "shallow").write_text(f"{repository.git('rev-parse', 'HEAD')}\n")
    release = Release("rel_2", "project", "1.0.1", "v1.0.1", ReleaseStatus.PUBLISHED, 1, 2, "1.0.0")
    with application.store.begin() as tx:
        RELEASES.save(tx, replace(release, commit=repository.git("rev-parse", "HEAD")))
    arguments = ["1.0.1", "--stage", "production", "--key", str(keys / "ben")]
    with pytest.raises(ShiplineError, match="shallow clone"):
        CliRunner().invoke(approve.command, arguments, obj=application, catch_exceptions=False)


def test_the_key_that_git_signs_with_is_taken(application: Application, keys: Path) -> None:
    History(application.root).git("config", "user.signingkey", str(keys / "ann"))
    arguments = ["1.0.0", "--stage", "production", "--role", "security"]
    assert CliRunner().invoke(approve.command, arguments, obj=application, catch_exceptions=False).exit_code == 0


def test_a_yes_in_another_role_is_not_enough(application: Application, keys: Path) -> None:
    say_yes(application, keys / "ann", "--role", "product")
    with pytest.raises(RefusedError):
        order_deployment(application, "1.0.0", None, None)


def test_nobody_approves_what_they_wrote(application: Application, keys: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        say_yes(application, keys / "ben")
    assert refused.value.why == "ben has written a part of it"


def test_a_yes_in_another_name_is_refused(application: Application, keys: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        say_yes(application, keys / "ben", "--as", "ann", "--role", "security")
    assert refused.value.why == "it is not signed with ann's key"


def test_a_key_of_nobody_is_named(application: Application, keys: Path) -> None:
    with pytest.raises(RefusedError, match="eve is the key of no approver"):
        say_yes(application, new_key(keys, "eve"))


def test_when_what_was_approved_changes_it_is_asked_again(application: Application, keys: Path) -> None:
    say_yes(application, keys / "ann", "--role", "security")
    with application.store.begin() as tx:
        release = RELEASES.find(tx, "rel_1")
        assert release is not None
        other = replace(release.artifacts[0], digest="sha256:" + "b" * 64)
        RELEASES.save(tx, replace(release, artifacts=(other,)))
    with pytest.raises(RefusedError, match="may not enter production"):
        order_deployment(application, "1.0.0", None, None)


def test_a_row_that_somebody_wrote_into_the_store_counts_for_nothing(application: Application, keys: Path) -> None:
    """Each time it is the signature that is asked, and not whoever took it in."""
    say_yes(application, keys / "ann", "--role", "product")
    with application.store.begin() as tx:
        (piece,) = evidence_of(tx, "rel_1")
        forged = piece.summary["statement"].replace('"role":"product"', '"role":"security"')
        EVIDENCE.save(tx, replace(piece, summary=piece.summary | {"statement": forged}))
    with pytest.raises(RefusedError, match="may not enter production"):
        order_deployment(application, "1.0.0", None, None)


def test_two_of_the_same_person_are_kept_and_are_one_person(application: Application, keys: Path) -> None:
    for _ in range(2):
        say_yes(application, keys / "ann", "--role", "security")
    with application.store.begin() as tx:
        pieces = evidence_of(tx, "rel_1")
        release = RELEASES.find(tx, "rel_1")
    assert len(pieces) == 2
    assert release is not None
    ground = application.release_ground
    with application.store.begin() as tx:
        assert record_approval(tx, ground, release, approvals_of(pieces)[0]) == pieces[0], "the very same is kept once"
    assert count_approvals(ground, release, "production", pieces, pieces[0].created_us) == {"security": 1}


def test_an_unknown_stage_version_or_role_is_named(application: Application, keys: Path) -> None:
    for arguments, words in (
        (["1.0.0", "--stage", "prod"], "there is no stage 'prod'"),
        (["9.9.9", "--stage", "production"], "there is no release '9.9.9'"),
        (["1.0.0", "--stage", "production", "--key", str(keys / "ann")], "in which role"),
    ):
        with pytest.raises((UnknownName, UsageError), match=words):
            CliRunner().invoke(approve.command, arguments, obj=application, catch_exceptions=False)


def test_a_key_that_is_none_stops_the_settings(tmp_path: Path) -> None:
    (tmp_path / "shipline.toml").write_text('[[approver]]\nname = "ann"\nroles = ["security"]\nkey = "mine"\n')
    with pytest.raises(ConfigurationError, match="the approver 'ann' has no key that is one"):
        _ = Application(tmp_path).store


def test_a_comment_with_a_secret_is_refused_since_what_is_signed_cannot_be_masked(
    application: Application, keys: Path
) -> None:
    """And the refusal does not repeat it."""
    for leak in LEAKS[:3]:
        with pytest.raises(RefusedError, match="looks like a secret") as refused:
            say_yes(application, keys / "ann", "--role", "security", "--comment", leak.text)
        assert leaked(refused.value.diagnosis()) == []
    with application.store.begin() as tx:
        assert evidence_of(tx, "rel_1") == ()
