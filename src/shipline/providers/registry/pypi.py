"""A Python package index: files found by the simple API, uploaded through twine, yanked as far as it goes.

An index that does not state a sha256 for a file is refused when that file is to be published: whether the same bytes
are there could not be told. Nothing is read from or sent to any address that is not configured.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from shipline.clients.confidential import check_confidential
from shipline.clients.named_secrets import named_secret
from shipline.clients.programs import run_program
from shipline.clients.simple_index import SimpleIndex, normalized, refusal, shown
from shipline.domain.errors import (
    ConfigurationError,
    ConflictError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
)
from shipline.domain.verdict import Answer
from shipline.ports.provider import ProviderContext
from shipline.ports.registry import STABLE, Finding, PublishedFile, YankAnswer
from shipline.providers.registry.trial_install import TrialInstall
from shipline.providers.registry.twine_upload import Upload, metadata_complaint

# An index may serve a page older than the last upload (caches); these waits add up to about two minutes.
WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0)
NEVER_UNDONE = (
    "copies that are installed already stay installed: tell those who use them which version to install",
    "mirrors and caches may go on serving the files that they have",
    "the version number is used up: what mends this needs a new one",
)


@dataclass(frozen=True, slots=True)
class PyPIStaging:
    """An index where a version is tried before it goes to the real one.

    `upload_url`, `index_url`, `username`, `password_environment` and `anonymous` are as in the table itself.
    """

    upload_url: str
    index_url: str
    username: str = ""
    password_environment: str = ""
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class PyPISettings:
    """A `[[registry]]` table of the provider `pypi`.

    `upload_url` is where twine uploads to ("": twine's own configuration); `index_url` the simple index ("": pip's
    own configuration). `username` goes with the password in the environment variable that `password_environment`
    names; both "" leave credentials to twine. `anonymous` sends none. `yank` is what the index offers: `mark`
    (PEP 592, set by a person) or `remove` (pypiserver's remove_pkg: the files are gone). `staging` is an index where
    a version is uploaded to and installed from before anything reaches this one. `install_test` installs what was
    published into a fresh virtual environment, with its dependencies. `answer_timeout_s` bounds one answer of the
    index, `upload_timeout_s` one upload, `install_timeout_s` one installation.
    """

    upload_url: str = ""
    index_url: str = ""
    username: str = ""
    password_environment: str = ""
    anonymous: bool = False
    yank: str = "mark"
    staging: PyPIStaging | None = None
    install_test: bool = True
    answer_timeout_s: float = 20.0
    upload_timeout_s: float = 900.0
    install_timeout_s: float = 600.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        for name in ("upload_url", "index_url"):
            _check_address(name, getattr(self, name))
        if self.yank not in ("mark", "remove"):
            raise ConfigurationError(f"yank = {self.yank[:40]!r} is not known", todo="known: mark, remove")
        if self.yank == "remove" and self.upload_url == "":
            raise ConfigurationError('yank = "remove" needs upload_url: that is where it is asked for')
        if (self.username == "") != (self.password_environment == ""):
            raise ConfigurationError(
                "username and password_environment belong together",
                todo="set both, or neither to leave credentials to twine's own configuration",
            )
        # Without a user name twine looks for credentials itself, and pip does for the index.
        if self.upload_url != "" and not self.anonymous:
            check_confidential(self.upload_url, name="upload_url", todo="set anonymous = true where it wants none")
        if self.index_url != "" and self.username != "":
            check_confidential(self.index_url, name="index_url")
        if self.anonymous and self.username != "":
            raise ConfigurationError("anonymous = true sends no credentials, and username is set")
        if self.staging is not None and self.staging.index_url == self.index_url:
            raise ConfigurationError("staging is the very index that it is there to spare")
        self.trial()

    def trial(self) -> PyPISettings | None:
        """The settings of the staging index, read as strictly as these."""
        if self.staging is None:
            return None
        return PyPISettings(
            **asdict(self.staging),
            install_test=False,
            answer_timeout_s=self.answer_timeout_s,
            upload_timeout_s=self.upload_timeout_s,
            install_timeout_s=self.install_timeout_s,
        )


class PyPIRegistry:
    """The Registry port for Python package indexes."""

    api_version = 1
    kinds: tuple[str, ...] = ("wheel", "sdist")
    Settings = PyPISettings

    def __init__(self, settings: PyPISettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._folder = context.root
        trial = settings.trial()
        self._trial = None if trial is None else PyPIRegistry(trial, context)

    def check(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[Finding, ...]:
        """Whether the index answers, whether there are credentials (no index can be asked whether they are good), and
        what twine has against the files."""
        served = self._index().files(package)
        known = f"it knows {package}" if served else f"it does not know {package} yet: the first upload takes the name"
        self._credentials()
        findings = [
            Finding(Answer.PASS, f"{shown(self._index_url)} answers, and {known}"),
            Finding(Answer.UNKNOWN, "whether it takes the credentials shows with the first upload"),
        ]
        complaint = metadata_complaint(files, folder=self._folder) if files else ""
        if complaint:
            todo = "mend the project's metadata or its description, commit, then release again"
            findings.append(Finding(Answer.FAIL, f"twine check: {complaint}", todo))
        if self._trial is not None:
            findings += self._trial.check(package, version, ())
        return tuple(findings)

    def find(self, package: str, version: str) -> tuple[PublishedFile, ...]:
        """The wheels and sdists of exactly this version (PEP 440 equality), by name."""
        wanted = (normalized(package), _version(version))
        files = (file for file in self._index().files(package) if _identity(file.name) == wanted)
        return tuple(sorted(files, key=lambda file: file.name))

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        """Upload what is missing, and wait until the index serves all of it with the right digests."""
        wanted = {path.name: _digest(path) for path in files}
        if len(wanted) != len(files):
            raise InvalidValue("two of the files to publish have the same name")
        for name in wanted:
            if _identity(name) != (normalized(package), _version(version)):
                raise InvalidValue(f"{name[:120]!r} is no wheel or sdist of {package} {version}")
        served = self.find(package, version)
        missing = _missing(wanted, served)
        if missing and self._trial is not None:
            self._trial.publish(package, version, files)
            # What it depends on is not to be taken from there: under those names stands whatever anybody tried.
            self._trial.install(package, version, dependencies=False)
        served = self._make_served(package, version, files, wanted, missing) if missing else served
        if self._settings.install_test:
            self.install(package, version, dependencies=True)
        return served

    def install(self, package: str, version: str, *, dependencies: bool) -> None:
        """Install it from the index into a fresh virtual environment. ShiplineError where that cannot be."""
        settings = self._settings
        trial = TrialInstall(settings.index_url, settings.install_timeout_s, self._login())
        trial.run(package, version, dependencies=dependencies)

    def _make_served(
        self, package: str, version: str, files: tuple[Path, ...], wanted: dict[str, str], missing: set[str]
    ) -> tuple[PublishedFile, ...]:
        """Upload what is missing, and wait until it is served."""
        served: tuple[PublishedFile, ...] = ()
        while missing:
            try:
                self._upload(tuple(path.absolute() for path in files if path.name in missing))
                return self._await(package, version, wanted)
            except ShiplineError as error:
                if error.retryable:
                    raise
                # An upload that an ended process left behind may have come first: then that file is refused here as
                # being there already, and what is still missing goes on. Each round has fewer files.
                served = self.find(package, version)
                left = _missing(wanted, served)
                if left == missing:
                    raise
                missing = left
        return served

    def _upload(self, files: tuple[Path, ...]) -> None:
        settings = self._settings
        upload = Upload(settings.upload_url, os.environ, settings.upload_timeout_s, credentials=self._credentials())
        upload.send(files, folder=self._folder)

    def yank(self, package: str, version: str, *, reason: str, back_to: str | None = None) -> YankAnswer:
        """Remove the files, or say what a person has to do where the index offers no call for it."""
        served = self.find(package, version)
        if not served:
            return YankAnswer((f"the index serves no file of {package} {version}",), (), NEVER_UNDONE)
        if self._settings.yank == "remove":
            return self._remove(package, version, served)
        return _yanked(package, version, served, reason=reason, index=self._index_url)

    def verify_yank(self, package: str, version: str) -> Finding:
        """Whether every file is marked as yanked (PEP 592), or gone."""
        open_files = [file.name for file in self.find(package, version) if not file.yanked]
        if not open_files:
            return Finding(Answer.PASS, f"{shown(self._index_url)} serves no file of {version} that is not yanked")
        return Finding(
            Answer.FAIL,
            f"{shown(self._index_url)} serves {', '.join(open_files)}, not yanked",
            todo=_by_hand(package, version, index=self._index_url),
        )

    def install_arguments(self) -> tuple[str, ...]:
        """`--index-url …` where the index is set here; nothing where pip's own configuration names it."""
        url = self._settings.index_url
        return ("--index-url", url) if url != "" else ()

    def _index(self) -> SimpleIndex:
        return SimpleIndex(self._index_url, self._clock, self._settings.answer_timeout_s, self._login())

    @cached_property
    def _index_url(self) -> str:
        return self._settings.index_url or _index_of_pip(self._folder)

    def _login(self) -> tuple[str, str] | None:
        """The credentials for requests that twine does not make."""
        return self._credentials() if self._settings.username != "" else None

    def _credentials(self) -> tuple[str, str] | None:
        """None: twine looks for itself. Read when needed, so that the secret is not kept."""
        if self._settings.anonymous:
            return ("", "")
        variable = self._settings.password_environment
        if variable == "":
            return None
        return (self._settings.username, named_secret(variable))

    def _await(self, package: str, version: str, wanted: dict[str, str]) -> tuple[PublishedFile, ...]:
        for wait_s in (0.0, *WAITS_S):
            if wait_s > 0:
                self._clock.sleep(wait_s)
            served = self.find(package, version)
            missing = _missing(wanted, served)
            if not missing:
                return served
        raise UnavailableError(
            f"the index took {', '.join(sorted(missing))}, and does not serve it yet",
            todo="run this again later: what is served by then will not be uploaded again",
        )

    def _remove(self, package: str, version: str, served: tuple[PublishedFile, ...]) -> YankAnswer:
        for name, stated in sorted({_as_spelled(file.name) for file in served}):
            self._ask_to_remove(name, stated)
        left = self.find(package, version)
        if left:
            raise RefusedError(f"the index still serves {', '.join(file.name for file in left)}")
        return YankAnswer((f"removed {', '.join(file.name for file in served)} from the index",), (), NEVER_UNDONE)

    def _ask_to_remove(self, name: str, version: str) -> None:
        # pypiserver, _app.py, remove_pkg(): name and version as the file's name spells them; 404 where it is gone.
        url = self._settings.upload_url
        form = {":action": "remove_pkg", "name": name, "version": version}
        try:
            with httpx.Client(timeout=self._settings.answer_timeout_s, auth=self._login()) as client:
                answer = client.post(url, data=form)
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"the index {shown(url)} cannot be reached", why=str(error)[:200] or type(error).__name__
            ) from None
        if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:
            raise refusal(f"the index {shown(url)}", answer.status_code)


