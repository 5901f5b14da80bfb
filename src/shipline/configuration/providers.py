"""Providers by name: built-in ones and plug-ins come in by the same entry points, and own their tables."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from shipline.configuration.load import read_table
from shipline.configuration.settings import ProviderTable
from shipline.domain.errors import ConfigurationError


def provider_names(port: str) -> tuple[str, ...]:
    """The names of a port's installed providers, sorted."""
    return tuple(sorted(_points(port)))


def provider_class(port: str, name: str) -> Any:
    """The provider of a port by its entry point's name. Unknown: ConfigurationError that lists the known ones."""
    known = _points(port)
    if name not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise ConfigurationError(f"there is no {port} provider {name[:60]!r}", todo=f"known ones: {listed}")
    return known[name].load()


def read_provider(port: str, table: dict[str, Any], *, default: str) -> tuple[Any, Any]:
    """The provider's class that a table names, and its settings, read strictly. Raises ConfigurationError."""
    settings = dict(table)
    name = settings.pop("provider", default)
    if not isinstance(name, str):
        raise ConfigurationError(f"{port}: provider is the name of one", todo=_known_words(port))
    kind = provider_class(port, name)
    return kind, read_table(kind.Settings, settings, f"{port} provider {name}")


def check_provider_table(note: ProviderTable, table: dict[str, Any]) -> None:
    """Refuse a table that its provider would refuse. Raises ConfigurationError."""
    if note.optional and not table:
        return
    if note.default or "provider" in table:
        read_provider(note.port, table, default=note.default)
        return
    complaints = []
    for name in provider_names(note.port):
        try:
            read_provider(note.port, table, default=name)
        except ConfigurationError as error:
            complaints.append(error)
        else:
            return
    # Whichever it is meant for: the one whose keys are most like it comes first with a hint.
    raise next((error for error in complaints if error.todo.startswith("did you mean")), complaints[-1])


def _points(port: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"shipline.{port}"):
        if point.name in found and found[point.name].value != point.value:
            raise ConfigurationError(
                f"two {port} providers are named {point.name!r}",
                why=f"{found[point.name].value} and {point.value}",
                todo="uninstall one of the two plug-ins",
            )
        found[point.name] = point
    return found


def _known_words(port: str) -> str:
    return "known ones: " + ", ".join(provider_names(port))
