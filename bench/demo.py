"""The demo's own figures: how soon a version that fails 5% of requests is found, what it costs, how fast it is gone."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3
FIGURES = ROOT / ".demo" / "figures.json"
NAMES = {
    "seconds_to_detect": "from the start of the bad rollout to the decision, s",
    "failed_requests": "failed requests until then",
    "rollback_seconds": "from the decision to all traffic on the stable version, s",
    "requests_sent": "requests sent in all",
    "requests_failed": "of these failed",
    "total_seconds": "the whole demo, s",
}


def main() -> None:
    """Run the demo a few times, and print each figure's least, middle and largest value."""
    runs = []
    for number in range(1, RUNS + 1):
        story = subprocess.run([sys.executable, ROOT / "examples" / "demo.py"], check=False, capture_output=True)
        if story.returncode != 0:
            raise SystemExit(story.stderr.decode("utf-8", "replace"))
        runs.append(json.loads(FIGURES.read_text()))
        print(f"run {number}: {json.dumps(runs[-1])}", flush=True)
    print(f"{'':62}{'min':>9}{'median':>9}{'max':>9}")
    for name, words in NAMES.items():
        values = [run[name] for run in runs]
        print(f"{words:62}{min(values):9.2f}{statistics.median(values):9.2f}{max(values):9.2f}")
