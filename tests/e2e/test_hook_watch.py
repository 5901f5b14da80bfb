"""A server looks after the hook of each kind of forge: what is wrong is told once, and put right where it may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.automations import duties_of, hook_secrets
from shipline.bootstrap.hook_watch import HOOKS_COMMAND, HookHand, HookTimer
from shipline.capabilities.automation import NewDelivery, hook_health, keep_deliveries, subject_of
from shipline.engine.journal import runs_of
from shipline.ports.forge import Capability
from shipline.ports.forge.hooks import HookEvent
from shipline.store.log import read_latest
from shipline.testing.histories import History
from tests.hook_receiver import Receiver, receiving
from tests.providers.forge.places import KINDS, TOKEN, Place, running

SETTINGS = """
schema = 1

[automation]
release_on_push = true

[forge]
provider = "{kind}"
repository = "acme/quotes"
api_url = "{api_url}"
token_env = "FORGE_TOKEN"

[[hook]]
forge = "{kind}"
secrets = [{{ environment = "HOOK_SECRET" }}]
url = "{url}"
mend = {mend}
"""


@dataclass
class Scene:
    """A project whose forge is to tell it of events; `receiver` stands for its server."""

    kind: str
    forge: Place
    receiver: Receiver
    application: Application
    history: History

    def may_mend(self, mend: str) -> None:
        """The settings, as they are from now on."""
        said = {"kind": self.kind, "api_url": self.forge.server.api_url, "url": self.receiver.url, "mend": mend}
        self.history.commit("chore: say it", {"shipline.toml": SETTINGS.format(**said)})

    def look(self) -> str:
        """One look of the hand's, in words."""
        return HookHand(self.application, duties_of, hook_secrets)(HOOKS_COMMAND, {}).words

    def told(self) -> list[str]:
        """All that was told, the oldest first."""
        return [each.event.kind for each in read_latest(self.application.store, 50, f"hook:{self.kind}")]


@pytest.fixture(params=sorted(KINDS))
def scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    monkeypatch.setenv("HOOK_SECRET", "of-the-hook")
    (tmp_path / "forge").mkdir()
    kind = request.param
    with running(kind, tmp_path / "forge") as place, receiving(f"/hooks/{kind}") as receiver:
        history = History(tmp_path / "work")
        history.commit("feat: begin", {"a": ""})
        made = Scene(kind, place, receiver, Application(history.folder), history)
        made.may_mend("false")
        made.application = Application(history.folder)
        yield made
        made.application.store.close()


def test_a_hook_is_told_of_made_switched_on_and_given_what_it_lacks(scene: Scene) -> None:
    """Nothing is done unasked; what others have set stays."""
    assert "the forge has no hook to" in scene.look()
    assert (scene.forge.model.hooks.rows, scene.told()) == ({}, ["HookTroubled"])
    scene.look()
    assert scene.told() == ["HookTroubled"]
    scene.may_mend("true")
    assert scene.look() == f"set the hook to {scene.receiver.url}"
    (hook,) = scene.forge.forge.hooks()
    assert hook.events == {HookEvent.PUSH, HookEvent.PULL_REQUEST, HookEvent.CHECK}
    (row,) = scene.forge.model.hooks.rows.values()
    assert (row.secret, scene.look()) == ("of-the-hook", "the forge's hook works")
    scene.forge.forge.ensure_hook(scene.receiver.url, events=frozenset({HookEvent.ISSUE}), secret="of-the-hook")
    scene.look()
    row.active = False
    assert scene.look() == "switched the hook on"
    (hook,) = scene.forge.forge.hooks()
    assert hook.active
    assert hook.events == {HookEvent.ISSUE, HookEvent.PUSH, HookEvent.PULL_REQUEST, HookEvent.CHECK}
    assert scene.told() == ["HookTroubled", "HookWell"]
    with scene.application.store.begin() as tx:
        health = hook_health(tx, scene.kind)
    assert health is not None
    assert (health.url, health.troubles) == (scene.receiver.url, ())


def test_what_the_token_may_not_see_is_told(scene: Scene) -> None:
    scene.may_mend("true")
    scene.forge.model.lacking.add(Capability.HOOKS)
    assert "the hooks cannot be seen" in scene.look()
    assert scene.told() == ["HookTroubled"]


@pytest.mark.parametrize("scene", ["github", "gitlab"], indirect=True)
def test_what_did_not_arrive_is_sent_again_and_no_more_than_that(scene: Scene) -> None:
    """An outage of the server: what is kept here though the forge knows of no answer is not asked for again."""
    scene.may_mend("true")
    scene.look()
    scene.receiver.status = 500
    for name in ("v1", "v2", "v3"):
        scene.forge.forge.create_tag(name, scene.forge.commits[0])
    (row,) = scene.forge.model.hooks.rows.values()
    new = NewDelivery(scene.kind, row.sent[-1].guid, "push", b"{}")
    keep_deliveries(scene.application.store, [new], scene.application.clock.now_us())
    scene.receiver.status = 202
    scene.receiver.came.clear()
    assert "had 2 deliveries sent again" in scene.look()
    assert [body["ref"][-2:] for body in scene.receiver.bodies() if "ref" in body] == ["v1", "v2"]
    assert scene.look() == "the forge's hook works"
    assert scene.told()[-1] == "HookWell"


@pytest.mark.parametrize("scene", ["github"], indirect=True)
def test_a_server_looks_by_itself_where_the_settings_say_where_the_hook_leads(scene: Scene) -> None:
    """Once in `watch_every_s`."""
    timer = HookTimer(scene.application)
    timer()
    timer()
    with scene.application.store.begin() as tx:
        assert len(runs_of(tx, subject_of(HOOKS_COMMAND))) == 1
