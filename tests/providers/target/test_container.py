"""Containers on a model of an engine."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import GroupSpec, Role, Target
from shipline.ports.variables import Variables
from shipline.providers.target.container import ContainerTarget
from shipline.providers.target.container_settings import ContainerSettings
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, OTHER_BYTES, PACKAGE, TargetConformance, found
from shipline.testing.fakes.secrets import MemorySecrets
from tests.fake_engine import EngineWorld, FakeContainer, Image, fake_engine
from tests.machine import SystemClock, wait_until

REPOSITORY = "registry.example.org/acme/conforming"
MUTE = "1.3.0"
DIGESTS = {version: (f"sha256:{number:064x}",) for number, version in enumerate((GOOD, BETTER, BROKEN, MUTE), start=1)}


@pytest.fixture
def socket() -> Iterator[Path]:
    """A short path: a socket's has 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        yield Path(folder) / "sock"


@pytest.fixture
def world(socket: Path) -> Iterator[EngineWorld]:
    """An engine, and a registry with the versions."""
    with fake_engine(socket) as world:
        for (digest,) in DIGESTS.values():
            world.registry[f"{REPOSITORY}@{digest}"] = Image()
        world.registry[f"{REPOSITORY}@{DIGESTS[BROKEN][0]}"] = Image("it is broken", exit_code=1)
        world.registry[f"{REPOSITORY}@{DIGESTS[MUTE][0]}"] = Image("it says nothing", status=503)
        yield world


def settings_at(socket: Path, **others: Any) -> ContainerSettings:
    return ContainerSettings(
        **{"image": REPOSITORY, "port": 8080, "engine": f"unix://{socket}", "stop_timeout_s": 3, **others}
    )


@pytest.fixture
def context(tmp_path: Path) -> ProviderContext:
    return ProviderContext(tmp_path, tmp_path / "state", SystemClock(), "production")


@pytest.fixture
def target(world: EngineWorld, socket: Path, context: ProviderContext) -> ContainerTarget:
    """A target where the good version is prepared."""
    target = ContainerTarget(settings_at(socket), context)
    target.prepare(PACKAGE, GOOD, DIGESTS[GOOD])
    assert list(world.images) == [f"{REPOSITORY}@{DIGESTS[GOOD][0]}"]
    return target


ONE = GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, DIGESTS[GOOD])


def copy(world: EngineWorld, number: int = 1, group: str = "one") -> FakeContainer:
    return next(one for name, one in world.containers.items() if name.endswith(f"-{group}-{number}"))


class TestContainerTarget(TargetConformance):
    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return DIGESTS.__getitem__

    @pytest.fixture
    def open_target(self, world: EngineWorld, socket: Path, context: ProviderContext) -> Callable[[], Target]:
        assert not world.containers
        return lambda: ContainerTarget(settings_at(socket), context)

    @pytest.fixture
    def wait(self) -> Callable[[Callable[[], bool], str], None]:
        return wait_until

    @pytest.fixture
    def kill_copy(self, world: EngineWorld) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert found(target, group_id).is_whole
            world.kill(copy(world, 1, group_id).name)

        return kill_copy


def test_a_container_is_the_released_image_on_a_port_of_this_machine(
    target: ContainerTarget, world: EngineWorld
) -> None:
    """By its digest, with labels that tell people what it is, and an output that does not fill the disk."""
    group = target.run(ONE, revision=1)
    body = copy(world).body
    port = group.endpoints[0].address.rpartition(":")[2]
    assert body["Image"] == f"{REPOSITORY}@{DIGESTS[GOOD][0]}"
    host = body["HostConfig"]
    assert host["PortBindings"] == {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}]}
    assert host["RestartPolicy"] == {"Name": "no"}
    assert host["LogConfig"]["Config"] == {"max-size": "4m", "max-file": "2"}
    labels = {name: value for name, value in body["Labels"].items() if name != "shipline.owner"}
    assert labels == {
        "shipline.environment": "production",
        "shipline.copy": "1",
        "shipline.group": "one",
        "shipline.package": PACKAGE,
        "shipline.version": GOOD,
    }
    assert "Cmd" not in body


