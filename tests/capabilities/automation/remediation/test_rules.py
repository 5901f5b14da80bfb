"""What rules are about, what things they make, and what becomes of somebody's text."""

from __future__ import annotations

import pytest

from shipline.capabilities.automation.remediation import HOUR_US, FlawKind, Rule, things_of
from shipline.capabilities.automation.remediation.rules import fits
from shipline.capabilities.automation.remediation.texts import (
    LINE_MAX,
    State,
    are_same,
    flaw_line,
    issue_body,
    issue_title,
    neutral,
    opened_state,
    plain,
    read_state,
    with_state,
)
from shipline.domain.secrecy import redacted
from shipline.ports.forge.reviews import closing_numbers
from tests.capabilities.automation.remediation.flaws import NOW, RULE, flaw


@pytest.mark.parametrize(
    ("rule", "is_about"),
    [
        (Rule("all"), True),
        (Rule("kind", kinds=("code",)), False),
        (Rule("tool", tools=("PIP-audit",)), True),
        (Rule("tool", tools=("trivy",)), False),
        (Rule("worse", severity="critical"), False),
        (Rule("name", packages=("requests",)), True),
        (Rule("url", packages=("pypi/*",)), True),
        (Rule("other", packages=("npm/**", "urllib3")), False),
        (Rule("known", fixed="known"), True),
        (Rule("unknown", fixed="unknown"), False),
        (Rule("old", older_than_us=2 * HOUR_US), False),
        (Rule("older", older_than_us=HOUR_US), True),
    ],
)
def test_a_rule_is_about_what_fits_all_of_it(rule: Rule, is_about: bool) -> None:  # noqa: FBT001
    assert fits(rule, flaw(), HOUR_US) is is_about


def test_flaws_are_grouped_by_the_rule_that_holds_first() -> None:
    """By dependency, by advisory whoever told of it, or each by itself; the worst thing first."""
    two = (flaw(), flaw("CVE-2026-2", severity="critical"))
    (package,) = things_of([RULE], two, {}, NOW)
    assert ([one.name for one in package.flaws], package.severity) == (["CVE-2026-2", "CVE-2026-1"], "critical")
    same = flaw(tool="trivy", identity="other", package="api")
    by_finding = things_of([Rule("each", issue="finding"), RULE], (*two, same), {}, NOW)
    assert [len(thing.flaws) for thing in by_finding] == [1, 2]
    code = [flaw(identity=name, kind=FlawKind.CODE, purl="") for name in ("a", "b")]
    assert len(things_of([RULE], code, {}, NOW)) == 2
    old = Rule("old", older_than_us=HOUR_US)
    assert things_of([old], two, {}, NOW) == ()
    (waited,) = things_of([old], two, {two[0].identity: NOW - HOUR_US}, NOW)
    assert waited.flaws == (two[0],)


HOSTILE = (
    "@all #1 !2 fixes #3, Closes: https://forge.example/o/r/issues/4 GH-5 <img src=x> [go](javascript:x) `a` **b**"
    " &#64;all <!-- shipline:remediation:state --> \u202e\n/close\n# Title\n| x | www.evil.example"
)


def test_the_text_of_others_does_nothing_in_ours() -> None:
    """It calls nobody, closes nothing, links nowhere, ends no line, and tells no secret."""
    for shown in (neutral(HOSTILE, 1000), plain(HOSTILE, 1000)):
        assert "\n" not in shown
        assert closing_numbers(shown) == ()
        for sign in ("@all", "#1", "!2", "#3", "://", "GH-5", "www.", "\u202e"):
            assert sign not in shown
    markdown = neutral(HOSTILE, 1000)
    for active in ("<", "](", "&#"):
        assert active not in markdown
    assert "\\`a\\`" in markdown
    assert neutral("a <2 & >1") == "a &lt;2 &amp; \\>1"
    secret = "ghp_" + "a1B2" * 9
    assert secret not in neutral(f"found {secret}")
    line = flaw_line(flaw(title="&" * 5000, path="@" * 5000, fixed=("9" * 500,), tool="\n- x", version="`"))
    assert (len(line) <= LINE_MAX, "\n" in line) == (True, False)
    for rule, purl in (
        (RULE, "pkg:npm/" + "@a" * 300),
        (Rule("a", issue="finding"), "pkg:npm/" + "@a" * 300),
        (RULE, ""),
    ):
        (thing,) = things_of([rule], [flaw("@a" * 300, title="@a" * 300, purl=purl)], {}, NOW)
        assert len(issue_title(thing)) <= 255
    (thing,) = things_of([RULE], [flaw(purl="pkg:npm/%40all/x")], {}, NOW)
    assert "@all" not in issue_title(thing)


def test_what_an_issue_says_of_itself_is_read_back() -> None:
    state = State(2, NOW, gone=False, sources=("0123456789", "abcdef0123"))
    body = f"<!-- shipline:remediation:{'0' * 20} -->\n{state.text}\n\nWords"
    assert read_state(body) == ("0" * 20, state)
    changed = with_state(body, State(2, NOW, gone=True))
    assert read_state(changed) == ("0" * 20, State(2, NOW, gone=True))
    assert read_state("an issue of somebody else") is None


def test_an_issue_is_never_longer_than_a_forge_takes() -> None:
    """However much was found, by however many, and whatever is to be done."""
    flaws = [
        flaw(f"CVE-2026-{number}", title="&" * 5000, path="&" * 5000, package=f"p{number % 100}", tool=f"t{number}")
        for number in range(1000)
    ]
    (thing,) = things_of([RULE], flaws, {}, NOW)
    body = issue_body(thing, opened_state(thing, NOW, is_dressed=True), ["x" * 500] * 22, 9)
    assert len(body) < 65_000
    said = read_state(f"<!-- shipline:remediation:{thing.key} -->\n{body}")
    assert said is not None
    assert len(said[1].sources) == 1000


def test_what_is_masked_on_its_way_is_no_difference() -> None:
    """Else a text with such a name would be written anew by each look."""
    name = "pypi-" + "AgE" + "a" * 20
    assert are_same((f"x {redacted(name)}", "a\r\nb "), (f"x {name}", "a\nb"))
    assert not are_same(("a", "b"), ("a", "c"))
