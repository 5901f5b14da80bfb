"""Who Shipline is on GitHub: the owner of a token, or an app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shipline.clients.forge_http import ForgeHTTP
from shipline.clients.github_app import InstallationToken
from shipline.domain.errors import ConfigurationError
from shipline.ports.provider import ProviderContext
from shipline.providers.forge.access import Credential, ForgeSettings, Kind, Token, client, read_secret

GITHUB = Kind("GitHub", "GITHUB_TOKEN", "Bearer", "per_page", 100)
KEY_VARIABLE = "GITHUB_APP_PRIVATE_KEY"


@dataclass(frozen=True, slots=True)
class GitHubSettings(ForgeSettings):
    """`[forge]` of GitHub: what all forges have, and an app instead of a token.

    `repository` is `owner/name`; "": from the remote's address. `api_url` is the API's address; "": derived from the
    remote's host. The token is in the environment variable `token_env` ("": GITHUB_TOKEN), or in the file `token_file`
    (relative to the repository), which goes first. `app_id` is the id, or client id, of a GitHub App that is installed
    on the repository; its private key is in the environment variable `app_key_env` ("": GITHUB_APP_PRIVATE_KEY), or in
    the file `app_key_file`, which goes first. `answer_timeout_s` bounds an answer, `upload_timeout_s` the upload of one
    file.
    """

    app_id: str = ""
    app_key_env: str = ""
    app_key_file: str = ""

    def __post_init__(self) -> None:
        """Refuse two ways in at once, and a key without its app."""
        ForgeSettings.__post_init__(self)
        if self.app_id == "" and (self.app_key_env or self.app_key_file):
            raise ConfigurationError("app_key_env and app_key_file are for an app", todo="set app_id, too")
        if self.app_id and (self.token_env or self.token_file):
            raise ConfigurationError("app_id and a token are two ways in", todo="leave out app_id, or the token")


def credential_of(settings: GitHubSettings, context: ProviderContext) -> Credential:
    """The app where one is named, else the token."""
    return AppCredential(settings, context) if settings.app_id else Token.of(settings, context, GITHUB.variable)


class AppCredential:
    """An app's way in. The private key is read for each exchange; the token of an hour is kept in memory alone."""

    def __init__(self, settings: GitHubSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._context = context
        self._token = InstallationToken(settings.app_id, settings.repository, self._key, self._exchange, context.clock)

    def hint(self) -> str:
        """What to do where the token is refused."""
        return f"see on GitHub what the app {self._settings.app_id} may do, and where it is installed"

    def read(self) -> str:
        """The installation's token."""
        return self._token.read()

    def permissions(self) -> dict[str, str]:
        """What the last token may do, by GitHub's own names."""
        return self._token.permissions

    def _key(self) -> bytes:
        settings = self._settings
        file = self._context.root / settings.app_key_file if settings.app_key_file else None
        variable = settings.app_key_env or KEY_VARIABLE
        # In some CI systems a secret is one line, with its line ends written out.
        found = read_secret(variable, file, "app_key_file").strip().replace(b"\\n", b"\n")
        if found == b"":
            raise ConfigurationError(f"there is no private key of the app: {_missing(variable, file)}")
        return found

    def _exchange(self, statement: Callable[[], str]) -> ForgeHTTP:
        return client(GITHUB, self._settings, self._context, _Statement(statement, self._settings.app_id))


@dataclass(frozen=True, slots=True)
class _Statement:
    """What the app says of itself, signed anew for each request."""

    sign: Callable[[], str]
    app_id: str

    def hint(self) -> str:
        return f"check that app_id = {self.app_id!r} and the private key are of one app, and this machine's clock"

    def read(self) -> str:
        return self.sign()


def _missing(variable: str, file: Path | None) -> str:
    return f"the file {file.name} is empty" if file is not None else f"{variable} is not set"
