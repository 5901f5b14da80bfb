"""Changelogs as text, and what putting a section in leaves alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from shipline.capabilities.plans.changelog import (
    HEAD,
    Section,
    Style,
    prepend,
    render,
    render_all,
    render_section,
    section_titles,
)
from shipline.capabilities.plans.changesets import read_changeset
from shipline.capabilities.plans.conventional import read_change
from shipline.capabilities.plans.links import Links
from shipline.capabilities.plans.moments import rfc3339
from shipline.capabilities.plans.strangers import safe_line, safe_lines
from shipline.domain.change import Bump, Change
from shipline.domain.release_plan import PackagePlan
from shipline.ports.repository import Commit

MARKDOWN = MarkdownIt("commonmark")
NOW_US = 1_763_700_000_000_000
ADDED = "## [1.1.0] - 2025-11-21\n\n### Added\n\n- x (ccccccc)\n"


def change(
    kind: str, description: str, *, scope: str | None = None, breaking: bool = False, notes: tuple[str, ...] = ()
) -> Change:
    return Change("c" * 40, kind, description, "Ann", 0, scope, breaking, notes)


def test_a_section_groups_by_what_users_look_for() -> None:
    every = (
        change("fix", "b", scope="api"),
        change("feat", "c", breaking=True),
        change("feat", "d", breaking=True, notes=("use e\n\nnot f",)),
        change("docs", "not shown"),
        change("perf", "g"),
        change("revert", "feat: h"),
        change("", "not shown either"),
    )
    assert render(Section("2.0.0", every, NOW_US)) == (
        "## [2.0.0] - 2025-11-21\n\n"
        "### Breaking changes\n\n- c (ccccccc)\n- use e not f (ccccccc)\n\n"
        "### Added\n\n- d (ccccccc)\n\n"
        "### Changed\n\n- g (ccccccc)\n\n"
        "### Fixed\n\n- **api:** b (ccccccc)\n\n"
        "### Reverted\n\n- feat: h (ccccccc)\n"
    )


def test_a_plan_is_unreleased_until_its_instant_is_known() -> None:
    plan = PackagePlan("app", ".", "1.0.0", "1.1.0", Bump.MINOR, "v1.1.0", "stable", (), (change("feat", "x"),))
    assert render_section(plan, time_us=NOW_US) == ADDED
    assert render_section(plan).startswith("## [Unreleased]\n")


def test_a_release_without_notable_changes_says_so() -> None:
    assert render(Section("1.0.0", (), NOW_US)) == "## [1.0.0] - 2025-11-21\n\nNo changes that users notice.\n"


def test_a_whole_changelog_can_be_prepended_to() -> None:
    whole = "".join(render_all([Section("1.0.0", (change("feat", "first"),), 0)]))
    assert prepend(whole, ADDED, "1.1.0") == HEAD + ADDED + "\n" + whole.removeprefix(HEAD)
    assert prepend("", ADDED, "1.1.0") == HEAD + ADDED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a <script> b", "a &lt;script> b"),
        ("keep `<div>` as code, not <div>", "keep `<div>` as code, not &lt;div>"),
        ("an open ` <div>", "an open ` &lt;div>"),
        ("`` `a`` <script> `", "`` `a`` &lt;script> `"),
        ("``a`<b>`c`` and `` <b>", "``a`<b>`c`` and `` &lt;b>"),
        ("\\`<script>\\`", "\\`&lt;script>\\`"),
        ("a\x1b[31m\r\n## [9.9.9]\u202e b", "a [31m ## [9.9.9]  b"),
    ],
)
def test_a_strangers_message_cannot_break_out_of_its_line(text: str, shown: str) -> None:
    assert f"- {shown} (ccccccc)" in render(Section("1.0.0", (change("fix", text),))).splitlines()


GITHUB, GITLAB = Links("https://github.com/g/app", "github"), Links("https://gitlab.com/g/app", "gitlab")
HUB, LAB = "https://github.com", "https://gitlab.com/g/app/-"


@pytest.mark.parametrize(
    ("links", "message", "behind"),
    [
        (GITHUB, "fix: a\n\nCloses #9", f"- a (C, [#9]({HUB}/g/app/issues/9))"),
        (GITHUB, "fix: a of #9\n\nFixes: #9, o/other#90", f"(C, [o/other#90]({HUB}/o/other/issues/90))"),
        (GITHUB, "fix: a (#12)\n\nCloses #1", f"- a ([#12]({HUB}/g/app/pull/12)) (C, [#1]({HUB}/g/app/issues/1))"),
        (GITHUB, "feat!: a (#12)\n\nBREAKING CHANGE: b is gone", f"- b is gone (C, [#12]({HUB}/g/app/pull/12))"),
        (GITHUB, "fix: a\n\nRefs: ABC-7", "- a (C)"),
        (GITLAB, "fix: a\n\nCloses #45\n\nSee merge request g/app!14", f"[#45]({LAB}/issues/45)"),
        (GITLAB, "fix: a\n\nSee merge request g/app!14", f"(C, [!14]({LAB}/merge_requests/14))"),
        (GITLAB, "fix: a\n\nRefs: sub/other#3", "(C, sub/other#3)"),
        (None, "fix: a\n\nCloses #9", "- a (ccccccc, #9)"),
        (None, "fix: a (#12)", "- a (#12) (ccccccc)"),
    ],
)
def test_an_entry_leads_to_every_number_that_its_commit_names(links: Links | None, message: str, behind: str) -> None:
    """Each once: those that its text has already are links there."""
    entry = read_change(Commit("c" * 40, (), "Ann", "", 0, message))
    shown = behind.replace("(C", f"([ccccccc]({links.commit('c' * 40)})") if links else behind
    assert shown in render(Section("1.0.0", (entry,)), Style(links=links))


def test_the_whole_text_of_a_changeset_stands_below_its_first_line() -> None:
    """As @changesets/cli has it: https://github.com/changesets/changesets, packages/changelog-git."""
    text = "First `a`.\nStill the same.\n\nMore:\n\n- <b>one</b>\n  - two\n\n## [9.9.9]\n\n```html\n<b>\tkept</b>"
    entry = read_changeset(".changeset/x.md", f'---\n"app": patch\n---\n\n{text}\n'.encode()).change(Bump.PATCH)
    written = render(Section("1.0.1", (entry, change("fix", "after"))))
    assert written.partition("### Fixed\n\n")[2] == (
        "- First `a`.\n  Still the same.\n\n  More:\n\n  - &lt;b>one&lt;/b>\n    - two\n\n  ## [9.9.9]\n\n"
        "  ```html\n  <b> kept</b>\n  ```\n- after (ccccccc)\n"
    )
    assert section_titles(written) == ("1.0.1",)


