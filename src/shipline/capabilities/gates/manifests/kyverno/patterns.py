"""A resource against a pattern with anchors: `(condition)`, `=(if there)`, `^(at least one)`, `X(absent)`,
`<(condition for the whole rule)`.

Source: `pkg/engine/validate`, `pkg/engine/anchor`, `pkg/engine/wildcards` of Kyverno.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shipline.capabilities.gates.manifests.kyverno.scalars import fits
from shipline.capabilities.gates.manifests.results import Outcome
from shipline.capabilities.gates.manifests.unsupported import Unsupported
from shipline.capabilities.gates.manifests.wildcards import has_wildcard, matches

_ANCHOR = re.compile(r"([+<=X^])?\((.+)\)")
_FIRST = ("", "^", "=", "X")
_KEPT = {"data", "stringData", "env", "value", "annotations"}
"""Of Secrets and ConfigMaps, variables of the environment (also as elements of a list), and where `kubectl apply` keeps
a copy of the whole object."""


class _Mismatch(Exception):
    """The resource is not of the pattern. `skips`: by an anchor that says that the rule is not about it.
    `negates`: by an anchor that forbids a key. `nested`: gathered from deeper levels."""

    def __init__(
        self, words: str, *, path: str, skips: bool = False, negates: bool = False, nested: bool = False
    ) -> None:
        super().__init__(words)
        self.path, self.skips, self.negates, self.nested = path, skips, negates, nested


@dataclass(slots=True)
class _Seen:
    """Of each anchor that wants a key: whether the key was there anywhere."""

    anchors: dict[str, bool] = field(default_factory=dict)

    def note(self, pattern: Mapping[str, Any], resource: Mapping[str, Any]) -> None:
        for key in pattern:
            anchor = parse_anchor(key)
            if anchor and anchor[0] in ("", "^"):
                self.anchors[key] = self.anchors.get(key, False) or anchor[1] in resource


def match_pattern(resource: Any, pattern: Any) -> tuple[Outcome, str]:
    """PASS, FAIL, SKIP where an anchor says that the rule is not about the resource, or ERROR where it fails and a
    key that an anchor wants is nowhere."""
    seen = _Seen()
    try:
        _element(resource, pattern, "/", seen)
    except _Mismatch as error:
        if error.skips:
            return Outcome.SKIP, str(error)
        words = f"at {error.path}: {error}"
        missing = not error.negates and not all(seen.anchors.values())
        return (Outcome.ERROR if missing else Outcome.FAIL), words
    return Outcome.PASS, ""


def parse_anchor(key: str) -> tuple[str, str] | None:
    """The anchor's sign and the key in it; None for a plain key."""
    match = _ANCHOR.fullmatch(key.strip())
    return (match[1] or "", match[2]) if match else None


def check_pattern(pattern: Any) -> None:
    """Raises Unsupported for what a pattern for checking may not have."""
    if isinstance(pattern, dict):
        for key, value in pattern.items():
            anchor = parse_anchor(str(key))
            if anchor and anchor[0] == "+":
                raise Unsupported("the anchor +() in a pattern that checks")
            check_pattern(value)
    elif isinstance(pattern, list):
        for each in pattern:
            check_pattern(each)
    elif isinstance(pattern, str) and re.search(r"(?:^|[^\\])\$\(", pattern):
        raise Unsupported("the reference $(...) in a pattern")


def _element(resource: Any, pattern: Any, path: str, seen: _Seen) -> None:
    if isinstance(pattern, dict):
        if not isinstance(resource, dict):
            raise _Mismatch("a table is wanted", path=path)
        seen.note(pattern, resource)
        _table(resource, _expanded(pattern, resource), path, seen)
    elif isinstance(pattern, list):
        if not isinstance(resource, list):
            raise _Mismatch("a list is wanted", path=path)
        _list(resource, pattern, path, seen)
    else:
        for each in resource if isinstance(resource, list) else [resource]:
            if not fits(each, pattern):
                raise _Mismatch(f"{_shown_at(path, each)} does not match {_shown(pattern)}", path=path)


def _table(resource: dict[str, Any], pattern: Mapping[str, Any], path: str, seen: _Seen) -> None:
    anchored = sorted(key for key in pattern if (anchor := parse_anchor(key)) and anchor[0] in _FIRST)
    skips: list[_Mismatch] = []
    applied = 0
    for key in anchored:
        try:
            _key(resource, key, pattern[key], path, seen)
            applied += 1
        except _Mismatch as error:
            if error.skips:
                skips.append(error)
            elif all(each.nested for each in skips):
                raise
    if skips and (applied == 0 or not all(each.nested for each in skips)):
        raise _gathered(skips, path)
    for key in _rest(pattern, anchored):
        _key(resource, key, pattern[key], path, seen)


