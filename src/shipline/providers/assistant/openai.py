"""Any endpoint that speaks OpenAI's chat completions: a service, or a model on one's own machines.

Source: platform.openai.com/docs/api-reference/chat/create (2026). `max_tokens` is its older word for the limit, and the
one that the other servers of this protocol know, too.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from shipline.clients.deadlines import deadline
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.domain.strict_json import read_json
from shipline.ports.assistant import ANSWER_BYTES_MAX, Question, Said
from shipline.ports.provider import ProviderContext

SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """`url` is where the interface is, up to `/chat/completions`; `model` is the one that is asked. `key` says where
    the key is, as of a secret; an empty one sends none. `timeout_s` bounds an answer, in seconds."""

    url: str
    model: str
    key: dict[str, Any] = field(default_factory=dict)
    timeout_s: float = 120.0


class OpenAIAssistant:
    """The Assistant port over HTTP."""

    api_version = 1
    Settings = OpenAISettings
    reviewer = ""

    def __init__(self, settings: OpenAISettings, context: ProviderContext) -> None:
        self._settings = settings
        self._read_secret = context.read_secret
        self._url = settings.url.rstrip("/")

    @property
    def name(self) -> str:
        """The model's name."""
        return self._settings.model

    def ask(self, question: Question) -> Said:
        """See the port."""
        check_address(self._url)
        messages = [
            {"role": "system", "content": question.instructions},
            {"role": "user", "content": question.material},
        ]
        document = {"model": self._settings.model, "messages": messages, "max_tokens": question.tokens_max}
        status, body = self._exchange(json.dumps(document | {"stream": False}).encode())
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            raise UnavailableError(f"the assistant at {self._url} answers with HTTP {status}")
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RefusedError(
                f"the assistant at {self._url} does not take the key (HTTP {status})", todo="mend key in [assistant]"
            )
        if status != httpx.codes.OK:
            raise RefusedError(
                f"the assistant at {self._url} does not take the question (HTTP {status})",
                todo="see whether url and model in [assistant] are right, and whether bytes_max is too much for it",
            )
        return read_answer(body)

    def _exchange(self, content: bytes) -> tuple[int, bytes]:
        """One request. No redirect is followed: the question goes where the settings say, and nowhere else."""
        headers = {"User-Agent": "shipline", "Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {"Content-Type": "application/json"} | self._authorization()
        timeout_s, body, address = self._settings.timeout_s, bytearray(), f"{self._url}/chat/completions"
        try:
            with (
                deadline(timeout_s) as limit,
                httpx.Client(timeout=timeout_s) as client,
                client.stream("POST", address, content=content, headers=headers, extensions=limit) as answer,
            ):
                for chunk in answer.iter_raw():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise ShiplineError(f"{self._url} answered with more than {ANSWER_BYTES_MAX >> 20} MiB")
                return answer.status_code, bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise UnavailableError(
                f"the assistant at {self._url} gives no answer", why=str(error)[:200] or type(error).__name__
            ) from None

    def _authorization(self) -> dict[str, str]:
        if not self._settings.key:
            return {}
        if self._read_secret is None:
            raise ConfigurationError("no key can be read here for the assistant")
        return {"Authorization": f"Bearer {self._read_secret(self._settings.key)}"}


def check_address(url: str) -> None:
    """ConfigurationError for an address that the code of a project must not be sent to: without TLS beyond this
    machine, or with a secret in it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigurationError("the assistant's url has more than an address in it", todo="set the key by `key`")
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigurationError("the assistant's url is no address", todo='begin it with "https://"')
    if parts.scheme == "http" and not _is_here(host):
        raise ConfigurationError(
            "the assistant's url is without TLS", why="code and key would be readable on the way", todo="use https://"
        )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_answer(body: bytes) -> Said:
    """What the first choice says. ShiplineError for what is no answer of this protocol; RefusedError for a refusal."""
    document = read_json(body, what="the assistant's answer", limit_bytes=ANSWER_BYTES_MAX)
    choices = document.get("choices") if isinstance(document, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(document, dict) or not isinstance(choice, dict) or not isinstance(message, dict):
        raise ShiplineError("the assistant does not answer as chat completions do")
    text = message.get("content")
    if message.get("refusal") or not isinstance(text, str) or not text.strip():
        raise RefusedError("the assistant says nothing about this")
    usage = document.get("usage")
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    counted = tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None
    return Said(text, whole=choice.get("finish_reason") != "length", tokens=counted)
