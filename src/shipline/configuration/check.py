"""Checks what `load_settings` leaves to others: the tables of providers and rooms, and the rules of the gates.

Kept apart from loading because it imports those owners, for which `shipline plan` has no time.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shipline.configuration.limits import notes_of
from shipline.configuration.load import FILE_NAME, read_table
from shipline.configuration.providers import check_provider_table
from shipline.configuration.settings import CanaryTable, EnvironmentSettings, ProviderTable, Settings
from shipline.domain.codec import to_json
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.capabilities.rollouts import AnalysisSettings
    from shipline.domain.gate import Gate

WEIGHT_MAX = 0.5


def check_settings(settings: Settings) -> None:
    """Refuse settings that some part would refuse later, in the middle of its work. Raises ConfigurationError."""
    for problem in problems(settings):
        raise problem


def problems(settings: Settings) -> Iterator[ConfigurationError]:
    """Everything that is wrong, each as the error that it is."""
    yield from _tables(settings, FILE_NAME)
    for environment in settings.environment:
        yield from _tables(environment, f"{FILE_NAME}, environment {environment.name}")
    for gate in settings.gate:
        yield from _gate(gate)


def read_canary(table: dict[str, Any]) -> AnalysisSettings:
    """The settings of the canary analysis from their table. Raises ConfigurationError."""
    from shipline.capabilities.rollouts import AnalysisSettings  # noqa: PLC0415 - brings database and engine

    settings = read_table(AnalysisSettings, table, "canary")
    if settings.weight_max > WEIGHT_MAX:
        raise ConfigurationError(f"canary: weight_max is at most {WEIGHT_MAX}, since the baseline gets as much")
    return settings


def _tables(owner: Settings | EnvironmentSettings, where: str) -> Iterator[ConfigurationError]:
    for name, hint in typing.get_type_hints(type(owner), include_extras=True).items():
        for note in notes_of(hint)[1]:
            try:
                _check_table(note, getattr(owner, name))
            except ConfigurationError as error:
                yield ConfigurationError(f"{where}, {error.what}", why=error.why, todo=error.todo)


def _check_table(note: object, table: dict[str, Any]) -> None:
    if isinstance(note, ProviderTable):
        check_provider_table(note, table)
    elif isinstance(note, CanaryTable):
        read_canary(table)


def _gate(gate: Gate) -> Iterator[ConfigurationError]:
    from shipline.capabilities.gates import read_gates  # noqa: PLC0415 - brings the CEL library

    try:
        read_gates([to_json(gate)])
    except ConfigurationError as error:
        yield ConfigurationError(f"{FILE_NAME}, gate {gate.name[:60]!r}: {error.what}", why=error.why, todo=error.todo)
