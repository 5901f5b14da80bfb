"""What a variable may be called, and hold."""

from __future__ import annotations

import pytest

from shipline.domain.errors import InvalidValue
from shipline.domain.variables import VALUE_BYTES_MAX, VARIABLES_MAX, check_names, checked_secret, checked_value


@pytest.mark.parametrize("name", ["A", "_", "DB_PASSWORD", "lower_1", "A" * 128, "PATHS", "SHIP_LINE", "HTTP_PROXY"])
def test_names_as_posix_has_them_are_taken(name: str) -> None:
    check_names({name: ""}, {})
    check_names({}, {name: ""})


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "A\n", "Ä", "A" * 129, "A.B", "\0"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="is not the name of an environment variable"):
        check_names({name: ""}, {})


@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "PYTHONPATH", "SHIPLINE_X"]
)
def test_what_would_change_which_program_runs_is_refused(name: str) -> None:
    """And what speaks to Shipline."""
    with pytest.raises(InvalidValue, match=f"{name} cannot be given to a service"):
        check_names({}, {name: ""})


def test_a_name_stands_once_and_there_are_not_too_many() -> None:
    with pytest.raises(InvalidValue, match="A is a variable and a secret"):
        check_names({"A": "", "B": ""}, {"A": ""})
    some = {f"A{number}": "" for number in range(VARIABLES_MAX)}
    check_names(some, {})
    with pytest.raises(InvalidValue, match="200 are the most"):
        check_names(some, {"B": ""})


def test_a_value_is_text_of_a_bounded_size_without_nul() -> None:
    for value in ("", "two\nlines", "ü" * (VALUE_BYTES_MAX // 2)):
        assert checked_value(value) == value
    for value in ("a\0b", "\udc80", "ü" * VALUE_BYTES_MAX):
        with pytest.raises(InvalidValue) as refused:
            checked_value(value)
        assert value not in refused.value.diagnosis()


@pytest.mark.parametrize(
    ("data", "value"), [(b"a", "a"), (b"a\n", "a"), (b"a\r\n", "a"), (b"a\n\n", "a\n"), (b"\na ", "\na ")]
)
def test_the_end_of_a_secrets_last_line_is_not_part_of_it(data: bytes, value: str) -> None:
    """Editors and programs write one."""
    assert checked_secret(data) == value


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff", b"a\0"])
def test_what_is_no_secret_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidValue):
        checked_secret(data)
