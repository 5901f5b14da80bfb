"""What remediation writes for people. Pure; what was found is somebody else's text, and does nothing in ours.

A scanner's title may hold Markdown, links, calls of people, words that close issues, and commands of a forge. Such text
stands within one line and never begins it, each sign that Markdown knows is escaped, and behind a sign that may call
somebody, or name an issue, stands a word joiner, which nobody sees. Secrets of known shapes are masked first.

From: spec.commonmark.org/0.31.2/#backslash-escapes and #entity-and-numeric-character-references;
docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue (closing words);
docs.gitlab.com/user/markdown/#gitlab-specific-references and docs.gitlab.com/user/project/quick_actions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shipline.capabilities.automation.remediation.flaws import Flaw, Thing, name_of
from shipline.domain.secrecy import redacted
from shipline.ports.forge import hidden

MARKER = "shipline:remediation:"
JOINER = "\u2060"
TEXT_MAX, LINE_MAX, SHOWN_MAX = 200, 1200, 20
# GitLab takes titles of 255 characters, the others one more; word joiners count.
TITLE_MAX = 250
_STATE = re.compile(
    r"<!-- shipline:remediation:state stage=([0-9]{1,2}) since=([0-9]{1,16}) gone=([01]) "
    r"sources=([0-9a-f,]{0,20000}) -->"
)
_KEY = re.compile(r"<!-- shipline:remediation:([0-9a-f]{20}) -->")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+")
# Signs before a name or a number, the end of a scheme, and `www.` and `GH-`, of which forges make links by themselves.
_CALL = re.compile(r"[@#!~%&$^](?=[\w\"{\[])|:(?=//)|\bwww(?=\.)|\bGH(?=-\d)", re.IGNORECASE)
_MARKUP = re.compile(r"[\\`*_{}\[\]()>#|~!:$^@]")


@dataclass(frozen=True, slots=True)
class State:
    """What an issue or pull request of ours says of itself, where no page shows it.

    `stage` is 0 until it bears its labels and assignees, 1 then, and one more with each escalation that is done.
    `since` is when it was opened, or opened again (UTC microseconds). `gone`: we have closed it, and no person.
    `sources` are those who found something.
    """

    stage: int
    since: int
    gone: bool = False
    sources: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As it is written."""
        return hidden(
            f"{MARKER}state stage={self.stage} since={self.since} gone={int(self.gone)} "
            f"sources={','.join(sorted(set(self.sources)))}"
        )


def read_state(body: str) -> tuple[str, State] | None:
    """The key of an issue and what it says of itself; None for one that is not ours."""
    key, state = _KEY.search(body), _STATE.search(body)
    if key is None or state is None:
        return None
    sources = tuple(each for each in state[4].split(",") if each)
    return key[1], State(int(state[1]), int(state[2]), state[3] == "1", sources)


def with_state(body: str, state: State) -> str:
    """The same text with another state."""
    return _STATE.sub(lambda _: state.text, body, count=1)


def marker_of(key: str) -> str:
    """The marker of an issue."""
    return f"{MARKER}{key}"


def plain(text: str, length_max: int = TEXT_MAX) -> str:
    """Somebody's text on one line, for where Markdown is not read: it calls nobody and closes nothing."""
    line = " ".join(_UNSEEN.sub(" ", redacted(text[: 4 * length_max])).split())
    cut = line if len(line) <= length_max else line[: length_max - 1] + "…"
    return _CALL.sub(lambda found: f"{found[0]}{JOINER}", cut)


