"""Files and folders in: syntax, schemas, policies, ready-made sets, and what comes out as SARIF."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipline.capabilities.gates import (
    ManifestsQuestion,
    ManifestsReport,
    check_manifests,
    manifests_block,
    manifests_sarif,
)
from shipline.capabilities.gates.manifests import usecases
from shipline.capabilities.gates.manifests.resources import Admission, Resource, surroundings
from shipline.capabilities.gates.manifests.rules import compile_policies, judge
from shipline.capabilities.gates.manifests.sets import SetValues, set_bytes, set_named
from shipline.clients.kubernetes_schemas import schema_problem
from shipline.clients.yaml_documents import read_manifests
from shipline.domain.errors import InvalidValue, UsageError

SETS = ("baseline", "registries")
GOOD = """
apiVersion: v1
kind: Pod
metadata: {name: good, namespace: shop}
spec:
  containers:
    - name: a
      image: registry.example/team/a:1.2
      resources: {limits: {memory: 1Gi}, requests: {memory: 1Gi, cpu: 100m}}
      securityContext: {allowPrivilegeEscalation: false}
"""
BAD = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: bad}
spec:
  schedule: "@daily"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          hostNetwork: true
          containers:
            - {name: a, image: nginx, securityContext: {privileged: true}}
          volumes: [{name: v, hostPath: {path: /}}]
"""
ABOUT_SHOP = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: labelled}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [Service]}}]}
      validate: {message: "{{request.object.metadata.name}} has no label", pattern: {metadata: {labels: {app: "*"}}}}
"""


def report(folder: Path, *sets: str, registries: tuple[str, ...] = (), namespace: str = "default") -> ManifestsReport:
    return check_manifests(ManifestsQuestion(folder, sets=sets, registries=registries, namespace=namespace))


def test_the_sets_pass_what_is_good_and_tell_what_is_not(tmp_path: Path) -> None:
    """Each of their policies says something of each workload."""
    (tmp_path / "good.yaml").write_text(GOOD)
    found = report(tmp_path, *SETS, registries=("registry.example/team",))
    assert {row.outcome.value for row in found.results} == {"pass"}
    assert not manifests_block(found.results)
    (tmp_path / "good.yaml").write_text(BAD)
    failed = report(tmp_path, *SETS, registries=("registry.example",)).results
    assert {row.outcome.value for row in failed} == {"fail"}
    assert sorted(row.policy.removeprefix("shipline-") for row in failed) == [
        "limits",
        "no-default-namespace",
        "no-escalation",
        "no-host-namespaces",
        "no-host-path",
        "no-latest",
        "no-privileged",
        "registries",
    ]
    assert [row.resource for row in failed[:1]] == ["default/CronJob/bad"]
    assert "no-default-namespace" not in {
        row.policy for row in report(tmp_path, "baseline", namespace="shop").results if row.outcome.value == "fail"
    }


@pytest.mark.parametrize(
    ("image", "latest", "allowed"),
    [
        ("nginx", "fail", "fail"),
        ("registry.example:5000/a", "fail", "fail"),
        ("registry.example:5000/team/a:1", "pass", "pass"),
        ("registry.example:5000/teams/a:1", "pass", "fail"),
        ("docker.io/b:latest", "fail", "pass"),
        ("b:1.0", "pass", "pass"),
        ("b@sha256:" + "0" * 64, "pass", "pass"),
    ],
)
def test_tags_and_registries_of_images(tmp_path: Path, image: str, latest: str, allowed: str) -> None:
    """A port is no tag, a registry is not its neighbour, and a name without one is docker.io's."""
    (tmp_path / "a.yaml").write_text(GOOD.replace("registry.example/team/a:1.2", image))
    rows = report(tmp_path, *SETS, registries=("registry.example:5000/team", "docker.io/b")).results
    found = {row.policy: row.outcome.value for row in rows}
    if "docker.io" in image or image.startswith("b"):
        rows = report(tmp_path, "registries", registries=("docker.io",)).results
        found["shipline-registries"] = rows[0].outcome.value
    assert (found["shipline-no-latest"], found["shipline-registries"]) == (latest, allowed)


