"""The JSON Schema of `shipline.toml` (draft 2020-12), made from the dataclasses that read the file.

It never refuses a file that is loaded without error. What it cannot say is left to the loader: conditions between
two keys, names that must differ, rules in CEL, and the finer limits of a provider's own settings.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
import textwrap
import types
import typing
from enum import Enum
from typing import Any

from shipline.configuration.limits import Limits, SecretTable, notes_of
from shipline.configuration.providers import provider_class, provider_names
from shipline.configuration.settings import (
    CanaryTable,
    LintRulesTable,
    SecretSettings,
    Settings,
)
from shipline.configuration.tables import ProviderTable
from shipline.domain.codec import to_json

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}


def settings_schema() -> dict[str, Any]:
    """The schema, with the tables of the providers that are installed."""
    return {"$schema": DIALECT, "title": "shipline.toml"} | _object(Settings)


def _object(kind: type) -> dict[str, Any]:
    """A dataclass: its fields and no others."""
    words = _descriptions(kind)
    hints = typing.get_type_hints(kind, include_extras=True)
    properties, required = {}, []
    for field in dataclasses.fields(kind):
        about = {"description": words[field.name]} if field.name in words else {}
        value = _value(hints[field.name])
        properties[field.name] = value | _default(field) | about
        # A table that may be None may be left out, whatever it needs where it stands.
        if field.default is dataclasses.MISSING and (field.default_factory is dataclasses.MISSING or _needs(value)):
            required.append(field.name)
    described = {"description": document} if (document := _document(kind)) else {}
    needs = _needed(required, properties)
    return {"type": "object"} | described | {"properties": properties} | needs | {"additionalProperties": False}


def _needed(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """What has to be there. Where a controller may run and route, it is that or what runs and what routes."""
    platform = [name for name in ("target", "traffic") if name in required]
    if "controller" not in properties or not platform:
        return {"required": required} if required else {}
    ways = [{"required": ["controller"]}, {"required": platform}]
    return {"required": [name for name in required if name not in platform], "anyOf": ways}


def _needs(value: dict[str, Any]) -> bool:
    """True for a table that may not be left empty in any of its forms."""
    return all("required" in form for form in value.get("anyOf", [value]))


def _value(hint: Any) -> dict[str, Any]:
    kind, notes = notes_of(hint)
    for note in notes:
        if isinstance(note, ProviderTable):
            return _provider_table(note)
        if isinstance(note, CanaryTable):
            return _canary_table()
        if isinstance(note, SecretTable):
            return _secret_table()
        if isinstance(note, LintRulesTable):
            return _lint_rules_table()
    keywords: dict[str, Any] = {}
    for note in notes:
        keywords |= note.keywords() if isinstance(note, Limits) else {}
    return _type(kind) | keywords


def _type(kind: Any) -> dict[str, Any]:
    if kind in SCALARS:
        return {"type": SCALARS[kind]}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return {"type": "array", "items": _value(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _value(arguments[1])}
    if origin in (typing.Union, types.UnionType):  # TOML has no null: None is the key's absence.
        options = [_value(option) for option in arguments if option is not types.NoneType]
        return options[0] if len(options) == 1 else {"anyOf": options}
    return _class(kind) if isinstance(kind, type) else {}


def _class(kind: type) -> dict[str, Any]:
    if dataclasses.is_dataclass(kind):
        return _object(kind)
    return {"enum": [item.value for item in kind]} if issubclass(kind, Enum) else {}


def _provider_table(note: ProviderTable) -> dict[str, Any]:
    """One form a provider; `provider` may be left out where it is the default one."""
    forms = [_provider(note, name) for name in provider_names(note.port)]
    if note.may_be_empty:
        forms.append({"title": "none", "type": "object", "maxProperties": 0})
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _provider(note: ProviderTable, name: str) -> dict[str, Any]:
    form = _object(provider_class(note.port, name).Settings)
    choice = {"provider": {"const": name, "description": f"The {note.port} provider `{name}`."}}
    common = _object(note.common) if note.common is not None else {}
    form["properties"] = common.get("properties", {}) | choice | form["properties"]
    if note.default not in ("", name) or note.common is not None:
        form["required"] = [*common.get("required", ["provider"]), *form.get("required", [])]
    return {"title": name} | form


def _secret_table() -> dict[str, Any]:
    """By the name of a variable, by a path, or by a provider."""
    key = _object(SecretSettings)["properties"]["key"]
    words = {"environment": "The name of Shipline's own variable.", "file": "The absolute path of the file."}
    short = [
        {
            "type": "object",
            "properties": {name: {**key, "description": about}},
            "required": [name],
            "additionalProperties": False,
        }
        for name, about in words.items()
    ]
    return {"anyOf": short + _provider_table(ProviderTable("secrets", common=SecretSettings))["anyOf"]}


def _canary_table() -> dict[str, Any]:
    from shipline.capabilities.rollouts import AnalysisSettings  # noqa: PLC0415 - brings database and engine

    return _object(AnalysisSettings)


def _lint_rules_table() -> dict[str, Any]:
    from shipline.capabilities.plans import lint_rules_schema  # noqa: PLC0415 - only the schema needs it

    return lint_rules_schema()


def _default(field: dataclasses.Field[Any]) -> dict[str, Any]:
    """The default, where one exists and says something."""
    if field.default is dataclasses.MISSING or field.default is None:
        return {}
    return {"default": to_json(field.default)}


def _document(kind: type) -> str:
    """The class docstring on one line; "" for the one that `dataclass` makes up."""
    document = inspect.cleandoc(kind.__doc__ or "")
    return "" if document.startswith(f"{kind.__name__}(") else " ".join(document.split())


def _descriptions(kind: type) -> dict[str, str]:
    """What is written about each field: its own docstring, or the parts of the class docstring that name it."""
    fields = [field.name for field in dataclasses.fields(kind)]
    found: dict[str, list[str]] = {}
    subjects: list[str] = []
    for part in re.split(r"(?<=[.;])\s+", _document(kind)):
        # What names no field goes on about those named last.
        subjects = [name for name in fields if f"`{name}`" in part] or subjects
        for name in subjects:
            found.setdefault(name, []).append(part.rstrip(".;"))
    return {name: "; ".join(parts) + "." for name, parts in found.items()} | _field_docstrings(kind)


def _field_docstrings(kind: type) -> dict[str, str]:
    """The strings that stand right below fields, as in PEP 257 ("attribute docstrings")."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    found = {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for before, after in itertools.pairwise(statements):
        match before, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found
