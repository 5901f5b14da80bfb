"""An npm registry, through the `npm` program: the builder's tarball is published as it is, and deprecated on a yank.

A channel is a dist-tag. `latest` names the highest final version and is never moved back to a maintenance release,
which gets a tag of its own (`release-1.x`). Identity is checked twice: npm's own integrity (sha512) of the tarball
that is served, and the sha256 that Shipline signs. What the commit says of registries and credentials does not count.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipline.clients.confidential import check_confidential
from shipline.clients.named_secrets import named_secret
from shipline.clients.version_order import highest_below, is_final, order_of
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
from shipline.providers.registry.npm_client import NoSuchVersion, NotThere, NPMClient
from shipline.providers.registry.npm_project import (
    NPMRC,
    check_manifest,
    check_same_registry,
    named_registry,
    own_npmrc,
    scope_of,
)

LATEST = "latest"
WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
CANDIDATES_MAX = 20
REASON_CHARACTERS_MAX = 500
NEVER_UNDONE = (
    "copies that are installed already stay installed, and lock files go on naming them",
    "the version number is used up: what mends this needs a new one",
)


@dataclass(frozen=True, slots=True)
class NPMSettings:
    """A `[[registry]]` table of the provider `npm`.

    `registry_url` is the registry ("": npm's own configuration). `token_environment` names the environment variable
    with the token ("": npm's own credentials). `access` is `public` or `restricted` for scoped packages ("": npm's
    own choice). `provenance` has npm sign where the package was built, which takes a CI that npm knows. `install_test`
    installs what was published in an empty folder. `answer_timeout_s` bounds one answer of the registry,
    `program_timeout_s` one run of npm.
    """

    registry_url: str = ""
    token_environment: str = ""
    access: str = ""
    provenance: bool = False
    install_test: bool = True
    answer_timeout_s: float = 30.0
    program_timeout_s: float = 600.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        parts = urlsplit(self.registry_url)
        if self.registry_url != "" and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ConfigurationError("registry_url is not an http or https address")
        if "@" in parts.netloc:
            raise ConfigurationError("registry_url holds a user name or password", todo="use token_environment")
        if self.access not in ("", "public", "restricted"):
            raise ConfigurationError(f"access = {self.access[:40]!r} is not known", todo="known: public, restricted")
        if self.token_environment != "" and self.registry_url == "":
            raise ConfigurationError("token_environment needs registry_url: a token is for one registry")
        if self.token_environment != "":
            check_confidential(self.registry_url, name="registry_url")


class NPMRegistry:
    """The Registry port for npm."""

    api_version = 1
    kinds: tuple[str, ...] = ("npm",)
    Settings = NPMSettings

    def __init__(self, settings: NPMSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._folder = context.root
        # The sha256 of tarballs by npm's integrity: what is known need not be fetched.
        self._sha256: dict[str, str] = {}
        # The name and version that npm's dry run told of tarballs, by their integrity.
        self._rehearsed: dict[str, tuple[object, object]] = {}

    def check(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[Finding, ...]:
        """Who npm is there, whether the name is free or ours, and npm's own dry run."""
        npm = self._npm(package)
        try:
            user = str(npm.ask("whoami"))
        except (ConfigurationError, RefusedError) as error:
            self._view(npm, package)  # A registry that is down is another matter.
            return (Finding(Answer.FAIL, error.what, error.todo),)
        seen = self._package(npm, package)
        findings = [Finding(Answer.PASS, f"npm is {user} there"), _owned(package, user, seen)]
        if files and not _is_served(self._exact(npm, package, version, seen), version):
            try:
                self._rehearse(npm, package, version, files)
            except ShiplineError as error:
                findings.append(Finding(Answer.FAIL, f"{error.what}: {error.why}", error.todo))
            else:
                findings.append(Finding(Answer.PASS, "npm's dry run succeeds"))
        return tuple(findings)

    def find(self, package: str, version: str) -> tuple[PublishedFile, ...]:
        """The tarball of exactly this version; deprecated counts as yanked."""
        npm = self._npm(package)
        return self._served(npm, package, version, self._view(npm, f"{package}@{version}"))

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        """Publish the tarball if it is missing, wait for it, put the channel's tag right, and install it for a test."""
        npm = self._npm(package)
        wanted = self._rehearse(npm, package, version, files)
        seen = self._exact(npm, package, version, self._package(npm, package))
        served = _same(wanted, self._served(npm, package, version, seen))
        if not served:
            try:
                npm.ask(*self._publishing(files[0], _tag(seen, version, channel)))
            except ShiplineError as error:
                # Another upload may have come first, or the answer been lost: then the same bytes are there.
                if isinstance(error, UnavailableError) or not _same(wanted, self.find(package, version)):
                    raise
            seen = self._await(npm, package, version)
            served = _same(wanted, self._served(npm, package, version, seen))
        _point(npm, package, version, _tag(seen, version, channel), seen)
        if self._settings.install_test:
            self._install(npm, package, version)
        return served

    def yank(self, package: str, version: str, *, reason: str, back_to: str | None = None) -> YankAnswer:
        """Deprecate it, and let the tags that name it name the good version before."""
        npm = self._npm(package)
        seen = self._view(npm, f"{package}@{version}")
        if seen.get("version") != version:
            return YankAnswer((f"the registry serves no {package} {version}",), (), NEVER_UNDONE)
        done, not_done = [], []
        if not seen.get("deprecated"):
            npm.ask("deprecate", f"{package}@{version}", _sentence(reason))
        done.append(f"{package}@{version} is deprecated: npm warns whoever installs it")
        for tag in sorted(tag for tag, named in _tags(seen).items() if named == version):
            target = self._good(npm, package, version, tag, back_to=back_to, versions=_versions(seen))
            if target is not None:
                npm.ask("dist-tag", "add", f"{package}@{target}", tag)
                done.append(f"the tag {tag} names {target} again")
            elif tag != LATEST:
                npm.ask("dist-tag", "rm", package, tag)
                done.append(f"the tag {tag} is gone: no version before it is good")
            else:
                not_done.append(f"{LATEST} still names {version}: there is no good version before it")
        return YankAnswer(tuple(done), (), (*not_done, *NEVER_UNDONE))

    def verify_yank(self, package: str, version: str) -> Finding:
        """Whether it is deprecated; a tag that still names it is said."""
        seen = self._view(self._npm(package), f"{package}@{version}")
        if seen.get("version") != version:
            return Finding(Answer.PASS, f"the registry serves no {package} {version}")
        if not seen.get("deprecated"):
            return Finding(
                Answer.FAIL, f"{package}@{version} is not deprecated", f"shipline yank {version} --reason TEXT"
            )
        naming = ", ".join(sorted(tag for tag, named in _tags(seen).items() if named == version))
        return Finding(Answer.PASS, "it is deprecated" + (f", and {naming} still names it" if naming else ""))

    def install_arguments(self) -> tuple[str, ...]:
        """`--registry …` where it is set here; nothing where npm's own configuration names it."""
        url = self._settings.registry_url
        return ("--registry", url) if url != "" else ()

    def _npm(self, package: str) -> NPMClient:
        """The client, with the user's configuration and the settings'. Refuses a commit that says otherwise."""
        settings = self._settings
        token = named_secret(settings.token_environment, setting="token_environment", what="registry's token")
        npm = NPMClient(
            own_npmrc(self._folder),
            settings.registry_url,
            settings.answer_timeout_s,
            settings.program_timeout_s,
            token,
            scope_of(package),
        )
        named = named_registry(self._folder, package)
        if named is not None and settings.registry_url == "":
            check_same_registry(f"the {NPMRC} of the commit", named, _used(npm, package))
        return npm

    def _view(self, npm: NPMClient, what: str) -> dict[str, Any]:
        """What the registry says of a package or version; empty where it does not know it."""
        try:
            return self._said(npm, what)
        except NotThere:
            return {}

    def _package(self, npm: NPMClient, package: str) -> dict[str, Any] | None:
        """What the registry says of a package and of the version that `latest` names, empty where none is named.
        None where it does not know the package."""
        try:
            return self._said(npm, package)
        except NoSuchVersion:
            return {}
        except NotThere:
            return None

    def _said(self, npm: NPMClient, what: str) -> dict[str, Any]:
        seen = npm.ask("view", what, "name", "version", "dist", "deprecated", "dist-tags", "versions", "maintainers")
        return seen if isinstance(seen, dict) else {}

    def _exact(self, npm: NPMClient, package: str, version: str, seen: dict[str, Any] | None) -> dict[str, Any]:
        """What the registry says of a version, or `seen`, which it says of the package, where it has no such one.

        It is asked only where `seen` does not tell: of a version that is new, or that `latest` names, it does.
        """
        if seen is None:
            return {}
        if seen != {} and (version not in _versions(seen) or _is_served(seen, version)):
            return seen
        return self._view(npm, f"{package}@{version}") or seen

    def _served(self, npm: NPMClient, package: str, version: str, seen: dict[str, Any]) -> tuple[PublishedFile, ...]:
        """The tarball that was seen, empty if it is of another version."""
        if not _is_served(seen, version):
            return ()
        name = tarball_name(package, version)
        digest = self._digest(npm, package, version, str(seen["dist"].get("integrity", "")))
        return (PublishedFile(name, digest, bool(seen.get("deprecated"))),)

    def _rehearse(self, npm: NPMClient, package: str, version: str, files: tuple[Path, ...]) -> PublishedFile:
        """What is to be published, after npm's dry run has said that it is this package and version."""
        if len(files) != 1 or not files[0].is_file():
            raise InvalidValue(f"{len(files)} files are to be published to npm, and a version is one tarball")
        content = files[0].read_bytes()
        integrity = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
        sha256 = f"sha256:{hashlib.sha256(content).hexdigest()}"
        check_manifest(files[0], _used(npm, package) if self._settings.registry_url == "" else None)
        if integrity not in self._rehearsed:
            said = npm.ask("pack", str(files[0].absolute()), "--dry-run")
            packed = said[0] if isinstance(said, list) and said and isinstance(said[0], dict) else {}
            self._rehearsed[integrity] = (packed.get("name"), packed.get("version"))
        if self._rehearsed[integrity] != (package, version):
            raise InvalidValue(f"{files[0].name[:120]!r} is no tarball of {package} {version}")
        self._sha256[integrity] = sha256
        return PublishedFile(tarball_name(package, version), sha256)

    def _publishing(self, tarball: Path, tag: str) -> tuple[str, ...]:
        arguments = ["publish", str(tarball.absolute()), "--tag", tag]
        if self._settings.access != "":
            arguments += ["--access", self._settings.access]
        return (*arguments, "--provenance") if self._settings.provenance else tuple(arguments)

    def _digest(self, npm: NPMClient, package: str, version: str, integrity: str) -> str:
        """The sha256 of what is served: known by its integrity, or fetched by npm, which checks that."""
        if integrity not in self._sha256:
            with tempfile.TemporaryDirectory(prefix="shipline-npm-") as name:
                npm.ask("pack", f"{package}@{version}", "--pack-destination", name)
                (tarball,) = Path(name).iterdir()
                self._sha256[integrity] = f"sha256:{hashlib.sha256(tarball.read_bytes()).hexdigest()}"
        return self._sha256[integrity]

    def _await(self, npm: NPMClient, package: str, version: str) -> dict[str, Any]:
        """What the registry says of a version that it took, once it serves it."""
        for wait_s in (0.0, *WAITS_S):
            if wait_s > 0:
                self._clock.sleep(wait_s)
            seen = self._view(npm, f"{package}@{version}")
            if _is_served(seen, version):
                return seen
        raise UnavailableError(
            f"the registry took {package} {version}, and does not serve it yet",
            todo="run this again later: what is served by then will not be published again",
        )

    def _install(self, npm: NPMClient, package: str, version: str) -> None:
        """Install it in an empty folder, as a user would; npm compares what it fetches with its integrity."""
        with tempfile.TemporaryDirectory(prefix="shipline-npm-") as name:
            folder = Path(name)
            try:
                npm.ask("install", "--no-save", f"{package}@{version}", folder=folder)
            except UnavailableError:
                raise
            except ShiplineError as error:
                raise ShiplineError(
                    f"{package} {version} was published and cannot be installed",
                    why=f"{error.what}: {error.why}",
                    todo=f"if it is broken, take it back: shipline yank {version} --reason TEXT",
                ) from None
            manifest = folder.joinpath("node_modules", *package.split("/"), "package.json")
            if _stated_version(manifest) != version:
                raise ShiplineError(f"npm installed something else than {package} {version}")

    def _good(  # noqa: PLR0913 - what a tag and its package are
        self, npm: NPMClient, package: str, version: str, tag: str, *, back_to: str | None, versions: tuple[str, ...]
    ) -> str | None:
        """The version that a tag goes back to: the one that is known to be good, else the highest before this one
        that is not deprecated."""
        if back_to in versions and (tag != LATEST or is_final(str(back_to))):
            return back_to
        for candidate in highest_below(version, versions, final=is_final(version))[:CANDIDATES_MAX]:
            if not self._view(npm, f"{package}@{candidate}").get("deprecated"):
                return candidate
        return None


def _used(npm: NPMClient, package: str) -> str:
    """The registry that npm's own configuration gives for a package."""
    said = npm.ask("config", "list")
    configured = said if isinstance(said, dict) else {}
    return str(configured.get(f"{scope_of(package)}:registry") or configured.get("registry") or "")


def _stated_version(manifest: Path) -> object:
    """The version in a package.json, None where it states none."""
    try:
        document = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document.get("version") if isinstance(document, dict) else None


def tarball_name(package: str, version: str) -> str:
    """The name that `npm pack` gives to a tarball: `@scope/name` becomes `scope-name`."""
    return f"{package.removeprefix('@').replace('/', '-')}-{version}.tgz"


def _same(wanted: PublishedFile, served: tuple[PublishedFile, ...]) -> tuple[PublishedFile, ...]:
    """What is served, empty if nothing is. ConflictError for other bytes."""
    for file in served:
        if file.digest != wanted.digest:
            raise ConflictError(
                f"the registry serves another {file.name}: {file.digest} there, {wanted.digest} here",
                why="a version is never replaced: those who installed it would have something else",
                todo="release this under a new version",
            )
    return served


def _owned(package: str, user: str, seen: dict[str, Any] | None) -> Finding:
    """Whether the name is free or ours."""
    if seen is None:
        return Finding(Answer.PASS, f"nobody has published {package} there yet: the name is free")
    listed = seen.get("maintainers") or []
    people = [str(one.get("name") if isinstance(one, dict) else one).partition(" ")[0] for one in listed]
    if user in people:
        return Finding(Answer.PASS, f"{package} is maintained by {user}")
    return Finding(
        Answer.UNKNOWN,
        f"whether {user} may publish {package} shows then (it lists {', '.join(people)[:200] or 'nobody'})",
    )


def _is_served(seen: dict[str, Any], version: str) -> bool:
    """True if what was seen is this version, with the tarball that it is."""
    return seen.get("version") == version and isinstance(seen.get("dist"), dict)


def _tag(seen: dict[str, Any], version: str, channel: str) -> str:
    """The dist-tag of a channel. A final version below `latest` is of a maintenance branch."""
    if channel != STABLE:
        return channel
    latest, mine = order_of(_tags(seen).get(LATEST, "")), order_of(version)
    below = latest is not None and mine is not None and mine < latest
    return f"release-{version.partition('.')[0]}.x" if below else LATEST


def _point(npm: NPMClient, package: str, version: str, tag: str, seen: dict[str, Any]) -> None:
    """Let the tag name this version, unless it was seen to name a newer one."""
    there = _tags(seen).get(tag, "")
    named, mine = order_of(there), order_of(version)
    if there != version and (named is None or mine is None or named < mine):
        npm.ask("dist-tag", "add", f"{package}@{version}", tag)


def _versions(seen: dict[str, Any]) -> tuple[str, ...]:
    """All versions of a package; npm lists a single one as itself."""
    listed = seen.get("versions", ())
    return tuple(map(str, listed)) if isinstance(listed, list | tuple) else (str(listed),)


def _tags(seen: dict[str, Any]) -> dict[str, str]:
    tags = seen.get("dist-tags")
    return {str(tag): str(version) for tag, version in tags.items()} if isinstance(tags, dict) else {}


def _sentence(reason: str) -> str:
    """A reason for npm: one line, and never empty, which would take a deprecation back."""
    return " ".join(reason.split())[:REASON_CHARACTERS_MAX] or "yanked"
