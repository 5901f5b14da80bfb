"""Lock files that say what a manifest requires: they say the same afterwards, or it is said that they cannot."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest

from shipline.capabilities.version_files import (
    Changed,
    Rewritten,
    is_lock,
    lock_paths,
    locked_elsewhere,
    write_lock,
)
from shipline.domain.errors import RefusedError

CORE = Rewritten("core", "^1.0.0", "^2.0.0", "2.0.0")


def changed(path: str, before: str = "", after: str = "", *requirements: Rewritten) -> Changed:
    return Changed(path, before.encode(), after.encode(), requirements or (CORE,))


def test_where_lock_files_of_a_manifest_may_be() -> None:
    assert lock_paths("x/b/pyproject.toml") == ("x/b/poetry.lock", "x/b/uv.lock", "x/uv.lock", "uv.lock")
    assert lock_paths("c/Chart.yaml") == ("c/Chart.lock",)
    assert "yarn.lock" in lock_paths("packages/b/package.json")
    assert len(lock_paths("package.json")) == 4
    assert all(is_lock(path) for path in lock_paths("a/package.json"))
    assert not is_lock("a/package.json")


PNPM = """lockfileVersion: '9.0'

importers:

  packages/b:
    dependencies:
      core:
        specifier: @B@
        version: link:../core
      other:
        specifier: ^1.0.0
        version: 1.0.0
  packages/c:
    devDependencies:
      core:
        specifier: @C@
        version: link:../core
"""
# As pnpm wrote it before version 6 of the format.
OLD_PNPM = """lockfileVersion: 5.4
importers:
  packages/b:
    specifiers:
      core: @B@
      other: ^1.0.0
    dependencies:
      core: link:../core
"""
YARN = """__metadata:
  version: 8

"core@@KEY@, core@workspace:packages/core":
  version: 0.0.0-use.local
  resolution: "core@workspace:packages/core"

"b@workspace:packages/b":
  resolution: "b@workspace:packages/b"
  dependencies:
    core: "npm:@B@"
  peerDependencies:
    core: @B@

"c@workspace:packages/c":
  resolution: "c@workspace:packages/c"
  dependencies:
    core: "npm:@C@"
"""


@pytest.mark.parametrize(("path", "text"), [("pnpm-lock.yaml", PNPM), ("pnpm-lock.yaml", OLD_PNPM)])
@pytest.mark.parametrize("filled", ["", "# " + "x" * 300_000 + "\n"], ids=["small", "large"])
def test_only_what_changed_is_written(path: str, text: str, filled: str) -> None:
    """Also where the file is larger than what the composer of YAML may read."""
    before = (filled + text).replace("@B@", "^1.0.0").replace("@C@", "^1.0.0")
    after = (filled + text).replace("@B@", "^2.0.0").replace("@C@", "^1.0.0")
    one = [changed("packages/b/package.json")]
    assert write_lock(path, before.encode(), one) == after.encode()
    assert write_lock(path, after.encode(), one) == after.encode()


CATALOG = """catalogs:
  default:
    core:
      specifier: ^1.0.0
      version: 1.0.0
  next:
    core:
      specifier: ^1.2.0
      version: 1.2.0
importers:
  b:
    dependencies:
      core:
        specifier: '@B@'
        version: @V@
