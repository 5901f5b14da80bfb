"""Figures as a document for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shipline.capabilities.metrics.rules import Report, Window
from shipline.domain.codec import to_json


def metrics_document(report: Report) -> dict[str, Any]:
    """`{"schema": "shipline.metrics/1", "window", "made", "environments", "project", "services", "erased_events"}`.

    `window` has from, to (RFC 3339; `to` is outside), time_zone and days. `project` holds the figures, and so does
    each of `services` beside its package and environment: deployment_frequency, lead_time_median, lead_time_p90,
    change_fail_rate, recovery_time_median and rework_rate, each {value, unit, n, reason} with a null value and a
    reason where there is no data; `daily` [{day, deployments}]; `left_out`, the counts of what the figures leave out.
    """
    window = report.window
    return {
        "schema": "shipline.metrics/1",
        "window": {
            "from": _written(window.start_us, window),
            "to": _written(window.end_us, window),
            "time_zone": str(window.zone),
            "days": len(window.days()),
        },
        "made": _written(report.made_us, window),
        "environments": list(report.environments),
        "project": to_json(report.project),
        "services": [
            {"package": service.package, "environment": service.environment, **to_json(service.dora)}
            for service in report.services
        ],
        "erased_events": report.erased_events,
    }


def _written(time_us: int, window: Window) -> str:
    return datetime.fromtimestamp(time_us / 1_000_000, window.zone).isoformat()
