"""GitHub's own description of its interface as a witness of what we send, and of what the fake answers.

The description is a part of the OpenAPI document of GitHub: `tests/data/github-openapi/README.md` says where it is
from. A request that is none of its operations is a complaint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from shipline.testing.fakes.forge.server import Reply
from tests.providers.forge.github_slice import SLICE
from tests.providers.forge.places import Place

PREFIXES = ("/api/v3", "/api/uploads", "/api/v1")
# Paths whose last name may hold slashes.
WIDE = ("/git/ref/{ref}", "/git/refs/{ref}")


def _or_null(keyword: str) -> Any:
    """OpenAPI 3.0 says `nullable` beside a keyword where JSON Schema says a second type."""
    known = Draft202012Validator.VALIDATORS[keyword]

    def checked(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
        if instance is not None or not schema.get("nullable"):
            yield from known(validator, value, instance, schema)

    return checked


NULLABLE = ("type", "enum", "oneOf", "anyOf", "allOf", "$ref")
Strict = validators.extend(Draft202012Validator, {keyword: _or_null(keyword) for keyword in NULLABLE})


def _none_beside(validator: Any, properties: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
    """In what we send no field may be unknown, at any depth."""
    yield from Draft202012Validator.VALIDATORS["properties"](validator, properties, instance, schema)
    if isinstance(instance, dict) and "additionalProperties" not in schema:
        for name in sorted(set(instance) - set(properties)):
            yield ValidationError(f"there is no field {name!r}")


Sent = validators.extend(Strict, {"properties": _none_beside})
# The fake states the part of an answer that we read: nothing has to be there, and what is there has to be right. So a
# part may fit several of the shapes that exclude each other as a whole.
Part = validators.extend(Strict, {"required": lambda *_: (), "oneOf": _or_null("anyOf")})


@dataclass(frozen=True)
class Exchange:
    """A request and its answer; `path` as github.com has it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    answer: Any
    status: int


class ForgeSchema:
    """What a forge says of its interface: an OpenAPI document. `wide` are the paths whose last name holds slashes."""

    def __init__(self, document: dict[str, Any], wide: tuple[str, ...] = WIDE) -> None:
        self._document = document
        self._registry: Registry[Any] = Registry().with_resource("urn:forge", DRAFT202012.create_resource(document))
        paths = sorted(document["paths"], key=lambda path: path.count("{"))
        self._paths: list[tuple[re.Pattern[str], str]] = [
            (_pattern(path, wide=path.endswith(wide)), path) for path in paths
        ]

    def complaints(self, seen: Exchange) -> list[str]:
        """What the forge does not know: path, parameters, the body and its fields; the answer's status and shape."""
        template = self._template(seen)
        if template is None:
            return [f"{seen.method} {seen.path} is none of the forge's"]
        operation = self._document["paths"][template][seen.method.lower()]
        where = f"{seen.method} {template}"
        parameters = map(self._resolved, operation.get("parameters", ()))
        known = {one["name"] for one in parameters if one["in"] == "query"}
        found = [f"{where} takes no parameter {name!r}" for name in seen.query if name not in known]
        return found + self._of_body(operation, where, seen) + self._of_answer(operation, where, seen)

    def _template(self, seen: Exchange) -> str | None:
        """The first path that fits, the ones with the fewest names first."""
        for pattern, template in self._paths:
            if pattern.fullmatch(seen.path) and seen.method.lower() in self._document["paths"][template]:
                return template
        return None

    def _of_body(self, operation: dict[str, Any], where: str, seen: Exchange) -> list[str]:
        described = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in described or not seen.body:
            return []
        return self._errors(Sent, described["application/json"]["schema"], json.loads(seen.body), where)

    def _of_answer(self, operation: dict[str, Any], where: str, seen: Exchange) -> list[str]:
        responses = operation["responses"]
        if seen.status >= HTTPStatus.BAD_REQUEST:
            return []  # The description leaves many refusals out.
        if str(seen.status) not in responses:
            return [f"{where} does not answer with {seen.status}"]
        content = self._resolved(responses[str(seen.status)]).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return [] if seen.answer is None else [f"{where} answers {seen.status} without a body"]
        return self._errors(Part, schema, seen.answer, f"the answer to {where}")

    def _errors(self, kind: Any, schema: Any, value: Any, where: str) -> list[str]:
        whole = {"$ref": "urn:forge" + schema["$ref"]} if "$ref" in schema else self._absolute(schema)
        errors = kind(whole, registry=self._registry).iter_errors(value)
        return [f"{where}: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]

    def _absolute(self, schema: Any) -> Any:
        """The schema with references into the whole document."""
        if isinstance(schema, dict):
            made = {key: self._absolute(value) for key, value in schema.items()}
            return made | ({"$ref": "urn:forge" + schema["$ref"]} if isinstance(schema.get("$ref"), str) else {})
        return [self._absolute(one) for one in schema] if isinstance(schema, list) else schema

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in value:
            found: Any = self._document
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            value = found
        return value


def _pattern(template: str, *, wide: bool) -> re.Pattern[str]:
    """What fits a path with names in braces. A ref may hold slashes, as its address is written with them."""
    parts = [re.escape(part) for part in re.split(r"\{[^}]*\}", template)]
    if wide:
        return re.compile("([^/]+)".join(parts[:-1]) + "(.+)")
    return re.compile("([^/]+)".join(parts))


def plain(path: str) -> str:
    """A path without what stands before it: that of GitHub Enterprise Server as the one of github.com."""
    for prefix in PREFIXES:
        path = path.removeprefix(prefix)
    return path


def overheard(place: Place, schema: ForgeSchema) -> list[str]:
    """A list to which the complaints about every exchange with the fake are added."""
    complaints: list[str] = []
    carry_out = place.server._carry_out

    def witnessed(method: str, path: str, query: dict[str, str], headers: Message, content: bytes) -> Reply:
        reply = carry_out(method, path, query, headers, content)
        seen = Exchange(method, plain(path), query, content, reply.body, reply.status)
        complaints.extend(schema.complaints(seen))
        return reply

    place.server._carry_out = witnessed  # type: ignore[method-assign] # to see what passes
    return complaints


def github_schema() -> ForgeSchema:
    """The witness."""
    return ForgeSchema(json.loads(SLICE.read_bytes()))
