"""Ready-made policies: ValidatingAdmissionPolicy documents, which a cluster takes as they are (`kubectl apply -f`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from shipline.clients.yaml_documents import read_manifests
from shipline.domain.errors import UsageError

NAMES = ("baseline", "registries")
_BYTES_MAX = 256 * 1024
_PARAMETER = "shipline-registries"


def set_named(name: str, registries: Sequence[str]) -> list[dict[str, Any]]:
    """The documents of the set; for `registries` with the parameter that lists them, where any are given.

    Raises UsageError for a name that is not known.
    """
    if name not in NAMES:
        raise UsageError(f"there is no set of policies named {name[:60]!r}", todo="known: " + ", ".join(NAMES))
    documents = [document for _, document in read_manifests(set_bytes(name), what=name, limit_bytes=_BYTES_MAX)]
    if name == "registries" and registries:
        documents.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": _PARAMETER, "namespace": "kube-system"},
                "data": {"registries": " ".join(registries)},
            }
        )
    return documents


def set_bytes(name: str) -> bytes:
    """The file of the set as it is shipped."""
    return files(__package__).joinpath(f"{name}.yaml").read_bytes()
