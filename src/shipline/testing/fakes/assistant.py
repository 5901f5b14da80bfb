"""An assistant in memory, and the same behind an endpoint of chat completions.

It is a small reviewer that works: it reads what it is sent, and remarks on each new line that compares with `== None`,
with the line that should stand there; it explains all findings, and misses a test where the change has none. What it
says can be set to anything (`speech`), and it can be in `Trouble` for the next questions.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from enum import StrEnum
from http.server import BaseHTTPRequestHandler
from typing import Any

from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError
from shipline.ports.assistant import Question, Said

KEY, MODEL = "sk-fake-key-of-the-assistant-0001", "small-reviewer"
WRONG, RIGHT = "== None", "is None"


class Trouble(StrEnum):
    """What may come in place of an answer."""

    REFUSES = "refuses"
    LIMITED = "limited"
    DOWN = "down"
    HANGS = "hangs"
    RUBBISH = "rubbish"
    CUT_OFF = "cut off"


_ERRORS: dict[Trouble, ShiplineError] = {
    Trouble.REFUSES: RefusedError("the assistant says nothing about this"),
    Trouble.LIMITED: UnavailableError("the assistant was asked too often"),
    Trouble.DOWN: UnavailableError("the assistant is down"),
    Trouble.HANGS: UnavailableError("the assistant gives no answer"),
    Trouble.RUBBISH: ShiplineError("the assistant does not answer as chat completions do"),
}


class FakeAssistant:
    """The Assistant port. `asked` are all questions that reached it, `troubles` those of the next ones, in order."""

    api_version = 1
    name = MODEL
    reviewer = ""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.troubles: list[Trouble] = []
        self.speech: str | None = None
        self.goes_on = threading.Event()
        """Set, what hangs goes on."""

    def ask(self, question: Question) -> Said:
        """See the port."""
        text, trouble = self.think(question)
        if trouble in _ERRORS:
            raise _ERRORS[trouble]
        return Said(text, whole=trouble is None, tokens=len(question.material) + len(text))

    def think(self, question: Question) -> tuple[str, Trouble | None]:
        """What it says, and what comes between."""
        self.asked.append(question)
        text = self.speech if self.speech is not None else json.dumps(_review(json.loads(question.material)))
        trouble = self.troubles.pop(0) if self.troubles else None
        return (text[: len(text) // 2] if trouble is Trouble.CUT_OFF else text), trouble


def _review(document: dict[str, Any]) -> dict[str, Any]:
    remarks = [remark for file in document["files"] for remark in _remarks(file["path"], file["diff"])]
    explained = [{"id": one["id"], "text": f"{one['rule']} is no false alarm"} for one in document["findings"]]
    untested = [] if any("test" in file["path"] for file in document["files"]) else document["files"][:1]
    tests = [
        {"path": file["path"], "text": "nothing tests it", "code": "def test_it():\n    assert it()"}
        for file in untested
    ]
    summary = f"{len(remarks)} comparisons are wrong."
    return {"summary": summary, "remarks": remarks, "findings": explained, "tests": tests}


def _remarks(path: str, diff: str) -> Iterator[dict[str, Any]]:
    number = 0
    for line in diff.split("\n"):
        if line.startswith("@@ "):
            number = int(line.split("+")[1].split(",")[0].split(" ")[0]) - 1
            continue
        number += line.startswith((" ", "+"))
        if line.startswith("+") and WRONG in line:
            better = line[1:].replace(WRONG, RIGHT)
            yield {"path": path, "line": number, "text": "compare with is", "replacement": better}


def chat_handler(assistant: FakeAssistant) -> type[BaseHTTPRequestHandler]:
    """Answers `POST …/chat/completions` as OpenAI does, for the right key and model."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Tests are silent."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, document = self._reply(body)
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _reply(self, body: dict[str, Any]) -> tuple[int, object]:
            if self.headers["Authorization"] != f"Bearer {KEY}":
                return 401, _error("invalid_api_key")
            if not self.path.endswith("/v1/chat/completions") or body["model"] != MODEL:
                return 404, _error("model_not_found")
            if set(body) != {"model", "messages", "max_tokens", "stream"} or body["max_tokens"] < 1 or body["stream"]:
                return 400, _error("invalid_request_error")
            said = {message["role"]: message["content"] for message in body["messages"]}
            text, trouble = assistant.think(Question(said["system"], said["user"], body["max_tokens"]))
            if trouble is Trouble.HANGS:
                assistant.goes_on.wait(10.0)
            return _troubled(text, trouble)

    return Handler


def _troubled(text: str, trouble: Trouble | None) -> tuple[int, object]:
    match trouble:
        case Trouble.LIMITED:
            return 429, _error("rate_limit_exceeded")
        case Trouble.DOWN:
            return 503, b"<html>upstream</html>"
        case Trouble.RUBBISH:
            return 200, {"choices": [{"text": "an older protocol"}]}
        case Trouble.REFUSES:
            return 200, _completion({"role": "assistant", "content": None, "refusal": "I cannot help with that."})
        case _:
            reason = "length" if trouble is Trouble.CUT_OFF else "stop"
            return 200, _completion({"role": "assistant", "content": text, "refusal": None}, reason)


def _completion(message: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}]
    usage = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": MODEL, "choices": choices, "usage": usage}


def _error(code: str) -> dict[str, Any]:
    return {"error": {"message": code, "type": "invalid_request_error", "param": None, "code": code}}
