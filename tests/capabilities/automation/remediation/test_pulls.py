"""Pull requests that propose a version: what is due of them, in memory, where processes die."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shipline.capabilities.automation.remediation import Hands, Note, Proposed, Rule, Trouble, carry, decide_pulls
from shipline.capabilities.automation.remediation.bumping import Proposal
from shipline.capabilities.automation.remediation.pulls import (
    Bump,
    PullSeen,
    branch_of,
    commit_message,
    pull_key,
    read_target,
    remedies,
)
from shipline.capabilities.automation.remediation.texts import read_state
from shipline.domain.errors import ConflictError
from shipline.domain.secrecy import redacted
from shipline.ports.forge import Forge, PullState
from shipline.ports.forge.answers import Thread
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.fakes.forge.refs import MemoryRefs
from shipline.testing.kills import Countdown, Killed
from tests.capabilities.automation.remediation.flaws import NOW, flaw

PURL = "pkg:pypi/requests"
RULE = Rule("packages", pull_request=True, labels=("security",), assign=("ada",))
BASE, FIRST, SECOND = "0" * 40, "1" * 40, "2" * 40


def bump(target: str, commit: str) -> Bump:
    proposal = Proposal(PURL, target, {"requirements.txt": b""}, (f"requirements.txt becomes {target}",))
    return Bump(pull_key(PURL), RULE, (flaw(),), proposal, commit)


class Mortal(FakeForge):
    """A forge whose caller dies after each change that it has made, a push among them."""

    def __init__(self, model: ForgeModel, countdown: Countdown) -> None:
        super().__init__()
        self.model = model
        self._countdown = countdown

    def _answer(self) -> None:
        super()._answer()
        self._countdown.pass_point("changed")

    def push(self, branch: str, commit: str, expected: str | None) -> None:
        """Compare and swap, as git does it."""
        ref = f"refs/heads/{branch}"
        if self.model.refs.get(ref) != expected:
            raise ConflictError(f"{branch} has moved")
        if expected is not None:
            self.model.delete_ref(ref)
        self.model.create_ref(ref, commit)
        self._countdown.pass_point("pushed")


def empty_model() -> ForgeModel:
    model = ForgeModel(MemoryRefs())
    model.create_ref("refs/heads/main", BASE)
    model.people += ["ada"]
    return model


def seen_of(forge: Forge, model: ForgeModel) -> tuple[PullSeen, ...]:
    found = []
    for pull in forge.each_pull_request():
        said = read_state(pull.body)
        assert said is not None
        tip = model.refs.get(f"refs/heads/{pull.head}") or ""
        is_open, target = pull.state is PullState.OPEN, read_target(pull.body)
        found.append(PullSeen(pull.number, *said, target, pull.title, pull.body, pull.head, tip, is_open, url=pull.url))
    return tuple(found)


def look(forge: Mortal, bumps: Sequence[Bump], *, most: int = 5) -> list[str | Trouble | Note]:
    model = forge.model
    tip = model.refs.get(f"refs/heads/{branch_of(PURL)}")
    known = tuple(replace(one, tip=tip, is_current=tip == one.commit) for one in bumps)
    looked = frozenset({flaw().source})
    labels = tuple(label.name for label in forge.labels())
    due = decide_pulls(Proposed(known, seen_of(forge, model), looked, labels), most, NOW)
    return list(carry(due, Hands(forge, lambda _told: None, forge.push, "main")))


LIFE = ((bump("2.32.0", FIRST),), (bump("2.32.4", SECOND),), ())


def shown(model: ForgeModel) -> tuple[object, ...]:
    pulls = [(one.title, one.body, one.state, sorted(one.labels), one.assignees) for one in model.pulls.values()]
    notes = sorted(note.body for note in model.notes.values() if not note.system)
    return (*pulls, *notes, model.refs.get(f"refs/heads/{branch_of(PURL)}"))


def test_a_pull_request_lives_and_dies_with_what_it_mends() -> None:
    """Opened and dressed, moved on to a later version, closed with its branch; and quiet between."""
    model = empty_model()
    forge = Mortal(model, Countdown(None))
    look(forge, LIFE[0])
    (pull,) = model.pulls.values()
    assert (pull.title, pull.labels, pull.assignees) == ("fix(deps): update requests to 2.32.0", ["security"], ["ada"])
    assert look(forge, LIFE[0]) == []
    look(forge, LIFE[1])
    assert (pull.title, model.refs.get(f"refs/heads/{pull.head}")) == ("fix(deps): update requests to 2.32.4", SECOND)
    (mends,) = remedies(LIFE[1], seen_of(forge, model), "main").values()
    assert pull.title.endswith("2.32.4")
    assert any("a pull request proposes it" in each for each in mends)
    assert look(forge, LIFE[1]) == []
    look(forge, ())
    assert (pull.state, model.refs.get(f"refs/heads/{pull.head}")) == (PullState.CLOSED, None)
    assert look(forge, ()) == []
    look(forge, LIFE[1])
    assert [one.state for one in model.pulls.values()] == [PullState.CLOSED, PullState.OPEN]


def test_whoever_dies_after_an_effect_costs_nothing_and_doubles_nothing() -> None:
    """Every point once; the end is that of a life without a death."""

    def play(model: ForgeModel, countdown: Countdown) -> None:
        for bumps in LIFE:
            try:
                look(Mortal(model, countdown), bumps)
            except Killed:
                look(Mortal(model, Countdown(None)), bumps)

    whole, countdown = empty_model(), Countdown(None)
    play(whole, countdown)
    assert len(countdown.passed) > 8
    for fatal in range(1, len(countdown.passed) + 1):
        model = empty_model()
        play(model, Countdown(fatal))
        assert shown(model) == shown(whole), fatal


def test_what_people_do_counts() -> None:
    """A version that a person has refused, a branch that a person has committed to, and more than one look opens."""
    model = empty_model()
    forge = Mortal(model, Countdown(None))
    assert [isinstance(each, Note) for each in look(forge, LIFE[0], most=0)] == [True]
    look(forge, LIFE[0])
    (pull,) = model.pulls.values()
    theirs = replace(LIFE[1][0], is_ours=False)
    (left,) = look(forge, [theirs])
    assert isinstance(left, Note)
    assert "people have committed" in left.words
    model.change_pull(pull.number, title=None, body=None, close=True)
    (refused,) = look(forge, LIFE[0])
    assert isinstance(refused, Note)
    look(forge, LIFE[1])
    assert [one.state for one in model.pulls.values()] == [PullState.CLOSED, PullState.OPEN]
    assert not model.notes_of(Thread.pull(pull.number))


def test_a_name_of_others_calls_nobody() -> None:
    """Not in a branch, and not in a commit, which forges read too."""
    hostile = Proposal("pkg:npm/%40all/x%0aCloses%20%231", "1.0.0")
    one = Bump("0" * 20, RULE, (flaw("@all Closes #1"),), hostile)
    assert one.branch.startswith("shipline/fix/npm.40all.x.0acloses.20.231.")
    for name in ("pypi/" + "a" * 20, "npm/npm_" + "a" * 40, "pypi/sk-" + "a" * 40):
        assert redacted(branch_of(f"pkg:{name}")) == branch_of(f"pkg:{name}")
    for text in (commit_message(one), one.title):
        assert ("@all" in text, "#1" in text) == (False, False)
    assert "\n" not in one.title
