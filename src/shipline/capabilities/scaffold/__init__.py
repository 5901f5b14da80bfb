"""Room `scaffold`: what a repository needs to use all this. So far: the settings of other tools, taken over, the
buttons of a forge, the manifests of a service in a cluster that follows git, and those of agents.

Promises: reads configuration as data and runs none of it; every key that it meets is answered for: taken, not needed,
to be set by hand, or without equal, each with why. Writes no file: that, and that the strict loader takes the result,
is for the caller. Does not migrate tags or changelogs, which stay as they are.
"""

from shipline.capabilities.scaffold.agents import (
    AGENTS,
    Agent,
    Placed,
    agent_named,
    containerfile,
    kubernetes_manifests,
)
from shipline.capabilities.scaffold.answers import Answer, Imported
from shipline.capabilities.scaffold.buttons import Buttons, buttons_file
from shipline.capabilities.scaffold.fitting import Present, fitted
from shipline.capabilities.scaffold.gitops_manifests import (
    Followed,
    Workload,
    argo_application,
    base_kustomization,
    base_manifests,
    flux_manifests,
    overlay,
)
from shipline.capabilities.scaffold.ossa import MANIFEST_BYTES_MAX, Manifest, agent_manifest, read_manifest
from shipline.capabilities.scaffold.usecases import TOOLS, import_settings, present_tools
from shipline.capabilities.scaffold.writing import settings_text

__all__ = [
    "AGENTS",
    "MANIFEST_BYTES_MAX",
    "TOOLS",
    "Agent",
    "Answer",
    "Buttons",
    "Followed",
    "Imported",
    "Manifest",
    "Placed",
    "Present",
    "Workload",
    "agent_manifest",
    "agent_named",
    "argo_application",
    "base_kustomization",
    "base_manifests",
    "buttons_file",
    "containerfile",
    "fitted",
    "flux_manifests",
    "import_settings",
    "kubernetes_manifests",
    "overlay",
    "present_tools",
    "read_manifest",
    "settings_text",
]
