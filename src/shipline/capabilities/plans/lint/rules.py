"""The rules, each under commitlint's name and with its meaning. Pure.

A rule is told whether it must hold (`always`) or must not (`never`), and its value. It answers with what is wrong, ""
for nothing. From: @commitlint/rules 20 and @commitlint/config-conventional 20.
"""

from __future__ import annotations

from shipline.capabilities.plans.lint.cases import is_in_case
from shipline.capabilities.plans.lint.message import Message, has_long_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[Message, bool, object], str]

DELIMITERS = ("/", "\\", ",")
WARNING, ERROR = 1, 2


class Rule:
    """A rule as it is set here: its name, how grave it is (WARNING, ERROR), whether it must hold, and its value.

    What a value is depends on the rule: a number, a text, or a tuple of names. `delimiters` part a scope, for the rules
    that look at its parts.
    """

    __slots__ = ("always", "delimiters", "level", "name", "value")

    def __init__(
        self,
        name: str,
        level: int,
        value: int | str | tuple[str, ...] = (),
        *,
        always: bool = True,
        delimiters: tuple[str, ...] = DELIMITERS,
    ) -> None:
        self.name = name
        self.level = level
        self.always = always
        self.value = value
        self.delimiters = delimiters

    @property
    def names(self) -> tuple[str, ...]:
        """The value, where it is names."""
        return self.value if isinstance(self.value, tuple) else (str(self.value),)

    @property
    def number(self) -> int:
        """The value, where it is a number."""
        return self.value if isinstance(self.value, int) else 0

    def complaint(self, message: Message) -> str:
        """What is wrong with a message by this rule, in words; "" where nothing is."""
        return CHECKS[self.name](self, message)


def _must(rule: Rule) -> str:
    return "must" if rule.always else "must not"


def _listed(rule: Rule) -> str:
    return ", ".join(rule.names)


def _empty(rule: Rule, part: str, text: str) -> str:
    if rule.always and text:
        return f"there must be no {part}"
    if rule.always or text:
        return ""
    form = "; a header has the form `type: subject` or `type(scope): subject`" if part in ("type", "subject") else ""
    return f"the {part} is missing{form}"


def _in_enum(rule: Rule, part: str, text: str) -> str:
    if not text or (text in rule.names) == rule.always:
        return ""
    if rule.always:
        return f"{text[:40]!r} is no {part} here; known are {_listed(rule)}"
    return f"the {part} must not be one of: {_listed(rule)}"


def _in_cases(rule: Rule, part: str, texts: list[str]) -> str:
    fits = any(all(is_in_case(text, case) for text in texts) for case in rule.names)
    if not rule.always and "sentence-case" in rule.names and fits != rule.always:
        return f"the {part} must not begin with a capital"
    return "" if fits == rule.always else f"the {part} {_must(rule)} be in {' or '.join(rule.names)}"


def _full_stop(rule: Rule, part: str, text: str) -> str:
    value = str(rule.value)
    return "" if text.endswith(value) == rule.always else f"the {part} {_must(rule)} end with {value!r}"


def _longest(rule: Rule, part: str, text: str) -> str:
    if len(text) <= rule.number:
        return ""
    more = "; say it in a few words, and the rest below a blank line" if part in ("header", "subject") else ""
    return f"the {part} has {len(text)} characters, and {rule.number} at most are allowed{more}"


def _shortest(rule: Rule, part: str, text: str) -> str:
    if len(text) >= rule.number:
        return ""
    return f"the {part} has {len(text)} characters, and {rule.number} at least are needed"


def _longest_line(rule: Rule, part: str, text: str) -> str:
    if len(text) <= rule.number:
        return ""
    for line in text.split("\n"):
        if len(line) > rule.number and not has_long_address(line):
            start = f"{line[:30]}..."
            return f"a line of the {part} has {len(line)} characters, and {rule.number} at most are allowed: {start}"
    return ""


def _leading_blank(rule: Rule, part: str, line: int, lines: list[str]) -> str:
    if (lines[line - 1] == "") == rule.always:
        return ""
    return f"a blank line {_must(rule)} stand before the {part}"


def _if_any(check: Callable[[Rule, str, str], str], rule: Rule, part: str, text: str) -> str:
    return check(rule, part, text) if text else ""


def parts_of(scope: str, delimiters: tuple[str, ...]) -> list[str]:
    """The parts of a scope that names several; a blank after a comma belongs to it."""
    parts = [scope]
    for delimiter in delimiters:
        parts = [part for each in parts for part in each.split(delimiter)]
    return [part.removeprefix(" ") if index and "," in delimiters else part for index, part in enumerate(parts)]


