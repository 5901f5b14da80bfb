"""`shipline.toml`, read strictly: an unknown key is an error that names the known ones and the nearest.

Loading is light on purpose, `shipline plan` does it too: it checks the project's own tables and no more. What
providers and rooms own (`check`) and the published schema (`schema`) are modules to be imported where needed.
"""

from shipline.configuration.load import FILE_NAME, find_root, load_settings, parse_settings, read_table, store_named
from shipline.configuration.settings import (
    BuildSettings,
    CalendarSettings,
    ChannelSettings,
    EnvironmentSettings,
    GroupSettings,
    LintSettings,
    PackageSettings,
    RegistrySettings,
    ReleaseSettings,
    Settings,
    TestSettings,
    VersionFileSettings,
)

__all__ = [
    "FILE_NAME",
    "BuildSettings",
    "CalendarSettings",
    "ChannelSettings",
    "EnvironmentSettings",
    "GroupSettings",
    "LintSettings",
    "PackageSettings",
    "RegistrySettings",
    "ReleaseSettings",
    "Settings",
    "TestSettings",
    "VersionFileSettings",
    "find_root",
    "load_settings",
    "parse_settings",
    "read_table",
    "store_named",
]
