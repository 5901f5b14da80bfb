"""Verdicts over HTTP: what Argo's web metric reads, what Flagger's webhooks hear, and who is not let in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from shipline.capabilities.rollouts import HOOKS
from shipline.configuration import EnvironmentSettings
from shipline.domain.errors import UnavailableError
from tests.apps.server.conftest import Served
from tests.apps.server.serving import TOKEN, serving
from tests.apps.server.stage import PRODUCTION, STAGING, Staged
from tests.machine import NO_TLS

VERDICT_TOKEN = "v" * 32
PAYLOAD = {"name": "quotes", "namespace": "shop", "phase": "Progressing", "checksum": "1", "metadata": {}}
BEARER = {"Authorization": f"Bearer {VERDICT_TOKEN}"}


def token_of(environment: EnvironmentSettings) -> str:
    if environment.name != "production":
        raise UnavailableError("the secret manager does not answer")
    return VERDICT_TOKEN


@contextmanager
def asked(history: Staged, folder: Path) -> Iterator[tuple[Served, httpx.Client]]:
    """A served stage whose production is driven by the Canary `quotes`, and a client without a credential."""
    driven = replace(PRODUCTION, controller={"provider": "flagger", "canary": "quotes", "namespace": "shop"})
    with history.copied(folder) as stage:
        site = replace(stage.site, environments=lambda: (driven, STAGING), verdict_token=token_of)
        with serving(site) as url, httpx.Client(base_url=url, timeout=60, verify=NO_TLS) as client:
            yield Served(stage, history.ids, url), client


@pytest.fixture(scope="module")
def client(history: Staged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, httpx.Client]]:
    with asked(history, tmp_path_factory.mktemp("verdicts")) as made:
        yield made


def test_a_program_reads_a_word(client: tuple[Served, httpx.Client]) -> None:
    """The rollout that is under way is watched, and nothing is proved yet."""
    served, http = client
    answer = http.get("/api/v1/verdicts/production", headers=BEARER)
    assert answer.status_code == 200
    document = answer.json()
    assert (document["schema"], document["verdict"]) == ("shipline.rollout-verdict/1", "unknown")
    assert document["rollout_id"] == served.ids["live"]
    assert document["reason"]


@pytest.mark.parametrize("image", ["registry.example/quotes:by-hand", None])
def test_an_image_that_nobody_knows_is_let_on_nowhere(history: Staged, tmp_path: Path, image: str | None) -> None:
    """Neither one that this rollout has not set, nor one that nobody can tell: None: the cluster is away."""

    def wanted(_environment: EnvironmentSettings) -> str:
        if image is None:
            raise UnavailableError("the cluster does not answer")
        return image

    with history.copied(tmp_path) as stage:
        site = replace(stage.site, verdict_token=token_of, wanted_image=wanted)
        with serving(site) as url, httpx.Client(base_url=url, timeout=60, verify=NO_TLS, headers=BEARER) as http:
            document = http.get("/api/v1/verdicts/production").json()
            hooks = [http.post(f"/api/v1/verdicts/production/{kind}", json=PAYLOAD).status_code for kind in HOOKS]
    assert document["verdict"] == "unknown"
    assert (image or "the cluster does not answer") in document["reason"]
    assert set(hooks) == {409}


def test_flagger_hears_yes_and_no(client: tuple[Served, httpx.Client]) -> None:
    """It can only send an address: the token is the password in it."""
    _, http = client
    said = {
        kind: http.post(
            f"/api/v1/verdicts/production/{kind}", json=PAYLOAD, auth=("flagger", VERDICT_TOKEN)
        ).status_code
        for kind in ("confirm-rollout", "confirm-promotion", "rollback")
    }
    assert said == {"confirm-rollout": 200, "confirm-promotion": 409, "rollback": 409}
    no = http.post("/api/v1/verdicts/production/confirm-promotion", json=PAYLOAD, headers=BEARER)
    assert "No (confirm-promotion): " in no.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({}, "production"),
        ({"Authorization": f"Bearer {TOKEN}"}, "production"),
        ({"Authorization": f"Bearer {VERDICT_TOKEN}x"}, "production"),
        ({"Authorization": "Bearer"}, "production"),
        ({"Authorization": "Basic !!!"}, "production"),
        ({"Authorization": f"Digest {VERDICT_TOKEN}"}, "production"),
        (BEARER, "staging"),
        (BEARER, "nowhere"),
    ],
)
def test_everybody_else_is_answered_alike(
    client: tuple[Served, httpx.Client], headers: dict[str, str], path: str
) -> None:
    """The page's token opens it not; an environment that there is not is none that is told of."""
    _, http = client
    answer = http.get(f"/api/v1/verdicts/{path}", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert http.post(f"/api/v1/verdicts/{path}/rollback", json=PAYLOAD, headers=headers).status_code == 401


def test_the_token_opens_nothing_else(client: tuple[Served, httpx.Client]) -> None:
    _, http = client
    for path in ("/", "/api/v1/rollouts/x", "/api/v1/log", "/api/v1/verdicts"):
        assert http.get(path, headers=BEARER).status_code in (401, 404)
    assert http.get("/api/v1/log", headers=BEARER).status_code == 401


@pytest.mark.parametrize(
    ("hook", "body", "status"),
    [
        ("confirm-rollout", b"{", 400),
        ("confirm-rollout", b"[]", 409),
        ("confirm-rollout", b'{"name": "other", "namespace": "shop"}', 409),
        ("confirm-rollout", b'{"name": "quotes", "namespace": "elsewhere"}', 409),
        ("event", b"{}", 404),
        ("confirm-rollout", b'{"name": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
def test_what_is_not_about_this_canary_is_no_yes(
    client: tuple[Served, httpx.Client], hook: str, body: bytes, status: int
) -> None:
    _, http = client
    answer = http.post(f"/api/v1/verdicts/production/{hook}", content=body, headers=BEARER)
    assert answer.status_code == status


def test_a_host_that_is_not_ours_is_not_answered(client: tuple[Served, httpx.Client]) -> None:
    _, http = client
    answer = http.get("/api/v1/verdicts/production", headers=BEARER | {"Host": "evil.example"})
    assert answer.status_code == 421


def test_a_short_token_opens_nothing(history: Staged, tmp_path: Path) -> None:
    with history.copied(tmp_path) as stage:
        driven = replace(PRODUCTION, controller={"provider": "flagger", "canary": "quotes"})
        site = replace(stage.site, environments=lambda: (driven,), verdict_token=lambda _: "short")
        with serving(site) as url:
            answer = httpx.get(f"{url}/api/v1/verdicts/production", headers={"Authorization": "Bearer short"})
    assert answer.status_code == 401
