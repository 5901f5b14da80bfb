"""Commands of the project's own: what they leave is built, what they may see is bounded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, MissingProgram, ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import Builder
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.command import CommandBuilder, CommandBuilderSettings
from shipline.testing.conformance.builder import BuilderConformance, request_for
from shipline.testing.fakes.clock import FakeClock

COPY = (
    "import pathlib, sys; pathlib.Path(sys.argv[1], f'app-{sys.argv[2]}').write_text(pathlib.Path('app').read_text())"
)


def builder_in(folder: Path, *command: str) -> Builder:
    return CommandBuilder(CommandBuilderSettings(command), ProviderContext(folder, folder, FakeClock()))


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program, "{output}", "{version}")


class TestCommandBuilder(BuilderConformance):
    states_version = False

    @pytest.fixture
    def builder(self, tmp_path: Path) -> Builder:
        return builder_in(tmp_path, *python(COPY))

    def write_source(self, folder: Path, *, name: str, version: str) -> None:
        (folder / "app").write_text(f"{name} {version}")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("pass", "left 0 files"),
        ("import pathlib, sys; pathlib.Path(sys.argv[1], 'app').symlink_to('/etc/hostname')", "no plain file"),
        ("import pathlib, sys; pathlib.Path(sys.argv[1], 'app').mkdir()", "no plain file"),
        ("import pathlib, sys; [pathlib.Path(sys.argv[1], str(n)).touch() for n in range(201)]", "left 201 files"),
    ],
)
def test_what_is_not_an_artifact_is_refused(tmp_path: Path, output: Path, program: str, told: str) -> None:
    with pytest.raises(ShiplineError, match=told):
        builder_in(tmp_path, *python(program)).build(
            request_for(Package("app"), "1.0.0"), source=tmp_path, output=output
        )


def test_it_sees_the_time_and_no_credentials(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_TOKEN", "s3cr3t")
    told = "import os, pathlib, sys; pathlib.Path(sys.argv[1], 'told').write_text(repr(dict(os.environ)))"
    builder_in(tmp_path, *python(told)).build(request_for(Package("app"), "1.0.0"), source=tmp_path, output=output)
    assert "s3cr3t" not in (output / "told").read_text()
    assert "'SOURCE_DATE_EPOCH': '1790000000'" in (output / "told").read_text()


def test_a_program_that_is_not_there_is_named(tmp_path: Path, output: Path) -> None:
    with pytest.raises(MissingProgram, match="no-such-program"):
        builder_in(tmp_path, "no-such-program").build(
            request_for(Package("app"), "1.0.0"), source=tmp_path, output=output
        )


def test_no_command_is_no_builder() -> None:
    with pytest.raises(ConfigurationError, match="1 or more"):
        CommandBuilderSettings(())