"""


@pytest.mark.parametrize("word", ["catalog:", "catalog:default", "catalog:next"])
def test_a_catalogue_moves_where_the_repository_answers_it(word: str) -> None:
    """One whose range is another one stays, wherever that comes from."""
    here = CATALOG.replace("@B@", word).replace("@V@", "link:../core").encode()
    moved = here.replace(b"^1.0.0\n      version: 1.0.0", b"^2.0.0\n      version: 2.0.0")
    one = [changed("pnpm-workspace.yaml")]
    assert write_lock("pnpm-lock.yaml", here, one) == moved == write_lock("pnpm-lock.yaml", moved, one)
    registry = here.replace(b"link:../core", b"1.0.0")
    foreign = {("pnpm-workspace.yaml", "core")} if word != "catalog:next" else set()
    assert locked_elsewhere("pnpm-lock.yaml", registry, one) == foreign


@pytest.mark.parametrize(
    ("dependents", "key", "c"), [("b", "npm:^1.0.0, core@npm:^2.0.0", "^1.0.0"), ("bc", "npm:^2.0.0", "^2.0.0")]
)
def test_yarn_keeps_an_old_range_while_somebody_has_it(dependents: str, key: str, c: str) -> None:
    def filled(key: str, b: str, c: str) -> bytes:
        return YARN.replace("@KEY@", key).replace("@B@", b).replace("@C@", c).encode()

    before, after = filled("npm:^1.0.0", "^1.0.0", "^1.0.0"), filled(key, "^2.0.0", c)
    manifests = [changed(f"packages/{each}/package.json") for each in dependents]
    assert write_lock("yarn.lock", before, manifests) == after
    assert write_lock("yarn.lock", after, manifests) == after


# What Poetry 2.5.1 wrote, and 2.2.1 where there are no groups.
PROJECT = '[project]\nname = "app"\nversion = "{}"\nrequires-python = ">=3.11"\n'
SOURCE = '[tool.poetry.dependencies]\ncore = { path = "../core" }\n'
POETRY = [
    (
        PROJECT + 'dependencies = ["core@@"]\n' + SOURCE,
        "2fd91348cc0d035213626abf49a76c28120c0e0f9525293f94edec3d09e3e5de",
        "a3ea1470c02c4c83aecce3e9ecb05236f1c93ed445db6914ab98ed329a0f74c5",
    ),
    (
        PROJECT + '[dependency-groups]\ndev = ["core@@"]\n' + SOURCE,
        "675ab00b39a5ce226b9f1cba9e0076d10027ad34590d0b825f11701bf92b0a48",
        "5d2e37b70364a17142a369f669e288901606c0bde87c172ed848a9bac0a239b9",
    ),
]
LOCK = '[[package]]\nname = "core"\nversion = "1.0.0"\n{}\n[metadata]\ncontent-hash = "{}"\n'
HERE = '[package.source]\ntype = "directory"\nurl = "../core"\n'
RANGE = Rewritten("core", ">=1,<2", ">=2.0.0,<3", "2.0.0")


@pytest.mark.parametrize(("text", "old", "new"), POETRY)
def test_poetry_s_digest_is_made_by_the_rule_that_made_it(text: str, old: str, new: str) -> None:
    """The version of the dependent itself is not in it."""
    before = text.replace("{}", "1.0.0").replace("@@", ">=1,<2")
    after = text.replace("{}", "1.0.1").replace("@@", ">=2.0.0,<3")
    manifests = [changed("app/pyproject.toml", before, after, RANGE)]
    lock, wanted = LOCK.format(HERE, old).encode(), LOCK.format(HERE, new).encode()
    assert write_lock("app/poetry.lock", lock, manifests) == wanted
    assert write_lock("app/poetry.lock", wanted, manifests) == wanted
    with pytest.raises(RefusedError, match=r"app/poetry\.lock cannot be kept in step") as caught:
        write_lock("app/poetry.lock", LOCK.format(HERE, "0" * 64).encode(), manifests)
    assert "poetry lock" in caught.value.todo


CHART = """apiVersion: v2
name: web
version: 1.0.0
dependencies:
- name: kube-state-metrics
  version: "@@"
  repository: https://kubernetes.github.io/kube-state-metrics
  condition: kubeStateMetrics.enabled
- name: prometheus-node-exporter
  version: "1.12.*"
  repository: https://prometheus-community.github.io/helm-charts
  condition: nodeExporter.enabled
- name: grafana
  version: "6.1.*"
  repository: https://grafana.github.io/helm-charts
  condition: grafana.enabled
"""
CHART_LOCK = """dependencies:
- name: kube-state-metrics
  repository: https://kubernetes.github.io/kube-state-metrics
  version: @@
- name: prometheus-node-exporter
  repository: https://prometheus-community.github.io/helm-charts
  version: 1.12.0
- name: grafana
  repository: https://grafana.github.io/helm-charts
  version: 6.1.17
