"""A framework of controls, and its file: TOML, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipline.capabilities.gates.cel import compile_rule
from shipline.domain.codec import from_json
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.evidence import EvidenceKind
from shipline.domain.strict_toml import read_toml

FRAMEWORK_BYTES_MAX = 256 * 1024
CONTROLS_MAX = 500
TEXT_MAX = 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that a framework asks for.

    `id` is the framework's own name for it. All that is given must hold: `rule`, CEL over the facts of the stage
    `release`; `evidence`, kinds of which there must be a piece; `gates`, whose last answer must be PASS; `events`,
    kinds that must be in the release's log; `approvers`, how many people must have approved it. `published`: it can be
    kept only once the release is public, so its gate does not wait for it. `todo` says how to come to it.
    `organisational` says why nothing about a release shows it, and stands alone.
    """

    id: str
    title: str
    rule: str = ""
    evidence: tuple[EvidenceKind, ...] = ()
    gates: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    approvers: int = 0
    published: bool = False
    todo: str = ""
    organisational: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether anything about a release can show it."""
        return bool(self.rule or self.evidence or self.gates or self.events or self.approvers)


@dataclass(frozen=True, slots=True)
class Framework:
    """Controls that belong together. `name` is unique in a project; `source` is where their text stands."""

    name: str
    title: str
    source: str
    control: tuple[Control, ...]
    schema: int = 1


def read_framework(data: bytes, *, where: str) -> Framework:
    """The framework in a file; `where` names that. ConfigurationError for anything that is not right, misspelt facts
    and kinds included, and for a framework of which nothing can be shown: it would let everything pass."""
    if len(data) > FRAMEWORK_BYTES_MAX:
        raise ConfigurationError(f"{where} is larger than {FRAMEWORK_BYTES_MAX} bytes")
    try:
        framework = from_json(Framework, read_toml(data.decode("utf-8")))
    except InvalidValue as error:
        raise ConfigurationError(f"{where}: {error.what}", why=error.why, todo=error.todo) from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{where} is not TOML", why=str(error)[:200]) from None
    for complaint in _complaints(framework):
        raise ConfigurationError(f"{where}: {complaint}", todo="docs/how-to/show-compliance.md describes the file")
    for control in framework.control:
        _check_rule(control, where)
    return framework


def _complaints(framework: Framework) -> list[str]:
    controls = framework.control
    ids = [control.id for control in controls]
    found = []
    if framework.schema != 1:
        found.append(f"its schema is {framework.schema}, and 1 is the one that is known")
    if not _NAME.fullmatch(framework.name):
        found.append("its name has 1 to 40 of a-z, 0-9 and -")
    if not 1 <= len(controls) <= CONTROLS_MAX:
        found.append(f"it has 1 to {CONTROLS_MAX} [[control]] tables")
    elif not any(control.is_shown for control in controls):
        found.append("nothing about a release can show any of its controls")
    found += [f"two controls have the id {one[:60]!r}" for one in dict.fromkeys(ids) if ids.count(one) > 1]
    for control in controls:
        found += [f"the control {control.id[:60]!r} {words}" for words in _trouble(control)]
    return found


def _trouble(control: Control) -> list[str]:
    texts = (control.id, control.title, control.todo, control.organisational, *control.gates, *control.events)
    found = []
    if not (control.id.strip() and control.title.strip()):
        found.append("needs an id and a title")
    if any(len(text) > TEXT_MAX or not text.isprintable() for text in texts):
        found.append(f"has a text of more than {TEXT_MAX} characters, or of more than one line")
    if control.is_shown and control.organisational:
        found.append("is organisational, and yet names what would show it")
    if not control.is_shown and not control.organisational:
        found.append("names nothing that would show it; say in `organisational` why nothing can")
    if not 0 <= control.approvers <= 100:
        found.append("wants 0 to 100 approvers")
    return found


def _check_rule(control: Control, where: str) -> None:
    if not control.rule:
        return
    try:
        compile_rule(control.rule)
    except ConfigurationError as error:
        what = f"{where}, control {control.id[:60]!r}: {error.what}"
        raise ConfigurationError(what, why=error.why, todo=error.todo) from None
