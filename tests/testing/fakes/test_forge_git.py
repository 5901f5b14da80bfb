"""Git over HTTP and the interface of a fake forge show one state, and refuse what the forge refuses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from shipline.clients.git_errors import PROTECTED
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.forge import CommitStatus, PullState, StatusState
from shipline.ports.forge.guards import BranchRule
from shipline.ports.forge.hooks import HookEvent
from shipline.ports.forge.reviews import MergeMethod
from tests.providers.forge.places import KINDS, TOKEN, Place, running


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)


class Clone:
    """A clone that was made over HTTP."""

    def __init__(self, place: Place, folder: Path, *, password: str = TOKEN) -> None:
        self.folder = folder
        self.url = place.server.git_url.replace("://", f"://x:{password}@")
        self.git("clone", "--quiet", self.url, str(folder), within=folder.parent)

    def git(self, *arguments: str, within: Path | None = None) -> str:
        """Git's output; its error is an AssertionError."""
        environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", *arguments],
            cwd=within or self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def test_a_push_is_seen_by_the_interface_and_told_to_hooks(tmp_path: Path) -> None:
    with running("github", tmp_path) as place:
        place.server.courier.held = True
        place.forge.ensure_hook("http://127.0.0.1:9/", events=frozenset({HookEvent.PUSH}), secret="s")
        clone = Clone(place, tmp_path / "clone")
        clone.git("push", "--quiet", "origin", f"{place.commits[0]}:refs/heads/topic/one")
        found = place.forge.find_branch("topic/one")
        assert found is not None
        assert found.commit == place.commits[0]
        place.forge.create_tag("v1.0.0", place.commits[0])
        clone.git("fetch", "--quiet", "--tags")
        assert clone.git("rev-parse", "v1.0.0") == place.commits[0]
        assert [sent.word for sent in place.server.courier.pending] == ["push", "push"]


@pytest.mark.parametrize(("kind", "told"), [("github", 1), ("gitlab", 1), ("gitea", 5)])
def test_many_tags_in_one_push_are_told_as_each_forge_does(tmp_path: Path, kind: str, told: int) -> None:
    """The branch beside them is told; of four tags GitHub and GitLab tell nobody."""
    with running(kind, tmp_path) as place:
        place.server.courier.held = True
        place.forge.ensure_hook("http://127.0.0.1:9/", events=frozenset({HookEvent.PUSH}), secret="s")
        clone = Clone(place, tmp_path / "clone")
        refs = [f"HEAD:refs/tags/v{number}" for number in range(4)]
        clone.git("push", "--quiet", "origin", "HEAD:refs/heads/topic", *refs)
        assert len(place.server.courier.pending) == told


def test_protected_refs_and_strangers_are_refused(tmp_path: Path) -> None:
    with running("gitea", tmp_path) as place:
        clone = Clone(place, tmp_path / "clone")
        place.model.protected.add("main")
        place.model.protected_tags.add("v*")
        clone.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--allow-empty", "-m", "feat: x")
        for ref in ("refs/heads/main", "refs/tags/v1.0.0"):
            with pytest.raises(AssertionError, match="protected"):
                clone.git("push", "origin", f"HEAD:{ref}")
        clone.git("push", "--quiet", "origin", "HEAD:refs/heads/topic")
        assert place.forge.find_tag("v1.0.0") is None
        with pytest.raises(AssertionError, match="uthentication failed"):
            Clone(place, tmp_path / "stranger", password="another")
        place.model.may_write = False
        with pytest.raises(AssertionError, match="403"):
            clone.git("push", "origin", "HEAD:refs/heads/other")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_rules_that_were_set_by_the_interface_hold_for_pushes(tmp_path: Path, kind: str) -> None:
    """Nothing but pull requests comes to one branch, another may not be rewritten, neither may go, and tags stay. What
    is said leads to a remedy for protected refs, whichever forge says it."""
    with running(kind, tmp_path) as place:
        clone = Clone(place, tmp_path / "clone")
        person = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        clone.git(*person, "commit", "--allow-empty", "-m", "feat: x")
        clone.git("push", "--quiet", "origin", "HEAD:refs/heads/line/1", "HEAD:refs/tags/v1.0.0")
        place.forge.ensure_branch_rule(BranchRule("main"))
        place.forge.ensure_branch_rule(BranchRule("line/*", pull_requests=False))
        place.forge.ensure_tag_rule("v*")
        assert place.forge.protection("main").protected
        clone.git("push", "--quiet", "origin", "HEAD:refs/tags/v1.0.1")
        clone.git(*person, "commit", "--allow-empty", "-m", "feat: y")
        clone.git("push", "--quiet", "origin", "HEAD:refs/heads/line/1")
        for refused in (
            "HEAD:refs/heads/main",
            f"+{place.commits[0]}:refs/heads/line/1",
            ":refs/heads/line/1",
            "+HEAD:refs/tags/v1.0.0",
            ":refs/tags/v1.0.0",
        ):
            with pytest.raises(AssertionError) as caught:
                clone.git("push", "origin", refused)
            assert PROTECTED.search(str(caught.value)), refused
        with pytest.raises(ShiplineError):
            place.forge.delete_branch("line/1", clone.git("rev-parse", "HEAD"))


@pytest.mark.parametrize("kind", ["github", "gitea"])
def test_a_check_that_a_rule_demands_holds_up_a_merge(tmp_path: Path, kind: str) -> None:
    """Until its newest word is a good one."""
    with running(kind, tmp_path) as place:
        forge, head = place.forge, place.commits[1]
        forge.create_branch("topic", head)
        pull = forge.create_pull_request(head="topic", base="main", title="feat: two", body="")
        forge.ensure_branch_rule(BranchRule("main", checks=("tests",)))
        for state in (None, StatusState.FAILURE, StatusState.PENDING):
            if state is not None:
                forge.set_status(head, CommitStatus("tests", state))
            with pytest.raises(ConflictError):
                forge.merge_pull_request(pull.number, head=head, method=MergeMethod.MERGE)
        forge.set_status(head, CommitStatus("tests", StatusState.SUCCESS))
        assert forge.merge_pull_request(pull.number, head=head, method=MergeMethod.MERGE).state is PullState.MERGED
