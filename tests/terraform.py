"""Terraform configurations as a release leaves them. The only resource is one that is built in: nothing is fetched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.sites import release_site

HAS_TERRAFORM = shutil.which("terraform") is not None
RESOURCE = """\
resource "terraform_data" "{name}" {{
  input = "{value}"
}}
"""
BROKEN = """\
resource "terraform_data" "broken" {
  lifecycle {
    precondition {
      condition     = terraform.workspace == "other"
      error_message = "it is broken"
    }
  }
}
"""
FAILING = """\
resource "terraform_data" "failing" {
  provisioner "local-exec" {
    command = "echo the cloud is full; exit 1"
  }
}
"""


def resources(**values: str) -> str:
    """A configuration of resources by name."""
    return "".join(RESOURCE.format(name=name, value=value) for name, value in values.items())


def release(root: Path, package: str, version: str, text: str) -> tuple[str, ...]:
    """Release a configuration; returns its digests."""
    return (release_site(root, package, version, {"main.tf": f"# {version}\n{text}"}),)


def standing(folder: Path) -> dict[str, str]:
    """The values of the resources that stand by the state in the folder, by name."""
    document = json.loads((folder / "terraform.tfstate").read_text())
    found = {each["name"]: each["instances"][0]["attributes"]["input"] for each in document["resources"]}
    return {name: value["value"] for name, value in found.items() if value is not None}
