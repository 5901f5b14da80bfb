"""What the forge says about the token, and about the branch that releases are made from."""

from __future__ import annotations

from collections.abc import Iterator

from shipline.apps.cli.checks.check import Check, State, not_asked
from shipline.bootstrap import Application
from shipline.ports.forge import Capability, Forge, Known, Permission

STATES = {Known.YES: State.OK, Known.NO: State.WRONG, Known.UNKNOWN: State.WARNING}
WORDS = {
    Known.YES: "the token has what it takes",
    Known.NO: "the token lacks what it takes",
    Known.UNKNOWN: "the forge does not say whether the token has what it takes",
}


def forge(application: Application) -> Iterator[Check]:
    """One check for each capability, and one for the branch. Only what releases cannot do without can be wrong."""
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
    yield from map(_permission, asked.permissions())
    yield _branch(asked, application.settings.release.branch or main)


def _permission(permission: Permission) -> Check:
    state = STATES[permission.granted]
    if state is State.WRONG and permission.capability is not Capability.CONTENT:
        state = State.WARNING
    words = f"{WORDS[permission.granted]}: {permission.need}"
    return Check(f"forge: {permission.capability}", state, words, permission.todo if state is not State.OK else "")


def _branch(asked: Forge, name: str) -> Check:
    guard = asked.protection(name)
    words = "; ".join(guard.demands) or ("it is protected" if guard.protected else "it is not protected")
    if guard.may_push is Known.YES:
        return Check(f"forge: branch {name}", State.OK, f"the token may push to it; {words}")
    todo = "let the token's owner push there"
    said = "may not push to it" if guard.may_push is Known.NO else "may not be allowed to push to it"
    return Check(f"forge: branch {name}", State.WARNING, f"the token {said}; {words}", todo)
