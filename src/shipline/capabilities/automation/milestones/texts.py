"""What the milestone flow writes for people. Pure; titles are somebody else's and call nobody."""

from __future__ import annotations

import re

from shipline.capabilities.automation.milestones.states import IssueSeen, MilestoneSeen
from shipline.capabilities.plans import safe_line
from shipline.ports.forge import hidden

LABEL = "release tracking"
MARKER = "shipline:milestone:"
SHOWN_MAX = 50
TITLE_MAX = 120
_KEY = re.compile(r"<!-- shipline:milestone:([0-9A-Za-z_-]{1,40}) -->")
_VERSION = re.compile(r"<!-- shipline:version:([0-9A-Za-z.+!_-]{1,255}) -->")


def read_markers(body: str) -> tuple[str, str] | None:
    """The key of a tracking issue's milestone and its version; None for an issue that is none."""
    key, version = _KEY.search(body), _VERSION.search(body)
    return None if key is None or version is None else (key[1], version[1])


def quiet(text: str) -> str:
    """Somebody's words on one line, without calls."""
    return safe_line(text[:TITLE_MAX]).replace("@", "@\u2060")


def listed(issues: tuple[IssueSeen, ...]) -> str:
    """Issues, one a line."""
    lines = [f"- #{one.number} {quiet(one.title)}" for one in issues[:SHOWN_MAX]]
    more = [f"- and {len(issues) - SHOWN_MAX} more"] if len(issues) > SHOWN_MAX else []
    return "\n".join(lines + more)


def unified(text: str) -> str:
    """Forges may change line breaks, and cut white space at the end."""
    return text.replace("\r\n", "\n").strip()


def tracking_title(version: str) -> str:
    """The title of a tracking issue."""
    return f"Release {version}"


def tracking_body(one: MilestoneSeen, *, release_branch: str, branch: str) -> str:
    """The text of a tracking issue, its markers first, so that an edit keeps them."""
    done = [each for each in one.issues if not each.is_open]
    is_merged = one.is_merged or one.is_tagged
    candidate = one.candidate if is_merged or (one.is_closed and not one.open_issues) else None
    rows = (
        (one.newest is not None, _tagged("development tag", one.newest.name if one.newest else "")),
        (is_merged or one.content is not None, f"branch `{branch}`"),
        (not one.open_issues, f"issues closed: {len(done)} of {len(one.issues)}"),
        (one.is_closed, "milestone closed"),
        (candidate is not None, _tagged("release candidate", candidate.name if candidate else "")),
        (is_merged or candidate is not None, f"pull request from `{branch}` to `{release_branch}`"),
        (is_merged, f"merged to `{release_branch}`"),
        (one.page_url is not None, f"released: {one.page_url}" if one.page_url else "released"),
    )
    checklist = "\n".join(f"- [{'x' if is_done else ' '}] {words}" for is_done, words in rows)
    head = f"{hidden(MARKER + one.key)}\n{hidden('shipline:version:' + one.version)}"
    text = (
        f"{head}\nWhere the release of **{one.version}** stands. Shipline keeps this text up to date.\n\n{checklist}\n"
    )
    return f"{text}\nStill open:\n\n{listed(one.open_issues)}\n" if one.open_issues else text


def _tagged(what: str, name: str) -> str:
    return f"{what} `{name}`" if name else what


def held_marker(key: str) -> str:
    """The marker of the comment that says why a closed milestone is not released."""
    return f"{MARKER}{key}:held"


def released_marker(version: str) -> str:
    """The marker of the comment that says that a version is out."""
    return f"shipline:released:{version}"


def pull_title(version: str) -> str:
    """The title of the pull request that releases a version."""
    return f"chore(release): {version}"


def pull_body(one: MilestoneSeen, notes: str) -> str:
    """What the pull request says: what merging it does, the issues and the notes."""
    issues = f"\n\nIssues:\n\n{listed(one.issues)}" if one.issues else ""
    return f"Merging this releases {one.version}.{issues}\n\n{notes.strip()}\n"


def held_words(one: MilestoneSeen, *, reopens: bool) -> str:
    """Why a closed milestone is not released."""
    count = len(one.open_issues)
    what = "reopened" if reopens else "not released"
    return f"{one.version} is {what}: {count} issue{'s are' if count > 1 else ' is'} open.\n\n{listed(one.open_issues)}"
