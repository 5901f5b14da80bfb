"""`{{ variables }}` of a rule, and the context that they are looked up in.

Source: `pkg/engine/variables` and `pkg/engine/context` of Kyverno. As there, entries of a rule's `context` are read
when something asks for them. Unlike there, what a resource writes is never looked up again as a variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shipline.capabilities.gates.manifests.kyverno.gotext import as_json
from shipline.capabilities.gates.manifests.kyverno.images import images_of
from shipline.capabilities.gates.manifests.kyverno.queries import search
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.unsupported import NotGiven, Undecided, Unsupported

ROUNDS_MAX = 100
TEXT_MAX = 256 * 1024
_VARIABLE = re.compile(r"(^|[^\\])(\{\{(?:\{[^{}]*\}|[^{}])*\}\})")
_OPENED = "\ue000"
"""Stands for a brace that came from a value while the text around it is searched; no document may hold it."""


class Context:
    """The data of one request, with what a rule adds to it. A copy is made for what an element of a list adds."""

    def __init__(self, data: dict[str, Any], entries: Mapping[str, Mapping[str, Any]], admission: Admission) -> None:
        self._data, self._entries, self._admission = data, dict(entries), admission

    def with_entries(self, entries: Sequence[Mapping[str, Any]]) -> Context:
        """With the entries of a `context`."""
        found = Context(dict(self._data), self._entries, self._admission)
        for entry in entries:
            name = str(entry.get("name"))
            found._data.pop(name, None)
            found._entries[name] = entry
        return found

    def with_data(self, data: Mapping[str, Any]) -> Context:
        """With more data, which stands before what is there by the same names."""
        return Context({**self._data, **data}, self._entries, self._admission)

    def with_element(self, element: Any, index: int, nesting: int) -> Context:
        """With the element of a list that is looked at."""
        added = {
            "element": element,
            f"element{nesting}": element,
            "elementIndex": index,
            f"elementIndex{nesting}": index,
        }
        return Context({**self._data, **added}, self._entries, self._admission)

    def query(self, expression: str) -> Any:
        """Look it up. Raises MissingKey, Undecided and Unsupported."""
        for name in [name for name in self._entries if re.search(rf"(?<![\w.]){re.escape(name)}\b", expression)]:
            entry = self._entries.pop(name)
            self._data[name] = self._loaded(name, entry)
        return search(expression, self._data)

    def _looked_up(self, expression: str, *, is_written: bool) -> Any:
        """As `query`; the words of an error do not show an expression that was put together with values in it."""
        if is_written:
            return self.query(expression)
        try:
            return self.query(expression)
        except (Undecided, Unsupported) as error:
            raise type(error)("a variable that is put together of others has no answer") from None

    def _loaded(self, name: str, entry: Mapping[str, Any]) -> Any:
        if "variable" in entry:
            return self._variable(name, entry["variable"])
        if "configMap" in entry:
            return self._config_map(entry["configMap"])
        asked = next((key for key in entry if key != "name"), "nothing")
        raise Unsupported(f"the context entry {asked} ({name})")

    def _variable(self, name: str, entry: Mapping[str, Any]) -> Any:
        path = self.filled(entry["jmesPath"]) if entry.get("jmesPath") else ""
        default = self.filled(entry["default"]) if entry.get("default") is not None else None
        try:
            if entry.get("value") is not None:
                value = self.filled(entry["value"])
                found = search(str(path), value) if path else value
            else:
                found = self.query(str(path)) if path else None
        except Undecided as error:
            if default is None or isinstance(error, NotGiven):
                raise
            found = None
        found = default if found is None else found
        if found is None:
            raise Undecided(f"the variable {name} of the context is nothing")
        return found

    def _config_map(self, entry: Mapping[str, Any]) -> Any:
        name, namespace = (str(self.filled(entry.get(key) or "")) for key in ("name", "namespace"))
        found = self._admission.around.named("", "ConfigMap", namespace or "default", name)
        if found is None:
            raise NotGiven(f"the ConfigMap {namespace or 'default'}/{name} was not given: add its manifest")
        return {"data": found.document.get("data") or {}, "metadata": dict(found.metadata)}

    def filled(self, document: Any) -> Any:
        """The document with every variable looked up, in keys too. Raises as `query` does."""
        if isinstance(document, str):
            return self._filled_text(document)
        if isinstance(document, list):
            return [self.filled(each) for each in document]
        if isinstance(document, dict):
            return {self._filled_key(key): self.filled(value) for key, value in document.items()}
        return document

    def _filled_key(self, key: str) -> str:
        found = self._filled_text(key)
        if not isinstance(found, str):
            raise Undecided(f"the key {key[:80]!r} became no text")
        return found

    def _filled_text(self, text: str) -> Any:
        """The innermost variables first, until there are none; a text that is one variable is its value."""
        if "{{" not in text:
            return text
        given = text
        for _ in range(ROUNDS_MAX):
            match = _VARIABLE.search(text)
            if match is None:
                return text.replace("\\{{", "{{").replace(_OPENED, "{")
            expression = _expression(match[2]).replace(_OPENED, "{")
            if self._admission.operation == "DELETE":
                expression = expression.replace("request.object", "request.oldObject")
            value = self._looked_up(expression, is_written=match[2] in given)
            if match[2] == text:
                return value
            written = value if isinstance(value, str) else as_json(value)
            text = text[: match.start(2)] + written.replace("{", _OPENED) + text[match.end(2) :]
            if len(text) > TEXT_MAX:
                raise Undecided("a text with variables became longer than one is made")
        raise Undecided(f"a text has more than {ROUNDS_MAX} variables")


def context_of(admission: Admission) -> Context:
    """The data that every rule may ask for."""
    resource, deleted = admission.resource, admission.operation == "DELETE"
    group = {"group": resource.group, "version": resource.version}
    request: dict[str, Any] = {
        "operation": admission.operation,
        "namespace": admission.namespace,
        "name": admission.name,
        "kind": {**group, "kind": resource.kind},
        "resource": {**group, "resource": admission.kind.resource},
    }
    if admission.asked is not None:
        request = dict(admission.asked.said)
    if not deleted:
        request["object"] = resource.document
    old = resource.document if deleted and admission.old is None else admission.old
    if old is not None:
        request["oldObject"] = old
    data: dict[str, Any] = {"request": request}
    if admission.user is not None:
        request["userInfo"] = admission.user
        data.update(_service_account(str(admission.user.get("username", ""))))
    try:
        images = images_of(resource.document, resource.kind)
    except ValueError:
        images = {}  # Who asks for images finds none, which is an error.
    if images:
        data["images"] = images
    return Context(data, {}, admission)


def expressions_in(document: Any) -> list[str]:
    """The variables that stand in a document and hold no other."""
    if isinstance(document, str):
        found = (_expression(match[2]) for match in _VARIABLE.finditer(document))
        return [each for each in found if "{{" not in each]
    if isinstance(document, dict):
        return [each for pair in document.items() for one in pair for each in expressions_in(one)]
    return [each for one in document for each in expressions_in(one)] if isinstance(document, list) else []


def _expression(variable: str) -> str:
    expression = variable[2:-2].strip()
    expression = expression[1:].strip() if expression.startswith("-") else expression
    if expression == "@":
        raise Unsupported("the variable {{@}}")
    return expression


def _service_account(username: str) -> dict[str, str]:
    parts = username.removeprefix("system:serviceaccount:").split(":")
    known = username.startswith("system:serviceaccount:") and len(parts) == 2
    return {"serviceAccountNamespace": parts[0] if known else "", "serviceAccountName": parts[1] if known else ""}
