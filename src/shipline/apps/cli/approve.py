"""`shipline approve`: a person's yes to a release, signed with the SSH key that they have already."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.person import local_person
from shipline.apps.cli.wording import printable
from shipline.domain.errors import RefusedError, ShiplineError, UnknownName, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.gate import Approver
    from shipline.domain.release import Release

DAY_US = 86_400_000_000
COMMENT_MAX = 500


@click.command(name="approve")
@click.argument("version")
@click.option("--stage", required=True, metavar="STAGE", help="`release`, or the environment that it may enter.")
@click.option("--role", metavar="ROLE", help="In which role; the only one that you have if it is only one.")
@click.option("--as", "name", metavar="NAME", help="Who you are among the approvers; default: whose key is given.")
@click.option("--key", type=click.Path(path_type=Path), help="The SSH key; default: git's user.signingkey.")
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="How long it holds.")
@click.option("--comment", default="", help="A word on why; kept in the log.")
@click.option("--plan", default="", metavar="DIGEST", help="What a rollout waits for: the plan of this digest alone.")
@click.option("--package", "package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option
    application: Application,
    *,
    version: str,
    stage: str,
    role: str | None,
    name: str | None,
    key: Path | None,
    days: int,
    comment: str,
    plan: str,
    package: str | None,
) -> None:
    """Approve VERSION for a stage. It holds for exactly what is there now, and nobody approves what they wrote."""
    from shipline.capabilities.gates import NAMESPACE, statement
    from shipline.capabilities.releases import SignedApproval, approval_digest, check_approval, record_approval
    from shipline.clients.ssh_signatures import sign
    from shipline.domain.gate import Approval

    check_stage(application, stage)
    if plan and not re.fullmatch(r"sha256:[0-9a-f]{64}", plan):
        raise UsageError(f"{plan[:80]!r} is no digest of a plan", todo="`shipline rollout show` names the plan")
    release = chosen_release(application, version, package)
    chosen = key if key is not None else signing_key(application)
    approver = approver_of(application, name, chosen)
    now_us = application.clock.now_us()
    approval = Approval(
        approver=approver.name,
        role=_role(approver, role),
        stage=stage,
        package=release.package,
        version=release.version,
        digest=plan or approval_digest(release),
        given_us=now_us,
        expires_us=now_us + days * DAY_US,
        comment=comment.strip()[:COMMENT_MAX],
    )
    ground = application.release_ground
    given = SignedApproval(approval, sign(statement(approval), key=chosen, namespace=NAMESPACE))
    check_approval(ground, release, given, plan=plan)
    with application.store.begin() as tx:
        record_approval(tx, ground, release, given)
    what = f"the plan {plan} of " if plan else ""
    what += f"{release.package} {release.version}"
    click.echo(f"{approver.name} approves {what} for {stage} as {approval.role}, for {days} days", err=True)
    if not plan:
        _judge_anew(application, release)


def _judge_anew(application: Application, release: Release) -> None:
    """Ask its gates again, so that what has waited for this yes alone goes on. It is kept, whatever comes of that."""
    from shipline.apps.cli.judged import tell_reevaluated
    from shipline.capabilities.releases import reevaluate

    try:
        found = reevaluate(application.release_ground, lambda: application.engine, release, local_person())
    except ShiplineError as error:
        click.echo(printable(f"its gates cannot be asked now: {error.diagnosis()}"), err=True)
        return
    tell_reevaluated(found, err=True)


def check_stage(application: Application, stage: str) -> None:
    """UnknownName, with those that there are, for a stage that there is not."""
    known = ("release", *(one.name for one in application.policy.environments))
    if stage not in known:
        raise UnknownName(f"there is no stage {stage[:60]!r}", todo="known ones: " + ", ".join(known))


def chosen_release(application: Application, version: str, package: str | None) -> Release:
    """The release of a version, whatever has become of it. UnknownName where there is none, UsageError for several."""
    from shipline.capabilities.releases import matching_releases

    with application.store.begin() as tx:
        found = matching_releases(tx, version=version, package=package)
    if not found:
        raise UnknownName(
            f"there is no release {version[:60]!r}", todo="`shipline releases` lists those that there are"
        )
    if len({release.package for release in found}) > 1:
        raise UsageError("say which package", todo="--package NAME")
    return found[0]


def signing_key(application: Application) -> Path:
    """Git's `user.signingkey`, where that is a file."""
    from shipline.clients.git_command import GitCommand

    asked = ("config", "--default", "", "--get", "user.signingkey")
    found = GitCommand(application.root).run("read user.signingkey", *asked).decode("utf-8", "replace").strip()
    if not found or found.startswith(("key::", "ssh-")) or not Path(found).expanduser().is_file():
        raise UsageError("say with which key you sign", todo="--key ~/.ssh/id_ed25519")
    return Path(found).expanduser()


def approver_of(application: Application, name: str | None, key: Path) -> Approver:
    """The approver of this name, or whose key that is. RefusedError for somebody else."""
    from shipline.clients.ssh_signatures import checked_public_key

    known = application.policy.approvers
    if name is not None:
        found = [one for one in known if one.name == name]
    else:
        public = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
        mine = checked_public_key(public.read_text("utf-8", "replace")[:4000]) if public.is_file() else ""
        found = [one for one in known if checked_public_key(one.key) == mine]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in known) or "none"
    raise RefusedError(
        f"{name[:60]!r} is no approver" if name is not None else f"{key.name} is the key of no approver",
        why=f"approvers are read from {application.policy.source}",
        todo=f"known ones: {names}; another needs an [[approver]] there",
    )


def _role(approver: Approver, role: str | None) -> str:
    if role is None and len(approver.roles) == 1:
        return approver.roles[0]
    if role is None or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,60}", role):
        raise UsageError("say in which role you approve", todo="--role, one of: " + ", ".join(approver.roles))
    return role
