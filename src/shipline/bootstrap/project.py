"""What a project is, read from its folder: settings, policy, repository, packages. Opens no store."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shipline.configuration.root import FILE_NAME, find_root
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UsageError
from shipline.domain.package import unknown_package
from shipline.ports.provider import ProviderContext
from shipline.providers.clock.system import SystemClock, SystemIds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shipline.capabilities.plans import BumpRules, Channel, ChannelRule, Linter, Monorepo, Style
    from shipline.capabilities.version_files import Found, PackageCheck
    from shipline.configuration import ChannelSettings, PackageSettings, Settings, VersionFileSettings
    from shipline.configuration.policy import Policy
    from shipline.domain.package import Package
    from shipline.domain.release_plan import ReleasePlan
    from shipline.domain.version_file import VersionFile
    from shipline.ports.repository import Repository

STATE_FOLDER = ".shipline"
STORE_VARIABLE = "SHIPLINE_STORE"
LOG_KEY_VARIABLE = "SHIPLINE_LOG_KEY"


class Project:
    """A project as it can be read. `start` is where the user stands."""

    def __init__(self, start: Path) -> None:
        self.start = start
        self.clock = SystemClock()
        self.ids = SystemIds()

    @cached_property
    def root(self) -> Path:
        """The top of the project."""
        return find_root(self.start)

    @cached_property
    def settings(self) -> Settings:
        """`shipline.toml`, or the defaults."""
        from shipline.configuration import load_settings

        return load_settings(self.root)

    @property
    def _stated(self) -> Settings | None:
        """The settings, None where there is no file: planning then needs none of the tables, which cost more than it.

        What holds then is what `Settings()` says, in the words of the rooms.
        """
        return self.settings if (self.root / FILE_NAME).exists() else None

    @cached_property
    def policy(self) -> Policy:
        """What the commit under release does not decide about itself. Raises ConfigurationError."""
        return self._read_policy(self.settings)

    def _read_policy(self, settings: Settings) -> Policy:
        from shipline.configuration.policy import POLICY_VARIABLE, read_policy

        named = os.environ.get(POLICY_VARIABLE, "")
        try:
            folder = self.root.resolve().relative_to(self.repository.root().resolve()).as_posix()
        except UsageError:  # There is no repository here.
            return read_policy(settings, None, folder=".", named=named)
        return read_policy(settings, self.repository, folder=folder, named=named)

    @cached_property
    def state(self) -> Path:
        """The folder for what this machine knows of the project; it ignores itself in git.

        Keys and records lie in it, so it is never taken from a commit, nor from wherever a link leads: RefusedError.
        """
        folder = self.root / STATE_FOLDER
        if folder.is_symlink() or self._is_committed(folder):
            raise RefusedError(
                f"{folder} was put there by a commit, or is a link",
                why="keys and records that somebody else chose would be taken for this machine's own",
                todo=f"see who made it, then remove it: git rm -r --cached {STATE_FOLDER}, and rm -r {STATE_FOLDER}",
            )
        folder.mkdir(mode=0o700, exist_ok=True)
        if os.name == "posix" and folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        return folder

    def _is_committed(self, folder: Path) -> bool:
        if not folder.is_dir():
            return False
        try:
            return self.repository.is_tracked(folder.resolve().relative_to(self.repository.root()).as_posix())
        except UsageError:  # There is no repository here.
            return False

    def context(self, *parts: str, environment: str = "") -> ProviderContext:
        """Where a provider works; `parts` name its folder."""
        return ProviderContext(self.root, self.state.joinpath(*parts), self.clock, environment)

    # --- reading -----------------------------------------------------------------------------------------------

    @cached_property
    def repository(self) -> Repository:
        """The git repository."""
        # Named here and not by its entry point: a plan must not pay for a look through all installed packages.
        from shipline.providers.repository.git import GitRepository

        context = ProviderContext(self.root, self.root / STATE_FOLDER, self.clock)
        return GitRepository(GitRepository.Settings(), context)

    @cached_property
    def told_branch(self) -> str | None:
        """The branch that CI says this is, of a HEAD detached on the commit that the remote has of it; else None."""
        from shipline.bootstrap.ci_branch import branch_told

        here = self.repository
        # An environment can be looked at where nothing can be released.
        if not self._has_commits() or here.branch() is not None:
            return None
        remote = "" if self._stated is None else self._stated.release.remote
        return branch_told(os.environ, head=here.head(), remote=remote or "origin", find_commit=here.find_commit)

    @cached_property
    def branch(self) -> str | None:
        """The branch that HEAD is on, or is known to be of; None where HEAD is detached and nothing tells."""
        return self.repository.branch() or self.told_branch

    def unfinished(self) -> dict[str, tuple[str, str]]:
        """The version and status of each package's release that has begun here and is not out."""
        from shipline.configuration import store_named

        url = os.environ.get(STORE_VARIABLE, "") or store_named(self.root)
        default = str(self.root / STATE_FOLDER / "store.db")
        path = Path(url.removeprefix("sqlite:///") if url else default)
        if (url and not url.startswith("sqlite:///")) or not path.is_file():
            return {}
        from shipline.store.unfinished import unfinished_releases

        return unfinished_releases(path)

    @cached_property
    def _chosen(self) -> tuple[tuple[tuple[Package, ...], ...], tuple[str, ...]]:
        """What each [[package]] stands for, and what is said of folders that were left aside."""
        tables = () if self._stated is None else self._stated.package
        for table in tables:
            self.check_places(table)
        return self._choose(tables)

    def plan(self, asked: str | None) -> ReleasePlan:
        """The plan of HEAD on the channel of its branch, or on the one that is asked for; see `make_plan`.

        One that was kept is found by the words of the settings, which are then not even read.
        """
        from shipline.capabilities.plans import kept_plan
        from shipline.configuration import written_settings

        words = (written_settings(self.root), self.branch, asked, self.today)
        known = kept_plan(self.repository, *words)
        return known if known is not None else self._made_plan(asked, words)

    def plan_at(self, commit: str, *, branch: str) -> ReleasePlan:
        """The plan of a commit as if it were the newest of a branch, by the settings that lie here and the policy."""
        from shipline.capabilities.plans import channel_of, make_plan

        return make_plan(
            self.repository,
            self.packages,
            channel=channel_of(branch, self._rules(self.policy.channels), None),
            bumps=self.bumps,
            monorepo=self.monorepo,
            day=self.today,
            at=commit,
        )

    def releases_from(self, branch: str) -> bool:
        """True where versions are released from a branch of this name, as far as policy and channels say."""
        from shipline.capabilities.plans import rule_for

        rules = self._rules(self.policy.channels)
        return rule_for(branch, rules) is not None or self.policy.branch == branch or not (rules or self.policy.branch)

    def _made_plan(self, asked: str | None, words: tuple[object, ...]) -> ReleasePlan:
        from shipline.capabilities.plans import Said, make_plan

        tables = () if self._stated is None else self._stated.package
        places = tuple(place for table in tables for place in self.check_places(table))
        return make_plan(
            self.repository,
            self.packages,
            channel=self.channel(asked),
            bumps=self.bumps,
            monorepo=self.monorepo,
            day=self.today,
            said=Said(words, places),
        )

    def check_places(self, table: PackageSettings) -> tuple[Path, ...]:
        """Refuse (ConfigurationError) a folder or a version file that is not there, before a release is half made.

        Returns those that are.
        """
        if any(sign in table.path for sign in "*?[{"):
            return ()  # It stands for several folders: each is there, and has its manifest.
        found = [folder := self.repository.root() / table.path]
        if not folder.is_dir():
            raise ConfigurationError(
                f"{FILE_NAME}: there is no folder {table.path!r}, which a [[package]] has as its path",
                todo="mend the path",
            )
        for file in table.version_files:
            path = file if isinstance(file, str) else file.path
            if not (folder / path).is_file():
                raise ConfigurationError(
                    f"{FILE_NAME}, package {table.name[:60]!r}: there is no version file {path[:80]!r}",
                    why=f"it is looked for in {table.path}",
                    todo="mend its path in version_files, or leave it out",
                )
            found.append(folder / path)
        return tuple(found)

    def _choose(self, tables: Sequence[PackageSettings]) -> tuple[tuple[tuple[Package, ...], ...], tuple[str, ...]]:
        from shipline.capabilities.plans import PackageChoice, packages_of

        choices = [
            PackageChoice(
                path=table.path.rstrip("/") or ".",
                name=table.name,
                ecosystem=table.ecosystem,
                scheme=table.scheme,
                tag_format=table.tag_format,
                include=table.include,
                exclude=table.exclude,
            )
            for table in tables
        ]
        return packages_of(self.repository, choices) if choices else ((), ())

    @cached_property
    def packages(self) -> tuple[Package, ...] | None:
        """The configured packages, None where they are to be found in the repository."""
        if self._stated is None or not self._stated.package:
            return None
        return tuple(package for some in self._chosen[0] for package in some)

    def packages_by(self, settings: Settings) -> tuple[Package, ...]:
        """The packages that other settings than those that lie here would choose; found, where they name none."""
        from shipline.capabilities.plans import detect_packages

        chosen = tuple(package for some in self._choose(settings.package)[0] for package in some)
        return chosen or detect_packages(self.repository)

    def known_packages(self) -> tuple[Package, ...]:
        """The configured packages, or those that are found."""
        from shipline.capabilities.plans import detect_packages

        return self.packages if self.packages is not None else detect_packages(self.repository)

    def version_files(self, package: Package, everyone: Sequence[Package]) -> Found:
        """The files that state a package's version: those that the settings name, else those that are found."""
        from shipline.capabilities.version_files import choose_version_files, find_version_files

        root, chosen = self.repository.root(), self.table_of(package).version_files
        apart = frozenset(each.path for each in everyone if each.path != package.path)
        if chosen:
            files = [version_file(each) for each in chosen]
            return choose_version_files(root, package, files, tracked=self.repository.is_tracked, apart=apart)
        beside = (each for each in everyone if each.path == package.path and each.name != package.name)
        others = frozenset(each.ecosystem for each in beside)
        return find_version_files(root, package, tracked=self.repository.is_tracked, others=others, apart=apart)

    def version_checks(self, name: str | None = None) -> tuple[PackageCheck, ...]:
        """How the version files of each package, or of the one named, stand to its releases and to each other."""
        from shipline.capabilities.plans import latest_releases
        from shipline.capabilities.version_files import Tagged, check_package

        known = latest_releases(self.repository, self.packages)
        packages = [package for package, _ in known]
        if name is not None and name not in {package.name for package in packages}:
            raise unknown_package(name, [package.name for package in packages])
        return tuple(
            check_package(
                self.repository.root(),
                package,
                self.version_files(package, packages),
                None if release is None else Tagged(release.version.text, release.tag.name),
                source=self.table_of(package).version_source,
            )
            for package, release in known
            if name in (None, package.name)
        )

    def table_of(self, package: Package) -> PackageSettings:
        """The package's table in the settings; the defaults where it has none."""
        from shipline.configuration import PackageSettings

        return next((table for table, some in self._tables() if package in some), PackageSettings(package.name))

    @cached_property
    def monorepo(self) -> Monorepo:
        """How the packages are planned together."""
        from shipline.capabilities.plans import Monorepo
        from shipline.domain.package import Group

        settings = self._stated
        if settings is None:
            return Monorepo()
        groups = tuple(Group(table.name, table.packages, fixed=table.kind == "fixed") for table in settings.group)
        files = {package.name: _stating(table) for table, some in self._tables() for package in some if _stating(table)}
        return Monorepo(groups, settings.release.source, self._chosen[1], files)

    def _tables(self) -> Iterable[tuple[PackageSettings, tuple[Package, ...]]]:
        return zip(self.settings.package, self._chosen[0], strict=True)

    @cached_property
    def bumps(self) -> BumpRules:
        """How far changes move a version here."""
        from shipline.capabilities.plans import BumpRules
        from shipline.domain.change import Bump

        settings = self._stated
        if settings is None:
            return BumpRules()
        rules = tuple((table.type, table.scope, Bump(table.bump)) for table in settings.bump)
        release = settings.release
        sections = (kind for each in settings.changelog.section for kind in each.types)
        types = tuple(dict.fromkeys(kind for kind in (*(kind for kind, _, _ in rules), *sections) if kind))
        return BumpRules(rules, Bump(release.breaking_before_1), Bump(release.features_before_1), types)

    @cached_property
    def changelog_style(self) -> Style:
        """How changelogs and release notes look."""
        from shipline.capabilities.plans import PLAIN, SECTIONS, Style, links_of, upgrade_notes_at

        if not self._has_commits():  # An environment can be looked at where nothing can be released.
            return PLAIN
        settings = self._stated
        if settings is None:
            links = links_of(self.repository.remote_address("origin"))
            return Style(links=links, upgrade_notes=upgrade_notes_at(self.repository))
        table = settings.changelog
        address = table.repository or (self.repository.remote_address("origin") if table.links else None)
        return Style(
            sections={kind: each.title for each in table.section for kind in each.types} or SECTIONS,
            links=links_of(address, forge=table.forge) if table.links else None,
            contributors=table.contributors,
            upgrade_notes=upgrade_notes_at(self.repository, table.upgrade_notes),
        )

    def _has_commits(self) -> bool:
        try:
            return self.repository.head() is not None
        except UsageError:  # There is no repository here.
            return False

    @property
    def changelog_template(self) -> str | None:
        """The text of the user's template, None where there is none. A missing one: UsageError.

        A link is refused: a changelog is published, and a commit would say which file of the machine it shows.
        """
        path = self._stated.changelog.template if self._stated is not None else ""
        if not path:
            return None
        from shipline.capabilities.version_files import content_of

        try:
            return content_of(self.root, path).decode("utf-8")
        except (ShiplineError, ValueError) as error:
            todo = "commit it as a plain file, or leave [changelog] template out of shipline.toml"
            raise UsageError(f"the template {path} cannot be read", why=str(error)[:200], todo=todo) from None

    @cached_property
    def linter(self) -> Linter:
        """What commit messages must be like here."""
        from shipline.capabilities.plans import Linter, read_lint_rules

        settings = self._stated
        if settings is None:
            return Linter(read_lint_rules({}))
        return Linter(read_lint_rules(settings.lint.rules), default_ignores=settings.lint.default_ignores)

    @cached_property
    def today(self) -> date:
        """The day in UTC, which calendar versions are made from."""
        return datetime.fromtimestamp(self.clock.now_us() / 1_000_000, UTC).date()

    def channel(self, asked: str | None, tables: Sequence[ChannelSettings] | None = None) -> Channel:
        """The channel of the current branch by `[[channel]]`, or the one that was asked for.

        `tables` are those that decide; None: those of the file that lies here.
        """
        from shipline.capabilities.plans import channel_of

        if tables is None:
            tables = () if self._stated is None else self._stated.channel
        return channel_of(self.branch, self._rules(tables), asked)

    def _rules(self, tables: Sequence[ChannelSettings]) -> list[ChannelRule]:
        from shipline.capabilities.plans import ChannelRule

        return [ChannelRule(table.branch, table.name, table.range) for table in tables]


def version_file(setting: str | VersionFileSettings) -> VersionFile:
    """An entry of `version_files` as the rooms have it."""
    from shipline.domain.version_file import VersionFile

    if isinstance(setting, str):
        return VersionFile(setting, "")
    return VersionFile(setting.path, setting.kind, setting.pattern)


def _stating(table: PackageSettings) -> tuple[VersionFile, ...]:
    """The version files that a table names, the one first that it believes."""
    files = tuple(version_file(each) for each in table.version_files)
    if not table.version_source:
        return files
    believed = [each for each in files if each.path == table.version_source]
    return (*(believed or [version_file(table.version_source)]), *files)
