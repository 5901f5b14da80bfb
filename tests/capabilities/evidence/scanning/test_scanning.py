"""Which scanners run and what their endings mean, with programs that write what the real ones wrote (tests/data)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipline.capabilities.evidence import Scanned, ScanOrder, ScanState, is_reached, plan_scan_of, run_scanner
from shipline.capabilities.evidence.reports.formats import FORMATS
from shipline.capabilities.evidence.scanning import tree as trees
from shipline.capabilities.evidence.scanning.rules import scan_document
from shipline.capabilities.evidence.scanning.scanners import SCANNERS, Scanner
from shipline.domain.errors import UsageError
from shipline.ports.provider import ProviderContext
from shipline.providers.command.local import LocalCommands
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.command import Call, Ending, FakeCommands
from tests.machine import SystemClock

DATA = Path("tests/data/reports")
# What each scanner has something to look at in.
FILES = {
    "app.py": "print(1)\n",
    ".semgrep.yml": "rules: []\n",
    "requirements.txt": "django==3.2\n",
    "requirements-dev.txt": "pytest\n",
    "pyproject.toml": "[tool.mypy]\nstrict = true\n",
    ".venv/bin/python": "",
    "package-lock.json": "{}",
    "web/Dockerfile": "FROM debian\n",
    ".github/workflows/ci.yml": "on: push\n",
    ".git/config": "",
}
# The report that a real one wrote, the exit code that it ended with.
RECORDED = {
    "bandit": ("bandit/bandit-1.9.json", 1),
    "semgrep": ("semgrep/semgrep-1.185.json", 0),
    "detect-secrets": ("detect-secrets/detect-secrets-1.5.json", 0),
    "pip-audit": ("pip-audit/pip-audit-2.10.json", 1),
    "safety": ("safety/safety-2.3.json", 64),
    "mypy": ("mypy/mypy.txt", 1),
    "pip-licenses": ("pip-licenses/licenses.json", 0),
    "npm-audit": ("npm-audit/npm-11.json", 1),
    "hadolint": ("hadolint/hadolint-2.15.json", 1),
    "checkov": ("checkov/checkov-3.3.json", 1),
    "zizmor": ("zizmor/zizmor-1.32.json", 14),
    "trivy": ("trivy/trivy-0.59-folder.json", 0),
    "grype": ("grype/image.json", 0),
    "snyk": ("snyk/project.json", 1),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "tree"


def test_a_path_is_no_option_whatever_a_folder_is_called(folder: Path) -> None:
    """Whoever writes the tree would say how it is looked at."""
    path = folder / "--ignore=DL3002" / "Dockerfile"
    path.parent.mkdir()
    path.write_text("FROM debian\n")
    planned = plan_scan_of(folder, ScanOrder(("hadolint",)), FakeCommands(FakeClock(), {}))
    assert planned[0].scanner.targets(trees.read_tree(folder)) == ("./--ignore=DL3002/Dockerfile", "web/Dockerfile")


def ending(scanner: Scanner, content: str, exit_code: int) -> FakeCommands:
    """A program that writes this, where the real one writes it."""

    def program(call: Call) -> Ending:
        if not scanner.writes_report:
            return Ending(exit_code, content, complaint="something on standard error")
        written = next(Path(part) for part in call.arguments if part.endswith("/report"))
        return Ending(exit_code, files={written: content})

    return FakeCommands(FakeClock(), {scanner.program: program})


def scan(scanner: Scanner, commands: FakeCommands, folder: Path, asked: ScanOrder | None = None) -> Scanned:
    asked = asked or ScanOrder((scanner.name,))
    (planned,) = (one for one in plan_scan_of(folder, asked, commands) if one.scanner is scanner)
    place = folder.parent / "scans" / scanner.name
    return run_scanner(planned, asked, folder=folder, place=place, commands=commands, clock=FakeClock())


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.name)
def test_what_the_real_one_wrote_is_read(scanner: Scanner, folder: Path) -> None:
    """By the format that the row names, with the exit code that the real one ended with."""
    assert scanner.format in {form.name for form in FORMATS}
    name, exit_code = RECORDED[scanner.name]
    result = scan(scanner, ending(scanner, (DATA / name).read_text(), exit_code), folder)
    assert result.report is not None, result.why
    expected = ScanState.READ if scanner.name == "pip-licenses" else ScanState.FOUND
    assert result.state in (expected, ScanState.INCOMPLETE), result.why
    assert Path(result.place).read_text() == (DATA / name).read_text()
    assert json.dumps(scan_document(str(folder), [result]))


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.name)
@pytest.mark.parametrize("content", ["", "Traceback (most recent call last):", '{"error": {"code": "ENOAUDIT"}}'])
def test_rubbish_is_never_taken_for_clean(scanner: Scanner, folder: Path, content: str) -> None:
    """Whatever the exit code says."""
    for exit_code in (0, 1):
        assert scan(scanner, ending(scanner, content, exit_code), folder).state is ScanState.FAILED


def named(name: str) -> Scanner:
    return next(scanner for scanner in SCANNERS if scanner.name == name)


def test_endings(folder: Path) -> None:
    """Clean, failed though its report can be read, found and nothing listed, killed, and without a report."""
    hadolint, bandit = named("hadolint"), named("bandit")
    assert scan(hadolint, ending(hadolint, "[]", 0), folder).state is ScanState.CLEAN
    crashed = scan(hadolint, ending(hadolint, "[]", 2), folder)
    assert (crashed.state, crashed.exit_code, crashed.is_bad) == (ScanState.FAILED, 2, True)
    assert "exit code 2" in crashed.why
    assert "something on standard error" in crashed.why
    assert "lists nothing" in scan(hadolint, ending(hadolint, "[]", 1), folder).why
    slow = FakeCommands(FakeClock(), {"hadolint": lambda _call: Ending(takes_s=700)})
    assert "600 s" in scan(hadolint, slow, folder).why
    silent = FakeCommands(FakeClock(), {"bandit": lambda _call: Ending(1, "it broke")})
    assert "left no report (exit code 1): it broke" in scan(bandit, silent, folder).why
    partial = json.loads((DATA / RECORDED["bandit"][0]).read_text())
    partial["errors"] = [{"filename": "./b.py", "reason": "syntax error while parsing AST from file"}]
    told = scan(bandit, ending(bandit, json.dumps(partial), 1), folder)
    assert (told.state, told.is_bad) == (ScanState.INCOMPLETE, True)


def test_who_runs(folder: Path) -> None:
    """Where nobody was named: what is installed, has something to look at and works offline."""
    every = {scanner.program: lambda _call: Ending() for scanner in SCANNERS}
    planned = {one.scanner.name: one for one in plan_scan_of(folder, ScanOrder(), FakeCommands(FakeClock(), every))}
    asking = {name for name, one in planned.items() if one.state is ScanState.WAITING}
    assert asking == {"pip-audit", "safety", "npm-audit", "trivy", "grype", "snyk"}
    assert {one.state for name, one in planned.items() if name not in asking} == {ScanState.READY}
    assert planned["hadolint"].targets == ("web/Dockerfile",)
    assert planned["mypy"].targets == (".",)
    (bare,) = plan_scan_of(folder, ScanOrder(("trivy",)), FakeCommands(FakeClock(), {}))
    assert (bare.state, run_nothing(bare.scanner, folder).is_bad) == (ScanState.ABSENT, True)
    empty = folder.parent / "empty"
    empty.mkdir()
    assert {one.state for one in plan_scan_of(empty, ScanOrder(), FakeCommands(FakeClock(), every))} == {ScanState.IDLE}
    with pytest.raises(UsageError, match="no scanner 'lint'") as unknown:
        plan_scan_of(folder, ScanOrder(("lint",)), FakeCommands(FakeClock(), every))
    assert "bandit, semgrep" in unknown.value.todo


def run_nothing(scanner: Scanner, folder: Path) -> Scanned:
    return scan(scanner, FakeCommands(FakeClock(), {}), folder)


def test_what_the_settings_add_comes_before_the_targets(folder: Path) -> None:
    hadolint = named("hadolint")
    commands = ending(hadolint, "[]", 0)
    scan(hadolint, commands, folder, ScanOrder(("hadolint",), {"hadolint": ("--ignore", "DL3008")}))
    assert commands.calls[0].arguments == ("--format", "json", "--ignore", "DL3008", "web/Dockerfile")


def test_a_severity_is_reached_by_itself_and_worse_ones(folder: Path) -> None:
    zizmor = named("zizmor")
    content = (DATA / RECORDED["zizmor"][0]).read_text()
    result = scan(zizmor, ending(zizmor, content, 14), folder)
    assert result.report is not None
    worst = next(name for name, count in result.report.summary.items() if count and name != "total")
    assert is_reached([result], worst)
    assert is_reached([result], "info")
    assert not is_reached([result], "")
    assert worst == "critical" or not is_reached([result], "critical")


def test_a_tree_of_too_many_files_is_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may hold anything."""
    monkeypatch.setattr(trees, "FILES_MAX", 3)
    assert len(trees.read_tree(folder).files) == 3


def test_mypy_itself(folder: Path) -> None:
    """The real one, which is installed with what these tests need."""
    commands = LocalCommands(LocalCommands.Settings(), ProviderContext(folder, folder, SystemClock()))
    (folder / "app.py").write_text('x: int = "one"\n')
    (planned,) = plan_scan_of(folder, ScanOrder(("mypy",)), commands)
    place = folder.parent / "scans"
    result = run_scanner(planned, ScanOrder(), folder=folder, place=place, commands=commands, clock=SystemClock())
    assert (result.state, result.exit_code) == (ScanState.FOUND, 1), result.why
    assert result.report is not None
    assert result.report.summary["total"] == 1
