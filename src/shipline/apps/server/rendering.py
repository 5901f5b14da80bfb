"""Templates, and what they may call."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shipline.apps.server import words
from shipline.ports.clock import Clock

HERE = Path(__file__).parent
STATIC = HERE / "static"

# https://htmx.org/reference/#config - nothing that needs eval or inline styles; an error's answer is shown as well.
HTMX = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "[45]..", "swap": True, "error": False},
    ],
}


def templates(clock: Clock, *, project: str) -> Environment:
    """The templates: everything is escaped, and a name that is missing is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (words.state, words.tone, words.event_words, words.exact, words.rfc3339, words.duration)
    made.filters |= {function.__name__: function for function in filters}
    made.filters |= {"percent": words.percent, "evidence": words.evidence, "bytes": words.size, "plain": words.plain}
    made.filters |= {
        "counted": words.counted,
        "pretty": pretty,
        "ago": lambda time_us: words.ago(time_us, clock.now_us()),
    }
    made.globals |= {"project": project, "htmx_config": json.dumps(HTMX), "static": _static}
    return made


def render(made: Environment, name: str, **context: Any) -> Markup:
    """A template's text, marked as HTML."""
    return Markup(made.get_template(name).render(context))  # noqa: S704 - Jinja has escaped what it put in


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def _static(name: str) -> str:
    """The address of a file under static/, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
