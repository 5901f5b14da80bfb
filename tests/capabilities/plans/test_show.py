"""Changelogs as they are shown: links, templates, announcements, upgrade notes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.plans import Show, Style, templates
from shipline.capabilities.plans.changelog import Section, render
from shipline.capabilities.plans.links import Links, links_of
from shipline.domain.change import Bump, Change
from shipline.domain.errors import UsageError
from shipline.domain.release_plan import PackagePlan

OID = "c" * 40
BREAKING = Change(
    OID, "feat", "answer <i> (#7)", "Ann", 0, "api", True, ("text is gone",), ("#7",), upgrade_notes=("Do.",)
)
CHANGES = (BREAKING, Change("d" * 40, "fix", "x", "Bea", 0))
SECTION = Section("2.0.0", CHANGES, 0, ("v1.0.0", "v2.0.0"))

ADDRESSES: list[tuple[str | None, str, Links | None]] = [
    ("git@github.com:a/b.git", "", Links("https://github.com/a/b", "github")),
    ("https://user:secret@github.com/a/b/", "", Links("https://github.com/a/b", "github")),
    (
        "ssh://git@gitlab.example.org:2222/group/sub/c.git",
        "",
        Links("https://gitlab.example.org/group/sub/c", "gitlab"),
    ),
    ("https://codeberg.org/a/b.c.git", "", Links("https://codeberg.org/a/b.c", "gitea")),
    ("https://git.example.org/a/b", "gitea", Links("https://git.example.org/a/b", "gitea")),
    ("https://git.example.org/a/b", "", None),
    ("https://github.com/a/../b", "", None),
    ("https://github.com/a/b?x=<script>", "", None),
    ("../origin.git", "", None),
    ("", "", None),
    (None, "github", None),
]


@pytest.mark.parametrize(("address", "forge", "expected"), ADDRESSES)
def test_a_remotes_address_shows_where_the_pages_are(address: str | None, forge: str, expected: Links | None) -> None:
    assert links_of(address, forge=forge) == expected


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        ("github", "x [#2](B/issues/2) ([#3](B/pull/3)) a#4 [!5](B/pull/5)"),
        ("gitlab", "x [#2](B/-/issues/2) ([#3](B/-/issues/3)) a#4 [!5](B/-/merge_requests/5)"),
        ("gitea", "x [#2](B/issues/2) ([#3](B/pulls/3)) a#4 [!5](B/pulls/5)"),
    ],
)
def test_numbers_become_links(forge: str, expected: str) -> None:
    assert Links("B", forge).linked("x #2 (#3) a#4 !5") == expected


def test_a_breaking_change_carries_its_upgrade_notes() -> None:
    text = render(SECTION, Style(upgrade_notes={"7": "It was text.\n\nIt is JSON.", OID[:8]: "By id.", "8": "Other."}))
    assert (
        "- **api:** text is gone (ccccccc, #7)\n\n  Do.\n\n  It was text.\n\n  It is JSON.\n\n  By id.\n\n### Added\n"
        in text
    )
    assert "Other" not in text


def test_an_announcement_is_plain_text() -> None:
    text = Show(announcement=True).text("quotes", [SECTION])
    assert text == (
        "quotes 2.0.0 is released.\n\nBreaking changes:\n- api: text is gone\n  Do.\n"
        "Read the upgrade notes before you update.\n\nAdded:\n- api: answer <i> (#7)\n\nFixed:\n- x\n\n"
        "Thanks to Ann, Bea.\n"
    )


def test_an_announcement_sends_nobody_to_upgrade_notes_that_are_not_there() -> None:
    silent = Section("2.0.0", (replace(BREAKING, upgrade_notes=()),), 0)
    for style, said in ((Style(), False), (Style(upgrade_notes={"7": "Do."}), True)):
        text = Show(style, announcement=True).text("quotes", [silent])
        assert ("Read the upgrade notes" in text) is said
        assert "Breaking changes:\n- api: text is gone\n" in text


def test_a_template_is_handed_plain_data() -> None:
    source = (
        "{{ package }} {{ release.title }} {{ release.date }}{% for c in release.changes %} {{ c.type }}{% endfor %}"
    )
    assert Show(template=source).text("quotes", [SECTION]) == "quotes 2.0.0 1970-01-01 feat fix"


PLAN = PackagePlan("quotes", ".", "1.0.0", "2.0.0", Bump.MAJOR, "stable", "v2.0.0", (), CHANGES)


def test_a_release_writes_what_the_template_makes_of_its_version_without_a_head() -> None:
    source = "# All\n\n## v{{ release.title }}\n### New\n{{ release.changes | length }}\n```\n## code\n```\n"
    shown = Show(template=source)
    assert shown.released(PLAN, 0) == "## v2.0.0\n### New\n2\n```\n## code\n```\n"
    assert Show().released(PLAN, 0) == render(SECTION)


@pytest.mark.parametrize("source", ["# 2.0.0", "## 1.9.9", "## {{ release.title }}\n\n## New", "{{ nothing }}", ""])
def test_what_could_not_be_found_again_in_a_changelog_is_no_section(source: str) -> None:
    with pytest.raises(UsageError, match="the changelog's template") as refused:
        Show(template=source).released(PLAN, 0)
    assert refused.value.todo


def test_an_announcement_tells_all_of_a_changeset() -> None:
    entry = Change("brave-cats-sing", "fix", "what (is) new", "", 0, body="\nMore.")
    text = Show(announcement=True).text("quotes", [Section("1.0.1", (entry,), 0)])
    assert "Fixed:\n- what (is) new\n\n  More.\n" in text


GROWING = (
    "{{% set ns = namespace(x='aa') %}}{{% for i in range(99) %}}{{% set ns.x = {} %}}{{% endfor %}}{{{{ ns.x }}}}"
)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ releases.append(1) }}",
        "{{ nothing.at_all }}",
        "{% if %}",
        "{{ 'a' * 999999999 }}",
        "{{ 9 ** 999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'a'|center(999999999) }}",
        "{{ range(999999999) }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}" + "a" * 90 + "{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        GROWING.format("ns.x ~ ns.x"),
        GROWING.format("ns.x + ns.x"),
        GROWING.format("ns.x | replace('a', ns.x)"),
        GROWING.format("[ns.x, ns.x]"),
        "{{ 'a'.rjust(99999999999) }}",
        "{{ [1] | batch(99999999999, 'x') | list }}",
        "{{ [1] | tojson(indent=99999999999) }}",
        "{{ [1] | slice(99999999999) | list }}",
        "{{ 1.5 | round(9999999999, 'ceil') }}",
    ],
)
def test_a_template_can_neither_reach_out_nor_run_for_ever(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "CPU_S_MAX", 1)
    monkeypatch.setattr(templates, "MEMORY_BYTES_MAX", 256 << 20)
    with pytest.raises(UsageError, match="template"):
        Show(template=source).text("quotes", [SECTION])


def test_a_template_finds_no_credentials_even_outside_of_its_sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "outside.py"
    program.write_text("import json, os, sys\njson.dump({'text': str(os.environ)}, sys.stdout)\n")
    monkeypatch.setenv("NPM_TOKEN", "hunter2")
    monkeypatch.setattr(templates, "PROGRAM", program)
    assert "hunter2" not in Show(template="").text("quotes", [SECTION])


def test_a_template_of_a_long_history_is_rendered() -> None:
    entries = tuple(Change(f"{number:040}", "fix", "x" * 60, "Ann", 0) for number in range(20_000))
    text = Show(template="{% for c in release.changes %}{{ c.oid }}\n{% endfor %}").text(
        "quotes", [Section("1.0.0", entries, 0, ("", "v1.0.0"))]
    )
    assert len(text) == 41 * 20_000
