"""What users notice of a switch and of a rollback: real versions, HAProxy and real requests.

Promises: `shipline rollback` of a promoted release within 2 s (the whole command, median, at 120 requests a second); no
request is lost by a switch, also while wrk asks as fast as it is answered: no socket error, and no answer but 2xx. Both
versions are good, so that every failure would be the switch's own.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack

from examples import demo

ROUNDS = 5
ROLLBACK_S_MAX = 2.0
LOAD_S = 600
STRATEGIES = ("blue-green", "rolling", "all-at-once")
ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
NOT_GOOD = re.compile(r"Non-2xx or 3xx responses: (\d+)")
REQUESTS = re.compile(r"(\d+) requests in")


def main() -> int:
    """Deploy and roll back in turns under load, by each strategy; 1 if a promise is broken."""
    if shutil.which("wrk") is None:
        print("wrk is missing: make setup-tests installs it")
        return 1
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    kept = [measure(strategy) for strategy in STRATEGIES]
    return 0 if all(kept) else 1


def measure(strategy: str) -> bool:
    """One environment from its first version on; True if the promises are kept."""
    with ExitStack() as stack:
        stack.enter_context(demo.only_one())
        demo.clear()
        place = demo.Demo(demo.free_port(), demo.free_port(), demo.WORKPLACE / "load.json")
        stack.enter_context(demo.package_index(place))
        settings = demo.SETTINGS.format(index=place.index, proxy=place.proxy)
        asked = f'instances = 2\nstrategy = "{strategy}"\nkeep_warm_s = 600\n'
        demo.lay_out("first")
        (demo.QUOTES / "shipline.toml").write_text(settings.replace("instances = 2\n", asked))
        demo.git("add", "shipline.toml")
        demo.git("commit", "-q", "-m", "build: release and deploy with shipline")
        stack.enter_context(demo.shipline_up())
        stack.callback(demo.shipline, "down", "production")
        demo.shipline("release")
        demo.shipline("deploy")
        demo.lay_out("good")
        demo.shipline("release")
        load = begin_load(place.proxy)
        try:
            rounds(2)
        finally:
            said = end_load(load)
        with demo.users(place):
            deploys, rollbacks = rounds(ROUNDS)
        failed = place.load()["failed"]
    return report(strategy, deploys, rollbacks, said, failed)


def rounds(count: int) -> tuple[list[float], list[float]]:
    """Seconds of each deploy and of each rollback that follows it."""
    deploys, rollbacks = [], []
    for _ in range(count):
        deploys.append(timed("deploy"))
        rollbacks.append(timed("rollback"))
    return deploys, rollbacks


def timed(verb: str) -> float:
    """The whole command, as its user waits for it."""
    began = time.monotonic()
    code = demo.shipline(verb)
    if code != 0:
        raise SystemExit(f"shipline {verb} ended with {code}")
    return time.monotonic() - began


def begin_load(port: int) -> subprocess.Popen[str]:
    """8 users who ask again as soon as they are answered."""
    command = ("wrk", "-t", "1", "-c", "8", "-d", f"{LOAD_S}s", f"http://127.0.0.1:{port}/")
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def end_load(load: subprocess.Popen[str]) -> str:
    """What wrk says when it is interrupted."""
    load.send_signal(2)
    said, _ = load.communicate(timeout=30)
    return said


def report(strategy: str, deploys: list[float], rollbacks: list[float], said: str, failed: int) -> bool:
    """Print the figures; True if the promises are kept."""
    sockets, answers, requests = ERRORS.search(said), NOT_GOOD.search(said), REQUESTS.search(said)
    lost = failed + (sum(map(int, sockets.groups())) if sockets else 0)
    lost += int(answers[1]) if answers else 0
    sent = int(requests[1]) if requests else 0
    middle = statistics.median(rollbacks)
    kept = lost == 0 and sent > 0 and (strategy == "rolling" or middle <= ROLLBACK_S_MAX)
    spread = f"{min(rollbacks):.2f} / {middle:.2f} / {max(rollbacks):.2f} s (min, median, max)"
    print(f"{strategy:12} rollback {spread}, deploy {statistics.median(deploys):.2f} s", end="; ")
    print(f"of {sent} requests {lost} were lost: {'kept' if kept else 'BROKEN'}")
    return kept


if __name__ == "__main__":
    sys.exit(main())
