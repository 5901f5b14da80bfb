"""Prometheus, and whatever answers its queries in the same way: Thanos, Mimir, VictoriaMetrics."""

from __future__ import annotations

from shipline.clients.prometheus_access import PrometheusAccess
from shipline.ports.metrics import Language
from shipline.ports.provider import ProviderContext

PrometheusSettings = PrometheusAccess
"""A check's `metrics` table of the provider `prometheus`."""


class PrometheusMetrics:
    """The Metrics port over Prometheus' HTTP API."""

    api_version = 1
    language = Language.PROMQL
    Settings = PrometheusSettings

    def __init__(self, settings: PrometheusSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._api = settings.api()

    def query(self, expression: str, *, at_us: int) -> float:
        """The number that the PromQL expression has at that moment."""
        return self._api.query(expression, at_us=at_us, credentials=self._settings.credentials())
