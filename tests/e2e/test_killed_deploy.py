"""Kills while real users are served behind a real HAProxy: of `shipline deploy` during a canary, and of a copy."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from examples.lay_out import Writer, lay_out
from shipline.bootstrap import Application
from shipline.capabilities.rollouts import latest_rollout
from shipline.clients.haproxy_files import CONFIGURATION_NAME
from shipline.domain.errors import UnavailableError
from shipline.providers.target.process import ProcessTarget
from shipline.providers.traffic.haproxy import HAProxyTraffic
from shipline.store.database import Store
from shipline.store.transaction import Transaction
from tests.command import Said, environment_of, run_shipline
from tests.machine import free_port, get, wait_until

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PATH = os.environ["PATH"] + os.pathsep + "/usr/sbin"  # Where Debian keeps haproxy.
RATE = 250
SETTINGS = """\
schema = 1

[[build]]
provider = "python"
isolation = false

[[registry]]
provider = "pypi"
upload_url = "http://127.0.0.1:{index}/"
index_url = "http://127.0.0.1:{index}/simple/"
anonymous = true

[[environment]]
name = "production"
instances = 2

[environment.target]
command = ["{{prefix}}/bin/quotes", "--host", "{{host}}", "--port", "{{port}}"]
index_url = "http://127.0.0.1:{index}/simple/"

[environment.traffic]
port = {proxy}

[environment.canary]
alpha = 0.05
evidence_calm = 5.0
harm_budget_requests = 200.0
first_requests = 20.0
promote_after_s = 60.0
deadline_s = 120.0
tick_s = 0.5
react_s = 2.0
growth_period_s = 1.0
ramp_every_s = 1.0
"""


class Place:
    """The quotes service in a repository of its own, with an index and a port for its users."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "quotes"
        self.index, self.proxy = free_port(), free_port()
        self.packages = folder / "index"
        self.packages.mkdir()
        self.log = folder / "log"
        self.started: list[subprocess.Popen[bytes]] = []

    def lay_out(self, until: str) -> None:
        """Bring the repository up to a series of the example's history."""
        lay_out(self.folder, until=until, writer=Writer("Robin", "robin@quotes.example", datetime.now(UTC)))  # noqa: TID251 - a history of today

    def configure(self) -> None:
        """Commit the settings."""
        (self.folder / "shipline.toml").write_text(SETTINGS.format(index=self.index, proxy=self.proxy))
        subprocess.run(["git", "add", "shipline.toml"], cwd=self.folder, check=True)
        subprocess.run(["git", "commit", "-q", "-m", "build: ship with shipline"], cwd=self.folder, check=True)

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """A program in a process group of its own."""
        environment = environment_of({"PATH": PATH})
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in arguments],
                cwd=self.folder,
                env=environment,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        self.started.append(process)
        return process

    def end_all(self) -> None:
        """What was started and runs still, since a test has failed before it could end it."""
        for process in self.started:
            with running(process):
                pass

    def shipline(self, *arguments: str) -> Said:
        """A command, to its end."""
        return run_shipline(self.folder, *arguments, extra={"PATH": PATH})

    def told(self, *arguments: str) -> dict[str, Any]:
        """A reading command's JSON."""
        said = self.shipline(*arguments, "--json")
        assert said.code == 0, said
        document: dict[str, Any] = json.loads(said.out)
        return document

    def wait_for_a_canary(self) -> None:
        """Return once real users meet the new version, by the record."""
        store = Store(f"sqlite:///{self.folder / '.shipline' / 'store.db'}").open()

        def at_work() -> bool:
            with store.snapshot() as connection:  # Whoever looks on takes no lock from the engine.
                found = latest_rollout(Transaction(connection, store.project, lambda: ""), "production")
            return found is not None and found.stable_version is not None and found.weight > 0

        wait_until(at_work, "the canary gets traffic")
        store.close()


