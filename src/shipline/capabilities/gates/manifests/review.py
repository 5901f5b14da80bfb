"""A cluster's question to a webhook and the answer to it: AdmissionReview in, AdmissionReview out. Pure.

Source: `k8s.io/api/admission/v1` (v0.35), and "Dynamic Admission Control" in the documentation of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.gates.manifests.resources import Admission, Asked, Resource, Surroundings
from shipline.capabilities.gates.manifests.results import Outcome, Result
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json

BODY_BYTES_MAX = 3 * 1024 * 1024
"""What a cluster stores has half of it at most, and an UPDATE brings two objects."""
DEPTH_MAX = 100
API_VERSION, KIND = "admission.k8s.io/v1", "AdmissionReview"
OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT")
TEXT_MAX = 512
MESSAGE_MAX = 4000
WARNING_MAX = 250
WARNINGS_MAX = 10
"""Longer and more warnings than these are cut off by a cluster, at 256 characters and 4,096 in all."""


@dataclass(frozen=True, slots=True)
class Review:
    """A question that was read. `object` is what there is to be, `old` what there is; None where there is none."""

    uid: str
    operation: str
    asked: Asked
    kind: tuple[str, str, str]
    object: Mapping[str, Any] | None
    old: Mapping[str, Any] | None
    user: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `denied` holds the words of what refused; `unknown` of what could not be asked, `warned` of what is
    said and refuses nothing."""

    denied: tuple[str, ...]
    unknown: tuple[str, ...]
    warned: tuple[str, ...]

    def allows(self, *, fails_open: bool) -> bool:
        """Whether the request is let in."""
        return not self.denied and (fails_open or not self.unknown)


def read_review(body: bytes) -> Review:
    """The question in a request's body. InvalidValue where it is none, says what is wrong."""
    document = read_json(body, what="the body", limit_bytes=BODY_BYTES_MAX)
    _check_depth(document)
    if not isinstance(document, dict) or (document.get("apiVersion"), document.get("kind")) != (API_VERSION, KIND):
        raise InvalidValue(f"the body is no {KIND} of {API_VERSION}")
    request = _table(document, "request")
    uid, operation = _text(request, "uid"), _text(request, "operation")
    if not uid or operation not in OPERATIONS:
        raise InvalidValue("the request has no uid, or an operation that is not known")
    kind, resource = _table(request, "kind"), _table(request, "resource")
    identity = (_text(kind, "group"), _text(kind, "version"), _text(kind, "kind"))
    if not identity[2] or not _text(resource, "resource"):
        raise InvalidValue("the request does not say what kind and resource it is about")
    said = {key: value for key, value in request.items() if key not in ("object", "oldObject")}
    asked = Asked(
        _text(resource, "group"),
        _text(resource, "version"),
        _text(resource, "resource"),
        _text(request, "subResource"),
        _text(request, "name"),
        _text(request, "namespace"),
        # Go leaves out what is empty.
        {"name": "", "namespace": "", "subResource": "", "dryRun": False, **said},
    )
    objects = (_table_or_none(request, "object"), _table_or_none(request, "oldObject"))
    return Review(uid, operation, asked, identity, *objects, _table(request, "userInfo"))


def admission_of(review: Review, around: Surroundings) -> Admission:
    """The request as policies see it."""
    deleted = review.operation == "DELETE"
    document = (review.old if deleted else review.object) or {}
    group, version, kind = review.kind
    # Objects say what they are; where there is none, the request does.
    whole = {"apiVersion": f"{group}/{version}" if group else version, "kind": kind, **document}
    if not isinstance(whole.get("metadata", {}), Mapping):
        raise InvalidValue("the metadata of the object are no table")
    return Admission(
        Resource(whole),
        around,
        review.operation,
        None if deleted else review.old,
        review.user,
        review.asked,
    )


def decide(rows: Sequence[Result]) -> Decision:
    """What the rows come to. Policies that only audit refuse nothing; what could not be asked is no answer."""
    enforced = [row for row in rows if row.action == "Enforce"]
    denied = [_words(row) for row in enforced if row.outcome is Outcome.FAIL]
    unknown = [_words(row) for row in enforced if row.outcome is Outcome.ERROR]
    told = (Outcome.FAIL, Outcome.ERROR, Outcome.WARN)
    warned = [
        _words(row) for row in rows if row.outcome in told and (row.outcome is Outcome.WARN or row not in enforced)
    ]
    return Decision(tuple(denied), tuple(unknown), tuple(warned))


def answer(uid: str, decision: Decision, *, fails_open: bool) -> dict[str, Any]:
    """The document that goes back. What could not be asked is always said: in the refusal, or in a warning."""
    allowed = decision.allows(fails_open=fails_open)
    response: dict[str, Any] = {"uid": uid, "allowed": allowed}
    warnings = [*decision.warned]
    if allowed:
        warnings += [f"not checked, and let in: {words}" for words in decision.unknown]
    else:
        parts = (*decision.denied, *(f"not checked, and so refused: {words}" for words in decision.unknown))
        message = "; ".join(parts)[:MESSAGE_MAX]
        response["status"] = {"status": "Failure", "reason": "Forbidden", "code": 403, "message": message}
    if warnings:
        response["warnings"] = [" ".join(each.split())[:WARNING_MAX] for each in warnings[:WARNINGS_MAX]]
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def _words(row: Result) -> str:
    rule = "" if row.rule == row.policy else f"/{row.rule}"
    return f"{row.policy}{rule}: {row.message or row.outcome.value}"


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    if not isinstance(found, dict):
        raise InvalidValue(f"{key} is no table")
    return found


def _table_or_none(document: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    return None if document.get(key) is None else _table(document, key)


def _text(document: Mapping[str, Any], key: str) -> str:
    found = document.get(key, "")
    if not isinstance(found, str) or len(found) > TEXT_MAX:
        raise InvalidValue(f"{key} is no text of at most {TEXT_MAX} characters")
    return found


def _check_depth(document: Any) -> None:
    """Who evaluates goes down by recursion."""
    level = [document]
    for _ in range(DEPTH_MAX):
        level = [inner for each in level for inner in _inner(each) if isinstance(inner, dict | list)]
        if not level:
            return
    raise InvalidValue(f"the body is nested deeper than {DEPTH_MAX} levels")


def _inner(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
