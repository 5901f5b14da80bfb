"""Behaviour of rules, merging and variables that every Forge owes its callers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shipline.domain.errors import ConflictError, RefusedError, UnavailableError
from shipline.ports.forge import Forge
from shipline.ports.forge.guards import BranchRule, EnvironmentRule, MergeRules, SecurityFeature, Variable
from shipline.ports.forge.reviews import MergeMethod

RULE = BranchRule("release/*", approvals=2, code_owners=True, checks=("lint", "test"))


def surely(act: Callable[[], None], lose_answer: Callable[[], None]) -> None:
    """Do it while the answer is lost, and again if need be."""
    lose_answer()
    try:
        act()
    except UnavailableError:
        act()


def kept(rule: BranchRule, forge: Forge) -> BranchRule:
    """What this kind of forge has of it."""
    plain = BranchRule(rule.pattern)
    without = {word.removeprefix("branch.") for word in forge.unkept() if word.startswith("branch.")}
    return replace(rule, **{name: getattr(plain, name) for name in without})


class GuardsConformance:
    """A part of `ForgeConformance`."""

    def test_a_branch_rule_is_there_once_and_as_it_was_wanted_last(
        self, forge: Forge, lose_answer: Callable[[], None]
    ) -> None:
        assert forge.branch_rules() == ()
        surely(lambda: forge.ensure_branch_rule(RULE), lose_answer)
        assert forge.branch_rules() == (kept(RULE, forge),)
        forge.ensure_branch_rule(BranchRule("main"))
        looser = BranchRule("release/*", pull_requests=False, force_push=True)
        surely(lambda: forge.ensure_branch_rule(looser), lose_answer)
        assert forge.branch_rules() == (BranchRule("main"), looser)
        forge.ensure_branch_rule(replace(looser, force_push=False))
        assert forge.branch_rules()[1] == replace(looser, force_push=False)
        for _ in range(2):
            forge.delete_branch_rule("release/*")
        assert forge.branch_rules() == (BranchRule("main"),)

    def test_a_tag_rule_is_there_once(self, forge: Forge, lose_answer: Callable[[], None]) -> None:
        surely(lambda: forge.ensure_tag_rule("v*"), lose_answer)
        forge.ensure_tag_rule("v*")
        assert forge.tag_rules() == ("v*",)
        for _ in range(2):
            forge.delete_tag_rule("v*")
        assert forge.tag_rules() == ()

    def test_merging_is_as_it_was_wanted_last(self, forge: Forge, lose_answer: Callable[[], None]) -> None:
        for methods in ({MergeMethod.SQUASH}, {MergeMethod.MERGE, MergeMethod.SQUASH}, {MergeMethod.REBASE}):
            wanted = MergeRules(frozenset(methods), delete_branch=MergeMethod.SQUASH in methods)
            surely(lambda wanted=wanted: forge.set_merge_rules(wanted), lose_answer)  # type: ignore[misc] # its default
            assert forge.merge_rules() == wanted

    def test_a_variable_is_there_once_and_as_it_was_wanted_last(
        self, forge: Forge, lose_answer: Callable[[], None]
    ) -> None:
        surely(lambda: forge.ensure_variable(Variable("STAGE", "one")), lose_answer)
        surely(lambda: forge.ensure_variable(Variable("STAGE", "two")), lose_answer)
        forge.ensure_variable(Variable("ANOTHER", "three"))
        assert forge.variables() == (Variable("ANOTHER", "three"), Variable("STAGE", "two"))
        for _ in range(2):
            forge.delete_variable("ANOTHER")
        assert forge.variables() == (Variable("STAGE", "two"),)

    def test_a_secret_of_ci_is_known_by_its_name_alone(self, forge: Forge, lose_answer: Callable[[], None]) -> None:
        surely(lambda: forge.set_ci_secret("REGISTRY_TOKEN", "one-of-eight-or-more"), lose_answer)
        forge.set_ci_secret("REGISTRY_TOKEN", "another-of-eight-or-more")
        forge.set_ci_secret("ANOTHER", "a-third-of-eight-or-more")
        forge.ensure_variable(Variable("STAGE", "one"))
        assert forge.ci_secrets() == ("ANOTHER", "REGISTRY_TOKEN")
        assert forge.variables() == (Variable("STAGE", "one"),)
        for _ in range(2):
            forge.delete_ci_secret("ANOTHER")
        assert forge.ci_secrets() == ("REGISTRY_TOKEN",)

    def test_security_features_are_as_they_were_wanted_last(
        self, forge: Forge, lose_answer: Callable[[], None]
    ) -> None:
        assert forge.security() == frozenset()
        if "security" in forge.unkept():
            with pytest.raises(ConflictError):
                forge.set_security(frozenset(SecurityFeature))
            return
        surely(lambda: forge.set_security(frozenset(SecurityFeature)), lose_answer)
        forge.set_security(frozenset({SecurityFeature.SECRETS}))
        assert forge.security() == {SecurityFeature.SECRETS}

    def test_an_environment_is_there_once(self, forge: Forge, lose_answer: Callable[[], None]) -> None:
        if "environment" in forge.unkept():
            with pytest.raises(ConflictError):
                forge.ensure_environment("production")
            assert forge.environments() == ()
            return
        surely(lambda: forge.ensure_environment("eu/production"), lose_answer)
        forge.ensure_environment("eu/production")
        assert forge.environments() == ("eu/production",)
        for _ in range(2):
            forge.delete_environment("eu/production")
        assert forge.environments() == ()

    def test_a_rule_of_an_environment_takes_away_nothing(self, forge: Forge, lose_answer: Callable[[], None]) -> None:
        rule = EnvironmentRule("production", ("ada", "grace"))
        if "environment rule" in forge.unkept():
            with pytest.raises(ConflictError):
                forge.ensure_environment_rule(rule)
            assert forge.environment_rules() == ()
            return
        surely(lambda: forge.ensure_environment_rule(rule), lose_answer)
        forge.ensure_environment_rule(EnvironmentRule("production", protected_branches=True))
        forge.ensure_environment("staging")
        whole = EnvironmentRule("production", ("ada", "grace"), protected_branches=True)
        assert forge.environment_rules() == (whole, EnvironmentRule("staging"))
        forge.ensure_environment_rule(EnvironmentRule("production", ("grace",)))
        assert forge.environment_rules()[0].reviewers == ("grace",)
        with pytest.raises(ConflictError):
            forge.ensure_environment_rule(EnvironmentRule("production", ("nobody-at-all",)))

    def test_guards_take_the_right_to_write(self, forge: Forge, forbid: Callable[[], None]) -> None:
        forbid()
        with pytest.raises(RefusedError):
            forge.ensure_branch_rule(RULE)
        with pytest.raises(RefusedError):
            forge.ensure_variable(Variable("STAGE", "one"))
        with pytest.raises(RefusedError) as caught:
            forge.set_ci_secret("REGISTRY_TOKEN", "one-of-eight-or-more")
        assert "one-of-eight" not in caught.value.diagnosis()
