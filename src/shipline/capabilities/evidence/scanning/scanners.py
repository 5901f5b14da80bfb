"""The scanners that are known: a row each. Another one is a row more, and a reader of what it writes.

A command is `program`, `arguments`, what the settings add, and then the targets. `{report}` among the arguments is the
file for the report; where it does not stand there, the report is what the program writes to standard output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shipline.capabilities.evidence.scanning.tree import LEFT_OUT, Tree

REPORT = "{report}"
_DOCKERFILES = ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile")
_WORKFLOWS = ".github/workflows/"


@dataclass(frozen=True, slots=True)
class Scanner:
    """`about` is what it looks for. `targets` gives what it is to look at as arguments, None where there is nothing.

    `clean` and `found` are the exit codes after which its report is whole: `found` says that it lists something. Any
    other one is a failure. `asks` is what it asks over the network, "" where it works offline. `version` names the
    version that the row was tried with, or whose documentation it comes from.
    """

    name: str
    about: str
    program: str
    arguments: tuple[str, ...]
    targets: Callable[[Tree], tuple[str, ...] | None]
    format: str
    version: str
    found: frozenset[int] = frozenset({1})
    clean: frozenset[int] = frozenset({0})
    asks: str = ""

    @property
    def writes_report(self) -> bool:
        """True if it writes the report itself."""
        return any(REPORT in part for part in self.arguments)


def _python(tree: Tree) -> tuple[str, ...] | None:
    return (".",) if tree.named("*.py") else None


def _rules_of_semgrep(tree: Tree) -> tuple[str, ...] | None:
    """Rules of the project's own; those of semgrep's registry are fetched from there."""
    rules = [name for name in (".semgrep.yml", ".semgrep.yaml", ".semgrep") if tree.has(name)]
    return (*(part for name in rules for part in ("--config", name)), ".") if rules else None


def _everything(tree: Tree) -> tuple[str, ...] | None:
    return (".",) if tree.files else None


def _typed(tree: Tree) -> tuple[str, ...] | None:
    """Where mypy is set up, and what it is told to look at there: without a word of that, everything."""
    texts = [tree.text("mypy.ini"), tree.text(".mypy.ini")]
    texts += [text for text in (tree.text("pyproject.toml"),) if "[tool.mypy]" in text]
    texts += [text for text in (tree.text("setup.cfg"),) if "[mypy]" in text]
    if not any(texts):
        return None
    lines = [line.partition("=")[0].strip() for text in texts for line in text.splitlines()]
    return () if {"files", "packages", "modules"} & set(lines) else (".",)


def _environment(tree: Tree) -> tuple[str, ...] | None:
    """What is installed for the project, and not what pip-licenses itself is installed with."""
    python = ".venv/bin/python"
    return ("--python", python) if tree.has(python) else None


def _requirements(tree: Tree) -> tuple[str, ...]:
    return tuple(path for path in tree.files if "/" not in path and path.startswith("requirements") and ".txt" in path)


def _required(option: str) -> Callable[[Tree], tuple[str, ...] | None]:
    def targets(tree: Tree) -> tuple[str, ...] | None:
        return tuple(part for path in _requirements(tree) for part in (option, path)) or None

    return targets


def _locked(tree: Tree) -> tuple[str, ...] | None:
    return () if tree.has("package-lock.json") or tree.has("npm-shrinkwrap.json") else None


def _dockerfiles(tree: Tree) -> tuple[str, ...] | None:
    return tree.named(*_DOCKERFILES) or None


def _infrastructure(tree: Tree) -> tuple[str, ...] | None:
    kinds = ("*.tf", "Chart.yaml", "kustomization.yaml", "docker-compose*.y*ml", "serverless.y*ml", *_DOCKERFILES)
    return ("--directory", ".") if tree.named(*kinds) or _workflows(tree) else None


def _workflows(tree: Tree) -> tuple[str, ...] | None:
    found = any(path.startswith(_WORKFLOWS) and path.endswith((".yml", ".yaml")) for path in tree.files)
    return (_WORKFLOWS,) if found else None


def _dependencies(*before: str) -> Callable[[Tree], tuple[str, ...] | None]:
    """Where one of the files is that list what a project needs."""
    files = ("requirements*.txt", "*.lock", "package-lock.json", "go.sum", "pom.xml", "Gemfile.lock", "pnpm-lock.yaml")

    def targets(tree: Tree) -> tuple[str, ...] | None:
        return before if tree.named(*files) else None

    return targets


SCANNERS: tuple[Scanner, ...] = (
    Scanner(
        name="bandit",
        about="security of Python code",
        program="bandit",
        # From: https://bandit.readthedocs.io/en/latest/man/bandit.html. Its own list of what is left out is shorter.
        arguments=(
            *("--recursive", "--quiet", "--format", "json", "--output", REPORT),
            *("--exclude", ",".join(f"*/{name}/*" for name in LEFT_OUT)),
        ),
        targets=_python,
        format="bandit",
        version="1.9",
    ),
    Scanner(
        name="semgrep",
        about="code, by the project's own rules in .semgrep.yml or .semgrep",
        program="semgrep",
        # From: https://semgrep.dev/docs/cli-reference. Without --error findings are exit code 0.
        arguments=("scan", "--json", "--output", REPORT, "--metrics=off", "--disable-version-check", "--quiet"),
        targets=_rules_of_semgrep,
        format="semgrep",
        version="1.185",
    ),
    Scanner(
        name="detect-secrets",
        about="secrets in files",
        program="detect-secrets",
        # From: https://github.com/Yelp/detect-secrets, 1.5: what it finds it tries out over the network otherwise.
        arguments=("scan", "--no-verify"),
        targets=_everything,
        format="detect-secrets",
        version="1.5",
        found=frozenset(),
    ),
    Scanner(
        name="pip-audit",
        about="known vulnerabilities of Python requirements",
        program="pip-audit",
        # From: https://github.com/pypa/pip-audit#exit-codes, 2.10.
        arguments=("--format", "json", "--output", REPORT, "--progress-spinner", "off"),
        targets=_required("--requirement"),
        format="pip-audit",
        version="2.10",
        asks="the package index and its advisories",
    ),
    Scanner(
        name="safety",
        about="known vulnerabilities of Python requirements",
        program="safety",
        # From: https://docs.safetycli.com (check, exit codes), 2.3.
        arguments=("check", "--output", "json"),
        targets=_required("--file"),
        format="safety",
        version="2.3",
        found=frozenset({64}),
        asks="its vulnerability database",
    ),
    Scanner(
        name="mypy",
        about="types of Python code",
        program="mypy",
        # From: https://mypy.readthedocs.io/en/stable/command_line.html; 2 is a failure of its own.
        arguments=("--no-color-output", "--show-error-codes", "--no-pretty"),
        targets=_typed,
        format="mypy",
        version="2.4",
    ),
    Scanner(
        name="pip-licenses",
        about="licences of what is installed in .venv",
        program="pip-licenses",
        # From: https://github.com/raimon49/pip-licenses, 5.5: --python is there since 5.0.
        arguments=("--format", "json", "--with-system", "--output-file", REPORT),
        targets=_environment,
        format="pip-licenses",
        version="5.5",
        found=frozenset(),
    ),
    Scanner(
        name="npm-audit",
        about="known vulnerabilities of npm packages",
        program="npm",
        # From: https://docs.npmjs.com/cli/v11/commands/npm-audit: 1 is both findings and failure; the report tells.
        arguments=("audit", "--json"),
        targets=_locked,
        format="npm-audit-2",
        version="11",
        asks="the registry's advisories",
    ),
    Scanner(
        name="hadolint",
        about="Dockerfiles",
        program="hadolint",
        # From: https://github.com/hadolint/hadolint#cli, 2.15.
        arguments=("--format", "json"),
        targets=_dockerfiles,
        format="hadolint",
        version="2.15",
    ),
    Scanner(
        name="checkov",
        about="infrastructure as code",
        program="checkov",
        # From: https://www.checkov.io/2.Basics/CLI%20Command%20Reference.html: --skip-download keeps it offline.
        arguments=("--output", "json", "--quiet", "--compact", "--skip-download"),
        targets=_infrastructure,
        format="checkov",
        version="3.3",
    ),
    Scanner(
        name="zizmor",
        about="GitHub Actions workflows",
        program="zizmor",
        # From: https://docs.zizmor.sh/usage/#exit-codes: 11 to 14 say the worst severity, 1 to 3 are failures.
        arguments=("--offline", "--format", "json", "--no-progress"),
        targets=_workflows,
        format="zizmor",
        version="1.32",
        found=frozenset({11, 12, 13, 14}),
    ),
    Scanner(
        name="trivy",
        about="vulnerabilities, misconfigurations and secrets",
        program="trivy",
        # From: https://trivy.dev/latest/docs/references/configuration/cli/trivy_filesystem/.
        arguments=("filesystem", "--format", "json", "--output", REPORT, "--quiet"),
        targets=_everything,
        format="trivy",
        version="0.66",
        found=frozenset(),
        asks="its vulnerability database",
    ),
    Scanner(
        name="grype",
        about="known vulnerabilities of dependencies",
        program="grype",
        # From: https://github.com/anchore/grype#output-formats; 1 is a failure, 2 one of --fail-on, which is not used.
        arguments=("--output", "json", "--file", REPORT, "--quiet"),
        targets=_dependencies("dir:."),
        format="grype",
        version="0.104",
        found=frozenset(),
        asks="its vulnerability database",
    ),
    Scanner(
        name="snyk",
        about="known vulnerabilities of dependencies",
        program="snyk",
        # From: https://docs.snyk.io/developer-tools/snyk-cli/commands/test (exit codes: 2 failure, 3 nothing found).
        arguments=("test", "--json"),
        targets=_dependencies(),
        format="snyk",
        version="1.1300",
        asks="Snyk's service",
    ),
)
