"""Whether a delivery is from who knows the secret. Pure; compares in constant time.

Promises: what bears no signature, one of another algorithm, or one that is too old, is refused. Of several secrets any
may have signed, so that a secret can be changed without a gap. A secret that begins with `whsec_` is a key of Standard
Webhooks, and nothing else is ever taken for it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

KEY_PREFIX = "whsec_"
# What the reference libraries allow: github.com/standard-webhooks/standard-webhooks, v1.0.0.
TOLERANCE_S = 300
SIGNATURES_MAX = 10


def is_signed(forge: str, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], *, now_us: int) -> bool:
    """True if one of `secrets` stands behind `body`. `headers` by lower-case names; without secrets always False."""
    return any(_fits(forge, headers, body, secret, now_us) for secret in secrets if secret)


def _fits(forge: str, headers: Mapping[str, str], body: bytes, secret: str, now_us: int) -> bool:
    match forge:
        case "github":
            return _hex_fits(headers.get("x-hub-signature-256", "").removeprefix("sha256="), body, secret)
        case "gitea":
            given = headers.get("x-gitea-signature") or headers.get("x-forgejo-signature", "")
            return _hex_fits(given, body, secret)
        case "gitlab" if secret.startswith(KEY_PREFIX):
            return _standard_fits(headers, body, secret, now_us)
        case "gitlab":
            return _same(headers.get("x-gitlab-token", ""), secret)
        case _:
            return False


def _hex_fits(given: str, body: bytes, secret: str) -> bool:
    """HMAC-SHA256 in hexadecimal.

    From: docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries; Gitea sends the same without `sha256=`.
    """
    return _same(given, hmac.new(secret.encode(), body, hashlib.sha256).hexdigest())


def _standard_fits(headers: Mapping[str, str], body: bytes, secret: str, now_us: int) -> bool:
    """Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`, in base64, `v1,` before each; several with spaces."""
    identity, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    is_time = sent.isascii() and sent.isdigit() and len(sent) <= len(str(2**53))
    if not identity or not is_time or abs(now_us // 1_000_000 - int(sent)) > TOLERANCE_S:
        return False
    try:
        key = base64.b64decode(secret.removeprefix(KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    signed = hmac.new(key, f"{identity}.{sent}.".encode() + body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(signed).decode()}"
    given = headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]
    return any(_same(each, expected) for each in given)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
