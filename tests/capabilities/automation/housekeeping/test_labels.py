"""Which labels a pull request gets, and which it loses."""

from __future__ import annotations

import pytest

from shipline.capabilities.automation import LabelRules
from shipline.capabilities.automation.housekeeping.acts import LabelMade
from shipline.capabilities.automation.housekeeping.labels import label_acts, size_label, wanted_labels
from shipline.ports.forge import PullRequest, PullState
from shipline.ports.forge.reviews import ChangedFile, FileChange

RULES = LabelRules(
    paths={"docs": ("docs/**",), "web": ("src/web/**", "*.css")},
    titles={"security": ("CVE-",)},
    types={"feat": "enhancement", "fix": "bug"},
    breaking="breaking",
    sizes={"S": 10, "M": 100},
)


def file(path: str, *, before: str | None = None, lines: int = 3) -> ChangedFile:
    return ChangedFile(path, FileChange.MODIFIED, before, lines, 0)


def pull(title: str, *labels: str) -> PullRequest:
    return PullRequest(7, title, "", "topic", "main", PullState.OPEN, "", labels=labels)


@pytest.mark.parametrize(
    ("title", "files", "labels"),
    [
        ("feat: more", [file("docs/a/b.md")], ("docs", "enhancement", "S")),
        ("fix!: cve-2026-1 is mended", [file("a.css", lines=11)], ("web", "security", "bug", "breaking", "M")),
        ("fix(web)!: less", [file("x", before="docs/x", lines=5000)], ("docs", "bug", "breaking", "M")),
        ("whatever", [], ("S",)),
    ],
)
def test_labels_by_path_title_type_and_size(title: str, files: list[ChangedFile], labels: tuple[str, ...]) -> None:
    assert wanted_labels(RULES, title, files) == labels


def test_the_smallest_size_that_holds_it() -> None:
    assert [size_label({"M": 100, "S": 10}, lines) for lines in (0, 10, 11, 100, 101)] == ["S", "S", "M", "M", "M"]


def test_what_does_not_hold_any_more_goes_and_what_people_may_have_put_on_stays() -> None:
    """In whatever case; a label that the repository lacks is made first."""
    acts = list(label_acts(RULES, pull("fix: it", "Enhancement", "docs", "M", "mine"), [file("x")], ["BUG", "m"]))
    assert [act.sentence for act in acts] == [
        "make the label S",
        "pull request 7: take off Enhancement, M",
        "pull request 7: put on bug, S",
    ]
    assert not list(label_acts(RULES, pull("fix: it", "Bug", "s"), [file("x")], []))
    assert LabelMade("S") in acts
