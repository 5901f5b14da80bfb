"""OSV's HTTP interface, at osv.dev or wherever else it is served. Source: https://google.github.io/osv.dev/api/.

What is sent are the names of packages, and nothing of the project; but they go to another machine, so this is asked
only where the settings name it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from shipline.clients.deadlines import deadline
from shipline.clients.osv import ENTRY_BYTES_MAX, advisory_of
from shipline.domain.advisory import Advisory
from shipline.domain.errors import InvalidValue, ShiplineError, UnavailableError
from shipline.domain.strict_json import read_json
from shipline.ports.advisories import PackageName, UnreadAdvisories
from shipline.ports.provider import ProviderContext

# From: https://google.github.io/osv.dev/post-v1-querybatch/: so many questions are taken at once.
QUERIES_MAX = 1000
PAGES_MAX = 100
ANSWER_BYTES_MAX = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OSVAPISettings:
    """`url` is where the interface is, without `/v1`. `timeout_s` bounds each exchange, in seconds."""

    url: str = "https://api.osv.dev"
    timeout_s: float = 30.0


class OSVAPI:
    """The Advisories port over HTTP."""

    api_version = 1
    Settings = OSVAPISettings

    def __init__(self, settings: OSVAPISettings, _context: ProviderContext) -> None:
        self._settings = settings
        self._url = settings.url.rstrip("/")

    def about(self, packages: Collection[PackageName]) -> Iterator[Advisory]:
        """See the port. The database names the ids; each entry is then fetched once."""
        ids: dict[str, None] = {}
        ordered = sorted(packages)
        for start in range(0, len(ordered), QUERIES_MAX):
            ids |= dict.fromkeys(self._ids(ordered[start : start + QUERIES_MAX]))
        unread: list[InvalidValue] = []
        for id_ in ids:
            document = self._exchange("GET", f"/v1/vulns/{quote(id_, safe='')}")
            try:
                advisory = advisory_of(document, f"the advisory {id_[:60]}")
            except InvalidValue as error:
                unread.append(error)
                continue
            yield advisory
        if unread:
            raise UnreadAdvisories(unread[0], len(unread))

    def _ids(self, packages: list[PackageName]) -> Iterator[str]:
        queries: list[dict[str, Any]] = [
            {"package": {"ecosystem": package.ecosystem, "name": package.name}} for package in packages
        ]
        for _ in range(PAGES_MAX):
            answer = self._exchange("POST", "/v1/querybatch", {"queries": queries})
            results = answer.get("results") if isinstance(answer, dict) else None
            if not isinstance(results, list) or len(results) != len(queries):
                raise ShiplineError(f"{self._url} does not answer as OSV does", why="it does not answer every question")
            following = []
            for query, result in zip(queries, results, strict=True):
                yield from _ids_in(result)
                token = result.get("next_page_token") if isinstance(result, dict) else None
                following += [query | {"page_token": token}] if token else []
            queries = following
            if not queries:
                return
        raise ShiplineError(f"{self._url} answers with more than {PAGES_MAX} pages")

    def _exchange(self, method: str, path: str, document: object = None) -> Any:
        """The JSON that one request is answered with. No redirect is followed, nothing is retried here."""
        body = bytearray()
        content = None if document is None else json.dumps(document).encode()
        headers = {"User-Agent": "shipline", "Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {} if content is None else {"Content-Type": "application/json"}
        timeout_s = self._settings.timeout_s
        try:
            with (
                deadline(timeout_s) as limit,
                httpx.Client(timeout=timeout_s) as client,
                client.stream(method, self._url + path, content=content, headers=headers, extensions=limit) as answer,
            ):
                for chunk in answer.iter_raw():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise ShiplineError(f"{self._url} answered with more than {ANSWER_BYTES_MAX >> 20} MiB")
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise UnavailableError(
                f"the advisories at {self._url} cannot be asked",
                why=str(error)[:200] or type(error).__name__,
                todo="it is asked again later; without a network, use the provider osv-files",
            ) from None
        if status != httpx.codes.OK:
            raise UnavailableError(f"the advisories at {self._url} answer with HTTP {status}", why=path)
        return read_json(
            bytes(body), what=f"the answer of {self._url}", limit_bytes=max(ANSWER_BYTES_MAX, ENTRY_BYTES_MAX)
        )


def _ids_in(result: object) -> Iterator[str]:
    listed = result.get("vulns") if isinstance(result, dict) else None
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict) or not isinstance(each.get("id"), str):
            raise ShiplineError("an answer of the advisories' database lists something without an id")
        yield each["id"]
