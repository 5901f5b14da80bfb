"""Finding the packages of a repository in its own files: what a folder holds, and which folders a workspace names."""

from shipline.capabilities.plans.packages.documents import read_document
from shipline.capabilities.plans.packages.found import CATALOG, CargoWorkspace, Catalogs, Found, Requirement
from shipline.capabilities.plans.packages.manifests import (
    MANIFESTS,
    cargo_workspace,
    catalogs_of,
    find_packages,
    joined,
    manifest_packages,
    requirements_of_tools,
    with_stated_version,
)
from shipline.capabilities.plans.packages.workspaces import (
    ROOT_FILES,
    Members,
    bare_note,
    check_names,
    is_fixture,
    member_folders,
    prefixes,
    workspaces_of,
)

__all__ = [
    "CATALOG",
    "MANIFESTS",
    "ROOT_FILES",
    "CargoWorkspace",
    "Catalogs",
    "Found",
    "Members",
    "Requirement",
    "bare_note",
    "cargo_workspace",
    "catalogs_of",
    "check_names",
    "find_packages",
    "is_fixture",
    "joined",
    "manifest_packages",
    "member_folders",
    "prefixes",
    "read_document",
    "requirements_of_tools",
    "with_stated_version",
    "workspaces_of",
]
