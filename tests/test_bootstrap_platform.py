"""What traffic is told of the target of its own platform."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.drills import drill_order
from shipline.bootstrap.platform import of_its_target
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.configuration import parse_settings
from shipline.configuration.check import check_settings
from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.providers.forge.gitea import GiteaForge
from shipline.providers.forge.github import GitHubForge
from shipline.testing.histories import History
from tests.apps.cli.test_rollouts import published, served

TRAFFIC = """[environment.traffic]
provider = "gitops"
address = "quotes.example:443"
"""
CONFIGURATION = f"""
schema = 1

[forge]
provider = "gitea"
api_url = "https://git.example/api/v1"
repository = "team/quotes"

[[environment]]
name = "production"
strategy = "all-at-once"

[environment.target]
provider = "gitops"
image = "registry.example/team/quotes"
file = "kustomization.yaml"
watch = "argocd"
object = "quotes"
deadline_s = 7200

{TRAFFIC}"""


@pytest.fixture
def application(tmp_path: Path) -> Application:
    history = History(tmp_path)
    history.commit("feat: begin", {"shipline.toml": CONFIGURATION})
    history.git("remote", "add", "origin", "https://git.example/team/quotes.git")
    return Application(tmp_path)


def test_traffic_gets_the_settings_of_the_target_of_its_name(application: Application) -> None:
    """And as much time to switch as those say."""
    where = application.environment("production")
    context = of_its_target(application, where)
    assert isinstance(context.target, GitOpsSettings)
    assert context.target.deadline_s == 7200
    steps = application._catalogue().workflows["rollout:production"].steps
    assert {step.name: step.timeout_s for step in steps}["promote"] == 7200
    where.traffic["provider"] = "haproxy"
    assert of_its_target(application, where).target is None
    application.store.close()


@pytest.mark.parametrize(
    ("address", "repository"),
    [("https://git.example/team/quotes.git", "team/quotes"), ("git@git.example:team/manifests.git", "team/manifests")],
)
def test_the_forge_of_the_manifests_is_the_projects_with_another_name(
    application: Application, address: str, repository: str
) -> None:
    """Pull requests go to where the manifests are."""
    context = of_its_target(application, application.environment("production"))
    assert context.forge_of is not None
    forge = context.forge_of(address)
    assert isinstance(forge, GiteaForge)
    assert (forge is application.forge) == (repository == "team/quotes")
    assert forge._settings.repository == repository


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (
            "https://hunter2@git.elsewhere.example/team/manifests.git",
            "on git.elsewhere.example, which is not the forge",
        ),
        ("https://github.com/team/manifests.git", "on github.com, which is not the forge"),
        ("../manifests.git", "leads to no forge"),
    ],
)
def test_the_account_goes_to_no_other_forge(application: Application, address: str, why: str) -> None:
    """Its token is not theirs; nor are requests opened in another repository than was meant."""
    context = of_its_target(application, application.environment("production"))
    assert context.forge_of is not None
    with pytest.raises(ConfigurationError, match="needs the manifests on the forge of this project") as caught:
        context.forge_of(address)
    assert why in caught.value.why
    assert "hunter2" not in caught.value.diagnosis()


@pytest.mark.parametrize(
    ("said", "address", "is_there"),
    [
        ('provider = "github"', "git@github.com:team/manifests.git", True),
        ('provider = "github"', "https://git.example/team/manifests.git", False),
        ('provider = "gitea"\napi_url = "http://gitea:3000/api/v1"', "https://github.com/team/manifests.git", True),
        (
            'provider = "gitea"\napi_url = "http://gitea:3000/api/v1"\nrepository = "a/b"',
            "https://github.com/team/manifests.git",
            False,
        ),
        ("", "https://github.com/team/manifests.git", False),
    ],
)
def test_the_forge_is_known_by_its_api_or_by_the_projects_remote(
    tmp_path: Path, said: str, address: str, *, is_there: bool
) -> None:
    """Where the API is stays as it is: what differs is the repository."""
    start, end = CONFIGURATION.index("[forge]"), CONFIGURATION.index("[[environment]]")
    table = f"[forge]\n{said}\n\n" if said else ""
    history = History(tmp_path)
    history.commit("feat: begin", {"shipline.toml": CONFIGURATION[:start] + table + CONFIGURATION[end:]})
    history.git("remote", "add", "origin", "https://github.com/team/quotes.git")
    application = Application(tmp_path)
    context = of_its_target(application, application.environment("production"))
    assert context.forge_of is not None
    if not is_there:
        with pytest.raises(ConfigurationError, match="needs the manifests on the forge"):
            context.forge_of(address)
        return
    forge = context.forge_of(address)
    assert isinstance(forge, GiteaForge | GitHubForge)
    assert isinstance(application.forge, GiteaForge | GitHubForge)
    assert forge._settings == replace(application.forge._settings, repository="team/manifests")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (TRAFFIC, "[environment.traffic]\nport = 8080\n", "target gitops and the traffic haproxy do not go together"),
        ('strategy = "all-at-once"', 'strategy = "all-at-once"\ndrill = "0 10 * * TUE"', "there is no drill"),
    ],
)
def test_what_does_not_go_together_is_refused_when_it_is_read(old: str, new: str, words: str) -> None:
    """Before anything is committed anywhere."""
    text = CONFIGURATION.replace(old, new)
    assert text != CONFIGURATION
    with pytest.raises(ConfigurationError, match=words):
        check_settings(parse_settings(text.encode()))


def test_there_is_no_drill_where_the_way_back_holds(application: Application) -> None:
    """The way forth would be refused."""
    for number, version in enumerate(("1.0.0", "1.1.0")):
        published(application, "quotes", version, created_us=number)
        served(application, "quotes", version, began_us=10 + number, ended_us=None if number else 11)
    with pytest.raises(RefusedError, match="there is no drill in production"):
        drill_order(application, application.environment("production"))
    application.store.close()
