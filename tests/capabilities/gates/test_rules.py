"""Gates fail closed: misspelt facts stop the loading, missing ones block, trouble never passes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.gates.cel import ask, compile_rule
from shipline.capabilities.gates.facts import KNOWN, FactType, flattened
from shipline.capabilities.gates.rules import evaluate
from shipline.capabilities.gates.sets import COMPLIANCE, QUALITY, SECURITY, gates_in
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.gate import Gate
from shipline.domain.verdict import Answer, Verdict, combined

GOOD: dict[str, dict[str, Any]] = {
    "tests": {"total": 12, "passed": 12, "failed": 0, "errors": 0, "skipped": 0},
    "coverage": {"line": 91.5, "branch": None},
    "artifacts": {"total": 2, "distributions": 2},
    "sbom": {"present": True},
    "provenance": {"present": True},
    "signatures": {"verified": True},
    "release": {"package": "quotes", "version": "1.2.0", "prerelease": False},
    "approvals": {"security": 1},
}


def verdict(rule: str, facts: dict[str, Any], **fields: Any) -> Verdict:
    return evaluate([Gate("gate", rule, **fields)], facts, 7)[0]


def answer(rule: str, **groups: dict[str, Any]) -> Answer:
    return verdict(rule, groups).answer


def test_quality_set_passes_a_good_release_and_says_why() -> None:
    """All gates of the ready-made set hold; every verdict carries its values and its time."""
    verdicts = evaluate(QUALITY, GOOD, 7)
    assert combined(verdicts) is Answer.PASS
    assert verdicts[0].facts == {"tests.passed": 12, "tests.failed": 0, "tests.errors": 0}
    assert verdicts[0].reasons[0].endswith("holds: tests.passed is 12, tests.failed is 0, tests.errors is 0")
    assert {entry.decided_us for entry in verdicts} == {7}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tests": {"total": 12, "failed": 1, "errors": 0}}, Answer.FAIL),
        ({"tests": {"total": 12, "passed": 11, "failed": 0, "errors": 1}}, Answer.FAIL),
        ({"tests": {"total": 0, "passed": 0, "failed": 0, "errors": 0}}, Answer.FAIL),
        ({"tests": {"total": 9, "passed": 0, "failed": 0, "errors": 0, "skipped": 9}}, Answer.FAIL),
        ({"tests": {"total": 12, "failed": 0}}, Answer.UNKNOWN),
        ({"tests": {}}, Answer.UNKNOWN),
        ({"sbom": {"present": False}}, Answer.FAIL),
        ({"signatures": {"verified": False}}, Answer.FAIL),
        ({"signatures": {"verified": None}}, Answer.UNKNOWN),
        ({"signatures": {}}, Answer.UNKNOWN),
    ],
)
def test_quality_set_blocks_what_is_wrong_or_missing(changes: dict[str, Any], expected: Answer) -> None:
    """FAIL for what is wrong, UNKNOWN for what nobody reported; both block."""
    assert combined(evaluate(QUALITY, GOOD | changes, 0)) is expected


@pytest.mark.parametrize(
    ("built", "changes", "expected"),
    [
        ({"total": 1, "distributions": 0}, {"sbom": {"present": False}}, Answer.PASS),
        ({"total": 1, "distributions": 0}, {"sbom": {"present": False}, "provenance": {"present": False}}, Answer.FAIL),
        ({"total": 1, "distributions": 0}, {"sbom": {"present": False}, "signatures": {}}, Answer.UNKNOWN),
        (
            {"total": 0, "distributions": 0},
            {"sbom": {"present": False}, "provenance": {"present": False}, "signatures": {}},
            Answer.PASS,
        ),
        ({"total": 2, "distributions": 1}, {"sbom": {"present": False}}, Answer.FAIL),
        ({}, {}, Answer.UNKNOWN),
    ],
)
def test_quality_set_wants_what_can_be_there(built: dict[str, int], changes: dict[str, Any], expected: Answer) -> None:
    """No SBOM is written of an image or an npm package, and nothing is stated of what was not built."""
    assert combined(evaluate(QUALITY, GOOD | changes | {"artifacts": built}, 0)) is expected


def test_no_facts_at_all_is_unknown() -> None:
    """Nothing is known, so nothing passes."""
    assert {entry.answer for entry in evaluate(QUALITY, {}, 0)} == {Answer.UNKNOWN}


def test_reasons_name_the_part_that_decided_and_what_the_gate_wants() -> None:
    """Parts that hold are left out; the message stands at the end."""
    found = verdict("tests.total > 0 && coverage.line >= 90.0", GOOD | {"coverage": {"line": 82.5}}, message="be good")
    assert found.answer is Answer.FAIL
    assert found.reasons == (
        "coverage.line >= 90.0 does not hold: coverage.line is 82.5; it passes at 90.0 or more (7.5 more)",
        "the gate wants: be good",
    )


def test_reasons_say_what_is_missing_and_where_it_comes_from() -> None:
    """An absent fact is named together with what would supply it."""
    reasons = verdict("tests.total > 0 && approvals.security >= 1", {}).reasons
    assert "tests.total is missing, no test report (JUnit XML) was read in" in reasons[0]
    assert "approvals.security is missing, nobody of this role has approved" in reasons[1]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("tests.total > 0 || sbom.present", Answer.PASS),
        ("sbom.present || tests.total > 0", Answer.PASS),
        ("provenance.present && tests.total > 0", Answer.FAIL),
        ("tests.total > 0 && provenance.present", Answer.FAIL),
        ("tests.total > 0 || provenance.present", Answer.UNKNOWN),
        ("tests.total > 0 && sbom.present", Answer.UNKNOWN),
        ("!(tests.total > 0)", Answer.UNKNOWN),
        ("tests.total > 0 ? true : true", Answer.UNKNOWN),
        ("[1].all(x, tests.total > 0)", Answer.UNKNOWN),
    ],
)
def test_missing_fact_counts_where_cel_needs_it(rule: str, expected: Answer) -> None:
    """CEL's logical operators absorb an error on one side if the other decides; everywhere else it is UNKNOWN."""
    assert answer(rule, sbom={"present": True}, provenance={"present": False}) is expected


