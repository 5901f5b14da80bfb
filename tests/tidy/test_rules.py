"""Every rule catches a planted breach, and lets what is right pass."""

from __future__ import annotations

import pytest

from tests.tidy import rules

LOCKED = f"click==8.1.8 ; python_version >= '3.11' \\\n    --hash=sha256:{'0' * 64}\n    # via shipline\n"


def found(breaches: object) -> list[str]:
    return [str(breach) for breach in breaches]  # type: ignore[attr-defined] # any iterable of breaches


def test_a_module_is_too_long_from_601_lines() -> None:
    assert found(rules.long_modules({"a.py": "x\n" * 600})) == []
    assert found(rules.long_modules({"a.py": "x\n" * 601, "b.py": "x\n" * 700}))[0].startswith("b.py:1: 700 lines")


def test_a_function_is_too_long_from_71_lines() -> None:
    def function(lines: int) -> str:
        return "class A:\n    async def run(self):\n" + "        pass\n" * (lines - 1)

    assert found(rules.long_functions({"a.py": function(70)})) == []
    assert found(rules.long_functions({"a.py": function(71)})) == [
        "a.py:2: run has 71 lines; a function has 70 at most"
    ]


@pytest.mark.parametrize("path", ["src/utils.py", "src/common/x.py", "tests/Helpers.py", "src/manager.test.py"])
def test_a_name_that_says_nothing_is_caught(path: str) -> None:
    assert found(rules.banned_names([path]))


def test_a_name_that_holds_a_banned_one_is_right() -> None:
    assert found(rules.banned_names(["src/commonmark.py", "src/release_manager_role.py"])) == []


@pytest.mark.parametrize(
    ("path", "importer"),
    [
        ("src/a/user.py", "import a.b"),
        ("src/a/user.py", "from a import b"),
        ("src/a/user.py", "from a.b import thing"),
        ("src/a/user.py", "from . import b"),
        ("src/a/__init__.py", "from .b import thing"),
        ("src/a/deep/user.py", "from ..b import thing"),
        ("src/a/user.py", "COMMANDS = {'b': 'a.b:main'}"),
    ],
)
def test_a_module_that_is_imported_lives(path: str, importer: str) -> None:
    tree = {"src/a/b.py": "", path: importer}
    assert found(rules.dead_modules(tree, entry_points=["a.user:main", "a.deep.user:main"])) == []


@pytest.mark.parametrize("importer", ["import ab", "from a import c", "b = 1", "# import a.b"])
def test_a_module_that_nobody_imports_is_dead(importer: str) -> None:
    tree = {"src/a/b.py": "import a.b", "src/a/__init__.py": importer, "src/a/__main__.py": ""}
    assert found(rules.dead_modules(tree, entry_points=[])) == ["src/a/b.py:1: nothing imports this module"]


def test_only_a_test_kit_lives_by_tests_alone() -> None:
    tree = {"src/a/b.py": "", "src/a/testing/clock.py": "", "tests/t.py": "import a.b, a.testing.clock"}
    assert found(rules.dead_modules(tree, entry_points=[])) == ["src/a/b.py:1: nothing imports this module"]


@pytest.mark.parametrize("word", ["src/gone.py", "docs/adr/", "gates/gone.py", "scripts/gone", ".ci/gone"])
def test_a_path_that_leads_nowhere_is_caught(word: str) -> None:
    assert found(rules.missing_paths({"README.md": f"See\n`{word}`."}, existing=["src"])) == [
        f"README.md:2: `{word}` does not exist"
    ]


@pytest.mark.parametrize(
    "word",
    ["src/", "src/shipline/cli.py", "cli.py", "gates/rules.py", "/api/v1", "text/html", "a/b", "make demo", "<n>/x.py"],
)
def test_a_path_that_exists_or_is_none_is_right(word: str) -> None:
    existing = ["src", "src/shipline/cli.py", "src/shipline/capabilities/gates/rules.py"]
    assert found(rules.missing_paths({"README.md": f"`{word}`"}, existing)) == []


@pytest.mark.parametrize("path", ["work/main", "root/.config", "home/ann", "Users/ann", "tmp/x", "opt/wheels/x"])
def test_a_path_of_one_machine_is_caught(path: str) -> None:
    assert found(rules.matches({"a.md": f"in '/{path}'"}, rules.MACHINE_PATH, "path"))


@pytest.mark.parametrize("text", ["framework/main", "~/work/x", "/homepage", "a/tmp/b", "$(mktemp -d)"])
def test_other_paths_are_right(text: str) -> None:
    assert found(rules.matches({"a.md": text}, rules.MACHINE_PATH, "path")) == []


@pytest.mark.parametrize(
    "host",
    ["files.python" + "hosted.org", "py" + "pi.org/simple", "upload.py" + "pi.org", "registry.np" + "mjs.org"],
)
def test_a_registry_s_host_is_caught(host: str) -> None:
    assert found(rules.matches({"a.md": f"https://{host}/x"}, rules.REGISTRY_HOST, "host"))


def test_a_registry_s_documentation_is_right() -> None:
    assert found(rules.matches({"a.md": "https://docs.pypi.org/api"}, rules.REGISTRY_HOST, "host")) == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "X" * 3])
def test_a_reminder_is_caught(word: str) -> None:
    assert found(rules.matches({"a.py": f"\n# {word}: later"}, rules.REMINDER, "reminder")) == [
        f"a.py:2: reminder: {word}"
    ]


@pytest.mark.parametrize("text", ["from unit" + "test import mock", "import unittest." + "mock", "Magic" + "Mock()"])
def test_a_mock_is_caught(text: str) -> None:
    assert found(rules.matches({"a.py": text}, rules.MOCK, "mock"))


@pytest.mark.parametrize("comment", ["# noqa", "# noqa -- because", "# NOQA:", "# type: ignore", "# type: ignore # x"])
def test_an_ignore_without_a_code_is_caught(comment: str) -> None:
    assert found(rules.blanket_ignores({"a.py": f"x = 1  {comment}\n"}))


@pytest.mark.parametrize(
    "line", ["x = 1  # noqa: S101 -- why", "x = 1  # type: ignore[no-any-return] # why", "x = '# noqa'", "# ignored"]
)
def test_an_ignore_with_a_code_is_right(line: str) -> None:
    assert found(rules.blanket_ignores({"a.py": line + "\n"})) == []


def test_a_lock_with_hashes_is_right() -> None:
    assert found(rules.unlocked("lock", LOCKED * 2)) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "click==8.1.8 \\\n    # via shipline\n",
        "click==8.1.8 \\\n" + LOCKED,
        "click>=8\n" + LOCKED,
        "click==8.1.8\n" + LOCKED,
        "--index-url https://packages.example/simple\n" + LOCKED,
        "# from https://packages.example/simple\n" + LOCKED,
        LOCKED.replace("0" * 64, "0" * 63),
    ],
)
def test_a_lock_with_something_else_is_caught(text: str) -> None:
    assert found(rules.unlocked("lock", text))
