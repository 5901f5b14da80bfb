"""Keeps secrets out of what is written down and shown: the one function for it, by the shapes that secrets have.

Events and rows are redacted as they are written, errors as they are made, journals, logs and what a forge is told on
their way out. This is the last line: nobody means to put a secret there, and tools quote what they found. A secret of
no known shape is not seen.

Sources of the shapes: the providers' own documentation of their token formats (2026); RFC 7468 (keys), RFC 7519 (JSON
web tokens), RFC 3986 (`user:password@`), RFC 7617 and 6750 (`Authorization`).
"""

from __future__ import annotations

import re
from typing import Any

MASK = "…"
# PyPI's: `pypi-` and a macaroon of version 2, whose bytes begin with 02 01 and the length of its location, in base64:
# `AgEIcHlwaS5vcmc` for the index itself, `AgENdGVzdC5weXBpLm9yZw` for the one to test with, and such for any other.
# From: warehouse/macaroons/services.py, and doc/format.txt of github.com/rescrv/libmacaroons.
_SHAPES = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS access key
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"  # GitHub
    r"|\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_.-]{16,}"  # GitLab
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}"  # Stripe
    r"|\bsk-(?:[a-z]{3,10}-)?[A-Za-z0-9_]{20,}[A-Za-z0-9_-]*"  # OpenAI, and others of that form
    r"|pypi-AgE[A-Za-z0-9_-]{16,}|\bnpm_[A-Za-z0-9]{30,}"  # registries: PyPI's see below
    r"|\bAIza[A-Za-z0-9_-]{35}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # Google, JSON web tokens
    r"|-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|.*)"
    # A password may hold an @ itself; a user name that is as long as a token is one.
    r"|(?<=://)(?:[^/\s:@\"'<>?#]*:[^/\s\"'<>?#]+|[^/\s:@\"'<>?#]{20,})(?=@)"
    # What follows these words is a credential whatever its shape: of a header, an address, an environment variable.
    r"|(?i:(?<=\bbearer )|(?<=\bbasic ))(?=[A-Za-z._~+/-]*[0-9=])[A-Za-z0-9._~+/=-]{16,}"
    r"|(?i:(?<=[?&]token=)|(?<=[?&]access_token=)|(?<=[?&]private_token=)|(?<=[?&]api_key=)|(?<=[?&]password=)"
    r"|(?<=[?&]x-amz-signature=)|(?<=[?&]sig=))[^&\s\"'#]{6,}"
    r"|(?:(?<=_TOKEN=)|(?<=_PASSWORD=)|(?<=_SECRET=)|(?<=_KEY=)|(?<=\bPASSWORD=)|(?<=\bTOKEN=))[^\s\"',;/${][^\s\"',;]{5,}",
    re.DOTALL,
)
_HINT = re.compile(r"AKIA|ASIA|gh[a-z]+_|gl[a-z]+-|xox|_(?:live|test)_|sk-|pypi-AgE|npm_|AIza|eyJ|-----B|://[^/\s]*@")
_SMALL_HINT = re.compile(r"bearer |basic |(?:token|key|password|secret|sig|signature)=")
"""What is in each of them, the second in small letters: faster, since few texts have any of it, and a pattern that does
not tell capitals from small letters takes five times as long."""


def redacted(text: str) -> str:
    """`text` with a MASK for each secret of a known shape. Done again, it changes nothing."""
    return _SHAPES.sub(MASK, text) if may_hold_secrets(text) else text


def redacted_json(value: Any) -> Any:
    """JSON data with every text in it redacted, names included; the same value where there is nothing to redact."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {redacted(name): redacted_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted_json(inner) for inner in value]
    return value


def may_hold_secrets(text: str) -> bool:
    """Whether it is worth looking closer at what a text was made of, such as a document's."""
    return _HINT.search(text) is not None or _SMALL_HINT.search(text.lower()) is not None
