"""Rapid merges: `python -m bench.forge tags`.

Promises:

3. 100 pull requests are merged into the development branch within 60 s, each with checks that end a while later, some
   of them red, while several processes look at the same milestone at once, each in its own copy. In the end each green
   commit has exactly one development tag, in the order of the commits and without a gap, and no red one has any.

The looks are those of `shipline automate milestones`, in processes of their own. The forge is the model of the tests on
loopback; repository, merges, tags and pushes are git's.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from shipline.bootstrap import Application
from shipline.bootstrap.milestones import keep_milestones, milestone_ground
from shipline.domain.errors import ShiplineError
from shipline.ports.forge import StatusState
from shipline.ports.forge.reviews import MergeMethod
from shipline.testing.fakes.forge.github import GitHubDialect
from shipline.testing.fakes.forge.model import ForgeModel, GitRefs, Said
from shipline.testing.fakes.forge.server import ForgeServer
from shipline.testing.histories import History

MERGES, QUICK_MERGES = 100, 20
WITHIN_S = 60.0
PROCESSES = 4
RED = 0.2
PAUSE_S = 0.5
CHECKS_S = (0.2, 2.0)
SETTLE_S = 120.0
TOKEN_VARIABLE, TOKEN = "BENCH_FORGE_TOKEN", "of-the-model"
SETTINGS = """
schema = 1
[release]
branch = "main"
remote = "origin"
mode = "pull-request"
[automation]
release_on_push = true
[automation.milestones]
enabled = true
development_branch = "develop"
[forge]
provider = "github"
repository = "acme/quotes"
api_url = "{api_url}"
token_env = "{variable}"
"""


def look_on(copy: str) -> int:
    """A process that looks again and again, until its input ends. Whoever is overtaken tries again."""
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    while not ended.wait(PAUSE_S):
        application = Application(Path(copy))
        try:
            done, _ = keep_milestones(application, milestone_ground(application, application.settings))
            if done.troubles:
                print("; ".join(done.troubles), file=sys.stderr, flush=True)
        except ShiplineError as error:
            print(error.sentence(), file=sys.stderr, flush=True)
        finally:
            application.store.close()
    return 0


def tags(quick: bool) -> bool:  # noqa: FBT001 - as the other cases
    """Prints what came of it; True if the promise is kept."""
    count, seed = (QUICK_MERGES if quick else MERGES), random.SystemRandom().randrange(10**6)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = folder / "forge.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
        model = ForgeModel(GitRefs(bare))
        with ForgeServer(model, GitHubDialect(model), token=TOKEN) as forge:
            _begin(folder, forge, count)
            looking = [_looking(folder, forge, number) for number in range(PROCESSES)]
            try:
                _begun(model)
                state, took_s = _merged(model, random.Random(seed))
                settled_s = _settled(model, state)
            finally:
                said = _ended_looks(looking)
        troubles = sorted({line for text in said for line in text.splitlines()})
        return _judged(model, state, seed=seed, took_s=took_s, settled_s=settled_s, troubles=troubles)


def _begin(folder: Path, forge: ForgeServer, count: int) -> None:
    """A repository with a milestone, and as many branches as are to be merged."""
    person = History(folder / "person")
    settings = SETTINGS.format(api_url=forge.api_url, variable=TOKEN_VARIABLE)
    first = person.commit("chore: begin", {"VERSION": "0.0.0\n", "shipline.toml": settings})
    person.git("remote", "add", "origin", str(folder / "forge.git"))
    person.git("branch", "develop")
    for number in range(count):
        person.git("switch", "--quiet", "--create", f"topic-{number}", first)
        person.commit(f"feat: say {number}", {f"said/{number}": str(number)})
    person.git("push", "--quiet", "--all", "origin")
    model = forge.model
    model.say(Said(0, first, "tests", StatusState.SUCCESS, "", ""))
    model.create_stone("1.2.0", "", None, unique=True)
    for number in range(count):
        model.open_pull(f"topic-{number}", "develop", f"feat: say {number}", "")


def _looking(folder: Path, forge: ForgeServer, number: int) -> subprocess.Popen[str]:
    copy = folder / f"copy-{number}"
    subprocess.run(["git", "clone", "--quiet", str(folder / "forge.git"), str(copy)], check=True)
    for key, value in (("user.name", "robot"), ("user.email", "robot@example.com")):
        subprocess.run(["git", "-C", str(copy), "config", key, value], check=True)
    command = [sys.executable, "-m", "bench.forge_tags", str(copy)]
    environment = os.environ | {TOKEN_VARIABLE: forge.token}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    )


def _begun(model: ForgeModel) -> None:
    """Until the milestone has begun, on the commit that is there: what is merged comes after that."""
    deadline_s = time.monotonic() + SETTLE_S
    while not _numbered(model) and time.monotonic() < deadline_s:
        time.sleep(0.2)  # noqa: TID251 - real time is what is measured


def _ended_looks(looking: list[subprocess.Popen[str]]) -> list[str]:
    """Their input ends, and looks under way are waited for; what each has said."""
    for process in looking:
        assert process.stdin is not None  # noqa: S101 - made with one
        process.stdin.close()
        process.stdin = None
    return [process.communicate()[1] for process in looking]


def _merged(model: ForgeModel, chosen: random.Random) -> tuple[dict[str, StatusState], float]:
    """Merge one after the other, in as much time as is allowed; what the checks of each merge say in the end."""
    state: dict[str, StatusState] = {}
    ending: list[tuple[float, str]] = []
    began_s = time.monotonic()
    for number, pull in enumerate(sorted(model.pulls.values(), key=lambda one: one.number), start=1):
        model.merge_on_request(pull.number, "", MergeMethod.MERGE)
        commit = pull.merge_commit or ""
        model.say(Said(0, commit, "tests", StatusState.PENDING, "", ""))
        state[commit] = StatusState.FAILURE if chosen.random() < RED else StatusState.SUCCESS
        ending.append((time.monotonic() + chosen.uniform(*CHECKS_S), commit))
        while time.monotonic() < began_s + number * WITHIN_S * 0.95 / MERGES:
            ending = _ended(model, state, ending)
            time.sleep(0.05)  # noqa: TID251 - real time is what is measured
    took_s = time.monotonic() - began_s
    while ending:
        ending = _ended(model, state, ending)
        time.sleep(0.05)  # noqa: TID251 - the same
    return state, took_s


def _ended(
    model: ForgeModel, state: dict[str, StatusState], ending: list[tuple[float, str]]
) -> list[tuple[float, str]]:
    """Say of the checks whose time has come how they ended; returns the others."""
    now_s = time.monotonic()
    for due_s, commit in ending:
        if due_s <= now_s:
            model.say(Said(0, commit, "tests", state[commit], "", ""))
    return [each for each in ending if each[0] > now_s]


def _settled(model: ForgeModel, state: dict[str, StatusState]) -> float:
    """Until there are as many tags as there must be; how long that took, in seconds."""
    began_s, wanted = time.monotonic(), 1 + list(state.values()).count(StatusState.SUCCESS)
    while len(_numbered(model)) < wanted and time.monotonic() - began_s < SETTLE_S:
        time.sleep(0.2)  # noqa: TID251 - the same
    return time.monotonic() - began_s


def _numbered(model: ForgeModel) -> dict[int, str]:
    """The development tags: number to commit."""
    assert isinstance(model.refs, GitRefs)  # noqa: S101 - made above
    prefix = "refs/tags/v1.2.0-dev."
    return {
        int(name.removeprefix(prefix)): commit for name, commit in model.refs.all().items() if name.startswith(prefix)
    }


def _judged(  # noqa: PLR0913 - what was measured
    model: ForgeModel,
    state: dict[str, StatusState],
    *,
    seed: int,
    took_s: float,
    settled_s: float,
    troubles: list[str],
) -> bool:
    found = _numbered(model)
    green = [commit for commit, said in state.items() if said is StatusState.SUCCESS]
    red = set(state) - set(green)
    tagged = [found[number] for number in sorted(found)]
    gaps = [number for number in range(len(found)) if number not in found]
    of_red = sum(commit in red for commit in tagged)
    kept = not gaps and not of_red and tagged[1:] == green
    print(f"3. {len(state)} merges in {took_s:.0f} s, {len(red)} of them red, {PROCESSES} processes look (seed {seed})")
    print(
        f"   {len(tagged) - 1} tags for {len(green)} green commits, {len(gaps)} gaps,"
        f" {len(tagged) - len(set(tagged))} doubled, {of_red} for red ones;"
        f" whole {settled_s:.1f} s after the last check ended: {'kept' if kept else 'BROKEN'}"
    )
    for trouble in troubles[:5]:
        print(f"   told meanwhile: {trouble}")
    return kept


if __name__ == "__main__":
    sys.exit(look_on(sys.argv[1]))
