"""Which ranges are published for those that only a workspace understands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.providers.builder.npm_manifest import Workspace, needs_rewriting, published
from shipline.providers.builder.npm_workspace import read_workspace

WORKSPACE = Workspace(
    {
        "": ("top", "0.0.0"),
        "packages/api": ("@quotes/api", "2.1.0"),
        "packages/core": ("core", "1.5.0"),
        "packages/api/tests/core": ("core", "9.9.9"),
    },
    {"default": {"left-pad": "^1.3.0", "core": "workspace:^"}, "old": {"left-pad": "^0.1.0"}},
)


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        # The table of https://pnpm.io/workspaces#publishing-workspace-packages.
        ("core", "workspace:*", "1.5.0"),
        ("core", "workspace:~", "~1.5.0"),
        ("core", "workspace:^", "^1.5.0"),
        ("core", "workspace:^1.5.0", "^1.5.0"),
        ("core", "workspace:1.5.0", "1.5.0"),
        ("foo", "workspace:core@*", "npm:core@1.5.0"),
        ("foo", "workspace:@quotes/api@^", "npm:@quotes/api@^2.1.0"),
        ("foo", "workspace:core@^1.0.0", "npm:core@^1.0.0"),
        # Folders: pnpm's from the package, Yarn's from the top.
        ("core", "workspace:../core", "1.5.0"),
        ("foo", "workspace:../core", "npm:core@1.5.0"),
        ("core", "workspace:packages/core", "1.5.0"),
        # Several, as peers have them.
        ("core", "workspace:^ || ^1.0.0", "^1.5.0 || ^1.0.0"),
        ("core", "^0.9.0||workspace:>=1.0.0 <3", "^0.9.0 || >=1.0.0 <3"),
        ("left-pad", "catalog:", "^1.3.0"),
        ("left-pad", "catalog:old", "^0.1.0"),
        ("core", "catalog:default", "^1.5.0"),
        # What registries understand stays as it is written.
        ("core", "npm:other@^1", "npm:other@^1"),
        ("core", ">=1  ||  <0.5", ">=1  ||  <0.5"),
    ],
)
@pytest.mark.parametrize("table", ["dependencies", "peerDependencies", "optionalDependencies", "devDependencies"])
def test_a_range_is_written_out(table: str, name: str, wanted: str, expected: str) -> None:
    manifest = {"name": "@quotes/api", table: {name: wanted}}
    assert published(manifest, WORKSPACE, folder="packages/api")[table] == {name: expected}
    assert needs_rewriting(manifest) is (expected != wanted)


def test_what_else_stands_in_it_stays_in_its_place() -> None:
    manifest: dict[str, Any] = {"name": "a", "dependencies": {"core": "workspace:*", "odd": 1}, "files": ["x"]}
    told = published(manifest, WORKSPACE, folder="")
    assert list(told) == list(manifest)
    assert told == manifest | {"dependencies": {"core": "1.5.0", "odd": 1}}
    assert not needs_rewriting({"dependencies": "workspace:*"})


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("nobody", "workspace:*", "needs nobody"),
        ("core", "workspace:../nowhere", r"needs \.\./nowhere"),
        ("core", "workspace:../../../../etc", "needs"),
        ("nobody", "catalog:", "in no catalogue"),
        ("left-pad", "catalog:new", "in no catalogue"),
        ("twice", "workspace:^", "two folders are the package twice"),
    ],
)
def test_what_is_not_there_is_refused(name: str, wanted: str, message: str) -> None:
    """The tarball could not be installed."""
    doubled = Workspace({**WORKSPACE.members, "a": ("twice", "1.0.0"), "b": ("twice", "2.0.0")}, WORKSPACE.catalogs)
    with pytest.raises(ShiplineError, match=message):
        published({"dependencies": {name: wanted}}, doubled, folder="packages/api")


def test_a_workspace_is_read_from_the_tree(tmp_path: Path) -> None:
    """Catalogues of pnpm, Yarn and Bun; nothing of what is installed, and nothing through a link."""

    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    top = {"name": "top", "version": "0.0.0", "workspaces": {"packages": ["a"], "catalogs": {"bun": {"x": "1"}}}}
    write("package.json", json.dumps(top))
    write("a/package.json", '\ufeff{"name": "a", "version": "1.0.0"}')
    write("b/package.json", '{"name": "b"}')
    write("c/package.json", "no JSON")
    write("a/node_modules/d/package.json", '{"name": "d", "version": "1.0.0"}')
    write("pnpm-workspace.yaml", "catalog: {y: ^2}\ncatalogs: {old: {y: ^1}}\n")
    write(".yarnrc.yml", "catalogs: {default: {z: ^3}}\n")
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "package.json").symlink_to(tmp_path / "a" / "package.json")
    read = read_workspace(tmp_path)
    assert read.members == {"": ("top", "0.0.0"), "a": ("a", "1.0.0")}
    assert read.catalogs == {"bun": {"x": "1"}, "default": {"y": "^2", "z": "^3"}, "old": {"y": "^1"}}
    write("pnpm-workspace.yaml", "catalog: {y: ^2, y: ^3}\n")
    with pytest.raises(InvalidValue, match=r"pnpm-workspace\.yaml"):
        read_workspace(tmp_path)