@pytest.mark.parametrize(
    "rule",
    [
        "1 / tests.failed == 1 || false",
        "[1][tests.total] == 1",
        "tests.total + 9223372036854775807 > 0",
        "int(release.version) > 0",
        'release.version.matches("(")',
        "[1,2,3].map(x, [1,2].map(y, x / tests.failed)).size() > 0",
        "tests.passed - 9223372036854775807 - 9223372036854775807 < 0",
        "1 % tests.failed == 0",
        "[1].exists(x, x / tests.failed == 1)",
        "approvals[release.version] >= 1",
        "timestamp(release.version) > timestamp('2026-01-01T00:00:00Z')",
    ],
)
def test_trouble_while_evaluating_is_unknown(rule: str) -> None:
    """Division by zero, an index or a number out of range, a bad pattern: the library's truthy texts do not pass."""
    found = verdict(rule, GOOD)
    assert found.answer is Answer.UNKNOWN
    assert "has no answer" in found.reasons[0]


def test_exhausted_budget_is_unknown() -> None:
    """A rule that loops without end is stopped, and does not pass."""
    numbers = "[" + ",".join("1" * 600) + "]"
    assert answer(f"{numbers}.all(a, {numbers}.all(b, {numbers}.all(c, a == b)))") is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("tests.fialed == 0", "did you mean 'tests.failed'?"),
        ("covrage.line >= 90.0", "did you mean 'coverage.line'?"),
        ("coverage.line >= 90", "write 90.0"),
        ("tests.failed", "true or false"),
        ("'yes'", "true or false"),
        ("dyn(true)", "true or false"),
        ("tests.failed = 0", "no CEL"),
        ("", "no CEL"),
        ("(" * 51 + "true" + ")" * 51, "nested deeper"),
        ("!" * 4001 + "true", "longer than"),
        ("tests.failed == 'a'", "no CEL"),
        ("nothing(tests.failed)", "no such fact"),
        ("has(tests.failed) && true", "has()"),
        ("has( sbom.present )", "has()"),
        ("quantity('1') == 1", "no such fact"),
        ("isues.open['P1'] == 0", "did you mean 'issues.open'?"),
        ("issues.open.all(label, issues.open[label] == 0)", "name the label"),
        ("issues.open[release.package] == 0", "name the label"),
        ("!('P1' in issues.open)", "name the label"),
        ("has(issues.open.P1)", "has()"),
        ("issues.open['P1'] == 0.5", "no CEL"),
    ],
)
def test_rule_that_cannot_be_asked_is_refused_when_loaded(rule: str, words: str) -> None:
    """Misspelt facts with the nearest, other types, other languages' functions, bombs: ConfigurationError."""
    with pytest.raises(ConfigurationError) as caught:
        compile_rule(rule)
    assert words in caught.value.diagnosis()


def test_facts_and_parts_of_a_rule_are_found() -> None:
    """Texts and comments do not count; parts are split only where `&&` binds least."""
    rule = compile_rule("""release.version.startsWith('tests.total && 1') && (sbom.present || tests . failed == 0)
        && approvals["release-lead"] >= 1 && has(approvals.qa) // coverage.line && more""")
    assert rule.facts == ("release.version", "sbom.present", "tests.failed", "approvals.release-lead", "approvals.qa")
    assert len(rule.parts) == 4
    assert compile_rule(r"release.version == r'a\b' && sbom.present").parts[1] == "sbom.present"
    assert compile_rule("release.version == 'a\\' && b' && sbom.present").parts[1] == "sbom.present"
    assert len(compile_rule("sbom.present && sbom.present || provenance.present").parts) == 1
    assert len(compile_rule("sbom.present && sbom.present ? true : false").parts) == 1


