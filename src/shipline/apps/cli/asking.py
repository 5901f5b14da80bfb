"""Which policies are asked: the options that commands about policies share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipline.bootstrap import Application
    from shipline.capabilities.gates import ManifestsQuestion

_FILE = click.Path(path_type=Path)
SIGNED_IMAGES = "signed-images"
SETS = f"baseline, registries or {SIGNED_IMAGES}."


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the options say."""

    policies: tuple[Path, ...]
    sets: tuple[str, ...]
    registries: tuple[str, ...]
    keys: tuple[Path, ...]

    def trusted(self, application: Application) -> tuple[str, ...]:
        """The keys that go into the set `signed-images`, in PEM; none where it is not asked for."""
        from shipline.apps.cli.things import trusted_keys

        return trusted_keys(application, self.keys) if SIGNED_IMAGES in self.sets else ()

    def standing(self, trusted: tuple[str, ...]) -> ManifestsQuestion:
        """The policies alone, with their files as they are now."""
        from shipline.capabilities.gates import ManifestsQuestion, policy_files

        files = policy_files(self.policies)
        return ManifestsQuestion(policies=files, sets=self.sets, registries=self.registries, keys=trusted)


def policy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--policy`, `--set`, `--registry` and `--key`."""
    options = (
        click.option(
            "--policy", "policies", multiple=True, type=_FILE, help="A file or folder of policies. Repeatable."
        ),
        click.option("--set", "sets", metavar="NAME", multiple=True, help="A ready-made set: " + SETS),
        click.option("--registry", "registries", metavar="NAME", multiple=True, help="What the set registries allows."),
        click.option("--key", "keys", multiple=True, type=_FILE, help="A public key that signed-images trusts (PEM)."),
    )
    for option in reversed(options):
        command = option(command)
    return command
