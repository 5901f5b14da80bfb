"""What there is to be documented, read from the source."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from fastapi.routing import APIRoute

from shipline.apps.cli.main import COMMANDS
from shipline.apps.server.api import API
from shipline.apps.server.verdicts import Verdicts
from shipline.capabilities.rollouts import AnalysisSettings
from shipline.configuration import (
    AdvisoriesSettings,
    AssistantSettings,
    AutomationSettings,
    BackportsSettings,
    BranchSettings,
    CalendarSettings,
    ChannelSettings,
    CheckSettings,
    CISecretSettings,
    CommandsSettings,
    ComplianceSettings,
    EnvironmentRuleSettings,
    EnvironmentSettings,
    EphemeralSettings,
    EscalationSettings,
    FreezesSettings,
    GatesSettings,
    GroupSettings,
    HookSettings,
    HotfixSettings,
    HousekeepingSettings,
    KeylessSettings,
    LabelSettings,
    LabelsSettings,
    LintSettings,
    MergeSettings,
    MilestoneFlowSettings,
    MilestoneSettings,
    MirrorSettings,
    PackageSettings,
    PreviewSettings,
    QueueSettings,
    RegistrySettings,
    RehearsalSettings,
    ReleaseSettings,
    RemediationRunSettings,
    RemediationSettings,
    RepositorySettings,
    RetentionSettings,
    ScanSettings,
    SecretSettings,
    Settings,
    StaleSettings,
    StepSettings,
    SyncSettings,
    TagSettings,
    TestSettings,
    UpdatesSettings,
    VariableSettings,
    VerifySettings,
    VersionFileSettings,
    WebhookSettings,
    WelcomeSettings,
)
from shipline.domain.gate import Approver, Gate
from tests.docs.markdown import ROOT

SOURCE = ROOT / "src" / "shipline"
KIND = re.compile(r"(?:[A-Z][a-z]+){2,}")
VARIABLE = re.compile(r"\bSHIPLINE_[A-Z][A-Z_]*\b")
SCHEMA = re.compile(r'"(shipline\.[a-z.-]+/\d+)"')
# Providers that nobody chooses: git is named in the code, programs are run on this machine, requests are made from it.
UNSETTABLE = frozenset({"repository", "command", "load"})
TABLES: dict[str, type] = {
    "The top of the file": Settings,
    "`[[package]]`": PackageSettings,
    "`[[channel]]`": ChannelSettings,
    "`[[group]]`": GroupSettings,
    "An entry of `version_files`": VersionFileSettings,
    "`[release]`": ReleaseSettings,
    "`[lint]`": LintSettings,
    "`[automation]`": AutomationSettings,
    "`[automation.milestones]`": MilestoneFlowSettings,
    "`[automation.commands]`": CommandsSettings,
    "`[automation.remediation]`": RemediationRunSettings,
    "`[[remediation]]`": RemediationSettings,
    "`[[remediation.escalate]]`": EscalationSettings,
    "`[housekeeping]`": HousekeepingSettings,
    "`[housekeeping.labels]`": LabelsSettings,
    "`[housekeeping.stale]`": StaleSettings,
    "`[housekeeping.updates]`": UpdatesSettings,
    "`[housekeeping.welcome]`": WelcomeSettings,
    "`[housekeeping.merge]`": QueueSettings,
    "`[housekeeping.backports]`": BackportsSettings,
    "`[[hook]]`": HookSettings,
    "`[repository]`": RepositorySettings,
    "`[[repository.label]]`": LabelSettings,
    "`[[repository.milestone]]`": MilestoneSettings,
    "`[[repository.webhook]]`": WebhookSettings,
    "`[[repository.secret]]`": CISecretSettings,
    "`[[repository.environment_rule]]`": EnvironmentRuleSettings,
    "`[[repository.branch]]`": BranchSettings,
    "`[[repository.tag]]`": TagSettings,
    "`[repository.merge]`": MergeSettings,
    "`[[repository.variable]]`": VariableSettings,
    "`[sync]`": SyncSettings,
    "`[sync.mirror]`": MirrorSettings,
    "`[[test]]`": TestSettings,
    "`[scan]`": ScanSettings,
    "`[[registry]]`": RegistrySettings,
    "`[gates]`": GatesSettings,
    "`[[gate]]`": Gate,
    "`[[approver]]`": Approver,
    "`[[calendar]]`": CalendarSettings,
    "`[compliance]`": ComplianceSettings,
    "`[keyless]`": KeylessSettings,
    "`[advisories]`": AdvisoriesSettings,
    "`[assistant]`": AssistantSettings,
    "`[freezes]`": FreezesSettings,
    "`[retention]`": RetentionSettings,
    "`[[environment]]`": EnvironmentSettings,
    "`[environment.canary]`": AnalysisSettings,
    "`[environment.secrets]`": SecretSettings,
    "`[environment.preview]`": PreviewSettings,
    "`[environment.rehearsal]`": RehearsalSettings,
    "`[environment.ephemeral]`": EphemeralSettings,
    "`[environment.hotfix]`": HotfixSettings,
    "`[[environment.step]]`": StepSettings,
    "`[[environment.verify]]`": VerifySettings,
    "`[[environment.check]]`": CheckSettings,
}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and subcommand by its words, `rollout pause`; groups too."""
    for name, (module, _) in COMMANDS.items():
        path = f"shipline.apps.cli.{module}"
        if importlib.util.find_spec(path) is not None:
            yield from _with_subcommands(name, import_module(path).command)


