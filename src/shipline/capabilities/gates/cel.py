"""Rules in CEL (the Common Expression Language, spec v0.24), evaluated by Google's cel-cpp.

Promises: a rule that compiles names known facts only and can only answer true or false; evaluating it answers PASS,
FAIL or UNKNOWN and never passes by mistake. The library reports trouble as a *value* of type ERROR whose Python form
is a non-empty string, hence true; so the answer's type is looked at before its value.

A fact that is missing makes UNKNOWN wherever CEL needs it. By CEL's own logic it is not needed where the rest
decides alone: `true || missing` is true and `false && missing` is false (spec, "Logical Operators").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cel_expr_python import cel  # type: ignore[import-untyped]  # its stubs come without py.typed

from shipline.capabilities.gates.facts import (
    APPROVALS,
    FAMILIES,
    ISSUES,
    KNOWN,
    KNOWN_WORDS,
    FactType,
    Value,
    family_of,
    nearest,
)
from shipline.domain.errors import ConfigurationError
from shipline.domain.verdict import Answer

RULE_LENGTH_MAX = 4000
NESTING_MAX = 50
QUOTES = "\"'"
_TYPES = {
    FactType.BOOL: cel.Type.BOOL,
    FactType.INT: cel.Type.INT,
    FactType.DOUBLE: cel.Type.DOUBLE,
    FactType.STRING: cel.Type.STRING,
}
_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))"""
    r"""|(?P<comment>//[^\n]*)"""
    r"""|(?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)"""
    r"""|(?P<operator>&&|\|\||[?()\[\]{}])""",
    re.DOTALL,
)
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that compiles. `facts` are the paths that it reads, in order; `parts` the rules that must all hold where
    it is a chain of `&&`, else the rule's own text alone."""

    text: str
    facts: tuple[str, ...]
    parts: tuple[str, ...]


@lru_cache(maxsize=1024)
def compile_rule(text: str) -> Rule:
    """Check a rule. Raises ConfigurationError, naming the nearest known fact, where it cannot be asked."""
    _compiled(text)
    tokens = tuple(_TOKEN.finditer(text))
    facts = _facts_in(tokens)
    if ISSUES in facts:
        # Which labels to ask for must be known before; and of labels that were not asked for, nothing is to hold.
        raise ConfigurationError(
            f"the rule {text[:200]!r} asks for issues, and not for those of one label",
            todo=f'name the label: {ISSUES}["P1"] == 0',
        )
    return Rule(text, facts, split(text, "&&", breaks=("||", "?")))


def ask(text: str, facts: Mapping[str, Value]) -> tuple[Answer, str]:
    """What the rule answers for these facts (values by path), and for UNKNOWN why. Raises as `compile_rule` does."""
    expression = _compiled(text)
    data: dict[str, object] = {path: value for path, value in facts.items() if path in KNOWN}
    for family in FAMILIES:
        names = {path[len(family) + 1 :]: value for path, value in facts.items() if path.startswith(f"{family}.")}
        # A family that nobody has looked at is left out: of an empty one, much holds ("all of them are …").
        data |= {family: names} if names or family in facts else {}
    try:
        # An absent name is an error in the map, as an absent fact is one in the activation.
        result = expression.eval(data=data)
    except RuntimeError as error:  # A budget of the evaluator was exceeded.
        return Answer.UNKNOWN, str(error)[:200]
    if result.type() != cel.Type.BOOL:
        return Answer.UNKNOWN, str(result.value())[:200]
    return (Answer.PASS, "") if result.value() is True else (Answer.FAIL, "")


@lru_cache(maxsize=1)
def _environment() -> cel.Env:
    variables = {path: _TYPES[fact.type] for path, fact in KNOWN.items()}
    families = {path: cel.Type.Map(cel.Type.STRING, _TYPES[family.type]) for path, family in FAMILIES.items()}
    return cel.NewEnv(variables=variables | families)


@lru_cache(maxsize=1024)
def _compiled(text: str) -> cel.Expression:
    _refuse_shape(text)
    try:
        expression = _environment().compile(text)
    except RuntimeError as error:
        raise _not_a_rule(text, str(error)) from None
    if expression.return_type() != cel.Type.BOOL:
        raise ConfigurationError(f"the rule {text[:200]!r} does not answer true or false", todo="compare something")
    return expression


