"""Versions as real processes, installed by pip from an index on disk."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest

from shipline.clients.detached_launcher import identity
from shipline.clients.log_keeper import end_of_log
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, Role, Target
from shipline.ports.variables import Variables
from shipline.providers.target.process import STOPPED_LOGS_KEPT, ProcessTarget
from shipline.providers.target.python_versions import installing_environment
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, OTHER_BYTES, PACKAGE, TargetConformance, found
from shipline.testing.fakes.secrets import MemorySecrets
from tests.machine import SystemClock, get, wait_until

SERVICE = Path(__file__).with_name("conforming.py")
COMMAND = ("{prefix}/bin/python", "-m", "conforming", "{host}", "{port}", "{version}")
MUTE, STUBBORN = "1.3.0", "1.4.0"


@cache
def wheel_of(version: str) -> bytes:
    """The service as a wheel (PyPA binary distribution format); the same bytes each time."""
    metadata = f"{PACKAGE}-{version}.dist-info"
    files = {
        "conforming.py": SERVICE.read_text(),
        f"{metadata}/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n",
        f"{metadata}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{metadata}/RECORD": "",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


def digests_of(version: str) -> tuple[str, ...]:
    """What the index has, and the source distribution that a release also has."""
    return ("sha256:" + "5" * 64, f"sha256:{hashlib.sha256(wheel_of(version)).hexdigest()}")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a package index on disk (PEP 503)."""
    folder = tmp_path_factory.mktemp("index") / PACKAGE
    folder.mkdir()
    names = []
    for version in (GOOD, BETTER, BROKEN, MUTE, STUBBORN):
        names.append(f"{PACKAGE}-{version}-py3-none-any.whl")
        (folder / names[-1]).write_bytes(wheel_of(version))
    (folder / "index.html").write_text("".join(f'<a href="{name}">{name}</a>' for name in names))
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
    for group in target.groups():
        target.stop(group.id, revision=1_000_000)


@pytest.fixture
def target(settings: ProcessTarget.Settings, context: ProviderContext) -> ProcessTarget:
    """A target where the good version is prepared."""
    target = ProcessTarget(settings, context)
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    return target


def pids(target: ProcessTarget, copy: str = "1") -> list[int]:
    """All processes that ever were this copy of the group `one`."""
    starts = target._process("one", copy).folder / "starts.txt"
    return [int(line) for line in starts.read_text().split()] if starts.exists() else []


def kill(target: ProcessTarget, copy: str = "1") -> None:
    """One copy of the group `one` dies, and it is seen."""
    os.kill(pids(target, copy)[-1], signal.SIGKILL)
    wait_until(lambda: target._process("one", copy).pid() is None, "the copy's end")


def running(target: ProcessTarget, spec: GroupSpec, revision: int = 1) -> Group:
    """The group, run and whole."""
    target.run(spec, revision=revision)
    wait_until(lambda: found(target, spec.id).is_whole, "the copies")
    return found(target, spec.id)


@pytest.fixture
def one() -> GroupSpec:
    """Two copies of the good version."""
    return GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests_of(GOOD))


class TestProcessTarget(TargetConformance):
    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return digests_of

    @pytest.fixture
    def open_target(self, settings: ProcessTarget.Settings, context: ProviderContext) -> Callable[[], Target]:
        return lambda: ProcessTarget(settings, context)

    @pytest.fixture
    def wait(self) -> Callable[[Callable[[], bool], str], None]:
        return wait_until

    @pytest.fixture
    def kill_copy(self) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert isinstance(target, ProcessTarget)
            assert group_id == "one"
            kill(target)

        return kill_copy


def test_a_preparation_that_was_interrupted_is_done_over(
    settings: ProcessTarget.Settings, tmp_path: Path, one: GroupSpec
) -> None:
    """What lies half done in its place is no hindrance."""
    target = ProcessTarget(settings, ProviderContext(root=tmp_path, state=tmp_path, clock=SystemClock()))
    half = target._prefix(one)
    (half / "lib").mkdir(parents=True)
    (half / "lib" / "torn").touch()
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert not (half / "lib" / "torn").exists()
    assert (half / "bin" / "python").exists()


def test_copies_that_died_are_started_again_where_they_were(target: ProcessTarget, one: GroupSpec) -> None:
    """On the same address, so that routes to them hold again; the one that lives is left alone."""
    first = running(target, one)
    kill(target)
    assert target.run(one, revision=2).endpoints == first.endpoints
    assert running(target, one, 2) == first
    assert (len(pids(target, "1")), len(pids(target, "2"))) == (2, 1)


