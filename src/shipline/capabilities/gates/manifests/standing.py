"""Policies that stand ready to be asked by a cluster: read, compiled, and refused whole where one cannot be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.capabilities.gates.manifests.proofs import Demand
from shipline.capabilities.gates.manifests.resources import Admission, Asked, Resource, Surroundings
from shipline.capabilities.gates.manifests.results import Note
from shipline.capabilities.gates.manifests.review import Decision, Review, admission_of, decide
from shipline.capabilities.gates.manifests.rules import Policies, compile_policies, image_demands, judge, watched
from shipline.capabilities.gates.manifests.usecases import ENDINGS, Question, read_standing
from shipline.domain.errors import RefusedError, UsageError

SHOWN_MAX = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """What answers. `around` is what was given beside the policies: parameters, namespaces, definitions of kinds."""

    policies: Policies
    around: Surroundings

    @property
    def count(self) -> int:
        """How many policies there are."""
        return len(self.policies.policies)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be said of them."""
        return self.policies.notes

    def rules(self) -> list[dict[str, Any]]:
        """The rules of a webhook that is asked about all that they are about."""
        return watched(self.policies, self.around.kinds)

    def admission(self, review: Review, namespace: Mapping[str, Any] | None = None) -> Admission:
        """The question as policies see it, with its namespace where that was looked up."""
        return admission_of(review, self.around if namespace is None else self.around.with_object(Resource(namespace)))

    def demands_of_pods(self, pods: Iterable[Mapping[str, Any]]) -> tuple[Demand, ...]:
        """What registries would be asked if these pods were made anew, each once."""
        found: dict[Demand, None] = {}
        for pod in pods:
            resource = Resource({"apiVersion": "v1", "kind": "Pod", **pod})
            place = (resource.name, resource.namespace)
            asked = Asked("", "v1", "pods", "", *place, {})
            admission = Admission(resource, self.around, asked=asked)
            found.update(dict.fromkeys(self.demands(admission)))
        return tuple(found)

    def demands(self, admission: Admission) -> tuple[Demand, ...]:
        """What registries are to be asked first."""
        return image_demands(self.policies, admission)

    def decide(self, admission: Admission) -> Decision:
        """The answer of all of them."""
        return decide(judge(self.policies, admission))


def stand_ready(question: Question) -> Standing:
    """Read and compile. RefusedError names every rule that cannot be asked: it would refuse all that it is about.

    UsageError where there is no policy, InvalidValue for what cannot be read.
    """
    documents, around = read_standing(question)
    policies = compile_policies(documents)
    untold = [f"{policy.name}/{rule}: {words}" for policy in policies.policies for rule, words in policy.refused]
    refused = [*(f"{row.policy}: {row.message}" for row in policies.refusals), *untold]
    if refused:
        raise RefusedError(
            "policies cannot be asked: " + "; ".join(refused[:SHOWN_MAX]),
            why="they would refuse all that they are about",
            todo="leave them out, or change what is named",
        )
    if not policies.policies:
        raise UsageError("there is no policy to ask", todo="name one with --policy, or a ready-made set with --set")
    return Standing(policies, around)


def policy_files(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files that are named, and those that lie in a folder that is. Links are followed: a cluster mounts its
    ConfigMaps as such, and whoever names the folder knows what is in it."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(each for each in path.iterdir() if each.name.endswith(ENDINGS)) if path.is_dir() else [path]
        found += [each for each in inside if not each.is_dir() and not (path.is_dir() and each.name.startswith("."))]
    return tuple(found)
