"""What we say to GitHub, and what its fake answers, beside GitHub's own description of its interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.forge.github_app import FakeGitHubApp
from shipline.testing.fakes.forge.server import Request
from tests.providers.forge.github_schema import Exchange, ForgeSchema, github_schema, overheard
from tests.providers.forge.places import Place, running
from tests.providers.forge.test_forges import TestGitHub as Conforming
from tests.providers.forge.test_forges import token

__all__ = ["token"]


# GitHub's prose on uploading an asset knows this state, of one that failed; its schema does not.
STARTER = "0.state: 'starter' is not one of ['uploaded', 'open']"


@pytest.fixture(scope="session")
def schema() -> ForgeSchema:
    return github_schema()


class TestGitHubBySchema(Conforming):
    """The whole suite again, with every request and every answer held against the description."""

    @pytest.fixture
    def place(self, tmp_path: Path, schema: ForgeSchema) -> Iterator[Place]:
        with running("github", tmp_path) as made:
            complaints = overheard(made, schema)
            yield made
            assert [each for each in sorted(set(complaints)) if STARTER not in each] == []


def test_the_witness_complains_where_something_is_wrong(schema: ForgeSchema) -> None:
    """A path, a parameter, a field and a type that GitHub does not know, and an answer of another shape."""
    good = Exchange(
        "POST", "/repos/o/r/pulls", {}, b'{"title": "t", "head": "h", "base": "b"}', {"number": 1, "title": "t"}, 201
    )
    assert schema.complaints(good) == []
    for wrong in (
        {"path": "/repos/o/r/pull"},
        {"query": {"x": "1"}},
        {"body": b'{"title": "t", "head": "h", "base": "b", "label": "l"}'},
        {"body": b'{"title": "t", "head": "h"}'},
        {"body": b'{"title": 1, "head": "h", "base": "b"}'},
        {"answer": {"number": "1"}},
        {"status": 200},
    ):
        assert len(schema.complaints(replace(good, **wrong))) == 1, wrong


def test_what_an_app_asks_is_as_github_describes_it(schema: ForgeSchema) -> None:
    """Where it is installed, and the token of its installation for one repository."""
    app = FakeGitHubApp(FakeClock())
    body = b'{"repositories": ["quotes"]}'
    for (method, pattern, handler), content in zip(app.routes(""), (b"", body), strict=True):
        reply = handler(Request(method, pattern, (), {}, content, "application/json"))
        assert schema.complaints(Exchange(method, pattern, {}, content, reply.body, reply.status)) == []
