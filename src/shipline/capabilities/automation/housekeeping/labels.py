"""Labels of pull requests: by the paths that they change, their titles, how large they are and what they are. Pure.

Labels of sizes and kinds say what is so now, so those that are not so any more are taken off. Labels by path and by
title are put on and never taken off: a person may have put the same one on for a reason of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shipline.capabilities.automation.housekeeping.acts import Act, Labelled, LabelMade, Unlabelled
from shipline.capabilities.plans import matches, read_message
from shipline.ports.forge import PullRequest
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import ChangedFile


@dataclass(frozen=True, slots=True)
class LabelRules:
    """Labels and what they are put on for.

    `paths` are globs by label, `titles` words by label that a title holds in whatever case, `types` labels by the type
    of a conventional title, `breaking` the label of what breaks something, "" for none. `sizes` are the lines, added
    and removed, that a label stands for at most; the largest also stands for all that is larger.
    """

    paths: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, tuple[str, ...]]
    types: Mapping[str, str]
    breaking: str
    sizes: Mapping[str, int]


def wanted_labels(rules: LabelRules, title: str, files: Sequence[ChangedFile]) -> tuple[str, ...]:
    """The labels that the rules give it, each once."""
    return tuple(dict.fromkeys(_wanted(rules, title, files)))


def _wanted(rules: LabelRules, title: str, files: Sequence[ChangedFile]) -> Iterator[str]:
    changed = [path for file in files for path in (file.path, file.before) if path is not None]
    for label, patterns in rules.paths.items():
        if any(matches(pattern, path) for pattern in patterns for path in changed):
            yield label
    folded = title.casefold()
    for label, words in rules.titles.items():
        if any(word.casefold() in folded for word in words):
            yield label
    message = read_message(title)
    if message.type in rules.types:
        yield rules.types[message.type]
    if message.breaking and rules.breaking:
        yield rules.breaking
    if rules.sizes:
        yield size_label(rules.sizes, sum(file.added + file.removed for file in files))


def size_label(sizes: Mapping[str, int], lines: int) -> str:
    """The label of the smallest size that holds so many lines, else that of the largest."""
    ordered = sorted(sizes.items(), key=lambda pair: pair[1])
    return next((label for label, most in ordered if lines <= most), ordered[-1][0])


def label_acts(
    rules: LabelRules, pull: PullRequest, files: Sequence[ChangedFile], known: Iterable[str]
) -> Iterator[Act]:
    """What is to be done so that it bears the right ones. `known` are the labels of the repository, whose case does not
    count."""
    wanted, thread = wanted_labels(rules, pull.title, files), Thread.pull(pull.number)
    there, on = {name.casefold() for name in known}, {name.casefold() for name in pull.labels}
    ours = {name.casefold() for name in (*rules.sizes, *rules.types.values(), rules.breaking)}
    ours -= {name.casefold() for name in (*wanted, *rules.paths, *rules.titles)}
    wrong = tuple(name for name in pull.labels if name.casefold() in ours)
    missing = tuple(name for name in wanted if name.casefold() not in on)
    yield from (LabelMade(name) for name in missing if name.casefold() not in there)
    if wrong:
        yield Unlabelled(thread, wrong)
    if missing:
        yield Labelled(thread, missing)