def test_a_copy_whose_port_was_taken_meanwhile_gets_another(target: ProcessTarget, one: GroupSpec) -> None:
    first = running(target, one)
    kill(target)
    host, _, port = first.endpoints[0].address.partition(":")
    with socket.create_server((host, int(port))):
        again = running(target, one, 2)
    assert again.endpoints[0].address != first.endpoints[0].address
    assert again.endpoints[1] == first.endpoints[1]


def test_another_program_on_a_dead_copys_port_is_not_the_copy(
    target: ProcessTarget, tmp_path: Path, one: GroupSpec
) -> None:
    """Though it answers as a healthy one would."""
    (endpoint,) = running(target, replace(one, size=1)).endpoints
    kill(target)
    service = [sys.executable, str(SERVICE), *endpoint.address.split(":"), GOOD]
    with subprocess.Popen(service, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"serving 1.0.0\n"
        try:
            wait_until(lambda: answers(endpoint.address), "the other program")
            (group,) = target.groups()
            assert (group.ready, group.endpoints) == (0, ())
        finally:
            other.kill()


def answers(address: str) -> bool:
    try:
        return get(address, "/healthz")[0] == 200
    except OSError:
        return False


def test_a_group_does_not_shrink(target: ProcessTarget, one: GroupSpec) -> None:
    """A process that is stopped cuts its requests off, and the target cannot know whether there are any."""
    whole = running(target, one)
    with pytest.raises(RefusedError, match="0 of which may stop"):
        target.run(replace(one, size=1), revision=2)
    assert target.groups() == (whole,)


def test_a_state_of_another_version_is_refused(target: ProcessTarget, context: ProviderContext, one: GroupSpec) -> None:
    """What it says runs is neither forgotten nor started a second time."""
    old = '{"revision": 3, "instances": {"one": {"package": "x", "version": "1", "port": 20000, "started_us": 1}}}'
    (context.state / "target.json").write_text(old)
    with pytest.raises(ShiplineError, match="another version of Shipline"):
        target.run(one, revision=4)
    with pytest.raises(ShiplineError, match="another version of Shipline"):
        target.groups()
    (context.state / "target.json").unlink()


def test_copies_that_ignore_the_request_are_killed(
    target: ProcessTarget, context: ProviderContext, one: GroupSpec
) -> None:
    """After the time that they have to stop: all of them at the same time."""
    target.prepare(PACKAGE, STUBBORN, digests_of(STUBBORN))
    running(target, replace(one, version=STUBBORN, digests=digests_of(STUBBORN)))
    hasty = ProcessTarget(ProcessTarget.Settings(command=COMMAND, stop_timeout_s=1), context)
    began_us = context.clock.now_us()
    hasty.stop("one", revision=2)
    assert context.clock.now_us() - began_us < 1_900_000
    assert all(identity(pid) is None for copy in ("1", "2") for pid in pids(target, copy))


class ImpatientClock(SystemClock):
    """Time that stands still until a program has written something, and is over then."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.begun_us = super().now_us()

    def now_us(self) -> int:
        """An hour later once there is output."""
        return self.begun_us + (3_600_000_000 if end_of_log(self.log, 1) else 0)


def test_a_group_that_is_never_healthy_says_so_when_its_time_is_over(
    target: ProcessTarget, context: ProviderContext, one: GroupSpec
) -> None:
    """How long it was waited for, and what it wrote; it goes on running until somebody stops it."""
    target.prepare(PACKAGE, MUTE, digests_of(MUTE))
    clock = ImpatientClock(target._process("one", "1").log_folder)
    settings = ProcessTarget.Settings(command=COMMAND, health_timeout_s=7)
    impatient = ProcessTarget(settings, replace(context, clock=clock))
    impatient.run(replace(one, version=MUTE, digests=digests_of(MUTE), size=1), revision=1)
    wait_until(lambda: "serving 1.3.0" in found(impatient, "one").trouble, "its output")
    group = found(impatient, "one")
    assert (group.ready, group.lives, group.hopeless) == (0, True, True)
    assert "was not healthy within 7 s" in group.trouble
    assert "GET /healthz answers 2xx" in group.trouble
    assert found(target, "one").trouble == "", "its time is not over by the machine's clock"


def test_credentials_of_the_engine_are_not_handed_down(
    target: ProcessTarget, monkeypatch: pytest.MonkeyPatch, one: GroupSpec
) -> None:
    """Other variables are."""
    monkeypatch.setenv("SHIPLINE_TOKEN", "made-up")
    monkeypatch.setenv("QUOTES_COLOUR", "blue")
    group = running(target, replace(one, size=1))
    names = get(group.endpoints[0].address, "/")[1].split()
    assert "QUOTES_COLOUR" in names
    assert "SHIPLINE_TOKEN" not in names


def test_copies_get_what_the_environment_gives_and_no_secret_is_on_disk(
    settings: ProcessTarget.Settings, context: ProviderContext, one: GroupSpec
) -> None:
    """As it is when they are started. What runs is left alone, and does not need a secret manager any more."""
    manager = MemorySecrets({"DB": "hunter2"})
    given = Variables({"QUOTES_COLOUR": "blue"}, {"DB_PASSWORD": partial(manager.read, "DB")})
    target = ProcessTarget(settings, replace(context, given=given))
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    manager.is_down = True
    with pytest.raises(ShiplineError, match="the secret DB_PASSWORD cannot be had"):
        target.run(replace(one, size=1), revision=1)
    assert target.groups() == ()
    manager.is_down = False
    (endpoint,) = running(target, replace(one, size=1)).endpoints
    told = [get(endpoint.address, f"/{name}")[1] for name in ("QUOTES_COLOUR", "DB_PASSWORD")]
    assert told == ["blue", "hunter2"]
    files = [path for path in context.state.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"hunter2" in path.read_bytes()] == []
    manager.is_down = True
    assert running(target, replace(one, size=1), 2).endpoints == (endpoint,)


def test_logs_of_stopped_copies_are_kept_for_a_while(
    target: ProcessTarget, context: ProviderContext, one: GroupSpec
) -> None:
    """The newest ones, so that people can read them, and no more."""
    for number in range(STOPPED_LOGS_KEPT + 2):
        (context.state / "instances" / f"gone-{number}").mkdir(parents=True)
    running(target, one)
    target.stop("one", revision=2)
    assert "serving" in target._process("one", "1").output_end()
    assert len(list((context.state / "instances").iterdir())) == STOPPED_LOGS_KEPT


ENGINE = """
    import sys
    from pathlib import Path
    from tests.machine import SystemClock
    from shipline.ports.provider import ProviderContext
    from shipline.ports.target import GroupSpec, Role
    from shipline.providers.target.process import ProcessTarget

    state = Path(sys.argv[1])
    context = ProviderContext(root=state, state=state, clock=SystemClock())
    target = ProcessTarget(ProcessTarget.Settings(command=tuple(sys.argv[3:])), context)
    print("go", flush=True)
    target.run(GroupSpec("one", Role.STABLE, "conforming", "1.0.0", 2, tuple(sys.argv[2].split())), revision=1)
    print("started", flush=True)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2])
