"""What the wiring itself promises: the state folder is this machine's own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.bootstrap import STATE_FOLDER, Application
from shipline.configuration import EnvironmentSettings
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UsageError
from shipline.testing.histories import History


def test_a_state_folder_that_came_with_a_commit_is_refused(tmp_path: Path) -> None:
    """Its author would know the key that signs, and choose what was released and approved."""
    history = History(tmp_path)
    history.commit("feat: add a key", {f"{STATE_FOLDER}/signer/signing.key": "known to others"})
    with pytest.raises(RefusedError, match="put there by a commit"):
        _ = Application(tmp_path).state


def test_a_state_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """What is written would land wherever a commit wants it."""
    (tmp_path / "elsewhere").mkdir()
    History(tmp_path / "project")
    (tmp_path / "project" / STATE_FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="is a link"):
        _ = Application(tmp_path / "project").state
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("is_repository", [True, False])
def test_a_state_folder_is_closed_to_others(tmp_path: Path, *, is_repository: bool) -> None:
    """Whether it was there before or not, in a repository or not; a second use finds it."""
    if is_repository:
        History(tmp_path)
    (tmp_path / STATE_FOLDER).mkdir(mode=0o755)
    (tmp_path / STATE_FOLDER).chmod(0o755)
    assert Application(tmp_path).state.stat().st_mode & 0o077 == 0
    assert Application(tmp_path).state.is_dir()


def test_a_changelog_template_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """A changelog is published: a commit would choose which file of this machine is in it."""
    (tmp_path / "key").write_text("hunter2")
    History(tmp_path / "project")
    (tmp_path / "project" / "changelog.j2").symlink_to(tmp_path / "key")
    (tmp_path / "project" / "shipline.toml").write_text('[changelog]\ntemplate = "changelog.j2"\n')
    with pytest.raises(UsageError, match="cannot be read") as refused:
        _ = Application(tmp_path / "project").changelog_template
    assert "is a link" in refused.value.why
    (tmp_path / "project" / "changelog.j2").unlink()
    (tmp_path / "project" / "changelog.j2").write_text("{{ package }}")
    assert Application(tmp_path / "project").changelog_template == "{{ package }}"


def test_an_environments_secrets_are_read_where_its_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When they are asked for, and not when the rollout's ground is laid."""
    key = tmp_path / "key"
    key.write_text("from a file\n")
    key.chmod(0o600)
    (tmp_path / "project").mkdir()
    environment = EnvironmentSettings(
        "production",
        target={"command": ["serve"]},
        traffic={"port": 8000},
        variables={"LEVEL": "debug"},
        secrets={
            "A": {"environment": "PRODUCTION_A"},
            "B": {"file": str(key)},
            "C": {"provider": "command", "command": ["printf", "from {key}"], "key": "a program"},
        },
    )
    ground = Application(tmp_path / "project").rollout_ground(environment)
    with pytest.raises(ShiplineError, match="the secret A cannot be had: the environment variable PRODUCTION_A"):
        ground.variables.values()
    monkeypatch.setenv("PRODUCTION_A", "from here")
    secrets = {"A": "from here", "B": "from a file", "C": "from a program"}
    assert ground.variables.values() == {"LEVEL": "debug", **secrets}
    with pytest.raises(ConfigurationError, match="environment production: PATH cannot be given"):
        Application(tmp_path / "project").rollout_ground(replace(environment, variables={"PATH": ""}))
