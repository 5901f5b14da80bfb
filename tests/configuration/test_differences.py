"""Where two environments differ, and what of it is never told."""

from __future__ import annotations

from shipline.configuration import EnvironmentSettings
from shipline.configuration.differences import HIDDEN, Difference, differences
from shipline.configuration.settings import CheckSettings


def test_keys_that_differ_are_named_with_both_values() -> None:
    left = EnvironmentSettings("staging", instances=1, traffic={"port": 8001}, check=(CheckSettings("slow", min=1.0),))
    right = EnvironmentSettings("production", production=True, instances=3, traffic={"port": 8002})
    found = {one.key: one for one in differences(left, right)}
    assert found["instances"] == Difference("instances", 1, 3)
    assert found["traffic.port"] == Difference("traffic.port", 8001, 8002)
    assert found["production"] == Difference("production", False, True)
    assert found["check[0].name"] == Difference("check[0].name", "slow", None)
    assert "name" not in found
    assert differences(left, left) == ()


def test_a_value_that_may_be_secret_is_never_told() -> None:
    """The name of a variable that holds one is no secret."""
    left = EnvironmentSettings(
        "staging",
        target={
            "environment": {"MODE": "a"},
            "api_token": "hunter2",
            "index_url": "https://ann:hunter2@x.example",
            "command": ["serve", "postgres://ann:hunter2@db/x"],
            "token_environment": "STAGING_TOKEN",
        },
    )
    found = {one.key: one.left for one in differences(left, EnvironmentSettings("production"))}
    assert found == {
        "target.environment.MODE": HIDDEN,
        "target.api_token": HIDDEN,
        "target.index_url": HIDDEN,
        "target.command": HIDDEN,
        "target.token_environment": "STAGING_TOKEN",
    }
