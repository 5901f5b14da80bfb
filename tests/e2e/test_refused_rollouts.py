"""What an order of a rollout is refused for, on the real command line: each with its exit code, its reason and its way
out, and nothing half done. 2: it cannot be understood; 3: refused; 1: it cannot be carried out, or there is no such
thing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import DEPLOYMENTS, ROLLOUTS
from shipline.domain.artifact import Artifact
from shipline.domain.deployment import Deployment
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.testing.histories import History
from tests.clients.test_ssh_signatures import new_key, public
from tests.command import Said, run_shipline
from tests.machine import free_port
from tests.providers.metrics.contract import Answer, Request, keeping

PLACE = """
[[environment]]
name = "production"
target.command = ["serve", "{port}"]
traffic.port = PORT
"""
AFTER = f"""
[[environment]]
name = "staging"
target.command = ["serve", "{{port}}"]
traffic.port = 1
{PLACE}after = ["staging"]
"""
FREEZE = """
[[calendar]]
name = "year end"
kind = "freeze"
stages = ["production"]
begins = "2020-01-01 00:00"
ends = "2099-01-01 00:00"
"""
GATE = """
[[gate]]
name = "two eyes"
stage = "production"
rule = "true"
approvals = { security = 1 }
"""
AWAY = """
[[environment]]
name = "production"
strategy = "all-at-once"
target = { provider = "container", image = "registry.example/quotes", port = 80, engine = "unix:///nowhere.sock" }
traffic.port = PORT
"""
CHECK = """
[[environment.check]]
name = "lag"
query = "lag_seconds"
max = 5.0
metrics.url = "URL"
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A repository with its store."""

    folder: Path

    def say(self, *arguments: str, settings: str | None = None) -> Said:
        """A command, with these settings from now on."""
        if settings is not None:
            self.write(settings)
        return run_shipline(self.folder, *arguments)

    def write(self, settings: str) -> None:
        """These settings from now on."""
        (self.folder / "shipline.toml").write_text("schema = 1\n" + settings.replace("PORT", str(free_port())))

    def record(self) -> tuple[list[tuple[str, str]], list[str]]:
        """The rollouts with their status, and what serves."""
        application = Application(self.folder)
        with application.store.begin() as tx:
            rollouts = [(one.version, one.status.value) for one in ROLLOUTS.where(tx, order="started_us")]
            serving = [one.version for one in DEPLOYMENTS.where(tx, ended_us=None)]
        application.store.close()
        return rollouts, serving


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """1.0.0 serves by the record, and 1.1.0 is released, of artifacts that no registry has.

    Where an engine was run it may have missed the proxy of what serves, and started it.
    """
    history = History(tmp_path / "project")
    commit = history.commit("feat: say something", {"a": "1"})
    (history.folder / "shipline.toml").write_text("schema = 1\n" + PLACE.replace("PORT", "8002"))
    application = Application(history.folder)
    artifacts = tuple(Artifact(f"quotes.{kind}", kind, "sha256:" + "5" * 64, 1) for kind in ("wheel", "oci"))
    with application.store.begin() as tx:
        for number, version in enumerate(("1.0.0", "1.1.0")):
            made = Release(f"rel_{version}", "quotes", version, f"v{version}", ReleaseStatus.PUBLISHED, 1, number)
            RELEASES.save(tx, replace(made, commit=commit, artifacts=artifacts))
        before = Rollout("rol_1", "quotes", "1.0.0", "production", "canary", RolloutStatus.PROMOTED, started_us=10)
        ROLLOUTS.save(tx, before)
        DEPLOYMENTS.save(tx, Deployment("dep_1", "production", "quotes", "1.0.0", "rol_1", 10, finished_us=11))
    application.store.close()
    project = Project(history.folder)
    yield project
    if (history.folder / ".shipline" / "environments" / "production" / "traffic").exists():
        assert project.say("down", "production", settings=PLACE).code == 0


TO = ("deploy", "1.1.0", "--to", "production")


@pytest.mark.parametrize(
    ("settings", "command", "code", "told"),
    [
        pytest.param(PLACE + "instance = 2\n", TO, 2, ("'instance'", "instances"), id="unknown key"),
        pytest.param(PLACE + 'strategy = "canari"\n', TO, 2, ("canari", "blue-green"), id="unknown strategy"),
        pytest.param(
            PLACE + 'target.provider = "kubernets"\n', TO, 2, ("kubernets", "kubernetes"), id="unknown target"
        ),
        pytest.param(PLACE, (*TO[:3], "nowhere"), 1, ("nowhere", "production"), id="unknown environment"),
        pytest.param(PLACE, ("deploy", "9.9.9"), 1, ("9.9.9", "1.1.0"), id="unknown version"),
        pytest.param(PLACE, ("rollback", "--to", "9.9.9"), 1, ("9.9.9", "shipline releases"), id="way back to nothing"),
        pytest.param(AFTER, TO, 3, ("not been deployed to staging", "--to staging"), id="skips its predecessor"),
        pytest.param(AFTER, ("promote", "production"), 3, ("nothing to promote", "staging"), id="nothing to promote"),
        pytest.param(PLACE + FREEZE, TO, 3, ("may not enter production", "year end"), id="freeze"),
        pytest.param(PLACE + GATE, TO, 3, ("may not enter production", "two eyes"), id="nobody has approved"),
        pytest.param(AWAY, TO, 1, ("nowhere.sock",), id="unreachable target"),
        pytest.param(PLACE, ("rollout", "resume"), 3, ("has ended",), id="a rollout that has ended"),
        pytest.param(PLACE, ("rollout", "retry"), 3, ("nothing to retry",), id="nothing to retry"),
    ],
)
def test_what_is_refused_begins_nothing(
    project: Project, settings: str, command: tuple[str, ...], code: int, told: tuple[str, ...]
) -> None:
    said = project.say(*command, settings=settings)
    assert said.code == code, said
    assert all(words in said.err for words in told), said
    project.write(PLACE)  # The record is read by settings that can be.
    assert project.record() == ([("1.0.0", "promoted")], ["1.0.0"])


def test_a_digest_that_is_nowhere_ends_before_anything_runs(project: Project) -> None:
    """The release has it on record; whoever serves the files does not."""
    said = project.say(*TO, settings=PLACE + 'target.index_url = "http://127.0.0.1:1"\n')
    assert said.code == 1, said
    assert "1.1.0 is rolled back; production serves 1.0.0" in said.err
    assert project.record() == ([("1.0.0", "promoted"), ("1.1.0", "rolled_back")], ["1.0.0"])


VECTOR = [{"metric": {"pod": name}, "value": [0, "1"]} for name in "ab"]
ANSWERS = {
    "nothing": [],
    "not a number": [{"metric": {}, "value": [0, "NaN"]}],
    "a vector": VECTOR,
}


@pytest.fixture(params=list(ANSWERS))
def source(request: pytest.FixtureRequest) -> Iterator[str]:
    """A Prometheus that answers so; gives the settings that ask it."""

    def answer(_request: Request) -> Answer:
        return 200, {"status": "success", "data": {"resultType": "vector", "result": ANSWERS[request.param]}}

    with keeping(answer) as server:
        yield PLACE + CHECK.replace("URL", server.url)


def test_a_query_that_gives_no_number_is_refused_before_anything_runs(project: Project, source: str) -> None:
    """By the check that tries it, and by the deployment, which turns back before it has begun."""
    checked = project.say("rollout", "check", "production", settings=source)
    assert checked.code == 3, checked
    assert "A rollout would be refused" in checked.out
    said = project.say(*TO)
    assert said.code == 1, said
    assert "gives no number" in said.err
    assert project.record() == ([("1.0.0", "promoted"), ("1.1.0", "rolled_back")], ["1.0.0"])


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_an_approval_by_the_wrong_person_or_of_something_else_lets_nothing_in(project: Project, tmp_path: Path) -> None:
    """By a key of nobody, in a name that is not one's own, in another role, for other artifacts."""
    keys = tmp_path / "keys"
    keys.mkdir()
    ann, eve = (new_key(keys, name) for name in ("ann", "eve"))
    approver = f'[[approver]]\nname = "ann"\nroles = ["security", "product"]\nkey = "{public(ann).strip()}"\n'
    yes = ("approve", "1.1.0", "--stage", "production", "--role", "security")
    assert project.say(*yes, "--key", str(eve), settings=PLACE + GATE + approver).code == 3
    assert project.say(*yes, "--key", str(eve), "--as", "ann").code == 3
    assert project.say(*yes, "--key", str(ann), "--as", "zoe").code == 3
    assert project.say(*yes[:4], "--role", "product", "--key", str(ann)).code == 0
    assert project.say(*TO).code == 3
    assert project.say(*yes, "--key", str(ann)).code == 0
    application = Application(project.folder)
    with application.store.begin() as tx:
        release = RELEASES.find(tx, "rel_1.1.0")
        assert release is not None
        other = replace(release.artifacts[0], digest="sha256:" + "6" * 64)
        RELEASES.save(tx, replace(release, artifacts=(other,)))
    application.store.close()
    said = project.say(*TO)
    assert said.code == 3, said
    assert "two eyes" in said.err
    assert project.record() == ([("1.0.0", "promoted")], ["1.0.0"])
