"""`value.orValue(other)` where the value is no optional: the value itself, as policies of Kyverno rely on.

Source: `OrValueCompatEnvOptions` in Kyverno's `pkg/cel/compiler/env.go`. Kubernetes' own policies are not read so:
its newer versions make that an error.
"""

from __future__ import annotations

from itertools import count

Token = tuple[str, str]
_OPENS = {")": "(", "]": "[", "}": "{"}
_OPTIONAL = (".?", "[?")


def with_either(tokens: list[Token]) -> list[Token]:
    """The expression's tokens, with every such call made to ask which of the two its value is."""
    return _rewritten(tokens, count())


def _rewritten(tokens: list[Token], numbers: count[int]) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        if not _is_call(tokens, at):
            found.append(tokens[at])
            at += 1
            continue
        end = _closing(tokens, at + 2)
        start = _receiver(found)
        receiver = found[start:]
        argument = _rewritten(tokens[at + 3 : end], numbers)
        if _is_optional(receiver):
            found += [*tokens[at : at + 3], *argument, tokens[end]]
        else:
            found[start:] = _asked(receiver, argument, f"shipline_either_{next(numbers)}")
        at = end + 1
    return found


def _is_call(tokens: list[Token], at: int) -> bool:
    return [text for _, text in tokens[at : at + 3]] == [".", "orValue", "("]


def _asked(receiver: list[Token], argument: list[Token], name: str) -> list[Token]:
    """`cel.bind(name, receiver, type(name) == optional_type ? name.orValue(argument) : name)`."""
    value = f"dyn({name})"
    front = ("sign", f"cel.bind({name}, ")
    question = ("sign", f", type({value}) == optional_type ? {value}.orValue(")
    return [front, *receiver, question, *argument, ("sign", f") : {value})")]


def _closing(tokens: list[Token], at: int) -> int:
    """Where the bracket that opens at `at` closes; the end where it does not, which the compiler then refuses."""
    depth = 0
    for place in range(at, len(tokens)):
        kind, text = tokens[place]
        if kind == "sign":
            depth += (text[0] in "([{") - (text in _OPENS)
        if depth == 0:
            return place
    return len(tokens) - 1


def _receiver(tokens: list[Token]) -> int:
    """Where the chain of members, calls and indices begins that ends here."""
    at = len(tokens)
    while at > 0:
        if tokens[at - 1][1] in _OPENS and tokens[at - 1][0] == "sign":
            at = _opening(tokens, at - 1)
            if (at > 0 and tokens[at - 1][0] == "name") or tokens[at - 1][1] in _OPENS:
                continue
        elif tokens[at - 1][0] in ("name", "text", "number") or tokens[at - 1][1].startswith("cel.bind("):
            at -= 1
        else:
            break
        if at == 0 or tokens[at - 1][1] not in (".", ".?"):
            break
        at -= 1
    return at


def _opening(tokens: list[Token], at: int) -> int:
    depth = 0
    for place in range(at, -1, -1):
        kind, text = tokens[place]
        if kind == "sign":
            depth += (text in _OPENS) - (text[0] in "([{")
        if depth == 0:
            return place
    return 0


def _is_optional(receiver: list[Token]) -> bool:
    """Whether the chain has an optional step behind its last `orValue`: then its value is an optional."""
    depth = 0
    found = False
    for kind, text in receiver:
        if kind == "sign" and text in _OPENS:
            depth -= 1
        if depth == 0 and text in _OPTIONAL:
            found = True
        if depth == 0 and text in ("orValue", "value", "hasValue"):
            found = False
        if kind == "sign" and text[0] in "([{":
            depth += 1
    return found
