"""What a backport of a project stands on. It opens no store, and asks the forge only where something is pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipline.capabilities.releases import BackportGround, BackportWish, bring_back
from shipline.domain.errors import NothingToDo, RefusedError, ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap.places import Place
    from shipline.ports.forge import PullRequest


def backport_ground(application: Place, *, push: bool) -> BackportGround:
    """The repository, and with `push` the remote's forge."""
    return BackportGround(
        repository=application.repository,
        packages=application.known_packages,
        remote=application.settings.release.remote,
        forge=application.forge if push else None,
    )


class Bringing:
    """Brings merged pull requests to other branches, as `shipline backport --push` brings a commit."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self, pull: PullRequest, target: str) -> str:
        """What came of it, for people. UnavailableError where remote or forge give no answer now."""
        try:
            wish = BackportWish(self._became(pull), target, push=True)
            made = bring_back(backport_ground(self._place, push=True), wish)
        except NothingToDo as nothing:
            return f"Nothing is left to bring to `{target}`: {nothing.what}."
        except ShiplineError as error:
            if error.retryable:
                raise
            why, todo = (f" ({error.why})" if error.why else ""), (f"\n\n{error.todo}" if error.todo else "")
            # Subjects of commits and paths are somebody else's words.
            told = f"{error.what}{why}.{todo}".replace("<", "&lt;").replace("@", "@\u2060")
            return f"A person has to bring this to `{target}`: {told}"
        where = f"the branch `{made.branch}`" if made.pull is None else made.pull.url
        return f"{where} brings this to `{target}`."

    def _became(self, pull: PullRequest) -> str:
        """The commit that holds all of it. RefusedError where that is not to be known."""
        place, commit = self._place, pull.merge_commit
        here, remote = place.repository, place.settings.release.remote or "origin"
        if commit is None or not here.fetch_commit(remote, commit):
            raise RefusedError(
                "the forge does not say which commit it became",
                todo=f"name its commits: shipline backport A..B --to {pull.base} --push",
            )
        before = next(iter(here.log((), commit, limit=1))).parents[:1]
        changed = set(here.changed_paths(before[0], commit)) if before else set()
        asked = () if place.forge is None else place.forge.changed_files(pull.number)
        if not before or any(file.path not in changed for file in asked):
            # What was rebased is several commits, of which the forge names the last: a part is no backport.
            raise RefusedError(
                "it was merged as several commits", todo="name them: shipline backport A..B --to BRANCH --push"
            )
        return commit
