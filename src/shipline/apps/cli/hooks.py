"""Where git looks for the `commit-msg` hook, and putting ours there without touching anybody else's."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shipline.domain.errors import NothingToDo, RefusedError, ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap import Application

HOOK_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Hook:
    """The hook's place and what should stand in it. `found` is what stands there, None for nothing."""

    path: Path
    script: str
    found: str | None

    @property
    def is_ours(self) -> bool:
        """True where what stands there was written by `shipline init --hooks`."""
        from shipline.capabilities.plans import HOOK_MARKER

        return self.found is not None and HOOK_MARKER in self.found


def hook_of(application: Application) -> Hook:
    """The project's hook, as its settings want it. Raises UsageError outside of a repository."""
    from shipline.capabilities.plans import HOOK, hook_script, read_lint_rules
    from shipline.configuration import FILE_NAME

    root = application.repository.root()
    path = _folder(root) / HOOK
    lint = application.settings.lint
    script = hook_script(
        read_lint_rules(lint.rules),
        default_ignores=lint.default_ignores,
        has_settings=(root / FILE_NAME).exists(),
        # What is committed must name no place of this machine.
        python="" if _is_committed(path, root) else sys.executable,
    )
    return Hook(path, script, _content(path))


def install_hook(application: Application) -> Path:
    """Write the hook; the path of it. Nothing to do: NothingToDo. Another's hook there: RefusedError."""
    hook = hook_of(application)
    if hook.found == hook.script:
        raise NothingToDo(f"the hook is there already, as the settings want it: {hook.path}")
    if hook.found is not None and not hook.is_ours:
        raise RefusedError(
            f"there is another {hook.path.name} hook, which stays as it is: {hook.path}",
            todo='call Shipline in it:  shipline lint --message-file "$1" || exit 1',
        )
    _replace(hook.path, hook.script)
    return hook.path


def _folder(root: Path) -> Path:
    """Where git looks for hooks, `core.hooksPath` included; husky runs those of the folder above its own."""
    from shipline.clients.git_command import GitCommand

    named = GitCommand(root).run("find its hooks", "rev-parse", "--git-path", "hooks")
    folder = root / os.fsdecode(named.removesuffix(b"\n"))
    return folder.parent if (folder.name, folder.parent.name) == ("_", ".husky") else folder


def _is_committed(path: Path, root: Path) -> bool:
    """True for a place in the work tree, which everybody gets who clones."""
    inside = path.resolve().is_relative_to(root.resolve())
    return inside and ".git" not in path.resolve().relative_to(root.resolve()).parts


def _content(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(HOOK_BYTES_MAX).decode("utf-8", "replace")
    except FileNotFoundError:
        return "" if path.is_symlink() else None
    except OSError as error:
        raise ShiplineError(f"{path} cannot be read", why=error.strerror or "") from None


def _replace(path: Path, script: str) -> None:
    """Write the hook whole: git may be starting the old one right now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(script)
        draft.chmod(0o755)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
