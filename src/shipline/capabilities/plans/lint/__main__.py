"""What the `commit-msg` hook runs for a message that it cannot pass by itself: `python -I -S .../lint/__main__.py`.

Says what is wrong with the message in a file, and ends with 1 if anything is; ends with 3 where it cannot tell, and the
hook asks `shipline lint`, which takes ten times as long. It is a program of its own because it is waited for at every
such commit: no site packages, no command line library, and of this room only the modules that judge.

Arguments: the file, what git is set to (as `cleanup.kept` wants it), and the rules as `packed.pack` writes them.
"""

from __future__ import annotations

import os
import sys

CANNOT_TELL = 3
BYTES_MAX = 1 << 20
ROOM = "shipline.capabilities.plans"


def main(arguments: list[str]) -> int:
    """Judge the message; the exit code."""
    path, settings, packed = arguments
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs more than all that is done here
        content = file.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        return CANNOT_TELL
    _reach_own_modules()
    from shipline.capabilities.plans.lint.cleanup import kept  # noqa: PLC0415 - reached just now
    from shipline.capabilities.plans.lint.judge import judge, proposal  # noqa: PLC0415 - the same
    from shipline.capabilities.plans.lint.message import plain  # noqa: PLC0415 - the same
    from shipline.capabilities.plans.lint.packed import unpack  # noqa: PLC0415 - the same
    from shipline.capabilities.plans.lint.report import report  # noqa: PLC0415 - the same

    rules, default_ignores = unpack(packed)
    text = kept(plain(content.decode("utf-8", "replace")), settings, os.environ.get("GIT_EDITOR", ""))
    problems = judge(text, rules, default_ignores=default_ignores)
    if problems:
        header = text.strip("\n").partition("\n")[0]
        _say(report("", header, problems, proposal(text, rules)) + "\n")
    return int(any(problem.is_error for problem in problems))


def _reach_own_modules() -> None:
    """Make the modules beside this one importable, without what the room's face would import for everybody else."""
    room = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - as above
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(room))))  # noqa: PTH120 - as above
    face = type(sys)(ROOM)
    face.__path__ = [room]
    sys.modules[ROOM] = face


def _say(text: str) -> None:
    """Tell people in UTF-8, whatever the locale is called."""
    try:
        os.write(2, text.encode("utf-8", "replace"))
    except OSError:
        return  # Nobody can be told, and the exit code says it still.


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except Exception:  # noqa: BLE001 - whatever it is, the whole program says it better
        code = CANNOT_TELL
    sys.exit(code)
