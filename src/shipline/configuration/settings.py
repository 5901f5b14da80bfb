"""The settings of a project, one dataclass a table. Field docs stand in the class docstrings and in the reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from shipline.configuration.advisories import AdvisoriesSettings
from shipline.configuration.assistant import AssistantSettings
from shipline.configuration.commands import CommandsSettings
from shipline.configuration.compliance import ComplianceSettings
from shipline.configuration.freezes import FreezesSettings
from shipline.configuration.gating import GatesSettings
from shipline.configuration.hooks import HookSettings
from shipline.configuration.housekeeping import HousekeepingSettings
from shipline.configuration.keyless import KeylessSettings
from shipline.configuration.limits import Limits, SecretTable
from shipline.configuration.milestones import MilestoneFlowSettings
from shipline.configuration.remediation import RemediationRunSettings, RemediationSettings
from shipline.configuration.repository import RepositorySettings
from shipline.configuration.retention import RetentionSettings
from shipline.configuration.scanning import ScanSettings
from shipline.configuration.syncing import SyncSettings
from shipline.configuration.tables import ProviderTable
from shipline.configuration.waiving import WaivingSettings
from shipline.domain.calendar import Exemption, PeriodKind
from shipline.domain.gate import Approver, Gate, Waiver
from shipline.domain.version_file import VERSION_FILE_KINDS
from shipline.ports.load import CONCURRENCY_MAX, METHODS, RATE_MAX, SECONDS_MAX

_NAME = Limits(
    pattern=r"[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,199}", meaning="a name of one line, at most 200 characters"
)
_OPTIONAL_NAME = Limits(pattern=f"|{_NAME.pattern}", meaning=f"empty, or {_NAME.meaning}")
_FILE = Limits(
    pattern=r"(?!/)(?!(?:.*/)?\.\.(?:/|$))[^\x00-\x1f\x7f]+",
    meaning="a path inside the repository, relative and with forward slashes",
)

_MOVING_TAG = Limits(
    pattern=r"(?:[A-Za-z0-9@._/-]|\{(?:package|major|minor|channel)\}){1,100}",
    meaning="a tag, in which {package}, {major}, {minor} and {channel} may stand",
)
# From: https://git-scm.com/docs/git-check-ref-format, version 2.47.
_TAG_SIGNS = r"(?:[^\x00-\x20\x7f~^:?*\[\\{}]|\{package\})*"
_TAG_FORMAT = Limits(
    pattern=rf"|(?![-./])(?!.*(?:\.\.|//|/\.|\.lock$|[./]$)){_TAG_SIGNS}\{{version\}}{_TAG_SIGNS}",
    meaning="a tag that git takes, with {version} in it once",
)
_PLAIN_NAME = Limits(pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]{0,29}", meaning="1 to 30 of letters, digits, `.`, `_` and `-`")
"""What may name a file in a bundle, and a folder that is emptied."""
_ITEM = Limits(
    pattern=r"[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,199}", meaning="a sentence of one line, at most 200 characters"
)
_CRON = Limits(pattern=r"[^\x00-\x1f\x7f]{0,200}", meaning="five fields of cron in one line")


@dataclass(frozen=True, slots=True)
class CanaryTable:
    """Notes that a table holds the settings of the canary analysis, which the room `rollouts` owns."""


@dataclass(frozen=True, slots=True)
class VersionFileSettings:
    """An entry of `version_files` that is a table: a file that its name alone does not explain.

    `path` is the file's, from the package's folder. `kind` says how it is read; "" means: found out from its name, or
    by the comment `shipline-version` in it. `pattern` is a regular expression with one group `version`, tried on every
    line; it is for files of no known kind, and leaves `kind` out.
    """

    path: Annotated[str, _FILE]
    kind: Annotated[str, Limits(choices=("", *VERSION_FILE_KINDS))] = ""
    pattern: Annotated[str, Limits(pattern=r"|.*\(\?P<version>.*", meaning="a pattern with (?P<version>…) in it")] = ""


@dataclass(frozen=True, slots=True)
class LintRulesTable:
    """Notes that a table holds the rules of the commit lint, which the room `plans` owns."""


@dataclass(frozen=True, slots=True)
class LintSettings:
    """`[lint]`: what commit messages must be like.

    `rules` changes rules by name, each `[level, "always" or "never", value]` as in commitlint; those that are not named
    stay as in its conventional preset. `default_ignores` lets pass what nobody writes by hand: merges, reverts, fixups.
    """

    rules: Annotated[dict[str, Any], LintRulesTable()] = field(default_factory=dict)
    default_ignores: bool = True


@dataclass(frozen=True, slots=True)
class PackageSettings:
    """`[[package]]`: one package. None of these is needed where the repository is one plain Python or npm package.

    `name` is the package's name; "" takes that of its manifest. `path` is relative to the root; a glob stands for every
    folder with a manifest. `ecosystem` is python, npm, cargo, helm or plain; "" means: found out. `scheme` is semver,
    pep440 or calver: with a format; "" means: found out. `tag_format` holds `{version}` and may hold `{package}`; ""
    means: found out. `version_files` are paths relative to the package, or tables; empty: found out. `version_source`
    is the one of them that is right where they differ; "" means: the latest release tag. `changelog` is relative to the
    package. `include` and `exclude` are globs from the root: what belongs to the package beside its folder, and what in
    it does not.
    """

    name: Annotated[str, _OPTIONAL_NAME] = ""
    path: Annotated[str, _FILE] = "."
    ecosystem: Annotated[str, Limits(choices=("", "python", "npm", "cargo", "helm", "plain"))] = ""
    scheme: Annotated[
        str,
        Limits(
            pattern=r"|semver|pep440|calver:[A-Z0-9.\-_\[\]]{1,60}",
            meaning="semver, pep440 or calver:FORMAT, such as calver:YYYY.0M.MICRO",
        ),
    ] = ""
    tag_format: Annotated[str, _TAG_FORMAT] = ""
    version_files: tuple[Annotated[str, _FILE] | VersionFileSettings, ...] = ()
    version_source: Annotated[str, Limits(pattern="|" + _FILE.pattern, meaning=_FILE.meaning)] = ""
    changelog: Annotated[str, _FILE] = "CHANGELOG.md"
    include: tuple[Annotated[str, _FILE], ...] = ()
    exclude: tuple[Annotated[str, _FILE], ...] = ()


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """`[[group]]`: packages whose versions belong together.

    `name` tells the groups apart. `packages` are names, or globs of names. `kind` is linked (those that are released
    together get one version) or fixed (all are released whenever one is, at one version).
    """

    name: Annotated[str, _NAME]
    packages: Annotated[tuple[Annotated[str, _NAME], ...], Limits(items_min=1)]
    kind: Annotated[str, Limits(choices=("linked", "fixed"))] = "linked"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """`[[channel]]`: what some branches release; the first table that fits counts.

    `branch` is a glob for their names. `name` is stable, snapshot, or the word that stands in the versions. `range` is
    the line that they keep to: `1.x`, `1.4.x`, `patch` (the patches of the last release), or "" for the one that a
    branch is named for.
    """

    branch: Annotated[str, _NAME]
    name: Annotated[str, Limits(pattern=r"[A-Za-z][0-9A-Za-z-]{0,31}", meaning="a word such as rc, beta or next")] = (
        "stable"
    )
    range: Annotated[
        str, Limits(pattern=r"|patch|(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8}))?\.x", meaning="1.x, 1.4.x or patch")
    ] = ""


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """`[release]`: how a release is made.

    `branch` is the only one to release from ("" allows any); `remote` is where commit and tag are pushed, "" for
    nowhere; `commit_message` may hold `{package}` and `{version}`. `sign_tags` has git sign the tags.
    `moving_tags` follow the releases; each may hold `{package}`, `{major}`, `{minor}` and `{channel}`.
    `yank_on_rollback` yanks a version when its rollout was rolled back by the analysis. `breaking_before_1` and
    `features_before_1` are the steps that breaking changes and features make while the major version is 0. `mode` is
    direct, which releases what has changed, pull-request, which keeps one pull request up to date and releases what
    was merged, or tag, which commits nothing and tags what has changed as it is. `source` is where the changes come
    from: commits, changesets or both; "" means: changesets where there is a folder `.changeset`, else commits.
    `signatures` are the formats in which images are signed: both, bundles or older; none: nothing that is published is.
    """

    branch: str = ""
    remote: Annotated[str, Limits(pattern=r"|[^-].*", meaning="a remote's name or address")] = ""
    commit_message: Annotated[str, Limits(pattern=r"\S.*", meaning="a subject of one line")] = (
        "chore(release): {package} {version}"
    )
    sign_tags: bool = False
    moving_tags: tuple[Annotated[str, _MOVING_TAG], ...] = ()
    yank_on_rollback: bool = False
    mode: Annotated[str, Limits(choices=("direct", "pull-request", "tag"))] = "direct"
    source: Annotated[str, Limits(choices=("", "commits", "changesets", "both"))] = ""
    signatures: Annotated[str, Limits(choices=("both", "bundles", "older", "none"))] = "both"
    breaking_before_1: Annotated[str, Limits(choices=("patch", "minor", "major"))] = "minor"
    features_before_1: Annotated[str, Limits(choices=("patch", "minor"))] = "minor"


@dataclass(frozen=True, slots=True)
class AutomationSettings:
    """`[automation]`: what is done by itself when the forge tells of something.

    `release_on_push` does what `shipline release` does when something comes to a branch that is released from.
    `reconcile_every_s` is how often a server looks for what no hook has told, in seconds. `milestones` says whether
    milestones lead to releases, `commands` what may be asked for in comments, `remediation` how much is done about
    findings at once.
    """

    release_on_push: bool = False
    reconcile_every_s: Annotated[int, Limits(minimum=10, maximum=86_400)] = 300
    milestones: MilestoneFlowSettings = field(default_factory=MilestoneFlowSettings)
    commands: CommandsSettings = field(default_factory=CommandsSettings)
    remediation: RemediationRunSettings = field(default_factory=RemediationRunSettings)


@dataclass(frozen=True, slots=True)
class BumpSettings:
    """`[[bump]]`: how far changes of one kind move the version; the first table that fits a change holds.

    `type` is the type of the commits, "" for any; `scope` their scope, "" for any. `bump` is none, patch, minor or
    major. Breaking changes stay what they are.
    """

    bump: Annotated[str, Limits(choices=("none", "patch", "minor", "major"))]
    type: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class SectionSettings:
    """`[[changelog.section]]`: one heading of the changelog.

    `title` is the heading. `types` are the types of commits that stand below it.
    """

    title: Annotated[str, _NAME]
    types: Annotated[tuple[str, ...], Limits(items_min=1)]


@dataclass(frozen=True, slots=True)
class ChangelogSettings:
    """`[changelog]`: how changelogs, release notes and announcements look.

    `section` is a list of tables; none means the usual ones. `contributors` names who did it. `links` makes links of
    commits, requests and comparisons, where `repository`, an address ("" is that of the remote origin), leads to a
    known forge; `forge` says which where its name does not: github, gitlab or gitea. `template` is a Jinja2 file that
    shapes what is printed and what a release writes, "" for our own form. `upgrade_notes` is the folder of authored
    notes.
    """

    section: tuple[SectionSettings, ...] = ()
    contributors: bool = False
    links: bool = True
    repository: str = ""
    forge: Annotated[str, Limits(choices=("", "github", "gitlab", "gitea"))] = ""
    template: Annotated[str, Limits(pattern=f"|{_FILE.pattern}", meaning=f"empty, or {_FILE.meaning}")] = ""
    upgrade_notes: Annotated[str, _FILE] = "upgrade-notes"


@dataclass(frozen=True, slots=True)
class TestSettings:
    """`[[test]]`: a command that is run on the released source, and the reports that it leaves.

    `name` tells the tests apart. `command` is a list, no shell; `{python}` is the interpreter that Shipline runs on,
    `{reports}` an empty folder, `{version}` the version. `reports` are file names in that folder, each of which must
    be there. `timeout_s` bounds the command, in seconds.
    """

    __test__ = False  # It is not one of pytest's.

    name: Annotated[str, _PLAIN_NAME]
    command: Annotated[tuple[str, ...], Limits(items_min=1)]
    reports: tuple[Annotated[str, _PLAIN_NAME], ...] = ()
    timeout_s: Annotated[int, Limits(minimum=1, maximum=86_400)] = 1800


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """`[[build]]`: what every builder's table has beside its provider's own keys.

    `provider` is what builds. `packages` are those that it builds; empty: those of its ecosystem, or all where it has
    none. A package of an ecosystem that has a builder is built by that one also where no table says so.
    """

    provider: str
    packages: tuple[Annotated[str, _NAME], ...] = ()


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """`[[registry]]`: what every registry's table has beside its provider's own keys.

    `provider` is what the registry is. `name` tells the registries apart, on record too; "" is the provider's name.
    `packages` are those that are published there; empty: all of which something is built that the provider takes.
    """

    provider: str
    name: Annotated[str, Limits(pattern="|" + _PLAIN_NAME.pattern, meaning=_PLAIN_NAME.meaning)] = ""
    packages: tuple[Annotated[str, _NAME], ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarSettings:
    """`[[calendar]]`: periods in which stages are closed (`freeze`), or the only ones in which they are open.

    `name` is shown in verdicts, `kind` is freeze, window or train. `stages` are `release`,
    `pull-request` or names of environments.
    `begins` and `ends` are one period, `YYYY-MM-DD HH:MM`; `cron`,
    five fields, says when one begins again and again, `lasts` how long it is, as in `90min`, `2h` or `3d`. `timezone`
    is an IANA name. `coordinator` is who answers for a train, and for its `checklist`: what has to be ticked of each
    release that goes with it. `exemptions` are the releases that a freeze lets through.
    """

    name: Annotated[str, _NAME]
    kind: PeriodKind
    stages: Annotated[tuple[str, ...], Limits(items_min=1)]
    timezone: str = "UTC"
    begins: str = ""
    ends: str = ""
    cron: Annotated[str, _CRON] = ""
    lasts: Annotated[str, Limits(pattern="|[1-9][0-9]{0,4}(?:min|h|d)", meaning="a time such as 90min, 2h or 3d")] = ""
    coordinator: Annotated[str, _OPTIONAL_NAME] = ""
    checklist: tuple[Annotated[str, _ITEM], ...] = ()
    exemptions: tuple[Exemption, ...] = ()


_SECONDS = Limits(minimum=0, maximum=30 * 86_400)


@dataclass(frozen=True, slots=True)
class PreviewSettings:
    """`[environment.preview]`: a time before the first share of the traffic, for blue-green and canary.

    `by` is header (requests that ask for it, see the traffic's `preview_header`) or mirror (a copy of every request);
    "" means that there is none. It ends after `hold_s` seconds; with `approve` a person also has to say so. `approvals`
    is how many approvers of each role have to sign for what is previewed; no word ends it then. `url` is where it is
    seen, "" for where the environment is.
    """

    by: Annotated[str, Limits(choices=("", "header", "mirror"))] = ""
    hold_s: Annotated[int, _SECONDS] = 0
    approve: bool = False
    url: str = ""
    approvals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepSettings:
    """`[[environment.step]]`: one fixed step of a canary.

    `weight` is its share of the traffic, above 0 and below 1, and never falls from step to step. It is held for
    `hold_s` seconds; with `approve` a person also has to say that it goes on.
    """

    weight: float
    hold_s: Annotated[int, _SECONDS] = 0
    approve: bool = False


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """`[[environment.verify]]`: a command that is run after a deployment; unless it ends with 0, traffic goes back.

    `name` tells them apart. `command` is a list, no shell; `{url}`, `{version}`, `{package}`, `{environment}` and
    `{python}` are filled in. It is tried up to `attempts` times, `every_s` seconds apart, each at most `timeout_s`.
    With `before` it is tried on the preview, before users see the version.
    """

    name: Annotated[str, _PLAIN_NAME]
    command: Annotated[tuple[str, ...], Limits(items_min=1)]
    attempts: Annotated[int, Limits(minimum=1, maximum=1000)] = 10
    every_s: Annotated[int, Limits(minimum=0, maximum=3600)] = 5
    timeout_s: Annotated[int, Limits(minimum=1, maximum=3600)] = 60
    before: bool = False


@dataclass(frozen=True, slots=True)
class RehearsalSettings:
    """`[environment.rehearsal]`: what may be done there on purpose, to try its rollouts. Off by default.

    With `allowed` versions may be let fail there, and requests be made: with `method` (GET, HEAD or POST, which has no
    body), each of one of the `paths`, at most `rate_max` a second and `concurrency_max` at once. At most
    `errors_percent_max` per cent of a version's answers fail. It all ends after `seconds_max` seconds at the latest.
    While a canary is watched its traffic is filled up to `synthetic_rate` requests a second in all, where users make
    fewer; 0: it is not.
    """

    allowed: bool = False
    paths: Annotated[
        tuple[Annotated[str, Limits(pattern=r"/[!-~]{0,499}", meaning="a path that begins with /")], ...],
        Limits(items_min=1),
    ] = ("/",)
    method: Annotated[str, Limits(choices=METHODS)] = "GET"
    rate_max: Annotated[int, Limits(minimum=1, maximum=RATE_MAX)] = 50
    concurrency_max: Annotated[int, Limits(minimum=1, maximum=CONCURRENCY_MAX)] = 32
    errors_percent_max: Annotated[int, Limits(minimum=1, maximum=100)] = 20
    seconds_max: Annotated[int, Limits(minimum=1, maximum=SECONDS_MAX)] = 600
    synthetic_rate: Annotated[int, Limits(minimum=0, maximum=RATE_MAX)] = 0


@dataclass(frozen=True, slots=True)
class EphemeralSettings:
    """`[environment.ephemeral]`: an environment that comes and goes.

    `branches` is a glob: each branch that fits may have an environment of its own, made after this one, at most
    `branches_max` of them; "": there is this one alone. It lives for `lifetime_s` seconds, 0: until it is taken down.
    `up` and `down` are the five fields of a cron, at which it is brought up and taken down, told in `timezone`, an IANA
    name; "" for never. It is healthy when a GET of `health_path` is answered with 2xx or 3xx, tried up to
    `health_attempts` times, `health_every_s` seconds apart; "": nothing is asked.
    """

    branches: Annotated[str, _OPTIONAL_NAME] = ""
    branches_max: Annotated[int, Limits(minimum=1, maximum=100)] = 10
    lifetime_s: Annotated[int, _SECONDS] = 0
    up: Annotated[str, _CRON] = ""
    down: Annotated[str, _CRON] = ""
    timezone: str = "UTC"
    health_path: Annotated[str, Limits(pattern=r"|/[!-~]{0,499}", meaning="empty, or a path that begins with /")] = "/"
    health_attempts: Annotated[int, Limits(minimum=1, maximum=1000)] = 10
    health_every_s: Annotated[int, Limits(minimum=1, maximum=3600)] = 5

    @property
    def is_on(self) -> bool:
        """True if the environment comes and goes."""
        return bool(self.branches or self.lifetime_s or self.up or self.down)


@dataclass(frozen=True, slots=True)
class HotfixSettings:
    """`[environment.hotfix]`: the shorter way of a hotfix release, for a stated reason. Off by default.

    With `allowed` somebody may ask for it. The gates that `skip_gates` names are not asked then (`checklist` is one of
    those that can be named), `soak_s` takes the place of the environment's, and `approvals` are how many approvers of
    each role have to have said yes.
    """

    allowed: bool = False
    skip_gates: tuple[Annotated[str, _NAME], ...] = ()
    soak_s: Annotated[int, _SECONDS] = 0
    approvals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """`[[environment.check]]`: a threshold that a rollout is held to, beside the analysis of its canary.

    `name` tells the checks of an environment apart. `query` is asked of `metrics`, a table with a `provider` and that
    provider's own settings; in it `{environment}`, `{package}`, `{version}`, `{stable_version}`, `{group}` and `{role}`
    stand for those of the rollout. `figure` is one of Shipline's own counts of the canary, in place of a query:
    success_rate, error_rate (parts of 1), p50, p95, p99 (seconds) or requests. Values from `min` to `max` are good; one
    of both may be left out. `every_s` is the time between two readings, in seconds. `failures_max` is how many failed
    readings in a row are waited out, `inconclusive_max` how many that are no number. `mode` is gate, which turns a
    rollout back, or information, which is only recorded.
    """

    name: Annotated[str, _NAME]
    query: Annotated[str, Limits(pattern=r"[\s\S]{0,10000}", meaning="a query of at most 10000 characters")] = ""
    figure: Annotated[str, Limits(choices=("", "success_rate", "error_rate", "p50", "p95", "p99", "requests"))] = ""
    min: float | None = None
    max: float | None = None
    every_s: Annotated[int, Limits(minimum=1, maximum=86_400)] = 60
    failures_max: Annotated[int, Limits(minimum=0, maximum=1000)] = 0
    inconclusive_max: Annotated[int, Limits(minimum=0, maximum=1000)] = 3
    mode: Annotated[str, Limits(choices=("gate", "information"))] = "gate"
    # None and not an empty table: a check with a figure has no source, and an empty table would name one.
    metrics: Annotated[dict[str, Any] | None, ProviderTable("metrics", "prometheus")] = None


@dataclass(frozen=True, slots=True)
class SecretSettings:
    """An entry of `[environment.secrets]` has these beside its provider's own keys.

    `provider` is what reads the secret, and `key` what it is found by. `{ environment = "NAME" }` and
    `{ file = "/path" }` are short for the providers of these names.
    """

    provider: str
    key: Annotated[str, Limits(pattern=r"[^\x00-\x1f\x7f]{1,500}", meaning="1 to 500 characters of one line")]


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """`[[environment]]`: a place to deploy to; the order in the file is their order.

    `name` is 1 to 40 of a-z, 0-9 and `-`. `production` counts it in the DORA figures. `url` is where people find it.
    `strategy` is canary, blue-green, rolling, all-at-once or driven. `concurrency` is what becomes of a deployment that
    is ordered while another change of the environment is under way: refuse, queue or supersede. `instances` is how many
    serve. `drain_timeout_s` bounds the wait for open requests, in seconds. `preview` comes before the first share; the
    `step` tables fix the shares of a canary; rolling replaces `batch` copies at a time and waits `batch_hold_s`
    seconds between batches. `verify` lists commands that try out what was deployed. For `bake_s` seconds after that it
    can still turn back, and for `keep_warm_s` after that the version before is kept running. An alert from outside that
    begins in that time goes back to it, unless `alerts` leaves that to people. `after` names
    environments that a release has to have been deployed to, for `soak_s` seconds. `checklist` is what has to be ticked
    of each release that comes there, and `coordinator` who sees to that. `target`, `traffic`, `signals` and
    `canary` are tables of their own, checked by their owners; `signals` is where requests are counted. `check` lists
    the thresholds that rollouts are held to. Every `drift_every_s` seconds what runs there is compared with the
    record; 0: never. Of a rollout that waits for a person is told again every `remind_every_s` seconds; 0: never.
    `drill` are the five fields of a cron, at which the way back is rehearsed, told in
    `drill_timezone`, an IANA name; "": only when a person says so.
    `rehearsal` is what may be done there on purpose; `hotfix` is the shorter way of a hotfix; `ephemeral` says when it
    comes and goes.
    `variables` and `secrets` are environment variables of what is started there: the first are values, the second say
    where one is to be read when it is needed. `controller` is a table of its own, too: what brings versions to users
    there where the strategy is driven, and None elsewhere. `verdict_token` says where the token is that verdicts are
    asked for with; None: nobody may ask.
    """

    name: Annotated[str, Limits(pattern="[a-z0-9][a-z0-9-]{0,39}", meaning="1 to 40 of a-z, 0-9 and -")]
    production: bool = False
    url: str = ""
    strategy: Annotated[str, Limits(choices=("canary", "blue-green", "rolling", "all-at-once", "driven"))] = "canary"
    concurrency: Annotated[str, Limits(choices=("refuse", "queue", "supersede"))] = "refuse"
    instances: Annotated[int, Limits(minimum=1, maximum=100)] = 1
    drain_timeout_s: Annotated[int, Limits(minimum=1, maximum=86_400)] = 120
    preview: PreviewSettings = field(default_factory=PreviewSettings)
    step: tuple[StepSettings, ...] = ()
    batch: Annotated[int, Limits(minimum=1, maximum=100)] = 1
    batch_hold_s: Annotated[int, _SECONDS] = 0
    verify: tuple[VerifySettings, ...] = ()
    bake_s: Annotated[int, _SECONDS] = 0
    keep_warm_s: Annotated[int, _SECONDS] = 0
    alerts: Annotated[str, Limits(choices=("roll-back", "incident"))] = "roll-back"
    after: tuple[Annotated[str, _NAME], ...] = ()
    soak_s: Annotated[int, _SECONDS] = 0
    checklist: tuple[Annotated[str, _ITEM], ...] = ()
    coordinator: Annotated[str, _OPTIONAL_NAME] = ""
    drift_every_s: Annotated[int, _SECONDS] = 0
    remind_every_s: Annotated[int, _SECONDS] = 3600
    drill: str = ""
    drill_timezone: str = "UTC"
    rehearsal: RehearsalSettings = field(default_factory=RehearsalSettings)
    hotfix: HotfixSettings = field(default_factory=HotfixSettings)
    ephemeral: EphemeralSettings = field(default_factory=EphemeralSettings)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Annotated[dict[str, Any], SecretTable()]] = field(default_factory=dict)
    target: Annotated[dict[str, Any], ProviderTable("target", "process")] = field(default_factory=dict)
    traffic: Annotated[dict[str, Any], ProviderTable("traffic", "haproxy")] = field(default_factory=dict)
    signals: Annotated[dict[str, Any], ProviderTable("signals", "haproxy")] = field(default_factory=dict)
    controller: Annotated[dict[str, Any] | None, ProviderTable("controller")] = None
    verdict_token: Annotated[dict[str, Any] | None, SecretTable()] = None
    canary: Annotated[dict[str, Any], CanaryTable()] = field(default_factory=dict)
    check: tuple[CheckSettings, ...] = ()

    @property
    def held_at_most_s(self) -> int:
        """How long a rollout there holds its traffic because the settings say so, in seconds."""
        steps = sum(step.hold_s for step in self.step)
        batches = self.batch_hold_s * self.instances
        tries = sum(one.attempts * (one.every_s + one.timeout_s) for one in self.verify)
        return self.preview.hold_s + steps + batches + tries + self.bake_s


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file.

    `schema` is 1. `store` is the store's URL, "" for SQLite in `.shipline/`. `signer` is a table with a `provider` and
    that provider's own settings; `build` and `registry` list such tables. Without a registry nothing is published.
    `forge` is such a table, too; an empty one shows releases nowhere. `package`, `group`, `channel`, `test`, `gate`,
    `approver`, `waiver`, `calendar`, `bump`, `hook`, `remediation` (what is done about findings) and `environment` are
    lists of tables; `release` says how a release is made, `changelog` how it is told, `lint` what commit messages must
    be like, `gates` which ready-made gates hold, `scan` which scanners look at it, `compliance` which frameworks it has
    to keep, `keyless` where is signed by an identity, `automation` what is done by itself, `housekeeping` what keeps
    the forge in order, `assistant` who is asked for advice (an empty one: nobody); `advisories` by what shipped
    releases are examined, an empty one by nothing, `retention` how long what is stored is kept, `freezes` how long
    people may freeze, `waiving` what waivers are held to, `repository` how the repository is set up on the forge.
    """

    schema: Annotated[int, Limits(choices=(1,))] = 1
    store: str = ""
    package: tuple[PackageSettings, ...] = ()
    channel: tuple[ChannelSettings, ...] = ()
    group: tuple[GroupSettings, ...] = ()
    release: ReleaseSettings = field(default_factory=ReleaseSettings)
    lint: LintSettings = field(default_factory=LintSettings)
    bump: tuple[BumpSettings, ...] = ()
    automation: AutomationSettings = field(default_factory=AutomationSettings)
    housekeeping: HousekeepingSettings = field(default_factory=HousekeepingSettings)
    remediation: tuple[RemediationSettings, ...] = ()
    hook: tuple[HookSettings, ...] = ()
    repository: RepositorySettings = field(default_factory=RepositorySettings)
    sync: SyncSettings = field(default_factory=SyncSettings)
    changelog: ChangelogSettings = field(default_factory=ChangelogSettings)
    build: tuple[Annotated[dict[str, Any], ProviderTable("builder", common=BuildSettings)], ...] = ()
    test: tuple[TestSettings, ...] = ()
    scan: ScanSettings = field(default_factory=ScanSettings)
    registry: tuple[Annotated[dict[str, Any], ProviderTable("registry", common=RegistrySettings)], ...] = ()
    forge: Annotated[dict[str, Any], ProviderTable("forge")] = field(default_factory=dict)
    signer: Annotated[dict[str, Any], ProviderTable("signer", "file")] = field(default_factory=dict)
    gates: GatesSettings = field(default_factory=GatesSettings)
    gate: tuple[Gate, ...] = ()
    approver: tuple[Approver, ...] = ()
    waiving: WaivingSettings = field(default_factory=WaivingSettings)
    waiver: tuple[Waiver, ...] = ()
    calendar: tuple[CalendarSettings, ...] = ()
    compliance: ComplianceSettings = field(default_factory=ComplianceSettings)
    keyless: KeylessSettings = field(default_factory=KeylessSettings)
    freezes: FreezesSettings = field(default_factory=FreezesSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    environment: tuple[EnvironmentSettings, ...] = ()
    advisories: Annotated[dict[str, Any], ProviderTable("advisories", common=AdvisoriesSettings, may_be_empty=True)] = (
        field(default_factory=dict)
    )
    assistant: Annotated[dict[str, Any], ProviderTable("assistant", common=AssistantSettings, may_be_empty=True)] = (
        field(default_factory=dict)
    )