def test_what_is_set_is_filled_in(world: EngineWorld, socket: Path, context: ProviderContext) -> None:
    """In a network of its own the port is the service's; in the host's it is the copy's."""
    given = {
        "command": ("serve", "--port={port}"),
        "environment": {"VERSION": "v{version}", "BRACES": "{other}"},
        "volumes": ("data:/data", "/etc/quotes:/etc/quotes:ro"),
    }
    target = ContainerTarget(settings_at(socket, **given), context)
    target.prepare(PACKAGE, GOOD, DIGESTS[GOOD])
    target.run(replace(ONE, size=1), revision=1)
    body = copy(world).body
    assert (body["Cmd"], body["Env"]) == (["serve", "--port=8080"], ["VERSION=v1.0.0", "BRACES={other}"])
    assert body["HostConfig"]["Binds"] == ["data:/data", "/etc/quotes:/etc/quotes:ro"]
    target.stop("one", revision=2)
    broken = replace(ONE, version=BROKEN, digests=DIGESTS[BROKEN], size=1)
    target = ContainerTarget(settings_at(socket, network="host", **given), context)
    target.prepare(PACKAGE, BROKEN, DIGESTS[BROKEN])
    target.run(broken, revision=3)
    body = copy(world).body
    assert body["HostConfig"]["PortBindings"] == {}
    assert body["Cmd"][1].startswith("--port=2")


def test_containers_get_what_the_environment_gives_as_it_is(
    world: EngineWorld, socket: Path, context: ProviderContext
) -> None:
    """Over what the target sets, with nothing filled in, and their last words are told without the secrets."""
    manager = MemorySecrets({"DB": "it {port}"})
    given = Variables({"COLOUR": "blue {port}"}, {"DB_PASSWORD": partial(manager.read, "DB")})
    settings = settings_at(socket, environment={"COLOUR": "red", "PORT": "{port}"})
    target = ContainerTarget(settings, replace(context, given=given))
    broken = replace(ONE, version=BROKEN, digests=DIGESTS[BROKEN], size=1)
    target.prepare(PACKAGE, BROKEN, DIGESTS[BROKEN])
    manager.is_down = True
    with pytest.raises(ShiplineError, match="the secret DB_PASSWORD cannot be had"):
        target.run(broken, revision=1)
    assert target.groups() == ()
    manager.is_down = False
    target.run(broken, revision=1)
    assert copy(world).body["Env"] == ["COLOUR=blue {port}", "PORT=8080", "DB_PASSWORD=it {port}"]
    manager.kept["DB"] = "it is broken"
    target.run(broken, revision=2)
    assert found(target, "one").trouble.splitlines()[2] == "***"
    state = (tmp.read_text() for tmp in context.state.rglob("*.json"))
    assert not any("DB_PASSWORD" in text or "broken" in text for text in state)


def test_a_copy_that_died_is_started_where_it_was_with_its_last_words_told(
    target: ContainerTarget, world: EngineWorld
) -> None:
    """So that routes to it hold again; the one that lives is left alone."""
    target.run(ONE, revision=1)
    wait_until(lambda: found(target, "one").is_whole, "the copies")
    whole, other = found(target, "one"), copy(world, 2).id
    world.kill(copy(world).name)
    hurt = found(target, "one")
    assert (hurt.ready, hurt.hopeless) == (1, True)
    assert "ended with exit code 137" in hurt.trouble
    assert "serving" in hurt.trouble
    assert target.run(ONE, revision=2).endpoints == whole.endpoints
    assert copy(world, 2).id == other
    del world.containers[copy(world).name]
    assert "is gone" in found(target, "one").trouble


