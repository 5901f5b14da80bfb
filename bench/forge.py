"""Webhooks: that nothing is lost or doubled whatever goes wrong, and how soon and how many are acknowledged.

Promises:

1. Of 10,000 deliveries 30% are repetitions and 20% come out of order; 10% of the answers to what is changed on the
   forge are lost (502 after the effect), and so are 10% of the server's own answers, which are sent again then; the
   server is killed (SIGKILL) again and again. In the end each branch has its one pull request with its one comment,
   which says the newest commit: 0 effects lost, 0 doubled.
2. At 500 signed deliveries a second 99% are answered within 50 ms, each of them on the disk then (SQLite,
   `synchronous=FULL`); beside that the highest rate held. Latency counts from when a request was due, so that a server
   that falls behind is not asked less.

Server, store, engine, scheduler and the client of the forge are the real ones, and the server is a process of its own;
so is the client of the second figure. The forge is the model of the tests, on loopback. A look is one of its own here:
it brings a pull request and a comment about, since a release would measure git.

The third one, about tags under rapid merges, is in `bench.forge_tags`; the fourth, about two forges that are kept
alike, in `bench.forge_sync`; the fifth, about what is quiet in a large repository, in `bench.forge_stale`.

    python -m bench.forge [lost] [rate] [tags] [sync] [stale] [--quick]
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.forge_stale import stale
from bench.forge_sync import sync
from bench.forge_tags import tags
from shipline.apps.server.live import Hub
from shipline.apps.server.serve import Server, listen
from shipline.apps.server.site import Site
from shipline.apps.server.web import make_web
from shipline.apps.stopping import stopping_on_signals
from shipline.capabilities.automation import (
    AUTOMATION_WORKFLOW,
    LOOK,
    Carried,
    Command,
    Duties,
    LookStep,
    automation_workflow,
    count_deliveries,
    follow_command,
    handle_deliveries,
)
from shipline.engine.dbos_scheduler import DBOSScheduler
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.journal import Run
from shipline.engine.lease import Lease
from shipline.engine.ownership import owning
from shipline.engine.runner import Runner
from shipline.ports.forge import PullRequest
from shipline.ports.forge.answers import Thread
from shipline.ports.provider import ProviderContext
from shipline.providers.clock.system import SystemClock, SystemIds
from shipline.providers.forge.github import GitHubForge
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.keys import load_or_create_log_key
from shipline.store.log import sequence
from shipline.store.transaction import Transaction
from shipline.testing.fakes.forge.github import GitHubDialect
from shipline.testing.fakes.forge.model import ForgeModel, MemoryRefs
from shipline.testing.fakes.forge.server import ForgeServer, ServerFaults

SECRET = "of the bench"  # noqa: S105 - opens nothing but its own server
TOKEN_VARIABLE = "BENCH_FORGE_TOKEN"  # noqa: S105 - a name
FORGE_TOKEN = "of-the-model"  # noqa: S105 - opens nothing but the model
ACCEPTED = 202
MARKER = "bench"
BRANCHES = tuple(f"line-{number}" for number in range(50))
DELIVERIES, QUICK_DELIVERIES = 10_000, 1000
REPEATED, OUT_OF_ORDER, LOST = 0.3, 0.2, 0.1
SENDERS = 8
KILL_EVERY_S = (3.0, 9.0)
SETTLE_S = 300
RATES = (500, 700, 800, 900, 1000, 1100, 1300, 1500)
RATE_S, QUICK_RATE_S, WARM_UP_S = 20, 5, 2.0
LOOK_S = 0.5
CONNECTIONS = 64
PROMISED_RATE, PROMISED_P99_MS, HELD = 500, 50.0, 0.99
# As long as a usual push of GitHub's.
PADDING = "x" * 6000


def main(arguments: list[str]) -> int:
    """All figures, or those that are named; 1 if a promise is broken."""
    if arguments[:1] == ["serve"]:
        return serve(*arguments[1:])
    if arguments[:1] == ["client"]:
        return client(int(arguments[1]), int(arguments[2]), float(arguments[3]))
    quick = "--quick" in arguments
    cases = {"lost": lost, "rate": rate, "tags": tags, "sync": sync, "stale": stale}
    named = [each for each in arguments if each != "--quick"] or list(cases)
    kept = [cases[name](quick) for name in named]
    return 0 if all(kept) else 1


# --- the server ----------------------------------------------------------------------------------------------------


def serve(folder: str, port: str, api_url: str) -> int:
    """A server with its engine, until it is told to stop. `api_url` "": a look does nothing."""
    store = Store(f"sqlite:///{folder}/store.db").open()
    clock, ids = SystemClock(), SystemIds()
    events = EventWriter(ids, clock)
    made: list[Engine] = []

    def follow(tx: Transaction, run: Run) -> None:
        follow_command(tx, made[0], run)

    hand = hand_of(api_url, clock) if api_url else nothing_due
    actions = {f"{AUTOMATION_WORKFLOW}.{LOOK}": LookStep({"release": hand}, events)}
    catalogue = Catalogue({AUTOMATION_WORKFLOW: automation_workflow()}, actions, {AUTOMATION_WORKFLOW: follow})
    engine = Engine(store, catalogue, clock, ids, node_id=ids.new("node"))
    made.append(engine)
    key = load_or_create_log_key(Path(folder) / "log.key")

    def take_up() -> None:
        while handle_deliveries(store, engine, lambda: Duties(BRANCHES)):
            pass

    runner = Runner(
        engine, DBOSScheduler(store, node_id=engine.node_id), Lease(store.path), (take_up, lambda: sequence(store, key))
    )
    site = Site(
        name="bench",
        store=store,
        engine=engine,
        clock=clock,
        environments=tuple,
        deploy=_not_here,
        roll_back=_not_here,
        hook_secrets=lambda _forge: (SECRET,),
    )
    hub = Hub()
    server = Server(make_web(site, "t" * 43, hub), hub, lambda: print("ready", flush=True))
    with owning(runner), stopping_on_signals():
        server.run(sockets=[listen("127.0.0.1", int(port))])
    store.close()
    return 0


def _not_here(*_: object) -> Any:
    raise AssertionError("nothing is deployed in a bench")


def nothing_due(command: Command, _memory: dict[str, Any]) -> Carried:
    """A look that finds nothing, and takes as long as one that asks a forge."""
    time.sleep(LOOK_S)  # noqa: TID251 - real time is what is measured
    return Carried(f"nothing is due on {command.about}")


def hand_of(api_url: str, clock: SystemClock) -> Callable[[Command, dict[str, Any]], Carried]:
    """A look that brings about one pull request for a branch, and one comment that names the branch's commit."""
    settings = GitHubForge.Settings(repository="acme/quotes", api_url=api_url, token_env=TOKEN_VARIABLE)
    forge = GitHubForge(settings, ProviderContext(Path(), Path(), clock))

    def hand(command: Command, _memory: dict[str, Any]) -> Carried:
        tip = forge.find_branch(command.about)
        if tip is None:
            return Carried("there is no such branch")
        head, title = f"bot/{command.about}", f"release {command.about}"
        pull: PullRequest = forge.create_pull_request(head=head, base=command.about, title=title, body="")
        forge.put_comment(Thread.pull(pull.number), marker=MARKER, body=tip.commit)
        return Carried(f"{command.about} is at {tip.commit}", changed=True)

    return hand


