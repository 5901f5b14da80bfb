"""The places in a kustomization or values file that say what runs: read and edited as byte spans. Pure.

Promises: an edit changes the text at these places and no other byte, and is handed back only if a parser then reads the
old document with nothing but them changed. Lines that a Flux image policy writes are refused: two would fight there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipline.clients.byte_spans import Span, with_texts
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.clients.yaml_text import Keys, read_yaml, scan_yaml
from shipline.domain.errors import ShiplineError

# From: https://fluxcd.io/flux/guides/image-update/ (Flux 2.6): the comment that marks a line for its own updates.
POLICY_MARK = b"$imagepolicy"
SHOWN_MAX = 120


def texts_in(settings: GitOpsSettings, data: bytes) -> dict[str, str]:
    """What the file says runs: its texts by key path. ShiplineError where a place is missing, or cannot be edited."""
    return {path: span.text for path, (_, span) in _sites(settings, data).items()}


def wanted_texts(settings: GitOpsSettings, there: Mapping[str, str], version: str, digest: str) -> dict[str, str]:
    """What stands at the same places where this version runs."""
    if settings.values:
        return {
            path: template.replace("{digest}", digest).replace("{version}", version)
            for path, template in settings.values.items()
        }
    return {path: digest if path.endswith(".digest") else _tag(text, version) for path, text in there.items()}


def edited(settings: GitOpsSettings, data: bytes, version: str, digest: str) -> bytes:
    """`data` saying that this version runs; `data` itself where it does already. ShiplineError where it cannot be."""
    sites = _sites(settings, data)
    wanted = wanted_texts(settings, {path: span.text for path, (_, span) in sites.items()}, version, digest)
    edits = [(span, wanted[path]) for path, (_, span) in sites.items() if span.text != wanted[path]]
    if not edits:
        return data
    made = with_texts(data, edits)
    _verify(settings, data, made, {sites[path][0]: text for path, text in wanted.items()})
    return made


def _tag(text: str, version: str) -> str:
    """Where tags are spelt `v1.0.0`, they go on being so."""
    return f"v{version}" if text[:1] == "v" and text[1:2].isdigit() else version


def _sites(settings: GitOpsSettings, data: bytes) -> dict[str, tuple[Keys, Span]]:
    """The places by their key paths, each with its keys and its span."""
    document, scanned = _read(settings, data)
    paths = settings.values or dict.fromkeys(_kustomized(settings, document))
    found: dict[str, tuple[Keys, Span]] = {}
    for path in paths:
        here = [(keys, span) for keys, span in scanned if ".".join(map(str, keys)) == path]
        if len(here) != 1:
            raise _unusable(settings, f"{path} is not there, or not once as a text of one line", _ADD)
        keys, span = here[0]
        if _text_at(document, keys) != span.text:
            raise _unusable(settings, f"{path} is no plain text: it has an anchor, an escape or no quotes", _PLAIN)
        if POLICY_MARK in _line(data, span):
            raise _unusable(settings, f"{path} is written by a Flux image policy as well", _POLICY)
        found[path] = (keys, span)
    return found


_ADD = "add it by hand once, with any text, and commit that"
_PLAIN = "write it as plain text, with quotes where it looks like a number"
_POLICY = "take the comment with $imagepolicy from that line: only one of both can decide what runs"


def _kustomized(settings: GitOpsSettings, document: Any) -> list[str]:
    """The key paths of the image's digest, and of its tag where it has one."""
    listed = document.get("images") if isinstance(document, dict) else None
    rows = [
        (number, row)
        for number, row in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(row, dict) and row.get("name") == settings.image_name
    ]
    if len(rows) != 1:
        raise _unusable(settings, f"images has not one entry named {settings.image_name}", _ADD)
    number, row = rows[0]
    named = row.get("newName", row["name"])
    if named != settings.image:
        raise _unusable(settings, f"the entry {settings.image_name} stands for {str(named)[:SHOWN_MAX]}", _NEW_NAME)
    return [f"images.{number}.digest", *([f"images.{number}.newTag"] if "newTag" in row else [])]


_NEW_NAME = "let its newName be the `image` of the settings, which the released bytes are in"


def _read(settings: GitOpsSettings, data: bytes) -> tuple[Any, list[tuple[Keys, Span]]]:
    try:
        return read_yaml(data), list(scan_yaml(data))
    except (ValueError, RecursionError) as error:
        why = f"it cannot be read as YAML: {str(error)[:200]}"
        raise _unusable(settings, why, "mend it, and commit that") from None


def _verify(settings: GitOpsSettings, before: bytes, after: bytes, texts: Mapping[Keys, str]) -> None:
    """Two ways to the same document: edit and parse, parse and replace. They must meet."""
    document, _ = _read(settings, before)
    for keys, text in texts.items():
        _at(document, keys[:-1])[keys[-1]] = text
    if document != _read(settings, after)[0]:
        raise _unusable(settings, "with the new text it differs in more than that", _PLAIN)


def _text_at(document: Any, keys: Keys) -> Any:
    value = _at(document, keys)
    # A digest of digits alone, or a version such as 1.10, is a number to YAML where it has no quotes.
    return value if isinstance(value, str) else None


def _at(document: Any, keys: Keys) -> Any:
    for key in keys:
        document = document[key]
    return document


def _line(data: bytes, span: Span) -> bytes:
    return data[data.rfind(b"\n", 0, span.start) + 1 :].split(b"\n", 1)[0]


def _unusable(settings: GitOpsSettings, why: str, todo: str) -> ShiplineError:
    return ShiplineError(f"{settings.file} on {settings.branch} cannot say what runs", why=why, todo=todo)
