"""Version files: an edit of a large lock file, and what hostile lines cost, in CPU seconds of this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial

from shipline.capabilities.version_files import KINDS, find_sites, write_version
from shipline.domain.errors import ShiplineError
from shipline.domain.version_file import VersionFile

LOCK_S_MAX = 3.0
LINE_S_MAX = 4.0  # Four files each; YAML is read at 256 kB a second.
WORST_SHOWN = 8
LINES = {
    "spaces": b" " * 200_000,
    "quotes": b'"' * 200_000,
    "escapes": b'\\"' * 100_000,
    "brackets": b"[" * 200_000,
    "comments": b"/*" * 100_000,
    "versions": b"version = " * 20_000,
    "many lines": b"version = 1\n" * 16_000,
    "many markers": b"1.2.3 shipline-version 1.2.\n" * 7_000,
    "digits": b"1." * 100_000,
}


def npm_lock(packages: int) -> bytes:
    """A package-lock.json with that many packages."""
    entry = {"version": "1.0.0", "resolved": "file:x", "integrity": "sha512-" + "x" * 88, "license": "MIT"}
    entries = {f"node_modules/package-{number}": entry for number in range(packages)}
    own = {"name": "quotes", "version": "1.2.3"}
    return json.dumps({**own, "lockfileVersion": 3, "packages": {"": own, **entries}}, indent=2).encode()


def uv_lock(packages: int) -> bytes:
    """A uv.lock with that many packages."""
    wheel = '    { url = "https://x/x.whl", hash = "sha256:' + "0" * 64 + '", size = 1000 },\n'
    entry = (
        '[[package]]\nname = "p{}"\nversion = "1.0.0"\nsource = {{ registry = "x" }}\nwheels = [\n'
        + wheel * 8
        + "]\n\n"
    )
    own = '[[package]]\nname = "quotes"\nversion = "1.2.3"\nsource = { editable = "." }\n'
    return (
        "version = 1\n\n"
        + "".join(entry.replace("{}", str(number)).replace("{{", "{").replace("}}", "}") for number in range(packages))
        + own
    ).encode()


def main() -> None:
    """Print the figures, and say which are over their limit."""
    for kind, content in (("npm-lock", npm_lock(5000)), ("uv-lock", uv_lock(500))):
        file = VersionFile(kind, kind)
        seconds = cpu_s(partial(write_version, file, content, "2.0.0"))
        report(f"edit {kind} of {len(content) / 1e6:.1f} MB", seconds, LOCK_S_MAX)
    times = [(cpu_s(partial(read, kind, line)), f"{name} as {kind}") for kind in KINDS for name, line in LINES.items()]
    print(f"the slowest of {len(times)} times 200 kB of rubbish:")
    for seconds, what in sorted(times, reverse=True)[:WORST_SHOWN]:
        report(f"  {what}", seconds, LINE_S_MAX)


def read(kind: str, line: bytes) -> None:
    """Look for versions in rubbish, as it is and behind what begins a value."""
    pattern = r'[a-z]+ *= *"(?P<version>[0-9.]+)"' if kind == "pattern" else ""
    for content in (line, b"version = '" + line, b"ARG VERSION=" + line, b"{" + line):
        try:
            find_sites(VersionFile(kind, kind, pattern, ("quotes",)), content)
        except ShiplineError:
            continue


def cpu_s(work: Callable[[], object]) -> float:
    """The CPU time of this process for the work."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def report(what: str, seconds: float, limit: float) -> None:
    """One line."""
    print(f"{what}: {seconds:.2f} s (limit {limit} s){'' if seconds <= limit else '  OVER'}")


if __name__ == "__main__":
    main()