def neutral(text: str, length_max: int = TEXT_MAX) -> str:
    """Somebody's text on one line of Markdown: it is shown as it is, and nothing else."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", plain(text, length_max).replace("&", "&amp;")).replace(
        "<", "&lt;"
    )


def unified(text: str) -> str:
    """Forges may change line breaks, and cut white space at the end; and what has the shape of a secret is masked on
    its way to them."""
    return redacted(text.replace("\r\n", "\n").strip())


def are_same(shown: tuple[str, str], wanted: tuple[str, str]) -> bool:
    """Whether a forge shows the title and text that are wanted."""
    return [unified(each) for each in shown] == [unified(each) for each in wanted]


def issue_title(thing: Thing) -> str:
    """The title of an issue, which every forge takes."""
    worst, count = thing.flaws[0], len(thing.flaws)
    if not thing.purl:
        said = worst.title or worst.name
    elif thing.rule.issue == "finding":
        said = f"{worst.name[:60]} in {name_of(thing.purl)}"
    else:
        said = f"{name_of(thing.purl)[:150]} has {count} finding{'s' if count > 1 else ''}"
    return plain(f"{thing.severity}: {said}")[:TITLE_MAX].strip()


def issue_body(thing: Thing, state: State, remedy: Iterable[str], silent: int) -> str:
    """The text of an issue below its marker. `remedy` are our own sentences about what mends it; `silent` is how many
    of its sources have not looked at the newest version."""
    lines = [flaw_line(flaw) for flaw in thing.flaws[:SHOWN_MAX]]
    if len(thing.flaws) > SHOWN_MAX:
        lines.append(f"- and {len(thing.flaws) - SHOWN_MAX} more")
    if silent:
        lines.append(f"- {silent} more of those who found something here have not looked again")
    found = "\n".join(lines)
    mends = "\n".join(f"- {sentence}" for sentence in remedy)
    parts = [state.text, "What was found:", found, *(("What mends it:", mends) if mends else ())]
    parts.append(
        f"The rule `{thing.rule.name}` asks for this. Shipline keeps this text up to date and closes the issue when "
        "nothing is found any more; what nobody will mend is waived in the policy. Close it to be asked no more."
    )
    return "\n\n".join(parts)


def flaw_line(flaw: Flaw) -> str:
    """One finding, on one line of a list."""
    title = f": {neutral(flaw.title)}" if flaw.title and flaw.title != flaw.name else ""
    path = f", in {neutral(flaw.path)}{f' line {flaw.line}' if flaw.line else ''}" if flaw.path else ""
    installed = f", version {neutral(flaw.installed, 100)}" if flaw.installed else ""
    fixed = f", mended in {neutral(', '.join(flaw.fixed), 100)}" if flaw.fixed else ""
    unsure = "" if flaw.certain else ", which cannot be told for certain"
    where = f" — {neutral(flaw.package, 100)} {neutral(flaw.version, 100)}, by {neutral(flaw.tool, 100)}"
    line = f"- **{flaw.severity}** {neutral(flaw.name, 100)}{title}{where}{path}{installed}{fixed}{unsure}"
    return line[:LINE_MAX]


def remedy_of(thing: Thing) -> tuple[str, ...]:
    """What a person can do, where nothing else is known."""
    if not thing.purl:
        return ()
    if any(flaw.fixed for flaw in thing.flaws):
        return (f"require a version of {neutral(name_of(thing.purl), 100)} that mends all of it, and release that",)
    return ("no version that mends it is known: leave the dependency out, or waive it for a while",)


def escalation_words(hours: int, comment: str) -> str:
    """The comment of an escalation."""
    days = f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
    said = f"\n\n{neutral(comment, 1000)}" if comment else ""
    return f"This is open for {days}, and was to be mended by now.{said}"


GONE_WORDS = (
    "Nothing asks for this any more: the newest version was looked at again and it was not found, it is waived, or no "
    "rule is about it. Shipline has closed this, and opens it again if it comes back."
)
DOUBLE_WORDS = "There are two issues about this; the other one is older. Shipline has closed this one."


def opened_state(thing: Thing, now_us: int, *, is_dressed: bool) -> State:
    """The state of what is opened now."""
    return State(int(is_dressed), now_us, sources=tuple(flaw.source for flaw in thing.flaws))


def gone_state(state: State) -> State:
    """The same, closed by us."""
    return replace(state, gone=True)
