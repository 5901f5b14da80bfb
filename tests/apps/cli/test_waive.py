"""`shipline waive` and `shipline evidence add`: a finding, the gate that refuses it, and who accepts it until when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import evidence, waive
from shipline.bootstrap import Application
from shipline.capabilities.automation.remediation import Rule, find_flaws
from shipline.capabilities.releases import RELEASES, findings_now, reevaluate, verdicts_of
from shipline.capabilities.releases.bundling import used_waivers
from shipline.configuration.waiver_text import with_waiver, without_waiver
from shipline.domain.actor import SYSTEM
from shipline.domain.errors import ConfigurationError, NothingToDo, RefusedError, UsageError
from shipline.domain.gate import Waiver
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer
from shipline.store.log import stream_of
from shipline.testing.histories import History
from tests.capabilities.events import bodies
from tests.clients.test_ssh_signatures import new_key, public, pytestmark  # noqa: F401 - it needs ssh-keygen, too

SETTINGS = """schema = 1
[[gate]]
name = "no high findings"
rule = "findings.high == 0"

[[approver]]
name = "ann"
roles = ["security"]
key = "{key}"

[waiving]
days_max = 30

# What stands here stays.
"""
DAY_US = 86_400_000_000


@pytest.fixture
def key(tmp_path: Path) -> Path:
    new_key(tmp_path, "ann")
    return tmp_path / "ann"


@pytest.fixture
def application(tmp_path: Path, key: Path) -> Iterator[Application]:
    """A published release whose gates have been asked once, without any report of findings."""
    history = History(tmp_path / "project")
    commit = history.commit("feat: say something", {"a": "1"})
    (history.folder / "shipline.toml").write_text(SETTINGS.format(key=public(key).strip()))
    made = Application(history.folder)
    release = Release("rel_1", "quotes", "1.0.0", "v1.0.0", ReleaseStatus.PUBLISHED, 1, 1, commit=commit)
    with made.store.begin() as tx:
        RELEASES.save(tx, release)
    ask(made)
    yield made
    made.store.close()


def ask(application: Application, stage: str = "release") -> None:
    """Record what the gates say, as the step of a release does."""
    from shipline.capabilities.releases.judging import verdicts_of_stage  # noqa: PLC0415 - not of the room's face
    from shipline.capabilities.releases.proof import ProofSteps  # noqa: PLC0415 - not of the room's face

    proof = ProofSteps(application.release_ground)
    with application.store.begin() as tx:
        release = RELEASES.find(tx, "rel_1")
    assert release is not None
    verdicts = verdicts_of_stage(proof.ground, release, stage, application.clock.now_us())
    with application.store.begin() as tx:
        proof.record_verdicts(tx, release, stage, verdicts)


def run(application: Application, *words: str) -> Result:
    group = {"evidence": evidence.command, "waive": waive.command}[words[0]]
    return CliRunner().invoke(group, words[1:], obj=application, catch_exceptions=False)


def scan(folder: Path, *levels: str) -> str:
    results = [{"ruleId": f"R{number}", "level": word, "message": {"text": "m"}} for number, word in enumerate(levels)]
    path = folder / "scan.sarif"
    driver = {"driver": {"name": "scanner"}}
    path.write_text(json.dumps({"version": "2.1.0", "runs": [{"tool": driver, "results": results}]}))
    return str(path)


def found(application: Application, severity: str) -> list[str]:
    """Fingerprints, as the command prints them."""
    asked = ("evidence", "findings", "--release", "1.0.0", "--severity", severity, "--json")
    document = json.loads(run(application, *asked).stdout)
    return [one["fingerprint"] for one in document["findings"]]


def answer(application: Application) -> Answer:
    """The gate's latest."""
    with application.store.begin() as tx:
        return verdicts_of(tx, "rel_1")[-1].answer


def test_a_finding_is_waived_until_a_day_and_counts_again_when_that_is_withdrawn(
    application: Application, tmp_path: Path, key: Path
) -> None:
    """Gates are asked anew each time, and the log says whose waiver held."""
    assert answer(application) is Answer.UNKNOWN
    assert run(application, "evidence", "add", scan(tmp_path, "error", "note"), "--release", "1.0.0").exit_code == 0
    assert answer(application) is Answer.FAIL
    (high,) = found(application, "high")
    until = (application.today).isoformat()
    said = run(application, "waive", high, "--reason", "never shipped", "--until", until, "--key", str(key))
    assert "ann waives 1 finding" in said.stderr
    assert answer(application) is Answer.PASS
    (told,) = bodies(application.store, "FindingsWaived")
    (used,) = told["waivers"]
    assert {"owner": "ann", "reason": "never shipped", "until": until, "findings": [high]}.items() <= used.items()
    with application.store.begin() as tx:
        (kept,) = used_waivers(stream_of(tx, "release:rel_1"))
    assert (kept.key, [(use.stage, use.findings) for use in kept.uses]) == (public(key).strip(), [("release", (high,))])
    application.follow_settings()
    shown = run(application, "evidence", "findings", "--release", "1.0.0").stdout
    assert "0 high, 0 medium, 1 low, 0 info, 1 waived" in shown
    assert f"waived by ann until {until}" in shown
    assert "ann" in run(application, "waive", "list").stdout
    run(application, "waive", "withdraw", high)
    assert answer(application) is Answer.FAIL
    assert (application.root / "shipline.toml").read_text() == SETTINGS.format(key=public(key).strip())
    application.follow_settings()
    with pytest.raises(NothingToDo):
        run(application, "waive", "withdraw", high)


