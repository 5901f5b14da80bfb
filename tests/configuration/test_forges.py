"""Which forge a remote's address names, and where its API is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.configuration.forges import completed, read_remote
from shipline.domain.errors import ConfigurationError

ADDRESSES = [
    ("https://github.com/acme/quotes.git", "github", "acme/quotes", "https://api.github.com"),
    ("https://github.com/acme/quotes", "github", "acme/quotes", "https://api.github.com"),
    ("git@github.com:acme/quotes.git", "github", "acme/quotes", "https://api.github.com"),
    ("ssh://git@ssh.github.com:443/acme/quotes.git", "github", "acme/quotes", "https://api.github.com"),
    ("https://robot:t0ken@github.com/acme/quotes.git", "github", "acme/quotes", "https://api.github.com"),
    ("https://GitHub.com/acme/quotes.git/", "github", "acme/quotes", "https://api.github.com"),
    ("git@github.acme.example:acme/quotes.git", "github", "acme/quotes", "https://github.acme.example/api/v3"),
    ("git@gitlab.com:acme/tools/quotes.git", "gitlab", "acme/tools/quotes", "https://gitlab.com/api/v4"),
    ("https://gitlab.acme.example:8443/a/b.git", "gitlab", "a/b", "https://gitlab.acme.example:8443/api/v4"),
    ("ssh://git@gitlab.acme.example:2222/a/b.git", "gitlab", "a/b", "https://gitlab.acme.example/api/v4"),
    ("https://codeberg.org/acme/quotes.git", "gitea", "acme/quotes", "https://codeberg.org/api/v1"),
    ("http://gitea.acme.example:3000/acme/quotes", "gitea", "acme/quotes", "http://gitea.acme.example:3000/api/v1"),
    ("https://forgejo.acme.example/acme/quotes", "gitea", "acme/quotes", "https://forgejo.acme.example/api/v1"),
]


@pytest.mark.parametrize(("address", "provider", "repository", "api_url"), ADDRESSES)
def test_the_remote_says_what_the_settings_do_not(address: str, provider: str, repository: str, api_url: str) -> None:
    found = completed({"token_env": "T"}, address)
    assert found == {"provider": provider, "repository": repository, "api_url": api_url, "token_env": "T"}


def test_what_the_settings_say_goes_first() -> None:
    table = {"provider": "gitea", "repository": "other/place", "api_url": "http://127.0.0.1:1/api/v1"}
    assert completed(table, "git@github.com:acme/quotes.git") == table
    assert completed({"provider": "gitlab"}, "https://git.acme.example/a/b")["api_url"].endswith("/api/v4")


def test_a_plug_in_gets_the_repository_and_finds_its_api_itself() -> None:
    assert completed({"provider": "sourcehut"}, "https://git.example/a/b") == {
        "provider": "sourcehut",
        "repository": "a/b",
    }


@pytest.mark.parametrize("address", ["", "origin", "/srv/quotes.git", "file:///srv/quotes.git", "C:\\quotes", "x:y"])
def test_an_address_that_leads_to_no_forge_needs_a_setting(address: str) -> None:
    assert read_remote(address) is None
    with pytest.raises(ConfigurationError, match="provider is not set"):
        completed({"token_env": "T"}, address)
    assert completed({"provider": "github"}, address) == {"provider": "github"}


def test_a_host_whose_name_says_nothing_is_not_guessed() -> None:
    """Nor is one that only sounds like a known one."""
    for host in ("git.acme.example", "notgithub.com", "github-mirror.example"):
        with pytest.raises(ConfigurationError, match="cannot be told"):
            completed({"token_env": "T"}, f"https://{host}/acme/quotes.git")


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = read_remote(text)
    assert found is None or "/" in found.path


def test_no_secret_of_the_address_is_kept() -> None:
    assert "t0ken" not in str(completed({"token_env": "T"}, "https://robot:t0ken@gitlab.acme.example/a/b.git"))
