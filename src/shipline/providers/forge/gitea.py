"""The Forge port for Gitea and Forgejo, over their REST API, version 1.

From: docs.gitea.com/api. No digests are stated for a release's files, so that one of the same name and size is taken
for the same; two may bear one name, so they are looked for before they are sent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shipline.clients.forge_http import UploadTarget, made
from shipline.clients.forge_json import flag, number, number_or_none, text, text_or_none
from shipline.ports.forge import (
    Asset,
    CommitStatus,
    ForgeRelease,
    Known,
    Permission,
    Protection,
    PullRequest,
    Ref,
    StatusState,
)
from shipline.ports.forge.rights import Capability
from shipline.providers.forge.access import (
    PULLS_MAX,
    ForgeSettings,
    Kind,
    commit_in_path,
    in_path,
    is_the_file,
)
from shipline.providers.forge.ci_secrets import GiteaSecrets
from shipline.providers.forge.gitea_guards import GiteaGuards
from shipline.providers.forge.gitea_hooks import GiteaHooks
from shipline.providers.forge.gitea_reviews import GiteaReviews
from shipline.providers.forge.gitea_tracker import ISSUES, GiteaTracker
from shipline.providers.forge.repos import ReposForge
from shipline.providers.forge.speakers import GiteaSpeakers

GITEA = Kind("Gitea", "GITEA_TOKEN", "token", "limit", 50)
REPOSITORY = "write:repository"
STATES = {"pending": StatusState.PENDING, "success": StatusState.SUCCESS}


class GiteaForge(GiteaGuards, GiteaSecrets, GiteaTracker, GiteaSpeakers, GiteaReviews, GiteaHooks, ReposForge):
    """The Forge port for one repository on Gitea or Forgejo."""

    Settings = ForgeSettings
    kind = GITEA
    content_need = pull_need = REPOSITORY
    commit_key, tag_target = "sha", "target"

    # --- branches and tags -------------------------------------------------------------------------------------

    def _ref_at(self, kind: str, name: str) -> str:
        return f"{self._refs_at(kind)}/{in_path(name, slashes=True)}"

    def find_branch(self, name: str) -> Ref | None:
        """GET the branch."""
        found = self._http.find(self._ref_at("branches", name))
        return None if found is None else _branch(found)

    def _make_branch(self, name: str, commit: str) -> Ref:
        body = {"new_branch_name": name, "old_ref_name": commit}
        return _branch(self._http.send("POST", self._refs_at("branches"), body, need=REPOSITORY))

    def protection(self, branch: str) -> Protection:
        """What the branch says about this token."""
        found = self._http.get(self._ref_at("branches", branch))
        may = Known.YES if flag(found, "user_can_push") else Known.NO
        demands = []
        if may is Known.NO:
            demands.append("changes come by pull request")
        if flag(found, "enable_status_check"):
            demands.append("checks must have passed")
        approvals = number_or_none(found, "required_approvals")
        if approvals:
            demands.append(f"{approvals} must approve")
        return Protection(branch, flag(found, "protected"), may, tuple(demands))

    # --- pull requests -----------------------------------------------------------------------------------------

    def open_pull_requests(self, *, head: str = "", base: str = "") -> tuple[PullRequest, ...]:
        """GET the list, which older Giteas do not filter by branches."""
        items = self._list("pulls", PULLS_MAX, {"state": "open"})
        found = (self._pull(item) for item in items if self._is_own(item))
        chosen = [pull for pull in found if head in ("", pull.head) and base in ("", pull.base)]
        return tuple(sorted(chosen, key=lambda pull: pull.number, reverse=True))

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """GET the one of a commit: Gitea names one."""
        found = self._http.find(f"{self._at}/commits/{commit_in_path(commit)}/pull")
        return () if found is None or not self._is_own(found) else (self._pull(found),)

    def _is_own(self, item: Any) -> bool:
        return number_or_none(item, "head", "repo_id") == number(item, "base", "repo_id")

    def _was_merged(self, item: Any) -> bool:
        return flag(item, "merged")

    # --- releases ----------------------------------------------------------------------------------------------

    def _asset(self, item: Any) -> Asset:
        return Asset(str(number(item, "id")), text(item, "name"), number_or_none(item, "size"), None)

    def upload_asset(self, release: ForgeRelease, file: Path, *, digest: str) -> Asset:
        """POST the bytes as a form."""
        size = file.stat().st_size

        def look() -> Asset | None:
            found = (one for one in self.assets(release) if one.name == file.name)
            return next((one for one in found if is_the_file(one, digest=digest, size=size)), None)

        def make() -> Asset:
            target = UploadTarget("POST", f"{self._place(release)}/assets", {"name": file.name}, "attachment")
            return self._asset(self._http.upload(file, target, need=REPOSITORY))

        return made(look, make)

    def delete_asset(self, release: ForgeRelease, asset: Asset) -> None:
        """DELETE it."""
        self._http.remove(f"{self._place(release)}/assets/{int(asset.key)}", need=REPOSITORY)

    # --- statuses ----------------------------------------------------------------------------------------------

    def _statuses_at(self, commit: str) -> str:
        return f"statuses/{commit}"

    def _status(self, item: Any) -> CommitStatus:
        return CommitStatus(
            context=text(item, "context"),
            state=STATES.get(text(item, "status"), StatusState.FAILURE),
            description=text_or_none(item, "description") or "",
            url=text_or_none(item, "target_url") or "",
        )

    def _make_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """Gitea keeps all of them."""
        body = {"state": status.state.value, "context": status.context}
        body |= {"description": status.description, "target_url": status.url}
        return self._status(self._http.send("POST", f"{self._at}/statuses/{commit}", body, need=REPOSITORY))

    # --- what the token may ------------------------------------------------------------------------------------

    def permissions(self) -> tuple[Permission, ...]:
        """What the repository says about the token's user. Gitea tells nobody a token's scopes."""
        repository = self._http.get(self._at)
        may = {role: flag(repository, "permissions", role) for role in ("push", "admin")}
        administrator = f"{REPOSITORY}, as an administrator of the repository"
        needs = {
            Capability.CONTENT: (REPOSITORY, "push", Known.YES),
            Capability.PULLS: (f"{REPOSITORY} and {ISSUES}", "push", Known.UNKNOWN),
            Capability.ISSUES: (ISSUES, "push", Known.UNKNOWN),
            Capability.STATUSES: (REPOSITORY, "push", Known.UNKNOWN),
            Capability.HOOKS: (administrator, "admin", Known.UNKNOWN),
            Capability.SETTINGS: (administrator, "admin", Known.UNKNOWN),
            Capability.VARIABLES: (administrator, "admin", Known.UNKNOWN),
            Capability.SECRETS: (administrator, "admin", Known.UNKNOWN),
        }
        todo = "make a token with these scopes, of a user who may do this here; read:user tells whose it is"
        found = []
        for capability, (need, role, best) in needs.items():
            granted = best if may[role] else Known.NO
            found.append(Permission(capability, need, granted, "" if granted is Known.YES else todo))
        return tuple(found)

    def lacks(self) -> tuple[str, ...]:
        """Six things."""
        return (
            "webhooks are not told of milestones: those are looked for",
            "what webhooks were sent, and sending it again, is on the page alone",
            "whether a branch's reviews and checks are there is said only when a merge is refused",
            "the issues that a pull request closes are told by the keywords in its body",
            "no digests are stated for a release's files: they are compared by name and size",
            "the release that was announced last is shown as the latest, also one of a maintenance branch",
        )


def _branch(item: Any) -> Ref:
    return Ref(text(item, "name"), text(item, "commit", "id"), flag(item, "protected"))
