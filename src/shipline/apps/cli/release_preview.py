"""What `shipline release --dry-run` shows: each release's steps, the release pull request, and all diffs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from shipline.apps.cli.wording import printable
from shipline.capabilities.releases import Difference, Foreseen, ForeseenPullRequest
from shipline.domain.errors import ExitCode, NothingToDo

SCHEMA = "shipline.release-preview/1"


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be done; `pull_request` is None where there would be none."""

    releases: tuple[Foreseen, ...]
    pull_request: ForeseenPullRequest | None

    @property
    def files(self) -> tuple[Difference, ...]:
        """All files that would change."""
        proposed = self.pull_request.files if self.pull_request is not None else ()
        return (*(file for one in self.releases for file in one.files), *proposed)


def show(preview: Preview, *, as_json: bool) -> int:
    """Print it. NothingToDo where nothing would be done, which programs are told by the document, too."""
    if as_json:
        click.echo(json.dumps(document(preview), indent=2))
    if all(one.decision.version is None for one in preview.releases) and preview.pull_request is None:
        raise NothingToDo("nothing to release", why="; ".join(one.decision.reason for one in preview.releases))
    if not as_json:
        for line in _lines(preview):
            click.echo(printable(line))
    return int(ExitCode.DONE)


def _lines(preview: Preview) -> Iterator[str]:
    for one in preview.releases:
        yield f"{one.package} {one.decision.version or 'nothing'}: {one.decision.reason}"
        for title, sentences in one.steps:
            yield f"  {title}: {'; '.join(sentences) or 'nothing to do'}"
    pull = preview.pull_request
    if pull is not None:
        yield f"release pull request from {pull.branch}: {pull.title}"
        yield from (f"  {line}".rstrip() for line in pull.text.splitlines())
    for file in preview.files:
        yield ""
        if file.diff:
            # Lines end at line feeds: what else a file holds is no reason to break its diff.
            yield from file.diff.removesuffix("\n").split("\n")
        if file.cut:
            yield f"# {file.path} is {file.change}, and not all of its diff is shown as it is"


def document(preview: Preview) -> dict[str, Any]:
    """The same as plain JSON data."""
    pull = preview.pull_request
    return {
        "schema": SCHEMA,
        "releases": [
            {
                "package": one.package,
                "start": one.decision.start.value,
                "version": one.decision.version,
                "reason": one.decision.reason,
                "steps": [{"title": title, "sentences": list(sentences)} for title, sentences in one.steps],
                "files": [_file(file) for file in one.files],
            }
            for one in preview.releases
        ],
        "pull_request": None
        if pull is None
        else {
            "branch": pull.branch,
            "title": pull.title,
            "text": pull.text,
            "packages": [{"name": name, "version": version} for name, version in pull.packages],
            "files": [_file(file) for file in pull.files],
        },
    }


def _file(file: Difference) -> dict[str, Any]:
    return {"path": file.path, "change": file.change, "diff": file.diff, "cut": file.cut}
