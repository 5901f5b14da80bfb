"""Plans applied by the real Terraform: those that were made, and no others."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.detached_launcher import FIFO, KEEPER_RECORD, recorded_pid
from shipline.clients.durable_state import DurableState
from shipline.clients.terraform import TerraformFolder
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import GroupSpec, Role
from shipline.ports.traffic import Lasting, Route, Traffic
from shipline.providers.target.terraform import TerraformSettings, TerraformTarget
from shipline.providers.traffic.terraform import SavedTraffic, TerraformTraffic, TerraformTrafficSettings
from shipline.testing.conformance.switch import SwitchConformance
from shipline.testing.conformance.target import PACKAGE, found
from shipline.testing.conformance.traffic import shares
from shipline.testing.kills import Killed
from tests import terraform
from tests.machine import SystemClock, wait_until

pytestmark = pytest.mark.skipif(not terraform.HAS_TERRAFORM, reason="terraform is not installed")


@pytest.fixture(autouse=True)
def no_configuration_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "terraformrc").touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "terraformrc"))


def planner(root: Path) -> Callable[[str, str], Route]:
    """Releases a configuration, and plans it as a group of the same name as its version; returns its route."""
    context = ProviderContext(root, root / "target", SystemClock(), "production")
    target = TerraformTarget(TerraformSettings(folder=str(root / "infra")), context)

    def plan(name: str, text: str) -> Route:
        spec = GroupSpec(name, Role.STABLE, PACKAGE, name, 1, terraform.release(root, PACKAGE, name, text))
        target.prepare(PACKAGE, name, spec.digests)
        target.run(spec, revision=1)
        wait_until(lambda: found(target, name).is_whole, "the plan")
        return Route(name, Role.STABLE, name, 1.0, ())

    return plan


@pytest.fixture
def plan(tmp_path: Path) -> Callable[[str, str], Route]:
    return planner(tmp_path)


def traffic_of(folder: Path, state: Path) -> TerraformTraffic:
    context = ProviderContext(state.parent, state, SystemClock(), "production")
    return TerraformTraffic(TerraformTrafficSettings(folder=str(folder), address="127.0.0.1:8080"), context)


@pytest.fixture
def open_traffic(tmp_path: Path) -> Callable[[], Traffic]:
    return lambda: traffic_of(tmp_path / "infra", tmp_path / "traffic")


@pytest.fixture
def traffic(open_traffic: Callable[[], Traffic]) -> Traffic:
    traffic = open_traffic()
    traffic.open(revision=0)
    return traffic


def await_logs(folder: Path) -> None:
    """Wait until nothing writes there any more: who keeps a program's output ends a little after the program."""
    records = list(folder.glob(f"groups/*/*-run/{KEEPER_RECORD}"))
    wait_until(lambda: not any(map(recorded_pid, records)), "the end of the logs")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where in `kept` a configuration stands, and is planned as two groups, `old` and `new`.

    Both plans change nothing of what stands, so that neither makes the other stale.
    """
    root, text = tmp_path_factory.mktemp("planned"), terraform.resources(one="1")
    (root / "terraformrc").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CLI_CONFIG_FILE", str(root / "terraformrc"))
        plan, before = planner(root), traffic_of(root / "infra", root / "before")
        before.open(revision=0)
        before.apply((plan("base", text),), revision=1)
        for name in ("old", "new"):
            plan(name, text)
    await_logs(root / "infra")
    return (root / "infra").rename(root / "kept").parent


class TestTerraformTraffic(SwitchConformance):
    @pytest.fixture
    def infra(self, planned: Path) -> Iterator[Path]:
        """A copy of it, where it was made: plans name the place of the state."""
        folder = planned / "infra"
        shutil.copytree(planned / "kept", folder, ignore=shutil.ignore_patterns(FIFO))
        yield folder
        await_logs(folder)
        shutil.rmtree(folder)

    @pytest.fixture
    def open_traffic(self, infra: Path, tmp_path: Path) -> Callable[[], Traffic]:
        return lambda: traffic_of(infra, tmp_path / "traffic")


def test_a_plan_is_applied_and_the_way_back_is_planned_anew(
    traffic: Traffic, plan: Callable[[str, str], Route], tmp_path: Path
) -> None:
    """What the new revision has added goes again."""
    first = plan("v1", terraform.resources(one="1"))
    traffic.apply((first,), revision=1)
    assert terraform.standing(tmp_path / "infra") == {"one": "1"}
    second = plan("v2", terraform.resources(one="2", two="new"))
    assert terraform.standing(tmp_path / "infra") == {"one": "1"}, "a plan changes nothing"
    traffic.apply((second,), revision=2)
    assert terraform.standing(tmp_path / "infra") == {"one": "2", "two": "new"}
    traffic.apply((first,), revision=3)
    assert terraform.standing(tmp_path / "infra") == {"one": "1"}
    assert shares(traffic) == {"v1": 1.0, "v2": 0.0}


def test_a_plan_that_is_stale_is_not_made_anew(
    traffic: Traffic, plan: Callable[[str, str], Route], tmp_path: Path
) -> None:
    """Somebody has seen it, and perhaps approved of it: another one is another decision."""
    plan("v1", terraform.resources(one="1"))
    stale = plan("v2", terraform.resources(one="2"))
    traffic.apply((Route("v1", Role.STABLE, "v1", 1.0, ()),), revision=1)
    with pytest.raises(ShiplineError, match="was not applied as a whole") as caught:
        traffic.apply((stale,), revision=2)
    assert "stale" in caught.value.why
    assert terraform.standing(tmp_path / "infra") == {"one": "1"}
    assert shares(traffic) == {"v1": 0.0, "v2": 0.0}, "nobody knows by this alone what stands"
    traffic.apply((Route("v1", Role.STABLE, "v1", 1.0, ()),), revision=3)
    assert shares(traffic) == {"v1": 1.0, "v2": 0.0}


def test_another_plan_in_its_place_is_not_applied(
    traffic: Traffic, plan: Callable[[str, str], Route], tmp_path: Path
) -> None:
    """Its digest says so."""
    good, other = plan("v1", terraform.resources(one="1")), plan("v2", terraform.resources(one="evil"))
    groups = tmp_path / "infra" / "groups"
    (groups / "v1" / "plan").write_bytes((groups / "v2" / "plan").read_bytes())
    with pytest.raises(ShiplineError, match="not the one that was made"):
        traffic.apply((good,), revision=1)
    assert not (tmp_path / "infra" / "terraform.tfstate").exists()
    traffic.apply((other,), revision=2)


def test_an_apply_that_fails_half_way_is_turned_back(
    traffic: Traffic, plan: Callable[[str, str], Route], tmp_path: Path
) -> None:
    """With Terraform's last words. What it had done is undone by the way back."""
    first = plan("v1", terraform.resources(one="1"))
    traffic.apply((first,), revision=1)
    failing = plan("v2", terraform.resources(one="2") + terraform.FAILING)
    with pytest.raises(ShiplineError) as caught:
        traffic.apply((failing,), revision=2)
    assert "the cloud is full" in caught.value.why
    assert terraform.standing(tmp_path / "infra")["one"] == "2"
    traffic.apply((first,), revision=3)
    assert terraform.standing(tmp_path / "infra") == {"one": "1"}


