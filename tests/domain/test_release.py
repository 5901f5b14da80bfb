"""What a release says of itself."""

from __future__ import annotations

import pytest

from shipline.domain.release import Release, ReleaseStatus


@pytest.mark.parametrize(
    ("channel", "expected"),
    [("stable", False), ("1.x", False), ("1.4.x", False), ("rc", True), ("dev", True), ("snapshot", True), ("x", True)],
)
def test_what_is_on_a_word_s_channel_is_a_pre_release(channel: str, *, expected: bool) -> None:
    """A gate for final versions is asked by it: a maintenance branch releases final versions."""
    release = Release("rel_1", "app", "1.0.0", "v1.0.0", ReleaseStatus.PREPARING, 1, 0, channel=channel)
    assert release.is_prerelease is expected
