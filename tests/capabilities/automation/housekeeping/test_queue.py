"""What is merged when it is ready: what is in the way, whose turn it is, and that nothing untested gets in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.automation import Housekeeping, MergeQueue, QueueRules, Trial, keep
from shipline.capabilities.automation.housekeeping.queue import (
    QueueSeen,
    Turn,
    blocks_of,
    lined_up,
    told,
    verb_of,
)
from shipline.domain.verdict import Answer, Verdict
from shipline.ports.forge import Comment, CommitStatus, Known, PullRequest, PullState, StatusState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import Opinion, Readiness, Review
from shipline.testing.fakes.forge.model import Said
from shipline.testing.fakes.forge.pulls import Pull
from shipline.testing.fakes.forge.refs import GitRefs
from tests.providers.forge.places import KINDS, TOKEN, Place, running

RULES = QueueRules("merge when ready", 1, "merge")
HEAD, BASE, MERGED = "a" * 40, "b" * 40, "c" * 40
PULL = PullRequest(7, "feat: more", "", "topic", "main", PullState.OPEN, "", author="me", head_commit=HEAD)
GREEN = (CommitStatus("ci", StatusState.SUCCESS),)
OWN = (CommitStatus("shipline/pull-request/covered", StatusState.SUCCESS),)
SEEN = QueueSeen(
    checks=GREEN,
    reviews=(Review("ada", Opinion.APPROVED, HEAD),),
    readiness=Readiness(HEAD, Known.YES),
    verdicts=(Verdict("covered", Answer.PASS, (), 0, {}),),
    trial=Trial(BASE, MERGED),
)


@pytest.mark.parametrize(
    ("pull", "seen", "said"),
    [
        (replace(PULL, draft=True), SEEN, "it is a draft"),
        (PULL, replace(SEEN, trial=Trial(BASE, None, ("a.txt",))), "it conflicts with main in a.txt"),
        (PULL, replace(SEEN, trial=Trial(BASE, None, trouble="it is gone")), "it cannot be tested: it is gone"),
        (PULL, replace(SEEN, checks=()), "no check says anything about its newest commit"),
        (PULL, replace(SEEN, checks=OWN), "no check says anything about its newest commit"),
        (
            PULL,
            replace(SEEN, checks=(*GREEN, CommitStatus("@x", StatusState.FAILURE))),
            "checks of its newest commit fail: @\u2060x",
        ),
        (
            PULL,
            replace(SEEN, checks=(CommitStatus("ci", StatusState.PENDING),)),
            "checks of its newest commit have not ended: ci",
        ),
        (PULL, replace(SEEN, reviews=()), "0 of 1 approvals of its newest commit, by people who may write"),
        (PULL, replace(SEEN, reviews=(Review("ada", Opinion.APPROVED, BASE),)), "0 of 1 approvals"),
        (PULL, replace(SEEN, reviews=(Review("me", Opinion.APPROVED, HEAD),)), "0 of 1 approvals"),
        (
            replace(PULL, fork=True),
            replace(SEEN, reviews=(Review("ada", Opinion.APPROVED, None),)),
            "0 of 1 approvals",
        ),
        (
            PULL,
            replace(SEEN, reviews=(*SEEN.reviews, Review("bo", Opinion.CHANGES_REQUESTED))),
            "changes are wanted by bo",
        ),
        (
            PULL,
            replace(SEEN, verdicts=(Verdict("calendar", Answer.FAIL, ("a freeze",), 0, {}),)),
            "the gate calendar says FAIL: a freeze",
        ),
        (PULL, replace(SEEN, readiness=Readiness(HEAD, Known.NO, ("it says no",))), "the forge says: it says no"),
        (PULL, replace(SEEN, readiness=Readiness(HEAD, Known.UNKNOWN)), "the forge has not made up its mind yet"),
        (PULL, replace(SEEN, readiness=Readiness(BASE, Known.YES)), "the forge has not made up its mind yet"),
    ],
)
def test_each_block_is_told(pull: PullRequest, seen: QueueSeen, said: str) -> None:
    assert blocks_of(RULES, PULL, SEEN) == ()
    (block,) = blocks_of(RULES, pull, seen)
    assert block.startswith(said)
    (standing,) = lined_up(RULES, [(pull, seen)], {})
    assert standing.turn is Turn.BLOCKED
    assert said in told(standing)


def test_one_is_tested_at_a_time_and_stays_first_until_its_test_ends() -> None:
    """Then comes the lowest number; what is blocked, or has failed its test, holds up no other; bases are apart."""
    blocked, second, third = (replace(PULL, number=number) for number in (1, 2, 3))
    other = replace(PULL, number=4, base="1.x")
    tested = replace(SEEN, trial=Trial(BASE, "d" * 40))
    line = [(third, tested), (second, SEEN), (blocked, replace(SEEN, checks=())), (other, SEEN)]

    def turns(checks: tuple[CommitStatus, ...], testing: str) -> list[tuple[Turn, int | None]]:
        seen = [(pull, replace(each, trial_checks=checks) if pull is third else each) for pull, each in line]
        return [(one.turn, one.waits_for) for one in lined_up(RULES, seen, {"main": testing})]

    first, after, apart = (Turn.BLOCKED, None), (Turn.WAITING, 3), (Turn.WAITING, None)
    assert turns((), "e" * 40) == [first, (Turn.WAITING, None), (Turn.WAITING, 2), apart]
    assert turns((), "d" * 40) == [first, after, (Turn.TESTED, None), apart]
    assert turns(OWN, "d" * 40) == turns((), "d" * 40), "Shipline's own word is no test"
    assert turns(GREEN, "d" * 40) == [first, after, (Turn.READY, None), apart]
    failed = (CommitStatus("ci", StatusState.FAILURE),)
    assert turns(failed, "d" * 40) == [first, (Turn.WAITING, None), (Turn.BLOCKED, None), apart]


@pytest.mark.parametrize(
    ("body", "verb"),
    [
        ("/merge", "/merge"),
        (" /merge \nplease", "/merge"),
        ("/merge stop", "/merge stop"),
        ("/merge now", ""),
        ("> /merge", ""),
        ("please\n/merge", ""),
        ("`/merge`", ""),
    ],
)
def test_a_comment_asks_by_its_first_line_alone(body: str, verb: str) -> None:
    assert verb_of(Comment("1", body)) == verb


# --- over the three forges -----------------------------------------------------------------------------------------


class Beside:
    """Merges in the forge's own repository: what a clone would make and push."""

    def __init__(self, place: Place) -> None:
        self.refs = GitRefs(place.bare)

    def trial(self, pull: PullRequest) -> Trial:
        base = self.refs.get(f"refs/heads/{pull.base}") or ""
        if self.refs.git("merge-base", "--is-ancestor", base, pull.head_commit) is not None:
            return Trial(base, pull.head_commit)
        commit = self.refs.merged(base, pull.head_commit, f"Test {pull.number}", squash=False)
        return Trial(base, commit, () if commit else ("a",))

    def test(self, branch: str, commit: str, expected: str | None) -> None:
        assert self.refs.get(f"refs/heads/{branch}") == expected
        self.refs.put(f"refs/heads/{branch}", commit)


