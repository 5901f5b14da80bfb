"""A branch of the repository that holds built sites, such as `gh-pages`: each version is one commit on it.

What was published is read from the branch's own history, where every commit says in trailers which version it brought
and with which digest. The branch only moves forward, by compare and swap; nothing is ever forced. A version that is
lower than the one that is shown, or a pre-release beside it, is kept in the history and shown by nothing.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shipline.clients.git_command import GitCommand
from shipline.clients.git_tree import BranchOf, Proposal, placed, subtree_of, tree_of_folder
from shipline.clients.site_archive import KIND, unpack_site
from shipline.clients.version_order import highest_below, is_final, order_of
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue, ShiplineError
from shipline.domain.verdict import Answer
from shipline.ports.provider import ProviderContext
from shipline.ports.registry import STABLE, Finding, PublishedFile, YankAnswer

KEY, ARTIFACT, SHOWS = "Shipline-Key", "Shipline-Artifact", "Shipline-Shows"
NEVER_UNDONE = ("its files stay in the history of the branch, and copies stay where they are",)
_BRANCH = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock$))[^\x00-\x20\x7f~^:?*\[\\]{1,200}(?<![/.])")
_FOLDER = re.compile(r"(?!/)(?!(?:.*/)?\.\.?(?:/|$))(?!.*//)[^\x00-\x20\x7f]{0,200}(?<!/)")


@dataclass(frozen=True, slots=True)
class GitBranchSettings:
    """A `[[registry]]` table of the provider `git-branch`.

    `branch` is the branch that holds the sites, made with the first one; `remote` the name or address of where it is.
    `folder` is where in it a site goes, with `{package}` and `{version}` in it; "" is the top, which shows the highest
    version alone.
    """

    branch: str = "gh-pages"
    remote: str = "origin"
    folder: str = ""

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        if _BRANCH.fullmatch(self.branch) is None:
            raise ConfigurationError(f"branch: {self.branch[:80]!r} cannot be the name of a branch")
        if self.remote == "" or self.remote.startswith("-"):
            raise ConfigurationError("remote is the name or the address of a git remote")
        if self.folder and _FOLDER.fullmatch(self.folder) is None:
            raise ConfigurationError("folder is a path inside of the branch, relative, with forward slashes, no spaces")


@dataclass(frozen=True, slots=True)
class Site:
    """A version that the branch's history holds, and the commit that brought it."""

    commit: str
    version: str
    file: PublishedFile


@dataclass(frozen=True, slots=True)
class History:
    """What the branch says of one package. `shown` is the version that its place shows, None for none.

    `stranger` is the other package whose site stands there, "" for none.
    """

    sites: dict[str, Site]
    shown: str | None
    stranger: str = ""


