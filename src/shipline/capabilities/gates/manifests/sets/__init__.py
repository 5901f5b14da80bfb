"""Ready-made policies, which a cluster takes as they are (`kubectl apply -f`): ValidatingAdmissionPolicy documents, and
one of Kyverno for signatures, of which Kubernetes itself knows nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from shipline.clients.yaml_documents import read_manifests
from shipline.domain.errors import UsageError

NAMES = ("baseline", "registries", "signed-images")
_BYTES_MAX = 256 * 1024
_PARAMETER = "shipline-registries"


@dataclass(frozen=True, slots=True)
class SetValues:
    """What goes into sets: registries that images may come from, and public keys (PEM) that sign them."""

    registries: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def set_named(name: str, values: SetValues) -> list[dict[str, Any]]:
    """The documents of the set; for `registries` with the parameter that lists them, where any are given, and for
    `signed-images` with the keys.

    Raises UsageError for a name that is not known, and for `signed-images` without a key.
    """
    if name not in NAMES:
        raise UsageError(f"there is no set of policies named {name[:60]!r}", todo="known: " + ", ".join(NAMES))
    documents = [document for _, document in read_manifests(set_bytes(name), what=name, limit_bytes=_BYTES_MAX)]
    if name == "registries" and values.registries:
        documents.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": _PARAMETER, "namespace": "kube-system"},
                "data": {"registries": " ".join(values.registries)},
            }
        )
    if name == "signed-images":
        _put_keys(documents[0], values.keys)
    return documents


def set_bytes(name: str) -> bytes:
    """The file of the set as it is shipped."""
    return files(__package__).joinpath(f"{name}.yaml").read_bytes()


def _put_keys(policy: dict[str, Any], keys: Sequence[str]) -> None:
    """The same entry for each key, in place of the one that stands there."""
    if not keys:
        raise UsageError(
            "the set signed-images needs a key that it trusts",
            todo="name a public key with --key FILE, or run this in a project that has a signing key",
        )
    (attestors,) = policy["spec"]["rules"][0]["verifyImages"][0]["attestors"]
    (entry,) = attestors["entries"]
    attestors["entries"] = [{"keys": {**entry["keys"], "publicKeys": key}} for key in keys]
