"""What an environment gives to its services, in the objects of a group. Pure.

Plain variables stand in the Deployment, the values of secrets in a Secret of the group's own, which goes with it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from shipline.clients.kubernetes_marks import ENVIRONMENT, GROUP, ROLE, object_name
from shipline.ports.variables import Variables
from shipline.providers.target.kubernetes_manifest import container_of


def give(deployment: dict[str, Any], container: str, group_id: str, variables: Variables) -> None:
    """Have the container of a group's Deployment get them, in place of what the manifest has under the same names."""
    plain = [{"name": name, "value": value} for name, value in sorted(variables.plain().items())]
    secret = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": object_name(group_id), "key": name}}}
        for name in variables.secret_names
    ]
    names = {*variables.plain_names, *variables.secret_names}
    if names:
        found = container_of(deployment, container)
        found["env"] = [one for one in found.get("env", []) if one["name"] not in names] + plain + secret


def secret_of(deployment: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The Secret of a group."""
    metadata = deployment["metadata"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": metadata["name"],
            "labels": {name: metadata["labels"][name] for name in (ENVIRONMENT, GROUP, ROLE)},
            "ownerReferences": [owner],
        },
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in values.items()},
    }
