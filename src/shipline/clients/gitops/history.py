"""What the commits of an environment say in their trailers: what was brought there, by which revision, what is held.

A version that was left by a way back is held: the commit of that way back says so, and no rollout brings the version
again while it is the newest word about it. Bringing another version ends that, and so does a person, by a commit with
the trailer `Shipline-Unhold: PLACE VERSION`. Pure, but for reading the log.

A repository of manifests belongs to several projects, whose environments may have one name. So a commit counts where it
names the place: the environment, the file, and the image that is set there (`GitOpsSettings.place`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from shipline.clients.durable_state import check_fence
from shipline.clients.git_command import PLAIN_LOG, GitCommand
from shipline.clients.version_order import order_of
from shipline.domain.errors import RefusedError

PLACE, GROUP, REVISION = "Shipline-Place", "Shipline-Group", "Shipline-Revision"
RELEASE, DIGEST, HOLD, UNHOLD = "Shipline-Release", "Shipline-Digest", "Shipline-Hold", "Shipline-Unhold"
# How many of a place's commits are looked at, the newest first.
COMMITS_MAX = 200
REVISION_DIGITS_MAX = 19
# A user's trailer.separators may leave the colon out, and grep.patternType be another language. From: git-config(1).
TRAILERS, PATTERNS = ("-c", "trailer.separators=:"), "--basic-regexp"
# What a basic regular expression does not take as it stands.
# From: https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap09.html#tag_09_03_03
SPECIAL = re.compile(r"[\\.\[*^$]")


@dataclass(frozen=True, slots=True)
class Brought:
    """A commit that brought a version. `held` is the version that it left by a way back, "" for none."""

    commit: str
    group: str
    revision: int
    package: str
    version: str
    digest: str
    held: str = ""

    def trailers(self, place: str) -> dict[str, str]:
        """As the commit says it."""
        said = {
            PLACE: place,
            GROUP: self.group,
            REVISION: str(self.revision),
            RELEASE: f"{self.package} {self.version}",
            DIGEST: self.digest,
        }
        return said | ({HOLD: self.held} if self.held else {})


@dataclass(frozen=True, slots=True)
class History:
    """A place's commits, the newest first. `unheld` are the versions that people let go after the newest."""

    brought: tuple[Brought, ...] = ()
    unheld: frozenset[str] = frozenset()

    @property
    def newest(self) -> Brought | None:
        """What was brought last."""
        return self.brought[0] if self.brought else None

    @property
    def held(self) -> str:
        """The version that is held now, "" for none."""
        newest = self.newest
        return "" if newest is None or newest.held in self.unheld else newest.held

    def check_fence(self, revision: int) -> None:
        """RefusedError if a newer revision has brought something already: this is a late call."""
        if self.newest is not None:
            check_fence(self.newest.revision, revision)

    def check_not_held(self, place: str, version: str) -> None:
        """RefusedError if this version is held."""
        if self.held == version:
            let_go = quote(f"{UNHOLD}: {place} {version}")
            raise RefusedError(
                f"{version} is held: {place.partition(' ')[0]} went back from it",
                why=f"commit {self.brought[0].commit[:12]} says so, and nothing else was brought there since",
                todo="deploy another version; or let it go by a commit on the branch:"
                f' git commit --allow-empty -m "chore: let {version} go" --trailer {let_go}',
            )


def read_history(git: GitCommand, tip: str, place: str) -> History:
    """The commits below `tip` that say something of a place.

    Git itself leaves out those of other places, or many of them would hide what counts. The pattern ends where the line
    does, but for spaces that git takes off a trailer.
    """
    here = SPECIAL.sub(r"\\\g<0>", place)
    asked = (f"--grep=^{PLACE}: {here} *$", f"--grep=^{UNHOLD}: {here} [^ ]* *$")
    options = (PATTERNS, *asked, f"--max-count={COMMITS_MAX}", "--topo-order", "--format=%H%n%(trailers:only,unfold)")
    output = git.run("read the branch", *TRAILERS, *PLAIN_LOG, *options, "--end-of-options", tip, "--")
    return history_of([record.decode("utf-8", "replace") for record in output.split(b"\0")], place)


def history_of(records: list[str], place: str) -> History:
    """What commits say, each a name and trailers, a line each. What is no such commit is left out."""
    brought: list[Brought] = []
    unheld: set[str] = set()
    for record in records:
        commit, *lines = record.strip("\n").split("\n")
        said = {name: value for name, _, value in (line.partition(": ") for line in lines)}
        where, _, version = said.get(UNHOLD, "").rpartition(" ")
        if where == place and not brought:
            unheld.add(version)
        if said.get(PLACE) == place and (one := _brought(commit, said)) is not None:
            brought.append(one)
    return History(tuple(brought), frozenset(unheld))


def _brought(commit: str, said: Mapping[str, str]) -> Brought | None:
    package, _, version = said.get(RELEASE, "").rpartition(" ")
    revision = said.get(REVISION, "")
    if not package or not revision.isascii() or not revision.isdigit() or len(revision) > REVISION_DIGITS_MAX:
        return None
    return Brought(
        commit, said.get(GROUP, ""), int(revision), package, version, said.get(DIGEST, ""), said.get(HOLD, "")
    )


def left_behind(before: Brought | None, version: str, *, is_back: bool) -> str:
    """The version that is held once `version` is brought after `before`, "" for none.

    It is a way back to what had served before (`is_back`), or to a lower version.
    """
    if before is None or before.version == version:
        return ""
    mine, other = order_of(version), order_of(before.version)
    is_lower = mine is not None and other is not None and mine < other
    return before.version if is_back or is_lower else ""