@contextmanager
def running(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """It ends with the block."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The first version serves real users."""
    made = Place(tmp_path)
    made.lay_out("first")
    made.configure()
    options = ("run", "-i", "127.0.0.1", "-p", str(made.index), "-P", ".", "-a", ".", "--disable-fallback")
    with ExitStack() as stack:
        stack.enter_context(running(made.start(BIN / "pypi-server", *options, made.packages)))
        wait_until(lambda: _answers(made.index), "the index answers")
        released = made.shipline("release")
        assert released.code == 0, released
        stack.callback(made.shipline, "down", "production")
        stack.callback(made.end_all)
        deployed = made.shipline("deploy")
        assert deployed.code == 0, deployed
        yield made


@pytest.fixture
def load(place: Place, tmp_path: Path) -> Iterator[Path]:
    """Requests of many users all the time, and the report of them."""
    report = tmp_path / "load.json"
    arguments = (ROOT / "examples" / "load.py", f"127.0.0.1:{place.proxy}", "--rate", str(RATE), "--report", report)
    with running(place.start(sys.executable, *arguments)):
        yield report


def _answers(port: int) -> bool:
    try:
        return get(f"127.0.0.1:{port}", "/")[0] > 0
    except OSError:
        return False


@pytest.mark.timeout(180)
def test_a_deploy_that_is_killed_during_the_canary_is_ended_by_the_same_command(place: Place, load: Path) -> None:
    """Goal: no traffic is left on the bad version, which the analysis finds after the kill as it would have before."""
    place.lay_out("bad")
    released = place.shipline("release")
    assert released.code == 0, released
    killed = place.start(BIN / "shipline", "deploy")
    place.wait_for_a_canary()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = place.told("rollout", "show", "production")["rollout"]
    assert before["status"] == "running"
    ended = place.shipline("deploy")
    assert ended.code == 1, ended
    after = place.told("rollout", "show", "production")["rollout"]
    assert (after["id"], after["status"]) == (before["id"], "rolled_back"), ended
    application = Application(place.folder)
    ground = application.rollout_ground(application.environment("production"))
    serving = {route.version: route.share for route in ground.traffic.routes() if route.share > 0}
    assert serving == {before["stable_version"]: 1.0}
    assert {group.version for group in ground.target.groups()} == {before["stable_version"]}
    application.store.close()
    assert json.loads(load.read_text())["by_status"].get("0", 0) == 0, "the kill cost no user an answer"


@pytest.mark.timeout(180)
def test_a_proxy_that_is_killed_during_the_canary_comes_back_with_its_weights(place: Place, load: Path) -> None:
    """Goal: not one request meets other shares than those before. Method: they stand in what the proxy is started with,
    and whoever asks it first is told them; the rollout is paused, so that nothing but the restart could change them."""
    place.lay_out("good")
    assert place.shipline("release").code == 0
    application = Application(place.folder)
    traffic = application.rollout_ground(application.environment("production")).traffic
    assert isinstance(traffic, HAProxyTraffic)
    deploy = place.start(BIN / "shipline", "deploy")
    place.wait_for_a_canary()
    assert place.shipline("rollout", "pause").code == 0
    wait_until(lambda: place.told("rollout", "show", "production")["rollout"]["waiting_for"].startswith("Paused"), "it")
    before, pid = traffic.routes(), traffic._process.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: traffic._process.pid() not in (None, pid), "the rollout starts the proxy again")
    weights = re.findall(r" server (\w+):.* weight (\d+)", (traffic._process.folder / CONFIGURATION_NAME).read_text())
    assert {role for role, weight in weights if int(weight)} == {route.role for route in before if route.share > 0}
    wait_until(lambda: is_told(traffic), "the proxy answers")
    assert traffic.routes() == before
    requests = json.loads(load.read_text())["by_status"]["200"]
    wait_until(lambda: json.loads(load.read_text())["by_status"]["200"] > requests, "users are served")
    assert place.shipline("rollout", "abort").code == 0
    assert deploy.wait(timeout=90) == 1
    assert place.told("rollout", "show", "production")["rollout"]["status"] == "rolled_back"
    application.store.close()


def is_told(traffic: HAProxyTraffic) -> bool:
    try:
        return bool(traffic.routes())
    except UnavailableError:
        return False


@pytest.mark.timeout(180)
def test_a_copy_that_is_killed_comes_back_by_itself_while_an_engine_runs(place: Place) -> None:
    """The other copy serves meanwhile; whoever looks is told; the rollout's record is as it was. So does the proxy."""
    application = Application(place.folder)
    target = application.rollout_ground(application.environment("production")).target
    assert isinstance(target, ProcessTarget)
    (before,) = target.groups()
    assert (before.ready, before.size) == (2, 2)
    with running(place.start(BIN / "shipline", "up", "--port", str(free_port()))):
        pid = target._process(before.id, "1").pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: target._process(before.id, "1").pid() not in (None, pid), "the copy is back")
        wait_until(lambda: "ready again" in place.told("env", "list")["environments"][0]["mending"], "it is told")
        statuses = {get(f"127.0.0.1:{place.proxy}", "/")[0] for _ in range(40)}
        traffic = application.rollout_ground(application.environment("production")).traffic
        assert isinstance(traffic, HAProxyTraffic)
        proxy = traffic._process.pid()
        assert proxy is not None
        os.kill(proxy, signal.SIGKILL)
        wait_until(lambda: told_of(place)[-1] == "ProxyRecovered", "the proxy is back")
        assert get(f"127.0.0.1:{place.proxy}", "/")[0] == 200
    assert statuses == {200}, place.log.read_text()
    assert target.groups() == (before,)
    assert told_of(place) == ["CopiesFailed", "CopiesRecovered", "ProxyFailed", "ProxyRecovered"]
    application.store.close()


def told_of(place: Place) -> list[str]:
    """What the log has of the environment."""
    return [each["kind"] for each in place.told("log", "show", "--stream", "environment:production")["events"]]
