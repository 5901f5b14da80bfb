"""Google Cloud Monitoring, by contract: the Prometheus API of its managed service, which reads a project's metrics."""

from __future__ import annotations

from shipline.clients.cloud_monitoring import CloudMonitoringAccess
from shipline.ports.metrics import Language
from shipline.ports.provider import ProviderContext

CloudMonitoringSettings = CloudMonitoringAccess
"""A check's `metrics` table of the provider `cloud-monitoring`."""


class CloudMonitoringMetrics:
    """The Metrics port over Google's Prometheus API."""

    api_version = 1
    language = Language.PROMQL
    Settings = CloudMonitoringSettings

    def __init__(self, settings: CloudMonitoringSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._api = settings.api()

    def query(self, expression: str, *, at_us: int) -> float:
        """The number that the PromQL expression has at that moment."""
        return self._api.query(expression, at_us=at_us, credentials=self._settings.credentials())
