"""`shipline up` as a process: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from shipline.apps.server.serve import listen
from shipline.apps.server.token import FILE_NAME, load_or_create_token
from shipline.domain.errors import ShiplineError, UsageError
from tests.machine import PATIENCE_S

UP = [sys.executable, "-c", "from shipline.apps.cli.main import main; main()", "up"]
LINE = re.compile(r"Shipline is up: (http://127\.0\.0\.1:[0-9]+)/\?token=([A-Za-z0-9_-]{43})\n")


@contextmanager
def up(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A running `shipline up`, its address and its token."""
    with subprocess.Popen(
        [*UP, "--port", "0"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found = LINE.fullmatch(process.stdout.readline())
            assert found is not None
            yield process, found[1], found[2]
        finally:
            process.kill()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shipline.toml").write_text("schema = 1\n")
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_one_line_and_ends_in_peace_while_somebody_watches(project: Path, number: signal.Signals) -> None:
    """The stream ends, the exit code is 0, and nothing else was printed."""
    with up(project) as (process, address, token), httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
        assert client.get("/", params={"token": token}).status_code == 303
        with client.stream("GET", "/live") as live:
            received = live.iter_text()
            assert next(received).startswith("retry:")
            process.send_signal(number)
            for _ in received:
                pass
        output, errors = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, output, errors) == (0, "", "")


def test_a_restart_keeps_the_token_and_its_sessions(project: Path) -> None:
    with up(project) as (process, address, token):
        with httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
            client.get("/", params={"token": token})
            cookies = client.cookies
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
    with up(project) as (_, address, again):
        assert again == token
        assert httpx.get(address, cookies=cookies, timeout=PATIENCE_S).status_code == 200


def test_a_second_process_serves_the_page_and_takes_the_engine_over(project: Path) -> None:
    """What is said to it is enqueued meanwhile."""
    with up(project) as (first, _, _), up(project) as (second, address, token):
        assert httpx.get(f"{address}/healthz", timeout=PATIENCE_S).status_code == 200
        first.terminate()
        first.communicate(timeout=PATIENCE_S)
        with up(project) as (third, _, _):
            headers = {"Authorization": f"Bearer {token}"}
            assert httpx.get(address, headers=headers, timeout=PATIENCE_S).status_code == 200
            third.terminate()
            third.communicate(timeout=PATIENCE_S)
        second.terminate()
        _, errors = second.communicate(timeout=PATIENCE_S)
        assert "another process runs the engine" in errors
        assert second.returncode == 0


def test_a_port_in_use_is_named_with_the_way_out(project: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [*UP, "--port", str(port)], cwd=project, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "shipline.example"])  # noqa: S104 - refused, not served
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(UsageError, match=re.escape(host)):
        listen(host, 0)


def test_the_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    """One that others could have read is replaced, as is one that is not of our form."""
    token = load_or_create_token(tmp_path)
    path = tmp_path / FILE_NAME
    assert load_or_create_token(tmp_path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    second = load_or_create_token(tmp_path)
    assert second != token
    path.write_text("short\n")
    assert len(load_or_create_token(tmp_path)) == 43
    assert list(tmp_path.iterdir()) == [path]


def test_a_token_that_cannot_be_kept_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(ShiplineError, match="cannot be kept"):
        load_or_create_token(tmp_path / "missing")
