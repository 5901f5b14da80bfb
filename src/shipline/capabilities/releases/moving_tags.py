"""Tags that follow the releases, such as `v1` and `latest`: which of them a version takes, and moving them.

They move last: who follows one gets a version that is public everywhere and proven.
"""

from __future__ import annotations

from collections.abc import Iterable

from shipline.capabilities.plans import STABLE, Version, scheme_named, version_text
from shipline.capabilities.releases.ground import ReleaseGround, package_of
from shipline.capabilities.releases.marks import marked_tags
from shipline.capabilities.releases.queries import RELEASES, matching_releases
from shipline.capabilities.releases.telling import append
from shipline.domain.errors import RefusedError
from shipline.domain.package import Package
from shipline.domain.release import ReleaseStatus
from shipline.engine.workflow import Done, Outcome, StepContext
from shipline.store.transaction import Transaction

CHANNEL = "{channel}"


def names_to_move(forms: Iterable[str], package: Package, version: str, tags: Iterable[str]) -> tuple[str, ...]:
    """The moving tags that `version` takes; `tags` are the names of all tags.

    A form's placeholders are `{package}`, `{major}`, `{minor}` and `{channel}`. Pre-releases take only those with a
    channel. A tag moves on to the highest version that it stands for and never back: a late 1.4.9 takes `v1` and leaves
    `latest` to 2.0.0.
    """
    mine = scheme_named(package.scheme).parse(version)
    if mine is None:
        return ()
    forms = tuple(forms)
    others = [
        (other, names_of(forms, package, other)) for tag in tags if (other := version_of(package, tag)) is not None
    ]
    names = names_of(forms, package, mine)
    return tuple(name for name in names if all(other.key <= mine.key for other, theirs in others if name in theirs))


def names_of(forms: Iterable[str], package: Package, version: Version) -> tuple[str, ...]:
    """The moving tags that a version stands for; a pre-release only for those with a channel."""
    fitting = (form for form in forms if version.is_stable or CHANNEL in form)
    return tuple(dict.fromkeys(_name(form, package, version.release, version.channel) for form in fitting))


def check_moving_tags(forms: Iterable[str], package: Package) -> None:
    """Refuse (RefusedError) forms whose names read as versions: the next plan would take them for releases."""
    for form in forms:
        name = _name(form, package, (1, 2, 3), None)
        if version_of(package, name) is not None:
            raise RefusedError(
                f"the moving tag {form} would read as a version of {package.name}: {name}",
                todo="give it a word of its own in [release] moving_tags, such as latest-{major}.{minor}",
            )


def rival_tags(ground: ReleaseGround, package: str, there: Iterable[str] = ()) -> tuple[str, ...]:
    """All tags but those of the package's versions that were taken back: nobody is to follow those any more.

    `there` are the names of those on the remote, of which this clone may lack some.
    """
    with ground.store.begin() as tx:
        yanked = {one.tag for one in matching_releases(tx, package=package, status=ReleaseStatus.YANKED)}
    names = tuple(dict.fromkeys((*(tag.name for tag in ground.repository.tags()), *there)))
    yanked |= marked_tags(names)
    return tuple(name for name in names if name not in yanked)


class MovingTagSteps:
    """Moving them."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def move(self, context: StepContext) -> Outcome:
        """Move them here and on the remote, by what the remote says: this clone may lack releases of others.

        Where they stand is asked together with the versions: one that a higher version takes meanwhile is a conflict.
        """
        release, repository = self.ground.release(context), self.ground.repository
        forms, commit = self.ground.moving_tags, str(context.results["tag"]["commit"])
        if not forms:
            return Done({"moved": []}, idle="none are configured")
        package = package_of(context)
        there = repository.tags_on(self.ground.remote, None)
        names = names_to_move(forms, package, release.version, rival_tags(self.ground, package.name, there))
        for name in names:
            repository.move_tag(name, commit, remote=self.ground.remote, expected=there.get(name, ""))

        if not names:
            return Done({"moved": []}, idle="higher versions have them")

        def save(tx: Transaction) -> None:
            now = RELEASES.find(tx, release.id) or release
            append(tx, self.ground.events, now, "TagsMoved", {"tags": list(names), "commit": commit})

        return Done({"moved": list(names)}, save=save)


def version_of(package: Package, tag: str) -> Version | None:
    """The version that a tag of the package's form names; a single number, as in `v1`, is none."""
    text = version_text(package.tag_format, package.name, tag)
    return scheme_named(package.scheme).parse(text) if text is not None and "." in text else None


def _name(form: str, package: Package, release: tuple[int, ...], channel: str | None) -> str:
    values = {
        "{package}": package.name,
        "{major}": str(release[0]),
        "{minor}": str(release[1]) if len(release) > 1 else "0",
        CHANNEL: channel or STABLE,
    }
    for placeholder, value in values.items():
        form = form.replace(placeholder, value)
    return form