def test_a_group_that_is_never_healthy_says_so_when_its_time_is_over(
    world: EngineWorld, socket: Path, context: ProviderContext
) -> None:
    """It goes on running until somebody stops it."""

    class Later(SystemClock):
        def now_us(self) -> int:
            return super().now_us() + 60_000_000

    spec = replace(ONE, version=MUTE, digests=DIGESTS[MUTE], size=1)
    target = ContainerTarget(settings_at(socket), context)
    target.prepare(PACKAGE, MUTE, DIGESTS[MUTE])
    target.run(spec, revision=1)
    assert (found(target, "one").trouble, found(target, "one").hopeless) == ("", False)
    later = ContainerTarget(settings_at(socket), replace(context, clock=Later()))
    late = found(later, "one")
    assert (late.ready, late.lives, late.hopeless) == (0, True, True)
    assert "was not healthy within 30 s" in late.trouble
    assert "it says nothing" in late.trouble
    assert copy(world).server is not None


def test_a_container_of_somebody_else_is_left_alone(target: ContainerTarget, world: EngineWorld) -> None:
    """Whatever it is called."""
    target.run(ONE, revision=1)
    copy(world).body["Labels"] = {"shipline.owner": "another"}
    with pytest.raises(ConflictError, match="none of this environment's"):
        target.stop("one", revision=2)
    assert copy(world).server is not None


def test_other_bytes_cannot_be_had(world: EngineWorld, socket: Path, context: ProviderContext) -> None:
    """The engine is asked for the digest, and says itself that there is no such image."""
    target = ContainerTarget(settings_at(socket), context)
    with pytest.raises(ShiplineError, match="cannot be had") as caught:
        target.prepare(PACKAGE, GOOD, OTHER_BYTES)
    assert "manifest unknown" in caught.value.why
    assert world.images == {}
    target.prepare(PACKAGE, GOOD, (*OTHER_BYTES, *DIGESTS[GOOD]))
    assert list(world.images) == [f"{REPOSITORY}@{DIGESTS[GOOD][0]}"]


