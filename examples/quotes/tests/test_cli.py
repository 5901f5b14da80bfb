import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


def test_it_serves_until_it_is_asked_to_end() -> None:
    command = [sys.executable, "-m", "quotes", "--port", "0"]
    with subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(address + "healthz", timeout=5) as response:
            assert response.read() == b"ok\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


def test_a_port_in_use_is_said() -> None:
    command = [sys.executable, "-m", "quotes", "--port", "0"]
    with subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().rstrip("/\n").rsplit(":", 1)[-1]
        second = subprocess.run([*command[:-1], port], cwd=SOURCE, capture_output=True, text=True, check=False)
        process.terminate()
    assert second.returncode == 1
    assert "cannot listen on 127.0.0.1 port" in second.stderr
