"""gitlint. From: https://jorisroovers.com/gitlint/latest/rules/, gitlint 0.19."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.scaffold.answers import Draft, Meanings, answer_all

FILES: dict[str, tuple[str, ...]] = {".gitlint": ()}
CONVENTIONAL = ("contrib-title-conventional-commits", "CT1")
SIGNED = ("contrib-body-requires-signed-off-by", "CC1")
TYPES = "fix,feat,chore,docs,style,refactor,perf,test,revert,ci,build"
# Ours by the names and ids of gitlint's, with what gitlint sets where nothing is said.
RULES: dict[str, tuple[tuple[str, ...], list[Any]]] = {
    "title-max-length T1": (("header-max-length",), [2, "always", 72]),
    "title-trailing-punctuation T3": (("header-full-stop",), [2, "never", "."]),
    "title-min-length T8": (("header-min-length",), [2, "always", 5]),
    "body-max-line-length B1": (("body-max-line-length", "footer-max-line-length"), [2, "always", 80]),
    "body-first-line-empty B4": (("body-leading-blank",), [2, "always"]),
    "body-min-length B5": (("body-min-length",), [2, "always", 20]),
    "body-is-missing B6": (("body-empty",), [2, "never"]),
}
LENGTHS = {"title-max-length": "line-length", "title-min-length": "min-length"} | {
    "body-max-line-length": "line-length",
    "body-min-length": "min-length",
}
MERGES = "merges, reverts and fixups are let pass"
NOT_NEEDED = {
    "verbosity": "it is an option of a command",
    "debug": "it is an option of a command",
    "ignore": "the rules below say so",
    "contrib": "the rules below say so",
    "regex-style-search": "no rule has a pattern",
    "ignore-merge-commits": MERGES,
    "ignore-revert-commits": MERGES,
    "ignore-fixup-commits": MERGES,
    "ignore-fixup-amend-commits": MERGES,
    "ignore-squash-commits": MERGES,
}
NO_EQUAL = {
    "extra-path": "rules of others cannot be added",
    "ignore-stdin": "`shipline lint -` always reads it",
    "staged": "only messages are judged",
    "fail-without-commits": "an empty range is all right",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every section and key."""
    general = data.get("general", {})
    ignored, contrib = _names(general.get("ignore", "")), _names(general.get("contrib", ""))
    answer_all(draft, general, Meanings({}, NOT_NEEDED, NO_EQUAL), prefix="general.")
    for words, (ours, usual) in RULES.items():
        name = words.partition(" ")[0]
        setting = [0] if ignored & {*words.split(), "all"} else _with_length(usual, data.get(name, {}), name)
        for rule in ours:
            draft.rule(words, rule, setting)
    _contributed(draft, data, contrib)
    for section in data:
        if section not in {"general", *(words.partition(" ")[0] for words in RULES), *CONVENTIONAL, *SIGNED}:
            draft.no_equal(f"[{section}]"[:80], "there is no such rule")


def _names(value: str) -> set[str]:
    return {name.strip() for name in value.split(",") if name.strip()}


def _with_length(usual: list[Any], section: dict[str, str], name: str) -> list[Any]:
    length = section.get(LENGTHS.get(name, ""), "")
    return [*usual[:2], int(length)] if length.isdecimal() else usual


def _contributed(draft: Draft, data: dict[str, Any], contrib: set[str]) -> None:
    """The rules that gitlint has on demand: conventional titles, and signatures."""
    if contrib & set(CONVENTIONAL):
        said = next((data[name].get("types", TYPES) for name in CONVENTIONAL if name in data), TYPES)
        draft.rule(CONVENTIONAL[0], "type-enum", [2, "always", sorted(_names(said))])
    else:
        for rule in ("type-empty", "type-enum", "type-case", "subject-empty", "subject-case"):
            draft.rule(f"(no {CONVENTIONAL[0]})", rule, [0])
    if contrib & set(SIGNED):
        draft.rule(SIGNED[0], "trailer-exists", [2, "always", "Signed-off-by:"])
    for name in sorted(contrib - set(CONVENTIONAL) - set(SIGNED)):
        draft.no_equal(f"general.contrib {name}"[:80], "there is no such rule")
