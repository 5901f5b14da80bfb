"""Checks what `load_settings` leaves to others: the tables of providers and rooms, and the rules of the gates.

Kept apart from loading because it imports those owners, for which `shipline plan` has no time.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shipline.clients.ssh_signatures import checked_public_key
from shipline.configuration.asked_gates import gates_of
from shipline.configuration.assistant_checks import assistant_complaints
from shipline.configuration.command_checks import command_complaints
from shipline.configuration.driven import driven_complaints, is_left_out
from shipline.configuration.given import check_given, read_secret
from shipline.configuration.hooks import hook_complaints
from shipline.configuration.hotfixes import hotfix_complaints
from shipline.configuration.limits import notes_of
from shipline.configuration.load import read_table
from shipline.configuration.milestone_checks import milestone_complaints
from shipline.configuration.policy import calendar_rule
from shipline.configuration.previews import preview_complaints
from shipline.configuration.providers import check_provider_table, read_provider, read_registry
from shipline.configuration.remediation_checks import remediation_complaints
from shipline.configuration.repository import repository_complaints
from shipline.configuration.root import FILE_NAME
from shipline.configuration.scanning import scan_complaints
from shipline.configuration.settings import (
    CalendarSettings,
    CanaryTable,
    CheckSettings,
    EnvironmentSettings,
    LintRulesTable,
    LintSettings,
    PackageSettings,
    Settings,
    VersionFileSettings,
)
from shipline.configuration.syncing import SyncSettings
from shipline.configuration.tables import ProviderTable
from shipline.configuration.waivers import waiver_complaints
from shipline.domain.calendar import CalendarRule, PeriodKind
from shipline.domain.codec import to_json
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.gate import PULL_STAGE
from shipline.domain.version_file import VersionFile
from shipline.ports.traffic import Holding

if TYPE_CHECKING:
    from shipline.capabilities.rollouts import AnalysisSettings, CheckRule, Strategy
    from shipline.domain.gate import Gate

WEIGHT_MAX = 0.5
# Whom a canary hurts it hurts until the next look; and what is to take longer than a month is a mistake.
TICK_S_MAX = 600.0
CANARY_S_MAX = 30 * 86_400.0
# Hundreds at most are ever wanted of the first two: what is larger is a mistake, such as a percentage or a rate.
CANARY_MOST = {"harm_budget_requests": 100_000.0, "first_requests": 100_000.0, "growth": 100.0}
CANARY_TIMES = ("warm_up_s", "promote_after_s", "deadline_s", "react_s", "growth_period_s", "ramp_every_s")


def check_settings(settings: Settings) -> None:
    """Refuse settings that some part would refuse later, in the middle of its work. Raises ConfigurationError."""
    for problem in problems(settings):
        raise problem


def problems(settings: Settings) -> Iterator[ConfigurationError]:
    """Everything that is wrong, each as the error that it is."""
    yield from _tables(settings, FILE_NAME)
    yield from _registries(settings)
    yield from _signer(settings)
    yield from _tables(settings.lint, FILE_NAME)
    yield from _tables(settings.sync, f"{FILE_NAME}, [sync]")
    yield from _sync(settings)
    yield from scan_complaints(settings.scan)
    yield from _frameworks(settings)
    yield from _hooks(settings)
    yield from milestone_complaints(settings)
    yield from command_complaints(settings)
    yield from assistant_complaints(settings)
    yield from remediation_complaints(settings)
    yield from repository_complaints(settings.repository)
    yield from _webhook_secrets(settings)
    for environment in settings.environment:
        yield from _tables(environment, f"{FILE_NAME}, environment {environment.name}")
        yield from _strategy(environment)
        yield from _checks(environment)
        yield from _counted(environment)
        yield from _drill(environment)
        yield from _together(environment)
        yield from _ephemeral(environment, settings.environment)
        yield from _rehearsal(environment)
        yield from _given(environment)
        yield from _checklist(f"{FILE_NAME}: {environment.name}", environment)
        yield from preview_complaints(environment, settings.approver)
        yield from hotfix_complaints(environment, settings)
        yield from driven_complaints(environment)
    for gate in settings.gate:
        yield from _gate(gate)
    yield from _gate_sets(settings)
    yield from _approvers(settings)
    yield from waiver_complaints(settings)
    yield from _calendar(settings)
    for package in settings.package:
        yield from _version_files(package)
        yield from _scheme(package)


def _signer(settings: Settings) -> Iterator[ConfigurationError]:
    table = settings.signer.get("password")
    if not isinstance(table, dict) or not table:
        return
    try:
        read_secret(table)
    except ConfigurationError as error:
        what = f"{FILE_NAME}: the password of the signer: {error.what}"
        yield ConfigurationError(what, why=error.why, todo=error.todo)


def _sync(settings: Settings) -> Iterator[ConfigurationError]:
    other = settings.sync.forge
    if not other:
        return
    if not (other.get("provider") and other.get("repository")):
        yield ConfigurationError(
            f"{FILE_NAME}: [sync.forge] does not say which forge it is", todo="set its provider and repository"
        )
    if not settings.forge:
        yield ConfigurationError(
            f"{FILE_NAME}: [sync] has nothing to keep alike with the other forge", todo="say in [forge] what is here"
        )


def _hooks(settings: Settings) -> Iterator[ConfigurationError]:
    yield from hook_complaints(settings.hook, FILE_NAME)
    for hook in settings.hook:
        for table in hook.secrets:
            try:
                read_secret(table)
            except ConfigurationError as error:
                what = f"{FILE_NAME}: a secret of the hooks of {hook.forge}: {error.what}"
                yield ConfigurationError(what, why=error.why, todo=error.todo)


def _webhook_secrets(settings: Settings) -> Iterator[ConfigurationError]:
    said = [(f"the secret of the webhook to {one.url}", one.secret) for one in settings.repository.webhook]
    said += [(f"the secret {one.name} of CI", one.value) for one in settings.repository.secret]
    for name, table in said:
        try:
            read_secret(table)
        except ConfigurationError as error:
            what = f"{FILE_NAME}: {name}: {error.what}"
            yield ConfigurationError(what, why=error.why, todo=error.todo)


def _approvers(settings: Settings) -> Iterator[ConfigurationError]:
    for approver in settings.approver:
        try:
            checked_public_key(approver.key)
        except ConfigurationError as error:
            what = f"{FILE_NAME}: the approver {approver.name!r} has no key that is one"
            yield ConfigurationError(what, why=error.what, todo=error.todo)
        for handle in approver.owns:
            if not handle.startswith("@"):
                yield ConfigurationError(
                    f"{FILE_NAME}: the approver {approver.name!r} owns {handle[:60]!r}, which no CODEOWNERS names so",
                    todo="write an account or a team as it stands there: @ann, @acme/backend",
                )


def _calendar(settings: Settings) -> Iterator[ConfigurationError]:
    if not settings.calendar:
        return
    from shipline.capabilities.gates import check_rule  # noqa: PLC0415 - brings the CEL library

    stages = ("release", PULL_STAGE, *(environment.name for environment in settings.environment))
    approvers = [approver.name for approver in settings.approver]
    for table in settings.calendar:
        yield from _checklist(f"{FILE_NAME}: the train {table.name!r}", table)
        for each in table.exemptions:
            if each.approver not in approvers:
                yield ConfigurationError(
                    f"{FILE_NAME}: an exemption of the freeze {table.name!r} names {each.approver[:60]!r} as approver",
                    why="an exemption counts once somebody who may approve has signed it",
                    todo=f"known ones: {', '.join(approvers) or 'none'}; another needs an [[approver]]",
                )
        try:
            check_rule(calendar_rule(table), stages)
        except ConfigurationError as error:
            yield ConfigurationError(f"{FILE_NAME}: {error.what}", why=error.why, todo=error.todo)


def _checklist(what: str, owner: EnvironmentSettings | CalendarSettings) -> Iterator[ConfigurationError]:
    if not owner.checklist:
        return
    from shipline.capabilities.gates import check_checklist  # noqa: PLC0415 - brings the CEL library

    try:
        check_checklist(what, owner.checklist, owner.coordinator)
    except ConfigurationError as error:
        yield error


def read_canary(table: dict[str, Any]) -> AnalysisSettings:
    """The settings of the canary analysis from their table. Raises ConfigurationError."""
    from shipline.capabilities.rollouts import AnalysisSettings  # noqa: PLC0415 - brings database and engine

    settings = read_table(AnalysisSettings, table, "canary")
    if settings.weight_max > WEIGHT_MAX:
        raise ConfigurationError(f"canary: weight_max is at most {WEIGHT_MAX}, since the baseline gets as much")
    if settings.tick_s > TICK_S_MAX:
        raise ConfigurationError(f"canary: tick_s is at most {TICK_S_MAX:g}, since nobody looks in between")
    for name in CANARY_TIMES:
        if getattr(settings, name) > CANARY_S_MAX:
            raise ConfigurationError(f"canary: {name} is at most {CANARY_S_MAX:.0f}, which is 30 days")
    for name, most in CANARY_MOST.items():
        if getattr(settings, name) > most:
            raise ConfigurationError(f"canary: {name} is at most {most:.0f}")
    return settings


def read_strategy(environment: EnvironmentSettings) -> Strategy:
    """How rollouts move the traffic there. Raises ConfigurationError where the keys do not go together."""
    from shipline.capabilities.rollouts import (  # noqa: PLC0415 - brings database and engine
        Preview,
        PreviewBy,
        Strategy,
        StrategyKind,
        WeightStep,
    )

    asked = environment.preview
    try:
        return Strategy(
            kind=StrategyKind(environment.strategy),
            preview=Preview(PreviewBy(asked.by), asked.hold_s, asked.approve, asked.approvals) if asked.by else None,
            steps=tuple(WeightStep(step.weight, step.hold_s, step.approve) for step in environment.step),
            batch=environment.batch,
            batch_hold_s=environment.batch_hold_s,
            bake_s=environment.bake_s,
            keep_warm_s=environment.keep_warm_s,
        )
    except InvalidValue as error:
        raise ConfigurationError(f"{FILE_NAME}, environment {environment.name}: {error.what}") from error


def _strategy(environment: EnvironmentSettings) -> Iterator[ConfigurationError]:
    try:
        read_strategy(environment)
    except ConfigurationError as error:
        yield error


LATE_S = 3600
PORT_MAX = 65_535


def drill_rule(environment: EnvironmentSettings) -> CalendarRule:
    """When drills of an environment may begin: from each time that its cron names, for an hour."""
    return CalendarRule(
        name=f"drill of {environment.name}",
        kind=PeriodKind.WINDOW,
        stages=(environment.name,),
        timezone=environment.drill_timezone,
        cron=environment.drill,
        lasts_s=LATE_S,
    )


def _drill(environment: EnvironmentSettings) -> Iterator[ConfigurationError]:
    if not environment.drill:
        return
    from shipline.capabilities.gates import check_rule  # noqa: PLC0415 - brings the CEL library

    try:
        check_rule(drill_rule(environment), (environment.name,))
    except ConfigurationError as error:
        what = f"{FILE_NAME}, environment {environment.name}, drill: {error.what}"
        yield ConfigurationError(what, why=error.why, todo=error.todo)


def _rehearsal(environment: EnvironmentSettings) -> Iterator[ConfigurationError]:
    said, where = environment.rehearsal, f"{FILE_NAME}, environment {environment.name}, rehearsal"
    if said.synthetic_rate and not said.allowed:
        yield ConfigurationError(f"{where}: synthetic_rate sends requests, and none are allowed", todo="set `allowed`")
    if said.synthetic_rate > said.rate_max:
        yield ConfigurationError(f"{where}: synthetic_rate is at most rate_max, which is {said.rate_max}")


def life_rule(environment: EnvironmentSettings, verb: str) -> CalendarRule:
    """When an ephemeral environment is to come up, or to go down: from each time that its cron names, for an hour."""
    return CalendarRule(
        name=f"{verb} of {environment.name}",
        kind=PeriodKind.WINDOW,
        stages=(environment.name,),
        timezone=environment.ephemeral.timezone,
        cron=getattr(environment.ephemeral, verb),
        lasts_s=LATE_S,
    )


def _ephemeral(
    environment: EnvironmentSettings, everyone: tuple[EnvironmentSettings, ...]
) -> Iterator[ConfigurationError]:
    said, where = environment.ephemeral, f"{FILE_NAME}, environment {environment.name}, ephemeral"
    if not said.is_on:
        return
    if environment.production:
        yield ConfigurationError(f"{where}: production does not come and go", todo="take out production, or the table")
    if environment.preview.approve or environment.preview.approvals:
        yield ConfigurationError(
            f"{where}: nobody approves what comes up in an environment that comes and goes",
            why="nothing serves when it begins, so its first version is not previewed, and a plan is applied at once",
            todo="take out `approve` of its preview, or the table",
        )
    yield from _life_times(environment, where)
    if not said.branches:
        return
    first = environment.traffic.get("port")
    if environment.traffic.get("provider", "haproxy") != "haproxy" or not isinstance(first, int):
        yield ConfigurationError(
            f"{where}: environments for branches need the traffic provider haproxy",
            why="each of them is served on a port of its own, those above the one that is named",
        )
        return
    last = first + said.branches_max
    taken = [one.name for one in everyone if first < _port(one) <= last]
    if last > PORT_MAX or taken:
        whose = f"{taken[0]} is served on one of them" if taken else f"{PORT_MAX} is the last one"
        yield ConfigurationError(f"{where}: its branches would be served on the ports {first + 1} to {last}", why=whose)


def _port(environment: EnvironmentSettings) -> int:
    port = environment.traffic.get("port")
    return port if isinstance(port, int) else 0


def _life_times(environment: EnvironmentSettings, where: str) -> Iterator[ConfigurationError]:
    from shipline.capabilities.gates import check_rule  # noqa: PLC0415 - brings the CEL library

    for verb in ("up", "down"):
        if not getattr(environment.ephemeral, verb):
            continue
        try:
            check_rule(life_rule(environment, verb), (environment.name,))
        except ConfigurationError as error:
            yield ConfigurationError(f"{where}, {verb}: {error.what}", why=error.why, todo=error.todo)


def read_check(table: CheckSettings) -> CheckRule:
    """The threshold that a `[[environment.check]]` states. Raises ConfigurationError."""
    from shipline.capabilities.rollouts import CheckMode, CheckRule  # noqa: PLC0415 - brings database and engine
    from shipline.ports.metrics import Language  # noqa: PLC0415 - the same

    if table.figure and table.metrics is not None:
        raise ConfigurationError(
            "a figure is counted by Shipline itself, and has no metrics", todo="leave the table metrics out"
        )
    kind = read_provider("metrics", table.metrics or {}, default="prometheus")[0] if table.query else None
    try:
        return CheckRule(
            name=table.name,
            query=table.query,
            figure=table.figure,
            value_min=table.min,
            value_max=table.max,
            every_s=table.every_s,
            failures_max=table.failures_max,
            inconclusive_max=table.inconclusive_max,
            mode=CheckMode(table.mode),
            language=Language.PROMQL if kind is None else kind.language,
        )
    except InvalidValue as error:
        raise ConfigurationError(error.what, why=error.why, todo=error.todo) from None


def _checks(environment: EnvironmentSettings) -> Iterator[ConfigurationError]:
    if not environment.check:
        return
    from shipline.capabilities.rollouts import CHECKS_MAX  # noqa: PLC0415 - brings database and engine

    where = f"{FILE_NAME}, environment {environment.name}"
    if len(environment.check) > CHECKS_MAX:
        yield ConfigurationError(f"{where}: {len(environment.check)} checks, and {CHECKS_MAX} are the most")
    for table in environment.check:
        try:
            read_check(table)
        except ConfigurationError as error:
            place = f"{where}, check {table.name[:60]!r}"
            yield ConfigurationError(f"{place}: {error.what}", why=error.why, todo=error.todo)


def _counted(environment: EnvironmentSettings) -> Iterator[ConfigurationError]:
    """What is judged by counts of requests needs a source of them: a proxy's own log is that of no other."""
    reasons = ["the strategy canary"] if environment.strategy == "canary" else []
    reasons += [f"the check {check.name!r} of a figure" for check in environment.check if check.figure]
    if not reasons:
        return
    routed_by = environment.traffic.get("provider", "haproxy")
    name = environment.signals.get("provider", "haproxy")
    try:
        only: str = read_provider("signals", environment.signals, default="haproxy")[0].traffic
    except ConfigurationError:
        return  # Its table's own check says why.
    if only in ("", routed_by):
        return
    yield ConfigurationError(
        f"{FILE_NAME}, environment {environment.name}: nobody counts the requests there, and {reasons[0]} needs that",
        why=f"the signals provider {name} counts what the traffic provider {only} serves, and traffic is {routed_by}'s",
        todo="add [environment.signals] with a provider such as prometheus, or choose another strategy",
    )


