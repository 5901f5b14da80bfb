"""The main job, end to end: a service is released, a good version shipped, a bad one found and taken back.

Everything is done by Shipline's own commands on real parts: git, a package index on loopback, HAProxy, processes of
each version, real load. What is special is in the settings below: the times are short.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORKPLACE = ROOT / ".demo"
LOCK = ROOT / ".cache" / "demo.lock"
QUOTES = WORKPLACE / "quotes"
BIN = Path(sys.executable).parent
RATE = 120

SETTINGS = """\
schema = 1

[release]
yank_on_rollback = true

[[build]]
provider = "python"
isolation = false

[[test]]
name = "unit"
command = [
    "{{python}}", "-m", "pytest", "-q", "--junitxml={{reports}}/junit.xml",
    "--cov=quotes", "--cov-report=xml:{{reports}}/coverage.xml",
]
reports = ["junit.xml", "coverage.xml"]

[[registry]]
provider = "pypi"
upload_url = "http://127.0.0.1:{index}/"
index_url = "http://127.0.0.1:{index}/simple/"
anonymous = true
yank = "remove"

[[gate]]
name = "tests pass"
rule = "tests.passed > 0 && tests.failed == 0 && tests.errors == 0"

[[gate]]
name = "coverage"
rule = "coverage.line >= 75.0"
message = "At least 75% of the lines must be covered by tests."

[[gate]]
name = "proof"
rule = "sbom.present && provenance.present && signatures.verified"

[[environment]]
name = "production"
production = true
instances = 2

[environment.target]
command = ["{{prefix}}/bin/quotes", "--host", "{{host}}", "--port", "{{port}}"]
index_url = "http://127.0.0.1:{index}/simple/"

[environment.traffic]
port = {proxy}

[environment.canary]
promote_after_s = 35.0
deadline_s = 90.0
tick_s = 1.0
react_s = 3.0
growth_period_s = 3.0
ramp_every_s = 3.0
"""


@dataclass
class Demo:
    """What the steps share."""

    index: int
    proxy: int
    report: Path

    def load(self) -> dict[str, Any]:
        """The load generator's tally."""
        if not self.report.exists():
            return {"sent": 0, "failed": 0}
        tally: dict[str, Any] = json.loads(self.report.read_text())
        return tally


def main() -> int:
    """Run the story; returns 0 if every version ended as it should."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    began = time.monotonic()
    # However it is ended, what it has started ends with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        stack.enter_context(only_one())
        clear()
        demo = Demo(free_port(), free_port(), WORKPLACE / "load.json")
        stack.enter_context(package_index(demo))
        title("1. A repository with a history; its first version")
        lay_out("first")
        (QUOTES / "shipline.toml").write_text(SETTINGS.format(index=demo.index, proxy=demo.proxy))
        git("add", "shipline.toml")
        git("commit", "-q", "-m", "build: release and deploy with shipline")
        page = stack.enter_context(shipline_up())
        print(f"\nThe page, while this runs: {page}", flush=True)
        stack.callback(shipline, "down", "production")
        outcomes = [("first", shipline("release"), shipline("deploy"))]
        stack.enter_context(users(demo))

        title("2. A good version: released, proven, watched as a canary, promoted")
        lay_out("good")
        outcomes.append(("good", shipline("release"), shipline("deploy")))

        title("3. A bad version: its tests pass, and it fails 5% of requests")
        lay_out("bad")
        outcomes.append(("bad", shipline("release"), shipline("deploy")))
        wait_for_yank()

        title("Summary")
        proven = summary(demo, total_s=time.monotonic() - began)
        kept = bool(os.environ.get("KEEP"))
        words = "kept open until Ctrl-C" if kept else "closed now; `make demo KEEP=1` keeps it open"
        print(f"\nThe page: {page}\n  {words}   ({time.monotonic() - began:.0f} s in all)", flush=True)
        if kept:
            wait_for_interrupt()
    expected = [("first", 0, 0), ("good", 0, 0), ("bad", 0, 1)]
    if outcomes != expected or not proven:
        print(f"not as it should be: {outcomes}, bundles proven: {proven}", file=sys.stderr)
        return 1
    return 0


# --- the parts around Shipline -----------------------------------------------------------------------------------


@contextmanager
def only_one() -> Iterator[None]:
    """Two demos would take each other's folder away."""
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("another `make demo` runs in this clone: end it with Ctrl-C, or wait for it") from None
        yield


