"""Who is asked for a review, and who is welcomed."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.capabilities.automation import Housekeeping, OwnersNeed, Reviewers, Welcomer, keep_all
from shipline.capabilities.automation.housekeeping.reviewers import ASKED_MAX, reviewer_acts
from shipline.domain.errors import InvalidValue
from shipline.ports.forge import PullRequest, PullState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import Opinion
from tests.providers.forge.places import KINDS, TOKEN, running

PULL = PullRequest(7, "feat: more", "", "topic", "main", PullState.OPEN, "", author="me", head_commit="a" * 40)


@pytest.mark.parametrize(
    ("needs", "there", "asked"),
    [
        ([OwnersNeed(("@ada", "@bo"), 1)], (), ["bo"]),
        ([OwnersNeed(("@ada", "@bo"), 2)], (), ["bo", "ada"]),
        ([OwnersNeed(("@ada", "@bo"), 1)], ("Ada",), []),
        ([OwnersNeed(("@ada", "@bo"), 1)], ("stranger",), ["bo"]),
        ([OwnersNeed(("@Me", "@ada"), 1)], (), ["ada"]),
        ([OwnersNeed(("@ada",), 1), OwnersNeed(("@ada",), 1)], (), ["ada"]),
        ([OwnersNeed(("@org/team", "@@maintainer", "a@example.com", "@me"), 1)], (), []),
    ],
)
def test_of_each_rule_so_many_are_asked_as_it_needs(
    needs: list[OwnersNeed], there: tuple[str, ...], asked: list[str]
) -> None:
    assert [act.sentence for act in reviewer_acts(PULL, needs, there)] == [
        f"pull request 7: ask {name} for a review" for name in asked
    ]


def test_a_file_cannot_have_everybody_asked() -> None:
    needs = [OwnersNeed((f"@a{number}",), 1) for number in range(99)]
    assert len(list(reviewer_acts(PULL, needs, ()))) == ASKED_MAX


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_owners_are_asked_and_newcomers_welcomed_once(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody whom the forge cannot ask is told, and in nobody's way; a file that cannot be read asks nobody."""
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    needs = (OwnersNeed(("@ada",), 1), OwnersNeed(("@nobody-of-this-name",), 1), OwnersNeed(("@grace",), 1))
    keeping = Housekeeping({"reviewers": Reviewers(lambda *_: needs), "welcome": Welcomer("Thank you, {author}!")}, {})
    with running(kind, tmp_path) as place:
        model, forge = place.model, place.forge
        model.create_ref("refs/heads/topic", place.commits[1])
        pull = model.open_pull("topic", "main", "feat: more", "")
        model.review(pull.number, "grace", Opinion.APPROVED)
        first, second = (model.open_pull(head, "main", "fix: it", "", fork=True) for head in ("one", "two"))
        for one, author in ((first, "newcomer"), (second, "regular")):
            one.author, one.draft = author, True
        model.open_pull("three", "main", "fix: it", "", fork=True).author = "regular"
        model.pulls[max(model.pulls)].draft = True
        told = list(keep_all(forge, keeping, dry_run=True))
        done = list(keep_all(forge, keeping))
        assert len(told) == len(done) == 3
        assert [said for said in done if "not done" in said] == [said for said in done if "nobody-of" in said]
        assert pull.reviewers == ["ada"]
        assert [(note.thread, "Thank you, @newcomer!" in note.body) for note in model.notes.values()] == [
            (Thread.pull(first.number), True)
        ]
        assert len(list(keep_all(forge, keeping))) == 1  # The forge is asked again whether it knows somebody by now.

        def misspelt(*_: object) -> tuple[OwnersNeed, ...]:
            raise InvalidValue("CODEOWNERS, line 3: no owner")

        (said,) = keep_all(forge, Housekeeping({"reviewers": Reviewers(misspelt)}, {}))
        assert said.endswith("nobody is asked for a review, CODEOWNERS, line 3: no owner")
