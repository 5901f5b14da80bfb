"""Files in, rows out: syntax first, then the schemas of Kubernetes, then policies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from shipline.capabilities.evidence import read_file
from shipline.capabilities.gates.manifests.proofs import Demand, Proof, Proofs
from shipline.capabilities.gates.manifests.resources import (
    DEFAULT_NAMESPACE,
    Admission,
    Resource,
    Surroundings,
    settled,
    surroundings,
)
from shipline.capabilities.gates.manifests.results import Note, Outcome, Result
from shipline.capabilities.gates.manifests.rules import (
    Policies,
    compile_policies,
    image_demands,
    is_policy,
    judge_all,
)
from shipline.capabilities.gates.manifests.sets import SetValues, set_named
from shipline.clients.kubernetes_schemas import SchemasMissing, schema_problem
from shipline.clients.yaml_documents import read_manifests
from shipline.domain.errors import InvalidValue, UsageError

FILE_BYTES_MAX = 8 * 1024 * 1024
FILES_MAX = 5000
RESOURCES_MAX = 20_000
SCHEMA_POLICY = "kubernetes-schema"
PROVERS = 8
_LINK = "a link is not followed: nothing behind it was checked"
ENDINGS = (".yaml", ".yml", ".json")
_RENDERERS = ("kustomize.config.k8s.io", "skaffold", "kind.x-k8s.io", "k3d.io")
Prove = Callable[[Demand], Proof]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about what. Paths are files or folders; in `folder` both policies and resources are looked for.
    A policy among `resources` is a resource like others.

    `sets` are names of ready-made policies, `registries` those that images may come from, `keys` public ones (PEM) that
    the set `signed-images` trusts. `namespace` is where manifests go that state none.
    """

    folder: Path | None = None
    policies: tuple[Path, ...] = ()
    resources: tuple[Path, ...] = ()
    sets: tuple[str, ...] = ()
    registries: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    namespace: str = DEFAULT_NAMESPACE


@dataclass(frozen=True, slots=True)
class Report:
    """The rows and notes, and how many resources were asked about."""

    results: tuple[Result, ...]
    notes: tuple[Note, ...]
    resources: int


def check_manifests(question: Question, prove: Prove | None = None) -> Report:
    """Read everything and ask. `prove` asks registries about images, several at once; without it a rule about
    signatures is an error that says so.

    Raises InvalidValue for what cannot be read, and UsageError where there is nothing to ask or nothing to ask about.
    """
    notes: list[Note] = []
    asking = _read_all(question.policies, notes)
    asked = _read_all(question.resources, notes)
    found = _read_all((question.folder,), notes) if question.folder else []
    beside = SetValues(question.registries, question.keys)
    shipped = [Resource(each) for name in question.sets for each in set_named(name, beside)]
    given = (*asking, *asked, *found, *shipped)
    policies = compile_policies(each.document for each in (*asking, *found, *shipped))
    judged = [*asked, *(each for each in found if not is_policy(each.document))]
    _need(policies, judged)
    kinds = surroundings(given).kinds
    taken_in = {id(each): settled(each, kinds, question.namespace) for each in given}
    around = surroundings(taken_in.values())
    admissions = [Admission(taken_in[id(each)], around) for each in judged]
    if prove is not None:
        proofs = _proven(policies, admissions, prove)
        admissions = [replace(each, proofs=proofs) for each in admissions]
    rows = (*_schemas(judged, notes), *judge_all(policies, admissions))
    return Report(rows, (*notes, *policies.notes), len(judged))


def read_standing(question: Question) -> tuple[list[Mapping[str, Any]], Surroundings]:
    """The documents of the question's policies and sets, and what is known beside them."""
    beside = SetValues(question.registries, question.keys)
    shipped = [Resource(each) for name in question.sets for each in set_named(name, beside)]
    given = [*_read_all(question.policies, []), *shipped]
    kinds = surroundings(given).kinds
    around = surroundings(settled(each, kinds, question.namespace) for each in given if not is_policy(each.document))
    return [each.document for each in given], around


def _proven(policies: Policies, admissions: Sequence[Admission], prove: Prove) -> Proofs:
    demands = list(dict.fromkeys(one for each in admissions for one in image_demands(policies, each)))
    with ThreadPoolExecutor(PROVERS) as pool:
        return dict(zip(demands, pool.map(prove, demands), strict=True))


def _need(policies: Policies, judged: Sequence[Resource]) -> None:
    if not policies.policies and not policies.refusals:
        raise UsageError("there is no policy to ask", todo="name one with --policy, or a ready-made set with --set")
    if not judged:
        raise UsageError("there is no manifest to check", todo="name files with --resources, or a folder")


