"""`shipline plan`: what would be released, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.apps.cli.workspace import Workspace
    from shipline.domain.change import Change
    from shipline.domain.release_plan import PackagePlan, ReleasePlan

CHANGES_SHOWN_MAX = 20
CHANGESETS_SHOWN_MAX = 5
DETACHED = (
    "HEAD is detached: a release that needs a commit is refused here, as no branch would have it (git switch BRANCH)."
)


@click.command(name="plan")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON, schema shipline.plan/1.")
@click.option("--package", "name", metavar="NAME", help="Only this package.")
@click.option(
    "--channel", metavar="CHANNEL", help="Plan for this channel: rc, beta, snapshot ... or a line such as 1.x."
)
@click.option("--explain", "chains", is_flag=True, help="Show the chain of reasons through all packages instead.")
@click.pass_obj
def command(workspace: Workspace, *, as_json: bool, name: str | None, channel: str | None, chains: bool) -> None:
    """Show the next version of each package, and why, in the order of their releases. Changes nothing."""
    import gc

    # A long history becomes very many small objects, none of them in a circle: looking for circles costs a tenth.
    gc.disable()
    whole = workspace.plan(channel)
    if chains and not as_json:
        whole = _with_files(workspace, whole)
    plan = _only(_with_notes(workspace, whole), name)
    _say_uncommitted(workspace, plan.commit)
    if as_json:
        from shipline.apps.cli.wording import json_text
        from shipline.capabilities.plans import plan_document

        click.echo(json_text(plan_document(plan)))
        return
    blocks = [_chain(whole, package) if chains else _block(package) for package in plan.packages]
    notes = "".join(f"{_printable(note)}\n" for note in plan.notes)
    click.echo((f"{notes}\n" if notes else "") + "\n\n".join(blocks))


def _with_files(workspace: Workspace, plan: ReleasePlan) -> ReleasePlan:
    from shipline.capabilities.plans import known_packages, with_files

    packages = known_packages(workspace.repository, workspace.packages)
    return with_files(workspace.repository, plan, packages, workspace.monorepo.version_files)


def _say_uncommitted(workspace: Workspace, commit: str) -> None:
    """Say which changesets do not count yet; nothing is looked at where there is no folder of them."""
    if not (workspace.repository.root() / ".changeset").is_dir() or workspace.monorepo.source == "commits":
        return
    from shipline.capabilities.plans import uncommitted_changesets

    paths = uncommitted_changesets(workspace.repository, commit)
    if paths:
        shown = ", ".join(map(_printable, paths[:CHANGESETS_SHOWN_MAX]))
        more = f" and {len(paths) - CHANGESETS_SHOWN_MAX} more" if len(paths) > CHANGESETS_SHOWN_MAX else ""
        click.echo(f"These changesets do not count, since they are not committed as they are: {shown}{more}", err=True)


def _chain(whole: ReleasePlan, plan: PackagePlan) -> str:
    from shipline.capabilities.plans import explain

    steps = explain(whole, plan.name)
    return "\n".join([_headline(plan), *(f"{'  ' * (each.depth + 1)}{_printable(each.sentence)}" for each in steps)])


def _with_notes(workspace: Workspace, plan: ReleasePlan) -> ReleasePlan:
    """The plan with what its commit does not say: that nothing is released from here, or that something waits."""
    from dataclasses import replace

    notes = [DETACHED] if workspace.branch is None and any(one.releasable for one in plan.packages) else []
    idle = {one.name: one.current for one in plan.packages if not one.releasable}
    for package, (version, status) in (workspace.unfinished() if idle else {}).items():
        if idle.get(package) == version:
            notes.append(f"The release of {package} {version} is {status}: `shipline release` goes on with it.")
    return replace(plan, notes=(*plan.notes, *notes)) if notes else plan


def _only(plan: ReleasePlan, name: str | None) -> ReleasePlan:
    if name is None:
        return plan
    from dataclasses import replace

    from shipline.domain.package import unknown_package

    chosen = tuple(package for package in plan.packages if package.name == name)
    if not chosen:
        raise unknown_package(name, [package.name for package in plan.packages])
    return replace(plan, packages=chosen)


def _block(plan: PackagePlan) -> str:
    notable = [change for change in plan.changes if change.type]
    lines = [_headline(plan), *(f"  {reason}" for reason in plan.reasons)]
    if plan.releasable and notable:
        lines += ["", *(f"  {_row(change)}" for change in notable[:CHANGES_SHOWN_MAX])]
    if plan.releasable and len(notable) > CHANGES_SHOWN_MAX:
        lines.append(f"  ... and {len(notable) - CHANGES_SHOWN_MAX} more; --json has them all")
    return "\n".join(lines)


def _headline(plan: PackagePlan) -> str:
    name = click.style(plan.name, bold=True)
    if not plan.releasable:
        return f"{name}  {plan.current or 'unreleased'}  nothing to release"
    following = click.style(plan.next, fg="green", bold=True)
    return f"{name}  {plan.current or 'unreleased'} -> {following}  ({plan.bump.value}, tag {plan.tag})"


def _row(change: Change) -> str:
    kind = change.type + ("!" if change.breaking else "")
    scope = f"{change.scope}: " if change.scope else ""
    return f"{change.short:<7}  {kind:<9} {_printable(f'{scope}{change.description}')[:100]}"


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
