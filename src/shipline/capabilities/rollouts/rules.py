"""Pure decisions of a rollout: from what a canary and an equally young baseline experienced to a weight and a verdict.

Evidence is an e-value (`statistics.e_process`): errors and latency each bet a part of the capital, so that one alpha
covers both. A guard with its own part of alpha acts on the first requests. The weight follows a harm budget: it is
the largest at which a canary as bad as can still be believed costs no more than the budget while one reacts.
Promotion needs evidence too: time, calm, and an excess failure probability that is ruled out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from shipline.capabilities.rollouts.analysis import (
    AnalysisSettings,
    AnalysisState,
    AnalysisVerdict,
    Arms,
    ArmTally,
    Decision,
    Observation,
    Tally,
)
from shipline.domain.errors import InvalidValue
from shipline.ports.signals import Counts
from shipline.statistics import bounds, e_process, quantiles
from shipline.statistics.e_process import Mixture

ERRORS_SHARE = 0.6
"""Part of the capital that bets on errors; the latency thresholds bet the rest in equal parts."""
SLOW_SHARES = (0.05, 0.01)
"""A request is slow above the p95, and above the p99, of the stable version."""
GUARD_FAILING, GUARD_HEALTHY = 0.95, 0.25
"""The guard weighs "95% of the canary's requests fail" against "at most a quarter does"."""
GUARD_COMPARISON_MIN = 20.0
"""The guard also needs this e-value of canary against baseline, so that an outage of both is not the canary's fault."""
GUARD_MIXTURE = Mixture(tolerance=1.1, ratios=(1000.0,), shares=(1.0,), share_from_start=1.0)
SOAK_FROM = 0.5
"""From this part of `promote_after_s` on a calm canary grows to the largest weight, whatever its bound says."""


def begin(
    settings: AnalysisSettings, *, rate_per_s: float, stable_histogram: Sequence[int] = ()
) -> tuple[AnalysisState, float]:
    """The state before the first tick, and the canary's first weight.

    `rate_per_s` is the traffic of all arms together as seen before the rollout, 0 where none was seen: then the
    canary begins at the smallest weight. `stable_histogram` is the stable version's latency before the rollout, from
    which the thresholds are read; the baseline's own latency is added to it as it comes in.
    """
    if not 0.0 <= rate_per_s < math.inf:
        raise InvalidValue(f"a rate of requests is a number from 0 up, found {rate_per_s}")
    weight = settings.weight_min
    if rate_per_s > 0.0:
        weight = _within(settings, settings.first_requests / (rate_per_s * settings.tick_s))
    state = AnalysisState(
        weight=weight,
        next_ramp_s=settings.ramp_every_s,
        last_ramp_s=0.0,
        last_s=0.0,
        rate_per_s=rate_per_s,
        share_s=0.0,
        errors=e_process.begin(settings.errors_mixture),
        latency=tuple(e_process.begin(settings.latency_mixture(warming_up=True)) for _ in SLOW_SHARES),
        guard_comparison=e_process.begin(GUARD_MIXTURE),
        guard_absolute=0.0,
        pending=Tally(),
        total=Tally(),
        history=tuple(stable_histogram),
    )
    return state, weight


def decide(settings: AnalysisSettings, state: AnalysisState, observation: Observation, now_s: float) -> Decision:
    """Take in one tick that ended at `now_s` and say what follows.

    Raises InvalidValue for an observation that cannot be (negative counts, more failures than requests, a histogram
    on other edges, a weight or time that is no number). A tick without traffic leaves the evidence as it was.
    """
    _check(state, observation, now_s)
    state = _observed(settings, state, observation, now_s)
    if _guard_fires(settings, state):
        return _ended(state, AnalysisVerdict.ROLLBACK, "The canary's first requests failed. " + _counts(state))
    if evidence(settings, state) >= settings.rollback_evidence:
        return _ended(state, AnalysisVerdict.ROLLBACK, _blame(state) + " " + _standing(settings, state))
    missing = _missing(settings, state, now_s)
    if not missing:
        return _ended(state, AnalysisVerdict.PROMOTE, _ruled_out(settings, state) + " " + _standing(settings, state))
    if now_s >= settings.deadline_s:
        return Decision(state, state.weight, AnalysisVerdict.PAUSE, _insufficient(settings, state, missing))
    state = _ramped(settings, state, now_s)
    reason = f"Waiting for {missing}. " + _standing(settings, state)
    return Decision(state, state.weight, AnalysisVerdict.CONTINUE, reason)


def evidence(settings: AnalysisSettings, state: AnalysisState) -> float:
    """Evidence that the canary is worse: below 1 at the start, rolled back at 1 / alpha; at most VALUE_MAX."""
    slow = sum(e_process.value(process) for process in state.latency) / len(state.latency)
    mixed = ERRORS_SHARE * e_process.value(state.errors) + (1.0 - ERRORS_SHARE) * slow
    return (1.0 - settings.guard_share) * mixed


def excess_upper(settings: AnalysisSettings, state: AnalysisState) -> float:
    """The smallest excess of the canary's failure probability that is ruled out at 1 - alpha; 1 without traffic."""
    return bounds.excess_upper(state.total.failing, alpha=settings.alpha)


