"""The schemas of Kubernetes' own kinds, from the package `kubernetes-validate` (the extra `kubernetes`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipline.domain.errors import ShiplineError


class SchemasMissing(ShiplineError):
    """The package with the schemas is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "schemas were not checked: the package kubernetes-validate is not installed",
            todo="install Shipline with its extra: pip install 'shipline[kubernetes]'",
        )


def schema_problem(document: Mapping[str, Any]) -> str | None:
    """What is wrong with the object, names that are not in its schema included; "" for nothing, None where no schema
    of the kind is known. Raises SchemasMissing."""
    try:
        import kubernetes_validate  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, and 70 MB
    except ImportError:
        raise SchemasMissing from None
    try:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        place = ".".join(str(part) for part in error.path) or "at its top"
        return f"{place}: {error.message[:300]}"
    except kubernetes_validate.SchemaNotFoundError:
        return None
    return ""