def _type_enum(rule: Rule, message: Message) -> str:
    return _in_enum(rule, "type", message.type)


def _type_case(rule: Rule, message: Message) -> str:
    return _in_cases(rule, "type", [message.type]) if message.type else ""


def _scope_enum(rule: Rule, message: Message) -> str:
    scope = message.scope
    if not scope or not rule.names:
        return ""
    parts = parts_of(scope, rule.delimiters)
    strange = [part for part in parts if part not in rule.names]
    if rule.always and strange and scope not in rule.names:
        return f"{strange[0][:40]!r} is no scope here; known are {_listed(rule)}"
    named = len(strange) < len(parts) or scope in rule.names
    return f"the scope must not be one of: {_listed(rule)}" if not rule.always and named else ""


def _scope_case(rule: Rule, message: Message) -> str:
    return _in_cases(rule, "scope", parts_of(message.scope, rule.delimiters)) if message.scope else ""


def _scope_delimiter_style(rule: Rule, message: Message) -> str:
    found: list[str] = [""]
    for each in message.scope:
        found = [*found, ""] if (each.isalnum() and each.isascii()) or each in "-_" else [*found[:-1], found[-1] + each]
    used = {"," if each.strip() == "," else each for each in found if each}
    allowed = rule.names or DELIMITERS
    if not message.scope or (used <= set(allowed)) == rule.always:
        return ""
    return f"the delimiters of a scope {_must(rule)} be one of: {' '.join(allowed)}"


def _subject_case(rule: Rule, message: Message) -> str:
    first = message.subject[:1]
    if not first.isalpha() or first.lower() == first.upper():  # No letter, or one that knows no case.
        return ""
    return _in_cases(rule, "subject", [message.subject])


def _subject_full_stop(rule: Rule, message: Message) -> str:
    header = message.header
    if header.find(":") == len(header) - 1 > 0:
        return ""
    has_stop = header.endswith(str(rule.value)) and not header.endswith("...")
    return "" if has_stop == rule.always else f"the subject {_must(rule)} end with {rule.value!r}"


def _exclamation_mark(rule: Rule, message: Message) -> str:
    if message.breaking == rule.always:
        return ""
    return f"an exclamation mark {_must(rule)} stand before the colon"


def _header_case(rule: Rule, message: Message) -> str:
    first = message.header[:1]
    return _in_cases(rule, "header", [message.header]) if first.isascii() and first.isalpha() else ""


def _header_trim(_: Rule, message: Message) -> str:
    header = message.header
    starts, ends = header[:1].isspace(), header[-1:].isspace()
    where = "around it" if starts and ends else "before it" if starts else "after it"
    return f"the header has blanks {where}" if starts or ends else ""


def _body_leading_blank(rule: Rule, message: Message) -> str:
    return _leading_blank(rule, "body", 2, message.lines) if message.body else ""


def _footer_leading_blank(rule: Rule, message: Message) -> str:
    return _leading_blank(rule, "footer", message.footer_line, message.lines) if message.footer else ""


def _references_empty(rule: Rule, message: Message) -> str:
    if message.has_references != rule.always:
        return ""
    return "no issue may be named" if rule.always else "no issue is named, as in `Closes #12`"


def _signed_off_by(rule: Rule, message: Message) -> str:
    lines = [
        line
        for line in message.lines
        if line and line[0] != "#" and not line.strip().lower().startswith("(cherry picked from commit ")
    ]
    signed = bool(lines) and lines[-1].startswith(str(rule.value))
    return "" if signed == rule.always else f"the message {_must(rule)} end with a line `{rule.value} ...`"


def _trailer_exists(rule: Rule, message: Message) -> str:
    found = any(line.startswith(str(rule.value)) for line in trailers_of(message))
    return "" if found == rule.always else f"the message {_must(rule)} have a trailer `{rule.value} ...`"


def trailers_of(message: Message) -> list[str]:
    """The lines of the last paragraph, where all of it, or a line that git writes and a quarter of it, are trailers."""
    lines = message.lines
    blanks = [index for index, line in enumerate(lines) if not line.strip()]
    lines = lines[blanks[-1] + 1 :] if blanks else []  # The first paragraph is the title, and holds none.
    found = [line for line in lines if _is_trailer(line)]
    by_git = any(line.startswith(("Signed-off-by: ", "(cherry picked from commit ")) for line in lines)
    return found if len(found) == len(lines) or (by_git and 4 * len(found) >= len(lines)) else []


