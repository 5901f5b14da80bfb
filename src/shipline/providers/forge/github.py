"""The Forge port for GitHub and GitHub Enterprise Server, over its REST API.

From: docs.github.com/rest, version 2022-11-28. Drafts are not found by their tag, and two may bear the same one: so
they are looked for in the list of releases. Uploads go to an address of their own, which is derived from the API's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipline.clients.forge_http import UploadTarget, made
from shipline.clients.forge_json import entries, flag, number, number_or_none, text, text_or_none
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.forge import (
    Asset,
    CommitStatus,
    ForgeRelease,
    Known,
    Protection,
    PullRequest,
    Ref,
    StatusState,
)
from shipline.ports.provider import ProviderContext
from shipline.providers.forge.access import (
    PULLS_MAX,
    Credential,
    commit_in_path,
    in_path,
    is_the_file,
    worst_of_each,
)
from shipline.providers.forge.ci_secrets import GitHubSecrets
from shipline.providers.forge.github_access import GITHUB, AppCredential, GitHubSettings, credential_of
from shipline.providers.forge.github_environments import GitHubEnvironments
from shipline.providers.forge.github_guards import GitHubGuards
from shipline.providers.forge.github_hooks import GitHubHooks
from shipline.providers.forge.github_reviews import GitHubReviews
from shipline.providers.forge.github_rights import GitHubRights
from shipline.providers.forge.github_tracker import PULLS, GitHubTracker
from shipline.providers.forge.latest import rank_of
from shipline.providers.forge.repos import ReposForge
from shipline.providers.forge.speakers import GitHubSpeakers

CONTENTS, STATUSES = "contents: write", "commit statuses: write"
RULES_MAX = 200
CHECK_PAGES_MAX = 20
RULE_WORDS = {
    "pull_request": "changes come by pull request",
    "required_status_checks": "checks must have passed",
    "required_signatures": "commits must be signed",
    "update": "nobody may push, but for those who bypass the rule",
    "required_linear_history": "no merge commits",
}


class GitHubForge(
    GitHubGuards,
    GitHubSecrets,
    GitHubEnvironments,
    GitHubTracker,
    GitHubSpeakers,
    GitHubReviews,
    GitHubHooks,
    GitHubRights,
    ReposForge,
):
    """The Forge port for one repository on GitHub."""

    Settings = GitHubSettings
    kind = GITHUB
    content_need, pull_need = CONTENTS, PULLS
    description_max = 140

    def __init__(self, settings: GitHubSettings, context: ProviderContext) -> None:
        super().__init__(settings, context)
        self._way_in = credential_of(settings, context)

    def _credential(self) -> Credential:
        return self._way_in

    # --- branches and tags -------------------------------------------------------------------------------------

    def find_branch(self, name: str) -> Ref | None:
        """GET the branch."""
        found = self._http.find(f"{self._at}/branches/{in_path(name)}")
        return None if found is None else Ref(name, text(found, "commit", "sha"), flag(found, "protected"))

    def _make_branch(self, name: str, commit: str) -> Ref:
        return self._make_ref("heads", name, commit)

    def _remove_branch(self, name: str) -> None:
        """GitHub says 422 for one that is gone."""
        try:
            self._http.remove(f"{self._at}/git/refs/heads/{in_path(name, slashes=True)}", need=CONTENTS)
        except ConflictError:
            if self.find_branch(name) is not None:
                raise

    def find_tag(self, name: str) -> Ref | None:
        """GET the ref, and what an annotated tag leads to."""
        found = self._http.find(f"{self._at}/git/ref/tags/{in_path(name, slashes=True)}")
        if found is None or text(found, "ref") != f"refs/tags/{name}":
            return None
        target = found["object"]
        if text(target, "type") == "tag":
            target = self._http.get(f"{self._at}/git/tags/{commit_in_path(text(target, 'sha'))}")["object"]
        return Ref(name, text(target, "sha"))

    def _make_tag(self, name: str, commit: str) -> Ref:
        return self._make_ref("tags", name, commit)

    def _make_ref(self, kind: str, name: str, commit: str) -> Ref:
        body = {"ref": f"refs/{kind}/{name}", "sha": commit}
        answer = self._http.send("POST", f"{self._at}/git/refs", body, need=CONTENTS)
        return Ref(name, text(answer, "object", "sha"))

    def protection(self, branch: str) -> Protection:
        """The branch's mark and the rules that hold for it; who bypasses them is for administrators to read."""
        found = self._http.get(f"{self._at}/branches/{in_path(branch)}")
        kinds = {text(rule, "type") for rule in self._list(f"rules/branches/{in_path(branch)}", RULES_MAX)}
        demands = tuple(words for kind, words in RULE_WORDS.items() if kind in kinds)
        guarded = flag(found, "protected") or bool(demands)
        may = Known.UNKNOWN if guarded else self._may_push()
        return Protection(branch, guarded, Known.NO if self._may_push() is Known.NO else may, demands)

    def _may_push(self) -> Known:
        repository = self._http.get(self._at)
        if not isinstance(repository.get("permissions"), dict):
            return Known.UNKNOWN
        return Known.YES if flag(repository, "permissions", "push") else Known.NO

    # --- pull requests -----------------------------------------------------------------------------------------

    def open_pull_requests(self, *, head: str = "", base: str = "") -> tuple[PullRequest, ...]:
        """GET the list. GitHub filters by head only together with its owner."""
        query = {"state": "open", "sort": "created", "direction": "desc"}
        if head:
            query["head"] = f"{self._settings.repository.partition('/')[0]}:{head}"
        if base:
            query["base"] = base
        found = (self._pull(item) for item in self._list("pulls", PULLS_MAX, query) if self._is_own(item))
        return tuple(pull for pull in found if head in ("", pull.head) and base in ("", pull.base))

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """GET those of a commit."""
        items = self._list(f"commits/{commit_in_path(commit)}/pulls", 100)
        return tuple(self._pull(item) for item in items if self._is_own(item))

    def _is_own(self, item: Any) -> bool:
        """What a fork proposes is not ours, whatever its body says."""
        source = text_or_none(item, "head", "repo", "full_name")
        return source is not None and source.lower() == self._settings.repository.lower()

    def _was_merged(self, item: Any) -> bool:
        return text_or_none(item, "merged_at") is not None

    # --- releases ----------------------------------------------------------------------------------------------

    def _told(self, release: ForgeRelease) -> dict[str, Any]:
        """With its rank, where it is announced now: GitHub would call whatever comes last the latest."""
        told = super()._told(release)
        if release.draft or release.prerelease:
            return told  # Neither can be the latest.
        before = self._http.find(self._place(release)) if release.key else None
        if before is not None and not flag(before, "draft"):
            return told
        latest = self._http.find(f"{self._at}/releases/latest")
        return told | {"make_latest": rank_of(release.tag, None if latest is None else text(latest, "tag_name"))}

    def _asset(self, item: Any) -> Asset:
        """Digests are stated since June 2025, and by Enterprise Server later."""
        return Asset(
            key=str(number(item, "id")),
            name=text(item, "name"),
            size=number_or_none(item, "size"),
            digest=text_or_none(item, "digest"),
            whole=text_or_none(item, "state") in (None, "uploaded"),
        )

    def upload_asset(self, release: ForgeRelease, file: Path, *, digest: str) -> Asset:
        """POST the bytes to the upload address. What was cut off is listed as a `starter`, and goes first."""
        size = file.stat().st_size

        def look() -> Asset | None:
            for asset in self.assets(release):
                if asset.name == file.name and is_the_file(asset, digest=digest, size=size):
                    return asset
            return None

        def make() -> Asset:
            for asset in self.assets(release):
                if asset.name == file.name and not asset.whole:
                    self.delete_asset(release, asset)
            place = f"{_upload_url(self._http.url)}{self._place(release)}/assets"
            target = UploadTarget("POST", place, {"name": file.name})
            return self._asset(self._http.upload(file, target, need=CONTENTS))

        return made(look, make)

    def delete_asset(self, release: ForgeRelease, asset: Asset) -> None:
        """DELETE it."""
        self._http.remove(f"{self._place(release).rpartition('/')[0]}/assets/{int(asset.key)}", need=CONTENTS)

    # --- statuses ----------------------------------------------------------------------------------------------

    def _statuses_at(self, commit: str) -> str:
        """Check runs, which GitHub keeps apart, are not among them."""
        return f"commits/{commit}/statuses"

    def _status(self, item: Any) -> CommitStatus:
        state = text(item, "state")
        known = {"pending": StatusState.PENDING, "success": StatusState.SUCCESS}
        return CommitStatus(
            context=text(item, "context"),
            state=known.get(state, StatusState.FAILURE),
            description=text_or_none(item, "description") or "",
            url=text_or_none(item, "target_url") or "",
        )

    def checks(self, commit: str) -> tuple[CommitStatus, ...]:
        """With the newest run of each check, of GitHub Actions above all."""
        path = f"{self._at}/commits/{commit_in_path(commit)}/check-runs"
        runs: list[Any] = []
        for page in range(1, CHECK_PAGES_MAX + 1):
            answer = self._http.get(path, {"filter": "latest", "per_page": 100, "page": page})
            runs += entries(answer, "check_runs")
            if len(runs) >= number(answer, "total_count"):
                return worst_of_each([*self.statuses(commit), *map(_check, runs)])
        raise ShiplineError(f"GitHub lists more than {100 * CHECK_PAGES_MAX} checks of one commit")

    def _make_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """GitHub keeps all of them, and takes 1000 of a context."""
        body = {"state": status.state.value, "context": status.context, "description": status.description}
        body |= {"target_url": status.url} if status.url else {}
        return self._status(self._http.send("POST", f"{self._at}/statuses/{commit}", body, need=STATUSES))

    # --- what the token may ------------------------------------------------------------------------------------

    def _told_to_app(self) -> Mapping[str, str] | None:
        return self._way_in.permissions() if isinstance(self._way_in, AppCredential) else None

    def lacks(self) -> tuple[str, ...]:
        """Three things, the first of which surprises everybody."""
        return (
            "what is pushed or opened with a workflow's own GITHUB_TOKEN starts no workflow: use an app's token",
            "a push of more than three tags is told to no webhook: tags are looked for",
            "the issues that a pull request closes are told by the keywords in its body",
        )


def _check(item: Any) -> CommitStatus:
    """A run of a check. What was skipped, or is neutral, holds nothing up. From: docs.github.com/rest/checks/runs."""
    state = StatusState.PENDING
    if text(item, "status") == "completed":
        passed = text_or_none(item, "conclusion") in ("success", "neutral", "skipped")
        state = StatusState.SUCCESS if passed else StatusState.FAILURE
    return CommitStatus(text(item, "name"), state, "", text_or_none(item, "html_url") or "")


def _upload_url(api_url: str) -> str:
    """Where files go. GitHub: from api. to uploads.; Enterprise Server: from /api/v3 to /api/uploads, the same host.

    The address in an answer is not used: a token is not sent to wherever an answer says.
    """
    parts = urlsplit(api_url)
    if (parts.hostname or "").startswith("api.") and parts.path.strip("/") == "":
        return f"{parts.scheme}://uploads.{parts.netloc.removeprefix('api.')}"
    return api_url.removesuffix("/v3") + "/uploads"