def test_gate_applies_only_when_it_says() -> None:
    """A gate for pre-releases passes others by; where that is not known, neither is the answer."""
    gate = {"rule": "tests.total > 100", "when": "!release.prerelease"}
    assert verdict(facts=GOOD | {"release": {"prerelease": True}}, **gate).answer is Answer.PASS
    assert verdict(facts=GOOD, **gate).answer is Answer.FAIL
    assert verdict(facts={"tests": {"total": 200}}, **gate).answer is Answer.UNKNOWN


def test_approvals_are_wanted_beside_the_rule() -> None:
    """So many of each role; a role that nobody has is missing."""
    assert verdict("sbom.present", GOOD, approvals={"security": 1}).answer is Answer.PASS
    assert verdict("sbom.present", GOOD, approvals={"security": 2}).answer is Answer.FAIL
    found = verdict("sbom.present", GOOD, approvals={"release-lead": 1})
    assert found.answer is Answer.UNKNOWN
    assert "approvals.release-lead is missing" in found.reasons[1]
    assert found.facts["approvals.release-lead"] is None


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"tests": {"fialed": 0}}, "did you mean 'tests.failed'?"),
        ({"tests": 1}, "no object"),
        ({"tests": {"failed": "0"}}, "is a int"),
        ({"tests": {"failed": True}}, "is a int"),
        ({"tests": {"failed": -1}}, "is a int"),
        ({"tests": {"failed": 2**63}}, "is a int"),
        ({"tests": {"failed": 0.0}}, "is a int"),
        ({"coverage": {"line": True}}, "is a double"),
        ({"sbom": {"present": 1}}, "is a bool"),
        ({"release": {"version": 1}}, "is a string"),
        ({"approvals": {"qa": "yes"}}, "is a int"),
        ({"issues": {"open": 1}}, "are an object of numbers"),
        ({"issues": {"opne": {"P1": 1}}}, "did you mean 'issues.open'?"),
        ({"issues": {"open": {"P1": {"a": 1}}}}, "is a int"),
        ({"tests": {"failed": {}}}, "is a int"),
    ],
)
def test_facts_of_another_shape_are_refused(tree: dict[str, Any], words: str) -> None:
    """A misspelt fact, or one of another type, is no fact."""
    with pytest.raises(InvalidValue) as caught:
        flattened(tree)
    assert words in caught.value.diagnosis()


def test_every_fact_can_be_asked_and_is_described() -> None:
    """The table is what the environment knows: each path compiles with its type, and has words."""
    samples = {FactType.BOOL: "true", FactType.INT: "0", FactType.DOUBLE: "0.0", FactType.STRING: "''"}
    for path, fact in KNOWN.items():
        assert compile_rule(f"{path} == {samples[fact.type]}").facts == (path,)
        assert fact.doc
        assert fact.source


@given(
    rule=st.sampled_from([gate.rule for gate in QUALITY]),
    dropped=st.sets(st.sampled_from(["tests", "sbom", "provenance", "signatures"])),
)
def test_taking_facts_away_never_opens_a_gate(rule: str, dropped: set[str]) -> None:
    """With less evidence, no answer of the ready-made set moves towards PASS."""
    bad = {
        group: {name: False if value is True else value for name, value in inner.items()}
        for group, inner in GOOD.items()
    }
    whole, part = flattened(bad), flattened({group: inner for group, inner in bad.items() if group not in dropped})
    if ask(rule, whole)[0] is not Answer.PASS:
        assert ask(rule, part)[0] is not Answer.PASS


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_a_number_that_is_none_is_no_fact(value: float) -> None:
    """NaN compares as false with everything, so that a rule turned round would pass on it."""
    with pytest.raises(InvalidValue, match=r"coverage\.line is a double"):
        verdict("!(coverage.line < 90.0)", {"coverage": {"line": value}})


def test_a_comment_does_not_hide_has() -> None:
    """It would answer with the fact's value instead of whether it is there."""
    with pytest.raises(ConfigurationError, match="asks has"):
        compile_rule("has// of what\n(sbom.present)")


