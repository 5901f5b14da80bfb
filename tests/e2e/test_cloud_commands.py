"""What a user types, against what stands in for ECS and for Cloud Run: forth and back.

ECS is moto's server with simulated tasks, Cloud Run a model of its API; both go by the machine's clock.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from shipline.testing.fakes.cloud_run import LOCATION, PROJECT, SERVICE, TOKEN
from shipline.testing.histories import History
from tests.aws import CLUSTER, REGION, TEMPLATE, AWSWorld
from tests.cloud_run import cloud_run
from tests.clusters import digests_of, registry_with
from tests.command import Said, run_shipline
from tests.ecs_states import ECSStates
from tests.kills.child import WallClock
from tests.released import on_record

ECS = """
schema = 1

[[environment]]
name = "production"
instances = 2
strategy = "blue-green"

[environment.target]
provider = "ecs"
region = "{region}"
cluster = "{cluster}"
task_definition = "task.json"
container = "web"
port = 8080
launch_type = "FARGATE"
subnets = ["{subnets[0]}", "{subnets[1]}"]
listener = "{listener}"
target_group = "{template}"
endpoint_url = "{url}"

[environment.traffic]
provider = "alb"
region = "{region}"
rule = "{rule}"
endpoint_url = "{url}"
"""
CLOUD_RUN = """
schema = 1

[[environment]]
name = "production"
strategy = "blue-green"

[environment.target]
provider = "cloud-run"
project = "{project}"
location = "{location}"
service = "{service}"
template = "revision.json"
url = "{url}"

[environment.traffic]
provider = "cloud-run"
project = "{project}"
location = "{location}"
service = "{service}"
drain_s = 0
url = "{url}"
"""


class Commands:
    """A repository whose releases are on record."""

    def __init__(self, folder: Path, settings: str, file: str, content: str) -> None:
        self.folder = folder / "work"
        History(self.folder).commit("feat: begin", {"shipline.toml": settings, file: content})
        on_record(self.folder, "quotes", GOOD, BETTER, BROKEN)

    def say(self, *arguments: str, code: int = 0) -> Said:
        """A command, which has to end so."""
        said = run_shipline(self.folder, *arguments)
        assert said.code == code, said
        return said


@pytest.fixture(autouse=True)
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made up ones."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def test_on_ecs_a_version_that_its_circuit_breaker_gives_up_leaves_the_one_before(
    moto_port: int, tmp_path: Path
) -> None:
    """All requests stay with the task definition before. A rollback goes back by one command."""
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    clock = WallClock()
    with ECSStates(moto_port, clock) as states, registry_with(*images) as host:
        states.broken.update(digests_of(BROKEN))
        aws = AWSWorld(states, clock, tmp_path, host)
        aws.delay(0)
        known = {"region": REGION, "cluster": CLUSTER, "template": TEMPLATE, "url": states.url}
        settings = ECS.format(subnets=aws.subnets, listener=aws.listener, rule=aws.rule, **known)
        commands = Commands(tmp_path, settings, "task.json", (tmp_path / "task.json").read_text())

        def serving() -> list[str]:
            return [route.version for route in aws.traffic("production").routes() if route.share]

        commands.say("deploy", GOOD)
        said = commands.say("deploy", BROKEN, code=1)
        assert "tasks failed to start" in said.out + said.err
        assert serving() == [GOOD]
        assert [group.version for group in aws.target("production").groups()] == [GOOD]
        commands.say("deploy", BETTER)
        assert serving() == [BETTER]
        commands.say("rollback")
        assert serving() == [GOOD]


def test_on_cloud_run_a_revision_that_does_not_start_gets_no_request(tmp_path: Path) -> None:
    """A rollback goes back by one command."""
    with cloud_run(tmp_path, WallClock()) as place:
        known = {"project": PROJECT, "location": LOCATION, "service": SERVICE, "url": place.server.url}
        template = (tmp_path / "revision.json").read_text()
        commands = Commands(tmp_path, CLOUD_RUN.format(**known), "revision.json", template)

        def serving() -> list[str]:
            return [route.version for route in place.traffic("production").routes() if route.share]

        commands.say("deploy", GOOD)
        said = commands.say("deploy", BROKEN, code=1)
        assert "it is broken" in said.out + said.err
        assert serving() == [GOOD]
        commands.say("deploy", BETTER)
        assert serving() == [BETTER]
        commands.say("rollback")
        assert serving() == [GOOD]
