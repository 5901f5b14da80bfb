"""Pull requests of robots that update dependencies: which of them need no person. Pure, and it fails closed.

Only what a title says as `from A to B` is understood: several updates at once, and versions that cannot be read, are
for people. A minor step below 1.0.0 may break as a major one may (semver.org, 2.0.0, item 4), and counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shipline.capabilities.automation.housekeeping.acts import Act, Merged
from shipline.capabilities.plans import matches
from shipline.ports.forge import CommitStatus, Known, PullRequest, StatusState
from shipline.ports.forge.reviews import ChangedFile, MergeMethod, Readiness

HOUR_US = 3600 * 1_000_000
LEVELS = ("patch", "minor", "major")
# From: docs.github.com/code-security/dependabot: "Bump NAME from A to B", with " in /folder" after it.
_STEP = re.compile(
    r"\bfrom v?(\d{1,9})\.(\d{1,9})\.(\d{1,9}) to v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?: in [^ ]{1,200})?$"
)


@dataclass(frozen=True, slots=True)
class UpdateRules:
    """`authors` are the robots' logins, `level` the largest step that is merged, `files` globs that all that is changed
    fits. `hours` is how long nothing has changed before it; what bears a label of `hold` is left to people."""

    authors: tuple[str, ...]
    level: str
    hours: int
    files: tuple[str, ...]
    hold: tuple[str, ...]
    method: str


def step_of(title: str) -> str | None:
    """`patch`, `minor` or `major`; None where the title does not say it, or the way is back."""
    line = " ".join(title.split())
    found = _STEP.search(line)
    if found is None or line.casefold().count(" from ") != 1:
        return None
    numbers = [int(each) for each in found.groups()]
    before, after = numbers[:3], numbers[3:]
    if after <= before:
        return None
    if before[0] != after[0] or (before[0] == 0 and before[1] != after[1]):
        return "major"
    return "minor" if before[1] != after[1] else "patch"


def concerns_update(rules: UpdateRules, pull: PullRequest, now_us: int) -> bool:
    """True for one that may be merged as far as a list shows it."""
    step, held = step_of(pull.title), {name.casefold() for name in rules.hold}
    return (
        pull.author in rules.authors
        and not (pull.fork or pull.draft)
        and step is not None
        and LEVELS.index(step) <= LEVELS.index(rules.level)
        and not held & {name.casefold() for name in pull.labels}
        and pull.updated_us <= now_us - rules.hours * HOUR_US
    )


def update_acts(
    rules: UpdateRules,
    pull: PullRequest,
    files: Sequence[ChangedFile],
    checks: Sequence[CommitStatus],
    readiness: Readiness,
) -> Iterator[Act]:
    """Its merge, where every check of its newest commit has passed, there is one, and the forge would merge it."""
    paths = [path for file in files for path in (file.path, file.before) if path is not None]
    fits = bool(paths) and all(any(matches(pattern, path) for pattern in rules.files) for path in paths)
    green = bool(checks) and all(each.state is StatusState.SUCCESS for each in checks)
    same = pull.head_commit != "" and readiness.head == pull.head_commit
    if fits and green and same and readiness.mergeable is Known.YES:
        yield Merged(pull.number, pull.head_commit, MergeMethod(rules.method), f"a {step_of(pull.title)} update")