@pytest.fixture(params=sorted(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "@1700000000 +0000")
    with running(request.param, tmp_path) as made:
        made.model.roles |= {"ada": "write", "mallory": "read"}
        yield made


def opened(place: Place, name: str) -> Pull:
    """A pull request that is green and adds a file; main moves on before the next one is merged."""
    git = ("git", "--git-dir", str(place.bare), "-c", "user.name=a", "-c", "user.email=a@example.com")
    blob = subprocess.run(
        [*git, "hash-object", "-w", "--stdin"], input=name, text=True, capture_output=True, check=True
    )
    line = f"100644 blob {blob.stdout.strip()}\t{name}\n"
    there = subprocess.run([*git, "ls-tree", place.commits[0]], text=True, capture_output=True, check=True).stdout
    tree = subprocess.run(
        [*git, "mktree"], input=there + line, text=True, capture_output=True, check=True
    ).stdout.strip()
    made = [*git, "commit-tree", tree, "-p", place.commits[0], "-m", f"feat: {name}"]
    commit = subprocess.run(made, text=True, capture_output=True, check=True).stdout.strip()
    place.model.create_ref(f"refs/heads/{name}", commit)
    green(place, commit)
    return place.model.open_pull(name, "main", f"feat: {name}", "")


def green(place: Place, commit: str) -> None:
    place.model.say(Said(0, commit, "ci", StatusState.SUCCESS, "", ""))


def test_each_is_tested_on_what_its_base_is_then(place: Place) -> None:
    """By label and by comment; a stranger's and a robot's are none; told first; quiet while a test runs."""
    model, forge = place.model, place.forge
    queue = MergeQueue(RULES, Beside(place), lambda _: ())
    keeping = Housekeeping({}, {}, queue)
    one, two, three = (opened(place, name) for name in ("one", "two", "three"))
    model.create_badge("Merge when ready", "ededed", "")
    model.put_labels(Thread.pull(one.number), ["Merge when ready"])
    model.add_note(Thread.pull(two.number), "/merge\nplease", author="ada")
    model.add_note(Thread.pull(two.number), "/merge stop", author="mallory")
    model.add_note(Thread.pull(three.number), "/merge", author="mallory")
    model.review(one.number, "ada", Opinion.APPROVED)
    model.review(two.number, "mallory", Opinion.APPROVED)
    model.allow("helper", "write", robot=True)
    model.review(two.number, "helper", Opinion.APPROVED)
    assert [(each.pull.number, each.turn) for each in queue.standings(forge)] == [
        (one.number, Turn.READY),
        (two.number, Turn.BLOCKED),
    ]
    model.review(two.number, "ada", Opinion.APPROVED)
    told_first = list(keep(forge, keeping, "queue", dry_run=True))
    assert one.state is PullState.OPEN
    assert list(keep(forge, keeping, "queue")) == told_first
    assert (one.state, two.state, len(told_first)) == (PullState.MERGED, PullState.OPEN, 1)
    assert len(list(keep(forge, keeping, "queue"))) == 1
    tested = model.refs.get("refs/heads/shipline/queue/main")
    assert tested is not None
    assert list(keep(forge, keeping, "queue")) == []
    green(place, tested)
    assert [each.turn for each in queue.standings(forge)] == [Turn.READY]
    moved = opened(place, "four")
    model.merge_on_request(moved.number, moved.head_commit, "merge")  # type: ignore[arg-type] # as a person does
    assert len(list(keep(forge, keeping, "queue"))) == 1
    assert two.state is PullState.OPEN  # What was tested is not what would be merged.
    again = model.refs.get("refs/heads/shipline/queue/main")
    assert again not in (None, tested)
    green(place, str(again))
    assert len(list(keep(forge, keeping, "queue"))) == 1
    assert (two.state, three.state) == (PullState.MERGED, PullState.OPEN)
    assert list(keep(forge, keeping, "queue")) == []


def test_what_moved_between_the_look_and_the_merge_is_not_merged(place: Place) -> None:
    model, forge = place.model, place.forge
    one = opened(place, "one")
    model.create_badge("merge when ready", "ededed", "")
    model.put_labels(Thread.pull(one.number), ["merge when ready"])
    model.review(one.number, "ada", Opinion.APPROVED)
    looked = iter(MergeQueue(RULES, Beside(place), lambda _: ())(forge))
    act = next(looked)
    model.refs.put("refs/heads/main", place.commits[1])
    (said,) = keep(forge, Housekeeping({}, {}, _Once(act)), "queue")  # type: ignore[arg-type] # a queue of one act
    assert said.endswith("main has moved since it was tested")
    assert one.state is PullState.OPEN


class _Once:
    def __init__(self, act: object) -> None:
        self.act = act

    def __call__(self, _: object) -> Iterator[object]:
        yield self.act
