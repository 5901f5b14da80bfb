"""What a user types, against a real API server: canary, blue-green, the way back, and what was changed by hand.

A real Prometheus scrapes the counts of requests; these are simulated, by the weights that the route has.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from shipline.testing.histories import History
from tests.cluster.real_cluster import RealCluster
from tests.clusters import digests_of, weights_of
from tests.command import Said, run_shipline
from tests.exporter import SCRAPE_S, scraped
from tests.machine import SystemClock
from tests.prometheus import PROGRAM, Exposing
from tests.released import on_record

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
REQUESTS_PER_S = 400.0
IMAGE = "/spec/template/spec/containers/0/image"
SETTINGS = """
schema = 1

[[environment]]
name = "production"
instances = 2
strategy = "{strategy}"

[environment.target]
provider = "kubernetes"
manifest = "deploy/quotes.yaml"
port = 8080
namespace = "{namespace}"
kubeconfig = "{kubeconfig}"

[environment.traffic]
provider = "gateway-api"
route = "quotes"
port = 8080
drain_s = 1
namespace = "{namespace}"
kubeconfig = "{kubeconfig}"
"""
CANARY = """
[environment.signals]
provider = "prometheus"
url = "{url}"
requests = 'r_total{{to="{{group}}"}}'
errors = 'r_total{{to="{{group}}", code=~"5.."}}'
lag_s = {lag_s}
window_s = {window_s}

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


class Mesh:
    """Users, who are led by the route's weights; `failing` are the parts of a version's requests that fail. What each
    group has answered is counted."""

    def __init__(self, cluster: RealCluster) -> None:
        self.failing: dict[str, float] = {}
        self._cluster = cluster
        self._answered: Counter[tuple[str, str]] = Counter()
        self._until_s = time.monotonic()
        self._lock = threading.Lock()

    def text(self) -> str:
        """As Prometheus reads it."""
        with self._lock:
            self._serve()
            rows = sorted(self._answered.items())
        return "".join(f'r_total{{to="{group}",code="{code}"}} {round(count)}\n' for (group, code), count in rows)

    def _serve(self) -> None:
        since_s, self._until_s = self._until_s, time.monotonic()
        weights = weights_of(self._cluster.read("httproutes", "quotes"))
        versions = {
            one["metadata"]["name"]: one["metadata"]["annotations"]["shipline.dev/version"]
            for one in self._cluster.listed("deployments")
        }
        for name, weight in weights.items():
            requests = REQUESTS_PER_S * (self._until_s - since_s) * weight / sum(weights.values()) if weight else 0.0
            failed = requests * self.failing.get(versions.get(name, ""), 0.0)
            for code, count in (("200", requests - failed), ("500", failed)):
                self._answered[name.removeprefix("s-"), code] += count  # type: ignore[assignment] # parts add up


class Project:
    """A repository whose releases are on record, with the images that the registry has."""

    def __init__(self, cluster: RealCluster, strategy: str, more: str = "") -> None:
        self.cluster = cluster
        settings = SETTINGS.format(strategy=strategy, namespace=cluster.namespace, kubeconfig=cluster.kubeconfig)
        manifest = (cluster.root / "deploy" / "quotes.yaml").read_text()
        self.history = History(cluster.root / "work")
        self.history.commit("feat: begin", {"shipline.toml": settings + more, "deploy/quotes.yaml": manifest})
        on_record(self.history.folder, "quotes", GOOD, BETTER, BROKEN)

    def say(self, *arguments: str, code: int = 0) -> Said:
        """A command, which has to end so."""
        said = run_shipline(self.history.folder, *arguments)
        assert said.code == code, said
        return said

    def replicas(self) -> dict[str, int]:
        """How many pods each Deployment wants."""
        return {one["metadata"]["name"]: one["spec"]["replicas"] for one in self.cluster.listed("deployments")}

    def weights(self) -> dict[str, int]:
        """The weights in the route."""
        return weights_of(self.cluster.read("httproutes", "quotes"))


@pytest.fixture
def breaches(cluster: RealCluster) -> Iterator[list[str]]:
    """What must never happen, as far as it was seen; nothing may be in it."""
    found: list[str] = []
    with cluster.watched(found):
        yield found
    assert found == []


@pytest.mark.skipif(PROGRAM is None, reason="needs Prometheus")
@pytest.mark.usefixtures("breaches")
def test_a_canary_is_promoted_gone_back_from_and_turned_back(cluster: RealCluster, tmp_path: Path) -> None:
    """The same version, first as good as the one before and then worse. Afterwards all is as recorded."""
    mesh = Mesh(cluster)
    with Exposing(mesh.text) as service, scraped(tmp_path / "prometheus", {"mesh": service.address}) as url:
        signals = CANARY.format(url=url, lag_s=2 * SCRAPE_S, window_s=4 * SCRAPE_S)
        project = Project(cluster, "canary", signals)
        project.say("deploy", GOOD)
        assert project.replicas() == {"s-quotes-1-0-0-a1-canary": 2}
        SystemClock().sleep(10 * SCRAPE_S)  # What serves has to be in Prometheus before a canary may begin.
        said = project.say("deploy", BETTER)
        assert f"quotes {BETTER} serves production" in said.err + said.out
        assert project.weights() == {"s-quotes-1-1-0-a1-canary": 100}
        project.say("rollback", "--reason", "users complain")
        assert project.weights() == {"s-quotes-1-0-0-a2-canary": 100}
        mesh.failing[BETTER] = 0.2
        said = project.say("deploy", BETTER, code=1)
        assert "fails more often" in said.err + said.out
        assert project.replicas() == {"s-quotes-1-0-0-a2-canary": 2}
        assert project.weights() == {"s-quotes-1-0-0-a2-canary": 100}
        assert "as recorded" in project.say("env", "drift").out


@pytest.mark.usefixtures("breaches")
def test_blue_green_goes_forth_and_back_and_what_was_set_by_hand_is_put_right(cluster: RealCluster) -> None:
    """A version that does not run is never switched to. Both ways lead out of what somebody has changed."""
    project = Project(cluster, "blue-green")
    project.say("deploy", GOOD)
    project.say("deploy", BETTER)
    assert project.weights() == {"s-quotes-1-1-0-a1-canary": 100}
    said = project.say("deploy", BROKEN, code=1)
    assert "it is broken" in said.err + said.out
    assert project.weights() == {"s-quotes-1-1-0-a1-canary": 100}
    changed = f"elsewhere/quotes@{digests_of(GOOD)[0]}"
    for command, serves in ((("env", "restore", "--reason", "a slip"), BETTER), (("rollback", "--to", GOOD), GOOD)):
        (name,) = project.replicas()
        cluster.edit("deployments", name, {"op": "replace", "path": IMAGE, "value": changed})
        cluster.rolled_out(name)
        said = project.say("env", "drift", code=1)
        assert f"its image was changed by somebody else: it runs {changed}" in said.out
        assert "shipline env restore production" in said.out
        project.say(*command)
        (name,) = project.replicas()
        assert name.startswith(f"s-quotes-{serves.replace('.', '-')}-")
        assert project.weights() == {name: 100}
        project.say("env", "drift")
