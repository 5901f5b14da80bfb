"""Variables as a target has them: secrets are read when they are asked for, and never told."""

from __future__ import annotations

from functools import partial

import pytest

from shipline.domain.errors import ShiplineError
from shipline.ports.variables import HIDDEN, Variables
from shipline.testing.fakes.secrets import MemorySecrets


def variables(manager: MemorySecrets) -> Variables:
    return Variables({"LEVEL": "debug"}, {name: partial(manager.read, name) for name in manager.kept})


def test_secrets_are_read_anew_each_time() -> None:
    manager = MemorySecrets({"DB": "before"})
    given = variables(manager)
    assert given.values() == {"LEVEL": "debug", "DB": "before"}
    manager.kept["DB"] = "after"
    assert given.values() == {"LEVEL": "debug", "DB": "after"}
    assert (given.plain_names, given.secret_names) == (("LEVEL",), ("DB",))


def test_one_that_cannot_be_had_is_named_and_may_come_later() -> None:
    manager = MemorySecrets({"DB": "hunter2"})
    given = variables(manager)
    manager.is_down = True
    with pytest.raises(
        ShiplineError, match="the secret DB cannot be had: the secret manager does not answer"
    ) as caught:
        given.values()
    assert caught.value.todo == "try again later"
    assert given.plain() == {"LEVEL": "debug"}


def test_secrets_are_taken_out_of_what_is_told() -> None:
    """Also those that it was started with and that have been changed since, and the lines of those that have many.
    Plain variables are told."""
    manager = MemorySecrets({"DB": "hunter2", "LONG": "hunter2-and-more", "PEM": "-----\nabcdef\n-----", "PIN": "1"})
    given = variables(manager)
    given.values()
    manager.kept["DB"] = "hunter3"
    given.values()
    said = "hunter2 hunter3 hunter2-and-more abcdef debug 1.0.0"
    assert given.masked(said) == "*** *** *** *** debug 1.0.0"
    error = ShiplineError("it ended", why="hunter2", todo="see")
    assert given.diagnosis(error) == "it ended\n  why: ***\n  do:  see"


def test_what_may_hold_secrets_that_are_not_known_is_not_told() -> None:
    """A new process reads them for that, once: it is asked every other second."""
    manager = MemorySecrets({"DB": "hunter2"})
    assert variables(manager).masked("hunter2") == "***"
    manager.is_down = True
    given = variables(manager)
    assert given.masked("hunter2") == HIDDEN
    manager.is_down = False
    assert given.masked("hunter2") == HIDDEN
    given.values()
    assert given.masked("hunter2") == "***"


def test_where_there_are_no_secrets_everything_is_told() -> None:
    assert Variables({"LEVEL": "debug"}).masked("debug") == "debug"
    assert variables(MemorySecrets({"DB": "hunter2"})).masked("") == ""


def test_a_value_that_no_variable_can_hold_is_refused_and_not_told() -> None:
    with pytest.raises(ShiplineError, match="the secret DB cannot be given") as caught:
        Variables({}, {"DB": lambda: "hunter2\0"}).values()
    assert "hunter2" not in caught.value.diagnosis()
    assert caught.value.__cause__ is None
