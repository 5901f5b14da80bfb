"""The subcommands of `shipline version` that need a version and its scheme, and no repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from shipline.domain.errors import ExitCode, InvalidValue

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.plans import Dialect, Scheme, Version

SCHEMA = "shipline.version/1"
Command = TypeVar("Command", bound=Callable[..., Any])


def _with_scheme(command: Command) -> Command:
    scheme = click.option(
        "--scheme",
        "scheme_name",
        metavar="SCHEME",
        default="semver",
        show_default=True,
        help="semver, pep440 or calver:FORMAT, such as calver:YYYY.0M.MICRO.",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, schema shipline.version/1.")
    return as_json(scheme(command))


@click.command(name="parse")
@click.argument("version")
@_with_scheme
def parse(*, version: str, scheme_name: str, as_json: bool) -> None:
    """Show the parts of VERSION."""
    from shipline.capabilities.plans import scheme_named

    scheme = scheme_named(scheme_name)
    parts = _parts(scheme, _read(scheme, version))
    _tell("parse", scheme, {"input": version, "version": parts}, as_json=as_json)
    if not as_json:
        for name, value in parts.items():
            click.echo(f"{name:<11} {_worded(value)}")


@click.command(name="normalize")
@click.argument("version")
@_with_scheme
def normalize(*, version: str, scheme_name: str, as_json: bool) -> None:
    """Write VERSION as its scheme wants it: `v1.0-RC.1` is `1.0rc1` in PEP 440."""
    from shipline.capabilities.plans import scheme_named

    scheme = scheme_named(scheme_name)
    normalized = scheme.normalized(version)
    if normalized is None:
        raise _invalid(scheme, version)
    _tell("normalize", scheme, {"input": version, "normalized": normalized}, as_json=as_json, answer=normalized)


@click.command(name="compare")
@click.argument("left")
@click.argument("right")
@_with_scheme
def compare(*, left: str, right: str, scheme_name: str, as_json: bool) -> None:
    """Print `<`, `=` or `>`, as LEFT is below, equal to or above RIGHT."""
    from shipline.capabilities.plans import compare as compared
    from shipline.capabilities.plans import scheme_named

    scheme = scheme_named(scheme_name)
    order = "<=>"[compared(_read(scheme, left), _read(scheme, right)) + 1]
    _tell("compare", scheme, {"left": left, "right": right, "order": order}, as_json=as_json, answer=order)


@click.command(name="next")
@click.argument("current")
@click.option("--bump", required=True, type=click.Choice(["major", "minor", "patch"]), help="How far to move.")
@click.option("--pre", metavar="CHANNEL", help="Make it a pre-release of this channel: rc, beta, dev ...")
@click.option("--date", "day", metavar="YYYY-MM-DD", help="The release's date, for CalVer; today in UTC if not given.")
@_with_scheme
@click.pass_obj
def following(  # noqa: PLR0913 - each is an option of the command line
    application: Application,
    *,
    current: str,
    bump: str,
    pre: str | None,
    day: str | None,
    scheme_name: str,
    as_json: bool,
) -> None:
    """Find the version after CURRENT."""
    from shipline.capabilities.plans import checked_channel, next_version, scheme_named
    from shipline.domain.change import Bump

    scheme = scheme_named(scheme_name)
    channel = None if pre is None else checked_channel(pre)
    on = _day(day, application.clock.now_us())
    text = next_version(scheme, _read(scheme, current), Bump(bump), pre=channel, day=on)
    found = {"current": current, "bump": bump, "pre": pre, "next": text}
    _tell("next", scheme, found, as_json=as_json, answer=text)


@click.command(name="satisfies")
@click.argument("version")
@click.argument("requirement", metavar="RANGE")
@click.option(
    "--dialect", type=click.Choice(["npm", "cargo", "pep440", "helm"]), help="If not given, the scheme's own."
)
@_with_scheme
def satisfies(*, version: str, requirement: str, dialect: str | None, scheme_name: str, as_json: bool) -> int:
    """Say whether VERSION is within RANGE. Exit codes: 0 it is, 1 it is not, 2 one of them cannot be read."""
    from shipline.capabilities.plans import satisfies as satisfied_by
    from shipline.capabilities.plans import scheme_named

    scheme = scheme_named(scheme_name)
    spoken = dialect or {"semver": "npm", "pep440": "pep440"}.get(scheme.name)
    if spoken is None:
        raise InvalidValue(
            "CalVer has no ranges of its own", todo="name those to go by with --dialect: npm, pep440 ..."
        )
    answer = satisfied_by(version, requirement, cast("Dialect", spoken))
    found = {"version": version, "requirement": requirement, "dialect": spoken, "satisfied": answer}
    _tell("satisfies", scheme, found, as_json=as_json, answer="yes" if answer else "no")
    return int(ExitCode.DONE if answer else ExitCode.FAILED)


def _tell(action: str, scheme: Scheme, found: dict[str, Any], *, as_json: bool, answer: str = "") -> None:
    if as_json:
        document = {"schema": SCHEMA, "action": action, "scheme": scheme.name} | found
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif answer:
        click.echo(answer)


def _read(scheme: Scheme, text: str) -> Version:
    """The version as its scheme reads it; PEP 440 lets a `v` and spaces stand around one."""
    version = scheme.parse(text)
    if version is None and scheme.name == "pep440":
        version = scheme.parse(scheme.normalized(text) or "")
    if version is None:
        raise _invalid(scheme, text)
    return version


def _invalid(scheme: Scheme, text: str) -> InvalidValue:
    meant = scheme.normalized(text)
    hint = "" if meant is None else f"write {meant}"
    return InvalidValue(f"{text[:80]!r} is not a version of {scheme.name}", todo=hint)


def _parts(scheme: Scheme, version: Version) -> dict[str, Any]:
    from shipline.capabilities.plans import pep440_parts

    more = pep440_parts(version) if scheme.name == "pep440" else {}
    return {
        "text": version.text,
        "normalized": scheme.normalized(version.text),
        "release": list(version.release),
        "epoch": version.epoch,
        "channel": version.channel,
        "number": version.number,
        "build": version.build,
        "stable": version.is_stable,
    } | more


def _worded(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "-" if value is None or value == "" else str(value).lower() if isinstance(value, bool) else str(value)


def _day(given: str | None, now_us: int) -> Any:
    from datetime import date

    if given is None:
        return datetime.fromtimestamp(now_us / 1_000_000, UTC).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise InvalidValue(f"{given[:40]!r} is not a date", todo="write it as 2026-11-26") from None
