"""The command line's edge: whatever happens ends in words and an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.testing.histories import History
from tests.command import arguments_of, environment_of, run_shipline

HEAVY = ("sqlalchemy", "alembic", "dbos", "fastapi", "jinja2", "uvicorn", "httpx", "cel_expr_python", "psycopg")
HEAVY_OF_OURS = ("shipline.store", "shipline.engine", "shipline.statistics", "shipline.apps.server")


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "quotes")
    made.commit("feat: begin")
    return made


def imported_by(folder: Path, *arguments: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    program = (
        "import sys\nfrom shipline.apps.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment_of(), capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("plan", "--json"),
        ("changelog",),
        ("--help",),
        ("version", "next", "1.0.0", "--bump", "minor"),
        ("version", "satisfies", "1.0.0", "^1"),
        ("version", "check"),
    ],
)
def test_reading_the_history_loads_nothing_heavy(history: History, arguments: tuple[str, ...]) -> None:
    modules = imported_by(history.folder, *arguments)
    heavy = [name for name in modules if name.startswith(HEAVY_OF_OURS) or name.partition(".")[0] in HEAVY]
    assert heavy == []


@pytest.mark.parametrize(("verb", "rule"), [("explain", "findings.high == 0"), ("check", "!calendar.frozen")])
def test_asking_gates_on_a_current_store_loads_no_sqlalchemy(history: History, verb: str, rule: str) -> None:
    """It is more than all the rest of such a command."""
    (history.folder / "shipline.toml").write_text(f'schema = 1\n[[gate]]\nname = "clean"\nrule = "{rule}"\n')
    history.commit("chore: gates")
    run_shipline(history.folder, "release")
    modules = imported_by(history.folder, "gate", verb)
    assert "shipline.store.database" in modules
    assert not modules & {"sqlalchemy", "alembic", "shipline.engine.engine", "shipline.capabilities.releases.steps"}


ROOM = "shipline.capabilities.plans."
NOT_FOR_A_PLAN = ("lint", "past", "changelogs", "pending", "templates", "finals", "choices", "graph", "chains", "show")


def test_a_plan_without_a_file_loads_no_settings_and_of_its_room_only_what_plans(history: History) -> None:
    """Goal: start-up stays what was promised. Method: names of modules, since times depend on the machine."""
    modules = imported_by(history.folder, "plan")
    assert "shipline.configuration.settings" not in modules
    assert {name for name in modules if name.startswith(tuple(f"{ROOM}{each}" for each in NOT_FOR_A_PLAN))} == set()
    assert not modules & {"packaging.version", "yaml", "difflib", "cryptography", "pydantic"}


def test_a_plan_that_was_kept_is_found_before_the_settings_are_read(history: History) -> None:
    """Until a word of them is another one, or what they name is gone: whoever reads them says so."""
    settings = '[[package]]\npath = "packages/*"\n[[package]]\nname = "docs"\npath = "docs"\n'
    files = {f"packages/{name}/package.json": f'{{"name": "{name}"}}' for name in "ab"}
    history.commit("feat: begin", files | {"docs/a": "", "shipline.toml": settings})
    blank = "commit refs/heads/main\ncommitter A <a@b> 0 +0000\ndata 0\n"
    first = f"{blank}from {history.git('rev-parse', 'HEAD')}\n"
    history.git("fast-import", "--quiet", stdin=(first + blank * 999).encode())
    made = run_shipline(history.folder, "plan")
    assert "shipline.configuration.settings" in imported_by(history.folder, "version", "check")
    modules = imported_by(history.folder, "plan")
    assert not modules & {"shipline.configuration.settings", "tomllib", f"{ROOM}survey", f"{ROOM}versions", "tempfile"}
    assert run_shipline(history.folder, "plan") == made
    history.git("switch", "--quiet", "--create", "hotfix/1")
    assert "shipline.configuration.settings" in imported_by(history.folder, "plan")
    assert "shipline.configuration.settings" not in imported_by(history.folder, "plan")
    (history.folder / "docs").rename(history.folder / "gone")
    assert "there is no folder 'docs'" in run_shipline(history.folder, "plan").err
    (history.folder / "shipline.toml").write_text("x = 1\n" + settings)
    assert "unknown field" in run_shipline(history.folder, "plan").err


def test_lint_loads_no_settings_and_nothing_that_plans(history: History) -> None:
    modules = imported_by(history.folder, "lint", "--title", "feat: a")
    assert "shipline.configuration.settings" not in modules
    ours = {name.removeprefix(ROOM).partition(".")[0] for name in modules if name.startswith(ROOM)}
    assert ours == {"conventional", "lint"}


def test_help_loads_no_command_and_little_else(tmp_path: Path) -> None:
    """Which is what keeps it far below 100 ms of CPU time; the time itself is measured where nothing else runs."""
    modules = imported_by(tmp_path, "--help")
    ours = {name for name in modules if name.startswith("shipline.")}
    assert ours <= {
        "shipline.apps",
        "shipline.apps.cli",
        "shipline.apps.cli.lazy_group",
        "shipline.apps.cli.main",
        "shipline.domain",
        "shipline.domain.errors",
    }
    assert len(modules) < 200


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Usage: shipline"),
        (("plam",), "Did you mean plan?"),
        (("plan", "--jsn"), "--json"),
        (("metrics", "--days", "none"), "--days"),
        (("deploy", "a", "b", "c"), "Usage: shipline deploy"),
        (("-C", "absent", "plan"), "the folder absent is not there"),
        (("-C", "file", "plan"), "file is not a folder"),
        (("verify", "/nonexistent"), "/nonexistent cannot be read"),
    ],
)
def test_what_cannot_be_understood_ends_with_2(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "file").touch()
    said = run_shipline(tmp_path, *arguments)
    assert said.code == 2, said
    assert told in said.err, said


def test_a_folder_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    program = 'mkdir gone; cd gone; rmdir ../gone; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", program, "sh", *arguments_of("plan")],
        cwd=tmp_path,
        env=environment_of(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the current folder is not there any more" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_so(history: History) -> None:
    (history.folder / "shipline.toml").touch(mode=0o000)
    said = run_shipline(history.folder, "plan")
    assert said.code == 2
    assert "shipline.toml cannot be read" in said.err


@pytest.mark.parametrize("arguments", [("plan",), ("plan", "--json"), ("changelog", "--all"), ("doctor",), ("--help",)])
def test_a_reader_that_has_had_enough_is_no_trouble(history: History, arguments: tuple[str, ...]) -> None:
    """Nobody reads at all, so that the first byte already breaks the pipe, whatever pipes hold here."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        arguments_of(*arguments),
        cwd=history.folder,
        env=environment_of(),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_closed_output_is_no_trouble_and_a_full_one_is_said(history: History) -> None:
    for redirection, code, told in (
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        (">/dev/full", 1, "there is no room to write"),
        ("2>/dev/full --no-such-option", 2, ""),
    ):
        done = subprocess.run(
            ["sh", "-c", f'"$@" {redirection}', "sh", *arguments_of("plan")],
            cwd=history.folder,
            env=environment_of(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, told in done.stderr) == (code, True), (redirection, done)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "extra",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"HOME": None, "XDG_CONFIG_HOME": None},
        {"TERM": "dumb", "COLUMNS": "0"},
    ],
)
def test_any_locale_and_home_will_do(history: History, extra: dict[str, str | None]) -> None:
    history.commit("fix: début ☃")
    history.commit(b"fix: caf\xe9 in Latin-1")
    for arguments in (("plan",), ("plan", "--json"), ("changelog", "--all"), ("doctor",)):
        said = run_shipline(history.folder, *arguments, extra=extra)
        assert said.code == 0, said


