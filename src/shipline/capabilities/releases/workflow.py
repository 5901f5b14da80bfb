"""A release as data: the steps from a plan to a published, proven version."""

from __future__ import annotations

from shipline.engine.workflow import NO_UNDO, OnFailure, Recovery, Step, Workflow

RELEASE_WORKFLOW = "release"
YANK_WORKFLOW = "yank"
FILES_TIMEOUT_S = 120
BUILD_TIMEOUT_S = 3600
TEST_TIMEOUT_S = 4 * 3600
NETWORK_TIMEOUT_S = 900
REGISTRIES_TIMEOUT_S = 3600


def _step(name: str, title: str, timeout_s: int) -> Step:
    """Every step looks at what is there and does only what is missing, so each may be repeated."""
    return Step(name, title, Recovery.REPEAT, NO_UNDO, timeout_s, attempts_max=4)


def release_workflow() -> Workflow:
    """The steps of one release.

    A failed step stops the release where it is; `shipline release` goes on from there. Nothing is taken back by
    itself: a tag that was seen may be relied on, and a version that was published can only be yanked.
    """
    return Workflow(
        name=RELEASE_WORKFLOW,
        steps=(
            _step("edit", "Set the version in its files and write the changelog", FILES_TIMEOUT_S),
            _step("commit", "Commit them", FILES_TIMEOUT_S),
            _step("tag", "Create the annotated tag", FILES_TIMEOUT_S),
            _step("build", "Build the artifacts from the tagged commit", BUILD_TIMEOUT_S),
            _step("test", "Run the tests and read their reports", TEST_TIMEOUT_S),
            _step("scan", "Run the scanners and read their reports", TEST_TIMEOUT_S),
            _step("prove", "Write SBOM and provenance, and sign them", FILES_TIMEOUT_S),
            _step("gate", "Ask the gates", FILES_TIMEOUT_S),
            _step("ask", "Ask the registries whether they would take it", NETWORK_TIMEOUT_S),
            _step("confirm", "See that the gates and the calendar still let it pass", FILES_TIMEOUT_S),
            _step("push", "Push commit and tag", NETWORK_TIMEOUT_S),
            _step("sign", "Sign what is published, before anybody can meet it", REGISTRIES_TIMEOUT_S),
            _step("publish", "Publish to each registry and read it back", REGISTRIES_TIMEOUT_S),
            _step("bundle", "Write the evidence bundle", FILES_TIMEOUT_S),
            _step("forge", "Show the release with its files on the forge", NETWORK_TIMEOUT_S),
            _step("move", "Move the tags that follow the releases", NETWORK_TIMEOUT_S),
        ),
        on_failure=OnFailure.STOP,
    )


def yank_workflow() -> Workflow:
    """Taking a version back everywhere; a place that is down is asked again, and does not keep the others waiting."""
    return Workflow(
        name=YANK_WORKFLOW,
        steps=(
            _step("mark", "Have git remember it", NETWORK_TIMEOUT_S),
            _step("registries", "Take it back from each registry", REGISTRIES_TIMEOUT_S),
            _step("tags", "Let the tags that follow the releases go back", NETWORK_TIMEOUT_S),
            _step("page", "Mark its page on the forge", NETWORK_TIMEOUT_S),
            _step("revert", "Propose to revert its changes", NETWORK_TIMEOUT_S),
            _step("rest", "Ask again those that did not answer", REGISTRIES_TIMEOUT_S),
        ),
        on_failure=OnFailure.STOP,
    )


WORKFLOWS = (release_workflow(), yank_workflow())
