"""What has to change, decided from what is said and what is there."""

from __future__ import annotations

from shipline.capabilities.automation.keeping.rules import (
    Action,
    FieldChange,
    Kind,
    Plan,
    Thing,
    Unread,
    compare,
    kinds_to_read,
    with_secrets,
    without,
)


def label(name: str, **fields: str) -> Thing:
    return Thing(Kind.LABEL, name, fields)


def test_only_what_is_said_and_differs_is_changed() -> None:
    """A field that is not said, and a thing of a kind that is not pruned, stay."""
    wanted = [label("new", color="1"), label("same", color="2"), label("other", color="3")]
    there = (label("same", color="2", description="x"), label("other", color="9", description="y"), label("stranger"))
    changes, removals, strangers = compare(wanted, {Kind.LABEL: there}, frozenset())
    assert [(each.action, each.name, each.fields) for each in changes] == [
        (Action.ADD, "new", (FieldChange("color", None, "1"),)),
        (Action.CHANGE, "other", (FieldChange("color", "9", "3"),)),
    ]
    assert changes[1].words == "change label 'other': color"
    assert (removals, strangers) == ((), ((Kind.LABEL, "stranger"),))


def test_what_is_pruned_is_removed_and_a_kind_that_was_not_seen_is_left_alone() -> None:
    wanted = [label("a"), Thing(Kind.WEBHOOK, "https://x", {})]
    changes, removals, strangers = compare(
        wanted, {Kind.LABEL: (label("a"), label("b"))}, frozenset({Kind.LABEL, Kind.WEBHOOK})
    )
    assert (changes, strangers) == ((), ())
    assert [(each.kind, each.name, each.action) for each in removals] == [(Kind.LABEL, "b", Action.REMOVE)]


def test_a_kind_of_which_nothing_is_said_is_not_read() -> None:
    assert kinds_to_read([label("a")], ()) == (Kind.LABEL,)
    assert kinds_to_read([], [Kind.WEBHOOK]) == (Kind.WEBHOOK,)


def test_what_a_forge_does_not_have_is_left_out_and_said() -> None:
    """A whole kind, a field, or a word of one."""
    hook = Thing(Kind.WEBHOOK, "https://x", {"events": "milestone, push", "active": "yes"})
    kept, left_out = without([hook], frozenset({"webhook.events.milestone", "webhook.active", "label"}))
    assert kept == (Thing(Kind.WEBHOOK, "https://x", {"events": "push"}),)
    assert left_out == ("'milestone' in events of webhook 'https://x'", "active of webhook 'https://x'")
    assert without([label("a")], frozenset({"label"})) == ((), ("label 'a'",))


def test_secrets_are_set_anew_once_and_not_of_a_kind_that_was_not_seen() -> None:
    hook = Thing(Kind.WEBHOOK, "https://x", {})
    of = {Kind.WEBHOOK: frozenset({"https://x"})}
    (change,) = with_secrets(Plan(), [hook, label("a")], of).changes
    assert (change.words, change.wanted) == ("change webhook 'https://x': secret", hook)
    assert len(with_secrets(Plan((change,)), [hook], of).changes) == 1
    assert with_secrets(Plan(unread=(Unread(Kind.WEBHOOK, "no"),)), [hook], of).is_empty
