"""Programs that outlive the engine: one a folder, never unknown, never mistaken for another."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.clients.detached import Detached, Program
from shipline.clients.detached_launcher import LOCK, PERMIT, WITHDRAWN, Order, identity, launch, write_durably
from shipline.clients.log_keeper import generations
from shipline.domain.errors import ShiplineError
from tests.machine import SystemClock, wait_until

SAYS_AND_STAYS = (
    "import os, time; open('starts', 'a').write(f'{os.getpid()} '); print('here', flush=True); time.sleep(600)"
)


def program(code: str, log_bytes_max: int = 100_000) -> Program:
    """A Python program."""
    return Program((sys.executable, "-I", "-c", code), {"PATH": os.defpath}, log_bytes_max)


@pytest.fixture
def detached(tmp_path: Path) -> Iterator[Detached]:
    """A folder for one program, which ends with the test."""
    detached = Detached(tmp_path / "program", SystemClock())
    yield detached
    detached.stop(first=signal.SIGKILL, timeout_s=10)


def test_a_program_runs_on_in_a_session_of_its_own_and_is_found_again(detached: Detached) -> None:
    """By another object over the same folder; a second start starts nothing."""
    detached.start(program(SAYS_AND_STAYS))
    pid = detached.pid()
    assert pid is not None
    assert os.getsid(pid) == pid != os.getsid(0)
    again = Detached(detached.folder, SystemClock())
    again.start(program(SAYS_AND_STAYS))
    assert again.pid() == pid
    wait_until(lambda: again.output_end() == "here", "the output")
    again.stop(first=signal.SIGTERM, timeout_s=10)
    assert detached.pid() is None
    wait_until(lambda: detached.keeper_pid() is None, "the keeper's end")


def test_many_starts_at_once_start_one(detached: Detached) -> None:
    """The launchers wait for each other."""
    starts = [threading.Thread(target=detached.start, args=(program(SAYS_AND_STAYS),)) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    wait_until(lambda: detached.output_end() == "here", "the output")
    assert (detached.folder / "starts").read_text().split() == [str(detached.pid())]


def test_a_launch_whose_permit_was_withdrawn_starts_nothing(detached: Detached) -> None:
    """A launcher that was slow, while the program was stopped already."""
    detached.start(program("pass"))
    detached.stop(first=signal.SIGTERM, timeout_s=10)
    assert not (detached.folder / PERMIT).exists()
    assert launch(Order(str(detached.folder), ["false"], {}, ["false"])) == WITHDRAWN
    assert (detached.folder / LOCK).exists()
    assert detached.pid() is None


def test_what_cannot_be_executed_is_an_error_that_names_it(detached: Detached) -> None:
    """And is not recorded as running."""
    with pytest.raises(ShiplineError, match="no-such-program") as failure:
        detached.start(Program(("no-such-program",), {"PATH": os.defpath}, 1000))
    assert "No such file" in failure.value.why
    assert detached.pid() is None


def test_another_process_under_the_recorded_pid_is_left_alone(detached: Detached) -> None:
    """The record names this test's own process, with the identity of an earlier one."""
    detached.start(program("pass"))
    wait_until(lambda: detached.pid() is None, "the program's end")
    record = {"pid": os.getpid(), "identity": "earlier"}
    (detached.folder / "process.json").write_text(json.dumps(record))
    detached.stop(first=signal.SIGKILL, timeout_s=1)
    assert identity(os.getpid()) is not None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "1", "identity": "x"}', '{"pid": -1, "identity": null}'])
def test_a_damaged_record_names_nobody(detached: Detached, text: str) -> None:
    """Least of all a process group to kill."""
    detached.folder.mkdir()
    (detached.folder / "process.json").write_text(text)
    assert detached.pid() is None


def test_a_zombie_is_not_alive() -> None:
    """A dead child that nobody has waited for yet still has its pid."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-I", "-c", "pass"], {})
    wait_until(lambda: identity(pid) is None, "the child's end")
    os.waitpid(pid, 0)


def test_output_is_bounded_and_its_end_is_kept(detached: Detached) -> None:
    """However much a program writes."""
    detached.start(program("for n in range(40_000): print('line', n)", log_bytes_max=40_000))
    wait_until(lambda: detached.output_end().endswith("line 39999"), "the last line")
    sizes = [path.stat().st_size for path in detached.log_folder.iterdir()]
    assert len(generations(detached.log_folder)) == len(sizes) == 4
    assert sum(sizes) < 40_000 + 4 * 65_536


def test_two_threads_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    """The engine and whoever looks on come to the same result, and both write it down: neither may fail for it."""
    troubles: list[OSError] = []

    def write() -> None:
        try:
            for number in range(200):
                write_durably(tmp_path / "plan.json", f"{number}" * 1000)
        except OSError as error:
            troubles.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
