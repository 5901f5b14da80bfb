"""What reading and keeping a large report costs, and verifying a bundle of many statements, as a process of its own:
time, CPU and the most memory that it held; what `shipline gate` costs as a command; how fast the log takes events in,
and proves them; how soon a cluster is answered (`bench/admission.py`).

    python bench/gates.py            all cases
    python bench/gates.py read-24mb  one

The reports are made up: SARIF as scanners write it, with a rule, a place and a fingerprint for each finding. The bundle
has one statement many times, each signed, and is verified by the command line, start and all. `bundle-bytes` changes
every byte of a small one, which must never be proven then. The log's rates are those of one process, a second of its
CPU: appending is what the sequencer does to events that are committed, 1,000 a batch with a signed checkpoint each;
proofs are made 500 at a time, of random events.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.bundles import write_bundle
from bench.gate_commands import measure_commands

READ = "import sys\nfrom pathlib import Path\nfrom shipline.capabilities.evidence import summarise_report\n"
READ += "print(summarise_report(Path(sys.argv[1])).summary['total'])"
ADMISSION = "admission"
SHOW = ["-m", "shipline", "evidence", "read", "--json"]
VERIFY = "import sys\nfrom shipline.apps.cli.main import main\n"
VERIFY += "path = sys.argv[1]\nsys.argv[1:] = ['verify', path, '--key', path.rpartition('.')[0] + '.pub']\nmain()\n"
BYTES = "import sys\nfrom pathlib import Path\nsys.path.insert(0, '.')\nfrom bench.bundles import changed_and_proven\n"
BYTES += "sys.exit(bool(changed_and_proven(Path(sys.argv[1]))))"


@dataclass(frozen=True, slots=True)
class Case:
    """`findings` in the report, or statements in the bundle; `command` reads it, its path comes last; the limits are
    what is promised. With `seconds_max` the last line of what it prints is the seconds that are promised, without its
    own start."""

    name: str
    findings: int
    command: list[str]
    memory_mb_max: int
    cpu_s_max: float | None = None
    of: str = "findings"
    seconds_max: float | None = None


CASES = (
    Case("read-24mb", 100_000, ["-c", READ], 200, 2.5),
    Case("read-100mb", 420_000, ["-c", READ], 200),
    Case("show-100mb", 420_000, SHOW, 200),
    Case("add-24mb", 100_000, ["bench/kept_findings.py", "add"], 200, seconds_max=2.0),
    Case("gate-100k", 100_000, ["bench/kept_findings.py", "gate"], 200, seconds_max=0.1),
    Case("add-100mb", 420_000, ["bench/kept_findings.py", "add"], 200),
    Case("bundle-1000", 1_000, ["-c", VERIFY], 200, 1.0, of="statements"),
    Case("bundle-bytes", 1, ["-c", BYTES], 200, of="statements"),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """`program` works on a log of so many events, and prints how many it did and in how many seconds of CPU."""

    name: str
    events: int
    program: str
    per_s_min: int


LOG = """
import random, sys, time
from pathlib import Path
from shipline.domain.actor import SYSTEM
from shipline.domain.event import Event
from shipline.store.database import Store
from shipline.store.log import sequence
from shipline.store.notes import NoteSigningKey
from shipline.store.proofs import prove_all

folder, count = Path(sys.argv[1]), int(sys.argv[2])
store, key = Store(f"sqlite:///{folder}/log.db").open(), NoteSigningKey("bench/log", bytes(32))
for first in range(0, count, 5000):
    with store.begin() as tx:
        for number in range(first, first + 5000):
            body = {"gate": "tests", "answer": "PASS", "reasons": [f"tests.failed == 0 holds: {number}"]}
            tx.append(Event(f"evt_{number:032x}", f"release:{number % 500}", "GateDecided", number, SYSTEM, body))
"""
APPENDS = LOG + "began = time.process_time()\nprint(sequence(store, key), time.process_time() - began)"
PROOFS = LOG + "sequence(store, key)\nids = [f'evt_{random.randrange(count):032x}' for _ in range(10_000)]\n"
PROOFS += "began = time.process_time()\nprint(len(prove_all(store, ids)), time.process_time() - began)"
RATES = (Rate("log-appends", 50_000, APPENDS, 20_000), Rate("log-proofs", 50_000, PROOFS, 4_000))


def measure_rate(rate: Rate) -> bool:
    """Run a program on a new log, print its figures, and say whether it was fast enough."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", rate.program, folder, str(rate.events)], capture_output=True, text=True, check=True
        )
    count, seconds = done.stdout.split()
    per_s = int(count) / float(seconds)
    print(f"{rate.name:<12}{int(count):>9} of {rate.events} events   {per_s:>7.0f} /s (at least {rate.per_s_min})")
    return per_s >= rate.per_s_min


def write_sarif(path: Path, findings: int) -> None:
    """A report of so many findings, some 240 bytes each."""
    rules = [{"id": f"R{index}", "properties": {"security-severity": f"{index % 10}.1"}} for index in range(50)]
    with path.open("w", encoding="utf-8") as file:
        driver = json.dumps({"driver": {"name": "bench", "rules": rules}})
        file.write(f'{{"version": "2.1.0", "runs": [{{"tool": {driver}, "results": [')
        for index in range(findings):
            place = {
                "artifactLocation": {"uri": f"src/module_{index % 900}.py"},
                "region": {"startLine": index % 999 + 1},
            }
            message = {"text": f"the value {index} is used before it is checked"}
            result = {"ruleId": f"R{index % 50}", "message": message, "locations": [{"physicalLocation": place}]}
            file.write(("," if index else "") + json.dumps(result))
        file.write("]}]}")


def measure(case: Case, report: Path) -> bool:
    """Run a case in a process of its own, print its figures, and say whether they are within the limits."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([sys.executable, *case.command, str(report)], stdout=output)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        seconds = float(output.read().split()[-1]) if case.seconds_max is not None and not process.returncode else 0.0
    cpu_s = used.ru_utime + used.ru_stime
    memory_mb = used.ru_maxrss / 1024
    size_mb = report.stat().st_size / 1e6
    limit = "" if case.cpu_s_max is None else f" (limit {case.cpu_s_max:.1f})"
    print(
        f"{case.name:<12}{case.findings:>9} {case.of:<10} {size_mb:>6.0f} MB   CPU {cpu_s:>5.1f} s{limit}   "
        f"memory {memory_mb:>4.0f} MB (limit {case.memory_mb_max})"
        + ("" if case.seconds_max is None else f"   {seconds:.3f} s (limit {case.seconds_max})")
    )
    within = memory_mb <= case.memory_mb_max and (case.cpu_s_max is None or cpu_s <= case.cpu_s_max)
    within = within and (case.seconds_max is None or seconds <= case.seconds_max)
    return process.returncode == 0 and within


def main(names: list[str]) -> int:
    """Run the cases that are named, or all; 1 if one is beyond its limits."""
    chosen = [case for case in CASES if not names or case.name in names]
    with tempfile.TemporaryDirectory() as folder:
        within = []
        for case in chosen:
            report = Path(folder) / f"{case.findings}.{case.of}"
            if not report.exists():
                write_sarif(report, case.findings) if case.of == "findings" else write_bundle(report, case.findings)
            within.append(measure(case, report))
    within += [measure_rate(rate) for rate in RATES if not names or rate.name in names]
    within.append(measure_commands(names))
    if not names or ADMISSION in names:
        root = Path(__file__).resolve().parent.parent
        within.append(subprocess.run([sys.executable, "-m", "bench.admission"], cwd=root, check=False).returncode == 0)
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
