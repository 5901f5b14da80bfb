"""Python packages are built by the real front end and hatchling; what they state is checked."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from shipline.domain.errors import InvalidValue, MissingProgram, ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import Builder
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.python import PythonBuilder, PythonBuilderSettings
from shipline.testing.conformance.builder import BuilderConformance, request_for
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.histories import History

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


ASKING = """import pathlib, subprocess

info = pathlib.Path(__file__).with_name("PKG-INFO")
if info.exists():
    (__version__,) = (line[9:] for line in info.read_text().splitlines() if line.startswith("Version: "))
else:
    __version__ = subprocess.check_output(["git", "describe", "--dirty"], text=True).strip()
"""


def tagged(folder: Path, requires: str, table: str, *, tag: str = "v0.3.0", files: dict[str, str]) -> Path:
    """The exported tree of a package that has its version from git; the repository goes on after the tag."""
    history = History(folder / "repository")
    pyproject = PYPROJECT.replace('version = "{version}"', 'dynamic = ["version"]').format(
        name="quotes", backend=BACKENDS[requires], path=f"\n{table}"
    )
    asked = pyproject.replace(
        '["hatchling"]', f'["{requires}"]' if requires != "hatch-vcs" else '["hatchling", "hatch-vcs"]'
    )
    history.commit("feat: quotes", {"pyproject.toml": asked, "quotes/__init__.py": "", **files})
    history.tag(tag)
    history.commit("feat: more", {"quotes/more.py": ""})
    history.tag("v9.9.9")
    source = folder / "source"
    source.mkdir()
    history.repository.export(f"refs/tags/{tag}", source, tag=tag)
    return source


BACKENDS = {
    "hatchling": "hatchling.build",
    "setuptools-scm": "setuptools.build_meta",
    "hatch-vcs": "hatchling.build",
}


def test_a_version_that_comes_from_git_is_that_of_the_tag(tmp_path: Path, output: Path) -> None:
    """No file states it; what the back end asks git for is that of the release's own tag."""
    table = '[tool.hatch.version]\nsource = "code"\npath = "version.py"'
    source = tagged(tmp_path, "hatchling", table, files={"version.py": ASKING})
    assert PythonBuilder.asks_git
    with pytest.raises(ShiplineError, match="states version"):
        builder_in(tmp_path).build(request_for(Package("quotes"), "0.4.0"), source=source, output=output)
    for file in output.iterdir():
        file.unlink()
    builder_in(tmp_path).build(request_for(Package("quotes"), "0.3.0"), source=source, output=output)


@pytest.mark.parametrize(
    ("requires", "table"),
    [
        ("setuptools-scm", '[tool.setuptools_scm]\n[tool.setuptools]\npackages = ["quotes"]'),
        ("hatch-vcs", '[tool.hatch.version]\nsource = "vcs"'),
    ],
)
def test_what_asks_git_gets_the_version_of_the_tag(tmp_path: Path, output: Path, requires: str, table: str) -> None:
    """And what git tracks is in the sdist, since setuptools-scm asks git for that, too."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--timeout=5", "--retries=0", "-d"]
    if subprocess.run([*pip, str(tmp_path / "x"), requires], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"pip cannot get {requires} here")
    source = tagged(tmp_path, requires, table, files={"quotes/words.txt": "one"})
    made = builder_in(tmp_path, isolation=True).build(
        request_for(Package("quotes"), "0.3.0"), source=source, output=output
    )
    assert [artifact.name for artifact in made] == ["quotes-0.3.0-py3-none-any.whl", "quotes-0.3.0.tar.gz"]
    with zipfile.ZipFile(output / made[0].name) as wheel, tarfile.open(output / made[1].name) as sdist:
        assert "quotes/words.txt" in wheel.namelist()
        assert "quotes-0.3.0/quotes/words.txt" in sdist.getnames()
        assert not [name for name in sdist.getnames() if "/.git/" in name]


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
