"""The fake commands pass the suite that real ones pass."""

from __future__ import annotations

import pytest

from shipline.ports.command import Commands
from shipline.testing.conformance.command import CommandsConformance
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.command import Call, Ending, FakeCommands


def say(call: Call) -> Ending:
    return Ending(exit_code=int(call.arguments[0]), output=call.arguments[1])


def note(call: Call) -> Ending:
    return Ending(files={call.folder / call.arguments[0]: call.environment[call.arguments[1]]})


def dawdle(call: Call) -> Ending:
    return Ending(takes_s=5, files={call.folder / call.arguments[0]: ""})


class TestFakeCommands(CommandsConformance):
    @pytest.fixture
    def commands(self) -> Commands:
        return FakeCommands(FakeClock(), {"say": say, "note": note, "dawdle": dawdle})

    def that_prints(self, text: str, *, exit_code: int) -> tuple[str, ...]:
        return ("say", str(exit_code), text)

    def that_notes(self, file_name: str, variable: str) -> tuple[str, ...]:
        return ("note", file_name, variable)

    def that_takes_long(self, file_name: str) -> tuple[str, ...]:
        return ("dawdle", file_name)