def _within(settings: AnalysisSettings, weight: float) -> float:
    return min(max(weight, settings.weight_min), settings.weight_max)


def _check(state: AnalysisState, observation: Observation, now_s: float) -> None:
    if not (0.0 <= observation.weight <= 1.0 and 0.0 <= now_s < math.inf):
        raise InvalidValue(f"impossible weight or time: {observation.weight} at {now_s}")
    if observation.seconds is not None and not 0.0 <= observation.seconds < math.inf:
        raise InvalidValue(f"impossible length of a tick: {observation.seconds} s")
    buckets = len(state.history) or len(observation.baseline.histogram)
    arms = [Arms(observation.canary, observation.baseline), observation.least, observation.most]
    named = [each for one in arms if one for each in (("canary", one.canary), ("baseline", one.baseline))]
    for name, counts in named:
        if not 0 <= counts.error_clients <= counts.errors <= counts.requests:
            raise InvalidValue(f"impossible counts of the {name}: clients, errors and requests do not fit")
        if len(counts.histogram) != buckets or min(counts.histogram, default=0) < 0:
            raise InvalidValue(f"the {name}'s histogram must have {buckets} counts from 0 up")


# --- taking in a tick ------------------------------------------------------------------------------------------------


def _observed(
    settings: AnalysisSettings, state: AnalysisState, observation: Observation, now_s: float
) -> AnalysisState:
    # The thresholds come from earlier ticks only: a threshold that could see its own tick might favour an arm.
    edges = [quantiles.nearest_edge(state.history, share) for share in SLOW_SHARES]
    tick = _tally(Arms(observation.canary, observation.baseline), edges)
    young = observation.baseline.histogram
    seconds = max(0.0, now_s - state.last_s) if observation.seconds is None else observation.seconds
    state = replace(
        state,
        history=tuple(map(sum, zip(state.history, young, strict=True))) if state.history else young,
        pending=state.pending.plus(_compared(observation, tick, edges)),
        total=state.total.plus(tick),
        share_s=state.share_s + observation.weight * seconds,
        last_s=max(now_s, state.last_s),
        share_seen=observation.weight,
        risen_s=state.last_s if observation.weight > state.share_seen else state.risen_s,
        guard_absolute=state.guard_absolute + _guard_step(tick.canary),
    )
    # The end of a block may depend on how much traffic there was, never on how it was split or what failed.
    if state.pending.canary.requests + state.pending.baseline.requests < settings.block_requests:
        return state
    return _counted(settings, state)


def _tally(arms: Arms, edges: Sequence[int | None]) -> Tally:
    return Tally(canary=_arm(arms.canary, edges), baseline=_arm(arms.baseline, edges))


def _compared(observation: Observation, tick: Tally, edges: Sequence[int | None]) -> Tally:
    """What of a tick may bear evidence: all of it, where both arms were counted at the same moments.

    Else the bet is made on what is worst for it. What it wins (`statistics.e_process`) rises with the canary's
    failures and falls with its requests; it falls with the baseline's failures and rises with its requests. So it never
    wins more than on the counts of one time, which nobody knows, and the promise holds as it stands: an incident that
    strikes both arms while only one has been counted is no evidence.
    """
    if not observation.is_one_split:
        return Tally()
    if observation.least is None or observation.most is None:
        return tick
    least, most = _tally(observation.least, edges), _tally(observation.most, edges)
    return Tally(_failing(least.canary, most.canary), _failing(most.baseline, least.baseline))


def _failing(failing: ArmTally, among: ArmTally) -> ArmTally:
    """The failures of one among the requests of the other. Where all fail no bet wins, however many more might."""
    return ArmTally(
        requests=among.requests,
        counted=among.counted,
        failures=min(failing.failures, among.counted),
        slow=tuple(min(count, among.requests) for count in failing.slow),
    )


def _arm(counts: Counts, edges: Sequence[int | None]) -> ArmTally:
    slow = (0 if edge is None else quantiles.exceedances(counts.histogram, edge) for edge in edges)
    return ArmTally(
        requests=counts.requests,
        counted=counts.requests - (counts.errors - counts.error_clients),
        failures=counts.error_clients,
        slow=tuple(min(count, counts.requests) for count in slow),
    )


def _guard_step(canary: ArmTally) -> float:
    successes = canary.counted - canary.failures
    failing = canary.failures * math.log(GUARD_FAILING / GUARD_HEALTHY)
    return failing + successes * math.log((1 - GUARD_FAILING) / (1 - GUARD_HEALTHY))


def _counted(settings: AnalysisSettings, state: AnalysisState) -> AnalysisState:
    # By the share alone, which was set before any of it was seen; where the block began in the warming, all of it did.
    block, warming_up = state.pending, state.counted_s < state.risen_s + settings.warm_up_s
    latency = settings.latency_mixture(warming_up=warming_up)
    return replace(
        state,
        counted_s=state.last_s,
        errors=e_process.update(settings.errors_mixture, state.errors, block.failing),
        latency=tuple(
            e_process.update(latency, process, block.slow(threshold)) for threshold, process in enumerate(state.latency)
        ),
        guard_comparison=e_process.update(GUARD_MIXTURE, state.guard_comparison, block.failing),
        pending=Tally(),
    )