def test_registries_without_their_parameter_are_an_error(tmp_path: Path) -> None:
    """No list is not an empty one."""
    (tmp_path / "good.yaml").write_text(GOOD)
    assert [row.outcome.value for row in report(tmp_path, "registries").results] == ["error"]
    with pytest.raises(UsageError, match="no set"):
        report(tmp_path, "nothing")


@pytest.mark.parametrize("name", SETS)
def test_a_cluster_takes_the_sets_as_they_are(name: str) -> None:
    """By the schemas of Kubernetes."""
    documents = [document for _, document in read_manifests(set_bytes(name), what=name, limit_bytes=10**6)]
    assert documents
    assert [schema_problem(document) for document in documents] == [""] * len(documents)


def test_a_folder_holds_policies_and_what_they_are_about(tmp_path: Path) -> None:
    """Lists are opened, hidden folders left alone, links and other YAML noted; places are those of the file."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(ABOUT_SHOP)
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    (tmp_path / "list.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [service]}))
    labelled = "apiVersion: v1\nkind: Service\nmetadata: {name: t, labels: {app: a}}\nspec: {ports: [{port: 80}]}\n"
    (tmp_path / "more.yml").write_text("# a comment\n---\n" + labelled)
    (tmp_path / "values.yaml").write_text("- replicas: 3\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("[")
    (tmp_path / "link.yaml").symlink_to(tmp_path / ".git" / "x.yaml")
    (tmp_path / "linked").symlink_to(tmp_path / "policies")
    found = report(tmp_path)
    assert [(row.resource, row.outcome.value, row.line) for row in found.results] == [
        ("default/Service/s", "fail", 1),
        ("default/Service/t", "pass", 3),
    ]
    assert found.results[0].message.startswith("s has no label")
    assert [Path(note.about).name for note in found.notes] == ["linked", "link.yaml", "values.yaml"]


@pytest.mark.parametrize(
    "listed",
    [
        {"kind": "List", "items": [{"kind": "List", "apiVersion": "v1", "items": ["POD"]}]},
        {"kind": "ConfigMap", "metadata": {"name": "x"}, "items": ["POD"]},
        {"kind": "PodList", "items": ["PLAIN"]},
    ],
)
def test_lists_are_opened_as_a_cluster_s_clients_do(tmp_path: Path, listed: dict[str, object]) -> None:
    """Lists in lists, lists that call themselves something else, items that leave their kind to the list."""
    pod: dict[str, object] = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    text = json.dumps({"apiVersion": "v1", **listed}).replace('"PLAIN"', json.dumps(pod))
    text = text.replace('"POD"', json.dumps({"apiVersion": "v1", "kind": "Pod", **pod}))
    (tmp_path / "list.json").write_text(text)
    assert {row.resource for row in report(tmp_path, "baseline").results} == {"default/Pod/p"}


def test_a_list_with_something_else_in_it_is_an_error(tmp_path: Path) -> None:
    """In a folder too: what stands beside it would not have been checked."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}}
    (tmp_path / "a.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod, {"kind": "Pod"}]}))
    with pytest.raises(InvalidValue, match="without apiVersion, kind or name"):
        report(tmp_path, "baseline")


def test_a_schema_that_is_broken_fails(tmp_path: Path) -> None:
    """Misspelt keys too; a kind without a schema is noted."""
    (tmp_path / "a.yaml").write_text(
        GOOD.replace("image:", "imagge:") + "---\napiVersion: x.io/v1\nkind: X\nmetadata: {name: x}\n"
    )
    found = report(tmp_path, "baseline")
    assert [(row.rule, row.outcome.value) for row in found.results if row.policy == "kubernetes-schema"] == [
        ("v1 Pod", "fail")
    ]
    assert [note.about for note in found.notes] == ["x.io/v1 X"]


def test_without_the_schemas_a_note_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies are asked all the same."""
    monkeypatch.setitem(sys.modules, "kubernetes_validate", None)
    (tmp_path / "a.yaml").write_text(GOOD.replace("image:", "imagge:"))
    found = report(tmp_path, "baseline")
    assert "kubernetes-schema" not in {row.policy for row in found.results}
    assert ["schemas were not checked" in note.text for note in found.notes] == [True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "cannot be read as YAML"),
        ("a: &x 1\nb: *x", "cannot be read as YAML"),
        ("a: 1\na: 2", "cannot be read as YAML"),
        ("[" * 100, "cannot be read as YAML"),
        ("kind: Pod", "without apiVersion, kind or name"),
        ("- 1", "no table"),
        ("\x00", "cannot be read as YAML"),
    ],
)
def test_what_cannot_be_read_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    """It names the file; nothing else was checked then."""
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InvalidValue, match=words) as caught:
        check_manifests(ManifestsQuestion(resources=(tmp_path / "a.yaml",), sets=("baseline",)))
    assert "a.yaml" in caught.value.what


def test_nothing_to_ask_is_an_error(tmp_path: Path) -> None:
    """Neither policies without manifests nor manifests without policies have passed."""
    (tmp_path / "good.yaml").write_text(GOOD)
    with pytest.raises(UsageError, match="no policy"):
        report(tmp_path)
    (tmp_path / "good.yaml").write_text(ABOUT_SHOP)
    with pytest.raises(UsageError, match="no manifest"):
        report(tmp_path)


def test_more_manifests_than_anybody_has_are_refused_before_all_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last file is none, and nobody comes to see it."""
    monkeypatch.setattr(usecases, "RESOURCES_MAX", 5)
    many = "apiVersion: v1\nkind: List\nitems:\n" + '- {"apiVersion": v1, "kind": Pod, "metadata": {"name": a}}\n' * 2
    for name in "abc":
        (tmp_path / f"{name}.yaml").write_text(many)
    (tmp_path / "d.yaml").write_text("a: [")
    with pytest.raises(InvalidValue, match="more than 5 manifests"):
        report(tmp_path, "baseline")


def test_sarif_tells_what_blocks_at_its_line(tmp_path: Path) -> None:
    """With a fingerprint that does not change with the line."""
    (tmp_path / "bad.yaml").write_text(BAD)
    first = manifests_sarif(report(tmp_path, "baseline").results, "1.0.0")
    (tmp_path / "bad.yaml").write_text("# moved\n---\n" + BAD)
    second = manifests_sarif(report(tmp_path, "baseline").results, "1.0.0")
    assert first["version"] == "2.1.0"
    run = first["runs"][0]
    assert {each["level"] for each in run["results"]} == {"error"}
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {each["ruleId"] for each in run["results"]}
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
    assert [each["partialFingerprints"] for each in run["results"]] == [
        each["partialFingerprints"] for each in second["runs"][0]["results"]
    ]


def test_an_answer_takes_no_time_once_policies_are_compiled() -> None:
    """What a webhook needs: far below its 50 ms, also on a slow machine."""
    policies = compile_policies(set_named("baseline", SetValues()))
    pod = next(document for _, document in read_manifests(GOOD.encode(), what="pod", limit_bytes=10**4))
    admission = Admission(Resource(pod), surroundings(()))
    judge(policies, admission)
    started = time.perf_counter()
    for _ in range(20):
        judge(policies, admission)
    assert (time.perf_counter() - started) / 20 < 0.05


def test_the_face_of_gates_stays_light() -> None:
    """Who evaluates a gate loads no YAML and no JMESPath."""
    program = "import sys, shipline.capabilities.gates; print(sorted({'yaml', 'jmespath'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Pod\nspec: {}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\n",
        "kind: Pod\nmetadata: {name: a}\n",
        "apiVersion: v1\nmetadata: {name: a}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: [a]\n",
    ],
)
def test_what_was_to_be_a_manifest_is_no_note(tmp_path: Path, text: str) -> None:
    """In a folder too: a name that was forgotten lets nothing pass."""
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text("---\n" + text)
    with pytest.raises(InvalidValue, match=r"bad\.yaml holds a document without apiVersion, kind or name, at line 2"):
        report(tmp_path, "baseline")


def test_what_says_how_others_are_rendered_is_a_note(tmp_path: Path) -> None:
    """It lies in such folders, and is never applied."""
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: a\nversion: 1.0.0\n")
    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [good.yaml]\n"
    )
    assert [Path(note.about).name for note in report(tmp_path, "baseline").notes] == [
        "Chart.yaml",
        "kustomization.yaml",
    ]
