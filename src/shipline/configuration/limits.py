"""What a type alone does not say about a setting, written where the setting is: `Annotated[int, Limits(minimum=1)]`.

The loader and the published JSON Schema read the same notes, so that they cannot disagree.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """What a value must keep to; the defaults limit nothing.

    `minimum` and `maximum` are inclusive. `choices` are the only values. `pattern` must fit the whole text, in the
    syntax that Python and ECMA-262 share; `meaning` is what it stands for, in words. `items_min` is for lists.
    """

    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str | int, ...] = ()
    pattern: str = ""
    meaning: str = ""
    items_min: int = 0

    def keywords(self) -> dict[str, Any]:
        """The same as keywords of JSON Schema."""
        words: dict[str, Any] = {"minimum": self.minimum, "maximum": self.maximum}
        words |= {"enum": list(self.choices) or None, "minItems": self.items_min or None}
        words |= {"pattern": f"^(?:{self.pattern})$" if self.pattern else None}
        return {word: value for word, value in words.items() if value is not None}

    def complaint(self, value: Any) -> str:
        """What is wrong with a value of the right type, to be read after its name; "" where nothing is."""
        if self.choices and value not in self.choices:
            known = ", ".join(str(choice) or '""' for choice in self.choices)
            return f"{str(value)[:60]!r} is not known; known are {known}"
        if self.minimum is not None and value < self.minimum:
            return f"must be {self._range()}, not {value}"
        if self.maximum is not None and value > self.maximum:
            return f"must be {self._range()}, not {value}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"{value[:60]!r} is not {self.meaning}"
        return f"needs {self.items_min} or more entries" if len_of(value) < self.items_min else ""

    def _range(self) -> str:
        return f"{self.minimum} or more" if self.maximum is None else f"{self.minimum} to {self.maximum}"


@dataclass(frozen=True, slots=True)
class SecretTable:
    """Notes that a table says where a secret is: `environment`, `file`, or a `provider` of the port `secrets`."""


def len_of(value: Any) -> int:
    """The number of entries of a list; 0 for anything else."""
    return len(value) if isinstance(value, tuple) else 0


def notes_of(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type hint without its `Annotated`, and what that notes."""
    if typing.get_origin(hint) is typing.Annotated:
        return typing.get_args(hint)[0], tuple(hint.__metadata__)
    return hint, ()


def _class_of(hint: Any) -> type:
    """The class of the values that a hint allows."""
    kind = notes_of(hint)[0]
    return kind if isinstance(kind, type) else typing.get_origin(kind) or object


def complaints(hint: Any, value: Any, place: str = "") -> Iterator[str]:
    """Where a value, read already, does not keep to the limits that its hint notes: `place: complaint`."""
    kind, notes = notes_of(hint)
    for limits in (note for note in notes if isinstance(note, Limits)):
        if complaint := limits.complaint(value):
            yield f"{place}: {complaint}"
    if typing.get_origin(kind) is tuple:
        for index, item in enumerate(value):
            yield from complaints(typing.get_args(kind)[0], item, f"{place}[{index}]")
    elif typing.get_origin(kind) in (typing.Union, types.UnionType):
        option = next((each for each in typing.get_args(kind) if isinstance(value, _class_of(each))), None)
        yield from complaints(option, value, place) if option is not None else ()
    elif dataclasses.is_dataclass(kind):
        for name, inner in typing.get_type_hints(kind, include_extras=True).items():
            yield from complaints(inner, getattr(value, name), f"{place}.{name}" if place else name)
