"""Python packages are built by the real front end and hatchling; what they state is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.domain.errors import InvalidValue, MissingProgram, ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import Builder
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.python import PythonBuilder, PythonBuilderSettings
from shipline.testing.conformance.builder import BuilderConformance, request_for
from shipline.testing.fakes.clock import FakeClock

PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "{backend}"
{path}

[project]
name = "{name}"
version = "{version}"
requires-python = ">=3.11"

[tool.hatch.build.targets.wheel]
packages = ["quotes"]
"""


def write(folder: Path, *, name: str, version: str, backend: str = "hatchling.build", path: str = "") -> None:
    """The smallest package; a `build.py` stands beside it, which must never be taken for the front end."""
    (folder / "quotes").mkdir(parents=True)
    (folder / "quotes" / "__init__.py").write_text("")
    (folder / "build.py").write_text("raise SystemExit('the repository was run')\n")
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name, version=version, backend=backend, path=path))


def builder_in(folder: Path, **settings: object) -> PythonBuilder:
    context = ProviderContext(root=folder, state=folder, clock=FakeClock())
    table = {"isolation": False, **settings}
    return PythonBuilder(PythonBuilderSettings(**table), context)  # type: ignore[arg-type]  # settings by name


class TestPythonBuilder(BuilderConformance):
    @pytest.fixture
    def builder(self, tmp_path: Path) -> Builder:
        return builder_in(tmp_path)

    def write_source(self, folder: Path, *, name: str, version: str) -> None:
        write(folder, name=name, version=version)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_sdist_and_wheel_are_built_and_versions_are_equal_by_pep_440(tmp_path: Path, output: Path) -> None:
    write(tmp_path / "source", name="Quotes", version="1.0.0-rc.1")
    artifacts = builder_in(tmp_path).build(
        request_for(Package("quotes"), "1.0.0rc1"), source=tmp_path / "source", output=output
    )
    assert [(artifact.name, artifact.kind) for artifact in artifacts] == [
        ("quotes-1.0.0rc1-py3-none-any.whl", "wheel"),
        ("quotes-1.0.0rc1.tar.gz", "sdist"),
    ]


def test_another_packages_artifacts_are_refused(tmp_path: Path, output: Path) -> None:
    write(tmp_path / "source", name="others", version="1.0.0")
    with pytest.raises(ShiplineError, match="'others'"):
        builder_in(tmp_path).build(request_for(Package("quotes"), "1.0.0"), source=tmp_path / "source", output=output)


def test_a_failing_back_end_is_quoted_in_part_and_sees_no_credentials(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTES_TOKEN", "s3cr3t")
    source = tmp_path / "source"
    write(source, name="quotes", version="1.0.0", backend="noisy", path='backend-path = ["."]')
    (source / "noisy.py").write_text(
        "import os\n"
        "def build_sdist(*_, **__):\n"
        "    print('x' * 100_000)\n"
        "    raise RuntimeError('token: ' + os.environ.get('QUOTES_TOKEN', 'not here'))\n"
    )
    with pytest.raises(ShiplineError, match="cannot be built") as caught:
        builder_in(tmp_path).build(request_for(Package("quotes"), "1.0.0"), source=source, output=output)
    assert "token: not here" in caught.value.why
    assert len(caught.value.why) <= 2_000


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path, output: Path) -> None:
    write(tmp_path / "source", name="quotes", version="1.0.0")
    with pytest.raises(MissingProgram):
        builder_in(tmp_path, python="no-such-python").build(
            request_for(Package("quotes"), "1.0.0"), source=tmp_path / "source", output=output
        )


def test_a_version_that_is_none_by_pep_440_builds_nothing(tmp_path: Path, output: Path) -> None:
    with pytest.raises(InvalidValue):
        builder_in(tmp_path).build(request_for(Package("quotes"), "first"), source=tmp_path, output=output)
    assert list(output.iterdir()) == []
