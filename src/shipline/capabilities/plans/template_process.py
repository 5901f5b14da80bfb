"""The program that renders a user's template: `python -P .../template_process.py`, JSON in and out.

It is a process of its own because nothing inside of Python bounds what a template may cost: a list in a list in a list
is small until it is printed, and one step can take for ever. Here the system ends what takes too much memory or time,
and a template that broke out of the sandbox would find no credentials in the environment. It needs Jinja2 alone.

The request is `{"source", "values", "cpu_s", "memory_bytes"}`; the answer is `{"text"}`, or `{"trouble"}`, which says
what is wrong with the template.
"""

from __future__ import annotations

import json
import sys
from typing import Any

OUTPUT_LENGTH_MAX = 8 << 20


def _confine(cpu_s: int, memory_bytes: int) -> None:
    """Let the system end this process beyond its bounds. Windows has none of them; there the time limit is left."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - Windows has no such module

    limits = ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, cpu_s), (resource.RLIMIT_CORE, 0))
    for kind, limit in limits:
        _, most = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


def _answer(source: str, values: dict[str, Any]) -> dict[str, str]:
    from jinja2 import StrictUndefined  # noqa: PLC0415 - after the bounds are set
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - the same

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    try:
        return _joined(environment.from_string(source).generate(**values))
    except MemoryError:
        return {"trouble": "it takes more memory than it may"}
    except Exception as error:  # noqa: BLE001 - whatever a template runs into is the template's trouble
        return {"trouble": f"{type(error).__name__}: {str(error)[:300]}"}


def _joined(pieces: Any) -> dict[str, str]:
    parts: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > OUTPUT_LENGTH_MAX:
            return {"trouble": f"it writes more than {OUTPUT_LENGTH_MAX >> 20} Mi characters"}
        parts.append(piece)
    return {"text": "".join(parts)}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    _confine(asked["cpu_s"], asked["memory_bytes"])
    json.dump(_answer(asked["source"], asked["values"]), sys.stdout)
