"""The names and functions that an expression may use.

Source of Kubernetes' own: `k8s.io/apiserver/pkg/cel/library` (v0.35), `sets` and `lists` of `cel-go/ext`. A quantity,
a version, an address and a network are maps with one entry, whose key says which of them it is: the library takes no
types of others.

Not implemented, and so refused by name: `url`, `isURL` and their members, `find`, `findAll`, `format.*`, `authorizer`,
comprehensions of two variables, `sortBy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]  # its stubs come without py.typed
from cel_expr_python.ext import (  # type: ignore[import-untyped]  # the same
    ext_bindings,
    ext_encoders,
    ext_math,
    ext_optional,
    ext_strings,
)

from shipline.capabilities.gates.manifests.expressions import addresses, amounts, lists, signatures

MEMBERS_RENAMED = {
    "indexOf": "shipline_index_of",
    "lastIndexOf": "shipline_last_index_of",
}
"""Functions of texts that Kubernetes gives to lists too; the library takes no second definition of a name."""
ROOTS = ("object", "oldObject", "request", "params", "namespaceObject")
_T = cel.Type
_LIST = _T.List(_T.DYN)
_TAGGED = _T.Map(_T.STRING, _T.STRING)
_SCALARS = (_T.STRING, _T.INT, _T.UINT, _T.DOUBLE, _T.BOOL, _T.BYTES, _T.DURATION, _T.TIMESTAMP, _T.NULL)
_ANY = (*_SCALARS, _LIST, _T.Map(_T.DYN, _T.DYN))
IMAGE_ROOTS = {
    "images": _T.Map(_T.STRING, _T.List(_T.STRING)),
    "attestors": _T.Map(_T.STRING, _T.DYN),
    "attestations": _T.Map(_T.STRING, _T.STRING),
    signatures.ANSWERS: _T.DYN,
}
_Function = Callable[..., Any]
_Overload = tuple[Any, tuple[Any, ...], _Function]


@lru_cache(maxsize=2)
def environment(*, images: bool = False) -> Any:
    """The environment, made once: every policy has the same names, and those about `images` some more."""
    extensions = [
        ext_bindings.ExtBindings(),
        ext_encoders.ExtEncoders(),
        ext_math.ExtMath(),
        ext_optional.ExtOptional(),
        ext_strings.ExtStrings(),
    ]
    variables = dict.fromkeys(ROOTS, _T.DYN) | (IMAGE_ROOTS if images else {})
    functions = _table() | (_signatures() if images else {})
    return cel.NewEnv(variables=variables, extensions=extensions, functions=list(_declarations(functions, count())))


def _declarations(table: dict[str, tuple[list[_Overload], list[_Overload]]], numbers: Iterator[int]) -> Iterator[Any]:
    for name, (members, functions) in table.items():
        overloads = [(each, True) for each in members] + [(each, False) for each in functions]
        yield cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"shipline_{next(numbers)}", return_type=result, parameters=list(takes), is_member=member, impl=impl
                )
                for (result, takes, impl), member in overloads
            ],
        )


def _table() -> dict[str, tuple[list[_Overload], list[_Overload]]]:
    """Name -> its member overloads and its global ones, each the result, what it takes and the function."""
    return {**_amounts(), **_addresses(), **_lists(), **_sets()}


def _signatures() -> dict[str, tuple[list[_Overload], list[_Overload]]]:
    """Of ImageValidatingPolicy. Each takes the answers about images first, which the compiler puts there."""
    answers, text, some = _T.Map(_T.STRING, _T.DYN), _T.STRING, _T.List(_T.DYN)
    return {
        "verifyImageSignatures": ([], [(_T.INT, (answers, text, some), signatures.signed)]),
        "verifyAttestationSignatures": ([], [(_T.INT, (answers, text, text, some), signatures.stated)]),
        "extractPayload": ([], [(_T.DYN, (answers, text, text), signatures.payload)]),
    }


def _amounts() -> dict[str, tuple[list[_Overload], list[_Overload]]]:
    text, yes, number, pair = (_T.STRING,), _T.BOOL, _T.INT, (_TAGGED, _TAGGED)
    flagged = (_T.STRING, _T.BOOL)
    return {
        "quantity": ([], [(_TAGGED, text, amounts.quantity)]),
        "isQuantity": ([], [(yes, text, amounts.is_quantity)]),
        "semver": ([], [(_TAGGED, text, amounts.semver), (_TAGGED, flagged, amounts.semver)]),
        "isSemver": ([], [(yes, text, amounts.is_semver), (yes, flagged, amounts.is_semver)]),
        "sign": ([], [(number, (_TAGGED,), amounts.sign)]),
        "isGreaterThan": ([(yes, pair, lambda one, other: amounts.compared(one, other) > 0)], []),
        "isLessThan": ([(yes, pair, lambda one, other: amounts.compared(one, other) < 0)], []),
        "compareTo": ([(number, pair, amounts.compared)], []),
        "asApproximateFloat": ([(_T.DOUBLE, (_TAGGED,), amounts.as_float)], []),
        "asInteger": ([(number, (_TAGGED,), amounts.as_integer)], []),
        "isInteger": ([(yes, (_TAGGED,), amounts.is_integer)], []),
        "add": ([(_TAGGED, pair, amounts.added), (_TAGGED, (_TAGGED, _T.INT), amounts.added)], []),
        "sub": ([(_TAGGED, pair, amounts.subtracted), (_TAGGED, (_TAGGED, _T.INT), amounts.subtracted)], []),
        "major": ([(number, (_TAGGED,), amounts.major)], []),
        "minor": ([(number, (_TAGGED,), amounts.minor)], []),
        "patch": ([(number, (_TAGGED,), amounts.patch)], []),
    }


def _addresses() -> dict[str, tuple[list[_Overload], list[_Overload]]]:
    text, yes, one = (_T.STRING,), _T.BOOL, (_TAGGED,)
    table: dict[str, tuple[list[_Overload], list[_Overload]]] = {
        "ip": ([(_TAGGED, one, addresses.of_network)], [(_TAGGED, text, addresses.ip)]),
        "isIP": ([], [(yes, text, addresses.is_ip)]),
        "ip.isCanonical": ([], [(yes, text, addresses.is_canonical)]),
        "cidr": ([], [(_TAGGED, text, addresses.cidr)]),
        "isCIDR": ([], [(yes, text, addresses.is_cidr)]),
        "family": ([(_T.INT, one, addresses.family)], []),
        "masked": ([(_TAGGED, one, addresses.masked)], []),
        "prefixLength": ([(_T.INT, one, addresses.prefix_length)], []),
    }
    for name, property_ in addresses.PROPERTIES.items():
        table[name] = ([(yes, one, property_)], [])
    for name, contains in (("containsIP", addresses.contains_ip), ("containsCIDR", addresses.contains_cidr)):
        table[name] = ([(yes, (_TAGGED, _T.STRING), contains), (yes, (_TAGGED, _TAGGED), contains)], [])
    return table


def _lists() -> dict[str, tuple[list[_Overload], list[_Overload]]]:
    text, number, one = _T.STRING, _T.INT, (_LIST,)
    first, last = MEMBERS_RENAMED["indexOf"], MEMBERS_RENAMED["lastIndexOf"]
    return {
        "isSorted": ([(_T.BOOL, one, lists.is_sorted)], []),
        "sum": ([(_T.DYN, one, lists.total)], []),
        "min": ([(_T.DYN, one, lists.least)], []),
        "max": ([(_T.DYN, one, lists.most)], []),
        "distinct": ([(_LIST, one, lists.distinct)], []),
        "sort": ([(_LIST, one, lists.in_order)], []),
        "flatten": ([(_LIST, one, lists.flat), (_LIST, (_LIST, number), lists.flat)], []),
        "slice": ([(_LIST, (_LIST, number, number), lists.part)], []),
        "lists.range": ([], [(_LIST, (number,), lists.numbers)]),
        first: (
            [(number, (_LIST, each), lists.index_of) for each in _ANY]
            + [(number, (text, text), lists.text_index), (number, (text, text, number), lists.text_index)],
            [],
        ),
        last: (
            [(number, (_LIST, each), lists.last_index_of) for each in _ANY]
            + [(number, (text, text), lists.text_last_index), (number, (text, text, number), lists.text_last_index)],
            [],
        ),
    }


def _sets() -> dict[str, tuple[list[_Overload], list[_Overload]]]:
    pair = (_LIST, _LIST)
    return {
        "sets.contains": ([], [(_T.BOOL, pair, lists.contains_all)]),
        "sets.equivalent": ([], [(_T.BOOL, pair, lists.equivalent)]),
        "sets.intersects": ([], [(_T.BOOL, pair, lists.intersects)]),
    }
