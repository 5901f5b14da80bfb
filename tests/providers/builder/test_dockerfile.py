"""A stage for the tests is added to a Dockerfile, and nothing else in it changes."""

from __future__ import annotations

import pytest

from shipline.providers.builder.dockerfile import with_tests

TESTS = (("app", "--check"), ("sh", "-c", 'echo "a b"'))
ADDED = '\n\nFROM {stage} AS shipline-test\nRUN ["app", "--check"]\nRUN ["sh", "-c", "echo \\"a b\\""]\n'


@pytest.mark.parametrize(
    ("dockerfile", "stage", "kept", "tested"),
    [
        ("FROM scratch\nCOPY a /a\n", "", "FROM scratch AS shipline-tested\nCOPY a /a", "shipline-tested"),
        ("FROM a AS one\nFROM b as Two\n", "", "FROM a AS one\nFROM b as Two", "Two"),
        ("FROM a AS one\nFROM b\nRUN x", "one", "FROM a AS one\nFROM b\nRUN x", "one"),
        (
            "# syntax=docker/dockerfile:1\nfrom --platform=$BUILDPLATFORM a:1 \nRUN echo FROM here\n",
            "",
            "# syntax=docker/dockerfile:1\nfrom --platform=$BUILDPLATFORM a:1 AS shipline-tested\nRUN echo FROM here",
            "shipline-tested",
        ),
    ],
)
def test_the_stage_is_added_last(dockerfile: str, stage: str, kept: str, tested: str) -> None:
    assert with_tests(dockerfile, stage, TESTS) == kept + ADDED.format(stage=tested)


@pytest.mark.parametrize(("dockerfile", "stage", "told"), [("RUN x", "", "no FROM"), ("FROM a", "web", "'web'")])
def test_a_dockerfile_without_that_stage_is_refused(dockerfile: str, stage: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        with_tests(dockerfile, stage, TESTS)
