"""A container as the engine is asked for it (Docker Engine API, ContainerCreate). Pure."""

from __future__ import annotations

import re
from typing import Any

from shipline.ports.target import GroupSpec
from shipline.providers.target.compose_parts import Health
from shipline.providers.target.container_template import Template

OWNER = "shipline.owner"
PLACEHOLDER = re.compile(r"\{(port|version)\}")
LOG_SIZE, LOG_FILES = "4m", "2"


def body_of(template: Template, spec: GroupSpec, image: str, *, port: int, labels: dict[str, str]) -> dict[str, Any]:
    """The container of a copy that answers on the loopback port `port`; `image` is `repository@digest`.

    The engine does not restart it: who dies is missed, told of with its last words, and started again on record. Its
    output is bounded on disk.
    """
    network = template.network
    is_host_s = network == "host"
    inside = port if is_host_s else template.port
    values = {"port": str(inside), "version": spec.version}

    def filled(text: str) -> str:
        return PLACEHOLDER.sub(lambda found: values[found[1]], text)

    environment = {name: filled(value) for name, value in template.environment} | dict(template.given)
    published = {} if is_host_s else {f"{inside}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    body: dict[str, Any] = {
        "Image": image,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Labels": {
            **dict(template.labels),
            **labels,
            "shipline.group": spec.id,
            "shipline.package": spec.package,
            "shipline.version": spec.version,
        },
        "ExposedPorts": {name: {} for name in published},
        "HostConfig": {
            "PortBindings": published,
            "Binds": list(template.volumes),
            "NetworkMode": network,
            "RestartPolicy": {"Name": "no"},
            "ReadonlyRootfs": template.read_only,
            "Init": template.init,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": LOG_SIZE, "max-file": LOG_FILES}},
        },
    }
    if template.health is not None:
        body["Healthcheck"] = _health(template.health)
    if template.command is not None:
        body["Cmd"] = [filled(word) for word in template.command]
    if template.entrypoint is not None:
        body["Entrypoint"] = [filled(word) for word in template.entrypoint]
    if template.user:
        body["User"] = template.user
    if template.working_dir:
        body["WorkingDir"] = template.working_dir
    return body


def _health(health: Health) -> dict[str, Any]:
    return {
        "Test": list(health.test),
        "Interval": health.interval_ns,
        "Timeout": health.timeout_ns,
        "StartPeriod": health.start_period_ns,
        "Retries": health.retries,
    }
