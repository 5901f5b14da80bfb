"""A command that leaves a folder, and the one file that comes of it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from shipline.clients.site_archive import unpack_site
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.site import SiteBuilder, SiteBuilderSettings
from shipline.testing.fakes.clock import FakeClock

REQUEST = BuildRequest(Package("@acme/quotes"), "1.2.0", "c" * 40, 1_700_000_000)
PAGES = 'mkdir -p "$0/deep"; echo "$1" > "$0/index.html"; echo page > "$0/deep/b.html"'


def built(tmp_path: Path, script: str = PAGES, name: str = "out") -> tuple[Artifact, Path]:
    source, output = tmp_path / "source", tmp_path / name
    for folder in (source, output):
        folder.mkdir(exist_ok=True)
    settings = SiteBuilderSettings(("sh", "-c", script, "{output}", "{version}"))
    builder = SiteBuilder(settings, ProviderContext(tmp_path, tmp_path, FakeClock()))
    (artifact,) = builder.build(REQUEST, source=source, output=output)
    return artifact, output / artifact.name


def test_what_the_command_leaves_is_one_file_that_is_the_same_each_time(tmp_path: Path) -> None:
    artifact, path = built(tmp_path)
    assert (artifact.name, artifact.kind) == ("acme_quotes-1.2.0-site.tar", "site")
    assert built(tmp_path, name="again")[0] == artifact
    with tarfile.open(path) as archive:
        assert {(member.name, member.mtime, member.mode, member.uname) for member in archive} == {
            ("deep/b.html", 1_700_000_000, 0o644, ""),
            ("index.html", 1_700_000_000, 0o644, ""),
        }
    (tmp_path / "back").mkdir()
    assert unpack_site(path, tmp_path / "back") == ("deep/b.html", "index.html")
    assert (tmp_path / "back" / "index.html").read_text() == "1.2.0\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("true", "holds 0 files"),
        ('ln -s /etc/hostname "$0/index.html"', "no plain file"),
        ("echo broken; exit 3", "exit code 3"),
    ],
)
def test_what_is_no_site_is_refused(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(ShiplineError, match=said):
        built(tmp_path, script)


def test_a_command_that_cannot_know_where_the_site_goes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="output"):
        SiteBuilderSettings(("mkdocs", "build"))


@pytest.mark.parametrize("name", ["../up", "/etc/x", ".git/config", "a/.GIT/hooks/x", "a\nb"])
def test_names_that_lead_elsewhere_are_not_unpacked(tmp_path: Path, name: str) -> None:
    path = tmp_path / "evil-site.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    (tmp_path / "into").mkdir()
    with pytest.raises(ShiplineError):
        unpack_site(path, tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []
