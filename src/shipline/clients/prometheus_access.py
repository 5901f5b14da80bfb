"""How a Prometheus is reached: the address and credentials that every provider which asks one has in its settings."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from shipline.clients.confidential import check_confidential
from shipline.clients.metrics_http import (
    ANSWER_BYTES_MAX,
    MetricsHTTP,
    checked_address,
    checked_timeout,
    checked_variable,
    host_of,
    secret_in,
)
from shipline.clients.prometheus_api import Credentials, PrometheusAPI
from shipline.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class PrometheusAccess:
    """A server, and how it lets us in.

    `url` is the server's address, up to what stands before `/api/v1`. `token_environment` names the environment
    variable that holds a bearer token. `username` goes with the password in the environment variable that
    `password_environment` names. All three "" send no credentials. `answer_timeout_s` bounds a query, in seconds.
    """

    url: str
    token_environment: str = ""
    username: str = ""
    password_environment: str = ""
    answer_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        checked_address(self.url)
        checked_timeout(self.answer_timeout_s)
        checked_variable(self.token_environment, name="token_environment")
        checked_variable(self.password_environment, name="password_environment")
        if (self.username == "") != (self.password_environment == ""):
            raise ConfigurationError("username and password_environment go together")
        if self.token_environment and self.username:
            raise ConfigurationError("a token and a user name are two ways in", todo="set one of them")
        if self.token_environment or self.username:
            check_confidential(self.url, name="url")
        if ":" in self.username or not self.username.isprintable():
            raise ConfigurationError("username holds a character that none has")

    def api(self, *, answer_bytes_max: int = ANSWER_BYTES_MAX) -> PrometheusAPI:
        """The server's API."""
        variable = self.token_environment or self.password_environment
        hint = f"check what {variable} holds" if variable else "set token_environment, or username, in its table"
        url = checked_address(self.url)
        http = MetricsHTTP(f"Prometheus at {host_of(url)}", self.answer_timeout_s, hint, answer_bytes_max)
        return PrometheusAPI(http, url)

    def credentials(self) -> Credentials:
        """Read for each query and never kept, so that one that was renewed is taken."""
        if self.token_environment:
            token = secret_in(self.token_environment)
            return Credentials({"Authorization": f"Bearer {token}"}, (token,))
        if self.username:
            password = secret_in(self.password_environment)
            pair = base64.b64encode(f"{self.username}:{password}".encode()).decode("ascii")
            return Credentials({"Authorization": f"Basic {pair}"}, (password, pair))
        return Credentials()
