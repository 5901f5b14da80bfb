"""`shipline init --agent`: the files of an agent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import NothingToDo, ShiplineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipline.bootstrap import Application
    from shipline.capabilities.scaffold import Agent, Placed


def write_agent(
    application: Application, asked: str, image: str | None, write_new: Callable[[Path, str], None]
) -> None:
    """Write manifest, Containerfile, and with an image the manifests for a cluster. What is there stays."""
    from shipline import __version__
    from shipline.capabilities.scaffold import agent_manifest, containerfile, kubernetes_manifests

    agent = _asked(asked)
    texts = {"agent.ossa.yaml": agent_manifest(agent, __version__), "Containerfile": containerfile(agent, __version__)}
    if image is not None:
        texts["kubernetes.yaml"] = kubernetes_manifests(agent, _place(application, image))
    folder = application.root / "agents" / agent.name
    written = 0
    for name, text in texts.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_new(folder / name, text)
        except FileExistsError:
            click.echo(f"agents/{agent.name}/{name} is there already", err=True)
            continue
        except OSError as error:
            raise ShiplineError(f"{folder / name} cannot be written", why=error.strerror or "") from error
        written += 1
        click.echo(f"wrote agents/{agent.name}/{name}", err=True)
    if not written:
        raise NothingToDo("all files of this agent are there already", todo="change them, or remove them first")


def _asked(asked: str) -> Agent:
    """The agent of a name, or of a manifest."""
    from shipline.capabilities.scaffold import AGENTS, MANIFEST_BYTES_MAX, agent_named, read_manifest

    if asked in AGENTS or not Path(asked).is_file():
        return agent_named(asked)
    with Path(asked).open("rb") as file:
        manifest = read_manifest(file.read(MANIFEST_BYTES_MAX + 1))
    for key in manifest.left:
        click.echo(printable(f"{key} of the manifest counts for nothing here"), err=True)
    return manifest.agent


def _place(application: Application, image: str) -> Placed:
    from shipline.capabilities.scaffold import Placed

    settings = application.settings
    remote = application.repository.remote_address(settings.release.remote or "origin")
    branch, variable = settings.release.branch, str(settings.forge.get("token_env", ""))
    if remote is None or not branch or not variable:
        raise UsageError(
            "it is not said where the agent works", todo="set branch and remote in [release], and token_env in [forge]"
        )
    return Placed(image, remote, branch, variable)
