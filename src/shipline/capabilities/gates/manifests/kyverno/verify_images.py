"""`verifyImages`: who must have signed an image, or stated what about it.

Signatures are those of keys that stand in the policy, proven as `shipline verify` proves them. What else Kyverno can
ask for is refused by name: keys that lie elsewhere, certificates, keyless signatures, the transparency log.

Source: `pkg/engine/internal/imageverifier.go` and `api/kyverno/v1/image_verification_types.go` of Kyverno.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence import PublicKey, read_public_key
from shipline.capabilities.gates.manifests.kyverno.conditions import check_conditions, conditions_hold
from shipline.capabilities.gates.manifests.kyverno.images import Image, images_of, parse_image
from shipline.capabilities.gates.manifests.kyverno.queries import parsed
from shipline.capabilities.gates.manifests.kyverno.variables import Context, expressions_in
from shipline.capabilities.gates.manifests.proofs import Demand, Proof
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.results import Outcome
from shipline.capabilities.gates.manifests.unsupported import Undecided, Unsupported
from shipline.capabilities.gates.manifests.wildcards import matches
from shipline.domain.errors import InvalidValue
from shipline.domain.verdict import Answer

CHECKS_MAX = 50
KEYS_MAX = 50
IMAGES_MAX = 100
NESTING_MAX = 3
NOT_ASKED = "verifyImages (signatures of images): registries are asked with --verify-images only"
_KEYS = {
    "attestations",
    "attestors",
    "cosignOCI11",
    "failureAction",
    "imageReferences",
    "mutateDigest",
    "required",
    "skipImageReferences",
    "type",
    "useCache",
    "verifyDigest",
}
_TYPES = ("Cosign", "SigstoreBundle")
_ATTESTATION_KEYS = {"attestors", "conditions", "name", "predicateType", "type"}
_KEY_KEYS = {"ctlog", "publicKeys", "rekor", "signatureAlgorithm"}
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_WORST_FIRST = (Outcome.FAIL, Outcome.ERROR, Outcome.PASS)
_Judged = tuple[Outcome, str]


@dataclass(frozen=True, slots=True)
class AttestorSet:
    """So many of these must have signed, each a key or a set of its own."""

    count: int
    entries: tuple[PublicKey | AttestorSet, ...]

    def holds(self, proven: frozenset[str]) -> bool:
        """Whether enough have, where the keys with these ids have."""
        signed = [each.id in proven if isinstance(each, PublicKey) else each.holds(proven) for each in self.entries]
        return sum(signed) >= self.count

    def every_key(self) -> Iterator[PublicKey]:
        """Every key in it."""
        for each in self.entries:
            yield from (each,) if isinstance(each, PublicKey) else each.every_key()


@dataclass(frozen=True, slots=True)
class _Attestation:
    """A statement that must be there, signed by each of the sets; each such statement must fulfil the conditions."""

    predicate_type: str
    sets: tuple[AttestorSet, ...]
    conditions: Sequence[Any]


@dataclass(frozen=True, slots=True)
class ImageCheck:
    """What is asked about images of certain names. `pinned` where an image must be named by its digest; `is_written`
    where the cluster writes it there itself."""

    references: tuple[str, ...]
    skipped: tuple[str, ...]
    sets: tuple[AttestorSet, ...]
    attestations: tuple[_Attestation, ...]
    pinned: bool
    is_written: bool

    def is_about(self, image: Image) -> bool:
        """By any of its names: a digest lets no image pass by a pattern for tags."""
        names = {image.reference, f"{image.registry}/{image.path}:{image.tag}"}
        if any(matches(each, image.reference) for each in self.skipped):
            return False
        return any(matches(each, name) for each in self.references for name in names)


def failure_action(listed: object) -> str:
    """What is done about a failure, where a check states that: the strictest; "" where none does."""
    checks = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    stated = {str(each["failureAction"]) for each in checks if each.get("failureAction")}
    return "Enforce" if "Enforce" in stated else next(iter(stated), "")


def compile_image_checks(listed: object) -> tuple[ImageCheck, ...]:
    """The checks of a rule. Raises Unsupported, which names what is not had."""
    if not isinstance(listed, list) or not 1 <= len(listed) <= CHECKS_MAX:
        raise Unsupported(f"verifyImages that is no list of 1 to {CHECKS_MAX}")
    return tuple(_check(each) for each in listed)


def demands_of(checks: Sequence[ImageCheck], admission: Admission) -> tuple[Demand, ...]:
    """What registries are to be asked about the images of the request. Raises as `judge_images` does."""
    found: list[Demand] = []
    for check, image in _asked_about(checks, admission):
        if not _moves(check, image, admission):
            found += _demands(check, image)
    return tuple(found)


def judge_images(checks: Sequence[ImageCheck], context: Context, admission: Admission) -> _Judged:
    """The worst of the answers about each image. Raises Undecided and Unsupported where there is none."""
    answers = [_judged(check, image, context, admission) for check, image in _asked_about(checks, admission)]
    if not answers:
        return Outcome.SKIP, "there is no image that it is about"
    return min(answers, key=lambda answer: _WORST_FIRST.index(answer[0]))


def _check(given: object) -> ImageCheck:
    known = known_table(given, _KEYS, "verifyImages")
    if known.get("type", "Cosign") not in _TYPES:
        raise Unsupported(f"signatures of the type {str(known.get('type'))[:40]}")
    references = _texts(known.get("imageReferences"))
    if not references:
        raise Unsupported("verifyImages without imageReferences")
    sets = _sets(known.get("attestors"))
    attestations = tuple(_attestation(each) for each in known.get("attestations") or ())
    if not sets and not attestations:
        raise Unsupported("verifyImages without attestors and attestations")
    return ImageCheck(
        references,
        _texts(known.get("skipImageReferences")),
        sets,
        attestations,
        pinned=known.get("verifyDigest") is not False,
        is_written=known.get("mutateDigest") is not False,
    )


def _attestation(given: object) -> _Attestation:
    known = known_table(given, _ATTESTATION_KEYS, "attestations")
    predicate_type = str(known.get("type") or known.get("predicateType") or "")
    sets = _sets(known.get("attestors"))
    if not predicate_type or not sets:
        raise Unsupported("attestations without a type, or without attestors of their own")
    conditions = known.get("conditions") or []
    if not isinstance(conditions, list):
        raise Unsupported("conditions of attestations that are no list")
    for each in conditions:
        check_conditions(each)
    for expression in expressions_in(conditions):
        parsed(expression)
    return _Attestation(predicate_type, sets, conditions)


def _sets(listed: object) -> tuple[AttestorSet, ...]:
    sets = tuple(_set(each, 1) for each in (listed if isinstance(listed, list) else []))
    if listed and not sets:
        raise Unsupported("attestors that are no list")
    if sum(1 for each in sets for _ in each.every_key()) > KEYS_MAX:
        raise Unsupported(f"more than {KEYS_MAX} keys")
    return sets


def _set(given: object, nesting: int) -> AttestorSet:
    known = known_table(given, {"count", "entries"}, "attestors")
    entries = tuple(one for each in known.get("entries") or () for one in _entry(each, nesting))
    count = known.get("count", len(entries))
    if nesting > NESTING_MAX or not isinstance(count, int) or not 1 <= count <= len(entries):
        raise Unsupported("attestors without entries, or with a count that they never reach")
    return AttestorSet(count, entries)


def _entry(given: object, nesting: int) -> Iterator[PublicKey | AttestorSet]:
    known = known_table(given, {"attestor", "keys"}, "an attestor")
    if ("attestor" in known) == ("keys" in known):
        raise Unsupported("an attestor that is neither keys nor a set, or both")
    if "attestor" in known:
        yield _set(known["attestor"], nesting + 1)
        return
    keys = known_table(known["keys"], _KEY_KEYS, "keys of an attestor")
    if keys.get("signatureAlgorithm", "sha256") != "sha256":
        raise Unsupported(f"signatures by {str(keys['signatureAlgorithm'])[:40]}")
    rekor = keys.get("rekor")
    if not isinstance(rekor, Mapping) or rekor.get("ignoreTlog") is not True:
        raise Unsupported("the transparency log (rekor) of an attestor: without `ignoreTlog: true` Kyverno asks it")
    yield from public_keys(str(keys.get("publicKeys") or ""))


def public_keys(text: str) -> Iterator[PublicKey]:
    """Each stands for itself, as Kyverno takes them apart."""
    found = _PEM.findall(text)
    if not found or _PEM.sub("", text).strip():
        raise Unsupported("public keys that do not stand in the policy in PEM")
    for each in found:
        try:
            yield read_public_key(each.encode())
        except InvalidValue as error:
            raise Unsupported(f"a public key of an attestor: {error.what}") from None


def _asked_about(checks: Sequence[ImageCheck], admission: Admission) -> list[tuple[ImageCheck, Image]]:
    resource = admission.resource
    if admission.operation == "DELETE":
        return []
    try:
        found = images_of(resource.document, resource.kind)
    except ValueError:
        raise Undecided("an image has a name that is none") from None
    names = dict.fromkeys(each["reference"] for group in found.values() for each in group.values())
    if len(names) > IMAGES_MAX:
        raise Undecided(f"there are more than {IMAGES_MAX} images")
    images = [parse_image(name) for name in names]
    return [(check, image) for check in checks for image in images if check.is_about(image)]


def _moves(check: ImageCheck, image: Image, admission: Admission) -> bool:
    """Whether its tag may name another image when that is fetched. For manifests in files the cluster is trusted to
    write the digest there, where the policy says so; who is asked by a cluster can write nothing."""
    return check.pinned and not image.digest and not (check.is_written and admission.asked is None)


def _demands(check: ImageCheck, image: Image) -> Iterator[Demand]:
    if check.sets:
        yield _demand(image, check.sets)
    for each in check.attestations:
        yield _demand(image, each.sets, each)


def _demand(image: Image, sets: Sequence[AttestorSet], attestation: _Attestation | None = None) -> Demand:
    keys = {key.id: key for each in sets for key in each.every_key()}
    ordered = tuple(keys[each] for each in sorted(keys))
    if attestation is None:
        return Demand(image.reference, ordered)
    return Demand(image.reference, ordered, attestation.predicate_type, bool(attestation.conditions))


def _judged(check: ImageCheck, image: Image, context: Context, admission: Admission) -> _Judged:
    if admission.proofs is None:
        raise Unsupported(NOT_ASKED)
    if _moves(check, image, admission):
        return Outcome.FAIL, f"{image.reference} is named by a tag, which may move on: name it by its digest"
    proofs = admission.proofs
    signed = [_proven(proofs.get(_demand(image, check.sets)), check.sets, image)] if check.sets else []
    stated = [_stated(proofs.get(_demand(image, one.sets, one)), one, image, context) for one in check.attestations]
    answers = [*signed, *stated]
    return min(answers, key=lambda answer: _WORST_FIRST.index(answer[0]))


def _proven(proof: Proof | None, sets: Sequence[AttestorSet], image: Image) -> _Judged:
    if proof is None or proof.answer is Answer.UNKNOWN:
        words = "no registry was asked" if proof is None else proof.words
        return Outcome.ERROR, f"whether {image.reference} is proven was not found out: {words}"
    if proof.answer is Answer.FAIL:
        return Outcome.FAIL, proof.words
    missing = next((each for each in sets if not each.holds(proof.keys)), None)
    if missing is None:
        return Outcome.PASS, ""
    total = len(missing.entries)
    return Outcome.FAIL, f"{image.reference} is not signed by {missing.count} of the {total} who are asked for"


def _stated(proof: Proof | None, attestation: _Attestation, image: Image, context: Context) -> _Judged:
    outcome, words = _proven(proof, attestation.sets, image)
    if proof is None or outcome is not Outcome.PASS or not attestation.conditions:
        return outcome, words
    if not proof.predicates:
        return Outcome.ERROR, f"what is stated about {image.reference} cannot be read"
    for predicate in proof.predicates:
        inner = context.with_data(predicate)
        for each in attestation.conditions:
            holds, said = conditions_hold(each, inner)
            if not holds:
                what = f"a statement of the type {attestation.predicate_type} about {image.reference}"
                return Outcome.FAIL, "; ".join(filter(None, (f"{what} is not as the policy asks", said)))
    return outcome, words


def known_table(given: object, keys: set[str], what: str) -> Mapping[str, Any]:
    """A table of known keys. Raises Unsupported, which names what is not."""
    if not isinstance(given, Mapping):
        raise Unsupported(f"{what} that is no table")
    unknown = sorted(map(str, set(given) - keys))
    if unknown:
        raise Unsupported(f"{unknown[0][:60]} of {what}")
    return given


def _texts(listed: object) -> tuple[str, ...]:
    if not isinstance(listed, list | type(None)):
        raise Unsupported("references of images that are no list")
    return tuple(str(each) for each in listed or ())