def _guard_fires(settings: AnalysisSettings, state: AnalysisState) -> bool:
    if state.guard_absolute < -math.log(settings.alpha * settings.guard_share):
        return False
    canary, baseline = state.total.canary, state.total.baseline
    # A baseline that gets nothing cannot speak for the canary; then the absolute evidence must do.
    alone = baseline.requests == 0 and canary.counted >= settings.block_requests
    return alone or e_process.value(state.guard_comparison) >= GUARD_COMPARISON_MIN


# --- the ramp --------------------------------------------------------------------------------------------------------


def _ramped(settings: AnalysisSettings, state: AnalysisState, now_s: float) -> AnalysisState:
    calm = evidence(settings, state) < settings.evidence_calm
    # The weight stays within a block of pooled ticks: the evidence needs one chance per block of being the canary's.
    if not calm or now_s < state.next_ramp_s or state.pending != Tally():
        return state
    elapsed_s = min(now_s - state.last_ramp_s, settings.growth_period_s)
    largest = state.weight * settings.growth ** (elapsed_s / settings.growth_period_s)
    soaking = now_s >= SOAK_FROM * settings.promote_after_s
    target = _within(settings, largest if soaking else min(largest, _harm_cap(settings, state)))
    return replace(
        state, weight=max(state.weight, target), next_ramp_s=now_s + settings.ramp_every_s, last_ramp_s=now_s
    )


def _harm_cap(settings: AnalysisSettings, state: AnalysisState) -> float:
    excess = bounds.excess_estimate_upper(state.total.failing)
    observed_per_s = state.total.canary.requests / state.share_s if state.share_s > 0.0 else 0.0
    rate_per_s = max(state.rate_per_s, observed_per_s)
    if rate_per_s == 0.0:
        return settings.weight_min
    return settings.harm_budget_requests / (rate_per_s * excess * settings.react_s)


# --- words -----------------------------------------------------------------------------------------------------------


def _missing(settings: AnalysisSettings, state: AnalysisState, now_s: float) -> str:
    """What promotion still waits for; empty when nothing is missing."""
    if now_s < settings.promote_after_s:
        return f"the shortest time to promotion, {settings.promote_after_s:g} s"
    if evidence(settings, state) >= settings.evidence_calm:
        return f"the evidence against the canary to fall below {settings.evidence_calm:g}"
    upper = excess_upper(settings, state)
    if upper > settings.excess_max:
        limit, now = 100 * settings.excess_max, 100 * upper
        return f"proof that at most {limit:.3g} percentage points more requests fail; so far at most {now:.3g} do"
    return ""


def _ended(state: AnalysisState, verdict: AnalysisVerdict, reason: str) -> Decision:
    return Decision(state, 1.0 if verdict is AnalysisVerdict.PROMOTE else 0.0, verdict, reason)


def _insufficient(settings: AnalysisSettings, state: AnalysisState, missing: str) -> str:
    todo = (
        "Extend the deadline, send synthetic load (`synthetic_rate` in [environment.rehearsal], or `shipline rehearse"
        " --rate`), or promote or abort by hand."
    )
    return f"Insufficient evidence after {settings.deadline_s:g} s: still waiting for {missing}. {todo} " + _standing(
        settings, state
    )


def _ruled_out(settings: AnalysisSettings, state: AnalysisState) -> str:
    excess, confidence = 100 * excess_upper(settings, state), 100 * (1 - settings.alpha)
    return f"Ruled out with {confidence:g}% confidence: {excess:.2g} percentage points or more of additional failures."


def _blame(state: AnalysisState) -> str:
    worst = max(range(len(SLOW_SHARES)), key=lambda threshold: e_process.value(state.latency[threshold]))
    slow = (1.0 - ERRORS_SHARE) / len(SLOW_SHARES) * e_process.value(state.latency[worst])
    if ERRORS_SHARE * e_process.value(state.errors) >= slow:
        return "The canary fails more often than the stable version."
    canary, baseline = state.total.canary, state.total.baseline
    return (
        f"The canary is slower than the stable version: {canary.slow[worst]:,} of its {canary.requests:,} requests"
        f" took longer than the stable p{100 * (1 - SLOW_SHARES[worst]):g}, against {baseline.slow[worst]:,}"
        f" of {baseline.requests:,}."
    )


def _standing(settings: AnalysisSettings, state: AnalysisState) -> str:
    against = min(evidence(settings, state), 1e9)
    return f"{_counts(state)} Evidence against the canary: {against:,.3g} (rollback at {settings.rollback_evidence:g})."


def _counts(state: AnalysisState) -> str:
    return f"Failed: {_share(state.total.canary)} on the canary, {_share(state.total.baseline)} on the baseline."


def _share(arm: ArmTally) -> str:
    percent = f" ({100 * arm.failures / arm.counted:.2f}%)" if arm.counted else ""
    return f"{arm.failures:,} of {arm.counted:,} requests{percent}"
