"""A site from the commit to the folder that a web server shows, and back, as a user types it."""

from __future__ import annotations

from pathlib import Path

from shipline.testing.histories import History
from tests.command import run_shipline

SETTINGS = """
schema = 1

[[build]]
provider = "site"
command = ["sh", "-c", 'cp docs/* "$0"', "{{output}}"]

[[environment]]
name = "docs"
strategy = "blue-green"

[environment.target]
provider = "static"
folder = "{folder}"

[environment.traffic]
provider = "static"
folder = "{folder}"
address = "127.0.0.1:8080"

[environment.preview]
by = "header"
url = "{folder}/preview"

[[environment.verify]]
name = "budget"
before = true
command = ["sh", "-c", 'test ! -e "$0" || ! grep -q heavy "$0"', "{{url}}/index.html"]
attempts = 1

[[environment.verify]]
name = "page"
command = ["grep", "-q", "{{version}}", "{folder}/current/index.html"]
attempts = 1
"""


def test_a_site_is_deployed_switched_and_taken_back(tmp_path: Path) -> None:
    """A version whose verification fails is taken back by itself; `rollback` goes back to any other."""
    www = tmp_path / "www"
    history = History(tmp_path / "work")

    def release(message: str, page: str) -> None:
        settings = SETTINGS.format(folder=www)
        history.commit(message, {"shipline.toml": settings, "docs/index.html": page})
        said = run_shipline(history.folder, "release")
        assert said.code == 0, said

    def shown() -> str:
        return (www / "current" / "index.html").read_text()

    for version in ("0.1.0", "0.2.0"):
        release("feat: a page", f"this is {version}")
        said = run_shipline(history.folder, "deploy")
        assert said.code == 0, said
        assert shown() == f"this is {version}"
    release("feat: a page that is not what it says", "this is 0.0.0")
    said = run_shipline(history.folder, "deploy")
    assert said.code == 1, said
    assert shown() == "this is 0.2.0"
    release("feat: a page that is too heavy", "heavy, but this is 0.4.0")
    said = run_shipline(history.folder, "deploy")
    assert (said.code, "budget failed on the preview" in said.err) == (1, True), said
    assert shown() == "this is 0.2.0"
    assert not (www / "preview").exists()
    said = run_shipline(history.folder, "rollback", "--to", "0.1.0")
    assert said.code == 0, said
    assert shown() == "this is 0.1.0"
    said = run_shipline(history.folder, "down", "docs")
    assert said.code == 0, said
    assert not (www / "current").exists()
