"""`[housekeeping]`: what keeps the repository in order on its forge. A table that is not there switches nothing on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from shipline.configuration.limits import Limits

_LABEL = Limits(pattern=r"[^,\r\n]{1,100}", meaning="the name of one label")
_DAYS = Limits(minimum=1, maximum=3650)


@dataclass(frozen=True, slots=True)
class LabelsSettings:
    """`[housekeeping.labels]`: labels of pull requests.

    `paths` are globs by label: it is put on what changes such a file. `titles` are words by label that a title holds,
    in whatever case. `types` are labels by the type of a conventional title, `breaking` is that of a breaking one, ""
    for none. `sizes` say by label how many lines, added and removed, it stands for at most; the largest also stands for
    all that is larger. Labels of types and sizes that do not hold any more are taken off.
    """

    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    titles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    types: dict[str, Annotated[str, _LABEL]] = field(default_factory=dict)
    breaking: str = ""
    sizes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StaleSettings:
    """`[housekeeping.stale]`: issues and pull requests that nobody cares for any more.

    After `quiet_days` without a change they get `label` and a warning, after `close_days` more they are closed; where
    `close` is false they never are. What bears one of the labels `exempt` is left alone. `most` bounds how many one run
    changes: the next one goes on.
    """

    quiet_days: Annotated[int, _DAYS] = 60
    close_days: Annotated[int, _DAYS] = 14
    close: bool = True
    label: Annotated[str, _LABEL] = "stale"
    exempt: tuple[str, ...] = ("security", "pinned")
    most: Annotated[int, Limits(minimum=1, maximum=10_000)] = 200


@dataclass(frozen=True, slots=True)
class UpdatesSettings:
    """`[housekeeping.updates]`: pull requests of robots that update dependencies, merged without a person.

    `authors` are the logins of the robots. `level` is the largest step that is merged: patch or minor. Nothing may have
    changed for `hours`, all that is changed fits one of the globs `files`, and what bears one of the labels `hold` is
    left to people. `method` is how: merge, squash or rebase.
    """

    authors: Annotated[tuple[str, ...], Limits(items_min=1)]
    level: Annotated[str, Limits(choices=("patch", "minor"))] = "patch"
    hours: Annotated[int, Limits(minimum=0, maximum=8760)] = 72
    files: tuple[str, ...] = (
        "**/{package,package-lock,composer}.json",
        "**/{pnpm-lock.yaml,pyproject.toml,Cargo.toml,go.mod,go.sum}",
        "**/*.lock",
        "**/*requirements*.txt",
    )
    hold: tuple[str, ...] = ("security",)
    method: Annotated[str, Limits(choices=("merge", "squash", "rebase"))] = "squash"


@dataclass(frozen=True, slots=True)
class WelcomeSettings:
    """`[housekeeping.welcome]`: a comment to somebody who opens their first pull request.

    `text` is Markdown; `{author}` in it calls them.
    """

    text: Annotated[str, Limits(pattern=r"[\s\S]{1,4000}", meaning="a text of 1 to 4000 characters")]


@dataclass(frozen=True, slots=True)
class BackportsSettings:
    """`[housekeeping.backports]`: merged pull requests that labels ask to be brought to other branches.

    A label is `prefix` and the name of the branch.
    """

    prefix: Annotated[str, _LABEL] = "backport "


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`[housekeeping.merge]`: pull requests that are merged when they are ready.

    `label` asks for it, and so does a comment `/merge` by somebody who may write. `approvals` is how many people who
    may write have to approve the newest commit; what comes from a fork needs one at least. `method` is how it is
    merged: merge, squash or rebase.
    """

    label: Annotated[str, _LABEL] = "merge when ready"
    approvals: Annotated[int, Limits(minimum=0, maximum=10)] = 1
    method: Annotated[str, Limits(choices=("merge", "squash", "rebase"))] = "merge"


@dataclass(frozen=True, slots=True)
class HousekeepingSettings:
    """`[housekeeping]`: what is done on the forge.

    With `titles` each title of a pull request is judged by `[lint]`, which the status `shipline/title` tells. With
    `comment` each open pull request has one comment that says what merging it releases and what is known of it, and the
    gates of the stage `pull-request` are asked. With `reviewers` the owners of what changes are asked for a review, as
    CODEOWNERS has them. With `closing` the issues that a pull request closes are closed when it is merged into another
    branch than the default one. `labels`, `welcome`, `updates`, `merge`, `backports` and `stale` are tables of their
    own; what has none is not done. `every_s` is how often a server looks at everything, in seconds.
    """

    every_s: Annotated[int, Limits(minimum=60, maximum=86_400)] = 3600
    titles: bool = False
    reviewers: bool = False
    comment: bool = False
    closing: bool = False
    labels: LabelsSettings | None = None
    welcome: WelcomeSettings | None = None
    stale: StaleSettings | None = None
    updates: UpdatesSettings | None = None
    merge: QueueSettings | None = None
    backports: BackportsSettings | None = None
