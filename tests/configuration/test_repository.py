"""`[repository]`: what is refused before a forge is asked."""

from __future__ import annotations

import pytest

from shipline.configuration.repository import (
    BranchSettings,
    LabelSettings,
    MergeSettings,
    MilestoneSettings,
    RepositorySettings,
    VariableSettings,
    repository_complaints,
)
from tests.secret_shapes import ALL, leaked


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (RepositorySettings(label=(LabelSettings("bug"), LabelSettings("Bug"))), "the label 'bug' is there twice"),
        (RepositorySettings(prune=("tag",)), "no tag is said, so that all of them would go"),
        (RepositorySettings(milestone=(MilestoneSettings("1.0", due_on="2027-02-30"),)), "no such day"),
        (RepositorySettings(merge=MergeSettings(delete_branch=True)), "counts only with methods"),
        (RepositorySettings(branch=(BranchSettings("main", pull_requests=False, approvals=1),)), "are about pull"),
    ],
)
def test_what_contradicts_itself_is_refused(settings: RepositorySettings, said: str) -> None:
    (complaint,) = repository_complaints(settings)
    assert said in complaint.what


def test_a_variable_that_looks_like_a_secret_is_refused_and_not_shown() -> None:
    (complaint,) = repository_complaints(RepositorySettings(variable=(VariableSettings("STAGE", ALL),)))
    assert leaked(complaint.diagnosis()) == []