def _is_trailer(line: str) -> bool:
    token, colon, _ = line.partition(":")
    bare = token.rstrip(" \t")
    return bool(colon and bare) and all(each.isascii() and (each.isalnum() or each == "-") for each in bare)


def _breaking_both_ways(rule: Rule, message: Message) -> str:
    noted = any(line.startswith(("BREAKING CHANGE:", "BREAKING-CHANGE:")) for line in message.footer.split("\n"))
    if (message.breaking == noted) == rule.always:
        return ""
    return f"a breaking change {_must(rule)} have both, the exclamation mark and the footer BREAKING CHANGE"


CHECKS: dict[str, Callable[[Rule, Message], str]] = {
    "type-empty": lambda rule, message: _empty(rule, "type", message.type),
    "type-enum": _type_enum,
    "type-case": _type_case,
    "type-max-length": lambda rule, message: _longest(rule, "type", message.type),
    "type-min-length": lambda rule, message: _if_any(_shortest, rule, "type", message.type),
    "scope-empty": lambda rule, message: _empty(rule, "scope", message.scope),
    "scope-enum": _scope_enum,
    "scope-case": _scope_case,
    "scope-delimiter-style": _scope_delimiter_style,
    "scope-max-length": lambda rule, message: _longest(rule, "scope", message.scope),
    "scope-min-length": lambda rule, message: _if_any(_shortest, rule, "scope", message.scope),
    "subject-empty": lambda rule, message: _empty(rule, "subject", message.subject),
    "subject-case": _subject_case,
    "subject-full-stop": _subject_full_stop,
    "subject-exclamation-mark": _exclamation_mark,
    "subject-max-length": lambda rule, message: _longest(rule, "subject", message.subject),
    "subject-min-length": lambda rule, message: _if_any(_shortest, rule, "subject", message.subject),
    "header-trim": _header_trim,
    "header-case": _header_case,
    "header-full-stop": lambda rule, message: _full_stop(rule, "header", message.header),
    "header-max-length": lambda rule, message: _longest(rule, "header", message.header),
    "header-min-length": lambda rule, message: _shortest(rule, "header", message.header),
    "body-leading-blank": _body_leading_blank,
    "body-empty": lambda rule, message: _empty(rule, "body", message.body),
    "body-case": lambda rule, message: _in_cases(rule, "body", [message.body]) if message.body else "",
    "body-full-stop": lambda rule, message: _if_any(_full_stop, rule, "body", message.body),
    "body-max-line-length": lambda rule, message: _longest_line(rule, "body", message.body),
    "body-max-length": lambda rule, message: _longest(rule, "body", message.body),
    "body-min-length": lambda rule, message: _if_any(_shortest, rule, "body", message.body),
    "footer-leading-blank": _footer_leading_blank,
    "footer-empty": lambda rule, message: _empty(rule, "footer", message.footer),
    "footer-max-line-length": lambda rule, message: _longest_line(rule, "footer", message.footer),
    "footer-max-length": lambda rule, message: _longest(rule, "footer", message.footer),
    "footer-min-length": lambda rule, message: _if_any(_shortest, rule, "footer", message.footer),
    "references-empty": _references_empty,
    "signed-off-by": _signed_off_by,
    "trailer-exists": _trailer_exists,
    "breaking-change-exclamation-mark": _breaking_both_ways,
}
NUMBERED = frozenset(name for name in CHECKS if name.endswith("-length"))
CASED = frozenset(name for name in CHECKS if name.endswith("-case"))
NAMED = frozenset({"type-enum", "scope-enum", "scope-delimiter-style"})
# The rules whose value is a text, with the one that they have where none is given.
WORDED = {name: "." for name in CHECKS if name.endswith("-full-stop")} | {
    "signed-off-by": "Signed-off-by:",
    "trailer-exists": "Signed-off-by:",
}

TYPES = ("build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test")
CONVENTIONAL = (
    Rule("type-empty", ERROR, always=False),
    Rule("type-enum", ERROR, TYPES),
    Rule("type-case", ERROR, ("lower-case",)),
    Rule("subject-empty", ERROR, always=False),
    Rule("subject-case", ERROR, ("sentence-case", "start-case", "pascal-case", "upper-case"), always=False),
    Rule("subject-full-stop", ERROR, ".", always=False),
    Rule("header-trim", ERROR),
    Rule("header-max-length", ERROR, 100),
    Rule("body-leading-blank", WARNING),
    Rule("body-max-line-length", ERROR, 100),
    Rule("footer-leading-blank", WARNING),
    Rule("footer-max-line-length", ERROR, 100),
)
