"""Which release is to be called the latest."""

from __future__ import annotations

import pytest

from shipline.providers.forge.latest import rank_of


@pytest.mark.parametrize(
    ("tag", "latest", "expected"),
    [
        ("v1.0.0", None, "true"),
        ("v2.0.0", "v1.9.9", "true"),
        ("v2.0.0", "v2.0.0", "true"),
        ("v1.10.0", "v1.9.0", "true"),
        ("v1.0.1", "v2.0.0", "false"),
        ("1.0.1", "v2.0.0", "false"),
        ("2026.11.1", "2026.9.3", "true"),
        ("@team/quotes@1.0.1", "@team/quotes@2.0.0", "false"),
        ("quotes-v2.0.0", "quotes-v1.0.0", "true"),
        ("s3-client-v1.0.1", "s3-client-v2.0.0", "false"),
        # Other packages, and tags of another kind.
        ("quotes-v1.0.0", "api-v2.0.0", "legacy"),
        ("v1.0.0", "nightly", "legacy"),
        ("nightly", "v1.0.0", "legacy"),
    ],
)
def test_of_one_package_the_higher_version_is_the_latest(tag: str, latest: str | None, expected: str) -> None:
    assert rank_of(tag, latest) == expected
