"""Lock files of Python packages: which versions, and who needs whom."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from shipline.capabilities.evidence.python_locks import LOCK_BYTES_MAX, find_python_lock
from shipline.domain.errors import InvalidValue

REPOSITORY = Path(__file__).parents[3]
PYLOCK = """
lock-version = "1.0"
created-by = "pip"
[[packages]]
name = "Click"
version = "8.1.0"
dependencies = [{name = "colorama", marker = "sys_platform == 'win32'"}]
[[packages]]
name = "colorama"
version = "0.4.6"
"""
UV = """
version = 1
[[package]]
name = "here"
source = { editable = "." }
[[package]]
name = "click"
version = "8.1.0"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }]
[[package]]
name = "colorama"
version = "0.4.6"
"""
POETRY = """
[[package]]
name = "click"
version = "8.1.0"
[package.dependencies]
colorama = {version = "*", markers = "sys_platform == 'win32'"}
rich = {version = "*", optional = true}
[[package]]
name = "colorama"
version = "0.4.6"
"""
PDM = """
[[package]]
name = "click"
version = "8.1.0"
dependencies = ["colorama; sys_platform == 'win32'"]
[[package]]
name = "colorama"
version = "0.4.6"
"""
PINNED = """
# made by pip-compile
click==8.1.0 \\
    --hash=sha256:00
    # via -r requirements.in
colorama==0.4.6 ; sys_platform == "win32"
    # via
    #   click
loose>=1
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pylock.toml", PYLOCK),
        ("uv.lock", UV),
        ("poetry.lock", POETRY),
        ("pdm.lock", PDM),
        ("requirements.lock", PINNED),
        ("requirements.txt", PINNED),
    ],
)
def test_each_lock_tells_versions_and_who_needs_whom(tmp_path: Path, name: str, text: str) -> None:
    """It is looked for upwards, as workspaces have it."""
    (tmp_path / "packages" / "api").mkdir(parents=True)
    (tmp_path / name).write_text(text)
    found = find_python_lock(tmp_path, "packages/api")
    assert {one.name: one.version for one in found.values()} == {"click": "8.1.0", "colorama": "0.4.6"}
    assert [need.name for need in found["click"].requirements] == ["colorama"]


def test_lock_of_this_repository_is_read_whole() -> None:
    """Written by a tool of others: every package that stands there in one version, and alembic needs mako."""
    found = find_python_lock(REPOSITORY, ".")
    lines = (REPOSITORY / "requirements.lock").read_text().splitlines()
    counted = Counter(line.partition("==")[0].partition("[")[0] for line in lines if line[:1].isalnum())
    assert sorted(found) == sorted(canonicalize_name(name) for name, count in counted.items() if count == 1)
    assert "mako" in {need.name for need in found["alembic"].requirements}


def test_two_versions_of_one_package_tell_none(tmp_path: Path) -> None:
    """Which one is installed depends on the machine."""
    (tmp_path / "requirements.txt").write_text("numpy==1.26.4 ; python_version < '3.12'\nnumpy==2.1.0\nclick==8.1.0\n")
    assert list(find_python_lock(tmp_path, ".")) == ["click"]


def test_rubbish_is_refused_and_none_is_empty(tmp_path: Path) -> None:
    """A link, TOML that is none, and too much; entries that are no packages are passed over."""
    assert find_python_lock(tmp_path, ".") == {}
    lock = tmp_path / "uv.lock"
    for wrong in (b"[[package", b"\xff\xfe", b"x = " + b"[" * 100_000, b"#" * (LOCK_BYTES_MAX + 1)):
        lock.write_bytes(wrong)
        with pytest.raises(InvalidValue):
            find_python_lock(tmp_path, ".")
    lock.write_text('package = [1, {name = 1}, {name = "-", version = "1"}, {name = "a", version = "one"}]')
    assert find_python_lock(tmp_path, ".") == {}
    lock.unlink()
    lock.symlink_to("/etc/hosts")
    with pytest.raises(InvalidValue, match="link"):
        find_python_lock(tmp_path, ".")
