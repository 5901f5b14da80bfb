"""`shipline init`: a first shipline.toml that fits the repository, to be read and changed by its owner."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipline.domain.errors import NothingToDo
from shipline.domain.strict_toml import read_toml

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.package import Package
    from shipline.ports.repository import Repository

MANIFEST_BYTES_MAX = 1 << 20
NESTING_MAX = 8  # Hostile files nest deeper than any real one.
HEAD = """\
# How Shipline releases and deploys this repository. Only what is set here differs from the defaults; an unknown key is
# an error. `shipline schema` prints every key with its meaning, `shipline doctor` checks this file and this machine.
schema = 1

# {packages}
"""
PYTEST = """
# Run on the source of every release before it is published; its reports become evidence. {{python}} is the interpreter
# that Shipline runs on: install what the tests need there, or name another one.
[[test]]
name = "unit"
command = [{command}]
reports = [{reports}]
"""
NO_TESTS = """
# Run on the source of every release before it is published; its reports become evidence.
# [[test]]
# name = "unit"
# command = {command}
# reports = ["junit.xml"]
"""
PYTHON_TEST = '["{python}", "-m", "pytest", "-q", "--junitxml={reports}/junit.xml"]'
NODE_TEST = '["node", "--test", "--test-reporter=junit", "--test-reporter-destination={reports}/junit.xml"]'
RELEASE = """
[release]
{branch}
# remote = "origin"               # where commit and tag are pushed; nowhere without it
# yank_on_rollback = true         # take a version back from its registries when its rollout was rolled back
"""
REGISTRY = """
# Where artifacts are published, one table a registry; nowhere without any. Credentials come from the environment or
# from the files of the ecosystem's own client.
"""
REGISTRIES = {
    "python": """\
# [[registry]]
# provider = "pypi"
# upload_url = "https://packages.example.com/"
# index_url = "https://packages.example.com/simple/"
# username = "__token__"
# password_environment = "REGISTRY_TOKEN"
""",
    "npm": """\
# [[registry]]
# provider = "npm"
# registry_url = "https://npm.example.com/"
# token_environment = "NPM_TOKEN"
""",
}
UPLOAD = """\
# [[registry]]
# provider = "generic"
# name = "downloads"
# url = "https://files.example.com/{package}/{version}/{file}"
# password_environment = "UPLOAD_TOKEN"
"""
GATES = """
# What must hold before a version is published, in CEL over facts. With tests and without gates of your own: tests pass,
# and SBOM, provenance and signatures are there.
# [[gate]]
# name = "coverage"
# rule = "coverage.line >= 80.0"
# message = "At least 80% of the lines are covered by tests."
"""
ENVIRONMENT = """
# Where versions are deployed to: processes on this machine behind HAProxy, a canary first.
# [[environment]]
# name = "production"
# production = true
# instances = 2
# target.command = ["{prefix}/bin/NAME", "--host", "{host}", "--port", "{port}"]
# traffic.port = 8080
"""


@click.command(name="init")
@click.option("--hooks", is_flag=True, help="Write the commit-msg hook that lints messages, and nothing else.")
@click.option("--buttons", type=click.Choice(["github", "gitlab", "gitea"]), help="Write the forge's buttons, no more.")
@click.option("--agent", metavar="NAME|FILE", help="Write the files of an agent, or of an OSSA manifest, no more.")
@click.option("--image", metavar="IMAGE", help="With --agent: its image by digest; the manifests for a cluster, too.")
@click.pass_obj
def command(
    application: Application, *, hooks: bool, buttons: str | None, agent: str | None, image: str | None
) -> None:
    """Write a shipline.toml that fits this repository. Never changes a file that is there.

    With --buttons: the workflow, or the jobs, by which people release, deploy, promote and roll back on the forge.
    """
    if agent is not None:
        from shipline.apps.cli.init_agent import write_agent

        write_agent(application, agent, image, write_new)
        return
    if buttons is not None:
        _write_buttons(application, buttons)
        return
    if hooks:
        from shipline.apps.cli.hooks import install_hook

        click.echo(f"wrote {install_hook(application)}", err=True)
        click.echo("every commit's message is checked from now on; `shipline lint` checks those that are there")
        return
    _write_settings(application)


def _write_settings(application: Application) -> None:
    from shipline.configuration import FILE_NAME, parse_settings
    from shipline.domain.errors import ShiplineError

    root = application.repository.root()
    path = root / FILE_NAME
    text = settings_text(application.repository, root)
    parse_settings(text.encode())
    try:
        write_new(path, text)
    except FileExistsError:
        raise NothingToDo(
            f"{FILE_NAME} is there already", why=str(path), todo="edit it; `shipline doctor` checks it"
        ) from None
    except OSError as error:
        raise ShiplineError(
            f"{path} cannot be written", why=error.strerror or "", todo="nothing was changed"
        ) from error
    click.echo(f"wrote {path}", err=True)
    click.echo("next:\n  read it, and set what you need")
    click.echo(f"  git add {FILE_NAME} && git commit -m 'build: release with shipline'")
    click.echo("  shipline doctor     checks this machine and the settings")
    click.echo("  shipline plan       shows what would be released")
    click.echo("  shipline release    releases it")


def _write_buttons(application: Application, forge: str) -> None:
    from shipline import __version__
    from shipline.capabilities.scaffold import Buttons, buttons_file
    from shipline.domain.errors import ShiplineError, UsageError

    branch, known = application.settings.release.branch, application.settings.environment
    if not branch:
        raise UsageError("it is not said which branch is released from", todo="set branch in [release]")
    promotable = tuple(one.name for one in known if one.after)
    asked = Buttons(tuple(one.name for one in known), promotable, __version__, branch)
    name, text = buttons_file(forge, asked)
    path = application.root / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, text)
    except FileExistsError:
        raise NothingToDo(f"{name} is there already", todo="change it, or remove it first") from None
    except OSError as error:
        raise ShiplineError(f"{path} cannot be written", why=error.strerror or "") from error
    click.echo(f"wrote {path}", err=True)
    click.echo("read it, then commit it; docs/how-to/press-buttons.md says what the forge has to be told")


def settings_text(repository: Repository, root: Path) -> str:
    """The file's text for a repository. Of what it says only `[[test]]` and the branch come from the repository."""
    from shipline.capabilities.plans import detect_packages

    known = repository.head() is not None and not repository.is_shallow()
    packages = detect_packages(repository) if known else ()
    branch = repository.branch()
    named = branch if branch is not None and re.fullmatch(r"[\w./-]{1,100}", branch, re.ASCII) else None
    line = f'branch = "{named}"' if named is not None else '# branch = "main"'
    return (
        HEAD.format(packages=_packages_line(packages))
        + _tests(root, packages)
        + RELEASE.format(branch=f"{line:<34}# the only branch that is released from")
        + _registries(packages)
        + GATES
        + ENVIRONMENT
    )


