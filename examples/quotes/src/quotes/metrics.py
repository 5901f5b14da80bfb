"""Counts of requests and their latency, in the Prometheus text format 0.0.4."""

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from threading import Lock

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """What has been answered since the start. Safe to use from several threads."""

    def __init__(self, version: str) -> None:
        """Start at zero; `version` is shown as a label."""
        self._version = version
        self._lock = Lock()
        self._by_status: Counter[int] = Counter()
        self._by_bucket = [0] * (len(BUCKETS_S) + 1)
        self._total_s = 0.0

    def observe(self, status: int, duration_s: float) -> None:
        """Count one answered request."""
        with self._lock:
            self._by_status[status] += 1
            self._by_bucket[bisect_left(BUCKETS_S, duration_s)] += 1
            self._total_s += duration_s

    def render(self) -> str:
        """Give all figures as text."""
        with self._lock:
            by_status = sorted(self._by_status.items())
            up_to = list(accumulate(self._by_bucket))
            total_s = self._total_s
        version = self._version.replace("\\", "\\\\").replace('"', '\\"')
        lines = [
            "# HELP quotes_build_info The version that runs.",
            "# TYPE quotes_build_info gauge",
            f'quotes_build_info{{version="{version}"}} 1',
            "# HELP quotes_requests_total Requests answered, by status.",
            "# TYPE quotes_requests_total counter",
            *(f'quotes_requests_total{{status="{status}"}} {count}' for status, count in by_status),
            "# HELP quotes_request_duration_seconds Time from a request's first line to its answer.",
            "# TYPE quotes_request_duration_seconds histogram",
            *(
                f'quotes_request_duration_seconds_bucket{{le="{bound}"}} {count}'
                for bound, count in zip((*BUCKETS_S, "+Inf"), up_to, strict=True)
            ),
            f"quotes_request_duration_seconds_sum {total_s:.6f}",
            f"quotes_request_duration_seconds_count {up_to[-1]}",
        ]
        return "\n".join(lines) + "\n"
