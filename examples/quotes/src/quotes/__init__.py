"""A small HTTP service that tells a quote."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("quotes")
except PackageNotFoundError:  # run from a source tree that was not installed
    __version__ = "0+unknown"
