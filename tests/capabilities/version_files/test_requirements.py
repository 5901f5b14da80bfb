"""What a manifest requires of another package of the repository changes, and nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.version_files import write_requirement
from shipline.domain.errors import InvalidValue, ShiplineError

# Manifest, content with @@ where the range of `quo-tes` stands, ranges before and after.
CASES = [
    (
        "package.json",
        b'{"dependencies": {"quo-tes": "@@", "x": "^1.0.0"},\r\n "y": {"quo-tes": "^1.0.0"}}',
        "^1.0.0",
        "^2.0.0",
    ),
    (
        "a/package.json",
        b'{"devDependencies":{"quo-tes":"@@"},"peerDependencies":{"quo-tes":"@@"}}',
        "1.x",
        ">=2 <3 || 4",
    ),
    (
        "package.json",
        b'{"dependencies":{"quo-tes":"workspace:^"},"optionalDependencies":{"quo-tes":"@@"}}',
        "*",
        "~2.0",
    ),
    ("package.json", b'{"dependencies":{"quo-tes":"@@"}}', "workspace:^1.0.0", "workspace:^2.0.0"),
    ("Cargo.toml", b'[dependencies]\nquo-tes = "@@" # ours\nx = "1"\n', "1", "2.0.0-rc.1"),
    ("Cargo.toml", b'[dependencies]\nquo-tes = { path = "../q", version = "@@" }\n', "=1.0.0", "^2"),
    ("Cargo.toml", b'[dev-dependencies.quo-tes]\nversion = "@@"\n[package]\nversion = "1"\n', "1", "2"),
    ("Cargo.toml", b'[workspace.dependencies]\nq = { package = "quo-tes", version = "@@" }\nquo = "1"\n', "1", "2"),
    ("Cargo.toml", b"[target.'cfg(unix)'.build-dependencies]\r\nquo-tes = '@@'\r\n", "1", "2, <2.5"),
    (
        "pyproject.toml",
        b'[project]\ndependencies = [\n  "Quo_tes[a,b] @@ ; python_version > \'3\'", # x\n  "quo"]\n',
        ">=1,<2",
        ">=2,<3",
    ),
    ("pyproject.toml", b'[project.optional-dependencies]\na = ["quo.tes@@", "quo-tes-x>=1"]\n', "~=1.0", "==2.*"),
    ("pyproject.toml", b'[dependency-groups]\ndev = [{include-group = "x"}, "quo-tes @@"]\n', "(>=1)", ">=2"),
    (
        "pyproject.toml",
        b'[tool.poetry.dependencies]\nquo-tes = "@@"\n[tool.poetry.group.d.dependencies]\nx="1"\n',
        "^1",
        "^2",
    ),
    ("pyproject.toml", b'[tool.poetry.group.d.dependencies]\nQuo_Tes = {version = "@@", extras = ["a"]}\n', "^1", "^2"),
    (
        "Chart.yaml",
        b"dependencies:\n- name: quo-tes # ours\n  version: @@\n- name: x\n  version: 1.0.0\nversion: 1.0.0\n",
        "~1.0.0",
        "~2.0.0",
    ),
]


@pytest.mark.parametrize(("name", "content", "old", "new"), CASES)
def test_only_the_range_changes(name: str, content: bytes, old: str, new: str) -> None:
    before = content.replace(b"@@", old.encode())
    after = write_requirement(name, before, "quo-tes", new)
    assert after == content.replace(b"@@", new.encode())
    assert write_requirement(name, after, "quo-tes", new) == after
    assert write_requirement(name, after, "quo-tes", old) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package.json", b'{"dependencies": {"q": "workspace:*"}}'),
        ("package.json", b'{"dependencies": {"q": "file:../q"}}'),
        ("package.json", b'{"dependencies": {"q": ""}}'),
        ("Cargo.toml", b'[dependencies]\nq = { path = "../q" }\n'),
        ("Cargo.toml", b"[dependencies]\nq.workspace = true\n"),
        ("pyproject.toml", b'[project]\ndependencies = ["q"]\n'),
        ("pyproject.toml", b'[project]\ndependencies = ["q @ git+https://x/q"]\n'),
        ("Chart.yaml", b"dependencies:\n- name: q\n"),
    ],
)
def test_what_requires_no_range_is_left_as_it_is(name: str, content: bytes) -> None:
    assert write_requirement(name, content, "q", "^2.0.0") == content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package.json", b"{}"),
        ("package.json", b"["),
        ("package.json", b'{"dependencies": {"q": "1", "q": "1"}}'),
        ("package.json", b'{"dependencies": {"q": "\\u0031"}}'),
        ("Cargo.toml", b"[dependencies]\nx = '1'\n"),
        ("pyproject.toml", b'[project]\ndependencies = ["q-x"]\n'),
        ("Chart.yaml", b"dependencies:\n- name: q\n  version: >\n    1\n"),
        ("README.md", b"q"),
    ],
)
def test_what_cannot_be_written_is_an_error(name: str, content: bytes) -> None:
    with pytest.raises(ShiplineError, match=name):
        write_requirement(name, content, "q", "2")


def test_what_is_required_of_users_stays_where_another_range_is_meant() -> None:
    before = b'{"peerDependencies":{"q":">=1 <9"},"devDependencies":{"q":"^1.0.0"}}'
    after = write_requirement("package.json", before, "q", "^2.0.0", before="^1.0.0")
    assert after == before.replace(b"^1.0.0", b"^2.0.0")
    assert write_requirement("package.json", after, "q", "^2.0.0", before="^1.0.0") == after


@pytest.mark.parametrize("requirement", ["", '1"', "1\n", "workspace:*", "\\", "-1", "1" * 300])
def test_what_is_no_range_is_not_written(requirement: str) -> None:
    with pytest.raises(InvalidValue):
        write_requirement("package.json", b'{"dependencies": {"q": "1"}}', "q", requirement)


@given(
    name=st.sampled_from(["package.json", "Cargo.toml", "pyproject.toml", "Chart.yaml"]), content=st.binary(max_size=99)
)
@settings(deadline=None)
def test_rubbish_is_refused(name: str, content: bytes) -> None:
    with contextlib.suppress(ShiplineError):
        write_requirement(name, content, "q", "2")
