"""What the forge says about the token, and about the branch that releases are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from shipline.apps.cli.checks.check import Check, State, not_asked
from shipline.bootstrap import Application
from shipline.bootstrap.forge_needs import WORKS, Work, missing, needs_of
from shipline.ports.forge import Capability, Forge, Known, Permission
from shipline.ports.forge.speakers import Role

if TYPE_CHECKING:
    from shipline.configuration import Settings

COMMANDS = "forge: who asks in comments"
STATES = {Known.YES: State.OK, Known.NO: State.WRONG, Known.UNKNOWN: State.WARNING}
WORDS = {
    Known.YES: "the token has what it takes",
    Known.NO: "the token lacks what it takes",
    Known.UNKNOWN: "the forge does not say whether the token has what it takes",
}


def forge(application: Application) -> Iterator[Check]:
    """One check for each capability, for each work that takes some, and for the branch.

    Only what releases cannot do without can be wrong.
    """
    if not application.policy.knows("forge", application.settings.forge):
        yield not_asked("forge", application.policy)
        return
    asked = application.forge
    if asked is None:
        yield Check("forge", State.OK, "none is configured: releases are shown nowhere")
        return
    main = asked.default_branch()
    lacks = "; ".join(asked.lacks())
    yield Check("forge", State.OK, f"it answers, and its main branch is {main}" + (f"; {lacks}" if lacks else ""))
    permissions = asked.permissions()
    yield from map(_permission, permissions)
    settings = application.policy.trusted or application.settings
    yield from (_work(work, settings, permissions) for work in WORKS)
    if any(asdict(settings.automation.commands).values()):
        yield speakers(asked, application.settings.forge)
    yield _branch(asked, application.settings.release.branch or main)


def speakers(asked: Forge, table: dict[str, Any]) -> Check:
    """Whether the token may ask what others may do, and is known from them: without that no comment is obeyed."""
    kind, account = str(table.get("provider", "")), asked.account()
    if account == "" and kind != "github":
        todo = "let the token read its own user (`read:user`)"
        return Check(COMMANDS, State.WARNING, "the forge does not say whose token it is: no comment is obeyed", todo)
    # Everybody may ask about themselves; GitLab knows groups as no users.
    owner = str(table.get("repository", "")).partition("/")[0]
    probe = account if kind == "gitlab" else owner or account
    if asked.speaker(probe).role is Role.UNKNOWN:
        todo = "see docs/reference/forges.md for the role that the token's account needs"
        return Check(COMMANDS, State.WARNING, "the token may not ask what accounts may do: no comment is obeyed", todo)
    return Check(COMMANDS, State.OK, "the token may ask what who comments may do")


def _permission(permission: Permission) -> Check:
    state = STATES[permission.granted]
    if state is State.WRONG and permission.capability is not Capability.CONTENT:
        state = State.WARNING
    words = f"{WORDS[permission.granted]}: {permission.need}"
    return Check(f"forge: {permission.capability}", state, words, permission.todo if state is not State.OK else "")


def _work(work: Work, settings: Settings, permissions: Iterable[Permission]) -> Check:
    """What is switched on and cannot be done is a warning; what is off says what it would take."""
    needs, is_on = needs_of(work, settings), work.is_on(settings)
    granted, of = missing(needs, permissions)
    words = f"{'on' if is_on else 'off'}; it takes {'; '.join(needs)}: {WORDS[granted]}"
    if granted is not Known.YES:
        words += f" ({'; '.join(dict.fromkeys(each.need for each in of))})"
    state = State.OK if granted is Known.YES or not is_on else State.WARNING
    todo = "; ".join(dict.fromkeys(each.todo for each in of)) if state is not State.OK else ""
    return Check(f"forge: for {work.name}", state, words, todo)


def _branch(asked: Forge, name: str) -> Check:
    guard = asked.protection(name)
    words = "; ".join(guard.demands) or ("it is protected" if guard.protected else "it is not protected")
    if guard.may_push is Known.YES:
        return Check(f"forge: branch {name}", State.OK, f"the token may push to it; {words}")
    todo = "let the token's owner push there"
    said = "may not push to it" if guard.may_push is Known.NO else "may not be allowed to push to it"
    return Check(f"forge: branch {name}", State.WARNING, f"the token {said}; {words}", todo)
