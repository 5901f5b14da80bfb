"""Shipline as a GitHub App: statements that are really signed, and tokens that really end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shipline.clients.github_app import signed_statement
from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.forge import Forge, Ref
from shipline.ports.provider import ProviderContext
from shipline.providers.forge.github import GitHubForge
from shipline.providers.forge.github_access import GitHubSettings
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.forge.github import GitHubDialect
from shipline.testing.fakes.forge.github_app import FakeGitHubApp
from shipline.testing.fakes.forge.model import ForgeModel, MemoryRefs
from shipline.testing.fakes.forge.server import ForgeServer, Reply

COMMIT = "c" * 40


class Echo(GitHubDialect):
    """Says what it was sent."""

    def __init__(self, model: ForgeModel, borne: str) -> None:
        super().__init__(model)
        self.borne = borne

    def says_no(self, status: int) -> Reply:
        return Reply({"message": f"{self.borne} is no good"}, status)


@dataclass
class Place:
    """GitHub with an app on it."""

    server: ForgeServer
    app: FakeGitHubApp
    clock: FakeClock
    folder: Path

    def forge(self, **settings: Any) -> Forge:
        """The provider in a process of its own."""
        given = {"repository": "acme/quotes", "api_url": self.server.api_url, "app_id": self.app.app_id} | settings
        context = ProviderContext(self.folder, self.folder / "state", self.clock)
        return GitHubForge(GitHubSettings(**given), context)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    clock = FakeClock()
    app = FakeGitHubApp(clock)
    model = ForgeModel(MemoryRefs({"refs/heads/main": COMMIT}))
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", app.private_key_pem)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with ForgeServer(model, GitHubDialect(model, app)) as server:
        server.admits = app.admits
        yield Place(server, app, clock, tmp_path)


def test_a_signed_statement_is_exchanged_for_a_token_of_the_one_repository(place: Place) -> None:
    forge = place.forge()
    assert forge.find_branch("main") == Ref("main", COMMIT)
    assert forge.create_branch("topic", COMMIT) == Ref("topic", COMMIT)
    (given,) = place.app.given.values()
    assert given.repositories == ("quotes",)
    assert place.app.refusals == []
    asked = [path for _, path in place.server.requests if "/app/" in path or path.endswith("/installation")]
    assert len(asked) == 2


def test_the_token_is_renewed_before_it_ends(place: Place) -> None:
    """Nothing is ever asked with one that has ended, and an upload does not outlive its own."""
    forge = place.forge()
    for _ in range(8):
        assert forge.find_branch("main") is not None
        place.clock.sleep(11 * 60)
    assert len(place.app.given) == 2
    place.clock.sleep(7 * 24 * 3600)
    assert forge.find_branch("main") is not None
    assert len(place.app.given) == 3


def test_the_key_may_be_in_a_file_or_on_one_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_APP_PRIVATE_KEY")
    with pytest.raises(ConfigurationError, match="app_key_file cannot be read"):
        place.forge(app_key_file="app.pem").find_branch("main")
    (place.folder / "app.pem").write_text(place.app.private_key_pem)
    assert place.forge(app_key_file="app.pem").find_branch("main") is not None
    monkeypatch.setenv("OWN_KEY", place.app.private_key_pem.replace("\n", "\\n"))
    assert place.forge(app_key_env="OWN_KEY").find_branch("main") is not None


def test_another_key_and_another_app_are_refused_with_what_to_do(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    other = FakeGitHubApp(place.clock).private_key_pem
    for app_id, key in (("1", place.app.private_key_pem), (place.app.app_id, other)):
        monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", key)
        with pytest.raises(RefusedError) as caught:
            place.forge(app_id=app_id).find_branch("main")
        assert "are of one app, and this machine's clock" in caught.value.todo
    assert place.app.refusals == ["it is of another app", "it was not signed by the app's key"]


@pytest.mark.parametrize(("behind_s", "taken"), [(0, True), (-59, True), (59, True), (700, False), (-90, False)])
def test_a_statement_is_good_for_ten_minutes_and_bears_a_clock_that_is_a_minute_off(
    place: Place, *, behind_s: int, taken: bool
) -> None:
    key = place.app.private_key_pem.encode()
    statement = signed_statement(place.app.app_id, key, place.clock.now_us() - behind_s * 1_000_000)
    assert place.app.admits("/app/installations/1/access_tokens", statement) is taken


def test_an_app_that_is_not_installed_there_is_said(place: Place) -> None:
    place.app.installed = False
    with pytest.raises(RefusedError, match="is not installed on acme/quotes"):
        place.forge().find_branch("main")


def test_what_is_no_key_is_said_and_is_not_shown(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for value, said in (("s3cret", "no PEM key"), (pem, "no RSA key"), ("", "GITHUB_APP_PRIVATE_KEY is not set")):
        monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", value)
        with pytest.raises(ConfigurationError, match=said) as caught:
            place.forge().find_branch("main")
        assert "s3cret" not in caught.value.diagnosis()


def test_a_token_that_is_echoed_is_not_shown(place: Place) -> None:
    forge = place.forge()
    forge.find_branch("main")
    (token,) = place.app.given
    place.server.admits = lambda _path, _borne: False
    place.server.dialect = Echo(place.server.model, token)
    with pytest.raises(RefusedError) as caught:
        forge.find_branch("main")
    assert caught.value.why == "*** is no good"


@pytest.mark.parametrize(
    "settings",
    [
        {"app_id": "1", "token_env": "X"},
        {"app_id": "1", "token_file": "x"},
        {"app_key_env": "X"},
        {"app_key_file": "x"},
        {"app_id": "1", "repository": "no slash"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        GitHubSettings(**settings)