def _together(environment: EnvironmentSettings) -> Iterator[ConfigurationError]:
    """A platform that runs and routes in one is both; where its way back holds a version, there is no drill."""
    try:
        runs, _ = read_provider("target", environment.target, default="process")
        routes, _ = read_provider("traffic", environment.traffic, default="haproxy")
    except ConfigurationError:
        return  # Its table's own check says why.
    where = f"{FILE_NAME}, environment {environment.name}"
    names = environment.target.get("provider", "process"), environment.traffic.get("provider", "haproxy")
    if getattr(runs, "routed_by", names[1]) != names[1] or getattr(routes, "run_by", names[0]) != names[0]:
        yield ConfigurationError(
            f"{where}: the target {names[0]} and the traffic {names[1]} do not go together",
            todo=f"set provider = {(names[0] if hasattr(runs, 'routed_by') else names[1])!r} in both tables",
        )
    if environment.drill and issubclass(routes, Holding):
        yield ConfigurationError(
            f"{where}: there is no drill with the traffic provider {names[1]}",
            why="its way back holds the version that it leaves, so there is no way forth",
            todo="leave drill out",
        )


def _given(environment: EnvironmentSettings) -> Iterator[ConfigurationError]:
    try:
        check_given(environment)
    except ConfigurationError as error:
        yield error


