"""Documents against their published JSON Schemas, which must name every field that there is."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def check_document(document: dict[str, Any]) -> dict[str, Any]:
    """The document, once the schema of its name takes it."""
    name, _, version = document["schema"].partition("/")
    assert version == "1"
    _validator(f"{name}.schema.json").validate(json.loads(json.dumps(document)))
    return document


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((REFERENCE / name).read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(_closed(schema))


def _closed(schema: Any) -> Any:
    """The schema, which takes no field that it does not name: readers take more, but ours are all named."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(each) for key, each in schema.items()}
    return closed | ({"additionalProperties": False} if schema.get("type") == "object" else {})
