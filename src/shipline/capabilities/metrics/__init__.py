"""Metrics: the five DORA figures, from the event log alone.

Promises: the same events give the same figures; what has no data is None with a reason in words, never zero; what is
left out of a figure is counted. Reads only. Definitions: `rules`, after https://dora.dev/guides/dora-metrics/ (2026).
"""

from shipline.capabilities.metrics.documents import metrics_document
from shipline.capabilities.metrics.queries import dora
from shipline.capabilities.metrics.rules import Dora, Figure, Report, Service, Window, last_days

__all__ = ["Dora", "Figure", "Report", "Service", "Window", "dora", "last_days", "metrics_document"]