@contextmanager
def running(folder: Path, port: int, api_url: str) -> Iterator[subprocess.Popen[str]]:
    """The server as a process; killed in the end."""
    command = [sys.executable, "-m", "bench.forge", "serve", str(folder), str(port), api_url]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {TOKEN_VARIABLE: FORGE_TOKEN}
    )
    try:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise SystemExit("the server did not start")
        yield process
    finally:
        process.kill()
        process.wait()


# --- figure 1 ------------------------------------------------------------------------------------------------------


class Flaky(ServerFaults):
    """A share of the answers to changes is lost, by a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        super().__init__()

    @property
    def lost_answers(self) -> int:
        """One, now and then."""
        return int(self._random.random() < LOST)

    @lost_answers.setter
    def lost_answers(self, _value: int) -> None:
        """It stays random."""


@dataclass(frozen=True, slots=True)
class Push:
    """A delivery that is to be sent: the `number`th push, to a branch, which is at `tip` then."""

    number: int
    branch: str

    @property
    def tip(self) -> str:
        """The commit."""
        return f"{self.number + 1:040x}"


def schedule(count: int, seed: int) -> list[Push]:
    """`count` deliveries in the order in which they are sent: repetitions among them, and many out of order."""
    chosen = random.Random(seed)
    distinct = int(count * (1 - REPEATED))
    pushes = [Push(number, chosen.choice(BRANCHES)) for number in range(distinct)]
    placed = [(float(push.number), push) for push in pushes]
    placed += [(push.number + chosen.expovariate(1 / 200), push) for push in chosen.choices(pushes, k=count - distinct)]
    late = [
        (place + (chosen.uniform(1, 400) if chosen.random() < OUT_OF_ORDER else 0.0), number, push)
        for number, (place, push) in enumerate(placed)
    ]
    return [push for _, _, push in sorted(late)]


class Sender:
    """Sends deliveries as a forge does, and again until each was acknowledged."""

    def __init__(self, port: int, model: ForgeModel, seed: int) -> None:
        self.port = port
        self.model = model
        self.counts: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._pushed: dict[str, int] = {}
        self._lock = threading.Lock()

    def send(self, push: Push) -> None:
        """Until it was answered with 202, and the answer was not lost."""
        with self._lock:
            # The branch moves before anybody is told, and never back: a late hook tells of an old commit.
            if self._pushed.get(push.branch, -1) < push.number:
                self._pushed[push.branch] = push.number
                self.model.refs.put(f"refs/heads/{push.branch}", push.tip)
        body = body_of(push.branch, push.tip)
        while True:
            status = self._post(f"guid-{push.number}", body)
            self.counts[f"answered {status}" if status else "not answered"] += 1
            with self._lock:
                was_lost = self._random.random() < LOST
            if status == ACCEPTED and not was_lost:
                return
            self.counts["sent again"] += 1
            time.sleep(0.0 if status == ACCEPTED else 0.2)  # noqa: TID251 - real time is needed

    def _post(self, name: str, body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", "/hooks/github", body, headers_of(name, body))
            return connection.getresponse().status
        except OSError:
            return 0
        except http.client.HTTPException:
            return 0
        finally:
            connection.close()


def body_of(branch: str, tip: str) -> bytes:
    """A push."""
    commits = [{"id": tip, "message": PADDING}]
    return json.dumps({"ref": f"refs/heads/{branch}", "before": "a" * 40, "after": tip, "commits": commits}).encode()


def headers_of(name: str, body: bytes) -> dict[str, str]:
    """What GitHub sends with it."""
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": name,
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def lost(quick: bool) -> bool:  # noqa: FBT001 - from the command line
    """The first figure."""
    count, seed = (QUICK_DELIVERIES if quick else DELIVERIES), random.SystemRandom().randrange(10**6)
    pushes = schedule(count, seed)
    refs = MemoryRefs({f"refs/heads/bot/{branch}": "f" * 40 for branch in BRANCHES})
    model = ForgeModel(refs)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        forge = stack.enter_context(ForgeServer(model, GitHubDialect(model), token=FORGE_TOKEN))
        forge.faults = Flaky(seed)
        port = free_port()
        sender = Sender(port, model, seed)
        done = threading.Event()
        kills: list[float] = []
        server = threading.Thread(target=kept_up, args=(folder, port, forge.api_url, seed, done, kills))
        server.start()
        began_s = time.monotonic()
        try:
            with ThreadPoolExecutor(SENDERS) as pool:
                list(pool.map(sender.send, pushes))
            sent_s = time.monotonic() - began_s
            wait_until_quiet(folder)
        finally:
            done.set()
            server.join()
        kept = kept_of(folder)
    return judged(pushes, model, sender, seed=seed, seconds=sent_s, kills=len(kills), kept=kept)


def kept_up(  # noqa: PLR0913, PLR0917 - a thread's arguments
    folder: Path, port: int, api_url: str, seed: int, done: threading.Event, kills: list[float]
) -> None:
    """Run the server, kill it at random, and start it again."""
    chosen = random.Random(seed + 1)
    while not done.is_set():
        with running(folder, port, api_url) as process:
            done.wait(chosen.uniform(*KILL_EVERY_S))
            if not done.is_set():
                process.send_signal(signal.SIGKILL)
                kills.append(time.monotonic())


def wait_until_quiet(folder: Path) -> None:
    """Until no delivery waits and no look is under way."""
    store = Store(f"sqlite:///{folder}/store.db").open()
    deadline_s = time.monotonic() + SETTLE_S
    query = text(
        "SELECT (SELECT count(*) FROM delivery WHERE status = 'waiting')"
        " + (SELECT count(*) FROM run WHERE status = 'active')"
    )
    while True:
        with store.snapshot() as connection:
            left = connection.scalar(query)
        if left == 0:
            break
        if time.monotonic() > deadline_s:
            print(f"   {left} deliveries and looks are still under way after {SETTLE_S} s")
            break
        time.sleep(0.5)  # noqa: TID251 - real time is what is measured
    store.close()


def kept_of(folder: Path) -> dict[str, int]:
    """How many deliveries there are by status, and looks as `looks`."""
    store = Store(f"sqlite:///{folder}/store.db").open()
    with store.begin() as tx:
        counts = count_deliveries(tx)
        looks = tx.connection.scalar(text("SELECT count(*) FROM journal"))
    store.close()
    return counts | {"looks": int(looks or 0)}


def judged(  # noqa: PLR0913 - what was measured
    pushes: list[Push],
    model: ForgeModel,
    sender: Sender,
    *,
    seed: int,
    seconds: float,
    kills: int,
    kept: dict[str, int],
) -> bool:
    """Compare what was to be brought about with what is on the forge."""
    branches = sorted({push.branch for push in pushes})
    pulls = {branch: [pull for pull in model.pulls.values() if pull.base == branch] for branch in branches}
    notes = Counter(note.thread.number for note in model.notes.values())
    said = {note.thread.number: note.body for note in model.notes.values()}
    missing = doubled = 0
    for branch in branches:
        tip = model.refs.get(f"refs/heads/{branch}") or ""
        doubled += max(0, len(pulls[branch]) - 1) + sum(max(0, notes[pull.number] - 1) for pull in pulls[branch])
        missing += not any(tip in said.get(pull.number, "") for pull in pulls[branch])
    acknowledged = kept.get("handled", 0) + kept.get("ignored", 0)
    distinct = len({push.number for push in pushes})
    print(
        f"1. {len(pushes)} deliveries of {distinct} pushes to {len(branches)} branches in {seconds:.0f} s (seed {seed})"
    )
    print(f"   killed {kills} times; {sender.counts['sent again']} sent again; answers: {dict(sender.counts)}")
    print(f"   kept: {kept}")
    print(f"   effects lost: {missing}; doubled: {doubled}; deliveries lost: {distinct - acknowledged}")
    return missing == doubled == 0 and distinct == acknowledged


# --- figure 2 ------------------------------------------------------------------------------------------------------


def rate(quick: bool) -> bool:  # noqa: FBT001 - from the command line
    """The second figure."""
    seconds, held, kept = QUICK_RATE_S if quick else RATE_S, 0, False
    size = len(body_of("line-0", "b" * 40))
    print(f"2. acknowledged, at a fixed rate of signed deliveries of {size} bytes, {seconds} s each")
    print(f"   {'asked for':>10}{'answered':>10}{'median':>10}{'p99':>10}{'most':>10}{'refused':>10}")
    for asked in RATES:
        with tempfile.TemporaryDirectory() as name, running(Path(name), port := free_port(), ""):
            found = measured(port, asked, seconds)
        good = found["p99"] < PROMISED_P99_MS and found["answered"] >= HELD * asked and not found["refused"]
        print(
            f"   {asked:>8}/s{found['answered']:>8.0f}/s{found['median']:>7.1f} ms{found['p99']:>7.1f} ms"
            f"{found['most']:>7.1f} ms{found['refused']:>10.0f}",
            flush=True,
        )
        if not good:
            break
        held, kept = asked, kept or asked >= PROMISED_RATE
    print(f"   held with a p99 below {PROMISED_P99_MS:.0f} ms: {held}/s (of those that were tried)")
    return kept


def measured(port: int, asked: int, seconds: float) -> dict[str, float]:
    """What a client in a process of its own has met."""
    command = [sys.executable, "-m", "bench.forge", "client", str(port), str(asked), str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def client(port: int, asked: int, seconds: float) -> int:
    """Send at a fixed rate, and print what came of it."""
    print(json.dumps(asyncio.run(_sent(port, asked, seconds))))
    return 0


async def _sent(port: int, asked: int, seconds: float) -> dict[str, float]:
    body = body_of("line-0", "b" * 40)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers_of("{name}", body).items())
    lines = f"POST /hooks/github HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    loop, taken, refused = asyncio.get_running_loop(), [], Counter[str]()

    async def one(number: int, due_s: float, *, counts: bool) -> None:
        reader, writer = await free.get()
        writer.write(lines.replace("{name}", f"guid-{number}").encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        free.put_nowait((reader, writer))
        if counts:
            taken.append((loop.time() - due_s) * 1000)
            refused[answer.split(b" ", 2)[1].decode()] += 1

    async with asyncio.TaskGroup() as group:
        began_s = loop.time() + 0.1
        for number in range(int(asked * (seconds + WARM_UP_S))):
            due_s = began_s + number / asked
            if (wait_s := due_s - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            group.create_task(one(number, due_s, counts=number >= asked * WARM_UP_S))
    took_s = loop.time() - began_s - WARM_UP_S
    taken.sort()
    return {
        "answered": len(taken) / max(took_s, seconds),
        "median": taken[len(taken) // 2],
        "p99": taken[int(len(taken) * 0.99)],
        "most": taken[-1],
        "refused": sum(count for status, count in refused.items() if status != "202"),
    }


def free_port() -> int:
    """A loopback port that is free now."""
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    listener.close()
    return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
