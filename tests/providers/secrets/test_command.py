"""Secrets by a program."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, MissingProgram, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.providers.secrets.command import CommandSecrets
from shipline.testing.conformance.secrets import Keep, SecretsConformance
from tests.machine import SystemClock, wait_until


def saying(folder: Path, script: str, **others: object) -> CommandSecrets:
    """A program that is a shell script; its first argument is the key."""
    settings = CommandSecrets.Settings(("/bin/sh", "-c", script, "sh", "{key}"), **others)  # type: ignore[arg-type] # a test's
    return CommandSecrets(settings, ProviderContext(folder, folder, SystemClock(), "production"))


class TestCommandSecrets(SecretsConformance):
    @pytest.fixture
    def secrets(self, tmp_path: Path) -> CommandSecrets:
        return saying(tmp_path, 'cat "vault/$1"')

    @pytest.fixture
    def keep(self, tmp_path: Path) -> Keep:
        (tmp_path / "vault").mkdir()

        def keep(name: str, value: str) -> str:
            (tmp_path / "vault" / name).write_text(value + "\n")
            return name

        return keep


def test_a_key_is_one_argument_whatever_is_in_it(tmp_path: Path) -> None:
    assert saying(tmp_path, 'printf %s "$1"').read("op://vault/a b; $(id) {key}") == "op://vault/a b; $(id) {key}"


def test_why_there_is_none_is_told_but_nothing_that_it_gave(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="gave no secret for 'one'") as caught:
        saying(tmp_path, "echo you are not signed in >&2; exit 4").read("one")
    assert (caught.value.why, "exit code 4" in caught.value.what) == ("you are not signed in", True)
    with pytest.raises(ConfigurationError) as caught:
        saying(tmp_path, "echo hunter2; echo hunter2 >&2; exit 4").read("one")
    assert "hunter2" not in caught.value.diagnosis()


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """And one that never stops writing is not waited for."""
    with pytest.raises(UnavailableError, match="within 1 s"):
        saying(tmp_path, "sleep 60 & echo $! > child; wait", timeout_s=1).read("one")
    stat = Path("/proc") / (tmp_path / "child").read_text().strip() / "stat"
    wait_until(lambda: _is_gone(stat), "the end of what the program started")
    begun = time.monotonic()
    with pytest.raises(ShiplineError, match="cannot be given to a service"):
        saying(tmp_path, "yes", timeout_s=30).read("one")
    assert time.monotonic() - begun < 20


def _is_gone(stat: Path) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_it_gets_the_credentials_that_are_meant_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "for the program")
    script = 'printf %s "${VAULT_TOKEN-none}"'
    assert saying(tmp_path, script).read("one") == "none"
    assert saying(tmp_path, script, credentials=("VAULT_TOKEN",)).read("one") == "for the program"


def test_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = CommandSecrets.Settings(("no-such-manager", "{key}"))
    secrets = CommandSecrets(settings, ProviderContext(tmp_path, tmp_path, SystemClock()))
    with pytest.raises(MissingProgram, match="no-such-manager"):
        secrets.read("one")


@pytest.mark.parametrize("command", [(), ("",), ("vault", "get"), ("{key}",)])
def test_a_command_that_could_not_read_several_secrets_is_refused(command: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError):
        CommandSecrets.Settings(command)


@pytest.mark.parametrize("timeout_s", [0, 61])
def test_times_are_bounded(timeout_s: int) -> None:
    with pytest.raises(ConfigurationError, match="1 to 60 seconds"):
        CommandSecrets.Settings(("vault", "{key}"), timeout_s=timeout_s)
