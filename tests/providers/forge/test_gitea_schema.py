"""What we say to Gitea, and what its fake answers, beside Gitea's own description of its interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.providers.forge.gitea_schema import gitea_schema
from tests.providers.forge.github_schema import Exchange, ForgeSchema, overheard
from tests.providers.forge.places import Place, running
from tests.providers.forge.test_forges import TestGitea as Conforming
from tests.providers.forge.test_forges import token

__all__ = ["token"]


# Gitea's routers answer 201 there (routers/api/v1/repo/tag.go, CreateTag), and their description says 200. Two lists
# have no pages: Gitea gives them whole, and does not mind being asked for a page of a length.
KNOWN = (
    "POST /repos/{owner}/{repo}/tags does not answer with 201",
    "GET /repos/{owner}/{repo}/releases/{id}/assets takes no parameter 'limit'",
    "GET /repos/{owner}/{repo}/issues/{index}/comments takes no parameter 'limit'",
)


@pytest.fixture(scope="session")
def schema(pytestconfig: pytest.Config) -> ForgeSchema:
    return gitea_schema(pytestconfig.cache.mkdir("witnesses"))


class TestGiteaBySchema(Conforming):
    """The whole suite again, with every request and every answer held against the description."""

    @pytest.fixture
    def place(self, tmp_path: Path, schema: ForgeSchema) -> Iterator[Place]:
        with running("gitea", tmp_path) as made:
            complaints = overheard(made, schema)
            yield made
            assert sorted(set(complaints) - set(KNOWN)) == []


def test_the_witness_complains_where_something_is_wrong(schema: ForgeSchema) -> None:
    """A path, a parameter, a field, a word and a type that Gitea does not know, and an answer of another shape."""
    good = Exchange("POST", "/repos/o/r/statuses/abc", {}, b'{"state": "success"}', {"id": 1, "status": "success"}, 201)
    assert schema.complaints(good) == []
    for wrong in (
        {"path": "/repos/o/r/status/abc"},
        {"query": {"x": "1"}},
        {"body": b'{"state": "success", "label": "l"}'},
        {"body": b'{"state": "done"}'},
        {"body": b'{"state": 1}'},
        {"answer": {"id": "1"}},
        {"status": 200},
    ):
        assert schema.complaints(replace(good, **wrong)), wrong
