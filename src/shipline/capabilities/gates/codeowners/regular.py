"""Gitea's patterns: regular expressions over whole paths, asked of RE2, which takes no longer than the path is long.

cel-cpp brings RE2 along. It has Go's syntax; what Gitea's own library has beyond it (look-ahead, say) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from cel_expr_python import cel  # type: ignore[import-untyped]  # its stubs come without py.typed

from shipline.domain.errors import InvalidValue

PATTERN_LENGTH_MAX = 1000
AT_ONCE = 10_000  # The evaluator's budget is 100,000 steps, and a path takes several.


def go_pattern(text: str) -> Callable[[Sequence[str]], Collection[str]]:
    """Which of some paths a rule is about: those that fit, with `!` in front those that do not."""
    expression = f"^{text.removeprefix('!')}$"
    if len(text) > PATTERN_LENGTH_MAX:
        raise InvalidValue(f"{text[:80]!r} is longer than {PATTERN_LENGTH_MAX} characters")
    _fitting(expression, [""])

    def fits(paths: Sequence[str]) -> Collection[str]:
        found: set[str] = set()
        for at in range(0, len(paths), AT_ONCE):
            found |= set(_fitting(expression, paths[at : at + AT_ONCE]))
        return [path for path in paths if (path in found) is not text.startswith("!")]

    return fits


@lru_cache(maxsize=1)
def _program() -> cel.Expression:
    variables = {"paths": cel.Type.List(cel.Type.STRING), "pattern": cel.Type.STRING}
    return cel.NewEnv(variables=variables).compile("paths.filter(path, path.matches(pattern))")


def _fitting(expression: str, paths: Sequence[str]) -> list[str]:
    try:
        result = _program().eval(data={"paths": list(paths), "pattern": expression})
        trouble = str(result.value()) if result.type() == cel.Type.ERROR else ""
    except RuntimeError as error:
        trouble = str(error)
    if trouble:
        raise InvalidValue(f"{expression[1:-1][:80]!r} is no regular expression that can be asked: {trouble[:200]}")
    return [str(one.value()) if hasattr(one, "value") else str(one) for one in result.value()]
