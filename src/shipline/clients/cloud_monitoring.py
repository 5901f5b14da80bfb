"""How the Prometheus API of Google Cloud Monitoring is reached.

From: cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.location.prometheus.api.v1/query
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipline.clients.confidential import check_confidential
from shipline.clients.metrics_http import (
    ANSWER_BYTES_MAX,
    MetricsHTTP,
    checked_address,
    checked_timeout,
    checked_variable,
    secret_in,
)
from shipline.clients.prometheus_api import Credentials, PrometheusAPI
from shipline.domain.errors import ConfigurationError

# From: cloud.google.com/resource-manager/docs/creating-managing-projects; a project's number will do, too.
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class CloudMonitoringAccess:
    """A project's metrics, and how Google lets us in.

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

    def api(self, *, answer_bytes_max: int = ANSWER_BYTES_MAX) -> PrometheusAPI:
        """The project's API."""
        hint = f"put an access token into {self.token_environment} that may read metrics; it lives for an hour"
        http = MetricsHTTP(f"Cloud Monitoring of {self.project}", self.answer_timeout_s, hint, answer_bytes_max)
        place = f"v1/projects/{self.project}/location/global/prometheus"
        return PrometheusAPI(http, f"{checked_address(self.url)}/{place}")

    def credentials(self) -> Credentials:
        """Read for each query and never kept."""
        token = secret_in(self.token_environment)
        return Credentials({"Authorization": f"Bearer {token}"}, (token,))