def _registries(settings: Settings) -> Iterator[ConfigurationError]:
    """Two of one name could not be told apart on record; a package that is none would be published nowhere."""
    names: list[str] = []
    packages = [package.name for package in settings.package]
    for table in settings.registry:
        try:
            said = read_registry(table)[0]
        except ConfigurationError:
            continue  # Its table's own check says why.
        if said.name in names:
            yield ConfigurationError(
                f"{FILE_NAME}: two [[registry]] tables are named {said.name!r}", todo="give each a `name` of its own"
            )
        names.append(said.name)
        for unknown in (name for name in said.packages if packages and name not in packages):
            yield ConfigurationError(
                f"{FILE_NAME}, registry {said.name}: there is no package {unknown[:60]!r}",
                todo=f"known ones: {', '.join(packages)}",
            )


def _frameworks(settings: Settings) -> Iterator[ConfigurationError]:
    named = [name for name in settings.compliance.required if not name.endswith(".toml")]
    if not named:
        return
    from shipline.capabilities.gates import FRAMEWORKS  # noqa: PLC0415 - brings the CEL library

    for name in named:
        if name not in FRAMEWORKS:
            yield ConfigurationError(
                f"{FILE_NAME}, compliance: there is no framework {name[:60]!r}",
                todo=f"known ones: {', '.join(FRAMEWORKS)}; one of your own is the path of a .toml file",
            )


