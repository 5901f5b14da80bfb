"""Agents: profiles of what Shipline does by itself, with the files by which one runs in a container or a cluster. Pure.

An agent is Shipline with a part of its duties and no other rights than these need. In a cluster it has none at all: its
account has no role and no token. What it may do elsewhere is what the token of the forge and the store's account may.

Formats: Kubernetes 1.34 (apps/v1, batch/v1, networking.k8s.io/v1, v1), and Containerfile(5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.domain.errors import InvalidValue, UnknownName

NAMESPACE = "shipline-agents"
PORT = 8000
USER = 65532
# The volume itself is owned by root, and git works in no folder of somebody else.
VOLUME, REPOSITORY = "/data", "/data/repository"
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+!-]{0,60}")
_IMAGE = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[a-z0-9._/-]{1,200}@sha256:[0-9a-f]{64}")
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?/[A-Za-z0-9._~/-]{1,300}")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}")


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that an agent can do: `command` is how, `needs` what the token of the forge has to be allowed."""

    name: str
    description: str
    command: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """A profile. `schedule` are the five fields of a cron for one that comes and goes, "" for one that stays.

    `settings` are the tables of shipline.toml that switch on what it does.
    """

    name: str
    purpose: str
    capabilities: tuple[Capability, ...]
    schedule: str
    settings: tuple[str, ...]

    def only(self, names: tuple[str, ...]) -> Agent:
        """With these capabilities alone. InvalidValue for one that it does not have, for none, and for an agent that
        stays: that one's are switched off in shipline.toml, which nobody could see in a manifest."""
        known = {one.name for one in self.capabilities}
        unknown = next((name for name in names if name not in known), None)
        if unknown is not None:
            raise InvalidValue(
                f"the agent {self.name} has no capability {unknown[:60]!r}", todo=f"it has {', '.join(sorted(known))}"
            )
        left = tuple(one for one in self.capabilities if one.name in names)
        if not left or (left != self.capabilities and not self.schedule):
            raise InvalidValue(
                f"the agent {self.name} cannot be had with these capabilities alone",
                todo=f"leave all of them in the manifest, and switch off in shipline.toml: {', '.join(self.settings)}",
            )
        return Agent(self.name, self.purpose, left, self.schedule, self.settings)


