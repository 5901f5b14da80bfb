"""Whose signature counts."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from shipline.capabilities.automation import is_signed

NOW_US = 1_700_000_000_000_000
BODY = b"Hello, World!"
SECRET = "It's a Secret to Everybody"
# From: docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the webhook payload validation".
VECTOR = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
KEY = base64.b64encode(b"k" * 32).decode()


def signed(forge: str, headers: dict[str, str], *secrets: str, body: bytes = BODY, now_us: int = NOW_US) -> bool:
    return is_signed(forge, headers, body, secrets or (SECRET,), now_us=now_us)


def test_githubs_own_vector_counts() -> None:
    """Also while the secret is being changed: any of several may have signed."""
    headers = {"x-hub-signature-256": f"sha256={VECTOR}"}
    assert signed("github", headers)
    assert signed("github", headers, "the new one", SECRET)
    assert not signed("github", headers, "the new one")
    assert not signed("github", headers, body=BODY + b" ")
    assert not is_signed("github", headers, BODY, (), now_us=NOW_US)


@pytest.mark.parametrize("given", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + VECTOR[:40], "ß" * 64])
def test_what_bears_no_signature_of_ours_is_refused(given: str) -> None:
    assert not signed("github", {"x-hub-signature-256": given})
    assert not signed("github", {"x-hub-signature": given})
    assert not signed("gitea", {"x-gitea-signature": given})


def test_gitea_signs_with_its_own_header() -> None:
    """One that is GitHub's alone is none of Gitea's."""
    assert signed("gitea", {"x-gitea-signature": VECTOR})
    assert signed("gitea", {"x-forgejo-signature": VECTOR})
    assert not signed("gitea", {"x-hub-signature-256": f"sha256={VECTOR}"})


def test_gitlabs_token_is_the_secret_itself() -> None:
    assert signed("gitlab", {"x-gitlab-token": SECRET})
    assert not signed("gitlab", {"x-gitlab-token": SECRET + " "})
    assert not signed("gitlab", {})


def standard(key: bytes = b"k" * 32, *, at_s: int = NOW_US // 1_000_000, body: bytes = BODY) -> dict[str, str]:
    digest = hmac.new(key, f"msg_1.{at_s}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at_s), "webhook-signature": signature}


def test_standard_webhooks_are_checked_with_their_time() -> None:
    """One that is older than five minutes was replayed; so is one from the future."""
    key = f"whsec_{KEY}"
    assert signed("gitlab", standard(), key)
    assert signed("gitlab", standard() | {"webhook-signature": "v1,bm8= " + standard()["webhook-signature"]}, key)
    assert not signed("gitlab", standard(body=b"other"), key)
    for seconds in (-301, 301):
        assert not signed("gitlab", standard(at_s=NOW_US // 1_000_000 + seconds), key)
    for bad in ({"webhook-timestamp": "soon"}, {"webhook-id": ""}, {"webhook-signature": "v1a,x"}):
        assert not signed("gitlab", standard() | bad, key)


def test_a_signing_key_is_never_taken_for_a_token() -> None:
    """Whoever has read it somewhere in plain text could send it back as such."""
    key = f"whsec_{KEY}"
    assert not signed("gitlab", {"x-gitlab-token": key}, key)
    assert not signed("gitlab", standard(), "whsec_no base64")


def test_no_other_forge_is_believed() -> None:
    assert not signed("elsewhere", {"x-hub-signature-256": f"sha256={VECTOR}"})
