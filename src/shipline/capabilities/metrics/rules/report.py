"""The figures of a project, and of each of its services."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from shipline.capabilities.metrics.rules.figures import Dora, Figure, measure
from shipline.capabilities.metrics.rules.history import History
from shipline.capabilities.metrics.rules.judgement import judge
from shipline.capabilities.metrics.rules.window import Window

NO_ENVIRONMENT = "no environment is marked as production"


@dataclass(frozen=True, slots=True)
class Service:
    """One package in one environment."""

    package: str
    environment: str
    dora: Dora


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a window as the log told them at `made_us` (UTC microseconds).

    `project` is made of all deployments of the services, not of their figures. `erased_events` could not be read.
    """

    window: Window
    made_us: int
    environments: tuple[str, ...]
    project: Dora
    services: tuple[Service, ...]
    erased_events: int


def make_report(
    history: History, window: Window, environments: Collection[str], *, made_us: int, erased_events: int
) -> Report:
    """Judge every service in `environments`, then measure each and all together."""
    places = {(one.package, one.environment) for one in history.deployments.values() if one.environment in environments}
    judged = {place: judge(history, *place) for place in sorted(places)}
    project = measure([one for each in judged.values() for one in each], window)
    return Report(
        window=window,
        made_us=made_us,
        environments=tuple(environments),
        project=project if environments else _for_want_of_environments(project),
        services=tuple(Service(*place, measure(each, window)) for place, each in judged.items()),
        erased_events=erased_events,
    )


def _for_want_of_environments(dora: Dora) -> Dora:
    def explained(figure: Figure) -> Figure:
        return replace(figure, reason=NO_ENVIRONMENT)

    return replace(
        dora,
        deployment_frequency=explained(dora.deployment_frequency),
        lead_time_median=explained(dora.lead_time_median),
        lead_time_p90=explained(dora.lead_time_p90),
        change_fail_rate=explained(dora.change_fail_rate),
        recovery_time_median=explained(dora.recovery_time_median),
        rework_rate=explained(dora.rework_rate),
    )