def clear() -> None:
    """End what an earlier demo may have left, and begin with an empty folder."""
    if (QUOTES / "shipline.toml").exists():
        shipline("down", "production")
    shutil.rmtree(WORKPLACE, ignore_errors=True)
    WORKPLACE.mkdir()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(*command: str | Path, log: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs while the block does."""
    with (WORKPLACE / log).open("wb") as output:
        child = subprocess.Popen(
            [str(part) for part in command], cwd=WORKPLACE, stdout=output, stderr=subprocess.STDOUT, process_group=0
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def package_index(demo: Demo) -> Iterator[None]:
    """pypiserver, as a company's own package index."""
    packages = WORKPLACE / "index"
    packages.mkdir()
    server = BIN / "pypi-server"
    options = ("run", "-i", "127.0.0.1", "-p", str(demo.index), "-P", ".", "-a", ".", "--disable-fallback")
    with process(server, *options, packages, log="index.log"):
        wait_for_port(demo.index)
        yield


@contextmanager
def shipline_up() -> Iterator[str]:
    """`shipline up`: the engine and the page; gives the page's address."""
    with process(BIN / "shipline", "-C", QUOTES, "up", "--port", "0", log="up.log"):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for line in (WORKPLACE / "up.log").read_text().splitlines():
                if "http://" in line:
                    yield line[line.index("http://") :].split()[0]
                    return
            time.sleep(0.1)
        raise SystemExit((WORKPLACE / "up.log").read_text())


@contextmanager
def users(demo: Demo) -> Iterator[None]:
    """People who use the service all the time."""
    load = ROOT / "examples" / "load.py"
    address = f"127.0.0.1:{demo.proxy}"
    with process(sys.executable, load, address, "--rate", str(RATE), "--report", demo.report, log="load.log"):
        yield


def wait_for_port(port: int) -> None:
    """Return once somebody listens."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port}")


def lay_out(until: str) -> None:
    """The service's commits up to a point of its history."""
    subprocess.run([sys.executable, ROOT / "examples" / "lay_out.py", QUOTES, "--until", until], check=True)


def git(*arguments: str) -> None:
    """Git in the service's repository."""
    subprocess.run(["git", *arguments], cwd=QUOTES, check=True)


# --- Shipline, as its users call it ------------------------------------------------------------------------------


def shipline(*arguments: str) -> int:
    """A command, shown as it is typed; returns its exit code."""
    print(f"\n$ shipline {' '.join(arguments)}", flush=True)
    return subprocess.run([BIN / "shipline", *arguments], cwd=QUOTES, check=False).returncode


def told(*arguments: str) -> dict[str, Any]:
    """A reading command's JSON."""
    done = subprocess.run(
        [BIN / "shipline", *arguments, "--json"], cwd=QUOTES, check=True, stdout=subprocess.PIPE, text=True
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def wait_for_yank() -> None:
    """The yank is ordered by the rollback, and done in the background."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if told("releases")["releases"][0]["yanks"]:
            return
        time.sleep(0.2)


def summary(demo: Demo, *, total_s: float) -> bool:
    """What came of it; True if every bundle is proven."""
    proven = True
    for release in reversed(told("releases")["releases"]):
        bundle = Path(".shipline") / "releases" / f"{release['package']}-{release['version']}" / "bundle.tar"
        key = ".shipline/signer/signing.key.pub"
        verified = subprocess.run(
            [BIN / "shipline", "verify", bundle, "--key", key], cwd=QUOTES, check=False, stdout=subprocess.DEVNULL
        )
        proven = proven and verified.returncode == 0
        answers = ", ".join(f"{verdict['gate']}: {verdict['answer']}" for verdict in release["verdicts"])
        print(f"{release['package']} {release['version']}: {release['status']}")
        print(f"  gates: {answers}")
        print(f"  evidence: {bundle}, shipline verify: {'proven' if verified.returncode == 0 else 'NOT PROVEN'}")
        for yank in release["yanks"]:
            print(f"  {yank['place']}: {'; '.join((*yank['done'], *yank['by_hand'], *yank['not_done']))}")
    rollout = told("rollout", "show", "production")["rollout"]
    seconds = (rollout["rollback_began_us"] - rollout["started_us"]) / 1e6
    back = (rollout["ended_us"] - rollout["rollback_began_us"]) / 1e6
    print(f"\nThe bad version was found {seconds:.1f} s after its rollout began. {rollout['reason']}")
    print(f"  failed requests until then: {rollout['failed_requests']}; all traffic back after {back:.2f} s")
    tally = demo.load()
    print(f"  what users saw in all: {tally['sent']} requests, {tally['failed']} failed\n", flush=True)
    shipline("incidents")
    shipline("metrics")
    figures = {
        "seconds_to_detect": seconds,
        "failed_requests": rollout["failed_requests"],
        "rollback_seconds": back,
        "requests_sent": tally["sent"],
        "requests_failed": tally["failed"],
        "total_seconds": total_s,
    }
    (WORKPLACE / "figures.json").write_text(json.dumps(figures))
    return proven


def wait_for_interrupt() -> None:
    """Until Ctrl-C or SIGTERM."""
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def title(text: str) -> None:
    """A heading."""
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
