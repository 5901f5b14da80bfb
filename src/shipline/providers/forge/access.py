"""What the providers of the forge port share: their settings, where the token comes from, and names in addresses."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from shipline.clients.confidential import check_confidential
from shipline.clients.forge_http import ForgeHTTP
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue
from shipline.ports.forge import Asset, CommitStatus, GitAccess, Ref, StatusState, checked_label, checked_ref_name
from shipline.ports.provider import ProviderContext

SECRET_BYTES_MAX = 16_384
PULLS_MAX = 1000
RELEASES_MAX = 10_000
COMMENTS_MAX = 1000
STATUSES_MAX = 1000
_PATH = re.compile(r"[A-Za-z0-9_.-]{1,100}(?:/[A-Za-z0-9_.-]{1,100}){1,20}")
_API_PATH = re.compile(r"/api/v[0-9]+$")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class ForgeSettings:
    """`[forge]`, as all forges have it.

    `repository` is `owner/name` (GitLab: with all groups); "": from the remote's address. `api_url` is the API's
    address; "": derived from the remote's host. The token is in the environment variable `token_env` ("": GITHUB_TOKEN,
    GITLAB_TOKEN or GITEA_TOKEN), or in the file `token_file` (relative to the repository), which goes first.
    `answer_timeout_s` bounds an answer, `upload_timeout_s` the upload of one file.
    """

    repository: str = ""
    api_url: str = ""
    token_env: str = ""
    token_file: str = ""
    answer_timeout_s: float = 20.0
    upload_timeout_s: float = 900.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        parts = self.repository.split("/")
        if self.repository and (not _PATH.fullmatch(self.repository) or not {".", ".."}.isdisjoint(parts)):
            raise ConfigurationError(f"repository = {self.repository[:80]!r} is not of the form owner/name")
        try:
            address = urlsplit(self.api_url)
            valid = self.api_url == "" or (
                address.scheme in ("http", "https") and address.hostname and address.port != 0
            )
        except ValueError:
            valid = False
        if not valid:
            raise ConfigurationError("api_url is not an http or https address")
        if "@" in address.netloc or address.query or address.fragment:
            raise ConfigurationError("api_url is a plain address", todo="set token_env or token_file for the token")
        if min(self.answer_timeout_s, self.upload_timeout_s) <= 0:
            raise ConfigurationError("a time-out is more than 0 seconds")


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between forges before the first request.

    `variable` is where the forge's own tools look for a token, `scheme` the word before it. `page_parameter` and
    `page_size` are those of ForgeHTTP.
    """

    name: str
    variable: str
    scheme: str
    page_parameter: str
    page_size: int


class Credential(Protocol):
    """What lets Shipline in."""

    def hint(self) -> str:
        """What to do where it is refused."""
        ...

    def read(self) -> str:
        """The token, for one request."""
        ...


def client(kind: Kind, settings: ForgeSettings, context: ProviderContext, credential: Credential) -> ForgeHTTP:
    """The HTTP client for the settings' repository. ConfigurationError where its place is not known."""
    if settings.api_url == "" or settings.repository == "":
        missing = "api_url" if settings.api_url == "" else "repository"
        raise ConfigurationError(
            f"which repository on which {kind.name} this is cannot be told: {missing} is not set",
            why="there is no remote whose address says it",
            todo=f"set {missing} in [forge], or release.remote to a remote with a web or ssh address",
        )

    check_confidential(settings.api_url, name="api_url in [forge]")

    def headers() -> dict[str, str]:
        return {
            "Authorization": f"{kind.scheme} {credential.read()}",
            "Accept": "application/json",
            "User-Agent": "shipline",
        }

    return ForgeHTTP(
        who=f"{kind.name} at {urlsplit(settings.api_url).hostname}",
        url=settings.api_url.rstrip("/"),
        clock=context.clock,
        headers=headers,
        token_hint=credential.hint(),
        timeout_s=settings.answer_timeout_s,
        upload_timeout_s=settings.upload_timeout_s,
        page_parameter=kind.page_parameter,
        page_size=kind.page_size,
    )