@pytest.mark.parametrize(
    "rule",
    [
        "approvals.all(role, approvals[role] >= 1)",
        "!approvals.exists(role, approvals[role] < 1)",
        "size(approvals) == 0",
        "!has(approvals.veto)",
        "!('veto' in approvals)",
        "approvals == {}",
    ],
)
def test_nothing_holds_of_approvals_that_nobody_has_looked_at(rule: str) -> None:
    """Of none of them much would hold. Where somebody has looked and found none, it does."""
    assert answer(rule) is Answer.UNKNOWN
    assert answer(rule, approvals={}) is Answer.PASS


def test_huge_texts_are_taken_and_decide_nothing_by_themselves() -> None:
    """A megabyte of a version, as a plug-in's bug would have it: compared, and shown in part."""
    found = verdict(
        "release.version.matches('^(a+)+$') && sbom.present", {"release": {"version": "a" * 1_000_000 + "b"}}
    )
    assert found.answer in (Answer.FAIL, Answer.UNKNOWN)
    assert all(len(reason) < 1000 for reason in found.reasons)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("coverage.line >= 95.0", "it passes at 95.0 or more (3.5 more)"),
        ("95.0 <= coverage.line", "it passes at 95.0 or more (3.5 more)"),
        ("tests.total <= 10", "it passes at 10 or less (2 less)"),
        ("tests.total < 12", "it passes below 12"),
        ("tests.total > tests.passed", "it passes above 12"),
        ("tests.total != 12", "it passes at anything but 12"),
        ("!sbom.present", "it passes where sbom.present is false"),
        ("release.prerelease", "it passes where release.prerelease is true"),
        ("release.version == '2.0.0'", "it passes at '2.0.0'"),
        ("approvals.security >= 3", "(2 more); supplied by `shipline approve 1.2.0 --stage release --role security`"),
        (
            "approvals['qa'] >= 1",
            "it passes at 1 or more; supplied by `shipline approve 1.2.0 --stage release --role qa`",
        ),
        ("findings.high == 0", "it passes at 0; supplied by `shipline evidence add FILE --release 1.2.0`"),
        ("coverage.line > 99.0 || tests.skipped > 3", "coverage.line > 99.0 (above 99.0); tests.skipped > 3 (above 3)"),
        ("release.version.startsWith('2')", "it passes where release.version.startsWith('2') holds"),
        ("1 / tests.failed == 1", "mend the rule"),
        ("(tests.total > 12)", "it passes above 12"),
    ],
)
def test_reasons_say_what_would_make_it_pass(rule: str, words: str) -> None:
    """The value that a comparison asks for and how far it is; what supplies a fact that is missing."""
    found = verdict(rule, GOOD)
    assert found.answer is not Answer.PASS
    assert words in found.reasons[0]


def test_every_reason_that_blocks_says_what_would_open() -> None:
    """Of all ready-made gates, over no facts and over bad ones; also where it is not known whether a gate applies."""
    gates = gates_in(("quality", "security", "compliance"))
    bad = {"tests": {"passed": 0, "failed": 1, "errors": 1}, "findings": {"critical": 1, "high": 1, "errors": 1}}
    bad |= {"artifacts": {"total": 1, "distributions": 1}, "sbom": {"present": False}, "approvals": {}}
    for facts in ({}, bad):
        for found in evaluate(gates, facts, 0):
            assert found.answer is not Answer.PASS
            blocking = [reason for reason in found.reasons if not reason.startswith("the gate wants")]
            assert all("passes" in reason for reason in blocking), found


def test_open_issues_are_asked_for_by_their_label() -> None:
    """As `issues.open["…"]`, whatever the label is; one that nobody asked for is missing, with the reason why."""
    rule = 'issues.open["P1: now"] == 0 && issues.open.P2 <= 3'
    facts = {"issues": {"open": {"P1: now": 0, "P2": 3}}}
    assert verdict(rule, facts).answer is Answer.PASS
    assert compile_rule(rule).facts == ("issues.open.P1: now", "issues.open.P2")
    assert verdict(rule, {"issues": {"open": {"P1: now": 1, "P2": 3}}}).answer is Answer.FAIL
    (found,) = evaluate([Gate("bugs", rule)], {}, 0, lacking={"issues.open.P2": "GitHub cannot be reached"})
    assert found.answer is Answer.UNKNOWN
    assert "issues.open.P2 is missing, GitHub cannot be reached; it passes at 3 or less" in found.reasons[1]


def test_gate_sets_together_ask_each_gate_once() -> None:
    """They share gates; the order is that of the names. A set that there is not is an error with the known ones."""
    assert gates_in(()) == ()
    names = [gate.name for gate in gates_in(("security", "quality"))]
    assert names == [gate.name for gate in SECURITY] + ["tests", "provenance"]
    assert {gate.stage for gate in (*QUALITY, *SECURITY, *COMPLIANCE)} == {"release"}
    with pytest.raises(ConfigurationError, match="no gate set 'securty'"):
        gates_in(("securty",))
