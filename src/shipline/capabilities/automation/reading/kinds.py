"""Which forge it is, which event, and who reads it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipline.capabilities.automation.events import ForgeEvent
from shipline.capabilities.automation.reading import gitlab, repos
from shipline.capabilities.automation.reading.fields import NAME_MAX, Fields
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue

FORGES = ("github", "gitlab", "gitea")
# Gitea and Forgejo send GitHub's headers beside their own, so theirs is asked for first.
EVENT_HEADERS = (
    ("gitea", "x-gitea-event"),
    ("gitea", "x-forgejo-event"),
    ("gitlab", "x-gitlab-event"),
    ("github", "x-github-event"),
)
EVENT_MAX = 80


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing that anybody here waits for. `why` is for people."""

    why: str

    @property
    def sentence(self) -> str:
        """For people."""
        return self.why


def forge_of_headers(headers: Mapping[str, str]) -> str:
    """The forge that sends such headers, by lower-case names; "" for none that is known."""
    return next((forge for forge, name in EVENT_HEADERS if name in headers), "")


def event_name(forge: str, headers: Mapping[str, str], document: JSON) -> str:
    """What the forge calls the event; "" where it does not say."""
    if forge == "gitlab":
        return Fields(document).text("object_kind", most=EVENT_MAX)
    found = next((headers[name] for kind, name in EVENT_HEADERS if kind == forge and name in headers), "")
    return found[:EVENT_MAX]


def read_event(forge: str, event: str, document: JSON) -> ForgeEvent | Unknown:
    """What a payload says. InvalidValue for a known event that lacks what it is about."""
    readers = gitlab.READERS if forge == "gitlab" else repos.READERS
    reader = readers.get(event)
    if reader is None:
        return Unknown(f"nothing here follows {_shown(event)}")
    try:
        found = reader(Fields(document))
    except InvalidValue as error:
        raise InvalidValue(f"{_shown(event)} of {forge} cannot be understood: {error.what}") from None
    return found if found is not None else Unknown(f"this {_shown(event)} changes nothing that is followed here")


def _shown(event: str) -> str:
    text = "".join(char for char in event[:NAME_MAX] if char.isprintable())
    return repr(text) if text else "an event without a name"