def test_an_engine_killed_while_it_runs_a_group_leaves_no_copy_unknown(
    target: ProcessTarget, context: ProviderContext, delay_s: float, one: GroupSpec
) -> None:
    """Kill -9 at several moments; the next engine ends up with one process a copy, and stopping leaves none."""
    engine = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENGINE), str(context.state), " ".join(one.digests), *COMMAND],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"go\n"
        context.clock.sleep(delay_s)
        engine.kill()
    running(target, one, 2)
    for copy in ("1", "2"):
        assert len([pid for pid in pids(target, copy) if identity(pid) is not None]) == 1
    target.stop("one", revision=3)
    assert all(identity(pid) is None for copy in ("1", "2") for pid in pids(target, copy))


def test_other_bytes_under_the_same_version_are_not_installed(target: ProcessTarget) -> None:
    """Though the index has them, and the right ones are installed beside them."""
    with pytest.raises(ShiplineError, match=r"could not install conforming==1\.0\.0") as refused:
        target.prepare(PACKAGE, GOOD, OTHER_BYTES)
    assert "DO NOT MATCH THE HASHES" in str(refused.value.why)
    with pytest.raises(ShiplineError, match="not installed here"):
        target.run(GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 1, OTHER_BYTES), revision=1)


@pytest.mark.parametrize(
    ("package", "version"),
    [("--help", GOOD), ("a/b", GOOD), ("", GOOD), (PACKAGE, "-r x"), (PACKAGE, "1\n"), (PACKAGE, "../1")],
)
def test_hostile_names_reach_neither_pip_nor_the_disk(target: ProcessTarget, package: str, version: str) -> None:
    """They are neither options nor paths."""
    with pytest.raises(InvalidValue):
        target.prepare(package, version, digests_of(GOOD))
    with pytest.raises(InvalidValue):
        target.run(GroupSpec("one", Role.STABLE, package, version, 1, digests_of(GOOD)), revision=1)


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
