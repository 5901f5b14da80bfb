"""The action of every step of the room's workflows."""

from __future__ import annotations

from functools import partial

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.proof import ProofSteps
from shipline.capabilities.releases.steps import ArtifactSteps, FileSteps
from shipline.capabilities.releases.withdrawal import withdraw_step
from shipline.capabilities.releases.workflow import RELEASE_WORKFLOW, WITHDRAWAL_WORKFLOW
from shipline.engine.workflow import Action


def actions(ground: ReleaseGround) -> dict[str, Action]:
    """By `workflow.step`."""
    files, artifacts, proof = FileSteps(ground), ArtifactSteps(ground), ProofSteps(ground)
    release: dict[str, Action] = {
        "edit": files.edit,
        "commit": files.commit,
        "tag": files.tag,
        "build": artifacts.build,
        "test": proof.test,
        "prove": proof.prove,
        "gate": proof.gate,
        "push": files.push,
        "publish": artifacts.publish,
        "bundle": proof.bundle,
    }
    named = {f"{RELEASE_WORKFLOW}.{name}": action for name, action in release.items()}
    return named | {f"{WITHDRAWAL_WORKFLOW}.withdraw": partial(withdraw_step, ground)}