digest: sha256:618d35aba8290330ef4c39438e6be271e17c68aed8806acd626ce8b844056415
generated: "2021-01-14T16:55:53.236240429+01:00"
"""


def test_a_chart_s_digest_is_made_as_helm_makes_it() -> None:
    """The digest is one of Helm's own, of a chart that is public: prometheus-community's kube-prometheus-stack."""
    wanted = Rewritten("kube-state-metrics", "2.9.*", ">=3.0.0 <4", "3.0.0")
    before, after = (CHART.replace("@@", each) for each in (wanted.before, wanted.after))
    manifests = [changed("charts/web/Chart.yaml", before, after, wanted)]
    lock = CHART_LOCK.replace("@@", "2.9.7")
    written = write_lock("charts/web/Chart.lock", lock.encode(), manifests)
    digest = re.search(r"sha256:(\w+)", written.decode())
    assert digest is not None
    assert written.decode() == re.sub(r"sha256:\w+", digest[0], CHART_LOCK.replace("@@", "3.0.0"))
    assert digest[0] not in lock
    assert write_lock("charts/web/Chart.lock", written, manifests) == written
    back = changed("charts/web/Chart.yaml", after, before, Rewritten("kube-state-metrics", wanted.after, "", "2.9.7"))
    assert write_lock("charts/web/Chart.lock", written, [back]) == lock.encode()
    with pytest.raises(RefusedError, match="cannot be kept in step"):
        write_lock("charts/web/Chart.lock", lock.replace("618d", "0000").encode(), manifests)


def npm_lock(**packages: Any) -> str:
    return json.dumps({"packages": {"": {"dependencies": {"core": "^1.0.0"}}} | packages})


ELSEWHERE = [
    ("package-lock.json", "package.json", npm_lock(**{"node_modules/core": {"version": "1.0.0"}}), True),
    ("package-lock.json", "package.json", npm_lock(**{"node_modules/core": {"link": True}}), False),
    ("package-lock.json", "b/package.json", npm_lock(**{"b/node_modules/core": {"version": "1.0.0"}}), True),
    ("package-lock.json", "package.json", '{"dependencies": {"core": {"version": "1.0.0"}}}', True),
    ("package-lock.json", "package.json", '{"dependencies": {"core": {"version": "file:../core"}}}', False),
    ("pnpm-lock.yaml", "packages/b/package.json", PNPM.replace("link:../core", "1.0.0").replace("@", ""), True),
    ("pnpm-lock.yaml", "packages/b/package.json", PNPM.replace("@", ""), False),
    ("pnpm-lock.yaml", "packages/b/package.json", OLD_PNPM.replace("link:../core", "1.0.0").replace("@", ""), True),
    ("yarn.lock", "package.json", '# yarn lockfile v1\n\ncore@^1.0.0:\n  version "1.0.0"\n', True),
    ("yarn.lock", "package.json", '# yarn lockfile v1\n\ncore@^0.9.0, core2@^1.0.0:\n  version "1.0.0"\n', False),
    ("yarn.lock", "package.json", '"core@npm:^1.0.0":\n  resolution: "core@npm:1.0.0"\n', True),
    ("yarn.lock", "package.json", '"core@npm:^1.0.0, core@workspace:a":\n  resolution: "core@workspace:a"\n', False),
    ("poetry.lock", "pyproject.toml", LOCK.format("", "x"), True),
    ("poetry.lock", "pyproject.toml", LOCK.format(HERE, "x"), False),
    ("uv.lock", "b/pyproject.toml", '[[package]]\nname = "core"\nsource = { registry = "x" }\n', True),
    ("uv.lock", "b/pyproject.toml", '[[package]]\nname = "core"\nsource = { editable = "core" }\n', False),
    ("Cargo.lock", "b/Cargo.toml", '[[package]]\nname = "core"\nsource = "registry+x"\n', True),
    ("Cargo.lock", "b/Cargo.toml", '[[package]]\nname = "core"\n', False),
]


@pytest.mark.parametrize(("lock", "manifest", "text", "is_foreign"), ELSEWHERE)
def test_what_comes_from_a_registry_cannot_be_locked_before_it_is_there(
    lock: str, manifest: str, text: str, *, is_foreign: bool
) -> None:
    manifests = [changed(manifest)]
    assert locked_elsewhere(lock, text.encode(), manifests) == ({(manifest, "core")} if is_foreign else set())
    if is_foreign:
        with pytest.raises(RefusedError, match="from a registry") as caught:
            write_lock(lock, text.encode(), manifests)
        assert "release core alone first" in caught.value.todo


@pytest.mark.parametrize(
    "path", ["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "poetry.lock", "uv.lock", "Chart.lock"]
)
@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe: 1", b"a: *b\n", b"a: [" * 200, b'"'])
def test_rubbish_is_refused_or_left_as_it_is(path: str, content: bytes) -> None:
    manifest = {"poetry.lock": "pyproject.toml", "uv.lock": "pyproject.toml", "Chart.lock": "Chart.yaml"}
    with contextlib.suppress(RefusedError):
        assert write_lock(path, content, [changed(manifest.get(path, "package.json"))]) == content
