"""Versions as real processes, installed by pip from an index on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.clients.detached_launcher import identity
from shipline.clients.log_keeper import end_of_log
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Target
from shipline.providers.target.process import STOPPED_LOGS_KEPT, ProcessTarget, installing_environment
from shipline.testing.conformance.target import BROKEN, GOOD, PACKAGE, TargetConformance
from tests.machine import SystemClock, get, wait_until

SERVICE = Path(__file__).with_name("conforming.py")
COMMAND = ("{prefix}/bin/python", "-m", "conforming", "{host}", "{port}", "{version}")
MUTE, STUBBORN = "1.3.0", "1.4.0"


def make_wheel(folder: Path, version: str) -> Path:
    """The service as a wheel (PyPA binary distribution format)."""
    path = folder / f"{PACKAGE}-{version}-py3-none-any.whl"
    metadata = f"{PACKAGE}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.write(SERVICE, "conforming.py")
        wheel.writestr(f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n")
        wheel.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{metadata}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a package index on disk (PEP 503)."""
    folder = tmp_path_factory.mktemp("index") / PACKAGE
    folder.mkdir()
    wheels = [make_wheel(folder, version) for version in (GOOD, "1.1.0", BROKEN, MUTE, STUBBORN)]
    (folder / "index.html").write_text("".join(f'<a href="{path.name}">{path.name}</a>' for path in wheels))
    return folder.parent.as_uri()


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installed versions, which the tests of a module share: installing takes a second each."""
    return tmp_path_factory.mktemp("versions")


@pytest.fixture
def settings(index: str, monkeypatch: pytest.MonkeyPatch) -> ProcessTarget.Settings:
    """Installing from that index alone, whatever pip is configured to on this machine."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    return ProcessTarget.Settings(command=COMMAND, index_url=index, stop_timeout_s=5)


@pytest.fixture
def context(tmp_path: Path, versions: Path) -> Iterator[ProviderContext]:
    """A state folder; what runs in it ends with the test."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "versions").symlink_to(versions)
    context = ProviderContext(root=tmp_path, state=state, clock=SystemClock())
    yield context
    target = ProcessTarget(ProcessTarget.Settings(command=COMMAND, stop_timeout_s=1), context)
    for instance in target.instances():
        target.stop(instance.id, revision=1_000_000)


@pytest.fixture
def target(settings: ProcessTarget.Settings, context: ProviderContext) -> ProcessTarget:
    """A target where the good version is prepared."""
    target = ProcessTarget(settings, context)
    target.prepare(PACKAGE, GOOD)
    return target


class TestProcessTarget(TargetConformance):
    @pytest.fixture
    def open_target(self, settings: ProcessTarget.Settings, context: ProviderContext) -> Callable[[], Target]:
        return lambda: ProcessTarget(settings, context)


def pids(target: ProcessTarget, instance_id: str) -> list[int]:
    """All processes that ever were this instance."""
    starts = target._process(instance_id).folder / "starts.txt"
    return [int(line) for line in starts.read_text().split()] if starts.exists() else []


def test_a_preparation_that_was_interrupted_is_done_over(settings: ProcessTarget.Settings, tmp_path: Path) -> None:
    """What lies half done in its place is no hindrance."""
    target = ProcessTarget(settings, ProviderContext(root=tmp_path, state=tmp_path, clock=SystemClock()))
    half = target._prefix(PACKAGE, GOOD)
    (half / "lib").mkdir(parents=True)
    (half / "lib" / "torn").touch()
    target.prepare(PACKAGE, GOOD)
    assert not (half / "lib" / "torn").exists()
    assert (half / "bin" / "python").exists()


def test_a_dead_instance_is_started_again_where_it_was(target: ProcessTarget) -> None:
    """On the same address, so that routes to it hold again."""
    first = target.start("one", PACKAGE, GOOD, revision=1)
    (pid,) = pids(target, "one")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: target.instances() == (), "the instance's end")
    assert not target.is_healthy("one")
    again = target.start("one", PACKAGE, GOOD, revision=2)
    assert again == replace(first, started_us=again.started_us)
    assert len(pids(target, "one")) == 2


def test_an_instance_that_ignores_the_request_is_killed(target: ProcessTarget, context: ProviderContext) -> None:
    """After the time that it has to stop."""
    target.prepare(PACKAGE, STUBBORN)
    target.start("one", PACKAGE, STUBBORN, revision=1)
    (pid,) = pids(target, "one")
    hasty = ProcessTarget(ProcessTarget.Settings(command=COMMAND, stop_timeout_s=1), context)
    hasty.stop("one", revision=2)
    assert identity(pid) is None


class ImpatientClock(SystemClock):
    """Time that stands still until a program has written something, and is over then."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.begun_us = super().now_us()

    def now_us(self) -> int:
        """An hour later once there is output."""
        return self.begun_us + (3_600_000_000 if end_of_log(self.log, 1) else 0)


