"""Agents: their manifests hold to Kubernetes' schemas and our baseline, and come back as what they were."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.gates import ManifestsQuestion, check_manifests
from shipline.capabilities.scaffold import (
    AGENTS,
    Placed,
    agent_manifest,
    agent_named,
    containerfile,
    kubernetes_manifests,
    read_manifest,
)
from shipline.capabilities.scaffold.agents import script
from shipline.clients.yaml_documents import read_documents
from shipline.domain.errors import InvalidValue, UnknownName
from shipline.providers.target.kubernetes_manifest import check_strictly
from tests.command import run_shipline

IMAGE = f"registry.example/team/shipline@sha256:{'0' * 64}"
PLACED = Placed(IMAGE, "https://git.example/team/quotes.git", "main", "RELEASE_TOKEN")


def pods(text: str) -> dict[str, dict[str, Any]]:
    """All documents, by kind."""
    documents = read_documents(text.encode(), what="the manifests", limit_bytes=1 << 16)
    return {document["kind"]: document for document in documents}


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_an_agent_in_a_cluster_has_no_rights_there(name: str, tmp_path: Path) -> None:
    """By the strict schemas, by our own baseline, and by what it lists."""
    text = kubernetes_manifests(agent_named(name), PLACED)
    found = pods(text)
    for kind, document in found.items():
        check_strictly(document, kind)
    (tmp_path / "agent.yaml").write_text(text)
    report = check_manifests(ManifestsQuestion(resources=(tmp_path / "agent.yaml",), sets=("baseline",)))
    assert [row for row in report.results if row.outcome.value not in ("pass", "skip")] == []
    assert "&" not in text
    assert found["ServiceAccount"]["automountServiceAccountToken"] is False
    assert not {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Secret", "Service"} & set(found)
    assert found["NetworkPolicy"]["spec"]["ingress"] == []


def test_a_manifest_comes_back_as_what_it_was() -> None:
    """In YAML and in JSON; what counts for nothing is told; fewer capabilities mean that less is done."""
    for agent in AGENTS.values():
        read = read_manifest(agent_manifest(agent, "1.0.0").encode())
        assert (read.agent, read.left) == (agent, ())
    other = {"apiVersion": "ossa/v0.4.5", "kind": "Agent", "metadata": {"name": "security-scanner"}}
    other |= {"spec": {"capabilities": ["scan"], "llm": {"model": "x"}}}
    read = read_manifest(json.dumps(other).encode())
    assert [one.name for one in read.agent.capabilities] == ["scan"]
    assert read.left == ("spec.llm",)
    assert "remediate" not in kubernetes_manifests(read.agent, PLACED)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"apiVersion": "v1"}, InvalidValue),
        ({"kind": "Workflow"}, InvalidValue),
        ({"metadata": {"name": "mayor"}}, UnknownName),
        ({"metadata": []}, InvalidValue),
        ({"spec": {"capabilities": ["deploy"]}}, InvalidValue),
        ({"spec": {"capabilities": [{}]}}, InvalidValue),
        ({"spec": {}}, InvalidValue),
        ({"metadata": {"name": "release-manager"}, "spec": {"capabilities": ["release"]}}, InvalidValue),
    ],
)
def test_a_manifest_that_is_none_of_ours_is_refused(change: dict[str, Any], error: type[Exception]) -> None:
    document = {"apiVersion": "ossa/v0.5.0", "kind": "Agent", "metadata": {"name": "security-scanner"}}
    with pytest.raises(error):
        read_manifest(json.dumps(document | {"spec": {"capabilities": ["scan"]}} | change).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"image": "registry.example/team/shipline:latest"},
        {"url": "https://user:word@git.example/team/quotes.git"},
        {"url": "https://git.example/a;reboot"},
        {"branch": "main; reboot"},
        {"token_variable": "a b"},
    ],
)
def test_what_could_be_more_than_a_name_is_refused(change: dict[str, str]) -> None:
    given = {"image": IMAGE, "url": PLACED.url, "branch": "main", "token_variable": "T"} | change
    with pytest.raises(InvalidValue):
        Placed(**given)


@pytest.mark.parametrize(("codes", "end"), [((0, 4, 0), 0), ((1, 0, 4), 1), ((0, 0, 3), 3)])
def test_one_that_comes_and_goes_does_everything_and_ends_with_the_worst(
    codes: tuple[int, ...], end: int, tmp_path: Path
) -> None:
    program = tmp_path / "shipline"
    cases = f"scan) exit {codes[0]};; advisories) exit {codes[1]};; remediate) exit {codes[2]};;"
    program.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/done"\ncase "$1" in {cases} esac\n')
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    asked = ["/bin/sh", "-ec", script(agent_named("security-scanner"))]
    assert subprocess.run(asked, env=environment, check=False).returncode == end
    assert (tmp_path / "done").read_text().split() == ["scan", "advisories", "remediate"]


def test_the_files_are_written_once_and_what_is_there_stays(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    asked = ("init", "--agent", "security-scanner")
    assert run_shipline(tmp_path, *asked).code == 0
    folder = tmp_path / "agents" / "security-scanner"
    assert sorted(path.name for path in folder.iterdir()) == ["Containerfile", "agent.ossa.yaml"]
    assert "USER 65532:65532" in (folder / "Containerfile").read_text()
    again = run_shipline(tmp_path, "init", "--agent", str(folder / "agent.ossa.yaml"))
    assert again.code == 4, again
    assert run_shipline(tmp_path, *asked, "--image", IMAGE).code == 2
    with pytest.raises(InvalidValue):
        containerfile(agent_named("security-scanner"), "1; reboot")
