"""What an environment's services are given, wired: each secret with the provider that reads it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipline.configuration import EnvironmentSettings
    from shipline.ports.provider import ProviderContext
    from shipline.ports.variables import Variables


def variables_of(environment: EnvironmentSettings, context: ProviderContext) -> Variables:
    """Its secrets are read when something is started, not here. `context` is where their providers work.

    ConfigurationError where the settings give what cannot be given.
    """
    from shipline.configuration.given import check_given, read_secret
    from shipline.ports.variables import Variables

    check_given(environment)
    readers = {}
    for name, table in environment.secrets.items():
        said, kind, settings = read_secret(table)
        readers[name] = partial(kind(settings, context).read, said.key)
    return Variables(environment.variables, readers)
