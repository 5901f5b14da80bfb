"""package-lock.json, pnpm-lock.yaml and yarn.lock: what they say of what a package of the workspace requires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shipline.capabilities.version_files.json_text import read_json, scan_json
from shipline.capabilities.version_files.locks.changed import Changed
from shipline.capabilities.version_files.locks.yaml_events import Scalar, scalars_of, with_scalars
from shipline.capabilities.version_files.trees import at
from shipline.clients.byte_spans import with_texts

TABLES = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
CATALOGS = "catalogs"
CLASSIC = b"# yarn lockfile v1"


def with_npm_ranges(path: str, content: bytes, manifests: Sequence[Changed]) -> bytes:
    """In npm's lock each package's manifest is repeated, under its folder.

    From: https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json#packages
    """
    document = read_json(content)
    wanted: dict[tuple[str, ...], tuple[str, str]] = {}
    for manifest in manifests:
        folder = manifest.folder_from(path).removeprefix(".")
        for each in manifest.requirements:
            for table in TABLES:
                if at(document, ("packages", folder, table, each.name)) == each.before:
                    wanted["packages", folder, table, each.name] = (each.before, each.after)
    found = [(wanted[keys], span) for keys, span in scan_json(content) if keys in wanted]  # type: ignore[index]
    edits = [(span, after) for (_, after), span in found]
    if len(found) != len(wanted) or any(span.text != before for (before, _), span in found):
        raise ValueError("a range is not written once, as a plain string without escapes")
    edited = with_texts(content, edits)
    for keys, (_, after) in wanted.items():
        at(document, keys[:-1])[keys[-1]] = after
    if read_json(edited) != document:
        raise ValueError("read again, it differs in more than what is required")
    return edited


def with_pnpm_ranges(path: str, content: bytes, manifests: Sequence[Changed]) -> bytes:
    """In pnpm's lock a range is the `specifier` of an importer; before version 6 of the format in a table of its own.
    That of a catalogue has a specifier, too, and the version that answers it.

    From: https://github.com/pnpm/spec/tree/master/lockfile
    """
    scalars = scalars_of(content)
    wanted: dict[tuple[str, ...], tuple[str, str]] = {}
    for manifest in manifests:
        if manifest.is_catalogs:
            wanted |= _of_catalogs(scalars, manifest)
            continue
        importer = ("importers", manifest.folder_from(path))
        for each in manifest.requirements:
            for place in (*((table, each.name, "specifier") for table in TABLES), ("specifiers", each.name)):
                wanted[(*importer, *place)] = (each.before, each.after)
    edits = {
        scalar: wanted[scalar.keys][1]
        for scalar in scalars
        if not scalar.is_key and scalar.keys in wanted and scalar.text == wanted[scalar.keys][0]
    }
    return with_scalars(content, edits) if edits else content


def _of_catalogs(scalars: Sequence[Scalar], manifest: Changed) -> dict[tuple[str, ...], tuple[str, str]]:
    """What becomes of the entries of catalogues, by their keys."""
    said = {each.keys: each.text for each in scalars if not each.is_key}
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for each in manifest.requirements:
        for catalog in catalogs_with(said, each.name, each.before):
            entry = (CATALOGS, catalog, each.name)
            found[*entry, "specifier"] = (each.before, each.after)
            found[*entry, "version"] = (said.get((*entry, "version"), ""), each.version)
    return found


def catalogs_with(said: Mapping[tuple[str, ...], str], name: str, range_: str) -> list[str]:
    """The catalogues of a lock file, whose texts are `said` by their keys, that have this range of a name."""
    wanted = ((CATALOGS,), (name, "specifier"), range_)
    return [keys[1] for keys, text in said.items() if (keys[:1], keys[2:], text) == wanted]


def with_yarn_ranges(path: str, content: bytes, manifests: Sequence[Changed]) -> bytes:
    """Yarn names an entry by all ranges that it answers, and repeats those in what requires it.

    From: https://yarnpkg.com/features/protocols. Its first version keeps nothing of the workspace in the lock file.
    """
    if is_classic(content):
        return content
    scalars = scalars_of(content)
    entries = {each.keys[0]: each.text for each in scalars if not each.is_key and each.keys[1:] == ("resolution",)}
    dependents = {f"@workspace:{manifest.folder_from(path)}": manifest for manifest in manifests}
    edits: dict[Scalar, str] = {}
    for scalar in scalars:
        manifest = dependents.get("@workspace:" + entries.get(scalar.keys[0], "").rpartition("@workspace:")[2])
        if manifest is not None and not scalar.is_key and len(scalar.keys) == 3:
            edits |= dict(_repeated(scalar, manifest))
    if not edits:
        return content
    needed = {
        f"{each.keys[2]}@{edits.get(each, each.text)}"
        for each in scalars
        if not each.is_key and len(each.keys) == 3 and each.keys[1] in TABLES
    }
    moved = {(each.keys[2], each.text): new for each, new in edits.items() if each.keys[1] != "peerDependencies"}
    keys = [each for each in scalars if each.is_key and len(each.keys) == 1]
    for key in keys:
        edits |= _answering(key, entries.get(key.text, ""), moved, needed)
    _check(keys, edits, moved)
    return with_scalars(content, edits)


def is_classic(content: bytes) -> bool:
    """True for Yarn's first version, whose format is no YAML."""
    return content.startswith(CLASSIC) or b"\n" + CLASSIC in content[:1000]


