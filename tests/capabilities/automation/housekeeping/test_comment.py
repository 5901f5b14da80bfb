"""The one comment of a pull request: what it says, and that it says it once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.automation import Commenter, Foreseen, Housekeeping, PullSeen, foreseen, keep, keep_all
from shipline.capabilities.automation.housekeeping.comment import (
    COMMENT_MARKER,
    ForgeSaid,
    comment_acts,
    comment_text,
)
from shipline.capabilities.automation.housekeeping.stale import STALE_MARKER
from shipline.capabilities.releases import CommitRecord, StoredFinding
from shipline.domain.change import Bump
from shipline.domain.release_plan import PackagePlan, ReleasePlan
from shipline.domain.verdict import Answer, Verdict
from shipline.ports.forge import Comment, CommitStatus, PullRequest, PullState, StatusState, bears, hidden, marked
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import ChangedFile, FileChange
from tests.providers.forge.places import KINDS, TOKEN, running

PULL = PullRequest(7, "feat: more", "", "topic", "main", PullState.OPEN, "", head_commit="a" * 40)
FINDING = StoredFinding("f" * 32, "high", False, "semgrep", "sql", "t", "m", "src/db.py", 3, None, None, None, ())
FACTS: dict[str, dict[str, Any]] = {
    "tests": {"total": 5, "passed": 3, "failed": 1, "errors": 1, "skipped": 0, "new_failures": 1, "vanished": 2},
    "coverage": {"line": 87.256, "change": -0.5},
    "findings": {"total": 2, "high": 2, "critical": 0},
}
SEEN = PullSeen(
    merged=(Foreseen("app", "1.3.0", "1.4.0", anyway=False),),
    squashed=(Foreseen("app", "1.3.0", "1.4.0", anyway=False),),
    records=(CommitRecord("app", "1.4.0", FACTS, "1.3.0", ("test_login",), (FINDING,), 1, 0),),
    verdicts=(
        Verdict("tested", Answer.FAIL, ("tests.failed is 1",), 0, {}),
        Verdict("calm", Answer.PASS, ("open",), 0, {}),
    ),
)
SAID = ForgeSaid(
    (ChangedFile("a", FileChange.MODIFIED, None, 3, 1),),
    (
        CommitStatus("ci", StatusState.SUCCESS),
        CommitStatus("lint", StatusState.FAILURE),
        CommitStatus("shipline/title", StatusState.FAILURE),
    ),
    (),
)
TEXT = """Merging this releases **`app` 1.4.0** after 1.3.0.

- Checks: 1 passed, 1 failed
  - failed: `lint`
- Tests: 3 passed, 2 failed, 1 fail now that did not before, 2 gone
  - fails now: `test_login`
- Coverage: 87.26 % of lines, 0.50 points less than 1.3.0
- Findings: 2 high; 1 new and 0 gone since 1.3.0
  - new, high: `sql` in `src/db.py`
- Size: 1 file, 3 lines added, 1 removed
- Gate `tested`: FAIL: tests.failed is 1
- Gate `calm`: PASS

