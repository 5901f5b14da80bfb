"""Secrets of CI. No forge tells a value: they are listed by name, and set anew.

From: docs.github.com/rest/actions/secrets; docs.gitlab.com/api/project_level_variables; docs.gitea.com/api. GitHub
takes a value that was sealed with the repository's own key (libsodium's sealed boxes). On GitLab a secret is a variable
that is masked, and whose value is hidden since 17.4; what cannot be masked (less than 8 characters, or with spaces) is
refused.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from nacl.public import PublicKey, SealedBox

from shipline.clients.forge_http import made
from shipline.clients.forge_json import entries, flag, number, text
from shipline.domain.errors import ShiplineError
from shipline.ports.forge.guards import VARIABLES_MAX
from shipline.providers.forge.base import RESTAccess

GITHUB_NEED, GITLAB_NEED = "secrets: write", "scope api, role Maintainer"
GITEA_NEED = "write:repository, as an administrator of the repository"
PAGE = 100


class GitHubSecrets(RESTAccess):
    """GitHub's part."""

    def ci_secrets(self) -> tuple[str, ...]:
        """GET the pages, each of which is an object."""
        names: list[str] = []
        for page in range(1, VARIABLES_MAX // PAGE + 1):
            asked = {"per_page": PAGE, "page": page}
            answer = self._http.get(f"{self._at}/actions/secrets", asked, need=GITHUB_NEED)
            names += [text(each, "name") for each in entries(answer, "secrets")]
            if len(names) >= number(answer, "total_count"):
                return tuple(sorted(names))
        raise ShiplineError(f"GitHub lists more than {VARIABLES_MAX} secrets")

    def set_ci_secret(self, name: str, value: str) -> None:
        """GET the key, seal, PUT."""
        key = self._http.get(f"{self._at}/actions/secrets/public-key", need=GITHUB_NEED)
        body = {"encrypted_value": sealed(text(key, "key"), value), "key_id": text(key, "key_id")}
        place = f"{self._at}/actions/secrets/{quote(name, safe='')}"
        self._http.send("PUT", place, body, need=GITHUB_NEED, secret=value)

    def delete_ci_secret(self, name: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/actions/secrets/{quote(name, safe='')}", need=GITHUB_NEED)


def sealed(public_key: str, value: str) -> str:
    """A sealed box in base64, for the holder of a key in base64. ShiplineError where that is none."""
    try:
        box = SealedBox(PublicKey(base64.b64decode(public_key, validate=True)))
    except (ValueError, TypeError) as error:
        raise ShiplineError("GitHub's key for secrets is none", why=str(error)[:200]) from None
    return base64.b64encode(box.encrypt(value.encode())).decode()


class GitLabSecrets(RESTAccess):
    """GitLab's part: masked variables for all environments."""

    def ci_secrets(self) -> tuple[str, ...]:
        """GET the variables."""
        return tuple(sorted(text(item, "key") for item in self._masked()))

    def _masked(self) -> list[Any]:
        items = self._http.pages(f"{self._at}/variables", items_max=VARIABLES_MAX, need=GITLAB_NEED)
        return [item for item in items if flag(item, "masked") and text(item, "environment_scope") == "*"]

    def set_ci_secret(self, name: str, value: str) -> None:
        """POST it, or PUT it; what was protected, so that only protected branches are given it, stays so.

        An older GitLab passes over what it does not know, so masking is asked for by itself too.
        """
        fresh: list[str] = []

        def make() -> str:
            body = {"key": name, "value": value, "masked": True, "masked_and_hidden": True}
            self._http.send("POST", f"{self._at}/variables", body, need=GITLAB_NEED, secret=value)
            fresh.append(name)
            return name

        made(lambda: name if name in self.ci_secrets() else None, make)
        if not fresh:
            body = {"value": value, "masked": True}
            place = f"{self._at}/variables/{quote(name, safe='')}"
            self._http.send("PUT", place, body, need=GITLAB_NEED, secret=value)

    def delete_ci_secret(self, name: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/variables/{quote(name, safe='')}", need=GITLAB_NEED)


class GiteaSecrets(RESTAccess):
    """Gitea's part."""

    def ci_secrets(self) -> tuple[str, ...]:
        """GET the list."""
        items = self._http.pages(f"{self._at}/actions/secrets", items_max=VARIABLES_MAX, need=GITEA_NEED)
        return tuple(sorted(text(item, "name") for item in items))

    def set_ci_secret(self, name: str, value: str) -> None:
        """PUT it."""
        place = f"{self._at}/actions/secrets/{quote(name, safe='')}"
        self._http.send("PUT", place, {"data": value}, need=GITEA_NEED, secret=value)

    def delete_ci_secret(self, name: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/actions/secrets/{quote(name, safe='')}", need=GITEA_NEED)
