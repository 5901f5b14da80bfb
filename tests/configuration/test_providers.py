"""Providers by name: those that are written for another version of their port are not taken."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from shipline.configuration.providers import provider_class, provider_names, read_provider
from shipline.domain.errors import ConfigurationError

PORTS = (
    "builder",
    "command",
    "forge",
    "metrics",
    "registry",
    "repository",
    "secrets",
    "signals",
    "signer",
    "target",
    "traffic",
)
PLUGIN = """
from dataclasses import dataclass


class Moon:
    {version}

    @dataclass(frozen=True)
    class Settings:
        phase: str = "full"
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, port: str = "target") -> None:
    """A plug-in, as a package manager leaves it."""
    module = f"moon_{folder.name.replace('-', '_')}"
    folder.joinpath(f"{module}.py").write_text(PLUGIN.format(version=version))
    metadata = folder / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[shipline.{port}]\nmoon = {module}:Moon\n")
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize("port", PORTS)
def test_all_that_are_built_in_are_written_for_their_port(port: str) -> None:
    wanted = import_module(f"shipline.ports.{port}").API_VERSION
    names = provider_names(port)
    assert names
    assert {name: provider_class(port, name).api_version for name in names} == dict.fromkeys(names, wanted)


def test_a_plug_in_that_is_written_for_the_port_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "api_version = 3")
    kind, settings = read_provider("target", {"provider": "moon", "phase": "new"}, default="process")
    assert (kind.__name__, settings.phase) == ("Moon", "new")


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("api_version = 2", "is written for version 2 of it"),
        ("api_version = 99", "is written for version 99 of it"),
        ("pass", "states no version of it"),
    ],
)
def test_one_that_is_written_for_another_version_is_refused_and_both_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, says: str
) -> None:
    install(tmp_path, monkeypatch, version)
    with pytest.raises(ConfigurationError) as refused:
        read_provider("target", {"provider": "moon"}, default="process")
    assert refused.value.what == f"the target provider 'moon' {says}, and this Shipline's target port has version 3"
    assert "whose api_version is 3" in refused.value.todo
