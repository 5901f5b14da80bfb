"""The Load port: requests made on purpose, at a steady rate and within bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shipline.domain.errors import InvalidValue

API_VERSION = 1
METHODS = ("GET", "HEAD", "POST")
PATH = re.compile(r"/[!-~]{0,499}")
RATE_MAX = 1000
SECONDS_MAX = 3600
CONCURRENCY_MAX = 256
CLIENTS = 200
"""As many clients make the requests, each with an identity of its own."""
USER_AGENT = "Shipline-Rehearsal/1"
"""What every request says of itself, so that it can be told from a user's."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What to send. `address` is host:port; each request is for one of `paths`, drawn at random; a POST has no body.

    `rate_per_s` is above 0 and at most RATE_MAX, whatever the answers do: a slow service is not spared. `seconds` is 1
    to SECONDS_MAX. Of requests that are due while `concurrency_max` (1 to CONCURRENCY_MAX) are open, none is sent.
    `client_header` is the header in which a proxy is told who the client is; "" where it goes by the peer's address.
    """

    address: str
    paths: tuple[str, ...] = ("/",)
    method: str = "GET"
    rate_per_s: float = 1.0
    seconds: float = 60.0
    concurrency_max: int = 32
    client_header: str = ""

    def __post_init__(self) -> None:
        """Refuse what knows no bounds, or would not stay one line of a request (InvalidValue)."""
        if not (0.0 < self.rate_per_s <= RATE_MAX and 1.0 <= self.seconds <= SECONDS_MAX):
            raise InvalidValue(f"load is at most {RATE_MAX} requests a second, for 1 to {SECONDS_MAX} seconds")
        if not 1 <= self.concurrency_max <= CONCURRENCY_MAX:
            raise InvalidValue(f"1 to {CONCURRENCY_MAX} requests may be open at once")
        if self.method not in METHODS or not self.paths or not all(PATH.fullmatch(path) for path in self.paths):
            raise InvalidValue("load is made with GET, HEAD or POST, of paths that begin with /")


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was sent and has been answered so far. `failed` are 5xx and requests without an answer, as the analysis
    counts them; `skipped` were due and not sent, because too many were open. `by_status` has 0 for no answer."""

    sent: int = 0
    failed: int = 0
    skipped: int = 0
    by_status: Mapping[str, int] = field(default_factory=dict)


class Load(Protocol):
    """What makes requests. They have the header `User-Agent: Shipline-Rehearsal/1`, and the identity of a client, drawn
    at random."""

    api_version: int

    def send(self, plan: LoadPlan, *, is_over: Callable[[LoadReport], bool]) -> LoadReport:
        """Send until the plan's seconds are over, or `is_over` says so, which is asked about four times a second.

        Returns once every request that was sent is answered, or was given up after a few seconds. An interrupt ends it
        at once, and nothing goes on after it. Who does not answer is in the report, and no error. Nobody retries.
        """
        ...