def test_colours_are_for_terminals_that_want_them(history: History) -> None:
    script = f"{' '.join(arguments_of('plan'))}"
    for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        done = subprocess.run(
            ["script", "-qec", script, os.devnull],
            cwd=history.folder,
            env=environment_of(extra | {"TERM": "xterm"}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        assert (b"\x1b[" in done.stdout) is coloured
    assert "\x1b" not in run_shipline(history.folder, "plan").out


def test_a_shell_can_complete_commands_and_options(tmp_path: Path) -> None:
    """As documented: `eval "$(_SHIPLINE_COMPLETE=bash_source shipline)"`."""
    sourced = run_shipline(tmp_path, extra={"_SHIPLINE_COMPLETE": "zsh_source"})
    assert "#compdef shipline" in sourced.out
    asked = {"_SHIPLINE_COMPLETE": "bash_complete"}
    words = run_shipline(tmp_path, extra=asked | {"COMP_WORDS": "shipline rel", "COMP_CWORD": "1"})
    assert words.out.split() == ["plain,release", "plain,releases"]
    options = run_shipline(tmp_path, extra=asked | {"COMP_WORDS": "shipline plan --j", "COMP_CWORD": "2"})
    assert options.out.split() == ["plain,--json"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Commands that a test starts take SIGINT: a shell that runs the tests in its background ignores it for all."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_it_in_words(tmp_path: Path) -> None:
    process = subprocess.Popen(
        arguments_of("analyse", "--stdio"),
        cwd=tmp_path,
        env=environment_of(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"{}\n")
        process.stdin.flush()
        process.stdout.readline()  # It answers, so it is up.
        process.send_signal(2)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped" in complaint
    assert b"Traceback" not in complaint


def test_help_is_quick(tmp_path: Path) -> None:
    """The bound is generous: CPU time, not wall time, and a machine half as fast as those of 2020."""
    began = os.times()
    run_shipline(tmp_path, "--help")
    ended = os.times()
    assert ended.children_user + ended.children_system - began.children_user - began.children_system < 0.5
