"""Any server that takes files by HTTP PUT: each file under an address made from a template, and beside them a list of
their digests.

The list, `SHA256SUMS` in the form of `sha256sum`, is put there last, so that a version whose list is there is whole.
What a server answers to a GET is read back and compared: a PUT that was answered with 201 alone proves nothing.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

import httpx

from shipline.clients.confidential import check_confidential
from shipline.clients.deadlines import paced
from shipline.clients.named_secrets import named_secret
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

LIST_NAME = "SHA256SUMS"
LIST_BYTES_MAX = 1024 * 1024
CHUNK_BYTES = 64 * 1024
AGAIN = "when it is well again, run this again: only what is missing will be done"
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\s\\][^/\r\n\\]{0,254})", re.ASCII)
_FIELDS = ("package", "version", "file")


@dataclass(frozen=True, slots=True)
class GenericSettings:
    """A `[[registry]]` table of the provider `generic`.

    `url` is the address of one file, with `{package}`, `{version}` and `{file}` in it. `username` goes with the
    password in the environment variable that `password_environment` names; without `username` that variable holds a
    bearer token; both "" send no credentials. `file_bytes_max` bounds what is read back. `answer_timeout_s` bounds a
    whole exchange, and each stretch of one that moves a file: see Pace.
    """

    url: str
    username: str = ""
    password_environment: str = ""
    file_bytes_max: int = 4 * 1024 * 1024 * 1024
    answer_timeout_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError("url is not an http or https address")
        if "@" in parts.netloc:
            raise ConfigurationError("url holds a user name or password", todo="use username and password_environment")
        missing = [name for name in _FIELDS if f"{{{name}}}" not in parts.path]
        if missing:
            raise ConfigurationError(
                f"url has no {', '.join(f'{{{name}}}' for name in missing)} in its path",
                why="two files would have one address",
            )
        if self.username != "" and self.password_environment == "":
            raise ConfigurationError("username needs password_environment")
        if self.password_environment != "":
            check_confidential(self.url, name="url")


class GenericRegistry:
    """The Registry port for servers that take files by PUT."""

    api_version = 1
    kinds: tuple[str, ...] = ("wheel", "sdist", "npm", "file")
    Settings = GenericSettings

    def __init__(self, settings: GenericSettings, context: ProviderContext) -> None:
        self._settings = settings

    def check(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[Finding, ...]:
        """Whether the server answers, and has other bytes under one of the names, on its list or not.

        Whether it takes a file shows with the first one.
        """
        listed = self._list(package, version)
        for path in files:
            try:
                self._served(package, version, path.name, _digest_of(path))
            except ConflictError as error:
                return (Finding(Answer.FAIL, error.what, error.todo),)
        words = f"it lists {len(listed)} files of {package} {version}" if listed else f"it has no {package} {version}"
        return (
            Finding(Answer.PASS, f"{self._shown()} answers, and {words}"),
            Finding(Answer.UNKNOWN, "whether it takes the files and the credentials shows with the first upload"),
        )

    def find(self, package: str, version: str) -> tuple[PublishedFile, ...]:
        """The files that the list names and that are there with these digests."""
        listed = sorted(self._list(package, version).items())
        found = ((name, self._digest(package, version, name)) for name, _ in listed)
        return tuple(PublishedFile(name, digest) for name, digest in found if digest is not None)

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        """Put what is missing, read it back, and put the list last."""
        wanted = {path.name: (path, _digest_of(path)) for path in files}
        if len(wanted) != len(files) or LIST_NAME in wanted:
            raise InvalidValue("two of the files to publish have the same name, or one is named like their list")
        for name, (path, digest) in wanted.items():
            if self._served(package, version, name, digest) is None:
                with path.open("rb") as stream:
                    self._put(package, version, name, stream, size=path.stat().st_size)
                if self._served(package, version, name, digest) is None:
                    raise UnavailableError(f"{self._shown()} took {name}, and does not serve it yet", todo=AGAIN)
        listed = self._list(package, version)
        whole = listed | {name: digest for name, (_, digest) in wanted.items()}
        if whole != listed:
            lines = (f"{digest.removeprefix('sha256:')}  {name}\n" for name, digest in sorted(whole.items()))
            content = "".join(lines).encode()
            self._put(package, version, LIST_NAME, io.BytesIO(content), size=len(content))
        return self.find(package, version)

    def yank(self, package: str, version: str, *, reason: str, back_to: str | None = None) -> YankAnswer:
        """Nothing: a server of files has no way to say that a version is not to be used."""
        if not self._list(package, version):
            return YankAnswer((f"{self._shown()} has no {package} {version}",), (), ("nothing is left to take back",))
        return YankAnswer(
            (),
            (),
            (
                f"{self._shown()} goes on serving the files of {version}: it has no way to mark them",
                "copies that are fetched already stay where they are",
            ),
        )

    def verify_yank(self, package: str, version: str) -> Finding:
        """There is nothing that could be seen."""
        if not self._list(package, version):
            return Finding(Answer.PASS, f"{self._shown()} has no {package} {version}")
        return Finding(Answer.UNKNOWN, f"{self._shown()} serves files and has no way to mark them")

    def install_arguments(self) -> tuple[str, ...]:
        """No installer knows such a server."""
        return ()

    def _list(self, package: str, version: str) -> dict[str, str]:
        """The digests that the list states, by name; empty where there is none."""
        content = bytearray()
        if not self._get(package, version, LIST_NAME, content.extend, LIST_BYTES_MAX):
            return {}
        lines = [_LINE.fullmatch(line) for line in content.decode(errors="replace").splitlines() if line]
        if not all(lines):
            raise ShiplineError(f"{LIST_NAME} of {package} {version} at {self._shown()} is no list of digests")
        return {line[2]: f"sha256:{line[1]}" for line in lines if line is not None}

    def _served(self, package: str, version: str, name: str, wanted: str) -> str | None:
        """The digest of a file that is there, None where it is not. ConflictError for other bytes."""
        digest = self._digest(package, version, name)
        if digest not in (None, wanted):
            raise ConflictError(
                f"{self._shown()} serves another {name}: {digest} there, {wanted} here",
                why="a version's files are never replaced: those who fetched them would have something else",
                todo="release this under a new version",
            )
        return digest

    def _digest(self, package: str, version: str, name: str) -> str | None:
        digest = hashlib.sha256()
        there = self._get(package, version, name, digest.update, self._settings.file_bytes_max)
        return f"sha256:{digest.hexdigest()}" if there else None

    def _get(self, package: str, version: str, name: str, take: Callable[[bytes], object], bytes_max: int) -> bool:
        """Hand a file's bytes to `take`; False where it is not there."""
        size = 0
        try:
            with (
                paced(self._settings.answer_timeout_s) as pace,
                self._client() as client,
                client.stream("GET", self._address(package, version, name), extensions=pace.extensions) as answer,
            ):
                if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
                    return False
                self._expect(answer)
                for chunk in answer.iter_bytes():
                    pace.moved(len(chunk))
                    size += len(chunk)
                    if size > bytes_max:
                        raise ShiplineError(f"{self._shown()} serves more than {bytes_max} bytes as {name}")
                    take(chunk)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        return True

    def _put(self, package: str, version: str, name: str, content: IO[bytes], *, size: int) -> None:
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        try:
            with (
                paced(self._settings.answer_timeout_s) as pace,
                self._client() as client,
                client.stream(
                    "PUT",
                    self._address(package, version, name),
                    content=pace.counted(_chunks(content)),
                    headers=headers,
                    extensions=pace.extensions,
                ) as answer,
            ):
                self._expect(answer)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def _client(self) -> httpx.Client:
        settings, secret = self._settings, named_secret(self._settings.password_environment)
        login = (settings.username, secret) if settings.username != "" else None
        bearer = {"Authorization": f"Bearer {secret}"} if secret != "" and login is None else {}
        return httpx.Client(timeout=settings.answer_timeout_s, auth=login, headers=bearer, verify=_tls())

    def _address(self, package: str, version: str, name: str) -> str:
        """The address of a file; what is filled in cannot lead out of its place."""
        url = self._settings.url
        for field, value in zip(_FIELDS, (package, version, name), strict=True):
            if value in ("", ".", ".."):
                raise InvalidValue(f"{value!r} cannot be part of an address")
            url = url.replace(f"{{{field}}}", quote(value, safe=""))
        return url

    def _expect(self, answer: httpx.Response) -> None:
        """Raise what a status stands for; a redirect is none that is followed."""
        if answer.is_success:
            return
        code = answer.status_code
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RefusedError(
                f"{self._shown()} refused the credentials (HTTP {code})",
                todo="set username and password_environment for this registry; the account must be allowed to upload",
            )
        if code >= httpx.codes.INTERNAL_SERVER_ERROR or code in (408, 425, 429):
            raise UnavailableError(f"{self._shown()} is in trouble (HTTP {code})", todo=AGAIN)
        raise ShiplineError(f"{self._shown()} answered HTTP {code}")

    def _unreachable(self, error: httpx.HTTPError) -> UnavailableError:
        why = str(error)[:200] or type(error).__name__
        return UnavailableError(f"{self._shown()} cannot be reached", why=why, todo=AGAIN)

    def _shown(self) -> str:
        return urlsplit(self._settings.url).netloc


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes longer than most exchanges."""
    return httpx.create_ssl_context()


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    return iter(functools.partial(content.read, CHUNK_BYTES), b"")


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    except OSError as error:
        raise InvalidValue(f"{path.name} cannot be read", why=error.strerror or "") from None
