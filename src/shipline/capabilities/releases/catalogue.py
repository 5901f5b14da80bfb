"""The action of every step of the room's workflows."""

from __future__ import annotations

from shipline.capabilities.releases.forge_page import ForgeSteps
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.moving_tags import MovingTagSteps
from shipline.capabilities.releases.proof import ProofSteps
from shipline.capabilities.releases.publishing import PublishSteps
from shipline.capabilities.releases.scanning import ScanSteps
from shipline.capabilities.releases.signing import SignSteps
from shipline.capabilities.releases.steps import ArtifactSteps, FileSteps
from shipline.capabilities.releases.workflow import RELEASE_WORKFLOW, YANK_WORKFLOW
from shipline.capabilities.releases.yank import YankSteps
from shipline.engine.workflow import Action


def actions(ground: ReleaseGround) -> dict[str, Action]:
    """By `workflow.step`."""
    files, artifacts, proof = FileSteps(ground), ArtifactSteps(ground), ProofSteps(ground)
    public, back = PublishSteps(ground), YankSteps(ground)
    release: dict[str, Action] = {
        "edit": files.edit,
        "commit": files.commit,
        "tag": files.tag,
        "build": artifacts.build,
        "test": proof.test,
        "scan": ScanSteps(ground).scan,
        "prove": proof.prove,
        "gate": proof.gate,
        "ask": public.ask,
        "confirm": proof.confirm,
        "push": files.push,
        "sign": SignSteps(ground).sign,
        "publish": public.publish,
        "bundle": proof.bundle,
        "forge": ForgeSteps(ground).show,
        "move": MovingTagSteps(ground).move,
    }
    named = {f"{RELEASE_WORKFLOW}.{name}": action for name, action in release.items()}
    yank: dict[str, Action] = {
        "mark": back.mark,
        "registries": back.registries,
        "tags": back.tags,
        "page": back.page,
        "revert": back.revert,
        "rest": back.rest,
    }
    return named | {f"{YANK_WORKFLOW}.{name}": action for name, action in yank.items()}
