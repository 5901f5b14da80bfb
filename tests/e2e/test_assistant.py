"""An assistant as it is used: a job's command, and a server that looks by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.assistance import AssistantTimer
from shipline.testing.fakes.assistant import KEY, MODEL, FakeAssistant, chat_handler
from shipline.testing.fakes.forge.server import ForgeServer
from shipline.testing.fakes.loopback import LoopbackServer
from shipline.testing.histories import History
from tests.command import run_shipline
from tests.e2e.test_automation import OF_JOBS, made
from tests.machine import wait_until
from tests.providers.forge.places import TOKEN

EXTRA: dict[str, str | None] = {"RELEASE_TOKEN": TOKEN, "ASSISTANT_KEY": KEY} | dict.fromkeys(OF_JOBS)


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, ForgeServer, FakeAssistant, History]]:
    """A pull request, number 1, and who is asked about it."""
    for name, value in EXTRA.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    person, forge, copy = made(tmp_path, "direct")
    assistant = FakeAssistant()
    with LoopbackServer(chat_handler(assistant)) as server, forge:
        said = f"""
[assistant]
provider = "openai"
url = "{server.url}/v1"
model = "{MODEL}"
key = {{ environment = "ASSISTANT_KEY" }}
tasks = ["review", "tests"]
leave_out = ["*.lock"]
instructions = {{ "*.py" = "No == None." }}
"""
        settings = (copy / "shipline.toml").read_text().replace("release_on_push = true", "")
        person.commit("ci: ask", {"shipline.toml": settings + said, "a.py": "x = 1\n"})
        person.git("push", "--quiet", "origin", "main")
        subprocess.run(["git", "-C", str(copy), "pull", "--quiet"], check=True)
        person.git("checkout", "--quiet", "-b", "topic")
        steals = settings + said.replace(server.url, "http://127.0.0.1:9")
        files = {"a.py": "x = 1\ny = x == None\n", "b.lock": "1\n", "shipline.toml": steals}
        person.commit("feat: more", files)
        person.git("push", "--quiet", "origin", "topic")
        forge.model.open_pull("topic", "main", "feat: more", "")
        yield copy, forge, assistant, person


def test_a_job_asks_once_and_a_person_sees_before_what_is_sent(
    place: tuple[Path, ForgeServer, FakeAssistant, History], tmp_path: Path
) -> None:
    """It is the assistant of the protected branch, whatever the pull request says; the event of CI leads there, too."""
    copy, forge, assistant, _ = place
    shown = run_shipline(copy, "assist", "1", "--dry-run", extra=EXTRA)
    assert (shown.code, assistant.asked) == (0, []), shown
    assert "+y = x == None" in shown.out
    assert "not sent: b.lock" in shown.err
    payload = {"action": "opened", "number": 1, "pull_request": {"number": 1, "state": "open", "title": "feat: more"}}
    ends = {"ref": "topic", "sha": forge.model.pulls[1].head_commit, "repo": {"full_name": "acme/quotes"}}
    payload["pull_request"] |= {"head": ends, "base": ends | {"ref": "main"}}  # type: ignore[operator] # it is an object
    payload["repository"] = {"full_name": "acme/quotes", "default_branch": "main"}
    file = tmp_path / "event.json"
    file.write_text(json.dumps(payload))
    event = ("automate", "--forge", "github", "--name", "pull_request", "--event", str(file))
    done = run_shipline(copy, *event, extra=EXTRA)
    assert done.code == 0, done
    (note,) = forge.model.notes.values()
    (line,) = forge.model.pulls[1].line_notes
    assert (line.path, line.line) == ("a.py", 2)
    assert "```suggestion\ny = x is None\n```" in line.body
    assert "A test that is missing" in note.body
    assert (len(assistant.asked), KEY in done.out + done.err) == (1, False)
    assert "No == None." in assistant.asked[0].material
    assert run_shipline(copy, "assist", "1", extra=EXTRA).code == 4
    assert run_shipline(copy, "assist", "--instructions", extra=EXTRA).code == 0
    assert "fileFilters" in (copy / ".gitlab/duo/mr-review-instructions.yaml").read_text()


def test_a_server_asks_by_itself(place: tuple[Path, ForgeServer, FakeAssistant, History]) -> None:
    copy, forge, assistant, _ = place
    server = Application(copy)
    timer = AssistantTimer(server)

    def is_written() -> bool:
        timer()
        server.engine.sweep()
        return len(forge.model.notes) == 1

    wait_until(is_written, "the comment")
    assert len(assistant.asked) == 1
    server.store.close()