def _yanked(package: str, version: str, served: tuple[PublishedFile, ...], *, reason: str, index: str) -> YankAnswer:
    """PEP 592 defines how an index marks a yanked file, and no specification a call that sets the mark; so the mark
    is looked for, and setting it is left to a person."""
    if all(file.yanked for file in served):
        return YankAnswer((f"the index marks every file of {package} {version} as yanked (PEP 592)",), (), NEVER_UNDONE)
    return YankAnswer(
        (), (f"{_by_hand(package, version, index=index)}, with the reason {reason[:200]!r}",), NEVER_UNDONE
    )


def _by_hand(package: str, version: str, *, index: str) -> str:
    """What a person does. The address is that of the pages for owners of Warehouse, the software of PyPI."""
    top = shown(index).rstrip("/").removesuffix("/simple")
    return (
        f"yank {version} of {package} on the index's own pages, as one of its owners (on an index that runs Warehouse: "
        f"{top}/manage/project/{normalized(package)}/releases/)"
    )


def _missing(wanted: dict[str, str], served: tuple[PublishedFile, ...]) -> set[str]:
    """The names in `wanted` that are not served. ConflictError for other bytes, RefusedError where nobody knows."""
    for file in served:
        if file.name not in wanted or file.digest == wanted[file.name]:
            continue
        if file.digest is None:
            raise RefusedError(
                f"the index serves {file.name} and states no sha256 for it",
                why="whether it is the same file cannot be told",
                todo="let the index state sha256 digests (pypiserver: --hash-algo sha256)",
            )
        raise ConflictError(
            f"the index serves another {file.name}: {file.digest} there, {wanted[file.name]} here",
            why="a version's files are never replaced: those who installed it would have something else",
            todo="release this under a new version",
        )
    return set(wanted) - {file.name for file in served}