WORDS = ("<b>", "`<b>", "`<b>`", "a", "a `", "\\`", "", "- a", "1. a")
FENCES = ("```", "````", "``` `", "~~~", "~~~ `", "- ```", "> ~~~", "\x0b```")


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from(WORDS + FENCES)), min_size=2, max_size=9))
@example([(0, "- a"), (2, "```"), (0, "<b>")])
@example([(0, "a"), (0, "```"), (6, "```"), (0, "```"), (0, "<b>")])
@example([(0, "a `"), (0, "`<b>`")])
@example([(0, "- ```"), (2, "```"), (2, "<b>")])
@example([(0, "```"), (0, ""), (0, "```"), (0, "<b>")])
def test_no_html_gets_into_what_a_changeset_says(lines: list[tuple[int, str]]) -> None:
    """Whatever the lists, quotations and code in it, as a parser of CommonMark reads them."""
    text = "\n".join(" " * indent + line for indent, line in lines)
    entry = read_changeset(".changeset/x.md", f'---\n"app": patch\n---\n\n{text}\n'.encode()).change(Bump.PATCH)
    written = render(Section("1.0.1", (entry, change("fix", "after"))))
    tokens = [each for token in MARKDOWN.parse(written) for each in (token, *(token.children or ()))]
    assert not [token.content for token in tokens if token.type.startswith("html")]
    assert [token.content for token in tokens if token.type == "inline"][-1] == "after (ccccccc)"


