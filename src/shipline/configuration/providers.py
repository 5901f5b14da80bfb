"""Providers by name: built-in ones and plug-ins come in by the same entry points, and own their tables."""

from __future__ import annotations

import dataclasses
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from shipline.configuration.limits import complaints
from shipline.configuration.load import read_table
from shipline.configuration.settings import RegistrySettings
from shipline.configuration.tables import ProviderTable
from shipline.domain.errors import ConfigurationError

T = TypeVar("T")


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
    """The provider's class that a table names, and its settings, read strictly.

    Raises ConfigurationError, also for a provider that is written for another version of its port.
    """
    settings = dict(table)
    name = settings.pop("provider", default)
    if not isinstance(name, str):
        raise ConfigurationError(f"{port}: provider is the name of one", todo=_known_words(port))
    kind = provider_class(port, name)
    _check_version(port, name, kind)
    return kind, read_table(kind.Settings, settings, f"{port} provider {name}")


def read_registry(table: dict[str, Any]) -> tuple[RegistrySettings, Any, Any]:
    """What a `[[registry]]` says of itself, its provider's class and that one's settings. Raises ConfigurationError."""
    said, kind, settings = read_listed("registry", RegistrySettings, table)
    return dataclasses.replace(said, name=said.name or said.provider), kind, settings


def read_listed(port: str, common: type[T], table: dict[str, Any]) -> tuple[T, Any, Any]:
    """One of a list of providers' tables: what they all have, the provider's class, and that one's settings.

    Raises ConfigurationError.
    """
    names = {field.name for field in dataclasses.fields(common)}  # type: ignore[arg-type] # T is always a dataclass
    shared = {name: value for name, value in table.items() if name in names}
    if "provider" not in shared:
        raise ConfigurationError(f"{port}: `provider` is missing", todo=_known_words(port))
    said = read_table(common, shared, port)
    for complaint in complaints(common, said):
        raise ConfigurationError(f"{port}: {complaint}")
    own = {name: value for name, value in table.items() if name not in names} | {"provider": shared["provider"]}
    return said, *read_provider(port, own, default="")


def check_provider_table(note: ProviderTable, table: dict[str, Any]) -> None:
    """Refuse a table that its provider would refuse. Raises ConfigurationError."""
    if note.common is not None and (table or not note.may_be_empty):
        read_listed(note.port, note.common, table)
    if note.common is not None:
        return
    if note.default or "provider" in table:
        read_provider(note.port, table, default=note.default)
    elif table:
        _check_any(note, table)


def _check_any(note: ProviderTable, table: dict[str, Any]) -> None:
    """Which provider is meant is found out later: one of them must take the table."""
    refused = []
    for name in provider_names(note.port):
        try:
            read_provider(note.port, table, default=name)
        except ConfigurationError as error:
            refused.append(error)
        else:
            return
    # Whichever it is meant for: the one whose keys are most like it comes first with a hint.
    raise next((error for error in refused if error.todo.startswith("did you mean")), refused[-1])


def _check_version(port: str, name: str, kind: Any) -> None:
    """Refuse a provider whose methods may be other ones than those that are called."""
    wanted, has = import_module(f"shipline.ports.{port}").API_VERSION, getattr(kind, "api_version", None)
    if has != wanted:
        says = "states no version of it" if has is None else f"is written for version {str(has)[:20]} of it"
        raise ConfigurationError(
            f"the {port} provider {name!r} {says}, and this Shipline's {port} port has version {wanted}",
            why="another version has other methods, or has them mean something else",
            todo=f"install a release of the plug-in whose api_version is {wanted}, or the Shipline that it is for",
        )


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
