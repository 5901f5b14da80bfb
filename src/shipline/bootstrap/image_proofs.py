"""What registries say about images, as policies ask it: by the verification that `shipline verify` uses."""

from __future__ import annotations

from shipline.bootstrap.signing import ANSWER_TIMEOUT_S, image_of
from shipline.capabilities.evidence import Thing, proven_statements
from shipline.capabilities.gates import ImageDemand, ImageProof
from shipline.clients.image_names import image_reference
from shipline.domain.errors import ShiplineError, UsageError
from shipline.domain.strict_json import read_json
from shipline.domain.verdict import Answer

WORDS_MAX = 500
ADMISSION_TIMEOUT_S = 3.0
"""For each exchange where a cluster waits, five seconds as a rule."""


def prove(demand: ImageDemand, *, timeout_s: float = ANSWER_TIMEOUT_S) -> ImageProof:
    """Ask the image's registry. Never raises: what was not found out is UNKNOWN, with the reason.

    `timeout_s` bounds each exchange with the registry, of which there are several.
    """
    reference = image_reference(demand.reference)
    if reference is None:
        return ImageProof(Answer.UNKNOWN, f"{demand.reference} cannot be asked for by that name")
    try:
        attachments, image = image_of(reference, timeout_s=timeout_s)
        thing = Thing(image.name, image.subject.digest, demand.predicate_type)
        verification, statements = proven_statements(attachments, thing, demand.keys)
    except UsageError as error:
        return ImageProof(Answer.FAIL, error.sentence()[:WORDS_MAX])
    except ShiplineError as error:
        return ImageProof(Answer.UNKNOWN, error.sentence()[:WORDS_MAX])
    words = "; ".join((*(check.words for check in verification.checks), *verification.notes))[:WORDS_MAX]
    answer = Answer.PASS if verification.proven else Answer.FAIL
    predicates = tuple(_predicate(each) for each in statements) if demand.contents else ()
    return ImageProof(answer, words, frozenset(verification.keys), predicates)


def _predicate(statement: bytes) -> dict[str, object]:
    """What a statement says; nothing of it where that is no table, so that no condition finds what it asks for."""
    match read_json(statement, what="the statement", limit_bytes=len(statement)):
        case {"predicate": dict(predicate)}:
            return dict(predicate)
    return {}
