"""Policies and expectations that others wrote: a selection of Kyverno's library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kyverno_tests import expectations

ROOT = Path(__file__).resolve().parents[3] / "data" / "kyverno-policies"
TESTS = sorted(ROOT.rglob("kyverno-test.yaml"))
# A CronJob of batch/v1beta1: the rule that is made for CronJobs is about batch/v1. Kyverno counts it as passed, too.
NOT_ABOUT = ("memory-requests-equal-limits", "CronJob/hello")


@pytest.mark.parametrize("test", TESTS, ids=lambda path: "/".join(path.relative_to(ROOT).parts[:-2]))
def test_answers_agree_with_kyvernos(test: Path) -> None:
    """Every expectation of the policy's own test."""
    found = list(expectations(test, ROOT))
    others = [each for each in found if each.kind != "agree" and (each.policy, each.resource) != NOT_ABOUT]
    assert found
    assert others == []
