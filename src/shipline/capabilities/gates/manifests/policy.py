"""What a policy is to those who ask it, and how answers become rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shipline.capabilities.gates.manifests.kinds import Kinds
from shipline.capabilities.gates.manifests.proofs import Demand
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.results import Note, Outcome, Result
from shipline.capabilities.gates.manifests.unsupported import Unsupported
from shipline.capabilities.gates.manifests.watching import Rule

_SEVERITY = "policies.kyverno.io/severity"
_SCORED = "policies.kyverno.io/scored"


class Policy(Protocol):
    """A policy that is compiled. Judging is pure: the same request gives the same rows."""

    @property
    def name(self) -> str:
        """Its name, with its namespace before it where it has one."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be said of it whatever it is asked."""

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """Rules that cannot be asked at all, each with the name of what is missing."""

    def watches(self, kinds: Kinds) -> tuple[Rule, ...]:
        """Which requests a cluster has to ask about."""

    def judge(self, admission: Admission) -> tuple[Result, ...]:
        """A row for each of its rules that is about the request; none where none is."""

    def demands(self, admission: Admission) -> tuple[Demand, ...]:
        """What registries are to be asked before it can be judged."""


@dataclass(frozen=True, slots=True)
class Header:
    """What every row of a policy says. A policy that is not scored warns where others fail."""

    name: str
    severity: str = ""
    scored: bool = True

    def row(self, admission: Admission, rule: str, outcome: Outcome, message: str, action: str) -> Result:
        """The row of one answer."""
        if outcome is Outcome.FAIL and not self.scored:
            outcome = Outcome.WARN
        place = (admission.resource.file, admission.resource.line)
        return Result(self.name, rule, admission.title, outcome, message, action, self.severity, *place)


def header_of(document: Mapping[str, Any]) -> Header:
    """The header of a policy's document, by its metadata."""
    metadata = document.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    name = str(metadata.get("name") or "")
    namespace = str(metadata.get("namespace") or "")
    is_namespaced = str(document.get("kind")) in (
        "Policy",
        "NamespacedValidatingPolicy",
        "NamespacedImageValidatingPolicy",
    )
    return Header(
        f"{namespace or 'default'}/{name}" if is_namespaced else name,
        str(annotations.get(_SEVERITY) or ""),
        str(annotations.get(_SCORED)).lower() != "false",
    )


EVERYTHING: Mapping[str, Any] = {
    "resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]
}
"""What a policy is about whose own words about that cannot be read: it then blocks everything."""


def known_keys(spec: object, known: set[str]) -> Mapping[str, Any]:
    """The spec, which must be a table of known keys. Raises Unsupported, which names what is not."""
    if not isinstance(spec, Mapping):
        raise Unsupported("a policy or a binding without a spec")
    unknown = sorted(map(str, set(spec) - known))
    if unknown:
        raise Unsupported(f"spec.{unknown[0]}")
    return spec
