"""An environment that is driven, wired from its settings, over a model of the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.driven import verdict_token_of, wanted_image_of
from shipline.domain.errors import ConfigurationError
from shipline.ports.controller import Phase
from shipline.testing.histories import History
from tests.command import run_shipline
from tests.controllers import DrivenCluster, driven_cluster

SETTINGS = """
schema = 1
[[environment]]
name = "production"
strategy = "driven"
verdict_token = {{ environment = "VERDICT_TOKEN" }}
[environment.controller]
provider = "flagger"
canary = "quotes"
container = "web"
kubeconfig = "{kubeconfig}"
[environment.signals]
provider = "prometheus"
url = "http://127.0.0.1:1"
requests = 'http_requests_total{{group="{{group}}"}}'
errors = 'http_requests_total{{group="{{group}}", code=~"5.."}}'
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DrivenCluster]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with driven_cluster("flagger", tmp_path) as made:
        text = SETTINGS.format(kubeconfig=tmp_path / "kubeconfig")
        History(tmp_path / "repo").commit("feat: a", {"shipline.toml": text})
        yield made


def test_a_controller_stands_where_target_and_traffic_stand(
    cluster: DrivenCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its workflow is that of driven environments; the token is read where the settings say."""
    application = Application(cluster.folder / "repo")
    environment = application.environment("production")
    ground = application.rollout_ground(environment)
    assert ground.controller is not None
    assert ground.controller.look().phase is Phase.SETTLED
    assert wanted_image_of(application.context, environment) == ground.controller.look().wanted.image
    (group,) = ground.target.groups()
    assert (group.id, [route.share for route in ground.traffic.routes()]) == ("quotes-primary", [1.0])
    assert ground.target.artifact_kinds == ("oci",)
    steps = application.engine.catalogue.workflows["rollout:production"].steps
    assert [step.name for step in steps] == ["gate", "prepare", "start", "drive", "verify"]
    monkeypatch.setenv("VERDICT_TOKEN", "v" * 32)
    assert verdict_token_of(application.context, environment) == "v" * 32
    monkeypatch.delenv("VERDICT_TOKEN")
    with pytest.raises(ConfigurationError, match="VERDICT_TOKEN"):
        verdict_token_of(application.context, environment)
    application.store.close()


def test_the_doctor_tries_the_token(cluster: DrivenCluster) -> None:
    """A short one opens nothing, and one that is not here may be elsewhere."""
    found = {}
    for token in ("v" * 32, "short", None):
        said = run_shipline(cluster.folder / "repo", "doctor", "--json", extra={"VERDICT_TOKEN": token})
        (check,) = (one for one in json.loads(said.out)["checks"] if one["name"] == "verdict token of production")
        found[token] = check["state"]
    assert list(found.values()) == ["ok", "wrong", "warning"]


def test_what_is_not_ours_is_not_taken_down(cluster: DrivenCluster) -> None:
    said = run_shipline(cluster.folder / "repo", "down", "production")
    assert said.code == 3
    assert "what production runs is not Shipline's to stop" in said.err
    assert cluster.server.requests == []