def test_a_waiver_that_has_ended_counts_no_more_the_day_after(
    application: Application, tmp_path: Path, key: Path
) -> None:
    """Nor one whose words were changed, or whose owner is no approver any more."""
    run(application, "evidence", "add", scan(tmp_path, "error"), "--release", "1.0.0")
    until = application.today.isoformat()
    run(application, "waive", *found(application, "high"), "--reason", "r", "--until", until, "--key", str(key))
    application.follow_settings()
    said, now_us = application.release_ground.waiving, application.clock.now_us()
    assert find_flaws(application.store, [Rule("all")], said, None, now_us).flaws == ()
    assert len(find_flaws(application.store, [Rule("all")], said, None, now_us + DAY_US).flaws) == 1
    changed = replace(said, waivers=(replace(said.waivers[0], reason="another"),))
    with application.store.begin() as tx:
        release = RELEASES.find(tx, "rel_1")
        assert release is not None
        counts = {
            "now": findings_now(tx, said, release, now_us).counts.waived,
            "tomorrow": findings_now(tx, said, release, now_us + DAY_US).counts.waived,
            "changed": findings_now(tx, changed, release, now_us).counts.waived,
            "nobody's": findings_now(tx, replace(said, approvers=()), release, now_us).counts.waived,
        }
    assert counts == {"now": 1, "tomorrow": 0, "changed": 0, "nobody's": 0}


def test_a_waiver_for_what_no_report_lists_is_said_to_be_one(application: Application, key: Path) -> None:
    """It is taken: a report may come. But a misspelt one waives nothing."""
    until = application.today.isoformat()
    said = run(application, "waive", "a" * 32, "--reason", "r", "--until", until, "--key", str(key))
    assert f"no report that was read in lists {'a' * 32}" in said.stderr
    again = Application(application.root)
    assert f"  {'a' * 32}: no report lists it\n" in run(again, "waive", "list").stdout
    again.store.close()


def test_a_release_judged_twice_alike_is_written_down_once(application: Application) -> None:
    with application.store.begin() as tx:
        release = RELEASES.find(tx, "rel_1")
    assert release is not None
    judged = reevaluate(application.release_ground, lambda: application.engine, release, SYSTEM)
    assert [stage.changed for stage in judged.stages] == [()]


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        (("--until", "2999-01-01"), UsageError, "at the latest"),
        (("--until", "soon"), UsageError, "given and until are days"),
        (("--until", "2020-01-01"), RefusedError, "count for nothing"),
        (("--until", "2026-12-01", "--reason", " "), UsageError, "no reason"),
        (("--until", "2026-12-01", "--as", "eve"), RefusedError, "no approver"),
    ],
)
def test_what_would_not_count_is_not_signed(
    application: Application, key: Path, more: tuple[str, ...], error: type[Exception], words: str
) -> None:
    before = (application.root / "shipline.toml").read_bytes()
    with pytest.raises(error, match=words):
        run(application, "waive", "a" * 32, "--reason", "r", "--key", str(key), *more)
    assert (application.root / "shipline.toml").read_bytes() == before


def test_a_file_that_is_refused_ends_with_1_and_the_others_are_kept(application: Application, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    files = (str(tmp_path / "broken.json"), scan(tmp_path, "note"))
    result = run(application, "evidence", "add", *files, "--release", "1.0.0")
    assert result.exit_code == 1
    assert "broken.json: refused, nothing of it is kept" in result.stdout
    listed = json.loads(run(application, "evidence", "list", "--release", "1.0.0", "--json").stdout)
    assert [piece["name"] for piece in listed["releases"][0]["evidence"]] == ["scan.sarif"]


WAIVER = Waiver(
    ("a" * 32,), "ann", 'a "reason" \\ with signs', "2026-11-28", "2026-12-01", "-----BEGIN\nx\n", "q", ("1",)
)


def test_waivers_are_written_into_a_file_and_out_of_it_and_all_else_stays() -> None:
    """Also between others, and at the end of an empty file."""
    text = "schema = 1\n\n# a remark\n"
    second = replace(WAIVER, reason="the second")
    both = with_waiver(with_waiver(text, WAIVER), second)
    assert without_waiver(without_waiver(both, WAIVER), second) == text
    assert without_waiver(with_waiver("", WAIVER), WAIVER).strip() == ""


def test_a_file_that_a_waiver_cannot_be_taken_out_of_is_left_to_people() -> None:
    """Its tables stand in a way that nothing here has written."""
    inline = "waiver = [{findings = ['%s'], owner = 'a', reason = 'r', given = 'g', until = 'u', signature = 's'}]\n"
    waiver = Waiver(("b" * 32,), "a", "r", "g", "u", "s")
    with pytest.raises(ConfigurationError, match="without changing more"):
        without_waiver(inline % ("b" * 32), waiver)
