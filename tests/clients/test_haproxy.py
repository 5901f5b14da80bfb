"""The runtime socket's client against servers that misbehave; that it works is shown with a real HAProxy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.clients.haproxy import ANSWER_BYTES_MAX, HAProxyClient
from shipline.clients.haproxy_files import ServerName, decoded, parsed_line
from shipline.domain.errors import UnavailableError
from shipline.ports.target import Role

HEADER = "# pxname,svname,qcur,scur,status,addr,uweight\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[bytes, int], HAProxyClient]]:
    """Make a client of a server that answers with so many times these bytes."""
    with ExitStack() as stack:

        def serve(answer: bytes, times: int) -> HAProxyClient:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(tmp_path / "s"))
            listener.listen()

            def run() -> None:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(4096)
                    for _ in range(times):
                        connection.sendall(answer)

            thread = threading.Thread(target=run)
            thread.start()
            stack.callback(thread.join)
            return HAProxyClient(tmp_path / "s")

        yield serve


def test_no_server_is_unavailable(tmp_path: Path) -> None:
    """With what the system says."""
    with pytest.raises(UnavailableError, match="does not answer"):
        HAProxyClient(tmp_path / "none").ask("show info")


def test_silence_is_unavailable(tmp_path: Path) -> None:
    """After the time that a command may take."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with pytest.raises(UnavailableError, match="does not answer"):
            HAProxyClient(tmp_path / "s", timeout_s=0.1).ask("show info")


def test_an_endless_answer_is_cut(served: Callable[[bytes, int], HAProxyClient]) -> None:
    """Memory is bounded."""
    client = served(b"x" * 65_536, ANSWER_BYTES_MAX // 65_536 + 2)
    with pytest.raises(UnavailableError) as failure:
        client.ask("show info")
    assert "longer" in failure.value.why


@pytest.mark.parametrize("command", ["", "a;b", "a\nb", "x" * 2000, "é"])
def test_a_command_is_one_command(tmp_path: Path, command: str) -> None:
    """Nothing can be smuggled in behind it."""
    with pytest.raises(ValueError, match="not one bounded"):
        HAProxyClient(tmp_path / "s").ask(command)


def test_an_unexpected_answer_to_an_order_is_trouble(served: Callable[[bytes, int], HAProxyClient]) -> None:
    """Success is what HAProxy documents as such, nothing else."""
    with pytest.raises(UnavailableError, match="refused") as failure:
        served(b"No such server.\n", 1).order("enable server a/b")
    assert failure.value.why == "No such server."


@pytest.mark.parametrize("row", ["b,s,x,0,UP,1.2.3.4:5,1", "b,s,0,0,UP,1.2.3.4:5", "b,s"])
def test_statistics_that_make_no_sense_are_trouble(served: Callable[[bytes, int], HAProxyClient], row: str) -> None:
    """Not an empty list, which would read as drained."""
    with pytest.raises(UnavailableError, match="cannot be read"):
        served((HEADER + row + "\n").encode(), 1).servers("b")


def test_an_answer_that_is_no_statistics_is_trouble(served: Callable[[bytes, int], HAProxyClient]) -> None:
    """HAProxy says in plain words when it does not know the backend."""
    with pytest.raises(UnavailableError, match="gives no statistics"):
        served(b"No such proxy.\n", 1).servers("b")


IDS = st.text("abcxyz019-", min_size=1, max_size=60)


@settings(deadline=None)
@given(st.sampled_from(Role), st.text(min_size=1, max_size=30), IDS, IDS)
def test_server_names_read_back(role: Role, version: str, group_id: str, endpoint_id: str) -> None:
    """Whatever a version holds, its name in the proxy is one plain word."""
    name = ServerName(role, version, group_id, endpoint_id)
    assert decoded(name.encoded()) == name
    assert parsed_line(f"1 {name.encoded()} 200 -- 1 ::1".encode()) is not None


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_line_is_too_strange(line: bytes) -> None:
    """Rubbish is None, never an exception."""
    parsed_line(line)
