"""The repository's settings brought to each kind of forge by the commands, seen from the forge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import settings
from shipline.bootstrap import Application
from shipline.bootstrap.keeping import DriftWatch, Keeping
from shipline.capabilities.automation import carry_out
from shipline.domain.errors import NothingToDo, RefusedError, UnavailableError
from shipline.ports.forge import Capability
from shipline.ports.forge.answers import ItemState
from shipline.ports.forge.guards import BranchRule, SecurityFeature
from shipline.ports.forge.reviews import MergeMethod
from shipline.store.log import read_latest
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.histories import History
from tests.providers.forge.places import KINDS, TOKEN, Place, running

SECRET = "hook-secret-that-nobody-sees"
HOOK = "http://127.0.0.1:9/hooks/forge"
SAID = f"""
[repository]
prune = ["label"]
drift_every_s = 60
environments = ["production"]
security = ["secret scanning"]

[[repository.label]]
name = "bug"
color = "d73a4a"
description = "It does not work"

[[repository.milestone]]
title = "1.0.0"
due_on = "2027-01-31"
state = "closed"

[[repository.branch]]
pattern = "main"
approvals = 1
code_owners = true
checks = ["test (one, two)", "lint"]

[[repository.tag]]
pattern = "v*"

[repository.merge]
methods = ["squash"]
delete_branch = true

[[repository.variable]]
name = "STAGE"
value = "production"

[[repository.environment_rule]]
environment = "staging"
reviewers = ["ada"]

[[repository.secret]]
name = "REGISTRY_TOKEN"
value = {{ environment = "HOOK_SECRET" }}