def test_who_pulls_is_told_to_the_engine_alone(
    world: EngineWorld, socket: Path, context: ProviderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = ContainerTarget(settings_at(socket, username="ann", password_environment="PULL_TOKEN"), context)
    with pytest.raises(ConfigurationError, match="PULL_TOKEN is not set"):
        target.prepare(PACKAGE, GOOD, DIGESTS[GOOD])
    monkeypatch.setenv("PULL_TOKEN", "made-up")
    target.prepare(PACKAGE, GOOD, DIGESTS[GOOD])
    assert world.logins[0] is not None
    assert json.loads(base64.urlsafe_b64decode(world.logins[0])) == {"username": "ann", "password": "made-up"}
    with pytest.raises(ShiplineError) as caught:
        target.prepare(PACKAGE, GOOD, OTHER_BYTES)
    assert "made-up" not in caught.value.diagnosis()


def test_the_newest_api_that_both_know_is_spoken(target: ContainerTarget, world: EngineWorld) -> None:
    """Not a newer one than this was written for."""
    assert any("/v1.41/" in path for path in world.paths)
    world.api_version = "1.60"
    target.run(ONE, revision=1)
    assert any("/v1.44/" in path for path in world.paths)


def test_an_engine_in_trouble_is_told_as_such(
    target: ContainerTarget, world: EngineWorld, context: ProviderContext, tmp_path: Path
) -> None:
    """What may pass, what does not, and one that is not there."""
    target.run(ONE, revision=1)
    world.trouble = 503
    with pytest.raises(UnavailableError, match="in trouble"):
        target.groups()
    world.trouble = 500
    with pytest.raises(ShiplineError, match="says no") as caught:
        target.groups()
    assert (type(caught.value), caught.value.why) == (ShiplineError, "the engine is not well")
    world.trouble = 0
    gone = ContainerTarget(settings_at(tmp_path / "nowhere"), context)
    with pytest.raises(UnavailableError, match="does not answer"):
        gone.groups()


def test_a_group_does_not_shrink_by_itself(target: ContainerTarget, world: EngineWorld) -> None:
    """A container that is stopped cuts its requests off. One that is named leaves, with time to end."""
    target.run(ONE, revision=1)
    with pytest.raises(RefusedError):
        target.run(replace(ONE, size=1), revision=2)
    leaving = copy(world)
    target.run(replace(ONE, size=1), revision=2, leaving=("1",))
    assert (leaving.stops, leaving.name in world.containers) == (["3"], False)


COMPOSE = """\
services:
  quotes:
    build: .
    image: registry.example.org/acme/conforming:latest
    command: serve --port {port}
    environment:
      COLOUR: blue
      PRICE: 5$$
    volumes: ["data:/data"]
    expose: ["8080"]
    restart: always
    user: "1000"
    read_only: true
    networks: [backend]
    labels:
      team: quotes
      com.example.cost: 7
    healthcheck:
      test: ["CMD", "check", "5$$"]
      interval: 1m30s
      timeout: 1.5s
      retries: 2
  database:
    image: postgres
volumes:
  data: {}
networks:
  backend:
    external: true
    name: acme_backend
  other: {}
"""


def test_a_compose_service_is_the_template(
    world: EngineWorld, socket: Path, context: ProviderContext, tmp_path: Path
) -> None:
    """But for its tag, which the release's digest takes the place of; settings go before it."""
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    settings = ContainerSettings(
        engine=f"unix://{socket}",
        compose_file="compose.yaml",
        service="quotes",
        environment={"COLOUR": "red"},
        volumes=("/srv:/srv",),
    )
    target = ContainerTarget(settings, context)
    target.prepare(PACKAGE, GOOD, DIGESTS[GOOD])
    target.run(replace(ONE, size=1), revision=1)
    body = copy(world).body
    assert body["Image"] == f"{REPOSITORY}@{DIGESTS[GOOD][0]}"
    assert (body["Cmd"], body["Env"]) == (["serve", "--port", "8080"], ["COLOUR=red", "PRICE=5$"])
    assert (body["User"], body["HostConfig"]["ReadonlyRootfs"]) == ("1000", True)
    assert body["HostConfig"]["Binds"] == ["data:/data", "/srv:/srv"]
    assert body["HostConfig"]["NetworkMode"] == "acme_backend"
    assert (body["Labels"]["team"], body["Labels"]["com.example.cost"]) == ("quotes", "7")
    assert body["Healthcheck"] == {
        "Test": ["CMD", "check", "5$"],
        "Interval": 90_000_000_000,
        "Timeout": 1_500_000_000,
        "StartPeriod": 0,
        "Retries": 2,
    }
    assert replace(settings, network="mine").template(tmp_path).network == "mine"
    target.stop("one", revision=2)
    (tmp_path / "compose.yaml").write_text(COMPOSE.replace("    networks: [backend]\n", ""))
    assert settings.template(tmp_path).network == "bridge"


def test_a_health_check_of_the_container_s_own_takes_back_what_the_probe_says(
    world: EngineWorld, target: ContainerTarget, socket: Path, context: ProviderContext
) -> None:
    """While it begins, or where the engine carries none out, the probe alone decides."""
    target.run(replace(ONE, size=1), revision=1)
    wait_until(lambda: found(target, "one").is_whole, "the copy")
    for health, ready in (("starting", 1), ("unhealthy", 0), ("healthy", 1), ("unhealthy", 0)):
        copy(world).health = health
        assert found(target, "one").ready == ready
    assert found(target, "one").trouble == ""
    late = ContainerTarget(settings_at(socket, health_timeout_s=1), context)
    wait_until(lambda: found(late, "one").hopeless, "the end of its time")
    assert "not well, as its own health check says" in found(late, "one").trouble


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("    user:", "    privileged: true\n    user:"), "'privileged' is not understood"),
        (("    user:", "    depends_on: [database]\n    user:"), "'depends_on' is not understood"),
        (("data:/data", "/:/host"), "volumes: '/:/host' is not taken"),
        (("data:/data", "./src:/src"), "is not taken"),
        (("blue", "${COLOUR}"), "not filled in"),
        (("COLOUR: blue", "COLOUR:"), "has a value for each name"),
        (('["8080"]', '["8080", "8081"]'), "names one port"),
        (('["8080"]', "[]"), "exposes no port"),
        (("image: registry.example.org/acme/conforming:latest", "init: false"), "has no image"),
        (("read_only: true", "read_only: maybe"), "is true or false"),
        (("command: serve --port {port}", "command: serve 'open"), "cannot be split"),
        (("quotes:", "other:"), "has no service 'quotes'"),
        (("[backend]", "[backend, other]"), "names one network"),
        (("[backend]", "{backend: {aliases: [x]}}"), "names one network"),
        (("[backend]", "[other]"), "'other' is not external"),
        (("[backend]", "[nobody]"), "'nobody' is not external"),
        (("acme_backend", "host"), "networks: 'host' is not taken"),
        (("acme_backend", "container:x"), "is not taken"),
        (("team:", "shipline.owner:"), "labels: 'shipline.owner' is not taken"),
        (("team: quotes", "team:"), "labels has a value for each name"),
        (("interval: 1m30s", "interval: 90"), "interval is a duration"),
        (("interval: 1m30s", "start_interval: 1s"), "'start_interval' is not understood"),
        (("retries: 2", "retries: -1"), "retries is 0 to 1000"),
        (("retries: 2", "disable: true"), "disable stands alone"),
        (('["CMD", "check", "5$$"]', '["check"]'), "begins with CMD"),
        (('["CMD", "check", "5$$"]', "check ${X}"), "not filled in"),
        (("services:", "services: ["), "is not YAML"),
        (("services:", "services: !!python/object:os.system"), "is not YAML"),
    ],
)
def test_a_compose_service_that_would_not_be_the_one_that_is_meant_is_refused(
    socket: Path, context: ProviderContext, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    """Before anything is asked of the engine."""
    (tmp_path / "compose.yaml").write_text(COMPOSE.replace(*change))
    settings = ContainerSettings(engine=f"unix://{socket}", compose_file="compose.yaml", service="quotes")
    with pytest.raises(ConfigurationError) as caught:
        ContainerTarget(settings, context).prepare(PACKAGE, GOOD, DIGESTS[GOOD])
    assert said in caught.value.what


@pytest.mark.parametrize("name", ["../compose.yaml", "/etc/hostname", "missing.yaml"])
def test_a_compose_file_lies_in_the_repository(socket: Path, context: ProviderContext, name: str) -> None:
    settings = ContainerSettings(engine=f"unix://{socket}", compose_file=name, service="quotes")
    with pytest.raises(ConfigurationError, match="compose_file"):
        ContainerTarget(settings, context).prepare(PACKAGE, GOOD, DIGESTS[GOOD])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"engine": "tcp://10.0.0.1:2375"}, "neither unix"),
        ({"engine": "http://engine.example.org:2375"}, "neither unix"),
        ({"engine": "unix://host/path"}, "neither unix"),
        ({"image": "quotes:latest"}, "not the name of a repository"),
        ({"image": "Quotes"}, "not the name of a repository"),
        ({"image": f"quotes@{DIGESTS[GOOD][0]}"}, "not the name of a repository"),
        ({"image": ""}, "needs image and port"),
        ({"port": 70000}, "is not a port"),
        ({"volumes": ("data",)}, "is not taken"),
        ({"volumes": ("../x:/x",)}, "is not taken"),
        ({"environment": {"A B": "x"}}, "a variable's name"),
        ({"network": "a b"}, "not the name of one"),
        ({"health_path": "healthz"}, "not the path of a URL"),
        ({"stop_timeout_s": 0}, "1 second or more"),
        ({"username": "ann"}, "go together"),
        ({"service": "quotes"}, "go together"),
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_at(Path("/run/engine.sock"), **wrong)
    assert said in caught.value.what