def test_code_in_a_changeset_stays_as_it_is() -> None:
    text = "- a `<b>`\n\n  ```html\n  <b>\n  ```\n\n  `<b>` and <b>\n\n~~~ `\n<b>\n~~~"
    shown = "- a `<b>`\n\n  ```html\n  <b>\n  ```\n\n  `<b>` and &lt;b>\n\n~~~ `\n<b>\n~~~"
    assert "\n".join(safe_lines(text)) == shown


@given(st.text("`<a\\ ", max_size=12))
def test_escaping_changes_nothing_else_and_is_complete_outside_of_code(text: str) -> None:
    shown = safe_line(text)
    assert shown.replace("&lt;", "<") == text
    assert "`" in text or "<" not in shown


def test_times_beyond_the_calendar_are_written_as_the_nearest() -> None:
    assert rfc3339(10**30) == "9999-12-31T23:59:59Z"
    assert rfc3339(-1) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ("# Changelog\n\n## [1.0.0]\n\n- a\n", f"# Changelog\n\n{ADDED}\n## [1.0.0]\n\n- a\n"),
        ("# Changelog\n\n## v1.0.0 (2020)\n", f"# Changelog\n\n{ADDED}\n## v1.0.0 (2020)\n"),
        ("# Changelog\n", f"# Changelog\n\n{ADDED}"),
        ("# Changelog", f"# Changelog\n\n{ADDED}"),
        ("## [1.0.0]\n", f"{ADDED}\n## [1.0.0]\n"),
        ("# C\n\n## [Unreleased]\n\n- mine\n\n## 1.0.0\n", f"# C\n\n## [Unreleased]\n\n- mine\n\n{ADDED}\n## 1.0.0\n"),
        ("# C\n\n## Unreleased\n- mine\n", f"# C\n\n## Unreleased\n- mine\n\n{ADDED}"),
        ("# C\n```\n## [1.1.0]\n```\n## 1.0.0\n", f"# C\n```\n## [1.1.0]\n```\n\n{ADDED}\n## 1.0.0\n"),
    ],
)
def test_a_section_goes_before_the_latest_release(existing: str, expected: str) -> None:
    assert prepend(existing, ADDED, "1.1.0") == expected
    crlf = existing.replace("\n", "\r\n")
    if "\r" in crlf:
        assert prepend(crlf, ADDED, "1.1.0") == expected.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "heading", ["## [1.1.0]", "## 1.1.0", "## v1.1.0 - soon", "## [v1.1.0](link)", "## [1.1.0] 😀"]
)
def test_a_section_that_people_wrote_already_stays(heading: str) -> None:
    existing = f"# Changelog\n\n{heading}\n\nby hand\n"
    assert prepend(existing, ADDED, "1.1.0") == existing


LINES = st.sampled_from(
    [
        "# Changelog",
        "## [1.0.0] - 2020-01-01",
        "## Unreleased",
        "- a",
        "",
        "```",
        "~~~",
        "é",
        "\udcff",
        "\x0b\x0c\u2028",
        "##",
    ]
)
TEXTS = (
    st.tuples(st.sampled_from(["", "\ufeff"]), st.lists(LINES), st.sampled_from(["\n", "\r\n"]), st.booleans()).map(
        lambda parts: parts[0] + parts[2].join(parts[1]) + (parts[2] if parts[3] else "")
    )
    | st.text()
)


@given(TEXTS)
def test_everything_that_was_there_stays_and_a_second_call_changes_nothing(existing: str) -> None:
    """What comes out is the old text with one piece put in; taking the piece out gives the old text."""
    once = prepend(existing, ADDED, "1.1.0")
    added = len(once) - len(existing)
    assert added > 0
    assert any(
        once[:place] == existing[:place] and once[place + added :] == existing[place:]
        for place in range(len(existing) + 1)
    )
    assert prepend(once, ADDED, "1.1.0") == once
    assert "\r\n" not in once.replace(existing, "") or "\r\n" in existing
