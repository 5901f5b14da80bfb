"""Kyverno's ImageValidatingPolicy (`policies.kyverno.io`): rules in CEL about who has signed images, and what is stated
about them.

Signatures are those of keys that stand in the policy, proven as `shipline verify` proves them. CEL never asks a
registry: what is to be asked is known before (`demands`), and the functions read the answers. What else Kyverno can ask
for is refused by name, as for `verifyImages`.

Source: `kyverno/kyverno` (`pkg/cel/libs/imageverify`, `pkg/image/verification/evaluator`, 2026-08), Apache-2.0, and its
CustomResourceDefinition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from shipline.capabilities.evidence import PublicKey
from shipline.capabilities.gates.manifests.cel_checks import CELChecks, compile_checks, data_of
from shipline.capabilities.gates.manifests.constraints import applies, check_constraints
from shipline.capabilities.gates.manifests.expressions.program import read_variables
from shipline.capabilities.gates.manifests.kinds import Kinds
from shipline.capabilities.gates.manifests.kyverno.images import Image, image_texts, parse_image
from shipline.capabilities.gates.manifests.kyverno.verify_images import NOT_ASKED, known_table, public_keys
from shipline.capabilities.gates.manifests.policy import EVERYTHING, Header, header_of
from shipline.capabilities.gates.manifests.proofs import Demand, Proof, Proofs
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.results import Note, Outcome, Result
from shipline.capabilities.gates.manifests.unsupported import Undecided, Unsupported
from shipline.capabilities.gates.manifests.validating_policy import for_controllers, read_spec
from shipline.capabilities.gates.manifests.watching import Rule, rules_of_constraints
from shipline.capabilities.gates.manifests.wildcards import matches
from shipline.domain.verdict import Answer

KINDS = ("ImageValidatingPolicy", "NamespacedImageValidatingPolicy")
ATTESTORS_MAX = 50
IMAGES_MAX = 100
_KEYS = {
    "attestations",
    "attestors",
    "auditAnnotations",
    "autogen",
    "evaluation",
    "failurePolicy",
    "matchConditions",
    "matchConstraints",
    "matchImageReferences",
    "validationActions",
    "validationConfigurations",
    "validations",
    "variables",
    "webhookConfiguration",
}
T = TypeVar("T")
_GLOB = re.compile(r"[A-Za-z0-9@:._/*?-]{1,1024}")


@dataclass(frozen=True, slots=True)
class _Asks:
    """What is asked about each image: whether its `globs` fit; the `attestors`, a key by name; the `attestations`, a
    predicate type by name; and of these what the expressions make use of.

    `pinned` where an image must be named by its digest, `is_written` where the cluster writes it there itself;
    `required` where each image must be proven in some way, whatever the expressions say.
    """

    globs: tuple[str, ...]
    attestors: Mapping[str, PublicKey]
    attestations: Mapping[str, str]
    signatures: bool
    statements: bool
    contents: bool
    pinned: bool
    is_written: bool
    required: bool

    def is_about(self, text: str, image: Image) -> bool:
        """By any of its names, so that a digest or a registry that is left out lets none pass."""
        names = {text, image.reference, f"{image.registry}/{image.path}:{image.tag}"}
        return not self.globs or any(matches(each, name) for each in self.globs for name in names)

    def demands(self, image: Image) -> Iterator[tuple[str, Demand]]:
        """The questions by the name of the attestation, "" for the signature."""
        keys = tuple(sorted(set(self.attestors.values()), key=lambda key: key.id))
        if self.signatures:
            yield "", Demand(image.reference, keys)
        for name, predicate_type in self.attestations.items() if self.statements or self.contents else ():
            yield name, Demand(image.reference, keys, predicate_type, self.contents)

    def moves(self, image: Image, admission: Admission) -> bool:
        """As for `verifyImages`: whether its tag may name another image when that is fetched."""
        return self.pinned and not image.digest and not (self.is_written and admission.asked is None)


@dataclass(frozen=True, slots=True)
class ImageValidatingPolicy:
    """A compiled policy. It has no variants where `refusal` names what it asks for and cannot be had."""

    header: Header
    namespace: str
    action: str
    variants: tuple[tuple[Mapping[str, Any], CELChecks], ...]
    refusal: str
    constraints: Mapping[str, Any]
    asks: _Asks | None
    notes: tuple[Note, ...] = ()

    @property
    def name(self) -> str:
        """As in its metadata."""
        return self.header.name

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """The policy itself, where it cannot be asked."""
        return ((self.name, self.refusal),) if self.refusal else ()

    def watches(self, kinds: Kinds) -> tuple[Rule, ...]:  # noqa: ARG002 - it states resources, not kinds
        """What it states itself."""
        return rules_of_constraints(self.constraints)

    def demands(self, admission: Admission) -> tuple[Demand, ...]:
        """What is asked about the images that it is about; nothing where judging will say that it has no answer."""
        if self.asks is None or (self.namespace and admission.namespace != self.namespace):
            return ()
        try:
            if not any(applies(constraints, admission) for constraints, _ in self.variants):
                return ()
            images = _images(self.asks, admission)
        except (Undecided, Unsupported):
            return ()
        about = (image for group in images.values() for image in group.values())
        return tuple(
            demand for image in about if not self.asks.moves(image, admission) for _, demand in self.asks.demands(image)
        )

    def judge(self, admission: Admission) -> tuple[Result, ...]:
        """A row for the variant that is about the request."""
        if self.namespace and admission.namespace != self.namespace:
            return ()
        rows = []
        for constraints, checks in self.variants if not self.refusal else ((self.constraints, None),):
            try:
                if not applies(constraints, admission):
                    continue
                if checks is None or self.asks is None:
                    outcome, message = Outcome.ERROR, f"not evaluated: {self.refusal}"
                else:
                    outcome, message = _judged(self.asks, checks, admission)
            except Unsupported as error:
                outcome, message = Outcome.ERROR, f"not evaluated: {error}"
            except Undecided as error:
                outcome, message = Outcome.ERROR, str(error)
            rows.append(self.header.row(admission, self.name, outcome, message, self.action))
        return tuple(rows)


def compile_image_policy(document: Mapping[str, Any]) -> ImageValidatingPolicy:
    """The policy with its variants. What it asks for and is not had is kept as its refusal."""
    header, spec = header_of(document), document.get("spec")
    constraints, refusal, actions, asks = EVERYTHING, "", ["Deny"], None
    variants: list[tuple[Mapping[str, Any], CELChecks]] = []
    try:
        spec = read_spec(spec, _KEYS)
        actions = list(spec.get("validationActions") or ["Deny"])
        specs = [spec, *for_controllers({**spec, "matchConstraints": check_constraints(spec.get("matchConstraints"))})]
        rules = [rule for each in specs for rule in each["matchConstraints"].get("resourceRules") or ()]
        constraints = {**spec["matchConstraints"], "resourceRules": rules}
        asks = _asks(spec)
        variants = [(each["matchConstraints"], _checks(each)) for each in specs]
    except Unsupported as error:
        refusal = str(error)
    is_namespaced = document.get("kind") == "NamespacedImageValidatingPolicy"
    namespace = str((document.get("metadata") or {}).get("namespace") or "default") if is_namespaced else ""
    action = "Enforce" if "Deny" in actions else "Audit"
    return ImageValidatingPolicy(header, namespace, action, tuple(variants), refusal, constraints, asks)


def _checks(spec: Mapping[str, Any]) -> CELChecks:
    variables = read_variables(spec.get("variables") or (), either=True, images=True)
    return compile_checks(spec.get("matchConditions") or (), spec.get("validations") or (), variables)


def _asks(spec: Mapping[str, Any]) -> _Asks:
    attestors = _named([_attestor(each) for each in spec.get("attestors") or ()])
    attestations = _named([_attestation(each) for each in spec.get("attestations") or ()])
    if not 1 <= len(attestors) <= ATTESTORS_MAX or len(attestations) > ATTESTORS_MAX:
        raise Unsupported(f"a policy without attestors, or with more than {ATTESTORS_MAX}")
    said = " ".join(str(each.get("expression")) for key in ("validations", "variables") for each in spec.get(key) or ())
    contents = "extractPayload" in said
    if contents and len(attestors) > 1:
        raise Unsupported("extractPayload() in a policy of several attestors: whose statement is meant is not said")
    configuration = known_table(
        spec.get("validationConfigurations") or {}, {"mutateDigest", "required", "verifyDigest"}, "validations"
    )
    return _Asks(
        globs=tuple(_glob(each) for each in spec.get("matchImageReferences") or ()),
        attestors=attestors,
        attestations=attestations,
        signatures="verifyImageSignatures" in said,
        statements="verifyAttestationSignatures" in said,
        contents=contents,
        pinned=configuration.get("verifyDigest") is not False,
        is_written=configuration.get("mutateDigest") is not False,
        required=configuration.get("required") is not False,
    )


def _named(pairs: Sequence[tuple[str, T]]) -> dict[str, T]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unsupported("two attestors or two attestations of one name")
    return found


def _glob(given: object) -> str:
    text = str(known_table(given, {"glob"}, "matchImageReferences").get("glob"))
    if not _GLOB.fullmatch(text):
        raise Unsupported(f"the glob {text[:80]!r} of matchImageReferences")
    return text


def _attestor(given: object) -> tuple[str, PublicKey]:
    known = known_table(given, {"cosign", "name"}, "attestors")
    cosign = known_table(known.get("cosign"), {"ctlog", "key"}, "cosign of an attestor")
    key = known_table(cosign.get("key"), {"data", "hashAlgorithm"}, "key of an attestor")
    if str(key.get("hashAlgorithm") or "sha256").lower().replace("-", "") != "sha256":
        raise Unsupported(f"signatures by {str(key['hashAlgorithm'])[:40]}")
    log = known_table(
        cosign.get("ctlog") or {}, {"insecureIgnoreSCT", "insecureIgnoreTlog", "url"}, "ctlog of an attestor"
    )
    if log.get("insecureIgnoreTlog") is not True:
        raise Unsupported("the transparency log (ctlog) of an attestor: without `insecureIgnoreTlog: true` it is asked")
    keys = tuple(public_keys(str(key.get("data") or "")))
    if len(keys) != 1:
        raise Unsupported("an attestor with several keys")
    return str(known.get("name")), keys[0]


def _attestation(given: object) -> tuple[str, str]:
    known = known_table(given, {"intoto", "name"}, "attestations")
    kind = str(known_table(known.get("intoto"), {"type"}, "intoto of an attestation").get("type") or "")
    if not kind:
        raise Unsupported("attestations without a type")
    return str(known.get("name")), kind


def _images(asks: _Asks, admission: Admission) -> dict[str, dict[str, Image]]:
    """Those that it is about, by group and by what is written. Raises Undecided for a name that is none."""
    if admission.operation == "DELETE":
        return {}
    found: dict[str, dict[str, Image]] = {}
    for group, texts in image_texts(admission.resource.document, admission.resource.kind).items():
        try:
            named = {text: parse_image(text) for text in texts}
        except ValueError:
            raise Undecided("an image has a name that is none") from None
        found[group] = {text: image for text, image in named.items() if asks.is_about(text, image)}
    if sum(map(len, found.values())) > IMAGES_MAX:
        raise Undecided(f"there are more than {IMAGES_MAX} images")
    return found


def _judged(asks: _Asks, checks: CELChecks, admission: Admission) -> tuple[Outcome, str]:
    groups = _images(asks, admission)
    images = {text: image for group in groups.values() for text, image in group.items()}
    if images and admission.proofs is None:
        raise Unsupported(NOT_ASKED.replace("verifyImages (signatures of images)", "signatures of images"))
    data = data_of(admission)
    skipped = checks.conditions_fail(data)
    if skipped is not None:
        return skipped
    moving = next((image for image in images.values() if asks.moves(image, admission)), None)
    if moving is not None:
        return Outcome.FAIL, f"{moving.reference} is named by a tag, which may move on: name it by its digest"
    answers = {text: _answers(asks, image, admission.proofs or {}) for text, image in images.items()}
    data |= {
        "images": {group: list(named) for group, named in groups.items()},
        "attestors": {name: {"name": name, "key": key.id} for name, key in asks.attestors.items()},
        "attestations": {name: name for name in asks.attestations},
        "shipline_images": answers,
    }
    outcome, message = checks.judge(data)
    if outcome is not Outcome.PASS or not asks.required:
        return outcome, message
    return _required(images, answers)


def _answers(asks: _Asks, image: Image, proofs: Proofs) -> dict[str, Any]:
    """What is known of an image, as the functions of the expressions read it: by the name of an attestation, "" for the
    signature, the ids of the keys that have signed, or why that was not found out; and what the statements say."""
    found: dict[str, Any] = {}
    for name, demand in asks.demands(image):
        proof: Proof | None = proofs.get(demand)
        if proof is None or proof.answer is Answer.UNKNOWN:
            found[name] = {"trouble": "no registry was asked" if proof is None else proof.words, "keys": []}
            continue
        stated = [{"predicateType": demand.predicate_type, "predicate": dict(one)} for one in proof.predicates]
        keys = sorted(proof.keys) if proof.answer is Answer.PASS else []
        found[name] = {"keys": keys, "statements": stated if proof.answer is Answer.PASS else []}
    return found


def _required(images: Mapping[str, Image], answers: Mapping[str, Mapping[str, Any]]) -> tuple[Outcome, str]:
    """That each image is proven in one way at least: a rule that asks nobody lets nothing pass."""
    for text, image in images.items():
        said: Sequence[Mapping[str, Any]] = tuple(answers[text].values())
        if not any(one["keys"] for one in said):
            trouble = next((str(one["trouble"]) for one in said if "trouble" in one), "")
            if trouble:
                return Outcome.ERROR, f"whether {image.reference} is proven was not found out: {trouble}"
            return Outcome.FAIL, f"{image.reference} is not proven: no signature or statement about it holds"
    return Outcome.PASS, ""