SLOW = """\
resource "terraform_data" "slow" {{
  input = "slow"
  provisioner "local-exec" {{
    command = "while ! [ -e {gate} ]; do sleep 0.05; done"
  }}
}}
"""


def test_an_apply_that_takes_longer_goes_on_and_is_found_again(
    tmp_path: Path, plan: Callable[[str, str], Route], open_traffic: Callable[[], Traffic]
) -> None:
    """By another engine, too: it is never ended in the midst of it, and never begun twice."""
    gate = tmp_path / "gate"
    route = plan("v1", SLOW.format(gate=gate))
    hasty = open_traffic()
    assert isinstance(hasty, TerraformTraffic)
    hasty.open(revision=0)
    hasty._settings = replace(hasty._settings, wait_s=1)
    with pytest.raises(UnavailableError, match="still at work"):
        hasty.apply((route,), revision=1)
    assert shares(hasty) == {"v1": 0.0}
    gate.touch()
    again = open_traffic()
    again.apply((route,), revision=2)
    assert shares(again) == {"v1": 1.0}
    assert terraform.standing(tmp_path / "infra") == {"slow": "slow"}


def test_an_apply_that_was_interrupted_with_the_machine_is_left_to_people(
    tmp_path: Path, plan: Callable[[str, str], Route], traffic: Traffic
) -> None:
    """How much of the plan was carried out nobody knows: it is not begun a second time."""
    gate = tmp_path / "gate"
    route = plan("v1", SLOW.format(gate=gate))
    assert isinstance(traffic, TerraformTraffic)
    traffic._settings = replace(traffic._settings, wait_s=1)
    with pytest.raises(UnavailableError, match="still at work"):
        traffic.apply((route,), revision=1)
    traffic._folder.process("v1", "apply").stop(first=signal.SIGKILL, timeout_s=10)
    gate.touch()
    with pytest.raises(ShiplineError, match="was interrupted"):
        traffic.apply((route,), revision=1)
    assert traffic._folder.process("v1", "apply").pid() is None
    assert shares(traffic) == {"v1": 0.0}


@pytest.fixture
def destroyer(tmp_path: Path) -> TerraformTraffic:
    """The same traffic, which may destroy."""
    context = ProviderContext(tmp_path, tmp_path / "traffic", SystemClock(), "production")
    settings = TerraformTrafficSettings(folder=str(tmp_path / "infra"), address="127.0.0.1:8080", destroy=True)
    return TerraformTraffic(settings, context)