def test_an_instance_that_is_never_healthy_is_stopped(target: ProcessTarget, context: ProviderContext) -> None:
    """The error says how long it was waited for, and nothing stays behind."""
    target.prepare(PACKAGE, MUTE)
    clock = ImpatientClock(target._process("one").log_folder)
    settings = ProcessTarget.Settings(command=COMMAND, health_timeout_s=7)
    with pytest.raises(ShiplineError, match="not healthy within 7 s") as failure:
        ProcessTarget(settings, replace(context, clock=clock)).start("one", PACKAGE, MUTE, revision=1)
    assert "serving 1.3.0" in failure.value.why
    assert all(identity(pid) is None for pid in pids(target, "one"))


def test_a_late_failure_does_not_stop_what_a_newer_revision_started(target: ProcessTarget) -> None:
    """A zombie that waited for health in vain is refused when it wants to clean up."""
    instance = target.start("one", PACKAGE, GOOD, revision=2)
    intent = target._state.read().instances["one"]
    with pytest.raises(RefusedError):
        target._given_up("one", intent, revision=1)
    assert target.instances() == (instance,)


def test_credentials_of_the_engine_are_not_handed_down(target: ProcessTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other variables are."""
    monkeypatch.setenv("SHIPLINE_TOKEN", "made-up")
    monkeypatch.setenv("QUOTES_COLOUR", "blue")
    instance = target.start("one", PACKAGE, GOOD, revision=1)
    names = get(instance.address, "/")[1].split()
    assert "QUOTES_COLOUR" in names
    assert "SHIPLINE_TOKEN" not in names


def test_logs_of_stopped_instances_are_kept_for_a_while(target: ProcessTarget, context: ProviderContext) -> None:
    """The newest ones, so that people can read them, and no more."""
    for number in range(STOPPED_LOGS_KEPT + 2):
        (context.state / "instances" / f"gone-{number}").mkdir(parents=True)
    target.start("one", PACKAGE, GOOD, revision=1)
    target.stop("one", revision=2)
    assert "serving" in target._process("one").output_end()
    assert len(list((context.state / "instances").iterdir())) == STOPPED_LOGS_KEPT


ENGINE = """
    import sys
    from pathlib import Path
    from tests.machine import SystemClock
    from shipline.ports.provider import ProviderContext
    from shipline.providers.target.process import ProcessTarget

    state = Path(sys.argv[1])
    context = ProviderContext(root=state, state=state, clock=SystemClock())
    target = ProcessTarget(ProcessTarget.Settings(command=tuple(sys.argv[2:])), context)
    print("go", flush=True)
    target.start("one", "conforming", "1.0.0", revision=1)
    print("started", flush=True)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2])
def test_an_engine_killed_while_it_starts_an_instance_leaves_none_unknown(
    target: ProcessTarget, context: ProviderContext, delay_s: float
) -> None:
    """Kill -9 at several moments; the next engine ends up with one process, and stopping it leaves none."""
    engine = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENGINE), str(context.state), *COMMAND],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"go\n"
        context.clock.sleep(delay_s)
        engine.kill()
    target.start("one", PACKAGE, GOOD, revision=2)
    alive = [pid for pid in pids(target, "one") if identity(pid) is not None]
    assert len(alive) == 1
    target.stop("one", revision=3)
    assert all(identity(pid) is None for pid in pids(target, "one"))


@pytest.mark.parametrize(
    ("package", "version"),
    [("--help", GOOD), ("a/b", GOOD), ("", GOOD), (PACKAGE, "-r x"), (PACKAGE, "1\n"), (PACKAGE, "../1")],
)
def test_hostile_names_reach_neither_pip_nor_the_disk(target: ProcessTarget, package: str, version: str) -> None:
    """They are neither options nor paths."""
    with pytest.raises(InvalidValue):
        target.prepare(package, version)
    with pytest.raises(InvalidValue):
        target.start("one", package, version, revision=1)


@pytest.mark.parametrize(
    "settings",
    [
        {"command": ()},
        {"command": ("{prefx}",)},
        {"command": ("x",), "health_path": "healthz"},
        {"command": ("x",), "stop_timeout_s": 0},
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object]) -> None:
    """Before anything runs."""
    with pytest.raises(ConfigurationError):
        ProcessTarget.Settings(**settings)  # type: ignore[arg-type] # wrong on purpose


def test_what_installs_a_version_is_told_no_secret() -> None:
    """An sdist among its dependencies runs code of its own; the index's address is what pip needs."""
    given = {"PATH": "p", "REGISTRY_PASSWORD": "s", "SHIPLINE_STORE": "postgresql://u:p@h/d", "PIP_INDEX_URL": "old"}
    made = installing_environment(given, "https://u:p@index.example/simple")
    assert set(made) == {"PATH", "PIP_INDEX_URL", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_INPUT"}
    assert made["PIP_INDEX_URL"] == "https://u:p@index.example/simple"
    assert installing_environment(given, None)["PIP_INDEX_URL"] == "old"
