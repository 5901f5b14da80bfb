"""What is wrong with a hook, and what puts it right."""

from __future__ import annotations

from dataclasses import replace

from shipline.capabilities.automation.rules import Duties
from shipline.capabilities.automation.watching import Ail, Mending, Seen, Wanted, judge, needed_events
from shipline.capabilities.automation.watching.rules import AGAIN_MAX, ATTEMPTS_MAX
from shipline.ports.forge import Known
from shipline.ports.forge.hooks import Delivery, Hook, HookEvent

URL = "https://hooks.example.com/hooks/github"
WANTED = Wanted("github", URL, frozenset({HookEvent.PUSH, HookEvent.CHECK}))
HOOK = Hook("7", URL, WANTED.events | {HookEvent.RELEASE}, active=True, healthy=Known.YES)


def sent(key: int, name: str, status: int | None) -> Delivery:
    return Delivery(str(key), "push", status, identity=name)


def ails(seen: Seen) -> list[Ail]:
    return [finding.ail for finding in judge(WANTED, seen)[0]]


def test_a_hook_that_works_is_left_alone() -> None:
    """Events that nobody needs, other hooks, and what arrived at the second attempt are no trouble."""
    there = (replace(HOOK, key="1", url="https://chat.example.com/hooks/github"), HOOK)
    assert judge(WANTED, Seen(there, (sent(3, "a", 202), sent(2, "a", None), sent(1, "b", 202)))) == ((), Mending())


def test_a_hook_that_is_not_there_is_made_and_one_to_elsewhere_is_named() -> None:
    """A slash too many leads elsewhere. What is there is not touched."""
    findings, mending = judge(WANTED, Seen((replace(HOOK, url=f"{URL}/"),)))
    assert [finding.ail for finding in findings] == [Ail.MISSING, Ail.ELSEWHERE]
    assert mending == Mending(events=WANTED.events)


def test_a_hook_that_is_off_is_switched_on_and_events_that_lack_are_added() -> None:
    off = replace(HOOK, active=False, healthy=Known.NO, said="temporarily_disabled")
    findings, mending = judge(WANTED, Seen((off,)))
    assert [finding.words for finding in findings] == ["the hook is switched off (temporarily_disabled)"]
    assert mending == Mending(revive="7")
    deaf = replace(HOOK, events=frozenset({HookEvent.RELEASE}))
    findings, mending = judge(WANTED, Seen((deaf,)))
    assert [finding.words for finding in findings] == ["the hook is not told of: check, push"]
    assert mending == Mending(events=WANTED.events | {HookEvent.RELEASE})


def test_a_secret_that_is_not_known_here_is_set_anew() -> None:
    findings, mending = judge(WANTED, Seen((replace(HOOK, healthy=Known.NO),), (sent(1, "a", 401),)))
    assert [finding.ail for finding in findings] == [Ail.SECRET, Ail.UNDELIVERED]
    assert mending == Mending(events=HOOK.events, again=("1",))


def test_what_did_not_arrive_is_sent_again_a_few_times() -> None:
    """Not what is kept here though its answer was lost, and not what was tried often."""
    ill = replace(HOOK, healthy=Known.NO, said="HTTP 502")
    tired = [sent(100 + number, "tired", 502) for number in range(ATTEMPTS_MAX)]
    many = [sent(50 - number, f"n{number}", None) for number in range(AGAIN_MAX + 5)]
    seen = Seen((ill,), (*many, *tired, sent(2, "kept", None), sent(1, "", 500)), frozenset({"kept"}))
    findings, mending = judge(WANTED, seen)
    assert [finding.ail for finding in findings] == [Ail.FAILING, Ail.UNDELIVERED]
    assert findings[1].words == f"{AGAIN_MAX + 6} deliveries did not arrive, 1 of them in {ATTEMPTS_MAX} attempts"
    assert mending.again == tuple(str(26 + number) for number in range(AGAIN_MAX))


def test_only_the_events_that_are_waited_for_are_needed() -> None:
    assert needed_events(Duties()) == {HookEvent.PUSH}
    assert needed_events(Duties(("main",))) == {HookEvent.PUSH, HookEvent.PULL_REQUEST, HookEvent.CHECK}
    assert needed_events(Duties(sync=True, milestones="main", housekeeping=True)) == set(HookEvent)
    assert needed_events(Duties(commands=frozenset({"release"}))) == {HookEvent.PUSH, HookEvent.COMMENT}
    assert needed_events(Duties(queue=True)) == {HookEvent.PUSH, HookEvent.PULL_REQUEST, HookEvent.CHECK}
