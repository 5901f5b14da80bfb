"""All checks, in the order in which trouble is best mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shipline.apps.cli.checks.check import Check, State, wrong
from shipline.apps.cli.checks.forge import forge
from shipline.apps.cli.checks.machine import environments, git, programs
from shipline.apps.cli.checks.project import plan, policy, registry, repository, settings
from shipline.apps.cli.checks.record import engine, store
from shipline.apps.cli.checks.secrets import secrets
from shipline.bootstrap import Application
from shipline.domain.errors import ShiplineError

Part = Callable[[Application], Iterator[Check]]
ALWAYS: tuple[tuple[str, Part], ...] = (("git", git), ("repository", repository))
BY_SETTINGS: tuple[tuple[str, Part], ...] = (
    ("policy", policy),
    ("plan", plan),
    ("programs", programs),
    ("store", store),
    ("engine", engine),
    ("registry", registry),
    ("forge", forge),
    ("environments", environments),
    ("secrets", secrets),
)


def examine(application: Application) -> Iterator[Check]:
    """Every check that the settings call for; where these are wrong, what does not depend on them."""
    found = list(_guarded(application, "settings", settings))
    right = all(check.state is not State.WRONG for check in found)
    for name, part in ALWAYS:
        yield from _guarded(application, name, part)
    yield from found
    for name, part in BY_SETTINGS if right else ():
        yield from _guarded(application, name, part)


def _guarded(application: Application, name: str, part: Part) -> Iterator[Check]:
    """A part's checks; what stops it is a finding as well."""
    try:
        yield from part(application)
    except ShiplineError as error:
        yield wrong(name, error)
    except OSError as error:
        yield Check(name, State.WRONG, f"{error.filename or 'something'} cannot be used: {error.strerror}")
