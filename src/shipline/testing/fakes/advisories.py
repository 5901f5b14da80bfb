"""A database of advisories in memory, and the same behind OSV's HTTP interface."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from shipline.clients.osv import advisory_of
from shipline.domain.advisory import Advisory
from shipline.ports.advisories import PackageName

PAGE = 2
"""So few are on one page that more than one is needed soon."""


class FakeAdvisories:
    """The Advisories port over `entries`, OSV documents by id. `asked` are the packages of each question."""

    api_version = 1

    def __init__(self, *entries: dict[str, Any]) -> None:
        self.entries = {entry["id"]: entry for entry in entries}
        self.asked: list[frozenset[PackageName]] = []

    def about(self, packages: Collection[PackageName]) -> Iterator[Advisory]:
        """See the port."""
        self.asked.append(frozenset(packages))
        for id_ in self.ids_about(packages):
            yield advisory_of(self.entries[id_], id_)

    def ids_about(self, packages: Collection[PackageName]) -> list[str]:
        """The ids of the entries that speak of one of these packages."""
        return [
            id_
            for id_, entry in self.entries.items()
            if any(
                PackageName(one.ecosystem, one.name).compared in {each.compared for each in packages}
                for one in advisory_of(entry, id_).affected
            )
        ]


def osv_handler(database: FakeAdvisories) -> type[BaseHTTPRequestHandler]:
    """Answers as OSV does: `/v1/querybatch`, in pages, and `/v1/vulns/ID`."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Tests are silent."""

        def do_GET(self) -> None:
            entry = database.entries.get(unquote(self.path.rpartition("/")[2]))
            self._answer(entry if entry is not None else {"code": 5}, 200 if entry is not None else 404)

        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            self._answer({"results": [_result(database, query) for query in queries]}, 200)

        def _answer(self, document: object, status: int) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _result(database: FakeAdvisories, query: dict[str, Any]) -> dict[str, Any]:
    package = query["package"]
    found = database.ids_about([PackageName(package["ecosystem"], package["name"])])
    start = int(query.get("page_token", "0"))
    page = [{"id": id_, "modified": "2026-01-01T00:00:00Z"} for id_ in found[start : start + PAGE]]
    more = {"next_page_token": str(start + PAGE)} if len(found) > start + PAGE else {}
    return ({"vulns": page} if page else {}) | more
