"""The version after another, for who knows how far it shall move: without a repository."""

from __future__ import annotations

from datetime import date

from shipline.capabilities.plans.versions.version import STABLE, Scheme, Version
from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue

FIRST_NUMBER = 1


def next_version(scheme: Scheme, current: Version, bump: Bump, *, pre: str | None, day: date | None) -> str:
    """The version after `current`, always above it; `pre` is the channel of a pre-release.

    A pre-release has announced its final version already: where that is as far as `bump` goes, it is what comes next.
    InvalidValue where what comes would not be above `current`, as a beta after a release candidate.
    """
    target = _target(scheme, current, bump, day)
    channel, number = pre or STABLE, 0
    if pre is not None:
        goes_on = target == current.release and scheme.same_channel(pre, current)
        number = current.number + 1 if goes_on else FIRST_NUMBER
    text = scheme.render(target, channel=channel, number=number, epoch=current.epoch)
    following = scheme.parse(text)
    if following is None or following.key <= current.key:
        raise InvalidValue(
            f"{text} would not be above {current.text}",
            todo="move it further with --bump, or name a later channel with --pre",
        )
    return text


def _target(scheme: Scheme, current: Version, bump: Bump, day: date | None) -> tuple[int, ...]:
    if not current.is_stable and scheme.reaches(current.release, bump):
        return current.release
    return scheme.moved(current.release, bump, day)
