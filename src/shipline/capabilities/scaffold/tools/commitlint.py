"""commitlint. From: https://commitlint.js.org/reference/configuration.html, @commitlint/cli 20."""

from __future__ import annotations

import math
from typing import Any

from shipline.capabilities.plans import read_lint_rules
from shipline.capabilities.scaffold.answers import Draft, Meanings, answer_all, says
from shipline.domain.errors import ConfigurationError

ENDINGS = ("", ".json", ".yaml", ".yml", ".js", ".cjs", ".mjs", ".ts")
FILES: dict[str, tuple[str, ...]] = (
    {f".commitlintrc{ending}": () for ending in ENDINGS}
    | {f"commitlint.config{ending}": () for ending in ENDINGS if ending.endswith("s")}
    | {"package.json": ("commitlint",)}
)
CONVENTIONAL = ("@commitlint/config-conventional", "conventional")
NOT_NEEDED = {"formatter": "problems are shown in one form, or as JSON", "helpUrl": "every problem says what to do"} | {
    "$schema": "it is for editors",
    "prompt": "it is for another tool",
}
NO_EQUAL = {"plugins": "rules of others cannot be added", "ignores": "they are functions, and nothing is run here"} | {
    "parserPreset": "messages are read in the conventional form, which is fixed",
    "parserOpts": "messages are read in the conventional form, which is fixed",
}


def read(draft: Draft, data: dict[str, Any]) -> None:
    """Answer for every key, and for every rule by itself."""
    takers = {"rules": _rules, "extends": _extends, "defaultIgnores": _default_ignores}
    answer_all(draft, data, Meanings(takers, NOT_NEEDED, NO_EQUAL))
    if not says(data, "extends"):
        # Without a preset, commitlint has no rules but those that are named.
        rules = data.get("rules")
        named = rules if isinstance(rules, dict) else {}
        for name in (rule.name for rule in read_lint_rules({}) if rule.name not in named):
            draft.settings.setdefault("lint", {}).setdefault("rules", {})[name] = [0]
        draft.taken("(no extends)", "the conventional rules that are not named are off")


def _rules(draft: Draft, key: str, value: Any) -> None:
    for name, setting in value.items():
        rule = [setting] if isinstance(setting, int) else setting
        if isinstance(rule, list) and rule and (rule[0] == 0 or rule[-1] == math.inf):
            rule = [0]  # commitlint's way to set no limit is an infinite one.
        try:
            read_lint_rules({name: rule})
        except ConfigurationError as error:
            draft.no_equal(f"{key}.{name}", error.what)
        else:
            draft.rule(f"{key}.{name}", name, rule)


def _extends(draft: Draft, key: str, value: Any) -> None:
    for name in value if isinstance(value, list) else [value]:
        if name in CONVENTIONAL:
            draft.not_needed(f"{key} {name}", "its rules hold until they are changed")
        else:
            draft.no_equal(
                f"{key} {name}"[:100], "its rules are in a package that is not read: name them in lint.rules"
            )


def _default_ignores(draft: Draft, key: str, value: Any) -> None:
    draft.put(key, "lint", "default_ignores", bool(value))