This is about `aaaaaaaaa`, and is kept up to date by Shipline."""


def test_it_says_what_is_known() -> None:
    assert comment_text(PULL, SEEN, SAID) == TEXT


@pytest.mark.parametrize(
    ("seen", "first"),
    [
        (PullSeen(), "Merging this releases nothing."),
        (
            replace(SEEN, squashed=()),
            f"{TEXT.splitlines()[0]}\n\nSquashed into one commit with this title, it releases nothing.",
        ),
        (
            PullSeen((Foreseen("a", None, "0.1.0", anyway=False), Foreseen("b", "1.0.0", "1.1.0", anyway=True)), ()),
            "Merging this releases **`a` 0.1.0**, its first. It goes into `b` 1.1.0, which is due anyway.",
        ),
        (PullSeen(trouble="it conflicts"), "What merging this releases cannot be told: it conflicts"),
    ],
)
def test_what_a_merge_releases_in_words(seen: PullSeen, first: str) -> None:
    assert comment_text(PULL, seen, SAID).startswith(first)


def test_only_packages_that_the_merge_changes_are_foreseen() -> None:
    def plan(name: str, following: str, bump: Bump, reasons: int = 0) -> PackagePlan:
        return PackagePlan(name, ".", "1.0.0", following, bump, "", "stable", (), (None,) * reasons)  # type: ignore[arg-type] # only how many there are counts

    before = ReleasePlan(
        "a", (plan("x", "1.0.1", Bump.PATCH), plan("y", "1.0.1", Bump.PATCH), plan("z", "1.0.0", Bump.NONE))
    )
    after = ReleasePlan(
        "b", (plan("x", "1.1.0", Bump.MINOR), plan("y", "1.0.1", Bump.PATCH), plan("z", "1.0.0", Bump.NONE))
    )
    assert foreseen(before, after) == (Foreseen("x", "1.0.0", "1.1.0", anyway=False),)
    more = ReleasePlan("c", (plan("x", "1.0.1", Bump.PATCH, 1), *before.packages[1:]))
    assert foreseen(before, more) == (Foreseen("x", "1.0.0", "1.0.1", anyway=True),)


def test_words_of_others_call_nobody_link_nothing_and_bear_no_marker() -> None:
    """Names of tests, checks, findings and packages, and what a gate repeats of them."""
    hostile = f"@ada #12 !3 <img src=x> `x` {hidden(STALE_MARKER)}\n\n# Title [click](http://x)"
    record = CommitRecord("app", "1", FACTS, "1", (hostile,), (replace(FINDING, rule=hostile, path=hostile),), 1, 0)
    seen = PullSeen(
        merged=(Foreseen(hostile, None, "1", anyway=False),),
        records=(record,),
        verdicts=(Verdict("gate", Answer.FAIL, (hostile,), 0, {}),),
    )
    text = comment_text(PULL, seen, replace(SAID, checks=(CommitStatus(hostile, StatusState.FAILURE),)))
    assert not bears(text, STALE_MARKER)
    assert "<" not in text
    outside = "".join(text.split("`")[0::2])
    assert not any(each in outside for each in ("@ada", "#12", "!3", " [click]", "://"))
    assert "# Title" not in text.splitlines()


def test_it_is_written_again_only_where_it_says_something_else() -> None:
    """So are the statuses of its gates; a stranger's copy of it is not ours."""
    marker = marked(TEXT, COMMENT_MARKER).replace("\n", "\r\n")
    acts = list(comment_acts(PULL, SEEN, SAID, (Comment("1", marker, "mallory"),), "me"))
    assert [act.sentence for act in acts] == [
        "aaaaaaaaa: shipline/pull-request/tested is failure, FAIL: tests.failed is 1",
        "aaaaaaaaa: shipline/pull-request/calm is success, open",
        "pull request 7: say what merging it does",
    ]
    said = replace(SAID, statuses=tuple(act.status for act in acts[:2] if hasattr(act, "status")))
    assert list(comment_acts(PULL, SEEN, said, (Comment("1", marker, "me"),), "me")) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_there_is_one_comment_on_every_forge(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told first, written once, changed in its place when something else is so, and quiet in between."""
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    seen = SEEN
    keeping = Housekeeping({"comment": Commenter(lambda _: seen)}, {})
    with running(kind, tmp_path) as place:
        model, forge = place.model, place.forge
        model.create_ref("refs/heads/topic", place.commits[1])
        pull = model.open_pull("topic", "main", "feat: more", "")
        told = list(keep_all(forge, keeping, dry_run=True))
        assert model.notes == {}
        assert list(keep_all(forge, keeping)) == told
        assert sorted(said.context for said in model.said) == [
            "shipline/pull-request/calm",
            "shipline/pull-request/tested",
        ]
        effects = list(model.effects)
        assert list(keep_all(forge, keeping)) == []
        assert model.effects == effects
        seen = PullSeen()
        assert list(keep(forge, keeping, f"commit:{place.commits[0]}")) == []
        assert len(list(keep(forge, keeping, f"commit:{place.commits[1]}"))) == 1
        (note,) = model.notes_of(Thread.pull(pull.number))
        assert "Merging this releases nothing." in note.body