@dataclass(frozen=True, slots=True)
class Token:
    """Where the token is; it is read for each request and never kept."""

    variable: str
    file: Path | None

    @staticmethod
    def of(settings: ForgeSettings, context: ProviderContext, usual: str) -> Token:
        """As the settings say; `usual` is the variable that this kind of forge's own tools read."""
        file = context.root / settings.token_file if settings.token_file else None
        return Token(settings.token_env or usual, file)

    def hint(self) -> str:
        """What to do about a token, for errors."""
        if self.file is not None:
            return f"put a valid token into {self.file.name}"
        return f"set {self.variable} to a valid token (in CI: from its secret store)"

    def read(self) -> str:
        """The token. ConfigurationError where there is none, or one that no header can carry."""
        found = read_secret(self.variable, self.file, "token_file").decode("ascii", "replace").strip()
        if found == "":
            where = f"the file {self.file.name} is empty" if self.file is not None else f"{self.variable} is not set"
            raise ConfigurationError(
                f"there is no token for the forge: {where}", todo=f"{self.hint()}, then run this again"
            )
        if not all("!" <= char <= "~" for char in found):
            raise ConfigurationError("the forge's token holds characters that none has", todo=self.hint())
        return found


def git_access(settings: ForgeSettings, credential: Credential, *, user: str) -> GitAccess:
    """Where git finds the repository, beside the API, and the header that lets it in: Basic, the token as the password.

    From: docs.github.com/enterprise-server/get-started (api. and /api/v3), docs.gitlab.com/api/rest and
    docs.gitea.com/development/api-usage: the API is below the web's root, by these paths.
    """
    parts = urlsplit(settings.api_url.rstrip("/"))
    path = _API_PATH.sub("", parts.path)
    host = parts.netloc.removeprefix("api.") if parts.path == "" else parts.netloc
    basic = base64.b64encode(f"{user}:{credential.read()}".encode()).decode()
    return GitAccess(f"{parts.scheme}://{host}{path}/{settings.repository}.git", f"Authorization: Basic {basic}")


def read_secret(variable: str, file: Path | None, setting: str) -> bytes:
    """What the file that `setting` names holds, or else the environment variable; empty where there is nothing."""
    if file is None:
        return os.environ.get(variable, "").encode("utf-8", "surrogateescape")
    try:
        with file.open("rb") as stream:
            return stream.read(SECRET_BYTES_MAX)
    except OSError as error:
        raise ConfigurationError(f"{setting} cannot be read: {error.strerror}") from None


def in_path(name: str, *, slashes: bool = False) -> str:
    """A ref's name as part of an address."""
    return quote(checked_ref_name(name), safe="/" if slashes else "")


def label_in_path(name: str) -> str:
    """A label's name as part of an address."""
    return quote(checked_label(name), safe="")


def commit_in_path(commit: str) -> str:
    """A commit's full id, as addresses take it."""
    if not _COMMIT.fullmatch(commit):
        raise InvalidValue(f"{commit[:80]!r} is not the full id of a commit")
    return commit


def same(ref: Ref, commit: str, what: str) -> Ref:
    """`ref` if it stands on `commit`, else ConflictError."""
    if ref.commit != commit:
        raise ConflictError(
            f"the {what} {ref.name!r} exists on the forge on commit {ref.commit[:12]}, not on {commit[:12]}",
            todo=f"look at what that {what} holds before anything is done about it",
        )
    return ref


def is_the_file(asset: Asset, *, digest: str, size: int) -> bool:
    """True if the asset is this file, as far as the forge says; ConflictError where it is another.

    An upload that was cut off is not the file yet: False.
    """
    if not asset.whole:
        return False
    matches = asset.digest == digest if asset.digest is not None else asset.size in (size, None)
    if not matches:
        raise ConflictError(
            f"the release on the forge has another {asset.name}",
            why=f"there: {asset.digest or f'{asset.size} bytes'}; here: {digest if asset.digest else f'{size} bytes'}",
            todo="find out who uploaded it; a released file is never replaced, so release the next version",
        )
    return True


def newest_of_each(statuses: Iterable[CommitStatus]) -> tuple[CommitStatus, ...]:
    """One status a context, the first that is listed, by context."""
    newest: dict[str, CommitStatus] = {}
    for status in statuses:
        newest.setdefault(status.context, status)
    return tuple(newest[context] for context in sorted(newest))


def worst_of_each(statuses: Iterable[CommitStatus]) -> tuple[CommitStatus, ...]:
    """One status a context, a failure before what is still to come, and that before a success; by context."""
    order = (StatusState.FAILURE, StatusState.PENDING, StatusState.SUCCESS)
    return newest_of_each(sorted(statuses, key=lambda status: order.index(status.state)))