def _key(resource: dict[str, Any], key: str, pattern: Any, path: str, seen: _Seen) -> None:
    anchor = parse_anchor(key)
    if anchor is None or anchor[0] == "+":
        _plain_key(resource, key, pattern, path, seen)
        return
    sign, name = anchor
    inside = f"{path}{name}/"
    if sign == "X":
        if name in resource:
            raise _Mismatch(f"{name} is not allowed", path=inside, negates=True)
    elif name not in resource:
        if sign == "":
            raise _Mismatch(f"{name} is not there", path=inside, skips=True)
    elif sign == "^":
        _at_least_one(resource[name], pattern, inside, seen)
    else:
        _conditionally(sign, lambda: _element(resource[name], pattern, inside, seen))


def _conditionally(sign: str, check: Callable[[], None]) -> None:
    """A condition that does not hold skips the rule; what is checked only if it is there fails as anything does."""
    try:
        check()
    except _Mismatch as error:
        if sign == "=":
            raise
        raise _Mismatch(str(error), path=error.path, skips=True) from None


def _plain_key(resource: dict[str, Any], key: str, pattern: Any, path: str, seen: _Seen) -> None:
    if pattern == "*":
        if resource.get(key) is None:
            raise _Mismatch(f"{key} is not there", path=path)
        return
    _element(resource.get(key), pattern, f"{path}{key}/", seen)


def _at_least_one(resource: Any, pattern: Any, path: str, seen: _Seen) -> None:
    if not isinstance(resource, list) or not isinstance(pattern, list):
        raise _Mismatch("a list is wanted", path=path)
    for wanted in pattern:
        if not isinstance(wanted, dict):
            raise _Mismatch("the pattern wants tables in ^()", path=path)
        if not any(_is_of(each, wanted, f"{path}{at}/", seen) for at, each in enumerate(resource)):
            raise _Mismatch("none is as the pattern wants", path=path)


def _is_of(resource: Any, pattern: Any, path: str, seen: _Seen) -> bool:
    try:
        _element(resource, pattern, path, seen)
    except _Mismatch:
        return False
    return True


def _list(resource: list[Any], pattern: list[Any], path: str, seen: _Seen) -> None:
    if not pattern:
        raise _Mismatch("the pattern is an empty list", path=path)
    first = pattern[0]
    if isinstance(first, dict):
        _each([(each, first) for each in resource], path, seen)
    elif isinstance(first, list):
        if len(resource) < len(pattern):
            raise _Mismatch("the list is too short", path=path)
        _each(list(zip(resource, pattern, strict=False)), path, seen)
    else:
        _element(resource, first, path, seen)


def _each(pairs: list[tuple[Any, Any]], path: str, seen: _Seen) -> None:
    """All must be of their patterns, but for those that an anchor leaves out; where it leaves out all, so the list."""
    skips: list[_Mismatch] = []
    for at, (resource, pattern) in enumerate(pairs):
        try:
            _element(resource, pattern, f"{path}{at}/", seen)
        except _Mismatch as error:
            if not error.skips:
                raise
            skips.append(error)
    if skips and len(skips) == len(pairs):
        raise _gathered(skips, path)


def _gathered(skips: list[_Mismatch], path: str) -> _Mismatch:
    return _Mismatch("; ".join(map(str, skips))[:300], path=path, skips=True, nested=True)


def _rest(pattern: Mapping[str, Any], anchored: list[str]) -> Iterator[str]:
    """The other keys; those with anchors below them first, since they may say that the rule is not about it."""
    ordered: deque[str] = deque()
    for key in sorted(set(pattern) - set(anchored)):
        anchor = parse_anchor(key)
        if (anchor and anchor[0] == "<") or _has_anchors(pattern[key]):
            ordered.appendleft(key)
        else:
            ordered.append(key)
    yield from ordered


def _has_anchors(pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return any(
            ((anchor := parse_anchor(key)) and anchor[0] != "+") or _has_anchors(value)
            for key, value in pattern.items()
        )
    return isinstance(pattern, list) and any(map(_has_anchors, pattern))


def _expanded(pattern: dict[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    """The pattern with the names of labels and annotations that its wildcards stand for."""
    key = next((key for key in pattern if key == "metadata" or (parse_anchor(key) or ("", ""))[1] == "metadata"), None)
    theirs = resource.get("metadata")
    if key is None or not isinstance(pattern[key], dict) or not isinstance(theirs, dict):
        return pattern
    metadata = dict(pattern[key])
    for tag in ("labels", "annotations"):
        wanted = next((each for each in metadata if each == tag or (parse_anchor(each) or ("", ""))[1] == tag), None)
        if wanted is not None and isinstance(metadata[wanted], dict) and isinstance(theirs.get(tag), dict):
            metadata[wanted] = {_expanded_key(each, theirs[tag]): value for each, value in metadata[wanted].items()}
    return {**pattern, key: metadata}


def _expanded_key(key: str, names: Mapping[str, Any]) -> str:
    if not has_wildcard(key):
        return key
    anchor = parse_anchor(key)
    plain = anchor[1] if anchor else key
    found = next((name for name in names if matches(plain, name)), plain)
    return f"{anchor[0]}({found})" if anchor else found


def _shown_at(path: str, value: Any) -> str:
    """The value for people, unless it stands where secrets do: messages go to logs and to forges."""
    return "what stands there" if _KEPT & set(path.split("/")) and value is not None else _shown(value)


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{str(value)[:80]!r}"
