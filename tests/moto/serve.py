"""Moto's server, quicker: run as a script by the Python that has moto, with the arguments of `moto_server`.

What it answers stays as it is. It writes no line about each request, keeps connections open, and looks at its own
folder and methods once, not at every request.
"""

from __future__ import annotations

import functools
import logging

import moto.backends  # type: ignore[import-not-found]  # it has a Python of its own
import moto.core.responses  # type: ignore[import-not-found]  # the same
from moto.server import MotoRequestHandler, main  # type: ignore[import-not-found]  # the same

logging.getLogger("werkzeug").setLevel(logging.ERROR)
services = tuple(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: services
moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)
MotoRequestHandler.protocol_version = "HTTP/1.1"
MotoRequestHandler.wbufsize = -1
main()
