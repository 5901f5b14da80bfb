"""`shipline.toml`, read strictly: an unknown key is an error that names the known ones and the nearest.

The project's own tables are checked here, a provider's or a room's table by the dataclass that owns it, when it is
put together in `bootstrap`. Light on purpose: `shipline plan` reads it too.
"""

from shipline.configuration.load import FILE_NAME, find_root, load_settings, read_table
from shipline.configuration.settings import (
    EnvironmentSettings,
    PackageSettings,
    ReleaseSettings,
    Settings,
    TestSettings,
)

__all__ = [
    "FILE_NAME",
    "EnvironmentSettings",
    "PackageSettings",
    "ReleaseSettings",
    "Settings",
    "TestSettings",
    "find_root",
    "load_settings",
    "read_table",
]