def answering_ranges(scalars: Sequence[Scalar]) -> dict[tuple[str, str], str]:
    """What answers a range of a name, as a manifest writes it: the resolution of the entry that is named by it."""
    found: dict[tuple[str, str], str] = {}
    for each in scalars:
        if not each.is_key and each.keys[1:] == ("resolution",):
            for descriptor in each.keys[0].split(", "):
                name, _, wanted = descriptor[1:].partition("@")
                found[descriptor[0] + name, wanted.removeprefix("npm:")] = each.text
    return found


def _repeated(scalar: Scalar, manifest: Changed) -> Iterator[tuple[Scalar, str]]:
    """A range of a dependent, as Yarn writes it: with its protocol, but those of its users."""
    for each in manifest.requirements:
        raw = scalar.keys[1] == "peerDependencies"
        before, after = (text if raw else _with_protocol(text) for text in (each.before, each.after))
        if scalar.keys[1] in TABLES and scalar.keys[2] == each.name and scalar.text == before:
            yield scalar, after


def _with_protocol(written: str) -> str:
    return written if ":" in written else f"npm:{written}"


def _answering(key: Scalar, resolution: str, moved: dict[tuple[str, str], str], needed: set[str]) -> dict[Scalar, str]:
    """The new key of a package of the workspace: it answers the new ranges, and old ones while somebody has them."""
    name, _, _ = resolution.rpartition("@workspace:")
    descriptors = key.text.split(", ")
    new = {
        f"{name}@{after}" for (of, before), after in moved.items() if of == name and f"{name}@{before}" in descriptors
    }
    if not new:
        return {}
    old = {f"{name}@{before}" for of, before in moved if of == name} - needed
    return {key: ", ".join(sorted((set(descriptors) - old) | new))}


def _check(keys: list[Scalar], edits: dict[Scalar, str], moved: dict[tuple[str, str], str]) -> None:
    """Each new range must be answered by an entry, and the entries stay in Yarn's order."""
    after = [edits.get(key, key.text) for key in keys]
    answered = {each for key in after for each in key.split(", ")}
    lost = sorted({f"{name}@{new}" for (name, _), new in moved.items()} - answered)
    if lost:
        raise ValueError(f"nothing in it answers {', '.join(lost)[:200]}")
    before: list[Any] = [key.text for key in keys]
    if before == sorted(before) and after != sorted(after):
        raise ValueError("its entries would have to be put into another order")
