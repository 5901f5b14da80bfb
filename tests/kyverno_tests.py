"""Tests of Kyverno's command line (`kyverno-test.yaml`), run with our own evaluation.

Source of the format: Kyverno's documentation, "kyverno test" (`cli.kyverno.io/v1alpha1`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.capabilities.gates.manifests.resources import Admission, Resource, settled, surroundings
from shipline.capabilities.gates.manifests.results import Result
from shipline.capabilities.gates.manifests.rules import Policies, compile_policies, judge
from shipline.clients.yaml_documents import read_manifests

BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a test expects of a rule and a resource, and what came: outcomes, and the words of those that differ.

    `kind` is `agree`, `differ`, `refused` (named as not evaluated), `none` (no rule is about it; Kyverno counts that as
    passed), `given` (the test hands in values of a cluster or a user) or `changes` (the rule changes resources).
    """

    test: str
    policy: str
    rule: str
    resource: str
    wanted: str
    kind: str
    got: tuple[str, ...] = ()
    words: str = ""


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a file."""
    return [each for _, each in read_manifests(path.read_bytes(), what=path.name, limit_bytes=BYTES_MAX)]


def expectations(test_file: Path, root: Path) -> Iterator[Expectation]:
    """Run one test file. Raises what reading raises."""
    test = documents(test_file)[0]
    folder = test_file.parent
    values = _values(test, folder)
    policies = compile_policies(each for path in test.get("policies") or () for each in documents(folder / path))
    resources = [Resource(each) for path in test.get("resources") or () for each in documents(folder / path)]
    rows = _rows(policies, resources, values)
    changes = {note.about.rpartition("/")[2] for note in policies.notes}
    refused = {row.policy: row.message for row in policies.refusals}
    ruleless = {policy.name.rpartition("/")[2] for policy in policies.policies if not hasattr(policy, "spec")}
    for wanted in test.get("results") or ():
        policy, rule = str(wanted["policy"]).rpartition("/")[2], str(wanted.get("rule") or "")
        for name in wanted.get("resources") or [wanted.get("resource") or "*"]:
            about = (str(test_file.relative_to(root).parent), policy, rule, f"{wanted.get('kind')}/{name}")
            outcome = str(wanted.get("result"))
            found = [row for row in rows if _is_of(row, policy, "" if policy in ruleless else rule, wanted, str(name))]
            if {policy, rule} & changes or any(key.startswith(("patched", "generated")) for key in wanted):
                yield Expectation(*about, outcome, "changes")
            elif policy in refused:
                yield Expectation(*about, outcome, "refused", words=refused[policy])
            else:
                yield _compared(about, outcome, found, given=_is_given(test, values))


def _compared(about: tuple[str, str, str, str], wanted: str, found: Sequence[Result], *, given: bool) -> Expectation:
    got = tuple(sorted({row.outcome.value for row in found}))
    words = next((row.message for row in found if row.outcome.value != wanted), "")
    if not found:
        return Expectation(*about, wanted, "agree" if wanted == "skip" else "none")
    if any(row.message.startswith("not evaluated") for row in found):
        return Expectation(*about, wanted, "refused", got, words)
    kind = "agree" if got == (wanted,) else "given" if given else "differ"
    return Expectation(*about, wanted, kind, got, words)


def _values(test: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    found = documents(folder / test["variables"])[0] if test.get("variables") else test.get("values")
    return found if isinstance(found, Mapping) else {}


def _is_given(test: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    named = [each for policy in values.get("policies") or () for each in policy.get("resources") or ()]
    more = any(set(each.get("values") or ()) - {"request.operation"} for each in named)
    keys = ("userinfo", "clusterResources", "exceptions", "context", "apiCallResponses", "paramResources")
    return more or any(policy.get("rules") for policy in values.get("policies") or ()) or any(map(test.get, keys))


def _rows(policies: Policies, given: Sequence[Resource], values: Mapping[str, Any]) -> list[Result]:
    """The rows for every resource. As in Kyverno's command line a namespace that is not described has no labels."""
    labels = {each["name"]: each.get("labels") or {} for each in values.get("namespaceSelector") or ()}
    kinds = surroundings(given).kinds
    resources = [settled(each, kinds, "default") for each in given]
    there = {each.name for each in resources if each.kind == "Namespace"}
    wanted = ({each.namespace for each in resources} | set(labels)) - there - {""}
    around = surroundings((*resources, *(_namespace(name, labels.get(name, {})) for name in wanted)))
    operations = {
        each["name"]: (each.get("values") or {}).get("request.operation")
        for policy in values.get("policies") or ()
        for each in policy.get("resources") or ()
    }
    usual = (values.get("globalValues") or {}).get("request.operation") or "CREATE"
    rows: list[Result] = []
    for each in resources:
        operation = operations.get(each.name) or usual
        # As there, what is updated was the same before.
        old = each.document if operation == "UPDATE" else None
        rows += judge(policies, Admission(each, around, operation=operation, old=old))
    return rows


def _namespace(name: str, labels: Mapping[str, str]) -> Resource:
    return Resource({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})


def _is_of(row: Result, policy: str, rule: str, wanted: Mapping[str, Any], name: str) -> bool:
    names = {rule, f"autogen-{rule}", f"autogen-cronjob-{rule}"}
    namespace, _, plain = name.rpartition("/")
    *place, kind, title = row.resource.split("/")
    return (
        row.policy.rpartition("/")[2] == policy
        and (not rule or row.rule in names)
        and plain in ("*", title)
        and (not namespace or place == [namespace])
        and (not wanted.get("kind") or kind == wanted["kind"])
    )
