"""Manifests as resources, and what is known around them: the namespaces, parameters and kinds beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shipline.capabilities.gates.manifests.kinds import Kind, Kinds
from shipline.capabilities.gates.manifests.proofs import Proofs

DEFAULT_NAMESPACE = "default"
_TABLES = {"annotations", "labels", "matchLabels", "metadata", "nodeSelector"}
_NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Resource:
    """One manifest. `file` and `line` are where it begins; 0 where that is not known."""

    document: Mapping[str, Any]
    file: str = ""
    line: int = 0

    @property
    def group(self) -> str:
        """The API group; "" is the core one."""
        return str(self.document.get("apiVersion", "")).rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return str(self.document.get("apiVersion", "")).rpartition("/")[2]

    @property
    def kind(self) -> str:
        """What it is: `Deployment`."""
        return str(self.document.get("kind", ""))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata; empty where it has none."""
        return _mapping(self.document.get("metadata"))

    @property
    def name(self) -> str:
        """Its name, or what its name will begin with."""
        return str(self.metadata.get("name") or self.metadata.get("generateName") or "")

    @property
    def namespace(self) -> str:
        """The namespace that it states; "" where it states none."""
        return str(self.metadata.get("namespace") or "")

    @property
    def labels(self) -> Mapping[str, Any]:
        """Its labels; empty where it has none."""
        return _mapping(self.metadata.get("labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """Its annotations; empty where it has none."""
        return _mapping(self.metadata.get("annotations"))

    @property
    def title(self) -> str:
        """`namespace/Kind/name`, without the namespace where it has none."""
        return "/".join(part for part in (self.namespace, self.kind, self.name) if part)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the resource that is judged: every object that was given, by what it is.

    A namespace that was not given is not known: a policy that asks for its labels cannot be answered.
    """

    kinds: Kinds
    objects: Mapping[tuple[str, str], tuple[Resource, ...]] = field(default_factory=dict)

    def named(self, group: str, kind: str, namespace: str, name: str) -> Resource | None:
        """The object of that kind and name. `namespace` is "" for a kind that lives in none."""
        found = self.objects.get((group, kind), ())
        return next((each for each in found if each.name == name and each.namespace == namespace), None)

    def with_object(self, resource: Resource) -> Surroundings:
        """The same with one more."""
        key = (resource.group, resource.kind)
        return replace(self, objects={**self.objects, key: (*self.objects.get(key, ()), resource)})

    def namespace(self, name: str) -> Mapping[str, Any] | None:
        """The Namespace, with the label that every one has; None where it was not given."""
        found = self.named("", "Namespace", "", name)
        if found is None:
            return None
        metadata = {**found.metadata, "labels": {_NAME_LABEL: name, **found.labels}}
        return {**found.document, "metadata": metadata}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a cluster says of a request beside its objects.

    `resource` is the plural by which it came, of `group` and `version`; `subresource` is "" for the object itself.
    `name` and `namespace` are "" where there are none. `said` is what expressions see as `request`.
    """

    group: str
    version: str
    resource: str
    subresource: str
    name: str
    namespace: str
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Admission:
    """A request to a cluster, as policies see it. `old` is what there is already; None for one that is created.

    `user` is `{"username", "groups", ...}`; None where it is not known who asks, as with manifests in files. `asked`
    is None for those, too: what a cluster would say is then worked out from the manifest. `proofs` is what registries
    have answered about images; None where none was asked.
    """

    resource: Resource
    around: Surroundings
    operation: str = "CREATE"
    old: Mapping[str, Any] | None = None
    user: Mapping[str, Any] | None = None
    asked: Asked | None = None
    proofs: Proofs | None = None

    @property
    def kind(self) -> Kind:
        """The kind of the resource."""
        if self.asked is not None:
            # In a request about a namespace itself its own name stands for the namespace.
            namespaced = bool(self.asked.namespace) and (self.asked.group, self.asked.resource) != ("", "namespaces")
            return Kind(self.asked.resource, namespaced=namespaced)
        return self.around.kinds.of(self.resource.group, self.resource.kind)

    @property
    def group(self) -> str:
        """The API group of the resource; that of a subresource's own kind (`Scale`) is another."""
        return self.resource.group if self.asked is None else self.asked.group

    @property
    def version(self) -> str:
        """The version within the group."""
        return self.resource.version if self.asked is None else self.asked.version

    @property
    def subresource(self) -> str:
        """`exec`, `scale`; "" for the object itself."""
        return "" if self.asked is None else self.asked.subresource

    @property
    def main_kind(self) -> str:
        """The kind of the object that a request is about, also where a subresource of it has another (`Scale`)."""
        if self.asked is None or not self.asked.subresource:
            return self.resource.kind
        return self.around.kinds.kind_of(self.asked.group, self.asked.resource) or self.resource.kind

    @property
    def name(self) -> str:
        """The object's name; options of a connection have none of their own."""
        return self.resource.name or ("" if self.asked is None else self.asked.name)

    @property
    def namespace(self) -> str:
        """The namespace; "" for what lives in none."""
        if self.asked is None:
            return self.resource.namespace
        return self.asked.namespace if self.kind.namespaced else ""

    @property
    def title(self) -> str:
        """`namespace/Kind/name`, without the namespace where it has none."""
        return "/".join(part for part in (self.namespace, self.resource.kind, self.name) if part)


def surroundings(resources: Iterable[Resource]) -> Surroundings:
    """Everything given, findable by what it is."""
    found = tuple(resources)
    objects: dict[tuple[str, str], list[Resource]] = {}
    for each in found:
        objects.setdefault((each.group, each.kind), []).append(each)
    return Surroundings(Kinds(each.document for each in found), {key: tuple(each) for key, each in objects.items()})


def settled(resource: Resource, kinds: Kinds, namespace: str) -> Resource:
    """The resource as a cluster takes it in: one that states no namespace goes to `namespace`, and a table of a kind
    of Kubernetes that is written without content is an empty one."""
    kind = kinds.of(resource.group, resource.kind)
    document = dict(resource.document if kind.guessed else _with_tables(resource.document))
    if kind.namespaced and not resource.namespace:
        document["metadata"] = {**_mapping(document.get("metadata")), "namespace": namespace}
    return replace(resource, document=document)


def _with_tables(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: {} if each is None and key in _TABLES else _with_tables(each) for key, each in value.items()}
    return [_with_tables(each) for each in value] if isinstance(value, list) else value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