def write_new(path: Path, text: str) -> None:
    """Write a file whole, or raise FileExistsError: what is there stays, and nobody reads half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        draft.chmod(0o644)
        os.link(draft, path)
    finally:
        draft.unlink()


def _packages_line(packages: tuple[Package, ...]) -> str:
    if not packages:
        return "Packages: found in the files once they are committed; [[package]] tables replace what is found."
    found = ", ".join(f"{package.name} ({package.ecosystem})" for package in packages)
    return f"Packages, as found in the files: {found}. [[package]] tables would replace that."


def _registries(packages: tuple[Package, ...]) -> str:
    """An example for each ecosystem that is there; of a place for files where none of them has a registry."""
    ecosystems = {package.ecosystem for package in packages}
    return REGISTRY + ("".join(text for name, text in REGISTRIES.items() if name in ecosystems) or UPLOAD)


def _tests(root: Path, packages: tuple[Package, ...]) -> str:
    ecosystems = {package.ecosystem for package in packages}
    example = NO_TESTS.format(command=NODE_TEST if "npm" in ecosystems and "python" not in ecosystems else PYTHON_TEST)
    if "python" not in ecosystems:
        return example
    names = _requirements(root / "pyproject.toml")
    if "pytest" not in names:
        return example
    command = ["{python}", "-m", "pytest", "-q", "--junitxml={reports}/junit.xml"]
    reports = ["junit.xml"]
    if "pytest-cov" in names:
        command += ["--cov", "--cov-report=xml:{reports}/coverage.xml"]
        reports.append("coverage.xml")
    return PYTEST.format(command=_listed(command), reports=_listed(reports))


def _listed(words: list[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _requirements(path: Path) -> set[str]:
    """The names of all requirements that a pyproject.toml states, of any kind; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            table = read_toml(file.read(MANIFEST_BYTES_MAX).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return set()
    tool = _table(table, "tool")
    lists = [_table(table, "project"), _table(table, "dependency-groups"), _table(tool, "poetry"), _table(tool, "uv")]
    names = {"pytest"} if "pytest" in tool else set[str]()
    for place in lists:
        names |= {name.lower().replace("_", "-") for name in _named(place)}
    return names


def _named(node: Any, depth: int = 0) -> set[str]:
    """Requirement names in lists of PEP 508 strings, and Poetry's keys, wherever they stand."""
    if depth > NESTING_MAX:
        return set()
    if isinstance(node, str):
        found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", node)
        return {found[0]} if found else set()
    if isinstance(node, list):
        return set().union(*(_named(item, depth + 1) for item in node))
    if isinstance(node, dict):
        return set(node).union(*(_named(item, depth + 1) for item in node.values()))
    return set()


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}
