"""JMESPath as Kyverno reads it: a key that is not there is an error, unless something in the expression allows for it.

Source: `kyverno/go-jmespath`, a fork whose interpreter tells a missing key from one that holds nothing. The library
`jmespath` parses; this interpreter differs from its in that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import jmespath.exceptions  # type: ignore[import-untyped]  # it ships no types
import jmespath.parser  # type: ignore[import-untyped]  # the same
import jmespath.visitor  # type: ignore[import-untyped]  # the same

from shipline.capabilities.gates.manifests.kyverno.functions import KyvernoFunctions, WrongValue, function_names
from shipline.capabilities.gates.manifests.unsupported import Undecided, Unsupported
from shipline.domain.errors import ShiplineError

_WRONG = (ValueError, TypeError, ArithmeticError, RecursionError)
LENGTH_MAX = 4000
DEPTH_MAX = 60
_Node = Mapping[str, Any]


class MissingKey(Undecided):
    """A key that an expression wants is not in the data."""


@lru_cache(maxsize=2048)
def parsed(expression: str) -> _Node:
    """The expression as a tree. Raises Unsupported for what is none, and for a function that is not implemented."""
    if len(expression) > LENGTH_MAX or _depth(expression) > DEPTH_MAX:
        raise Unsupported("a JMESPath expression that is longer or deeper than one is read")
    try:
        tree: _Node = jmespath.parser.Parser().parse(expression).parsed
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise Unsupported(f"the JMESPath {expression[:120]!r}: {_first_line(error)}") from None
    unknown = sorted(set(_called(tree)) - function_names())
    if unknown:
        raise Unsupported(f"the function {unknown[0]}() in JMESPath")
    return tree


def search(expression: str, data: Any) -> Any:
    """The value. Raises MissingKey, Undecided for a wrong type, and as `parsed` does."""
    tree = parsed(expression.strip())
    try:
        return _Interpreter().visit(tree, data)
    except (jmespath.exceptions.JMESPathError, ShiplineError, *_WRONG) as error:
        raise Undecided(f"{expression[:120]!r}: {_told(error)}") from None


class _Interpreter(jmespath.visitor.TreeInterpreter):  # type: ignore[misc]  # the base has no types
    """Walks the tree; where the fork forgives a missing key, nothing stands for it."""

    def __init__(self) -> None:
        super().__init__(jmespath.visitor.Options(custom_functions=KyvernoFunctions()))

    def visit_field(self, node: _Node, value: Any) -> Any:
        """A key of a table must be there; what is no table has none."""
        if not isinstance(value, dict):
            return None
        if node["value"] not in value:
            raise MissingKey(f"the key {str(node['value'])[:60]!r} is not there")
        return value[node["value"]]

    def visit_comparator(self, node: _Node, value: Any) -> Any:
        """Order is of numbers alone."""
        ours, theirs = (self._forgiven(child, value) for child in node["children"])
        if node["value"] in ("eq", "ne"):
            return _equal(ours, theirs) is (node["value"] == "eq")
        if not (_is_number(ours) and _is_number(theirs)):
            return None
        return {"lt": ours < theirs, "lte": ours <= theirs, "gt": ours > theirs, "gte": ours >= theirs}[node["value"]]

    def visit_function_expression(self, node: _Node, value: Any) -> Any:
        """Arguments may be missing."""
        arguments = [self._forgiven(child, value) for child in node["children"]]
        return self._functions.call_function(node["value"], arguments)

    def visit_or_expression(self, node: _Node, value: Any) -> Any:
        """The other where the first is missing or false."""
        found = self._forgiven(node["children"][0], value)
        return self._forgiven(node["children"][1], value) if self._is_false(found) else found

    def visit_and_expression(self, node: _Node, value: Any) -> Any:
        """The first where it is missing or false."""
        found = self._forgiven(node["children"][0], value)
        return found if self._is_false(found) else self.visit(node["children"][1], value)

    def visit_not_expression(self, node: _Node, value: Any) -> Any:
        """Whether it is missing or false."""
        return self._is_false(self._forgiven(node["children"][0], value))

    def visit_pipe(self, node: _Node, value: Any) -> Any:
        """Each part of what the part before gave."""
        for child in node["children"]:
            value = self._forgiven(child, value)
        return value

    def visit_projection(self, node: _Node, value: Any) -> Any:
        """What each item gives, without nothing."""
        return self._projected(self._forgiven(node["children"][0], value), node["children"][1])

    def visit_value_projection(self, node: _Node, value: Any) -> Any:
        """What each value of a table gives, without nothing."""
        found = self._forgiven(node["children"][0], value)
        return self._projected(list(found.values()), node["children"][1]) if isinstance(found, dict) else None

    def visit_filter_projection(self, node: _Node, value: Any) -> Any:
        """What each item that is chosen gives."""
        found = self._forgiven(node["children"][0], value)
        if not isinstance(found, list):
            return None
        chosen = [each for each in found if self._is_true(self._forgiven(node["children"][2], each))]
        return self._projected(chosen, node["children"][1])

    def visit_flatten(self, node: _Node, value: Any) -> Any:
        """Lists in the list, opened."""
        found = self._forgiven(node["children"][0], value)
        if not isinstance(found, list):
            return None
        return [one for each in found for one in (each if isinstance(each, list) else [each])]

    def visit_multi_select_dict(self, node: _Node, value: Any) -> Any:
        """A table of what is found."""
        if value is None:
            return None
        return {child["value"]: self._forgiven(child["children"][0], value) for child in node["children"]}

    def visit_multi_select_list(self, node: _Node, value: Any) -> Any:
        """A list of what is found."""
        return None if value is None else [self._forgiven(child, value) for child in node["children"]]

    def _projected(self, items: Any, node: _Node) -> Any:
        if not isinstance(items, list):
            return None
        found = [self._forgiven(node, each) for each in items]
        return [each for each in found if each is not None]

    def _forgiven(self, node: _Node, value: Any) -> Any:
        try:
            return self.visit(node, value)
        except MissingKey:
            return None


def _called(tree: _Node) -> Iterator[str]:
    if tree["type"] == "function_expression":
        yield tree["value"]
    for child in tree["children"]:
        if isinstance(child, dict):
            yield from _called(child)


def _depth(expression: str) -> int:
    depth = deepest = 0
    for each in expression:
        depth += (each in "([{") - (each in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _told(error: Exception) -> str:
    """What went wrong with a value, and nothing of the value: the words of libraries quote it."""
    if isinstance(error, WrongValue):
        return str(error)
    if isinstance(error, jmespath.exceptions.JMESPathTypeError):
        return f"the function {error.function_name}() does not take the type {error.actual_type}"
    return f"a value is of a form that is not taken ({type(error).__name__})"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
