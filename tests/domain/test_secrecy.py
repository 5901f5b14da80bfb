"""What is masked, and what is left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.domain.secrecy import MASK, may_hold_secrets, redacted, redacted_json
from tests.secret_shapes import ALL, LEAKS, Leak, leaked


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_each_shape_is_masked_and_the_words_around_it_stay(leak: Leak) -> None:
    shown = redacted(leak.text)
    assert leaked(shown) == []
    assert shown == leak.text.replace(leak.secret, MASK, 1) or MASK in shown
    assert redacted(shown) == shown
    assert may_hold_secrets(leak.text)


def test_all_at_once_are_masked_in_json_too() -> None:
    """In values, in lists, and where a name is one."""
    assert leaked(redacted(ALL)) == []
    given_json = {"a": [ALL, {"b": (ALL,)}], LEAKS[0].text: None, "n": 1, "t": True}
    shown = redacted_json(given_json)
    assert leaked(str(shown)) == []
    assert (shown["n"], shown["t"]) == (1, True)


@pytest.mark.parametrize(
    "text",
    [
        "the token of the page is kept in .shipline/web-token",
        "set SHIPLINE_LOG_KEY=/etc/shipline/log.key, or [signer] key",
        "basic authentication is not offered; a bearer token is",
        "git@github.com:acme/quotes.git and https://example.org:8443/a@b",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "sk-learn, task-list-for-the-next-release-of-quotes",
        "fix/pypi-typing-extensions-to-4.12, pypi-AgentPublishingToolkit",
        "-----BEGIN SSH SIGNATURE-----",
        "-----BEGIN PUBLIC KEY-----",
        "eyJzY2hlbWEiOiAic2hpcGxpbmUifQ==",
        "token=short",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@given(st.text(max_size=300))
def test_any_text_is_masked_once_and_for_all(text: str) -> None:
    """It ends, and what comes out is left as it is the next time."""
    once = redacted(text)
    assert redacted(once) == once
