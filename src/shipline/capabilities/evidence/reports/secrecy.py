"""Keeps secrets that a scanner quotes out of what is passed on.

Readers take no snippet and no match over. What is left are messages: some tools put what they found into them. Masked
are tokens of known shapes, wherever they stand, and what follows an equals sign or stands in quotation marks in a
sentence about secrets that were found. Sources of the shapes: the providers' own documentation of their token formats.
"""

from __future__ import annotations

import re

MASK = "…"
_TOKENS = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS access key
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"  # GitHub
    r"|\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_.-]{16,}"  # GitLab
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|\bsk-[A-Za-z0-9_-]{20,}"  # Stripe, and others of that form
    r"|\bpypi-[A-Za-z0-9_-]{16,}|\bnpm_[A-Za-z0-9]{30,}"  # registries
    r"|\bAIza[A-Za-z0-9_-]{35}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # Google, JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.DOTALL,
)
_HINT = re.compile(r"AKIA|ASIA|gh[a-z]+_|gl[a-z]+-|xox|_(?:live|test)_|sk-|pypi-|npm_|AIza|eyJ|-----B|://")
"""What is in each of them: faster, since messages have none of it as a rule."""
_SECRET = re.compile(r"passw|passphrase|secret|token|credential|api[ _-]?key|private key", re.IGNORECASE)
_FOUND = re.compile(r"hard[ -]?coded|possibl|potential|detect|found|expos|leak|contain|entropy", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']{3,}'?|\"[^\"]{3,}\"?|(?<=[=:] )[^\s'\"]{8,}|(?<==)[^\s'\"]{3,}")


def masked(text: str) -> str:
    """`text` without secrets. Names in backquotes stay: they are what a message is about."""
    if _HINT.search(text) is not None:
        text = _TOKENS.sub(MASK, text)
    if _SECRET.search(text) is not None and _FOUND.search(text) is not None:
        text = _QUOTED.sub(lambda found: _masked_quote(found[0]), text)
    return text


def _masked_quote(quoted: str) -> str:
    mark = quoted[0] if quoted[0] in "'\"" else ""
    return f"{mark}{MASK}{mark}"
