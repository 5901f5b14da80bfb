"""The only wiring: settings in, rooms with their providers out.

Everything heavy is imported by the function that needs it, so that a command pays only for what it uses.
"""

from shipline.bootstrap.application import Application, build_provider
from shipline.bootstrap.project import LOG_KEY_VARIABLE, STATE_FOLDER, STORE_VARIABLE

__all__ = ["LOG_KEY_VARIABLE", "STATE_FOLDER", "STORE_VARIABLE", "Application", "build_provider"]