class GitBranchRegistry:
    """The Registry port over a branch of sites."""

    api_version = 1
    kinds: tuple[str, ...] = (KIND,)
    Settings = GitBranchSettings

    def __init__(self, settings: GitBranchSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._git = GitCommand(context.root)
        self._branch = BranchOf(self._git, settings.remote, settings.branch, context.clock)

    def check(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[Finding, ...]:
        """Whether the branch is one for sites, and the files are such."""
        tip = self._branch.tip()
        history = self._history(tip, package, version)
        found = [self._answers(tip, history, package, version)]
        for path in files:
            try:
                with tempfile.TemporaryDirectory() as scratch:
                    count = len(unpack_site(path, Path(scratch)))
            except ShiplineError as error:
                found.append(Finding(Answer.FAIL, error.what, "build it with the builder `site`"))
            else:
                found.append(Finding(Answer.PASS, f"{path.name} is a site of {count} files"))
        return tuple(found)

    def find(self, package: str, version: str) -> tuple[PublishedFile, ...]:
        """The site of exactly this version."""
        site = self._history(self._branch.tip(), package, version).sites.get(version)
        return () if site is None else (site.file,)

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        """One commit that shows the site, or keeps it in the history where a higher version is shown."""
        if len(files) != 1:
            raise InvalidValue(f"a version has one site, and {len(files)} files are to be published")
        name, digest = files[0].name, _digest_of(files[0])
        with tempfile.TemporaryDirectory() as scratch:
            names = unpack_site(files[0], Path(scratch))
            tree = tree_of_folder(self._git, Path(scratch), names)
        self._branch.move(lambda tip: self._publication(tip, package, version, PublishedFile(name, digest), tree))
        return self.find(package, version)

    def yank(self, package: str, version: str, *, reason: str, back_to: str | None = None) -> YankAnswer:
        """One commit that shows what was good before, where the version is shown."""
        tip = self._branch.tip()
        if version not in self._history(tip, package, version).sites:
            return YankAnswer((f"{self._shown()} has no site of {package} {version}",), (), NEVER_UNDONE)
        self._branch.move(lambda tip: self._withdrawal(tip, package, version, reason, back_to))
        shown = self._history(self._branch.tip(), package, version).shown
        now = f"shows {shown}" if shown is not None else "shows no site there"
        return YankAnswer((f"{self._shown()} {now}",), (), NEVER_UNDONE)

    def verify_yank(self, package: str, version: str) -> Finding:
        """Whether its history says so."""
        site = self._history(self._branch.tip(), package, version).sites.get(version)
        if site is None:
            return Finding(Answer.PASS, f"{self._shown()} has no site of {package} {version}")
        if site.file.yanked:
            return Finding(Answer.PASS, f"{self._shown()} does not show {version}")
        todo = f"shipline yank {version} --reason TEXT"
        return Finding(Answer.FAIL, f"{self._shown()} has {version}, not taken back", todo)

    def install_arguments(self) -> tuple[str, ...]:
        """A site is looked at, not installed."""
        return ()

    # --- what becomes of the branch ----------------------------------------------------------------------------

    def _publication(
        self, tip: str | None, package: str, version: str, file: PublishedFile, site: str
    ) -> Proposal | None:
        history, place = self._history(tip, package, version), self._place(package, version)
        known = history.sites.get(version)
        if known is not None:
            self._check_same(known, file, site, place)
            return None
        answer = self._answers(tip, history, package, version)
        if answer.answer is Answer.FAIL:
            raise ConflictError(answer.words, todo=answer.todo)
        subject = f"docs: {package} {version}"
        brought = {KEY: f"publish:{package}:{version}", ARTIFACT: f"{file.name} {file.digest}"}
        if history.shown is None or _comes_after(version, history.shown):
            tree = placed(self._git, tip, place, site)
            return Proposal(tree, subject, brought | {SHOWS: _words(place, package, version)})
        aside = Proposal(placed(self._git, None, place, site), subject, brought)
        kept = f"docs: keep {package} {version}, and go on showing {history.shown}"
        return Proposal(f"{tip}^{{tree}}", kept, {SHOWS: _words(place, package, history.shown)}, beside=aside)

    def _withdrawal(
        self, tip: str | None, package: str, version: str, reason: str, back_to: str | None
    ) -> Proposal | None:
        history, place = self._history(tip, package, version), self._place(package, version)
        site = history.sites[version]
        if site.file.yanked:
            return None
        subject, key = f"revert: take back {package} {version}", {KEY: f"yank:{package}:{version}"}
        why = " ".join(reason.split())
        if history.shown != version:
            shows = {} if history.shown is None else {SHOWS: _words(place, package, history.shown)}
            return Proposal(f"{tip}^{{tree}}", subject, key | shows, body=why)
        earlier = self._earlier(history, place, package, version, back_to)
        source = f"{site.commit}^" if earlier is None else earlier.commit
        known = earlier is not None or not self._others(history, place, package, version)
        tree = placed(self._git, tip, place, subtree_of(self._git, source, place) if known else None)
        shown = "" if earlier is None else earlier.version
        return Proposal(tree, subject, key | {SHOWS: _words(place, package, shown)}, body=why)

    def _earlier(self, history: History, place: str, package: str, version: str, back_to: str | None) -> Site | None:
        """The site to show instead: that of `back_to`, or of the highest version below that was not taken back."""
        good = {one.version: one for one in self._others(history, place, package, version) if not one.file.yanked}
        lower = [highest_below(version, tuple(good), final=final) for final in (True, False)]
        names = [name for name in (back_to, *lower[0], *lower[1]) if name in good]
        return good[names[0]] if names else None

    def _others(self, history: History, place: str, package: str, version: str) -> list[Site]:
        """The other versions that the same place can show."""
        sites = history.sites.values()
        return [one for one in sites if one.version != version and self._place(package, one.version) == place]

    def _check_same(self, known: Site, file: PublishedFile, site: str, place: str) -> None:
        """Refuse (ConflictError) other bytes, and a commit that does not hold what it says."""
        if known.file.digest != file.digest:
            raise ConflictError(
                f"{self._shown()} has another {file.name}: {known.file.digest}, not {file.digest}",
                todo="a version's bytes never change, so release the next version",
            )
        if subtree_of(self._git, known.commit, place) != site:
            raise ConflictError(f"commit {known.commit[:12]} of {self._shown()} does not hold the site that it names")

    # --- what the branch says ----------------------------------------------------------------------------------

    def _answers(self, tip: str | None, history: History, package: str, version: str) -> Finding:
        if tip is not None and self._branch.shares_history(tip):
            return Finding(
                Answer.FAIL,
                f"{self._shown()} is a branch of the source: a site would replace its files",
                "set branch to one that holds nothing but sites, such as gh-pages",
            )
        if history.stranger:
            return Finding(
                Answer.FAIL,
                f"{self._shown()} shows the site of {history.stranger} where that of {package} is to go",
                "give each package a place: folder = '{package}'",
            )
        if history.shown is None:
            return Finding(Answer.PASS, f"{self._shown()} shows no site of {package} yet")
        words = f"shows {history.shown}" + ("" if _comes_after(version, history.shown) else " and will go on with that")
        return Finding(Answer.PASS, f"{self._shown()} {words}")

    def _history(self, tip: str | None, package: str, version: str) -> History:
        """Read the branch, the newest first, as far as one package and its place go."""
        sites: dict[str, Site] = {}
        yanked: set[str] = set()
        shows: str | None = None
        place = self._place(package, version)
        for commit, trailers in self._branch.trailers(tip):
            verb, _, rest = trailers.get(KEY, "").partition(":")
            owner, _, brought = rest.rpartition(":")
            if shows is None and trailers.get(SHOWS, "").partition(" ")[0] == (place or "."):
                shows = trailers[SHOWS].partition(" ")[2]
            if owner == package and verb == "yank":
                yanked.add(brought)
            elif owner == package and verb == "publish" and brought not in sites:
                name, _, digest = trailers.get(ARTIFACT, "").partition(" ")
                sites[brought] = Site(commit, brought, PublishedFile(name, digest or None, brought in yanked))
        who, _, shown = (shows or "").rpartition(" ")
        return History(sites, shown or None if who == package else None, who if shown and who != package else "")

    def _place(self, package: str, version: str) -> str:
        return self._settings.folder.replace("{package}", package).replace("{version}", version)

    def _shown(self) -> str:
        return f"the branch {self._settings.branch}"


def _comes_after(version: str, shown: str) -> bool:
    """True if `version` is to be shown instead. A pre-release never takes the place of a final version."""
    mine, other = order_of(version), order_of(shown)
    if version == shown or mine is None or other is None:
        return True
    return mine > other and (is_final(version) or not is_final(shown))


def _words(place: str, package: str, version: str) -> str:
    return f"{place or '.'} {package} {version}"


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
