"""Prometheus, and whatever answers its queries in the same way: Thanos, Mimir, VictoriaMetrics."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from shipline.clients.confidential import check_confidential
from shipline.clients.metrics_http import (
    MetricsHTTP,
    checked_address,
    checked_timeout,
    checked_variable,
    host_of,
    secret_in,
)
from shipline.clients.prometheus_api import PrometheusAPI
from shipline.domain.errors import ConfigurationError
from shipline.ports.metrics import Language
from shipline.ports.provider import ProviderContext


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """A check's `metrics` table of the provider `prometheus`.

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


class PrometheusMetrics:
    """The Metrics port over Prometheus' HTTP API."""

    api_version = 1
    language = Language.PROMQL
    Settings = PrometheusSettings

    def __init__(self, settings: PrometheusSettings, context: ProviderContext) -> None:
        variable = settings.token_environment or settings.password_environment
        hint = (
            f"check what {variable} holds" if variable else "set token_environment, or username, in the check's table"
        )
        url = checked_address(settings.url)
        http = MetricsHTTP(f"Prometheus at {host_of(url)}", settings.answer_timeout_s, hint)
        self._settings = settings
        self._api = PrometheusAPI(http, url)

    def query(self, expression: str, *, at_us: int) -> float:
        """The number that the PromQL expression has at that moment."""
        headers, secrets = self._credentials()
        return self._api.query(expression, at_us=at_us, headers=headers, secrets=secrets)

    def _credentials(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """Read for each query and never kept, so that one that was renewed is taken."""
        if self._settings.token_environment:
            token = secret_in(self._settings.token_environment)
            return {"Authorization": f"Bearer {token}"}, (token,)
        if self._settings.username:
            password = secret_in(self._settings.password_environment)
            pair = base64.b64encode(f"{self._settings.username}:{password}".encode()).decode("ascii")
            return {"Authorization": f"Basic {pair}"}, (password, pair)
        return {}, ()
