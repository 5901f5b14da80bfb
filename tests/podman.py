"""A Podman of a test's own: its storage, its service on a socket, and images of a static program. Nothing is fetched.

Its containers share the machine's network: where tests run, making another may not be allowed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.machine import wait_until

CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'


def missing() -> str:
    """Which of the programs that this takes are not here; "" where all are."""
    programs = [name for name in ("podman", "runc", "buildah") if shutil.which(name) is None]
    return " and ".join(programs if busybox() else [*programs, "a static busybox"])


def busybox() -> Path | None:
    """A static program with a shell and a web server in it; None also where it is linked to the system's."""
    found = shutil.which("busybox")
    return None if found is None or b"ld-linux" in Path(found).read_bytes()[:8192] else Path(found)


@dataclass(frozen=True)
class Podman:
    """Podman with a `folder` of its own; its service answers on `socket`."""

    folder: Path
    environment: dict[str, str]

    @property
    def socket(self) -> Path:
        return self.folder / "sock"

    def __call__(self, *arguments: str) -> str:
        """What the command prints."""
        done = subprocess.run(arguments, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def image(self, repository: str, version: str, script: str) -> str:
        """Build an image that runs a script of the shell; returns its digest."""
        program = busybox()
        assert program is not None
        context = self.folder / "context" / version
        (context / "www").mkdir(parents=True)
        (context / "www" / "healthz").write_text(version)
        shutil.copy(program, context / "busybox")
        (context / "run.sh").write_text(script)
        (context / "Dockerfile").write_text(
            "FROM scratch\nCOPY busybox /bin/busybox\nCOPY www /www\nCOPY run.sh /run.sh\n"
            'CMD ["/bin/busybox", "sh", "/run.sh"]\n'
        )
        name = f"{repository}:{version}"
        self("buildah", "bud", "--quiet", "--tag", name, str(context))
        return self("podman", "image", "inspect", "--format", "{{.Digest}}", name)


@contextmanager
def running_podman(folder: Path) -> Iterator[Podman]:
    """The service; it and all its containers end with the block."""
    (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
    (folder / "containers.conf").write_text(CONTAINERS)
    podman = Podman(
        folder,
        os.environ
        | {
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "BUILDAH_ISOLATION": "chroot",
        },
    )
    command = ("podman", "system", "service", "--time=0", f"unix://{podman.socket}")
    with (folder / "service.log").open("wb") as log:
        service = subprocess.Popen(command, env=podman.environment, stdout=log, stderr=log)
    try:
        wait_until(podman.socket.exists, "Podman's socket")
        yield podman
    finally:
        podman("podman", "rm", "--all", "--force", "--time", "0")
        service.kill()
        service.wait()
