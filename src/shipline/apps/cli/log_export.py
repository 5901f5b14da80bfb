"""`shipline log export`, and how events are searched for: by kind, stream, actor, words and time."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from shipline.bootstrap import Application
    from shipline.store.database import Store
    from shipline.store.log import RecordedEvent
    from shipline.store.notes import NotePublicKey
    from shipline.store.search import Wanted

F = TypeVar("F", bound=Callable[..., Any])
TEXT_MAX = 200
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the begin of a formula: https://owasp.org/www-community/attacks/CSV_Injection (2025)."""
COLUMNS = (
    "number",
    "place",
    "time",
    "kind",
    "version",
    "stream",
    "position",
    "actor",
    "actor_kind",
    "authenticated",
    "id",
    "cause",
    "erased",
    "body",
)


def moment_us(text: str) -> int:
    """A day or a moment as ISO 8601 writes it, in UTC unless it says otherwise, as microseconds since 1970:
    `2026-11-28`, `2026-11-28T09:00`, `2026-11-28T09:00:00+01:00`."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return int(moment.timestamp()) * 1_000_000 + moment.microsecond
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text[:60]!r} is no time; write 2026-11-28 or 2026-11-28T09:00:00Z.") from None


def with_search_options(command: F) -> F:
    """The options by which events are searched for; `wanted_of` reads them."""
    for option in reversed(
        (
            click.option("--kind", "kinds", metavar="KIND", multiple=True, help="Only of this kind; may be repeated."),
            click.option("--stream", metavar="NAME", help="Only what happened to this (release:…, rollout:…)."),
            click.option("--actor", default="", metavar="NAME", help="Only what this one did (mia, mia@example.org)."),
            click.option("--text", default="", help="Only where this stands in the stream, the actor or the body."),
            click.option("--since", type=moment_us, metavar="TIME", help="Only from then on: 2026-11-28T09:00:00Z."),
            click.option("--until", type=moment_us, metavar="TIME", help="Only what was before then."),
        )
    ):
        command = option(command)
    return command


def wanted_of(search: dict[str, Any]) -> Wanted:
    """What the options of a search say."""
    from shipline.domain.errors import InvalidValue
    from shipline.domain.event_kinds import EVENT_KINDS
    from shipline.store.search import Wanted

    for kind in search.get("kinds", ()):
        if kind not in EVENT_KINDS:
            near = get_close_matches(kind, EVENT_KINDS, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise InvalidValue(
                f"there is no kind of event {kind[:60]!r}", todo=f"{hint}known ones: {', '.join(EVENT_KINDS)}"
            )
    if any(len(search.get(name) or "") > TEXT_MAX for name in ("stream", "actor", "text")):
        raise InvalidValue(f"what is searched for has at most {TEXT_MAX} characters")
    return Wanted(
        kinds=tuple(search.get("kinds", ())),
        stream=search.get("stream"),
        actor=search.get("actor", ""),
        text=search.get("text", ""),
        since_us=search.get("since"),
        until_us=search.get("until"),
    )


@click.command("export")
@click.argument("place", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["tiles", "jsonl", "csv"]),
    default="tiles",
    show_default=True,
    help="Tiles, into a folder, for verifiers; or the events themselves, into a file.",
)
@with_search_options
@click.pass_obj
def export(application: Application, /, *, place: Path, form: str, **search: Any) -> None:
    """Write the log to PATH: as tlog tiles into a folder, which a later export continues, or its events into a file
    (`-` for standard output)."""
    from shipline.domain.errors import UsageError

    application.only_read()
    wanted = wanted_of(search)
    if form == "tiles":
        if wanted != wanted_of({}):
            raise UsageError("tiles hold the whole log", todo="leave the search out, or take --format jsonl or csv")
        _export_tiles(application, place)
        return
    head, lines = ("", _json_lines) if form == "jsonl" else (_csv_row(COLUMNS), _csv_lines)
    count = _written(head, lines(application.store, wanted), place)
    click.echo(f"{count} events are in {place}" if str(place) != "-" else f"{count} events", err=True)


def _export_tiles(application: Application, folder: Path) -> None:
    from shipline.domain.errors import ConfigurationError
    from shipline.store.tiles import export_tiles

    key = public_key_of(application.store)
    if key is None:
        raise ConfigurationError(
            "the log's key is not on this machine, so its checkpoint cannot be checked",
            todo="set SHIPLINE_LOG_KEY to the file, or run `shipline up` where nothing was sealed yet",
        )
    done = export_tiles(application.store, key, folder)
    click.echo(
        f"{folder} has {done.size} events of the log, {done.size - done.before} of them new ({done.files} files)"
    )
    click.echo(f"public key: {key}")


def public_key_of(store: Store) -> NotePublicKey | None:
    """The public key of the log's key file, None where there is no such file."""
    import os

    from shipline.bootstrap import LOG_KEY_VARIABLE
    from shipline.store.keys import load_log_key, log_key_path

    setting = os.environ.get(LOG_KEY_VARIABLE, "")
    key = load_log_key(log_key_path(store, Path(setting) if setting else None))
    return None if key is None else key.public_key


def _written(head: str, lines: Iterable[str], place: Path) -> int:
    """Write the lines as they come, into a file that is there whole or not at all; how many events they are."""
    if str(place) == "-":
        return _counted(head, lines, sys.stdout.write)
    draft = place.with_name(f".{place.name}.draft")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            count = _counted(head, lines, file.write)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _counted(head: str, lines: Iterable[str], write: Callable[[str], int]) -> int:
    write(head)
    count = 0
    for line in lines:
        write(line)
        count += 1
    return count


def _json_lines(store: Store, wanted: Wanted) -> Iterator[str]:
    """An event a line as it was recorded, with what its leaf in the log is made of."""
    from shipline.apps.cli.wording import inert
    from shipline.store.search import all_found

    for entry, row in all_found(store, wanted):
        names = ("number", "place", "id", "stream", "position", "kind", "version", "time_us", "cause")
        content = {"actor": None, "body": None} if row["content"] is None else json.loads(row["content"])
        sealed = {"salt": row["salt"], "content_hash": row["content_hash"]}
        document = {name: row[name] for name in names} | {"erased": entry.is_erased} | content | sealed
        yield inert(json.dumps(document, ensure_ascii=False)) + "\n"


def _csv_lines(store: Store, wanted: Wanted) -> Iterator[str]:
    """A row an event."""
    from shipline.store.search import all_found

    for entry, row in all_found(store, wanted):
        yield _csv_row(_cells(entry, row))


def _csv_row(cells: Iterable[object]) -> str:
    """RFC 4180, with nothing that a spreadsheet would run."""
    text = io.StringIO()
    csv.writer(text).writerow(
        [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in cells]
    )
    return text.getvalue()


def _cells(entry: RecordedEvent, row: RowMapping) -> Iterator[object]:
    from shipline.capabilities.plans import rfc3339

    event = entry.event
    yield from (entry.number, entry.place, rfc3339(event.time_us), event.kind, row["version"], event.stream)
    yield from (event.position, str(event.actor), event.actor.kind.value, event.actor.authenticated)
    yield from (event.id, event.cause, entry.is_erased, json.dumps(event.body, ensure_ascii=False))
