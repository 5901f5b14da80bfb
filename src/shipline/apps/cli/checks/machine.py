"""Programs of this machine, and its ports."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from shipline.apps.cli.checks.check import Check, State
from shipline.bootstrap import Application
from shipline.capabilities.plans import detect_packages
from shipline.capabilities.rollouts import current_deployment, is_serving, latest_rollout, serving_groups, standing
from shipline.clients.haproxy_files import proxy_process
from shipline.configuration import EnvironmentSettings
from shipline.domain.errors import MissingProgram, ShiplineError
from shipline.providers.builder.container_engines import ENGINES
from shipline.store.database import Store

# An unprivileged user's PATH lacks the folders where systems put haproxy.
SYSTEM_PATH = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"))


def git(_: Application) -> Iterator[Check]:
    """Git and Python, which everything needs."""
    yield _program("git")
    yield Check("python", State.OK, f"{sys.version.split()[0]} at {sys.executable}")


def programs(application: Application) -> Iterator[Check]:
    """What the packages and the settings need beside git."""
    ecosystems = ecosystems_of(application)
    own = [one for one in application.policy.environments if one.controller is None]
    has_targets = any(one.target.get("provider", "process") == "process" for one in own)
    has_proxies = any(one.traffic.get("provider", "haproxy") == "haproxy" for one in own)
    registries = {table.get("provider") for table in application.settings.registry}
    uploads = "pypi" in registries
    for module, needed in (("build", "python" in ecosystems), ("twine", uploads), ("pip", uploads or has_targets)):
        if needed:
            yield _module(module)
    if any(table.get("provider") == "container" for table in application.settings.build):
        yield _any_program("images", *(engine.program for engine in ENGINES))
    for program, needed in (("npm", "npm" in ecosystems or "npm" in registries), ("haproxy", has_proxies)):
        if needed:
            yield _program(program)


def ecosystems_of(application: Application) -> set[str]:
    """The ecosystems of the packages, configured or found; none where the repository cannot be read yet."""
    try:
        found = application.packages if application.packages is not None else detect_packages(application.repository)
    except ShiplineError:
        return set()  # The repository's own check says why.
    return {package.ecosystem for package in found}


def environments(application: Application) -> Iterator[Check]:
    """Whether each environment's port is free, or served by its own proxy."""
    served: dict[int, str] = {}
    for environment in application.policy.environments:
        port = environment.traffic.get("port")
        if environment.traffic.get("provider", "haproxy") != "haproxy" or not isinstance(port, int):
            continue
        name = f"environment {environment.name}"
        if port in served:
            words = f"port {port} is that of {served[port]}, too"
            yield Check(name, State.WRONG, words, "give each environment a port of its own")
        else:
            yield _port(application, environment, name, port)
        served[port] = environment.name


def _port(application: Application, environment: EnvironmentSettings, name: str, port: int) -> Check:
    host = str(environment.traffic.get("host", "127.0.0.1"))
    folder = application.context("environments", environment.name, "traffic").state
    pid = proxy_process(folder, application.clock).pid()
    if pid is not None:
        return _served(application, environment, name, f"its proxy runs (pid {pid}) on {host}:{port}")
    trouble = _trouble_to_listen(host, port)
    if trouble:
        todo = "stop what listens there, or set another `port` for the environment's traffic"
        return Check(name, State.WRONG, f"{host}:{port} cannot be used: {trouble}", todo)
    return _served(application, environment, name, f"nothing runs, and {host}:{port} is free")


def _served(application: Application, environment: EnvironmentSettings, name: str, words: str) -> Check:
    """Whether what the record says is served is: an instance can be ended by hand, or by a restart of the machine."""
    version = _version_on_record(application, environment.name)
    ground = application.rollout_ground(environment)
    short = [group for group in serving_groups(ground) if not group.is_whole]
    if short and is_serving(ground):
        todo = "copies that died are started again while an engine runs: `shipline up`, or see `shipline env list`"
        return Check(name, State.WARNING, f"{words}; {', '.join(map(standing, short))}", todo)
    if version is None or is_serving(ground):
        return Check(name, State.OK, words)
    todo = f"shipline deploy {version} --to {environment.name} (not needed after `shipline down`)"
    return Check(name, State.WARNING, f"{words}; nothing serves {version}, which was deployed last", todo)


def _version_on_record(application: Application, environment: str) -> str | None:
    store = Store(application.store_url)
    if store.path is not None and not store.path.exists():
        return None
    with application.store.begin() as tx:
        latest = latest_rollout(tx, environment)
        current = current_deployment(tx, environment, latest.package) if latest is not None else None
    return current.version if current is not None else None


def _trouble_to_listen(host: str, port: int) -> str:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def _program(name: str) -> Check:
    found = shutil.which(name) or shutil.which(name, path=SYSTEM_PATH)
    if found is None:
        missing = MissingProgram(name, package=name)
        return Check(name, State.WRONG, missing.what, missing.todo)
    return Check(name, State.OK, found)


def _any_program(what: str, *names: str) -> Check:
    """One of these programs is enough."""
    found = next((path for path in map(shutil.which, names) if path is not None), None)
    if found is None:
        return Check(what, State.WRONG, f"none of {', '.join(names)} is here", f"install one: {' or '.join(names[1:])}")
    return Check(what, State.OK, found)


def _module(name: str) -> Check:
    if find_spec(name) is None:
        todo = f"{sys.executable} -m pip install {name} (Debian, Ubuntu: apt-get install python3-{name})"
        return Check(name, State.WRONG, f"the Python that Shipline runs on has no module {name!r}", todo)
    return Check(name, State.OK, f"a module of {sys.executable}")