# It serves loopback alone: nothing reaches it, and it looks for what has come by itself.
_UP = f"shipline up --port {PORT}"
AGENTS = {
    "release-manager": Agent(
        "release-manager",
        "Releases what is due, and keeps milestones and pull requests of a repository in order.",
        (
            Capability("release", "Release what comes to the branch", _UP, ("branches, tags and releases",)),
            Capability("release-pull-request", "Keep the release pull request", _UP, ("pull requests",)),
            Capability("milestones", "Let milestones lead to releases", _UP, ("issues, milestones and labels",)),
            Capability("housekeeping", "Keep issues and pull requests in order", _UP, ("commit statuses",)),
        ),
        "",
        ("[automation]", "[automation.milestones]", "[housekeeping]"),
    ),
    "security-scanner": Agent(
        "security-scanner",
        "Looks for vulnerabilities in a repository and in what was shipped of it, and has them seen to.",
        (
            Capability("scan", "Run the scanners that are installed", "shipline scan"),
            Capability("advisories", "Examine what was shipped", "shipline advisories check"),
            Capability(
                "remediate",
                "Open issues and pull requests about findings",
                "shipline remediate",
                ("pull requests", "issues, milestones and labels"),
            ),
        ),
        "17 */6 * * *",
        ("[scan]", "[advisories]", "[[remediation]]"),
    ),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an agent works: `image` by its digest, `url` (https) that git clones, the `branch` that is acted for, and
    `token_variable`, by which the settings read the token of the forge."""

    image: str
    url: str
    branch: str
    token_variable: str

    def __post_init__(self) -> None:
        """Refuse what could be more than a name in a script or a manifest (InvalidValue)."""
        _check(_IMAGE, self.image, "an image with its registry and its digest")
        _check(_ADDRESS, self.url, "an address that begins with https://, without a user")
        _check(_BRANCH, self.branch, "the name of a branch")
        _check(re.compile(r"[A-Z][A-Z0-9_]{0,100}"), self.token_variable, "the name of a variable")


def agent_named(name: str) -> Agent:
    """The profile of a name. UnknownName."""
    if name not in AGENTS:
        raise UnknownName(f"there is no agent {name[:60]!r}", todo=f"there are {', '.join(sorted(AGENTS))}")
    return AGENTS[name]


def containerfile(agent: Agent, version: str) -> str:
    """What the image of an agent is built from: Shipline of this version and git, for a user without rights."""
    _check(_VERSION, version, "a version")
    return f"""\
# The agent {agent.name}, written by `shipline init --agent`; it is yours to change. Pin the base by its digest.
ARG BASE=python:3.12-slim
FROM ${{BASE}}
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates git && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir shipline=={version}
USER {USER}:{USER}
WORKDIR {REPOSITORY}
ENV HOME=/tmp
CMD ["/bin/sh", "-ec", "{script(agent)}"]
"""


def script(agent: Agent) -> str:
    """What it runs: one that stays does all at once; one that comes and goes does each thing, and ends with the worst
    of them. That nothing was to be done (4) is no failure."""
    commands = tuple(dict.fromkeys(one.command for one in agent.capabilities))
    if not agent.schedule:
        return f"exec {commands[0]}"
    tried = [f"{command} || {{ code=$?; test $code -eq 4 || worst=$code; }}" for command in commands]
    return "; ".join(("worst=0", *tried, "exit $worst"))


def kubernetes_manifests(agent: Agent, placed: Placed) -> str:
    """A namespace, an account without rights, what runs, what it may reach, and for one that stays its repository.

    The Secret of its name is yours to make: `git-header` (an HTTP header that lets git in), `token`, and `store` (the
    URL of a PostgreSQL store).
    """
    labels = {"app.kubernetes.io/name": agent.name}
    metadata = _metadata(agent)
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata,
        "automountServiceAccountToken": False,
    }
    pod = {"metadata": {"labels": labels}, "spec": _pod(agent, placed)}
    documents = [_namespace(), account, _network(agent, labels)]
    if agent.schedule:
        job = {"backoffLimit": 0, "activeDeadlineSeconds": 7200, "template": pod}
        spec: dict[str, Any] = {"schedule": agent.schedule, "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": job}}
        documents.append({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec})
        return _text(documents)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    documents.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim})
    spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": labels}, "template": pod}
    documents.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    return _text(documents)


def _pod(agent: Agent, placed: Placed) -> dict[str, Any]:
    clone = f"test -d repository/.git || git clone --quiet --branch {placed.branch} {placed.url} repository"
    asks = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{PORT}/healthz', timeout=5)"
    probe = {"exec": {"command": ["python", "-c", asks]}, "periodSeconds": 30, "timeoutSeconds": 10}
    serving = {"readinessProbe": probe}
    repository: dict[str, Any] = {"emptyDir": {}}
    if not agent.schedule:
        repository = {"persistentVolumeClaim": {"claimName": agent.name}}
    return {
        "serviceAccountName": agent.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"restartPolicy": "Never"} if agent.schedule else {}),
        "initContainers": [_container("clone", clone, agent, placed)],
        "containers": [_container("agent", script(agent), agent, placed) | ({} if agent.schedule else serving)],
        "volumes": [{"name": "repository", **repository}, {"name": "tmp", "emptyDir": {}}],
    }


def _container(name: str, command: str, agent: Agent, placed: Placed) -> dict[str, Any]:
    variables: list[dict[str, Any]] = [
        {"name": "HOME", "value": "/tmp"},  # noqa: S108 - the volume of that name, which is the container's own
        {"name": "GIT_CONFIG_COUNT", "value": "1"},
        {"name": "GIT_CONFIG_KEY_0", "value": f"http.{placed.url}.extraHeader"},
        _secret("GIT_CONFIG_VALUE_0", agent.name, "git-header"),
    ]
    if name != "clone":
        variables += [
            _secret(placed.token_variable, agent.name, "token"),
            _secret("SHIPLINE_STORE", agent.name, "store"),
        ]
    limits = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    rights = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    mounts = [{"name": "repository", "mountPath": VOLUME}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - see above
    return {
        "name": name,
        "image": placed.image,
        "workingDir": VOLUME if name == "clone" else REPOSITORY,
        "command": ["/bin/sh", "-ec", command],
        "env": variables,
        "resources": limits,
        "securityContext": rights,
        "volumeMounts": mounts,
    }


def _metadata(agent: Agent) -> dict[str, Any]:
    return {"name": agent.name, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/name": agent.name}}


def _namespace() -> dict[str, Any]:
    """One in which the cluster itself refuses pods with more rights than these."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def _secret(variable: str, name: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}


def _network(agent: Agent, labels: dict[str, str]) -> dict[str, Any]:
    """It reaches names, HTTPS and PostgreSQL, and nothing reaches it."""
    ports = [("UDP", 53), ("TCP", 53), ("TCP", 443), ("TCP", 5432)]
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": labels},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [{"ports": [{"protocol": protocol, "port": port} for protocol, port in ports]}],
    }
    metadata = _metadata(agent)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _check(pattern: re.Pattern[str], value: str, meaning: str) -> None:
    if pattern.fullmatch(value) is None:
        raise InvalidValue(f"{value[:80]!r} is not {meaning}")


class _Plain(yaml.SafeDumper):  # type: ignore[misc]  # the base has no types
    """Writes what is there twice twice: an alias is nothing for people."""

    def ignore_aliases(self, _data: Any) -> bool:
        """There are none."""
        return True


def _text(documents: list[dict[str, Any]]) -> str:
    return str(yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=120))