def _read_all(paths: Sequence[Path], notes: list[Note]) -> list[Resource]:
    """The manifests of files and folders. Ends at the first beyond the limit: files may be many and large."""
    found = list(islice((each for path in paths for each in _read(path, notes)), RESOURCES_MAX + 1))
    if len(found) > RESOURCES_MAX:
        raise InvalidValue(f"there are more than {RESOURCES_MAX} manifests", todo="check them in parts")
    return found


def _read(path: Path, notes: list[Note]) -> Iterator[Resource]:
    """The manifests of a file or a folder. What is YAML and no manifest is an error in a file that was named, and a
    note in a folder, where such files lie about, unless it was to be one."""
    strict = not path.is_dir()
    for file in _files(path, notes):
        data = read_file(file, limit_bytes=FILE_BYTES_MAX)
        for line, document in read_manifests(data, what=str(file), limit_bytes=FILE_BYTES_MAX, tables=strict):
            manifests = list(_unfolded(document))
            yield from (Resource(each, str(file), line) for each in manifests if _is_manifest(each))
            if all(map(_is_manifest, manifests)):
                continue
            # In a list something was to be a manifest: it stands among others, which a cluster would take in.
            listed = len(manifests) > 1 or manifests[0] is not document
            if strict or listed or _is_meant(document):
                raise InvalidValue(
                    f"{file} holds a document without apiVersion, kind or name, at line {line}",
                    todo="name manifests alone; a chart is rendered first",
                )
            notes.append(Note(str(file), f"the document at line {line} is no manifest, and was not checked"))


def _files(path: Path, notes: list[Note]) -> list[Path]:
    """The file itself, or the YAML and JSON files in a folder; none in hidden folders, no links, which are noted."""
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        notes += [Note(str(link), _LINK) for each in folders if (link := Path(folder, each)).is_symlink()]
        found += [Path(folder, name) for name in sorted(names) if name.endswith(ENDINGS) and name[0] != "."]
        if len(found) > FILES_MAX:
            raise InvalidValue(f"{path} has more than {FILES_MAX} files", todo="check its folders one by one")
    notes += [Note(str(each), _LINK) for each in found if each.is_symlink()]
    return [each for each in found if not each.is_symlink()]


def _unfolded(document: Any) -> Iterator[Any]:
    """What a document with `items` lists, as clients of Kubernetes take it apart: whatever kind it says that it is,
    lists in lists too, and with its own kind for items that say none.

    Source: `k8s.io/apimachinery/pkg/apis/meta/v1/unstructured` (`UnstructuredJSONScheme`, v0.35).
    """
    items, kind, version = (_table(document).get(key) for key in ("items", "kind", "apiVersion"))
    if not isinstance(items, list) or not isinstance(kind, str) or not isinstance(version, str):
        yield document
        return
    for item in items:
        says_nothing = isinstance(item, dict) and not item.get("kind") and not item.get("apiVersion")
        if says_nothing and kind != "List" and kind.endswith("List"):
            item = {**item, "apiVersion": version, "kind": kind.removesuffix("List")}  # noqa: PLW2901 - what it stands for
        yield from _unfolded(item)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_manifest(document: Any) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        return False
    metadata = document["metadata"]
    named = isinstance(metadata.get("name") or metadata.get("generateName"), str)
    return named and all(isinstance(document.get(key), str) for key in ("apiVersion", "kind"))


def _is_meant(document: Any) -> bool:
    """Whether it was to be a manifest, of which something is missing: a cluster's client would stop there, too. What
    says how others are rendered is none (`kustomization.yaml`)."""
    table = _table(document)
    if str(table.get("apiVersion", "")).partition("/")[0] in _RENDERERS:
        return False
    return sum((isinstance(table.get("apiVersion"), str), isinstance(table.get("kind"), str), "metadata" in table)) > 1


def _schemas(resources: Sequence[Resource], notes: list[Note]) -> Iterator[Result]:
    """A row for each manifest that a cluster would not take in. Without the schemas a note says so."""
    unknown: set[str] = set()
    for resource in resources:
        try:
            problem = schema_problem(resource.document)
        except SchemasMissing as error:
            notes.append(Note("schemas", error.sentence()))
            return
        title = f"{resource.document['apiVersion']} {resource.kind}"
        if problem is None and title not in unknown:
            unknown.add(title)
            notes.append(Note(title, "no schema of it is known, and none was checked"))
        elif problem:
            place = (resource.title, Outcome.FAIL, problem, "Enforce", "", resource.file, resource.line)
            yield Result(SCHEMA_POLICY, title, *place)
