"""`shipline version`, as its users type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it ships no types
import pytest
from click.testing import CliRunner

from shipline.apps.cli.main import cli
from shipline.domain.errors import InvalidValue

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "shipline.version.schema.json").read_text())


def run(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["version", *arguments], standalone_mode=False, catch_exceptions=False)
    assert (result.return_value or 0) == exit_code, result.output
    return result.output.strip()


def document(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(run(*arguments, "--json", exit_code=exit_code))
    jsonschema.Draft202012Validator(SCHEMA).validate(read)
    return read


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("compare", "1.0.0", "1.0.0-rc.1"), ">"),
        (("compare", "1.0.0", "1.0.0+build"), "="),
        (("compare", "1.0rc1", "1.0", "--scheme", "pep440"), "<"),
        (("compare", "v1.0", "1.0.0", "--scheme", "pep440"), "="),
        (("compare", "2026.02.1", "2026.10.0", "--scheme", "calver:YYYY.0M.MICRO"), "<"),
        (("normalize", "v1.0-RC.1", "--scheme", "pep440"), "1.0rc1"),
        (("normalize", "v1.2.3"), "1.2.3"),
        (("next", "1.2.3", "--bump", "minor", "--pre", "rc", "--scheme", "pep440"), "1.3.0rc1"),
        (
            ("next", "2026.10.3", "--bump", "patch", "--scheme", "calver:YYYY.0M.MICRO", "--date", "2026-11-26"),
            "2026.11.0",
        ),
        (("satisfies", "1.4.9", "^1.2"), "yes"),
        (("satisfies", "1.4", "~=1.2", "--scheme", "pep440"), "yes"),
        (("satisfies", "1.4.9", "1.2", "--dialect", "cargo"), "yes"),
    ],
)
def test_an_answer_is_one_word(arguments: tuple[str, ...], expected: str) -> None:
    assert run(*arguments) == expected


def test_what_is_not_within_a_range_is_exit_code_1() -> None:
    assert run("satisfies", "2.0.0", "^1.2", exit_code=1) == "no"
    assert document("satisfies", "2.0.0", "^1.2", exit_code=1)["satisfied"] is False


def test_the_parts_of_a_version_are_shown() -> None:
    assert "channel     rc" in run("parse", "1.2.3-rc.4+build")
    assert "stable      false" in run("parse", "1.2.3-rc.4+build")


def test_every_document_is_as_its_schema_says() -> None:
    parsed = document("parse", "1!2.3rc4+local.1", "--scheme", "pep440")
    assert parsed["version"] == {
        "text": "1!2.3rc4+local.1",
        "normalized": "1!2.3rc4+local.1",
        "release": [2, 3, 0],
        "epoch": 1,
        "channel": "rc",
        "number": 4,
        "build": "local.1",
        "stable": False,
        "post": None,
        "dev": None,
        "local": "local.1",
    }
    parsed = document("parse", "1.2.3.post4.dev5", "--scheme", "pep440")["version"]
    assert (parsed["post"], parsed["dev"], parsed["local"]) == (4, 5, None)
    assert "post" not in document("parse", "1.2.3")["version"]
    assert document("normalize", "v1.2.3")["normalized"] == "1.2.3"
    assert document("compare", "1.0.0", "2.0.0")["order"] == "<"
    following = document("next", "1.2.3", "--bump", "minor", "--scheme", "pep440")
    assert {"scheme": "pep440", "current": "1.2.3", "bump": "minor", "pre": None, "next": "1.3.0"}.items() <= (
        following.items()
    )
    assert document("satisfies", "1.4.0", "^1")["dialect"] == "npm"


@pytest.mark.parametrize(
    "arguments",
    [
        ("parse", "1.2"),
        ("parse", "", "--scheme", "pep440"),
        ("compare", "1.0.0", "v1.0.0"),
        ("compare", "1.0.0", "1.0.0\n"),
        ("normalize", "nonsense", "--scheme", "pep440"),
        ("next", "1.2.3", "--bump", "minor", "--pre", "a b"),
        ("next", "1.2.3", "--bump", "minor", "--pre", "next", "--scheme", "pep440"),
        ("next", "2026.10", "--bump", "minor", "--scheme", "calver:YYYY.0M", "--date", "2026-10-02"),
        ("next", "2026.10", "--bump", "minor", "--scheme", "calver:YYYY.0M", "--date", "tomorrow"),
        ("parse", "2026.10", "--scheme", "calver:MM.DD"),
        ("parse", "1.0.0", "--scheme", "maven"),
        ("satisfies", "1.0.0", "latest"),
        ("satisfies", "2026.10", ">1", "--scheme", "calver:YYYY.0M"),
        ("parse", "1." * 10_000),
    ],
)
def test_what_cannot_be_read_is_a_mistake_of_usage(arguments: tuple[str, ...]) -> None:
    """Exit code 2, in words of bounded length."""
    with pytest.raises(InvalidValue) as caught:
        run(*arguments)
    assert caught.value.exit_code == 2
    assert len(caught.value.diagnosis()) < 500


def test_what_was_meant_is_said() -> None:
    with pytest.raises(InvalidValue) as caught:
        run("parse", "v1.2.3")
    assert "write 1.2.3" in caught.value.todo
