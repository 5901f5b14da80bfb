"""Room `releases`: ReleasePlan + Verdict -> Release + Artifacts.

Promises: a version's bytes are built once, from the tagged commit, and published only after every gate has said PASS;
a release that was cut off goes on from where it stopped, also from an empty store; nothing is published twice.
Does not decide versions (`plans`) or gates (`gates`), and does not deploy (`rollouts`).
"""

from shipline.capabilities.releases.ground import ReleaseGround, TestRun
from shipline.capabilities.releases.ordering import Candidate, release_package
from shipline.capabilities.releases.proof import ProofSteps
from shipline.capabilities.releases.queries import (
    EVIDENCE,
    RELEASES,
    VERDICTS,
    all_releases,
    evidence_of,
    find_release,
    verdicts_of,
)
from shipline.capabilities.releases.steps import ArtifactSteps, FileSteps
from shipline.capabilities.releases.usecases import follow_run
from shipline.capabilities.releases.version_files import detect
from shipline.capabilities.releases.withdrawal import withdraw_release
from shipline.capabilities.releases.workflow import release_workflow

__all__ = [
    "EVIDENCE",
    "RELEASES",
    "VERDICTS",
    "ArtifactSteps",
    "Candidate",
    "FileSteps",
    "ProofSteps",
    "ReleaseGround",
    "TestRun",
    "all_releases",
    "detect",
    "evidence_of",
    "find_release",
    "follow_run",
    "release_package",
    "release_workflow",
    "verdicts_of",
    "withdraw_release",
]
