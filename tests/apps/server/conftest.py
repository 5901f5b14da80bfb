"""The staged project and a server over it, made once: the tests that change it say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.apps.server.serving import TOKEN, serving
from tests.apps.server.stage import Stage, Staged
from tests.machine import NO_TLS


@dataclass(frozen=True, slots=True)
class Served:
    """A stage that is being served. `ids` are those of its releases and rollouts by name."""

    stage: Stage
    ids: dict[str, str]
    url: str

    def client(self) -> httpx.Client:
        """A client without any credential."""
        return httpx.Client(base_url=self.url, timeout=60, verify=NO_TLS)

    @contextmanager
    def person(self) -> Iterator[httpx.Client]:
        """A client that has opened the printed address."""
        with self.client() as client:
            assert client.get("/", params={"token": TOKEN}).status_code == 303
            yield client

    def csrf(self, person: httpx.Client, path: str) -> str:
        """The CSRF token that a page's forms carry."""
        text = person.get(path).text
        return text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """What all stages begin with."""
    return Staged.made(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="session")
def served(history: Staged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with history.copied(tmp_path_factory.mktemp("stage")) as stage, serving(stage.site) as url:
        yield Served(stage, history.ids, url)


@pytest.fixture
def fresh(history: Staged, tmp_path: Path) -> Iterator[Served]:
    """A stage of the test's own."""
    with history.copied(tmp_path) as stage, serving(stage.site) as url:
        yield Served(stage, history.ids, url)
