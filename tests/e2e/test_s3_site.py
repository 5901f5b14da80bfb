"""A site from the commit to the bucket that users see, and back, as a user types it; moto's server stands in for S3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shipline.testing.histories import History
from tests.buckets import NAME, Before, BucketWorld
from tests.command import run_shipline

SETTINGS = """
schema = 1

[[build]]
provider = "site"
command = ["sh", "-c", 'cp docs/* "$0"', "{{output}}"]

[[environment]]
name = "docs"
strategy = "blue-green"
url = "{url}/"

[environment.target]
provider = "s3"
region = "eu-central-1"
bucket = "acme-docs"
endpoint_url = "{endpoint}"

[environment.traffic]
provider = "s3"
region = "eu-central-1"
bucket = "acme-docs"
endpoint_url = "{endpoint}"
address = "127.0.0.1:443"

[[environment.verify]]
name = "page"
command = ["sh", "deploy/page-has.sh", "{{url}}", "{{version}}"]
attempts = 1
"""
SMOKE_TEST = """
page=$(curl -fs "$1index.html" | sed -n 's/^<a href="\\([^"]*\\)".*/\\1/p')
test -n "$page" && curl -fs "$1$page" | grep -q "$2"
"""


@pytest.fixture
def world(moto_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketWorld]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    with Before(moto_port) as server:
        made = BucketWorld(server)
        made.show_to_everybody()
        yield made


def test_a_site_is_deployed_switched_and_taken_back(world: BucketWorld, tmp_path: Path) -> None:
    """A version that the smoke test does not find is taken back by itself, without any upload."""
    url = f"{world.server.url}/{NAME}"
    history = History(tmp_path / "work")

    def release(message: str, page: str) -> None:
        settings = SETTINGS.format(url=url, endpoint=world.server.url)
        files = {"shipline.toml": settings, "docs/index.html": page, "deploy/page-has.sh": SMOKE_TEST}
        history.commit(message, files)
        said = run_shipline(history.folder, "release")
        assert said.code == 0, said

    def shown() -> str:
        """What a browser comes to."""
        found = re.search(r'url=([^"]*)"', httpx.get(f"{url}/index.html").raise_for_status().text)
        assert found is not None
        answer = httpx.get(f"{url}/{found[1]}").raise_for_status()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        return answer.text

    release("feat: a page", "this is 0.1.0")
    said = run_shipline(history.folder, "deploy")
    assert said.code == 0, said
    assert shown() == "this is 0.1.0"
    release("feat: a page that is not what it says", "this is 0.0.0")
    puts: list[str] = []
    world.server.before = lambda method, path: puts.append(path) if method == "PUT" else None
    said = run_shipline(history.folder, "deploy")
    assert said.code == 1, said
    assert shown() == "this is 0.1.0"
    files = [path for path in puts if "/.shipline/" not in path]
    assert [path.rpartition("/")[2] for path in files] == ["index.html"] * 4, "shown, switched, back, left"
    assert len([path for path in files if path.startswith(f"/{NAME}/sites/work-0.2.0")]) == 1
    said = run_shipline(history.folder, "down", "docs")
    assert said.code == 0, said
    assert "Nothing is shown here" in httpx.get(f"{url}/index.html").text