def _with_subcommands(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _with_subcommands(f"{words} {name}", inner)


def options(command: click.Command) -> list[str]:
    """The long names of a command's options."""
    return [
        max(parameter.opts, key=len)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]


def providers() -> dict[tuple[str, str], type]:
    """The settings of the providers that this package brings, by port and name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: dict[tuple[str, str], type] = {}
    for group, points in project["entry-points"].items():
        for name, point in points.items():
            module, _, attribute = point.partition(":")
            found[group.removeprefix("shipline."), name] = getattr(import_module(module), attribute).Settings
    return found


def defaults(table: type) -> dict[str, str]:
    """The settings of a table, each with its default as TOML writes it; `required` and `none` are words."""
    return {field.name: _default(field) for field in dataclasses.fields(table)}


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
        return "[]" if made == () else "{}"
    value = field.default
    if value is dataclasses.MISSING:
        return "required"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return json.dumps(value)
    return f'"{value}"' if isinstance(value, str) else str(value)


def routes() -> set[str]:
    """What the interface for programs answers, as `GET /api/v1/log`."""
    site: Any = None  # Nothing is asked of it before a request comes.
    routers = (API(site).router(), Verdicts(site).router())
    found = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {f"{method} {route.path}" for route in found for method in route.methods or ()}


def environment_variables() -> set[str]:
    """The variables that Shipline itself reads."""
    texts = (path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    return {name for text in texts for name in VARIABLE.findall(text)}


def event_kinds() -> set[str]:
    """The kinds of events. No other texts in the rooms and the store are written in this way, but for names in reports
    of other tools and of ecosystems, and kinds of Kubernetes in the room of manifests and in those of agents."""
    folders = (SOURCE / "capabilities", SOURCE / "store")
    paths = [
        path
        for folder in folders
        for path in folder.rglob("*.py")
        if not {"reports", "manifests", "ecosystems.py", "agents.py"} & set(path.parts)
    ]
    return {kind for path in paths for kind in _texts(path) if _is_kind(kind)}


def _is_kind(text: str) -> bool:
    return KIND.fullmatch(text) is not None


def _texts(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    exported = {id(node) for statement in tree.body if _is_export(statement) for node in ast.walk(statement)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in exported:
            yield node.value


EXPORTS = ("__all__", "_HOMES")  # Of a lazy face, the second says where its names are at home.


def _is_export(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id in EXPORTS for target in statement.targets
    )


def schemas() -> set[str]:
    """The names of the JSON documents that are written or read."""
    texts = (path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    return {name for text in texts for name in SCHEMA.findall(text)}
