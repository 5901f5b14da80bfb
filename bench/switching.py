"""What users notice of a switch, of a rollback and of a bad version: real versions, HAProxy and real requests.

Promises: `shipline rollback` of a promoted release within 2 s (the whole command, median, at 120 requests a second); no
request is lost by a switch, also while wrk asks as fast as it is answered: no socket error, and no answer but 2xx where
both versions are good. A canary that fails 5% of its requests is found, and all traffic is on the stable version
within 1 s of the look that found it (median); every failure that wrk has met is one of that version's own, by HAProxy's
access log.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from examples import demo
from shipline.clients.haproxy import HAProxyClient
from shipline.clients.haproxy_files import BACKEND, SOCKET_NAME, decoded, proxy_process
from shipline.ports.provider import ProviderContext
from shipline.providers.clock.system import SystemClock
from shipline.providers.signals.haproxy import HAProxySignals

ROUNDS = 5
ROLLBACK_S_MAX = 2.0
BACK_S_MAX = 1.0
LOOK_EVERY_S = 0.005
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
    kept = [*(measure(strategy) for strategy in STRATEGIES), measure_bad()]
    return 0 if all(kept) else 1


@contextmanager
def served(asked: str, *, then: str) -> Iterator[demo.Demo]:
    """One environment with these settings, which serves the first version; another one is released then."""
    with ExitStack() as stack:
        stack.enter_context(demo.only_one())
        demo.clear()
        place = demo.Demo(demo.free_port(), demo.free_port(), demo.WORKPLACE / "load.json")
        stack.enter_context(demo.package_index(place))
        settings = demo.SETTINGS.format(index=place.index, proxy=place.proxy)
        settings = settings.replace("instances = 2\n", f"instances = 2\n{asked}")
        demo.lay_out("first")
        # The same bad version is brought again and again.
        (demo.QUOTES / "shipline.toml").write_text(settings.replace("yank_on_rollback = true", ""))
        demo.git("add", "shipline.toml")
        demo.git("commit", "-q", "-m", "build: release and deploy with shipline")
        stack.enter_context(demo.shipline_up())
        stack.callback(demo.shipline, "down", "production")
        demo.shipline("release")
        demo.shipline("deploy")
        demo.lay_out(then)
        demo.shipline("release")
        yield place


def measure(strategy: str) -> bool:
    """There and back with good versions; True if the promises are kept."""
    with served(f'strategy = "{strategy}"\nkeep_warm_s = 600\n', then="good") as place:
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


def measure_bad() -> bool:
    """A canary that fails, and is found, again and again; True if the promises are kept."""
    with served("", then="bad") as place:
        load = begin_load(place.proxy)
        try:
            backs = [seconds_back() for _ in range(ROUNDS)]
        finally:
            said = end_load(load)
        stable, *others = sorted(errors_by_version().items())
    middle, (sockets, answers, sent) = statistics.median(backs), met(said)
    own = sum(errors for _, errors in others)
    lost = sockets + max(0, answers - own) + stable[1]
    kept = lost == 0 and answers > 0 and middle <= BACK_S_MAX
    spread = f"{min(backs):.2f} / {middle:.2f} / {max(backs):.2f} s (min, median, max)"
    print(f"{'a bad canary':12} all traffic on the stable version {spread} after it was found", end="; ")
    print(f"of {sent} requests {answers} failed, all by it but {lost}: {'kept' if kept else 'BROKEN'}")
    return kept


def seconds_back() -> float:
    """From the look that finds the bad version until the proxy gives it nothing any more, as somebody else sees it."""
    with watched() as ends_us:
        code = demo.shipline("deploy")
    document = demo.told("rollout", "show", "production")
    look = document["analysis"][-1]
    if (code, document["rollout"]["status"], look["verdict"]) != (1, "rolled_back", "rollback"):
        raise SystemExit(f"the bad version was not found: {document['rollout']['reason']}")
    return float(ends_us[-1] - look["time_us"]) / 1e6


@contextmanager
def watched() -> Iterator[list[int]]:
    """Look at the proxy all the time; the times (UTC microseconds) at which a canary was seen to have lost all of its
    traffic."""
    client = HAProxyClient(proxy_process(traffic_folder(), SystemClock()).folder / SOCKET_NAME)
    ends_us, is_over = list[int](), threading.Event()

    def look() -> None:
        had = False
        while not is_over.wait(LOOK_EVERY_S):
            named = ((decoded(server.name), server) for server in client.servers(BACKEND))
            has = any(name and name.role == "canary" and server.weight > 0 for name, server in named)
            if had and not has:
                ends_us.append(SystemClock().now_us())
            had = has

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield ends_us
    finally:
        is_over.set()
        watching.join()


def errors_by_version() -> dict[str, int]:
    """How many requests each version has failed, by the access log."""
    signals = HAProxySignals(
        HAProxySignals.Settings(), ProviderContext(demo.QUOTES, traffic_folder(), SystemClock(), "production")
    )
    errors, cursor = dict[str, int](), "0:0"
    while (reading := signals.read(cursor, ())).cursor != cursor:
        cursor = reading.cursor
        for version, counts in reading.versions.items():
            errors[version] = errors.get(version, 0) + counts.errors
    return errors


def traffic_folder() -> Path:
    """Where the proxy's state is."""
    return demo.QUOTES / ".shipline" / "environments" / "production" / "traffic"


def begin_load(port: int) -> subprocess.Popen[str]:
    """8 users who ask again as soon as they are answered."""
    command = ("wrk", "-t", "1", "-c", "8", "-d", f"{LOAD_S}s", f"http://127.0.0.1:{port}/")
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def end_load(load: subprocess.Popen[str]) -> str:
    """What wrk says when it is interrupted."""
    load.send_signal(2)
    said, _ = load.communicate(timeout=30)
    return said


def met(said: str) -> tuple[int, int, int]:
    """Of what wrk says: socket errors, answers that are none of 2xx and 3xx, and requests."""
    sockets, answers, requests = ERRORS.search(said), NOT_GOOD.search(said), REQUESTS.search(said)
    return (
        sum(map(int, sockets.groups())) if sockets else 0,
        int(answers[1]) if answers else 0,
        int(requests[1]) if requests else 0,
    )


def report(strategy: str, deploys: list[float], rollbacks: list[float], said: str, failed: int) -> bool:
    """Print the figures; True if the promises are kept."""
    sockets, answers, sent = met(said)
    lost = failed + sockets + answers
    middle = statistics.median(rollbacks)
    kept = lost == 0 and sent > 0 and (strategy == "rolling" or middle <= ROLLBACK_S_MAX)
    spread = f"{min(rollbacks):.2f} / {middle:.2f} / {max(rollbacks):.2f} s (min, median, max)"
    print(f"{strategy:12} rollback {spread}, deploy {statistics.median(deploys):.2f} s", end="; ")
    print(f"of {sent} requests {lost} were lost: {'kept' if kept else 'BROKEN'}")
    return kept


if __name__ == "__main__":
    sys.exit(main())
