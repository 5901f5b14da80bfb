"""The setup script, run for real on a small clone and a PATH that holds just what a test puts there."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "setup.sh"
PLAIN = ("cat", "chmod", "env", "git", "grep", "head", "mkdir", "rm", "tail")
APT_GET = 'echo "$@" >>"$LOG"\ncase $* in *chromium*) printf "" >"$BIN/chromium"; chmod +x "$BIN/chromium" ;; esac\n'


class Machine:
    """A clone, and the programs of the machine that it is on."""

    def __init__(self, top: Path) -> None:
        self.clone = top / "clone"
        self.bin = top / "bin"
        self.apt_log = top / "apt.log"
        (self.clone / "scripts").mkdir(parents=True)
        shutil.copy(SCRIPT, self.clone / "scripts")
        for name in ("requirements.lock", "pyproject.toml"):
            (self.clone / name).write_text("")
        self.bin.mkdir()
        for name in PLAIN:
            program = shutil.which(name)
            assert program is not None, name
            (self.bin / name).symlink_to(program)
        self.install("python3", f'exec {sys.executable} "$@"')
        self.install("id", "echo 1000")
        for name in (
            "haproxy",
            "initdb",
            "pg_ctl",
            "chromium",
            "docker-registry",
            "wrk",
            "alertmanager",
            "prometheus",
            "buildah",
            "busybox",
            "podman",
            "runc",
            "node",
            "npm",
        ):
            self.install(name, "")

    def install(self, name: str, script: str) -> None:
        """Put a shell script on the PATH."""
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def remove(self, name: str) -> None:
        (self.bin / name).unlink()

    def make_ready(self, place: Path | None = None) -> None:
        """Leave what a finished setup leaves, made at `place` (here, unless said otherwise)."""
        hashes = subprocess.run(
            ["git", "hash-object", "requirements.lock", "pyproject.toml"],
            cwd=self.clone,
            capture_output=True,
            text=True,
            check=True,
        )
        (self.clone / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (self.clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
        (self.clone / ".venv" / ".setup-stamp").write_text(f"{place or self.clone}\n{hashes.stdout}")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the script in the clone, with nothing of this test run's environment."""
        return subprocess.Popen(
            ["/bin/sh", "scripts/setup.sh", *arguments],
            cwd=self.clone,
            env={"PATH": str(self.bin), "HOME": str(self.clone), "LOG": str(self.apt_log), "BIN": str(self.bin)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def setup(self, *arguments: str) -> tuple[int, str]:
        """Run the script; give its exit code and what it said."""
        process = self.start(*arguments)
        _, said = process.communicate(timeout=60)
        return process.returncode, said


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path.resolve())


def test_where_all_is_in_place_nothing_is_said_or_done(machine: Machine) -> None:
    machine.make_ready()
    assert machine.setup() == (0, "")
    assert machine.setup("tests") == (0, "")
    assert not (machine.clone / ".cache").exists()


def test_no_python_is_said_in_one_message(machine: Machine) -> None:
    machine.remove("python3")
    code, said = machine.setup()
    assert code == 1
    assert said.count("\n") == 1
    assert "Python 3.11 or newer is needed" in said


def test_an_old_python_is_no_python(machine: Machine) -> None:
    machine.install("python3", "exit 1")
    code, said = machine.setup()
    assert code == 1
    assert "Python 3.11 or newer is needed" in said


def test_all_that_is_missing_is_named_in_one_message(machine: Machine) -> None:
    """Without root nothing is tried: the user gets one command to type."""
    machine.install("apt-get", APT_GET)
    machine.install("python3", f'case $* in *ensurepip*) exit 1 ;; esac; exec {sys.executable} "$@"')
    machine.remove("git")
    machine.remove("chromium")
    code, said = machine.setup("tests")
    venv = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert code == 1
    assert said.startswith("setup: these packages are missing")
    assert f"sudo apt-get install git chromium {venv}\n" in said
    assert not machine.apt_log.exists()


def test_chromium_is_needed_for_tests_alone(machine: Machine) -> None:
    machine.remove("chromium")
    machine.make_ready()
    assert machine.setup() == (0, "")
    assert machine.setup("tests")[0] == 1


def test_a_node_of_the_machine_s_own_is_left_alone(machine: Machine) -> None:
    machine.make_ready()
    machine.remove("npm")
    assert machine.setup("tests") == (0, "")
    machine.remove("node")
    machine.remove("docker-registry")
    machine.remove("busybox")
    assert "apt-get install docker-registry busybox-static nodejs npm\n" in machine.setup("tests")[1]


def test_root_gets_the_packages_installed(machine: Machine) -> None:
    machine.install("id", "echo 0")
    machine.install("apt-get", APT_GET)
    machine.remove("chromium")
    machine.make_ready()
    assert machine.setup("tests") == (0, "setup: installing chromium with apt-get\n")
    update, install = machine.apt_log.read_text().splitlines()
    assert update == "update -qq"
    assert install.endswith(" chromium")
    assert "--no-install-recommends" in install


def test_sudo_is_used_where_it_asks_for_no_password(machine: Machine) -> None:
    machine.install("sudo", '[ "$1" = -n ] && shift && exec "$@"')
    machine.install("true", "")
    machine.install("apt-get", APT_GET)
    machine.remove("chromium")
    machine.make_ready()
    assert machine.setup("tests")[0] == 0


def test_what_apt_said_is_shown_when_it_fails(machine: Machine) -> None:
    machine.install("id", "echo 0")
    machine.install("apt-get", 'echo "E: no such package"; exit 100')
    machine.remove("chromium")
    code, said = machine.setup("tests")
    assert code == 1
    assert "E: no such package" in said
    assert "apt-get could not install: chromium" in said


def test_apt_and_pip_work_at_the_same_time_and_both_have_ended_in_the_end(machine: Machine) -> None:
    """Method: each waits until the other was seen at work, and apt-get goes on after the environment has failed."""
    machine.install("id", "echo 0")
    seen, ended = machine.clone / "pip", machine.clone / "apt-ended"
    wait = f"n=0; until [ -e {seen} ] || [ $n = 300 ]; do sleep 0.1; n=$((n+1)); done; [ -e {seen} ]"
    machine.install("apt-get", f"case $* in update*) exit 0 ;; esac\n{wait} || exit 1; sleep 0.3; echo yes >{ended}")
    machine.install("sleep", f'exec {shutil.which("sleep")} "$@"')
    machine.install(
        "python3", f'case $* in *"-m venv"*) echo at work >{seen}; exit 1 ;; esac; exec {sys.executable} "$@"'
    )
    machine.remove("chromium")
    code, said = machine.setup("tests")
    assert (code, ended.exists()) == (1, True), said
    assert "could not make .venv" in said


def test_a_second_setup_waits_for_the_first(machine: Machine) -> None:
    """It finds the work done and does nothing more."""
    (machine.clone / ".cache").mkdir()
    with (machine.clone / ".cache" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = machine.start()
        assert second.stderr is not None
        assert second.stderr.readline() == "setup: waiting for another setup of this clone\n"
        machine.make_ready()
    _, said = second.communicate(timeout=60)
    assert (second.returncode, said) == (0, "")


@pytest.mark.parametrize("change", ["lock", "place"])
def test_a_changed_lock_and_a_moved_clone_are_set_up_again(machine: Machine, change: str) -> None:
    """Goal: the environment is that of this lock and place. Method: making it anew is seen by the Python that is asked
    for it, which refuses."""
    machine.make_ready(Path("/elsewhere") if change == "place" else None)
    if change == "lock":
        (machine.clone / "requirements.lock").write_text("# changed\n")
        (machine.clone / ".venv" / "bin" / "python").unlink()
    machine.install("python3", f'case $* in *"-m venv"*) echo asked >&2; exit 1 ;; esac; exec {sys.executable} "$@"')
    code, said = machine.setup()
    assert code == 1
    assert said.startswith("asked\n")


def test_another_folder_is_left_alone(machine: Machine) -> None:
    (machine.clone / "requirements.lock").unlink()
    assert machine.setup() == (1, f"setup: {machine.clone} is not a clone of Shipline\n")
    assert [path.name for path in machine.clone.iterdir() if path.is_dir()] == ["scripts"]


def test_an_unknown_argument_is_refused(machine: Machine) -> None:
    assert machine.setup("everything") == (1, "setup: unknown argument everything; known: tests\n")
