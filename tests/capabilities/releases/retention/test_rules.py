"""What has been kept long enough, and what something still needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.releases.retention import Held, Keep, due

OLD = Held(
    release_id="rel_1",
    package="quotes",
    version="1.0.0",
    published_us=100,
    has_bundle=True,
    is_newest=False,
    is_served=False,
    served_until_us=None,
    sizes={"reports": 3, "dist": 5},
)
KEEP = Keep(reports_us=50, artifacts_us=50)


def kinds(held: Held, keep: Keep = KEEP, now_us: int = 150) -> list[str]:
    return [one.kind for one in due((held,), keep, now_us)]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ["reports", "dist"]),
        ({"published_us": 101}, []),
        ({"published_us": None}, []),
        ({"has_bundle": False}, []),
        ({"is_newest": True}, ["reports"]),
        ({"is_served": True}, ["reports"]),
        ({"served_until_us": 120}, ["reports"]),
        ({"served_until_us": 90}, ["reports", "dist"]),
        ({"sizes": {"dist": 5}}, ["dist"]),
    ],
)
def test_what_something_needs_stays(changes: dict[str, object], found: list[str]) -> None:
    """Until it is public and bundled; what was built as long as it serves, may be gone back to, or is the newest."""
    assert kinds(replace(OLD, **changes)) == found  # type: ignore[arg-type]  # each is of its field's type


def test_without_a_limit_all_is_kept() -> None:
    assert kinds(OLD, Keep()) == []
    assert kinds(OLD, Keep(reports_us=50)) == ["reports"]
