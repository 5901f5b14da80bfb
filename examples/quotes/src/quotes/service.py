"""Which request gets which answer. Knows nothing of sockets."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from quotes import __version__
from quotes.book import QUOTES
from quotes.metrics import CONTENT_TYPE, Metrics


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to one request."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Service:
    """Answers requests. Safe to use from several threads."""

    def __init__(self, random: Random) -> None:
        """Draw quotes with `random`."""
        self._random = random
        self.metrics = Metrics(__version__)

    def answer(self, path: str) -> Response:
        """Answer a GET of `path`."""
        match path.strip("/").split("/"):
            case [""]:
                return self._draw()
            case ["quotes", number]:
                return _quote(number)
            case ["healthz"]:
                return Response(200, b"ok\n", "text/plain; charset=utf-8")
            case ["version"]:
                return _json(200, {"version": __version__})
            case ["metrics"]:
                return Response(200, self.metrics.render().encode(), CONTENT_TYPE)
        return problem(404, "no such page")

    def _draw(self) -> Response:
        quote = self._random.choice(QUOTES)
        return _json(200, quote.as_json())


def problem(status: int, title: str) -> Response:
    """Say what is wrong."""
    return _json(status, {"error": title})


def _quote(number: str) -> Response:
    if not number.isdigit():
        return problem(404, "a quote's number is an integer")
    if not 1 <= int(number) <= len(QUOTES):
        return problem(404, f"there are {len(QUOTES)} quotes")
    return _json(200, QUOTES[int(number) - 1].as_json())


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False).encode() + b"\n")
