"""Chat completions, served on loopback: the port's suite, whose key is sent, and where to."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.assistant import Assistant
from shipline.ports.provider import ProviderContext
from shipline.providers.assistant.gitlab_duo import GitLabDuo, GitLabDuoSettings
from shipline.providers.assistant.openai import OpenAIAssistant, OpenAISettings
from shipline.testing.conformance.assistant import QUESTION, AssistantConformance
from shipline.testing.fakes.assistant import KEY, MODEL, FakeAssistant, chat_handler
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.loopback import LoopbackServer

KEYS = {"GOOD": KEY, "BAD": "sk-of-somebody-else-00000000001"}


def made(url: str, key: str = "GOOD", model: str = MODEL) -> OpenAIAssistant:
    def read(table: dict[str, Any]) -> str:
        return KEYS[table["environment"]]

    settings = OpenAISettings(f"{url}/v1/", model, {"environment": key}, timeout_s=0.5)
    return OpenAIAssistant(settings, ProviderContext(Path(), Path(), FakeClock(), read_secret=read))


class TestOpenAIAssistant(AssistantConformance):
    @pytest.fixture
    def assistant(self, model: FakeAssistant) -> Iterator[Assistant]:
        with LoopbackServer(chat_handler(model)) as server:
            yield made(server.url)


def test_a_key_or_model_that_is_not_known_there_is_refused_and_no_key_is_told() -> None:
    with LoopbackServer(chat_handler(FakeAssistant())) as server:
        with pytest.raises(RefusedError, match="does not take the key") as caught:
            made(server.url, key="BAD").ask(QUESTION)
        assert "sk-" not in caught.value.diagnosis()
        with pytest.raises(RefusedError, match="does not take the question"):
            made(server.url, model="other").ask(QUESTION)


def test_a_redirect_is_not_followed() -> None:
    """The key and the code go where the settings say, and nowhere else."""
    asked = FakeAssistant()

    with LoopbackServer(chat_handler(asked)) as real:

        class Elsewhere(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                self.send_response(307)
                self.send_header("Location", f"{real.url}/v1/chat/completions")
                self.send_header("Content-Length", "0")
                self.end_headers()

        with LoopbackServer(Elsewhere) as server, pytest.raises(RefusedError, match="HTTP 307"):
            made(server.url).ask(QUESTION)
    assert asked.asked == []


@pytest.mark.parametrize(
    "url", ["http://models.example", "ftp://localhost", "https://user:word@models.example", "https://m.example/?key=a"]
)
def test_an_address_at_which_others_could_read_along_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        made(url).ask(QUESTION)


def test_duo_takes_no_questions() -> None:
    duo = GitLabDuo(GitLabDuoSettings(), ProviderContext(Path(), Path(), FakeClock()))
    assert duo.reviewer == "GitLabDuo"
    with pytest.raises(RefusedError):
        duo.ask(QUESTION)
