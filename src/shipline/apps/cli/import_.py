"""`shipline import`: the settings of another release tool, taken over, with an answer for each of its keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from shipline.domain.errors import ConfigurationError, NothingToDo, RefusedError, ShiplineError

if TYPE_CHECKING:
    from pathlib import Path

    from shipline.bootstrap import Application
    from shipline.capabilities.scaffold import Imported

SIZE_MAX = 1 << 20
COLOURS = {"taken": "green", "not needed": "blue", "by hand": "cyan", "no equal": "yellow"}
COMMENT = (
    "Taken over from {tools} by `shipline import`, which says what has no equal. `shipline schema` explains every key."
)


@click.command(name="import")
@click.option("--from", "tool", metavar="NAME", help="Only from this tool; all that are found if not given.")
@click.option("--write", is_flag=True, help="Write the shipline.toml; never over one that is there.")
@click.option("--dry-run", is_flag=True, help="Print it and write nothing, as without --write.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, schema shipline.import/1.")
@click.pass_obj
def command(application: Application, *, tool: str | None, write: bool, dry_run: bool, as_json: bool) -> None:
    """Take over the settings of another release tool. Prints the new file; --write writes it."""
    from shipline.apps.cli.init import write_new
    from shipline.configuration import FILE_NAME, parse_settings
    from shipline.configuration.check import check_settings

    root = application.repository.root()
    imported = _fitted(application, root, _imported(application, root, tool))
    text = _text(imported)
    check_settings(parse_settings(text.encode()))
    if write and not dry_run:
        try:
            write_new(root / FILE_NAME, text)
        except FileExistsError:
            raise RefusedError(
                f"{FILE_NAME} is there already, and stays as it is",
                todo="take over by hand what is printed without --write",
            ) from None
    if as_json:
        click.echo(json.dumps(_document(imported, text, written=write and not dry_run), indent=2, ensure_ascii=False))
    else:
        _show(imported, text, written=root / FILE_NAME if write and not dry_run else None)


def _imported(application: Application, root: Path, tool: str | None) -> Imported:
    from shipline.capabilities.scaffold import TOOLS, import_settings, present_tools
    from shipline.domain.errors import UsageError

    contents = {name: _content(root / name) for files, _ in TOOLS.values() for name in files if (root / name).is_file()}
    if tool is not None and tool not in TOOLS:
        raise UsageError(f"there is no tool {tool[:60]!r} to import from", todo=f"known ones: {', '.join(TOOLS)}")
    names = (tool,) if tool is not None else present_tools(contents)
    if not names:
        known = ", ".join(TOOLS)
        raise NothingToDo("there is no configuration of another tool here", todo=f"looked for: {known}")
    return import_settings(names, contents, known=_known(), packages=_packages(application))


def _fitted(application: Application, root: Path, imported: Imported) -> Imported:
    """What of it can be in this repository; as it is, where there is nothing yet that could be planned."""
    from shipline.capabilities.scaffold import Present, fitted
    from shipline.capabilities.version_files import find_version_files
    from shipline.configuration import parse_settings

    settings = parse_settings(_text(imported).encode())
    try:
        packages = application.packages_by(settings)
    except ConfigurationError:
        raise
    except ShiplineError:
        return imported
    tracked = application.repository.is_tracked
    files = (
        find_version_files(root, each, tracked=tracked).files if each.path in imported.beside else ()
        for each in packages
    )
    present = [Present(package, each) for package, each in zip(packages, files, strict=True)]
    return fitted(imported, present, exists=lambda path: (root / path).is_file())


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SIZE_MAX + 1)
    except OSError as error:
        raise ShiplineError(f"{path} cannot be read", why=error.strerror or "") from None


def _known() -> dict[str, tuple[str, ...]]:
    """What the loader knows: the names at the top of the file, and in the tables that an import writes."""
    import dataclasses

    from shipline.configuration import PackageSettings, ReleaseSettings, Settings

    inner: dict[str, type] = {"package": PackageSettings, "release": ReleaseSettings}
    names = [field.name for field in dataclasses.fields(Settings)]
    return {
        name: tuple(each.name for each in dataclasses.fields(inner[name])) if name in inner else () for name in names
    }


def _packages(application: Application) -> dict[str, str]:
    """The names of the packages that the repository has, by their paths; none where it cannot be read yet."""
    from shipline.capabilities.plans import detect_packages

    try:
        return {package.path: package.name for package in detect_packages(application.repository)}
    except ShiplineError:
        return {".": application.repository.root().name}


def _text(imported: Imported) -> str:
    from shipline.capabilities.scaffold import settings_text

    return settings_text(imported.settings, COMMENT.format(tools=", ".join(imported.tools)))


def _show(imported: Imported, text: str, *, written: Path | None) -> None:
    from shipline.apps.cli.wording import printable

    if written is None:
        click.echo(text, nl=False)
    for each in imported.keys:
        answer = click.style(f"{each.answer.value:<10}", fg=COLOURS[each.answer.value])
        click.echo(f"{answer}  {printable(f'{each.file}: {each.key}: {each.words}')}", err=True)
    if written is not None:
        click.echo(f"wrote {written}", err=True)
        click.echo(
            "next:\n  shipline doctor     checks the settings\n  shipline plan       shows what would be released"
        )


def _document(imported: Imported, text: str, *, written: bool) -> dict[str, Any]:
    keys = [
        {"tool": each.tool, "file": each.file, "key": each.key, "answer": each.answer.value, "words": each.words}
        for each in imported.keys
    ]
    head: dict[str, Any] = {"schema": "shipline.import/1", "tools": list(imported.tools), "written": written}
    return head | {"settings": text, "keys": keys}
