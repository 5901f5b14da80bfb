"""The one family of errors that a user may see, each with an exit code and a diagnosis in the user's words."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a `shipline` process ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOTHING_TO_DO = 4


class ShiplineError(Exception):
    """Base of every error that Shipline raises on purpose.

    `what` says what happened, `why` the cause where it is known, `todo` what the user can do.
    None of the three may hold a secret; what looks like one is masked. `retryable` is decided where the error is
    raised: the same call may succeed later without anybody changing anything.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, what: str, *, why: str = "", todo: str = "", retryable: bool = False) -> None:
        from shipline.domain.secrecy import redacted  # noqa: PLC0415 - its patterns cost more than a command's help

        self.what, self.why, self.todo = redacted(what), redacted(why), redacted(todo)
        super().__init__(self.what)
        self.retryable = retryable

    def diagnosis(self) -> str:
        """The error for people: what happened, why, what to do; one sentence a line."""
        lines = [self.what]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.todo:
            lines.append(f"  do:  {self.todo}")
        return "\n".join(lines)

    def sentence(self) -> str:
        """What happened and why, in one line: for records of what somebody waited for."""
        return f"{self.what}: {self.why}" if self.why else self.what


class UsageError(ShiplineError):
    """The command, its options or the configuration cannot be understood."""

    exit_code = ExitCode.USAGE


class ConfigurationError(UsageError):
    """`shipline.toml` (or a setting in the environment) is not valid; nothing was done."""


class InvalidValue(UsageError):
    """Input from outside is not of the shape that it must have."""


class UnknownName(ShiplineError):
    """The command is well formed, and what it is about is not there: an environment, a release, a rollout."""


class RefusedError(ShiplineError):
    """A gate, a freeze, a permission or an invariant says no; a person may change that."""

    exit_code = ExitCode.REFUSED


class NothingToDo(ShiplineError):
    """The command is right, and there is nothing for it to do."""

    exit_code = ExitCode.NOTHING_TO_DO


class IllegalTransition(ShiplineError):
    """A noun was asked to move to a state that it cannot reach from where it is. Names both."""

    def __init__(self, noun: str, source: str, target: str) -> None:
        super().__init__(f"a {noun} cannot go from {source} to {target}")


class MissingProgram(ShiplineError):
    """A program that is needed is not installed. Names the package that brings it."""

    def __init__(self, program: str, *, package: str) -> None:
        super().__init__(
            f"the program {program!r} is not installed",
            todo=f"install the package {package!r} (Debian, Ubuntu: apt-get install {package}), then run this again",
        )
        self.program = program


class ConflictError(ShiplineError):
    """Something outside exists already with other content: a tag elsewhere, other bytes under the same version."""


class UnavailableError(ShiplineError):
    """A remote party cannot be reached or answers with trouble of its own; the same call may succeed later."""

    def __init__(self, what: str, *, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo, retryable=True)
