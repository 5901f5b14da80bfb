"""Google Cloud Monitoring, by contract: the Prometheus API of its managed service, which reads a project's metrics.

From: cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.location.prometheus.api.v1/query
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipline.clients.confidential import check_confidential
from shipline.clients.metrics_http import (
    MetricsHTTP,
    checked_address,
    checked_timeout,
    checked_variable,
    secret_in,
)
from shipline.clients.prometheus_api import PrometheusAPI
from shipline.domain.errors import ConfigurationError
from shipline.ports.metrics import Language
from shipline.ports.provider import ProviderContext

# From: cloud.google.com/resource-manager/docs/creating-managing-projects; a project's number will do, too.
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class CloudMonitoringSettings:
    """A check's `metrics` table of the provider `cloud-monitoring`.

    `project` is the id or number of the project whose metrics are read. `token_environment` names the environment
    variable that holds an access token. `url` is the service's address. `answer_timeout_s` bounds a query, in seconds.
    """

    project: str
    token_environment: str = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    url: str = "https://monitoring.googleapis.com"
    answer_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        if not _PROJECT.fullmatch(self.project):
            raise ConfigurationError(f"project = {self.project[:40]!r} is no project's id or number")
        checked_address(self.url)
        check_confidential(self.url, name="url")
        checked_timeout(self.answer_timeout_s)
        checked_variable(self.token_environment, name="token_environment")
        if self.token_environment == "":
            raise ConfigurationError("token_environment is missing", why="Google answers nobody without a token")


class CloudMonitoringMetrics:
    """The Metrics port over Google's Prometheus API."""

    api_version = 1
    language = Language.PROMQL
    Settings = CloudMonitoringSettings

    def __init__(self, settings: CloudMonitoringSettings, context: ProviderContext) -> None:
        self._settings = settings
        hint = f"put an access token into {settings.token_environment} that may read metrics; it lives for an hour"
        http = MetricsHTTP(f"Cloud Monitoring of {settings.project}", settings.answer_timeout_s, hint)
        place = f"v1/projects/{settings.project}/location/global/prometheus"
        self._api = PrometheusAPI(http, f"{checked_address(settings.url)}/{place}")

    def query(self, expression: str, *, at_us: int) -> float:
        """The number that the PromQL expression has at that moment."""
        token = secret_in(self._settings.token_environment)
        headers = {"Authorization": f"Bearer {token}"}
        return self._api.query(expression, at_us=at_us, headers=headers, secrets=(token,))
