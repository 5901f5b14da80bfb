"""What a service is given by name: environment variables as they may be called, and what they may hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shipline.domain.errors import InvalidValue

# POSIX.1-2024, 8.1: letters, digits and underscores, no digit first.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
VARIABLES_MAX = 200
# Linux takes 128 KiB for one variable (MAX_ARG_STRLEN), and a Kubernetes Secret 1 MiB for all.
VALUE_BYTES_MAX = 32 << 10
# They say which program or library is loaded, and not what it is told: the target's own settings decide that.
RESERVED = frozenset({"PATH", "IFS", "ENV", "BASH_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"})
RESERVED_PREFIXES = ("SHIPLINE_", "LD_", "DYLD_")


def check_names(plain: Mapping[str, object], secret: Mapping[str, object]) -> None:
    """Refuse (InvalidValue) names that are none, that stand twice, or that would change which program runs."""
    for name in (*plain, *secret):
        if not NAME.fullmatch(name):
            raise InvalidValue(
                f"{name[:60]!r} is not the name of an environment variable",
                todo="names are 1 to 128 letters, digits and _, and do not begin with a digit",
            )
        if name in RESERVED or name.startswith(RESERVED_PREFIXES):
            raise InvalidValue(
                f"{name} cannot be given to a service",
                why="it says which program or library is loaded, or speaks to Shipline itself",
                todo="let the target's command, or the image, say what is run",
            )
    doubles = sorted(plain.keys() & secret.keys())
    if doubles:
        raise InvalidValue(f"{doubles[0]} is a variable and a secret", todo="leave one of the two out")
    if len(plain) + len(secret) > VARIABLES_MAX:
        raise InvalidValue(f"{len(plain) + len(secret)} variables and secrets, and {VARIABLES_MAX} are the most")


def checked_value(value: str) -> str:
    """`value` if a variable can hold it; InvalidValue, without the value, otherwise."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise InvalidValue("it is not text in UTF-8") from None
    if "\0" in value:
        raise InvalidValue("it holds a NUL character, which no environment variable can")
    if size > VALUE_BYTES_MAX:
        raise InvalidValue(f"it has {size} bytes, and {VALUE_BYTES_MAX} are the most")
    return value


def checked_secret(data: bytes) -> str:
    """The secret that a file or a program gave, without the end of its last line. InvalidValue, which holds none of
    it, where it is empty or no variable can hold it."""
    try:
        value = data.decode()
    except UnicodeDecodeError:
        raise InvalidValue("it is not text in UTF-8", todo="encode it, in base64 for example") from None
    value = value.removesuffix("\n").removesuffix("\r")
    if value == "":
        raise InvalidValue("it is empty")
    return checked_value(value)