def _refuse_shape(text: str) -> None:
    tokens = [token for token in _TOKEN.finditer(text) if not token["comment"]]
    depth = deepest = 0
    for token in tokens:
        depth += (token["operator"] in ("(", "[", "{")) - (token["operator"] in (")", "]", "}"))
        deepest = max(deepest, depth)
    if len(text) > RULE_LENGTH_MAX or deepest > NESTING_MAX:
        raise ConfigurationError(
            f"a rule is longer than {RULE_LENGTH_MAX} characters, or nested deeper than {NESTING_MAX} levels",
            todo="make several gates of it",
        )
    for token, following, argument in zip(tokens, tokens[1:], tokens[2:], strict=False):
        of_approvals = (argument["name"] or "").startswith(f"{APPROVALS}.")
        if token["name"] == "has" and following["operator"] == "(" and not of_approvals:
            # The library answers has(fact) with the fact's value instead of whether it is there.
            raise ConfigurationError(
                f"the rule {text[:200]!r} asks has() of a fact",
                todo="leave it out: a fact that is missing makes the answer UNKNOWN, which blocks",
            )


def _not_a_rule(text: str, words: str) -> ConfigurationError:
    undeclared = _UNDECLARED.search(words)
    if undeclared is None:
        mixed = "double, int" in words or "int, double" in words
        return ConfigurationError(
            f"the rule {text[:200]!r} is no CEL that can be asked",
            why=_first_line(words),
            todo="percentages have a decimal point: write 90.0, not 90" if mixed else "",
        )
    name = undeclared[1]
    near = nearest(name)
    return ConfigurationError(
        f"the rule {text[:200]!r} names {name!r}, and there is no such fact",
        todo=f"did you mean {near!r}? {KNOWN_WORDS}" if near else KNOWN_WORDS,
    )


def _first_line(words: str) -> str:
    line = words.splitlines()[0] if words else ""
    return line.removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: ").removeprefix("<input>:")[:300]


def _facts_in(tokens: tuple[re.Match[str], ...]) -> tuple[str, ...]:
    """The facts that stand in the rule, each once; longer names (`release.version.size`) by the fact they begin with,
    names of a family also where they are asked for as `approvals["role"]`. Other texts and comments do not count."""
    found = []
    for token, *following in zip(tokens, (*tokens[1:], None), (*tokens[2:], None, None), strict=False):
        path = _path_at(re.sub(r"\s", "", token["name"] or "").split("."), token, following)
        found += [path] if path else []
    return tuple(dict.fromkeys(found))


def _path_at(parts: list[str], token: re.Match[str], following: list[re.Match[str] | None]) -> str:
    """The fact that a name stands for, "" for none. A family that is used as a whole is its own path."""
    family = family_of(".".join(parts))
    if family is None:
        path = ".".join(parts[:2])
        return path if path in KNOWN else ""
    whole, name = family
    opened = _right_behind(token, following[0])
    if name and not ("." not in name and opened == "("):  # Else a method: approvals.exists(…)
        return f"{whole.path}.{name.partition('.')[0]}"
    text = (following[1]["text"] or "") if following[1] is not None and opened == "[" else ""
    return f"{whole.path}.{text.lstrip('rRbB').strip(QUOTES)}" if text else whole.path


def _right_behind(token: re.Match[str], following: re.Match[str] | None) -> str:
    """The operator that follows a token with nothing but space between them."""
    if following is None or token.string[token.end() : following.start()].strip():
        return ""
    return following["operator"] or ""


def split(text: str, by: str, *, breaks: tuple[str, ...]) -> tuple[str, ...]:
    """A rule's text at each `by` that stands outside of parentheses; whole where one of `breaks` is there, too."""
    depth, start, parts = 0, 0, []
    for token in _TOKEN.finditer(text):
        operator = token["operator"] or ""
        if operator in ("(", "[", "{"):
            depth += 1
        elif operator in (")", "]", "}"):
            depth -= 1
        elif depth == 0 and operator in breaks:
            return (text.strip(),)
        elif depth == 0 and operator == by:
            parts.append(text[start : token.start()].strip())
            start = token.end()
    return (*parts, text[start:].strip())
