"""`[[waiver]]` tables as text: put at the end of `shipline.toml`, and taken out of it, leaving all else as it is."""

from __future__ import annotations

import json
from dataclasses import replace

from shipline.configuration.load import parse_settings
from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError
from shipline.domain.gate import Waiver

HEADER = "[[waiver]]"


def with_waiver(text: str, waiver: Waiver) -> str:
    """The file's text with one more waiver. Raises ConfigurationError where it does not say just that afterwards."""
    before = parse_settings(text.encode("utf-8"))
    made = f"{text.rstrip()}\n\n{_block(waiver)}" if text.strip() else _block(waiver)
    if parse_settings(made.encode("utf-8")) != replace(before, waiver=(*before.waiver, waiver)):
        raise _by_hand("written into")
    return made


def without_waiver(text: str, waiver: Waiver) -> str:
    """The file's text without a waiver that it has. Raises ConfigurationError as `with_waiver` does."""
    before = parse_settings(text.encode("utf-8"))
    number = before.waiver.index(waiver)
    lines = text.splitlines(keepends=True)
    starts = [at for at, line in enumerate(lines) if line.split("#")[0].strip() == HEADER]
    if len(starts) != len(before.waiver):
        raise _by_hand("taken out of")
    first = starts[number]
    last = next((at for at in range(first + 1, len(lines)) if lines[at].lstrip().startswith("[")), len(lines))
    made = "".join([*lines[:first], *lines[last:]])
    left = tuple(one for at, one in enumerate(before.waiver) if at != number)
    if parse_settings(made.encode("utf-8")) != replace(before, waiver=left):
        raise _by_hand("taken out of")
    return made.rstrip() + "\n"


def _block(waiver: Waiver) -> str:
    findings = "".join(f"  {_text(one)},\n" for one in waiver.findings)
    lines = [HEADER, f"findings = [\n{findings}]", f"owner = {_text(waiver.owner)}", f"reason = {_text(waiver.reason)}"]
    lines += [f"given = {_text(waiver.given)}", f"until = {_text(waiver.until)}"]
    lines += [f"package = {_text(waiver.package)}"] if waiver.package else []
    lines += [f"versions = [{', '.join(map(_text, waiver.versions))}]"] if waiver.versions else []
    return "\n".join([*lines, f'signature = """\n{waiver.signature}"""\n'])


def _text(value: str) -> str:
    """A basic string: TOML's escapes are JSON's, but that it wants DEL escaped too, which no reason holds."""
    return json.dumps(value, ensure_ascii=False)


def _by_hand(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"the waiver cannot be {what} {FILE_NAME} without changing more", todo="edit the [[waiver]] tables by hand"
    )
