"""Policies and resources in, rows out. Pure: documents come in as values, and the same give the same rows.

`compile_policies` once, then `judge` for each request: so the command line asks about files, and so an admission
webhook can ask about what a cluster sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.gates.manifests import admission_policy, image_policy, kyverno, validating_policy
from shipline.capabilities.gates.manifests.kinds import Kinds
from shipline.capabilities.gates.manifests.policy import Policy
from shipline.capabilities.gates.manifests.proofs import Demand
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.results import Note, Outcome, Result
from shipline.capabilities.gates.manifests.unsupported import Unsupported
from shipline.capabilities.gates.manifests.watching import merged
from shipline.domain.errors import InvalidValue

POLICIES_MAX = 1000
MALFORMED = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)
"""What comes of documents that hold a list where a table belongs and the like. No schema of Kyverno's kinds is at hand
to refuse them beforehand, so each is refused where it is met: an error, which blocks."""
_POLICY, _BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
_NO_CHECK = {
    admission_policy.GROUP: {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"},
    kyverno.GROUP: {"CleanupPolicy", "ClusterCleanupPolicy", "UpdateRequest"},
    validating_policy.GROUP: {
        "MutatingPolicy",
        "GeneratingPolicy",
        "DeletingPolicy",
        "NamespacedMutatingPolicy",
        "NamespacedGeneratingPolicy",
        "NamespacedDeletingPolicy",
    },
}
_REFUSED = {
    kyverno.GROUP: {"PolicyException", "GlobalContextEntry"},
    validating_policy.GROUP: {"PolicyException"},
}


@dataclass(frozen=True, slots=True)
class Policies:
    """Compiled policies. `refusals` are rows for what cannot be asked about anything; `notes` block nothing."""

    policies: tuple[Policy, ...]
    refusals: tuple[Result, ...]
    notes: tuple[Note, ...]


def is_policy(document: Mapping[str, Any]) -> bool:
    """Whether the document is of a kind that belongs to policies, whether it can be asked or not."""
    group, kind = _identity(document)
    known = {(admission_policy.GROUP, _POLICY), (admission_policy.GROUP, _BINDING)}
    known |= {(kyverno.GROUP, each) for each in kyverno.KINDS}
    known |= {(validating_policy.GROUP, each) for each in (*validating_policy.KINDS, *image_policy.KINDS)}
    return (group, kind) in known or any(kind in table.get(group, ()) for table in (_NO_CHECK, _REFUSED))


def compile_policies(documents: Iterable[Mapping[str, Any]]) -> Policies:
    """Compile the policies among the documents; others are left alone. What cannot be had is in the rows and notes.

    Raises InvalidValue for two policies of one name, and for more than POLICIES_MAX.
    """
    given = [document for document in documents if is_policy(document)]
    if len(given) > POLICIES_MAX:
        raise InvalidValue(f"there are more than {POLICIES_MAX} policies")
    bindings = [document for document in given if _identity(document) == (admission_policy.GROUP, _BINDING)]
    found: list[Policy] = []
    refusals: list[Result] = []
    notes: list[Note] = []
    for document in given:
        group, kind = _identity(document)
        title = f"{kind}/{_name(document)}"
        if kind in _NO_CHECK.get(group, ()):
            notes.append(Note(title, "policies of this kind check nothing"))
        elif kind in _REFUSED.get(group, ()):
            refusals.append(_refusal(_name(document), _name(document), kind))
        elif kind != _BINDING:
            try:
                found.append(_compiled(document, group, bindings))
            except Unsupported as error:
                refusals.append(_refusal(_name(document), _name(document), str(error)))
            except MALFORMED as error:
                words = f"the policy is of a form that is not known ({type(error).__name__})"
                refusals.append(_refusal(_name(document), _name(document), words))
    _check_names(found, bindings)
    notes += [note for policy in found for note in policy.notes]
    return Policies(tuple(found), tuple(refusals), tuple(notes))


def image_demands(policies: Policies, admission: Admission) -> tuple[Demand, ...]:
    """What registries are to be asked before the request can be judged, each once."""
    found: dict[Demand, None] = {}
    for policy in policies.policies:
        try:
            found.update(dict.fromkeys(policy.demands(admission)))
        except MALFORMED:
            continue  # Judging says it.
    return tuple(found)


def watched(policies: Policies, kinds: Kinds) -> list[dict[str, Any]]:
    """The rules of a webhook that is asked about all that the policies are about, and little else."""
    return merged(rule for policy in policies.policies for rule in policy.watches(kinds))


def judge(policies: Policies, admission: Admission) -> tuple[Result, ...]:
    """Every row of every policy for one request."""
    return tuple(row for policy in policies.policies for row in _judged(policy, admission))


def judge_all(policies: Policies, admissions: Sequence[Admission]) -> tuple[Result, ...]:
    """The rows for many requests; a rule that cannot be asked has a row even where it is about none of them."""
    rows = [row for admission in admissions for row in judge(policies, admission)]
    told = {(row.policy, row.rule) for row in rows}
    untold = [
        _refusal(policy.name, rule, words)
        for policy in policies.policies
        for rule, words in policy.refused
        if not {(policy.name, name) for name in (rule, f"autogen-{rule}", f"autogen-cronjob-{rule}")} & told
    ]
    return (*policies.refusals, *untold, *rows)


def _judged(policy: Policy, admission: Admission) -> tuple[Result, ...]:
    try:
        return policy.judge(admission)
    except MALFORMED as error:
        resource = admission.resource
        words = f"not evaluated: the policy or the manifest is of a form that is not known ({type(error).__name__})"
        place = (admission.title, Outcome.ERROR, words, "Enforce", "", resource.file, resource.line)
        return (Result(policy.name, policy.name, *place),)


def _compiled(document: Mapping[str, Any], group: str, bindings: Sequence[Mapping[str, Any]]) -> Policy:
    if not _name(document):
        raise Unsupported("a policy without a name")
    if group == kyverno.GROUP:
        return kyverno.compile_cluster_policy(document)
    if group == validating_policy.GROUP and document.get("kind") in image_policy.KINDS:
        return image_policy.compile_image_policy(document)
    if group == validating_policy.GROUP:
        return validating_policy.compile_validating_policy(document)
    return admission_policy.compile_admission_policy(document, bindings)


def _check_names(policies: Sequence[Policy], bindings: Sequence[Mapping[str, Any]]) -> None:
    """A policy given twice would be told twice; a binding without its policy binds nothing, which nobody wants."""
    names = [(type(policy).__name__, policy.name) for policy in policies]
    doubled = next((name for kind, name in names if names.count((kind, name)) > 1), None)
    if doubled is not None:
        raise InvalidValue(f"two policies are named {doubled[:80]!r}", todo="give each file once")
    for binding in bindings:
        wanted = str((binding.get("spec") or {}).get("policyName"))
        if ("AdmissionPolicy", wanted) not in names:
            raise InvalidValue(
                f"the binding {_name(binding)[:80]!r} names the policy {wanted[:80]!r}, which was not given",
                todo="give the policy's file too, with --policy",
            )


def _refusal(policy: str, rule: str, words: str) -> Result:
    return Result(policy, rule, "", Outcome.ERROR, f"not evaluated: {words}")


def _identity(document: Mapping[str, Any]) -> tuple[str, str]:
    return str(document.get("apiVersion", "")).rpartition("/")[0], str(document.get("kind", ""))


def _name(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, Mapping) else ""
