"""`shipline.toml`, read strictly: an unknown key is an error that names the known ones and the nearest.

Loading is light on purpose, `shipline plan` does it too: it checks the project's own tables and no more. What
providers and rooms own (`check`) and the published schema (`schema`) are modules to be imported where needed.
The face is lazy (PEP 562): the dataclasses of all tables cost a fifth of a small plan, and not every project has
a file.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shipline.configuration.advisories import AdvisoriesSettings
    from shipline.configuration.assistant import AssistantSettings
    from shipline.configuration.commands import CommandsSettings
    from shipline.configuration.compliance import ComplianceSettings
    from shipline.configuration.freezes import FreezesSettings
    from shipline.configuration.gating import GatesSettings
    from shipline.configuration.hooks import HookSettings
    from shipline.configuration.housekeeping import (
        BackportsSettings,
        HousekeepingSettings,
        LabelsSettings,
        QueueSettings,
        StaleSettings,
        UpdatesSettings,
        WelcomeSettings,
    )
    from shipline.configuration.keyless import KeylessSettings
    from shipline.configuration.load import load_settings, parse_settings, read_table
    from shipline.configuration.milestones import MilestoneFlowSettings
    from shipline.configuration.remediation import (
        EscalationSettings,
        RemediationRunSettings,
        RemediationSettings,
    )
    from shipline.configuration.repository import (
        BranchSettings,
        CISecretSettings,
        EnvironmentRuleSettings,
        LabelSettings,
        MergeSettings,
        MilestoneSettings,
        RepositorySettings,
        TagSettings,
        VariableSettings,
        WebhookSettings,
    )
    from shipline.configuration.retention import RetentionSettings
    from shipline.configuration.root import FILE_NAME, find_root
    from shipline.configuration.scanning import ScanSettings
    from shipline.configuration.settings import (
        AutomationSettings,
        BuildSettings,
        CalendarSettings,
        ChannelSettings,
        CheckSettings,
        EnvironmentSettings,
        EphemeralSettings,
        GroupSettings,
        HotfixSettings,
        LintSettings,
        PackageSettings,
        PreviewSettings,
        RegistrySettings,
        RehearsalSettings,
        ReleaseSettings,
        SecretSettings,
        Settings,
        StepSettings,
        TestSettings,
        VerifySettings,
        VersionFileSettings,
    )
    from shipline.configuration.syncing import MirrorSettings, SyncSettings
    from shipline.configuration.waiving import WaivingSettings
    from shipline.configuration.written import store_named, written_settings

__all__ = [
    "FILE_NAME",
    "AdvisoriesSettings",
    "AssistantSettings",
    "AutomationSettings",
    "BackportsSettings",
    "BranchSettings",
    "BuildSettings",
    "CISecretSettings",
    "CalendarSettings",
    "ChannelSettings",
    "CheckSettings",
    "CommandsSettings",
    "ComplianceSettings",
    "EnvironmentRuleSettings",
    "EnvironmentSettings",
    "EphemeralSettings",
    "EscalationSettings",
    "FreezesSettings",
    "GatesSettings",
    "GroupSettings",
    "HookSettings",
    "HotfixSettings",
    "HousekeepingSettings",
    "KeylessSettings",
    "LabelSettings",
    "LabelsSettings",
    "LintSettings",
    "MergeSettings",
    "MilestoneFlowSettings",
    "MilestoneSettings",
    "MirrorSettings",
    "PackageSettings",
    "PreviewSettings",
    "QueueSettings",
    "RegistrySettings",
    "RehearsalSettings",
    "ReleaseSettings",
    "RemediationRunSettings",
    "RemediationSettings",
    "RepositorySettings",
    "RetentionSettings",
    "ScanSettings",
    "SecretSettings",
    "Settings",
    "StaleSettings",
    "StepSettings",
    "SyncSettings",
    "TagSettings",
    "TestSettings",
    "UpdatesSettings",
    "VariableSettings",
    "VerifySettings",
    "VersionFileSettings",
    "WaivingSettings",
    "WebhookSettings",
    "WelcomeSettings",
    "find_root",
    "load_settings",
    "parse_settings",
    "read_table",
    "store_named",
    "written_settings",
]

_HOMES = {
    "FILE_NAME": "root",
    "AdvisoriesSettings": "advisories",
    "AssistantSettings": "assistant",
    "AutomationSettings": "settings",
    "BackportsSettings": "housekeeping",
    "BranchSettings": "repository",
    "BuildSettings": "settings",
    "CISecretSettings": "repository",
    "CalendarSettings": "settings",
    "ChannelSettings": "settings",
    "CheckSettings": "settings",
    "CommandsSettings": "commands",
    "ComplianceSettings": "compliance",
    "EnvironmentRuleSettings": "repository",
    "EnvironmentSettings": "settings",
    "EphemeralSettings": "settings",
    "EscalationSettings": "remediation",
    "FreezesSettings": "freezes",
    "GatesSettings": "gating",
    "GroupSettings": "settings",
    "HookSettings": "hooks",
    "HotfixSettings": "settings",
    "HousekeepingSettings": "housekeeping",
    "KeylessSettings": "keyless",
    "LabelSettings": "repository",
    "LabelsSettings": "housekeeping",
    "LintSettings": "settings",
    "MergeSettings": "repository",
    "MilestoneFlowSettings": "milestones",
    "MilestoneSettings": "repository",
    "MirrorSettings": "syncing",
    "PackageSettings": "settings",
    "PreviewSettings": "settings",
    "QueueSettings": "housekeeping",
    "RegistrySettings": "settings",
    "RehearsalSettings": "settings",
    "ReleaseSettings": "settings",
    "RemediationRunSettings": "remediation",
    "RemediationSettings": "remediation",
    "RepositorySettings": "repository",
    "RetentionSettings": "retention",
    "ScanSettings": "scanning",
    "SecretSettings": "settings",
    "Settings": "settings",
    "StaleSettings": "housekeeping",
    "StepSettings": "settings",
    "SyncSettings": "syncing",
    "TagSettings": "repository",
    "TestSettings": "settings",
    "UpdatesSettings": "housekeeping",
    "VariableSettings": "repository",
    "VerifySettings": "settings",
    "VersionFileSettings": "settings",
    "WaivingSettings": "waiving",
    "WebhookSettings": "repository",
    "WelcomeSettings": "housekeeping",
    "find_root": "root",
    "load_settings": "load",
    "parse_settings": "load",
    "read_table": "load",
    "store_named": "written",
    "written_settings": "written",
}

if not TYPE_CHECKING:  # Else a type checker would take every name for one of the face.

    def __getattr__(name: str) -> object:
        """A name of the face, imported from its home; from then on it is found here."""
        from importlib import import_module  # noqa: PLC0415 - needed only here

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value
