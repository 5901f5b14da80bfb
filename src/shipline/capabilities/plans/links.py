"""Web addresses of a repository's commits, requests and comparisons, told from its remote's address alone. Pure.

Knows GitHub, GitLab and Gitea (Forgejo, Codeberg), by the host's name or as the settings say; asks nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# From: the path segments that the forges' own pages use, November 2026.
PATHS = {
    "github": {"commit": "/commit/", "issue": "/issues/", "request": "/pull/", "compare": "/compare/"},
    "gitlab": {
        "commit": "/-/commit/",
        "issue": "/-/issues/",
        "request": "/-/merge_requests/",
        "compare": "/-/compare/",
    },
    "gitea": {"commit": "/commit/", "issue": "/issues/", "request": "/pulls/", "compare": "/compare/"},
}
HOSTS = (("github", "github"), ("gitlab", "gitlab"), ("gitea", "gitea"), ("forgejo", "gitea"), ("codeberg", "gitea"))
SAFE = r"[\w.~/-]+"
HTTP = re.compile(rf"https?://(?:[^@/\s]*@)?([\w.-]+(?::\d+)?)/({SAFE}?)(?:\.git)?/?", re.ASCII)
SSH = re.compile(rf"(?:ssh://)?(?:[\w.-]+@)([\w.-]+)(?::\d+(?=/))?[:/]/?({SAFE}?)(?:\.git)?/?", re.ASCII)
NUMBER = re.compile(r"(?<![\w/&#\[])([#!])(\d{1,12})\b")
REFERENCE = re.compile(rf"({SAFE})?([#!])(\d{{1,12}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Links:
    """Where a repository's pages are. `base` is its own, without a slash at the end; `forge` is a key of PATHS."""

    base: str
    forge: str

    def commit(self, oid: str) -> str:
        """The page of a commit."""
        return self.base + PATHS[self.forge]["commit"] + oid

    def compare(self, old: str, new: str) -> str:
        """The page that compares two tags."""
        return f"{self.base}{PATHS[self.forge]['compare']}{old}...{new}"

    def reference(self, name: str, *, request: bool = False) -> str:
        """A reference as a link: `#12`, `!12`, or `owner/name#12` of another repository there.

        Text where its page is not known: GitLab's groups may lie in others, of which the last two names say nothing.
        """
        found = REFERENCE.fullmatch(name)
        if found is None or (found[1] and (self.forge == "gitlab" or ".." in found[1])):
            return name
        elsewhere, mark, number = found.groups()
        base = "/".join([*self.base.split("/")[:3], elsewhere]) if elsewhere else self.base
        return f"[{name}]({base}{self._page(mark, request=request)}{number})"

    def linked(self, text: str) -> str:
        """Markdown with its `#12` and `!12` made links; what stands in brackets at the end is a request."""
        if "#" not in text and "!" not in text:
            return text
        return NUMBER.sub(self._number, text)

    def _number(self, match: re.Match[str]) -> str:
        mark, number = match.groups()
        before, after = match.string[: match.start()], match.string[match.end() :]
        page = self._page(mark, request=before.endswith("(") and after.startswith(")"))
        return f"[{mark}{number}]({self.base}{page}{number})"

    def _page(self, mark: str, *, request: bool) -> str:
        """The path of a number's page; that of an issue leads to the request of the number on every forge."""
        is_request = mark == "!" or (request and self.forge != "gitlab")
        return PATHS[self.forge]["request" if is_request else "issue"]


def links_of(address: str | None, *, forge: str = "") -> Links | None:
    """The links of the repository that a remote's `address` leads to; None where it shows no forge that is known."""
    match = (HTTP.fullmatch(address) or SSH.fullmatch(address)) if address and len(address) < 1000 else None
    if match is None:
        return None
    host, path = match.groups()
    known = forge or next((kind for name, kind in HOSTS if name in host.lower()), "")
    if not known or not path or ".." in path:
        return None
    return Links(f"https://{host}/{path.strip('/')}", known)