def test_what_stands_is_destroyed_only_where_the_settings_say_so(
    tmp_path: Path, plan: Callable[[str, str], Route], traffic: Traffic, destroyer: TerraformTraffic
) -> None:
    """Twice is once, and what is deployed after that begins with nothing."""
    assert isinstance(traffic, Lasting)
    traffic.apply((plan("v1", terraform.resources(one="1")),), revision=1)
    traffic.close(revision=2)
    traffic.tear_down(revision=2)
    assert terraform.standing(tmp_path / "infra") == {"one": "1"}
    with pytest.raises(RefusedError):
        destroyer.tear_down(revision=0)
    for revision in (3, 4):
        destroyer.tear_down(revision=revision)
        assert terraform.standing(tmp_path / "infra") == {}
    destroyer.open(revision=5)
    destroyer.apply((plan("v2", terraform.resources(two="2")),), revision=5)
    assert terraform.standing(tmp_path / "infra") == {"two": "2"}


HELD = """\
resource "terraform_data" "held" {{
  input = "held"
  provisioner "local-exec" {{
    when    = destroy
    command = "test -e {gate} || (touch {gate}.asked; echo it is held; exit 1)"
  }}
}}
"""


def test_what_could_not_be_destroyed_is_told_and_can_be_tried_again(
    tmp_path: Path, plan: Callable[[str, str], Route], destroyer: TerraformTraffic
) -> None:
    gate = tmp_path / "gate"
    destroyer.open(revision=0)
    destroyer.apply((plan("v1", HELD.format(gate=gate)),), revision=1)
    destroyer.close(revision=2)
    with pytest.raises(ShiplineError, match="not destroyed as a whole") as caught:
        destroyer.tear_down(revision=2)
    assert "it is held" in caught.value.why
    assert terraform.standing(tmp_path / "infra") == {"held": "held"}
    gate.touch()
    destroyer.tear_down(revision=3)
    assert terraform.standing(tmp_path / "infra") == {}


def test_a_folder_that_is_not_the_targets_is_named(traffic: Traffic) -> None:
    with pytest.raises(ShiplineError, match="is not in") as caught:
        traffic.apply((Route("v1", Role.STABLE, "v1", 1.0, ()),), revision=1)
    assert "the same folder" in caught.value.todo


@pytest.mark.parametrize("wrong", [{"folder": "infra"}, {"address": "here"}, {"wait_s": 0}, {"program": "sh"}], ids=str)
def test_settings_that_can_only_be_a_mistake_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        TerraformTrafficSettings(**{"folder": "/srv/infra", "address": "x:80", **wrong})


@contextmanager
def dying(point: str) -> Iterator[None]:
    """The engine dies where an apply is to be noted as begun, or once it is, and before it has been started."""

    def dies(*_: object, **__: object) -> None:
        raise Killed(point)

    def dies_at_the_note(state: DurableState[SavedTraffic], document: SavedTraffic) -> None:
        if document.begun:
            raise Killed(point)
        write(state, document)

    write = DurableState.write
    with pytest.MonkeyPatch.context() as patch:
        if point == "noted":
            patch.setattr(DurableState, "write", dies_at_the_note)
        else:
            patch.setattr(TerraformFolder, "start_apply", dies)
        yield


POINTS = pytest.mark.parametrize("point", ["noted", "started"])


@POINTS
def test_an_engine_killed_before_a_way_back_is_begun_is_followed_by_the_next(
    tmp_path: Path, plan: Callable[[str, str], Route], open_traffic: Callable[[], Traffic], traffic: Traffic, point: str
) -> None:
    """That the revision was applied once before is not taken for the end of an apply that never began."""
    first = plan("v1", terraform.resources(one="1"))
    traffic.apply((first,), revision=1)
    traffic.apply((plan("v2", terraform.resources(one="2")),), revision=2)
    with dying(point), pytest.raises(Killed):
        traffic.apply((first,), revision=3)
    open_traffic().apply((first,), revision=3)
    assert terraform.standing(tmp_path / "infra") == {"one": "1"}
    assert shares(traffic) == {"v1": 1.0, "v2": 0.0}


@POINTS
def test_an_engine_killed_before_what_stands_is_destroyed_is_followed_by_the_next(
    tmp_path: Path, plan: Callable[[str, str], Route], destroyer: TerraformTraffic, point: str
) -> None:
    """The end of the apply that made it is none of what destroys it. So it is with a plan that was never begun."""
    destroyer.open(revision=0)
    route = plan("v1", terraform.resources(one="1"))
    with dying(point), pytest.raises(Killed):
        destroyer.apply((route,), revision=1)
    destroyer.apply((route,), revision=1)
    assert terraform.standing(tmp_path / "infra") == {"one": "1"}
    with dying(point), pytest.raises(Killed):
        destroyer.tear_down(revision=2)
    destroyer.tear_down(revision=2)
    assert terraform.standing(tmp_path / "infra") == {}
