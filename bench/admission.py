"""How soon `shipline up --admission` answers, at a steady rate and with signatures that it has seen before or not.

    python -m bench.admission            200 a second for 20 seconds
    python -m bench.admission 400 10     another rate, another time

All is real: a registry on loopback with signed images, the server as a process of its own, TLS. Each answer is timed
from when it was due to be asked for, not from when there was a connection for it: a server that falls behind shows.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from shipline.bootstrap.signing import image_of
from shipline.capabilities.evidence import sign_image
from shipline.clients.image_names import ImageReference, image_reference
from shipline.clients.oci_layout import open_layout
from shipline.clients.oci_registry import OCIClient
from shipline.testing.fakes.signer import MemorySigner
from tests.certificates import certificate
from tests.images import make_layout
from tests.registries import RegistryMissing, docker_registry_in

RATE, SECONDS, LIMIT_MS = 200, 20, 50.0
IMAGES = 40
CONNECTIONS = 32
SIGNER = MemorySigner(1)
HEAD = "POST /validate?timeout=5s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


def reviews(images: list[str]) -> list[bytes]:
    """A review of a Deployment an image, some 5 kB each, as clusters send it when a rollout goes on (UPDATE)."""
    return [json.dumps(_review(f"web-{at}", image)).encode() for at, image in enumerate(images)]


def _review(name: str, image: str) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": image,
        "env": [{"name": f"SETTING_{at}", "value": "x" * 40} for at in range(20)],
        "resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi", "cpu": "100m"}},
        "securityContext": {"allowPrivilegeEscalation": False},
    }
    labels = {"app.kubernetes.io/name": name, "team": "quotes"}
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": labels, "uid": name, "resourceVersion": "1"},
        "spec": {"replicas": 3, "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}},
    }
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    request = {
        "uid": name,
        "kind": kind,
        "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
        "name": name,
        "namespace": "shop",
        "operation": "UPDATE",
        "userInfo": {"username": "system:serviceaccount:ci:deployer", "groups": ["system:authenticated"]},
        "object": document,
        "oldObject": document,
        "dryRun": False,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def push_signed(url: str, folder: Path) -> list[str]:
    """Images of the registry, each signed, by digest."""
    host = url.removeprefix("http://")
    found = []
    for at in range(IMAGES):
        path = f"team/image-{at}"
        with open_layout(make_layout(folder / str(at), content=str(at), platforms=("amd64",))) as layout:
            name = f"{host}/{path}@{OCIClient(url, path, 10.0).push(layout)}"
        attachments, image = image_of(cast("ImageReference", image_reference(name)))
        sign_image(attachments, image, SIGNER)
        found.append(name)
    return found


@contextmanager
def serving(folder: Path, host: str) -> Iterator[tuple[int, int]]:
    """The server with all ready-made sets; its port and process id."""
    pem, key = certificate()
    (folder / "tls.crt").write_bytes(pem)
    (folder / "tls.key").write_bytes(key)
    (folder / "team.pub").write_text(SIGNER.public_key_pem())
    command = [sys.executable, "-m", "shipline", "up", "--admission", "--port", "0", "--set", "baseline"]
    command += ["--set", "registries", "--registry", host, "--set", "signed-images", "--key", "team.pub"]
    command += ["--certificate", "tls.crt", "--private-key", "tls.key"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(cast("IO[str]", process.stdout).readline().rpartition("/")[0].rpartition(":")[2]), process.pid
        finally:
            process.terminate()


class Client:
    """Connections that are kept open, each for one question at a time."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port, self._trust = port, ssl.create_default_context(cafile=folder / "tls.crt")
        self._idle: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()

    async def open(self) -> None:
        """Open them, handshakes and all."""
        for _ in range(CONNECTIONS):
            self._idle.put_nowait(await asyncio.open_connection("127.0.0.1", self._port, ssl=self._trust))

    async def ask(self, body: bytes, due_s: float) -> tuple[float, bool]:
        """Seconds from when it was due to the answer, and whether that let it in."""
        reader, writer = await self._idle.get()
        writer.write(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        content = await reader.readexactly(length)
        self._idle.put_nowait((reader, writer))
        return time.perf_counter() - due_s, json.loads(content)["response"]["allowed"]


async def at_rate(client: Client, bodies: list[bytes], rate: int, seconds: int) -> list[tuple[float, bool]]:
    """So many a second, whether the answers come or not."""
    began_s = time.perf_counter()
    tasks = []
    for at in range(rate * seconds):
        due_s = began_s + at / rate
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        tasks.append(asyncio.create_task(client.ask(bodies[at % len(bodies)], due_s)))
    return await asyncio.gather(*tasks)


def _shown(name: str, answers: list[tuple[float, bool]]) -> float:
    """Print the distribution; gives the 99th percentile in milliseconds."""
    times = sorted(seconds * 1000 for seconds, _ in answers)
    p50, p99 = (times[min(int(len(times) * share), len(times) - 1)] for share in (0.5, 0.99))
    refused = sum(not allowed for _, allowed in answers)
    words = f"   {refused} refused" if refused else ""
    print(f"{name:<26}{len(times):>6}   p50 {p50:>6.1f} ms   p99 {p99:>6.1f} ms   max {times[-1]:>7.1f} ms{words}")
    return p99


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(port: int, pid: int, folder: Path, bodies: list[bytes], asked: tuple[int, int]) -> bool:
    """Cold one by one, cold at once, then at the rate; true where the last is within its limit and all were let in."""
    rate, seconds = asked
    client = Client(port, folder)
    await client.open()
    half = len(bodies) // 2
    first = [await client.ask(body, time.perf_counter()) for body in bodies[:half]]
    _shown("cold, one by one", first)
    together = await asyncio.gather(*(client.ask(body, time.perf_counter()) for body in bodies[half:]))
    _shown("cold, all at once", together)
    before_s = _cpu_s(pid)
    steady = await at_rate(client, bodies, rate, seconds)
    used = (_cpu_s(pid) - before_s) / seconds
    p99 = _shown(f"remembered, {rate} a second", steady)
    print(f"  limit of the p99 {LIMIT_MS:.0f} ms; the server takes {used:.0%} of a processor")
    return p99 <= LIMIT_MS and all(allowed for _, allowed in (*first, *together, *steady))


def main(arguments: list[str]) -> int:
    """Run; 1 where the answers are later than promised, or not what they should be."""
    rate, seconds = (int(each) for each in (*arguments, *map(str, (RATE, SECONDS)[len(arguments) :])))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            with docker_registry_in(folder / "registry") as registry:
                bodies = reviews(push_signed(registry.url, folder / "images"))
                with serving(folder, registry.url.removeprefix("http://")) as (port, pid):
                    return int(not asyncio.run(measure(port, pid, folder, bodies, (rate, seconds))))
        except RegistryMissing as missing:
            print(missing)
            return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