[[repository.webhook]]
url = "{HOOK}"
events = ["push", "milestone"]
secret = {{ environment = "HOOK_SECRET" }}
"""
FORGE = """
[forge]
provider = "{kind}"
repository = "acme/quotes"
api_url = "{api_url}"
token_env = "FORGE_TOKEN"
"""


@dataclass
class Project:
    """A project whose settings are said, and its forge."""

    application: Application
    forge: Place

    @property
    def model(self) -> ForgeModel:
        return self.forge.model

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(settings.command, words, obj=self.application, standalone_mode=False)


@pytest.fixture(params=sorted(KINDS))
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    (tmp_path / "forge").mkdir()
    with running(request.param, tmp_path / "forge") as place:
        history = History(tmp_path / "work")
        text = SAID + FORGE.format(kind=request.param, api_url=place.server.api_url)
        history.commit("feat: begin", {"shipline.toml": text})
        application = Application(history.folder)
        yield Project(application, place)
        application.store.close()


def labels(model: ForgeModel) -> list[tuple[str, str]]:
    return sorted((each.name, each.color.removeprefix("#")) for each in model.badges.values())


def rule_of(project: Project) -> BranchRule:
    """The rule that is said, as far as this kind of forge has it."""
    rule = BranchRule("main", approvals=1, code_owners=True, checks=("lint", "test (one, two)"))
    unkept = project.forge.forge.unkept()
    if "branch.approvals" in unkept:
        rule = replace(rule, approvals=0, checks=())
    return replace(rule, code_owners=False) if "branch.code_owners" in unkept else rule


def test_what_is_said_is_brought_there_once_and_what_is_pruned_goes(project: Project) -> None:
    """Planned, applied, quiet, drifted, and applied again; no secret is shown."""
    model = project.model
    model.create_badge("old", "ffffff", "")
    planned = project.run("plan")
    assert (planned.return_value, model.effects[1:]) == (None, [])
    assert "+ label bug" in planned.stdout
    assert planned.stdout.index("removed, since") < planned.stdout.index("- label old")
    applied = project.run("apply", "--json")
    assert applied.exception is None, applied
    document = json.loads(applied.stdout)
    assert [each["name"] for each in document["removals"]] == ["old"]
    assert all(each["done"] for each in document["carried"])
    assert labels(model) == [("bug", "d73a4a")]
    (stone,) = model.stones.values()
    assert (stone.title, stone.state, str(stone.due_on)) == ("1.0.0", ItemState.CLOSED, "2027-01-31")
    (hook,) = model.hooks.rows.values()
    assert (hook.url, hook.secret, hook.active) == (HOOK, SECRET, True)
    guards = model.guards
    assert guards.branches == {"main": rule_of(project)}
    assert (list(guards.tags), guards.methods, guards.delete_branch) == (["v*"], {MergeMethod.SQUASH}, True)
    assert (guards.variables, guards.secrets) == ({"STAGE": "production"}, {"REGISTRY_TOKEN": SECRET})
    unkept = project.forge.forge.unkept()
    both = [] if "environment rule" in unkept else ["staging"]
    assert list(guards.environments) == ([] if "environment" in unkept else ["production", *both])
    assert [each.reviewers for each in guards.environment_rules.values() if each.reviewers] == [("ada",) for _ in both]
    assert guards.security == (set() if "security" in unkept else {SecurityFeature.SECRETS})
    effects = list(model.effects)
    assert isinstance(project.run("apply").exception, NothingToDo)
    assert project.run("drift").return_value == 0
    assert model.effects == effects
    next(iter(model.badges.values())).color = "000000"
    guards.variables |= {"STAGE": SECRET, "THEIRS": SECRET}
    drifted = project.run("drift")
    assert (drifted.return_value, "~ label bug" in drifted.stdout) == (1, True)
    assert '~ variable STAGE\n    value: "another" -> "as said"' in drifted.stdout
    hook.secret, guards.secrets["REGISTRY_TOKEN"] = "another", "another"
    assert project.run("apply", "--secrets").exception is None
    assert guards.variables == {"STAGE": "production", "THEIRS": SECRET}
    assert guards.secrets == {"REGISTRY_TOKEN": SECRET}
    assert (labels(model), hook.secret) == ([("bug", "d73a4a")], SECRET)
    assert SECRET not in planned.output + applied.output + drifted.output


def test_what_the_token_may_not_do_is_named_and_the_rest_is_done(project: Project) -> None:
    project.model.lacking.add(Capability.HOOKS)
    applied = project.run("apply")
    assert isinstance(applied.exception, RefusedError)
    assert "not seen: webhook" in applied.output
    assert (labels(project.model), len(project.model.stones)) == ([("bug", "d73a4a")], 1)
    assert project.run("drift").return_value == 1
    project.model.lacking.clear()
    project.model.may_write = False
    refused = project.run("apply")
    assert "not done: add webhook" in refused.output


def test_a_run_that_dies_after_any_effect_is_carried_on_by_the_next(project: Project) -> None:
    """The answer to each change is lost, one run after the other: nothing is doubled, and all is there in the end."""
    for _ in range(20):
        keeping = Keeping(project.application)
        plan = keeping.plan()
        if plan.is_empty:
            break
        project.forge.lose_answer()
        try:
            carry_out(keeping.keepers, plan)
        except UnavailableError:
            continue
        project.forge.server.faults.lost_answers = 0
    assert Keeping(project.application).plan().is_empty
    model = project.model
    assert (labels(model), len(model.stones), len(model.hooks.rows)) == ([("bug", "d73a4a")], 1, 1)
    assert model.guards.branches == {"main": rule_of(project)}
    assert (list(model.guards.tags), list(model.guards.variables)) == (["v*"], ["STAGE"])


@pytest.mark.parametrize("project", ["github"], indirect=True)
def test_a_server_tells_of_drift_once_and_when_it_is_over(project: Project) -> None:
    def told() -> list[str]:
        return [each.event.kind for each in read_latest(project.application.store, 10, "repository:settings")]

    def look() -> None:
        watch = DriftWatch(project.application)
        watch()
        watch.wait()
        watch()

    look()
    look()
    assert told() == ["RepositoryDrifted"]
    assert project.run("apply").exception is None
    look()
    look()
    assert told() == ["RepositoryDrifted", "RepositorySettled"]
