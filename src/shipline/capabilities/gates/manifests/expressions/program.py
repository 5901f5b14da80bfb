"""One expression of a policy, compiled with the policy's variables, and asked.

A policy's `variables` are bound by `cel.bind` around the expression that needs them: evaluated when they are needed,
each once, an error only for who needs it. That is what Kubernetes promises of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]  # its stubs come without py.typed

from shipline.capabilities.gates.manifests.expressions.either import with_either
from shipline.capabilities.gates.manifests.expressions.environment import MEMBERS_RENAMED, environment
from shipline.capabilities.gates.manifests.expressions.signatures import ANSWERS, NAMES
from shipline.capabilities.gates.manifests.expressions.tokens import is_bounded, joined, tokens
from shipline.capabilities.gates.manifests.unsupported import Undecided, Unsupported

_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_BOUND = "shipline_variable_"
VARIABLES_MAX = 50


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that compiles. `text` is what the policy says, `whole` that with its variables in their places."""

    text: str
    whole: str
    compiled: Any

    def answer(self, data: Mapping[str, Any]) -> Any:
        """Its value as plain data. Raises Undecided for an error of CEL, which has a value that looks like a text; no
        value of a resource is in the words, since it may be a secret."""
        try:
            value = self.compiled.eval(data=dict(data))
            if value.type() in (cel.Type.ERROR, cel.Type.UNKNOWN):
                raise Undecided(_told(str(value.value()), self.whole))
            return value.plain_value()
        except (RuntimeError, TypeError, OverflowError) as error:
            raise Undecided(_told(str(error), self.whole)) from None

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Its answer, which must be true or false. Raises Undecided for any other."""
        answer = self.answer(data)
        if answer is not True and answer is not False:
            raise Undecided(f"the expression gives a value of the type {type(answer).__name__}, and not true or false")
        return answer


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a policy, in their order; each may use those before it."""

    expressions: Mapping[str, str]
    either: bool = False
    """Whether `orValue` may be asked of a value that is no optional, as in policies of Kyverno."""
    images: bool = False
    """Whether they are a policy's about images, which has names and functions of its own."""


def read_variables(listed: Sequence[Mapping[str, Any]], *, either: bool = False, images: bool = False) -> Variables:
    """`[{"name", "expression"}]`. Raises Unsupported for too many, and for two of one name."""
    names = [str(each.get("name")) for each in listed]
    if len(names) > VARIABLES_MAX or len(set(names)) < len(names):
        raise Unsupported(f"more than {VARIABLES_MAX} variables, or two of one name")
    expressions = {name: str(each.get("expression")) for name, each in zip(names, listed, strict=True)}
    return Variables(expressions, either, images)


def compile_expression(text: str, variables: Variables | None = None) -> Expression:
    """Compile it. Raises Unsupported, which names what is not implemented or is no CEL."""
    known = variables.expressions if variables else {}
    needed: dict[str, str] = {}
    either = variables is not None and variables.either
    whole = _rewritten(text, known, list(known), needed, either)
    for name in reversed([name for name in known if name in needed]):
        whole = f"cel.bind({_BOUND}{name}, {needed[name]}, {whole})"
    images = variables is not None and variables.images
    if images:
        whole = _with_answers(whole)
    try:
        return Expression(text, whole, environment(images=images).compile(whole))
    except RuntimeError as error:
        raise _refusal(text, str(error)) from None


def _rewritten(
    text: str,
    known: Mapping[str, str],
    before: list[str],
    needed: dict[str, str],
    either: bool,  # noqa: FBT001
) -> str:
    """The expression with bound names for variables, which are put into `needed`, and renamed functions."""
    if not is_bounded(text):
        raise Unsupported("an expression that is longer or deeper than one is read")
    parts: list[tuple[str, str]] = []
    found = with_either(tokens(text)) if either else tokens(text)
    at = 0
    while at < len(found):
        name = _variable(found, at, parts)
        if name:
            if name not in before:
                raise Unsupported(f"variables.{name}, which is not defined before it is used")
            if name not in needed:
                needed[name] = _rewritten(known[name], known, before[: before.index(name)], needed, either)
            parts.append(("name", _BOUND + name))
            at += 3
            continue
        is_member = found[at][0] == "name" and parts and parts[-1][1] in (".", ".?")
        parts.append(("name", MEMBERS_RENAMED.get(found[at][1], found[at][1])) if is_member else found[at])
        at += 1
    return joined(parts)


def _with_answers(whole: str) -> str:
    """The expression with the answers about images as the first that functions about them are given."""
    parts: list[tuple[str, str]] = []
    for kind, text in tokens(whole):
        if (kind, text) == ("name", ANSWERS):
            raise Unsupported(f"the name {ANSWERS} in CEL")
        is_opened = text == "(" and parts and parts[-1] in {("name", name) for name in NAMES}
        parts += [(kind, text), *((("name", ANSWERS), ("sign", ",")) if is_opened else ())]
    return joined(parts)


def _variable(found: list[tuple[str, str]], at: int, parts: list[tuple[str, str]]) -> str:
    """The name of the variable that is asked for here; "" where none is."""
    if found[at] != ("name", "variables") or (parts and parts[-1][1] in (".", ".?")):
        return ""
    names = found[at + 1 : at + 3]
    return names[1][1] if [kind for kind, _ in names] == ["sign", "name"] and names[0][1] == "." else ""


def _refusal(text: str, words: str) -> Unsupported:
    names = [name for name in _UNDECLARED.findall(words) if not name.startswith(_BOUND)]
    if not names:
        return Unsupported(f"the expression {text.strip()[:120]!r}: {_plain(words)}")
    name = next((original for original, renamed in MEMBERS_RENAMED.items() if renamed == names[0]), names[0])
    plain = re.escape(name)
    macro = re.search(rf"\.(\w+)\(\s*{plain}\s*,", text)
    if macro is not None and macro[1] in ("all", "exists", "exists_one", "existsOne", "map", "filter"):
        return Unsupported("a comprehension of two variables in CEL")
    called = re.search(rf"\b{plain}\s*((?:\.\w+)*)\(", text)
    if macro is not None or called is not None:
        return Unsupported(f"the function {macro[1] if macro else name + (called[1] if called else '')}() in CEL")
    return Unsupported(f"the name {name} in CEL")


def _told(words: str, whole: str) -> str:
    """The words of an error while an expression is asked. What is quoted there stands for itself where the policy has
    it, too, as the name of a key has; else it may be a value."""
    plain = _plain(words)
    if plain.startswith("invalid regular expression"):
        return "a regular expression that is none"
    first = min((at for at in (plain.find("'"), plain.find('"')) if at >= 0), default=-1)
    if first < 0:
        return plain
    last = max(plain.rfind("'"), plain.rfind('"'))
    quoted = plain[first + 1 : last]
    known = re.fullmatch(r"[\w.-]+", quoted) is not None and re.search(rf"\b{re.escape(quoted)}\b", whole) is not None
    return plain if known else f"{plain[:first]}…{plain[last + 1 :]}"


def _plain(words: str) -> str:
    line = words.splitlines()[0] if words else ""
    return re.sub(r"^(?:[A-Z_]+: )?(?:ERROR: )?(?:<input>:\d+:\d+: )?", "", line).strip()[:300]
