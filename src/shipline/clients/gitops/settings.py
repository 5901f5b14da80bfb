"""What a GitOps environment is: a file on a branch, how a version gets there, and who tells that it has arrived."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from shipline.clients.confidential import is_confidential
from shipline.clients.image_names import image_name
from shipline.clients.kubernetes import NAME
from shipline.domain.errors import ConfigurationError

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# From: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/
MODES = ("commit", "pull-request")
WATCHED = ("argocd", "flux", "helm-release", "deployment", "url")
DEADLINE_S_MAX = 14 * 86_400
# As `git check-ref-format` has it, narrower.
BRANCH = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock$))[^\x00-\x20\x7f~^:?*\[\\]{1,200}(?<![/.])")
FILE = re.compile(r"(?!/)(?!(?:.*/)?\.\.?(?:/|$))(?!.*//)[^\x00-\x1f\x7f]{1,500}(?<!/)")
KEY_PATH = re.compile(r"[^\x00-\x20\x7f]{1,300}")
TEMPLATE = re.compile(r"(?:[A-Za-z0-9@:._/+-]|\{(?:digest|version)\}){1,300}")
MANIFEST_PART = "spec."


@dataclass(frozen=True, slots=True)
class GitOpsSettings:
    """A GitOps environment.

    `image` is the released image with its registry, without tag and digest. `file` is the kustomization or the values
    file in the repository, on `branch`. `watch` names who tells that it has arrived: argocd, flux, helm-release,
    deployment or url. `repository` is the address that git clones from; "" is this repository's remote `origin`. `name`
    is the image's name in the kustomization, "" is `image`. `values` are the key paths of a values file, such as
    `image.digest`, each with what is written there, in which {digest} and {version} are filled in; without them the
    file is a kustomization. `mode` is commit or pull-request. `object` and `namespace` name what is watched in the
    cluster, which `kubeconfig` and `context` lead to as for the target `kubernetes`. `url` tells its version.
    `deadline_s` is how long a version may take to arrive, in seconds, with the time until a pull request is merged.
    """

    image: str
    file: str
    watch: str
    repository: str = ""
    branch: str = "main"
    name: str = ""
    values: dict[str, str] = field(default_factory=dict)
    mode: str = "commit"
    object: str = ""
    namespace: str = ""
    kubeconfig: str = ""
    context: str = ""
    url: str = ""
    deadline_s: int = 900

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        if image_name(self.image) is None or "@" in self.image or ":" in self.image.rpartition("/")[2]:
            raise ConfigurationError(f"image: {self.image[:80]!r} is no image with its registry, and without a tag")
        if self.mode not in MODES:
            raise ConfigurationError(f"mode is {' or '.join(MODES)}")
        if not 1 <= self.deadline_s <= DEADLINE_S_MAX:
            raise ConfigurationError(f"deadline_s is 1 to {DEADLINE_S_MAX}")
        self._check_repository()
        self._check_file()
        self._check_watch()

    @property
    def image_name(self) -> str:
        """The image's name in a kustomization."""
        return self.name or self.image

    def place(self, environment: str) -> str:
        """What an environment's commits are told from others by, in a repository that several projects share."""
        return f"{environment} {self.file} {self.image_name}"

    def _check_repository(self) -> None:
        if BRANCH.fullmatch(self.branch) is None:
            raise ConfigurationError(f"branch: {self.branch[:80]!r} cannot be the name of a branch")
        if self.repository.startswith("-") or not self.repository.isprintable():
            raise ConfigurationError("repository is an address that git can clone from")
        try:
            parts = urlsplit(self.repository)
        except ValueError:
            raise ConfigurationError("repository is an address that git can clone from") from None
        # With http a token stands in the place of the user's name as well.
        if parts.password is not None or (parts.scheme in ("http", "https") and parts.username is not None):
            raise ConfigurationError(
                "repository: the address holds a user name or a password",
                todo="leave it out, and let git have it from a credential helper, or use ssh",
            )

    def _check_file(self) -> None:
        if FILE.fullmatch(self.file) is None:
            raise ConfigurationError("file is a path inside of the repository, relative, with forward slashes")
        if self.name and KEY_PATH.fullmatch(self.name) is None:
            raise ConfigurationError(f"name: {self.name[:80]!r} is no name of an image")
        is_kustomization = PurePosixPath(self.file).name in KUSTOMIZATIONS
        if is_kustomization == bool(self.values):
            raise ConfigurationError(
                "values are for a values file, and a kustomization has none"
                if is_kustomization
                else f"values are needed: {PurePosixPath(self.file).name} is no kustomization",
                todo='name the places, as in: values = { "image.digest" = "{digest}" }',
            )
        for path, template in self.values.items():
            if KEY_PATH.fullmatch(path) is None:
                raise ConfigurationError(f"values: {path[:80]!r} is no key path, such as image.digest")
            if TEMPLATE.fullmatch(template) is None or not ("{digest}" in template or "{version}" in template):
                raise ConfigurationError(f"values: {path}: what is written there holds {{digest}} or {{version}}")

    def _check_watch(self) -> None:
        if self.watch not in WATCHED:
            raise ConfigurationError(f"watch is one of {', '.join(WATCHED)}")
        if self.watch == "url":
            if not self.url.startswith(("http://", "https://")) or not is_confidential(self.url):
                raise ConfigurationError("url: an https address that tells its version is needed")
            return
        if not NAME.fullmatch(self.object):
            raise ConfigurationError(f"object: the name of what {self.watch} stands for in the cluster is needed")
        if self.namespace and not NAME.fullmatch(self.namespace):
            raise ConfigurationError("namespace is the name of one in the cluster")
        if self.watch == "helm-release" and not all(path.startswith(MANIFEST_PART) for path in self.values):
            raise ConfigurationError(
                "watch: a HelmRelease tells which values it has only where they stand in it",
                why="what else its chart reads is not told by its status",
                todo="name its own manifest as file, and paths such as spec.values.image.digest;"
                ' or set watch = "deployment"',
            )
        if self.watch == "helm-release" and not self.values:
            raise ConfigurationError("watch: helm-release needs values of the HelmRelease's manifest")
