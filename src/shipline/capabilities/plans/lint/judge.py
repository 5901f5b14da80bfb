"""Messages -> problems: which are judged at all, and by which rules. Pure."""

from __future__ import annotations

from shipline.capabilities.plans.lint.message import Message, plain
from shipline.capabilities.plans.lint.proposals import mended
from shipline.capabilities.plans.lint.rules import ERROR, Rule

MERGES = ("Merge remote-tracking branch", "Automatic merge")
AGAIN = ("Revert ", "revert ", "Reapply ", "reapply ")
HEADER_PARTS = ("type-", "scope-", "subject-", "header-")
TO_BE_SQUASHED = ("amend!", "fixup!", "squash!")


class Problem:
    """What a rule says of a message. `level` is that of the rule."""

    __slots__ = ("level", "message", "rule")

    def __init__(self, rule: str, level: int, message: str) -> None:
        self.rule = rule
        self.level = level
        self.message = message

    @property
    def is_error(self) -> bool:
        """True where it makes the message fail."""
        return self.level == ERROR


def judge(raw: str, rules: tuple[Rule, ...], *, default_ignores: bool = True) -> list[Problem]:
    """The problems of one message in the order of the rules; none where it is of a kind that nobody writes by hand."""
    text = plain(raw)
    if default_ignores and is_ignored(text):
        return []
    message = Message(text)
    found = ((rule, rule.complaint(message)) for rule in rules)
    return [Problem(rule.name, rule.level, complaint) for rule, complaint in found if complaint]


def proposal(raw: str, rules: tuple[Rule, ...]) -> str:
    """The header as it could be; "" where none is known that the rules would take."""
    header, _, rest = plain(raw).strip("\n").partition("\n")
    better = mended(header, rules)
    if better in ("", header):
        return ""
    wrong = [each for each in judge(f"{better}\n{rest}", rules) if each.rule.startswith(HEADER_PARTS)]
    return better if not any(each.is_error for each in wrong) else ""


def is_ignored(text: str) -> bool:
    """True for what git, forges and release tools write by themselves: merges, reverts, fixups, bare versions.

    From: @commitlint/is-ignored 20. Only the first line counts.
    """
    subject = text.strip("\n").partition("\n")[0]
    if subject.startswith((*TO_BE_SQUASHED, *AGAIN, *MERGES)):
        return True
    if subject.startswith("Merge"):
        into = subject.startswith("Merge ") and " into " in subject[5:]
        return into or _is_merged(subject)
    return (subject.startswith("Auto-merged ") and " into " in subject[11:]) or _is_version(subject)


def _is_merged(subject: str) -> bool:
    if subject.startswith("Merged PR "):
        return ": " in subject
    if subject.startswith("Merged "):
        return "in " in subject[7:]
    return subject.startswith(("Merge branch ", "Merge tag ", "Merge pull request"))


def _is_version(subject: str) -> bool:
    """True for a version and nothing else, as npm writes it, also as a chore and with the mark that skips CI."""
    if subject.count(".") < 2:
        return False
    text = subject
    if text.startswith("chore"):
        scope_end = text.find("):")
        start = scope_end + 2 if text.startswith("chore(") and scope_end > 6 else 6 if text[5:6] == ":" else 0
        text = text[start:]
    for mark in ("skip ci", "ci skip", "skip-ci", "ci-skip"):
        for bracket in (f"[{mark}]", f"({mark})"):
            at = text.lower().find(bracket)
            text = text[:at] + text[at + len(bracket) :] if at >= 0 else text
    core, _, build = text.strip().removeprefix("v").partition("+")
    numbers, dash, pre = core.partition("-")
    given = [each for each, is_there in ((build, "+" in text), (pre, dash)) if is_there]
    return _are_numbers(numbers.split(".")) and all(_are_identifiers(each) for each in given)


def _are_numbers(parts: list[str]) -> bool:
    return len(parts) == 3 and all(
        part.isascii() and part.isdigit() and (part == "0" or part[0] != "0") for part in parts
    )


def _are_identifiers(text: str) -> bool:
    return all(
        part and all(each.isascii() and (each.isalnum() or each == "-") for each in part) for part in text.split(".")
    )