def _check_address(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        valid = url == "" or (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError(f"{name} is not an http or https address")
    if "@" in parts.netloc:
        raise ConfigurationError(
            f"{name} holds a user name or password",
            todo="take it out of the address; set username and password_environment instead",
        )


def _version(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        raise InvalidValue(f"{version[:80]!r} is not a version by PEP 440") from None


def _identity(name: str) -> tuple[str, Version] | None:
    """Normalised project and version of a wheel's or sdist's file name; None for any other file."""
    try:
        if name.endswith(".whl"):
            return parse_wheel_filename(name)[:2]
        return parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def _as_spelled(name: str) -> tuple[str, str]:
    """Project and version as the file's name spells them; a wheel's build tag counts as pypiserver counts it."""
    if name.endswith(".whl"):
        project, version, *tags = name.removesuffix(".whl").split("-")
        return project, "-".join([version, *tags[:-3]])
    project, _, version = name.removesuffix(".zip").removesuffix(".tar.gz").rpartition("-")
    return project, version


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    except OSError as error:
        raise InvalidValue(f"{path.name} cannot be read", why=error.strerror or "") from None


def _index_of_pip(folder: Path) -> str:
    """The index that pip is configured with: in its environment variable, or in its files as `pip config` has them.

    An address that is only pip's built-in default is not used: publishing asks for a decision.
    """
    url = os.environ.get("PIP_INDEX_URL", "")
    if url != "":
        return url  # pip prefers it to its files, and need not be started.
    outcome = run_program(
        [sys.executable, "-P", "-m", "pip", "config", "list"],
        folder=folder,
        environment=os.environ,
        timeout_s=60.0,
        package="python3-pip",
    )
    for line in outcome.answer.splitlines() if outcome.code == 0 else ():
        key, _, value = line.partition("=")
        if key == "global.index-url":
            url = value.strip("'")
    if url == "":
        raise ConfigurationError(
            "which package index to look at is not configured",
            todo="set index_url for this registry (the simple index that installers use), or configure pip "
            "(`pip config set global.index-url …`, or PIP_INDEX_URL)",
        )
    return url