def _tables(
    owner: Settings | LintSettings | SyncSettings | EnvironmentSettings, where: str
) -> Iterator[ConfigurationError]:
    for name, hint in typing.get_type_hints(type(owner), include_extras=True).items():
        if isinstance(owner, EnvironmentSettings) and is_left_out(owner, name):
            continue
        for note, table in _noted(hint, getattr(owner, name)):
            try:
                _check_table(note, table)
            except ConfigurationError as error:
                yield ConfigurationError(f"{where}, {error.what}", why=error.why, todo=error.todo)


def _noted(hint: Any, value: Any) -> Iterator[tuple[object, Any]]:
    """Each note of a setting with the value that it is about: of a list, every entry's."""
    kind, notes = notes_of(hint)
    yield from ((note, value) for note in notes)
    if typing.get_origin(kind) is tuple:
        for item in value:
            yield from _noted(typing.get_args(kind)[0], item)


def _check_table(note: object, table: dict[str, Any]) -> None:
    if isinstance(note, ProviderTable):
        check_provider_table(note, table)
    elif isinstance(note, CanaryTable):
        read_canary(table)
    elif isinstance(note, LintRulesTable):
        _check_lint_rules(table)


def _check_lint_rules(table: dict[str, Any]) -> None:
    from shipline.capabilities.plans import read_lint_rules  # noqa: PLC0415 - loading has no need of it

    read_lint_rules(table)


