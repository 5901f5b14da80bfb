"""Secrets in files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.provider import ProviderContext
from shipline.providers.secrets.file import FileSecrets
from shipline.testing.conformance.secrets import Keep, SecretsConformance
from tests.machine import SystemClock


@pytest.fixture
def secrets(tmp_path: Path) -> FileSecrets:
    return FileSecrets(FileSecrets.Settings(), ProviderContext(tmp_path, tmp_path, SystemClock()))


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    def keep(name: str, value: str) -> str:
        path = tmp_path / name
        path.write_text(value + "\n")
        path.chmod(0o600)
        return str(path)

    return keep


class TestFileSecrets(SecretsConformance):
    @pytest.fixture
    def secrets(self, secrets: FileSecrets) -> FileSecrets:
        return secrets

    @pytest.fixture
    def keep(self, keep: Keep) -> Keep:
        return keep

    @pytest.fixture
    def missing(self, tmp_path: Path) -> str:
        return str(tmp_path / "MISSING")


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o777])
def test_a_file_that_others_can_reach_is_refused(secrets: FileSecrets, keep: Keep, mode: int) -> None:
    key = keep("ONE", "hunter2")
    Path(key).chmod(mode)
    with pytest.raises(RefusedError, match="can be reached by other users") as refused:
        secrets.read(key)
    assert f"mode is {mode:04o}" in refused.value.why
    assert "chmod 600" in refused.value.todo


def test_one_that_its_group_may_read_is_taken_and_so_is_a_link(
    secrets: FileSecrets, keep: Keep, tmp_path: Path
) -> None:
    """As Kubernetes mounts secrets."""
    key = keep("ONE", "hunter2")
    Path(key).chmod(0o440)
    (tmp_path / "link").symlink_to(key)
    assert secrets.read(str(tmp_path / "link")) == "hunter2"


def test_a_path_in_the_repository_is_refused(secrets: FileSecrets) -> None:
    """A commit could leave a link there, to a file that is not meant."""
    with pytest.raises(ConfigurationError, match="is not absolute"):
        secrets.read("secrets/one")


def test_what_is_no_file_is_refused_and_holds_nobody_up(secrets: FileSecrets, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigurationError, match="is not a file"):
            secrets.read(str(path))
