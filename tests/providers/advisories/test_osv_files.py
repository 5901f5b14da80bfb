"""OSV databases as files: the port's suite on a folder and on zips, and what only files can be."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from shipline.domain.errors import InvalidValue, UsageError
from shipline.ports.advisories import Advisories, PackageName
from shipline.ports.provider import ProviderContext
from shipline.providers.advisories.osv_files import OSVFiles, OSVFilesSettings
from shipline.testing.conformance.advisories import ENTRIES, AdvisoriesConformance, entry
from shipline.testing.fakes.clock import FakeClock

CLICK = [PackageName("PyPI", "click")]


def files(root: Path, path: str = "osv") -> OSVFiles:
    return OSVFiles(OSVFilesSettings(path), ProviderContext(root, root / "state", FakeClock()))


class TestOSVFiles(AdvisoriesConformance):
    @pytest.fixture(params=["folder", "zip", "zips"])
    def advisories(self, request: pytest.FixtureRequest, tmp_path: Path) -> Advisories:
        """As entries one by one, as one zip, and as a zip for each ecosystem, some entries in both."""
        folder = tmp_path / "osv"
        folder.mkdir()
        if request.param == "folder":
            for one in ENTRIES:
                (folder / f"{one['id']}.json").write_text(json.dumps(one, indent=1))
            return files(tmp_path)
        for name in ("PyPI", "npm") if request.param == "zips" else ("all",):
            with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                for one in ENTRIES:
                    archive.writestr(f"{one['id']}.json", json.dumps(one))
        return files(tmp_path, "osv" if request.param == "zips" else "osv/all.zip")


def test_a_name_is_found_however_json_writes_it(tmp_path: Path) -> None:
    (tmp_path / "osv").mkdir()
    text = json.dumps(entry("OSV-1", "PyPI", "click")).replace('"click"', '"\\u0063lick"')
    (tmp_path / "osv/a.json").write_text(text)
    assert [one.id for one in files(tmp_path).about(CLICK)] == ["OSV-1"]


def test_no_database_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    for path in ("osv", "absent"):
        (tmp_path / "osv").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="no advisories in"):
            list(files(tmp_path, path).about(CLICK))


@pytest.mark.parametrize(
    "content",
    [
        '{"name": "click"',
        '{"id": "A", "affected": [{"package": {"name": "click", "ecosystem": "PyPI"}, "ranges": [{"type": "MOOD"}]}]}',
        '{"affected": [{"package": {"name": "click", "ecosystem": "PyPI"}}]}',
        json.dumps(entry("A", "PyPI", "click")).replace('{"introduced": "0"}, ', ""),
        '{"id": "A", "affected": [{"package": {"name": "click"}}]}',
        '{"id": "A", "affected": {"name": "click"}}',
    ],
)
def test_an_entry_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    """To pass over it would make what it is about look harmless."""
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv/broken.json").write_text(content)
    with pytest.raises(InvalidValue, match=r"broken\.json"):
        list(files(tmp_path).about(CLICK))


def test_a_zip_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv/PyPI.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(InvalidValue, match=r"PyPI\.zip"):
        list(files(tmp_path).about(CLICK))
