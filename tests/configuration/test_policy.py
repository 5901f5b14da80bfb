"""A commit may ask for more than the protected branch does, and never for less."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.capabilities.gates import QUALITY, SETS, gates_in, standing
from shipline.capabilities.releases.statuses import status_of
from shipline.configuration import Settings, parse_settings
from shipline.configuration.check import problems
from shipline.configuration.policy import HERE, Policy, read_policy, tightened
from shipline.domain.errors import ConfigurationError
from shipline.domain.verdict import Answer, Verdict
from shipline.testing.histories import History

STRICT = """
[release]
branch = "main"
[[gate]]
name = "coverage"
rule = "coverage.percent >= 80.0"
[[environment]]
name = "production"
instances = 2
"""
FREEZE = """
[[calendar]]
name = "Germany"
kind = "freeze"
stages = ["release"]
begins = "2026-12-18 18:00"
ends = "2027-01-04 08:00"
timezone = "Europe/Berlin"
"""


def settings(text: str) -> Settings:
    return parse_settings(text.encode())


def stated(policy: Policy) -> list[tuple[str, str]]:
    return [(gate.name, gate.rule) for gate in policy.gates]


class TestTightened:
    def test_a_gate_that_a_commit_takes_away_counts_all_the_same(self) -> None:
        policy = tightened(settings(STRICT), settings('[release]\nbranch = "main"'), "there")
        assert stated(policy) == [("coverage", "coverage.percent >= 80.0")]
        assert any("'coverage'" in sentence for sentence in policy.left_out)

    def test_a_gate_that_a_commit_loosens_is_asked_as_it_was_and_as_it_is(self) -> None:
        policy = tightened(settings(STRICT), settings(STRICT.replace("80.0", "10.0")), "there")
        assert stated(policy) == [
            ("coverage", "coverage.percent >= 80.0"),
            ("coverage (as changed here)", "coverage.percent >= 10.0"),
        ]

    @pytest.mark.parametrize(
        ("there", "here"),
        [("coverage", "coverage "), ("a  b", "a\\tb"), ("coverage", "Coverage"), ("x" * 300, "x" * 299 + "y")],
    )
    def test_a_gate_that_only_looks_like_another_one_gets_a_name_of_its_own(self, there: str, here: str) -> None:
        """On a forge both would be one status, and the last to be posted would stand: the commit's."""
        strict, loose = (
            f'[[gate]]\nname = "{name}"\nrule = "{rule}"' for name, rule in ((there, "1 == 2"), (here, "true"))
        )
        first, second = tightened(settings(strict), settings(loose), "there").gates
        assert (first.name, second.rule) == (there, "true")
        contexts = {
            status_of(Verdict(one.name, Answer.PASS, ("r",), 0, {}), "release").context for one in (first, second)
        }
        assert len({context.casefold() for context in contexts}) == 2

    def test_a_gate_that_a_commit_adds_counts_at_once(self) -> None:
        more = STRICT + '[[gate]]\nname = "tests"\nrule = "tests.failed == 0"\n'
        policy = tightened(settings(STRICT), settings(more), "there")
        assert policy.added_gates == {("release", "tests")}
        assert tightened(None, settings(more), HERE).added_gates == frozenset()
        assert [name for name, _ in stated(policy)] == ["coverage", "tests"]
        assert policy.left_out == ()

    def test_the_usual_gates_stay_where_a_commit_takes_its_tests_away_or_states_a_gate_instead(self) -> None:
        tested = settings('[[test]]\nname = "unit"\ncommand = ["true"]')
        for own in ("", '[[gate]]\nname = "easy"\nrule = "tests.failed >= 0"'):
            assert tightened(tested, settings(own), "there").gates[: len(QUALITY)] == QUALITY

    def test_a_commit_may_add_a_gate_set_and_takes_none_away(self) -> None:
        """Each gate says where it is from; a set that a commit leaves out is said to count."""
        there = settings('[gates]\nsets = ["security"]')
        more = tightened(there, settings('[gates]\nsets = ["compliance", "security"]'), "there")
        assert more.gates == gates_in(("security", "compliance"))
        assert more.left_out == ()
        assert more.origins["release", "findings"] == "the set security of there"
        assert more.origins["release", "licences"] == f"the set compliance of {HERE}"
        less = tightened(there, settings('[gates]\nsets = ["quality"]'), "there")
        assert {gate.name for gate in less.gates} == {gate.name for gate in gates_in(("security", "quality"))}
        assert any("set 'security' counts" in sentence for sentence in less.left_out)

    def test_who_names_a_set_has_that_one_and_who_names_none_has_quality(self) -> None:
        tested = '[[test]]\nname = "unit"\ncommand = ["true"]\n'
        assert tightened(None, settings(tested), HERE).gates == QUALITY
        assert tightened(None, settings(tested + "[gates]\nsets = []"), HERE).gates == QUALITY
        assert tightened(None, settings(tested + '[gates]\nsets = ["security"]'), HERE).gates == SETS["security"]
        own = '[[gate]]\nname = "mine"\nrule = "true"\n'
        assert [gate.name for gate in tightened(None, settings(tested + own), HERE).gates] == ["mine"]

    def test_a_gate_with_the_name_of_one_in_a_set_is_refused(self) -> None:
        own = settings('[gates]\nsets = ["quality"]\n[[gate]]\nname = "tests"\nrule = "true"')
        with pytest.raises(ConfigurationError, match="'tests' is in the set quality"):
            tightened(None, own, HERE)
        assert any("a name of its own" in problem.todo for problem in problems(own))
        with pytest.raises(ConfigurationError, match="quality, security"):
            settings('[gates]\nsets = ["secure"]')

    def test_a_freeze_of_the_protected_branch_counts_as_it_is_there_and_one_may_be_added(self) -> None:
        own = settings(FREEZE.replace("Germany", "mine"))
        assert [rule.name for rule in tightened(settings(FREEZE), own, "there").calendar] == ["Germany", "mine"]
        taken_away = tightened(settings(FREEZE), settings(""), "there")
        assert [rule.name for rule in taken_away.calendar] == ["Germany"]
        assert any("freeze 'Germany' counts as it is there" in sentence for sentence in taken_away.left_out)

    def test_an_exemption_that_a_commit_grants_itself_counts_for_nothing(self) -> None:
        granted = (
            FREEZE
            + 'exemptions = [{ release = "quotes 1.0.0", reason = "mine", approver = "me", until = "2027-01-01 00:00"}]'
        )
        policy = tightened(settings(FREEZE), settings(granted), "there")
        moment_us = 1_798_000_000 * 1_000_000  # 2026-12-23
        assert not standing(policy.calendar, "release", moment_us, release="quotes 1.0.0", signed=("me",)).is_open

    def test_a_window_that_a_commit_adds_opens_nothing(self) -> None:
        window = (
            '[[calendar]]\nname = "always"\nkind = "window"\nstages = ["release"]\ncron = "0 * * * *"\nlasts = "1h"'
        )
        policy = tightened(settings(FREEZE), settings(FREEZE + window), "there")
        assert [rule.name for rule in policy.calendar] == ["Germany"]
        assert any("window 'always' is not there yet" in sentence for sentence in policy.left_out)

    def test_environments_and_the_branch_are_those_of_the_protected_branch(self) -> None:
        own = settings(STRICT.replace('"main"', '"mine"').replace("instances = 2", "instances = 1"))
        policy = tightened(settings(STRICT), own, "there")
        assert (policy.branch, policy.environments[0].instances) == ("main", 2)
        assert len(policy.left_out) == 2

    def test_a_threshold_and_its_source_are_those_of_the_protected_branch(self) -> None:
        """A commit may neither loosen its own check, nor have a credential sent elsewhere."""
        check = '[[environment.check]]\nname = "latency"\nquery = "latency"\nmax = {max}\nmetrics.url = "{url}"\n'
        strict = settings(STRICT + check.format(max=0.5, url="http://127.0.0.1:9090"))
        for max_, url in ((5.0, "http://127.0.0.1:9090"), (0.5, "http://127.0.0.2:9090")):
            policy = tightened(strict, settings(STRICT + check.format(max=max_, url=url)), "there")
            assert policy.environments == strict.environment
            assert policy.left_out == ("the environment 'production' counts as it is there, though it is not so here",)

    def test_an_environment_that_only_a_commit_names_does_not_count(self) -> None:
        policy = tightened(settings(STRICT), settings(STRICT + '[[environment]]\nname = "other"'), "there")
        assert [environment.name for environment in policy.environments] == ["production"]
        assert policy.left_out == ("the environment 'other' is not there yet, so it does not count",)

    def test_where_nothing_is_protected_all_is_taken_as_it_lies_here(self) -> None:
        own = settings(STRICT)
        policy = tightened(None, own, HERE)
        assert (policy.gates, policy.environments, policy.branch) == (own.gate, own.environment, "main")


class TestReadPolicy:
    @pytest.fixture
    def history(self, tmp_path: Path) -> History:
        made = History(tmp_path / "quotes")
        made.commit("feat: begin", {"shipline.toml": STRICT})
        return made

    def test_the_branch_that_is_released_from_is_asked(self, history: History) -> None:
        history.git("switch", "--quiet", "--create", "loose")
        own = settings('[release]\nbranch = "main"')
        assert stated(read_policy(own, history.repository, folder=".", named="")) != []

    def test_what_the_remote_has_comes_before_what_lies_here(self, history: History) -> None:
        """Its default branch is asked even if the commit names another remote, or none, and another branch."""
        history.git("update-ref", "refs/remotes/origin/main", "HEAD")
        history.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
        loose = '[release]\nbranch = "loose"\nremote = "mine"'
        history.git("switch", "--quiet", "--create", "loose")
        history.commit("feat: make it easy", {"shipline.toml": loose})
        policy = read_policy(settings(loose), history.repository, folder=".", named="")
        assert policy.branch == "main"
        assert policy.source.startswith("shipline.toml of origin (")

    def test_a_named_branch_or_file_is_asked_before_all_others(self, history: History, tmp_path: Path) -> None:
        history.git("branch", "rules")
        loose = settings("")
        assert read_policy(loose, history.repository, folder=".", named="rules").branch == "main"
        (tmp_path / "shipline.toml").write_text(STRICT)
        assert read_policy(loose, None, folder=".", named=str(tmp_path / "shipline.toml")).branch == "main"

    @pytest.mark.parametrize("named", ["nowhere", "--all", "main..main", "/no/such/shipline.toml", "/etc/hostname"])
    def test_a_named_place_that_is_not_there_opens_nothing(self, history: History, named: str) -> None:
        with pytest.raises(ConfigurationError, match="SHIPLINE_POLICY"):
            read_policy(settings(""), history.repository, folder=".", named=named)

    def test_a_policy_that_cannot_be_read_opens_nothing(self, history: History) -> None:
        history.commit("chore: break it", {"shipline.toml": "[[gate]"})
        with pytest.raises(ConfigurationError, match="not valid TOML"):
            read_policy(settings(""), history.repository, folder=".", named="main")

    def test_a_project_in_a_folder_of_its_repository_has_its_policy_there(self, history: History) -> None:
        history.commit("feat: move", {"app/shipline.toml": STRICT.replace('"coverage"', '"inner"')})
        policy = read_policy(settings(""), history.repository, folder="app", named="main")
        assert [name for name, _ in stated(policy)] == ["inner"]

    def test_a_branch_without_settings_protects_nothing_yet(self, history: History) -> None:
        history.git("rm", "--quiet", "shipline.toml")
        history.commit("chore: none")
        policy = read_policy(settings(STRICT), history.repository, folder=".", named="main")
        assert [name for name, _ in stated(policy)] == ["coverage"]