def _version_files(package: PackageSettings) -> Iterator[ConfigurationError]:
    from shipline.capabilities.version_files import check_choice  # noqa: PLC0415 - few packages need it

    for file in package.version_files:
        try:
            if isinstance(file, VersionFileSettings):
                check_choice(VersionFile(file.path, file.kind, file.pattern))
        except ConfigurationError as error:
            where = f"{FILE_NAME}, package {package.name[:60]!r}"
            yield ConfigurationError(f"{where}: {error.what}", why=error.why, todo=error.todo)


def _scheme(package: PackageSettings) -> Iterator[ConfigurationError]:
    from shipline.capabilities.plans import scheme_named  # noqa: PLC0415 - loading has no need of it

    try:
        scheme_named(package.scheme or "semver")
    except InvalidValue as error:
        where = f"{FILE_NAME}, package {package.name[:60]!r}"
        yield ConfigurationError(f"{where}: {error.what}", why=error.why, todo=error.todo)


def _gate(gate: Gate) -> Iterator[ConfigurationError]:
    from shipline.capabilities.gates import read_gates  # noqa: PLC0415 - brings the CEL library

    try:
        read_gates([to_json(gate)])
    except ConfigurationError as error:
        yield ConfigurationError(f"{FILE_NAME}, gate {gate.name[:60]!r}: {error.what}", why=error.why, todo=error.todo)


def _gate_sets(settings: Settings) -> Iterator[ConfigurationError]:
    try:
        gates_of(settings)
    except ConfigurationError as error:
        yield ConfigurationError(f"{FILE_NAME}: {error.what}", why=error.why, todo=error.todo)
