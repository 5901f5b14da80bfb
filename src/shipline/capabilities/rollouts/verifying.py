"""Trying out what was deployed, by the user's own commands, and a time in which it can still turn back."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from shipline.capabilities.rollouts.observing.counting import counted_as
from shipline.capabilities.rollouts.reminding import Wait
from shipline.capabilities.rollouts.steps import Ground, load_rollout, running, serving_group, strategy_of
from shipline.capabilities.rollouts.strategies import StrategyKind
from shipline.capabilities.rollouts.usecases import append, note_wait
from shipline.capabilities.rollouts.verification import Verification
from shipline.capabilities.rollouts.waiting import is_told
from shipline.capabilities.rollouts.watching import ChecksWatch, look_at_checks
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import MissingProgram, ShiplineError
from shipline.domain.rollout import Rollout
from shipline.domain.verdict import Answer
from shipline.engine.workflow import Again, Done, Failed, Outcome, Save, StepContext
from shipline.ports.target import Role

PLACEHOLDER = re.compile(r"\{(url|version|package|environment|python)\}")
LOOK_EVERY_S = 2.0
OUTPUT_MAX = 1500


@dataclass(frozen=True, slots=True)
class Verifying:
    """What is remembered between two looks: which verification is next (all have passed: since when), how often it
    was tried, and what the checks remember."""

    number: int = 0
    tries: int = 0
    baking_since_us: int | None = None
    checks: ChecksWatch | None = None


class VerifyStep:
    """The action `verify` of a rollout's workflow."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def __call__(self, context: StepContext) -> Outcome:
        """One try of one verification; when all have passed, wait until the bake time is over and the checks pass,
        which are read once at least.

        The proxy is made sure of at each look: nothing can be verified while users are not served. The way back is not
        verified: it must not take longer than it has to.
        """
        bake_s = strategy_of(context).bake_s
        is_over = bake_s == 0 and not self._has_unread_checks(context)
        verifications = self._verifications(context)
        if context.input["rollback"] or (not verifications and is_over):
            return Done(idle="nothing is to be verified")
        self.ground.traffic.open(revision=context.revision)
        memory = Verifying() if context.memory is None else from_json(Verifying, context.memory)
        if memory.number < len(verifications):
            return self._try(context, memory, verifications[memory.number])
        return Done({}) if is_over else self._bake(context, memory, bake_s)

    def _verifications(self, context: StepContext) -> tuple[Verification, ...]:
        """Those that have not passed on the preview: all where there was none, or where a person has ended it."""
        passed = int(context.results.get("preview", {}).get("passed", 0))
        before = [one for one in self.ground.verifications if one.before][:passed]
        return tuple(one for one in self.ground.verifications if one not in before)

    def _has_unread_checks(self, context: StepContext) -> bool:
        """True if no step before this one reads the checks: all traffic was switched at once. A first deployment has
        nothing to turn back to."""
        is_switched = strategy_of(context).kind in (StrategyKind.BLUE_GREEN, StrategyKind.ALL_AT_ONCE)
        return is_switched and bool(self.ground.checks.rules and running(context).stable)

    def _try(self, context: StepContext, memory: Verifying, verification: Verification) -> Outcome:
        rollout = load_rollout(self.ground, context)
        url = self.ground.url or f"http://{self.ground.traffic.address()}"
        trouble = run_verification(self.ground, verification, rollout, url)
        tries = memory.tries + 1
        if not trouble:
            words, following = f"{verification.name} has passed.", Verifying(memory.number + 1)
            return Again(0.0, to_json(following), words, save=noted(self.ground, rollout, verification, tries))
        if tries >= verification.attempts:
            reason = f"{verification.name} failed {tries} times, the last time so: {trouble}"
            return Failed(reason, save=noted(self.ground, rollout, verification, tries, passed=False))
        words = f"{verification.name} has failed {tries} of {verification.attempts} times: {trouble}"
        return self._again(verification.every_s, Verifying(memory.number, tries), words, rollout)

    def _again(self, after_s: float, memory: Verifying, words: str, rollout: Rollout) -> Outcome:
        wait = Wait(waiting=False, remind_every_s=0, ends_us=0)  # For a time, and never for a person.
        return Again(
            after_s,
            to_json(memory),
            words,
            save=lambda tx: note_wait(tx, self.ground.events, rollout, words, wait),
        )

    def _bake(self, context: StepContext, memory: Verifying, bake_s: float) -> Outcome:
        # The clock may have been set back since.
        since_us = context.now_us if memory.baking_since_us is None else min(memory.baking_since_us, context.now_us)
        left_s = bake_s - (context.now_us - since_us) / 1e6
        if is_told(context, "skip-wait"):
            return Done({})
        rollout = load_rollout(self.ground, context)
        new = counted_as(serving_group(context), Role.STABLE)
        watch, look = look_at_checks(self.ground, rollout, memory.checks, new, context.now_us)
        if look.verdict is Answer.FAIL:
            return Failed(look.words)
        if left_s <= 0 and look.verdict is Answer.PASS:
            return Done({})
        words = f"It serves everybody, and can still turn back for another {left_s:.0f} s."
        if left_s <= 0:
            words, left_s = look.words, LOOK_EVERY_S
        return self._again(min(LOOK_EVERY_S, left_s), Verifying(memory.number, 0, since_us, watch), words, rollout)


def noted(ground: Ground, rollout: Rollout, verification: Verification, tries: int, *, passed: bool = True) -> Save:
    """What puts on record that a verification has passed, or failed for the last time."""
    body = {"name": verification.name, "tries": tries, "passed": passed, "before": verification.before}
    return lambda tx: append(tx, ground.events, rollout, "VerificationEnded", body)


def run_verification(ground: Ground, verification: Verification, rollout: Rollout, url: str) -> str:
    """One try, against what is seen at `url`. Why it has not passed, "" if it has."""
    values = {
        "url": url,
        "version": rollout.version,
        "package": rollout.package,
        "environment": rollout.environment,
        "python": sys.executable,
    }
    arguments = tuple(PLACEHOLDER.sub(lambda found: values[found[1]], part) for part in verification.command)
    try:
        ended = ground.commands.run(arguments, folder=ground.root, environment={}, timeout_s=verification.timeout_s)
    except MissingProgram:
        raise
    except ShiplineError as error:
        return error.what
    if ended.exit_code == 0:
        return ""
    return f"it ended with {ended.exit_code}. {ended.output_tail[-OUTPUT_MAX:].strip()}"
