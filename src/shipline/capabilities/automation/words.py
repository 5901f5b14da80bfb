"""What a comment asks for: pure, and strict.

The first line alone is read, and all of it has to be the command: whoever quotes one, shows one as code, or writes
about one, writes something before it. What is not exactly a command is none; a command that is written wrongly is told
so, and nothing of it is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    """What can be asked for in a comment."""

    RELEASE = "release"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    HOTFIX = "hotfix"
    APPROVE = "approve"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"


USAGE = {
    Verb.RELEASE: "/release [VERSION] [--package NAME] [--dry-run]",
    Verb.PROMOTE: "/promote ENVIRONMENT [--package NAME] [--dry-run]",
    Verb.ROLLBACK: "/rollback [ENVIRONMENT] [VERSION] [--dry-run]",
    Verb.HOTFIX: "/hotfix [ENVIRONMENT] [VERSION] [--package NAME] [--dry-run]",
    Verb.APPROVE: "/approve [ENVIRONMENT] [--dry-run]",
    Verb.FREEZE: "/freeze ENVIRONMENT UNTIL [--dry-run] --reason TEXT",
    Verb.UNFREEZE: "/unfreeze [ENVIRONMENT] [--dry-run]",
}
LINE_MAX = 300
WORDS_MAX = 8
_COMMAND = re.compile(r"/(?:shipline +)?(" + "|".join(Verb) + r")((?: +[!-~]+)*) *")
_VALUE = re.compile(r"[A-Za-z0-9@][A-Za-z0-9._+/@-]{0,99}")
_UNTIL = re.compile(r"[0-9][0-9TZ:dhimn-]{0,20}")
_VERSION = re.compile(r"v?[0-9].*")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command. `environment`, `version` and `package` are None where they are not said. `dry_run`: only tell.

    Of a freeze `environment` is the stage, `until` how long or until when, as `shipline freeze` takes it, and `reason`
    why; None and "" for all others.
    """

    verb: Verb
    environment: str | None = None
    version: str | None = None
    package: str | None = None
    dry_run: bool = False
    until: str | None = None
    reason: str = ""

    @property
    def line(self) -> str:
        """It in one line, as it could have been written."""
        package = ("--package", self.package) if self.package is not None else ()
        places = (self.environment, self.version, self.until)
        why = ("--reason", self.reason) if self.reason else ()
        said = (f"/{self.verb}", *places, *package, "--dry-run" if self.dry_run else None, *why)
        return " ".join(word for word in said if word is not None)


@dataclass(frozen=True, slots=True)
class Misspoken:
    """A command that is written wrongly, and `why`."""

    verb: Verb
    why: str


def read_command(text: str) -> Spoken | Misspoken | None:
    """The command that a comment begins with; None where it begins with none."""
    line = text.partition("\n")[0].removesuffix("\r")
    found = _COMMAND.fullmatch(line) if len(line) <= LINE_MAX else None
    if found is None:
        return None
    verb, words = Verb(found[1]), found[2].split()
    try:
        return _read(verb, words)
    except ValueError as error:
        return Misspoken(verb, str(error))


def _read(verb: Verb, words: list[str]) -> Spoken:
    """ValueError, in words for people, for what the verb does not take."""
    reason = ""
    if "--reason" in USAGE[verb] and "--reason" in words:  # All the rest of the line.
        here = words.index("--reason")
        words, reason = words[:here], " ".join(words[here + 1 :])
    if len(words) > WORDS_MAX:
        raise ValueError("there are too many words")
    plain: list[str] = []
    package, dry_run = None, False
    rest = iter(words)
    for word in rest:
        if word == "--dry-run":
            dry_run = True
        elif word == "--package" and "--package" in USAGE[verb] and package is None:
            package = _value(next(rest, ""))
        else:
            plain.append(word if verb is Verb.FREEZE and _UNTIL.fullmatch(word) else _value(word))
    if verb is Verb.FREEZE:
        if len(plain) != 2 or not reason:
            raise ValueError("it needs what is frozen, until when, and `--reason` with why, in this order")
        return Spoken(verb, plain[0], dry_run=dry_run, until=plain[1], reason=reason)
    return Spoken(verb, *_places(verb, plain), package, dry_run)


def _value(word: str) -> str:
    if not _VALUE.fullmatch(word):
        raise ValueError(f"`{word[:40].replace('`', '')}` is not understood")
    return word


def _places(verb: Verb, plain: list[str]) -> tuple[str | None, str | None]:
    """Environment and version. A word that begins like a version is one, but where an environment must stand."""
    takes_environment, takes_version = "ENVIRONMENT" in USAGE[verb], "VERSION" in USAGE[verb]
    environment = version = None
    left = list(plain)
    if left and takes_environment and not (takes_version and len(left) == 1 and _VERSION.fullmatch(left[0])):
        environment = left.pop(0)
    if left and takes_version:
        version = left.pop(0)
        if not _VERSION.fullmatch(version):
            raise ValueError(f"`{version}` is no version")
    if left:
        raise ValueError(f"`{left[0]}` is one word too many")
    if environment is None and verb is Verb.PROMOTE:
        raise ValueError("it needs an environment")
    return environment, None if version is None else version.removeprefix("v")
