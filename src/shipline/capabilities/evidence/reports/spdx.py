"""SPDX 2.2 and 2.3, in JSON and as tags and values, and SPDX 3.0 in JSON-LD: which packages a document lists.

Sources: https://spdx.github.io/spdx-spec/v2.3/ and /v3.0.1/. A package's licence is the concluded one, where somebody
came to a conclusion, else the declared one. Of SPDX 3 the compacted form is read (a `@context` and a `@graph`), which
the specification prescribes for its serialization, and no context is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.reports.licences import Licensed
from shipline.capabilities.evidence.reports.report import Reading
from shipline.capabilities.evidence.reports.sboms import Component, bill_reading
from shipline.capabilities.evidence.reports.shape import object_of, objects_of, text_in
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue

JSON_FORMAT = "spdx-json"
TAGS_FORMAT = "spdx-tag-value"
GRAPH_FORMAT = "spdx3-json"
_NOTHING = ("", "NOASSERTION", "NONE")
_PACKAGES = ("software_Package", "ai_AIPackage", "dataset_DatasetPackage")  # The latter are kinds of the first.
_TAG = re.compile(r"^([A-Za-z]{3,40}):[ \t]*(.*)$")
_PURL = re.compile(r"^PACKAGE[-_]MANAGER[ \t]+purl[ \t]+(\S+)")
_LISTED = re.compile(r"^https?://spdx\.org/licenses/([A-Za-z0-9.+-]+?)(?:\.html|\.json)?$")


def _component(name: str, version: str, *, concluded: str, declared: str, purl: str) -> Component:
    stated = concluded if concluded not in _NOTHING else declared
    return Component("package", Licensed(name, version, stated, purl))


def read_spdx_json(file: ReportFile) -> Reading:
    """Read SPDX 2 in JSON, streamed. Raises InvalidValue where it is of another shape, or lists nothing."""
    packages = file.items("packages.item")
    found = (_package(object_of(package, "a package of the SBOM")) for package in packages)
    return bill_reading(found, tool=_json_tool(file))


def _json_tool(file: ReportFile) -> str:
    """What made the document, as far as it says so before its packages."""
    for path, value in file.pieces(["creationInfo.creators"], starts=["packages"]):
        creators = value if path != "packages" and isinstance(value, list) else []
        return _tool([creator for creator in creators if isinstance(creator, str)])
    return _tool([])


def _tool(creators: list[str]) -> str:
    tools = [creator.partition(":")[2].strip() for creator in creators if creator.startswith("Tool:")]
    return tools[0][:80] if tools else "spdx"


def _package(package: dict[str, Any]) -> Component:
    name = text_in(package, "name", "a package")
    references = objects_of(package.get("externalRefs") or [], f"'externalRefs' of {name[:80]}")
    purls = [text_in(each, "referenceLocator", name) for each in references if each.get("referenceType") == "purl"]
    return _component(
        name,
        text_in(package, "versionInfo", name, default=""),
        concluded=text_in(package, "licenseConcluded", name, default=""),
        declared=text_in(package, "licenseDeclared", name, default=""),
        purl=purls[0] if purls else "",
    )


@dataclass(slots=True)
class _Tagged:
    """The package whose tags are being read."""

    name: str
    version: str = ""
    concluded: str = ""
    declared: str = ""
    purl: str = ""

    def take(self, tag: str, value: str) -> None:
        if tag == "packageversion":
            self.version = value
        elif tag == "packagelicenseconcluded":
            self.concluded = value
        elif tag == "packagelicensedeclared":
            self.declared = value
        elif tag == "externalref" and not self.purl and (found := _PURL.match(value)):
            self.purl = found[1]

    def component(self) -> Component:
        return _component(self.name, self.version, concluded=self.concluded, declared=self.declared, purl=self.purl)


def read_spdx_tags(file: ReportFile) -> Reading:
    """Read SPDX 2 as tags and values. Raises InvalidValue where it is no such text, is cut off, or lists nothing."""
    try:
        text = file.whole().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue("the SPDX document is not UTF-8 text") from None
    packages: list[_Tagged] = []
    creators = []
    for tag, value in _tags(text):
        if tag == "packagename":
            packages.append(_Tagged(value))
        elif tag == "creator":
            creators.append(value)
        elif packages:
            packages[-1].take(tag, value)
    return bill_reading([package.component() for package in packages], tool=_tool(creators))


def _tags(text: str) -> Iterator[tuple[str, str]]:
    """Each tag, in small letters, with its value; one in <text> may have several lines, of which none is looked at."""
    inside = False
    for line in text.split("\n"):
        if inside:
            inside = "</text>" not in line
            continue
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _TAG.match(stripped)
        if found is None:
            raise InvalidValue(f"{stripped[:60]!r} is no line of an SPDX document")
        inside = "<text>" in found[2] and "</text>" not in found[2]
        yield found[1].lower(), found[2].removeprefix("<text>").removesuffix("</text>").strip()
    if inside:
        raise InvalidValue("the SPDX document is cut off: a <text> does not end")


def read_spdx_graph(file: ReportFile) -> Reading:
    """Read SPDX 3. Raises InvalidValue where it is of another shape, or lists nothing."""
    graph = list(objects_of(object_of(file.document(), "the SBOM").get("@graph"), "'@graph' of the SBOM"))
    licences = dict(_licences(graph))
    tools = [text_in(each, "name", "a tool", default="") for each in graph if each.get("type") == "Tool"]
    found = [_graph_package(each, licences) for each in graph if each.get("type") in _PACKAGES]
    return bill_reading(found, tool=_tool([f"Tool: {tool}" for tool in tools if tool]))


def _id(element: dict[str, Any]) -> str:
    return text_in(element, "spdxId", "an element", default="") or text_in(element, "@id", "an element", default="")


def _licences(graph: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    """((package, relation), expression) of every relation between a package and a licence."""
    expressions = {
        _id(each): text_in(each, "simplelicensing_licenseExpression", "a licence", default="")
        for each in graph
        if each.get("type") == "simplelicensing_LicenseExpression"
    }
    for relation in graph:
        kind = relation.get("relationshipType")
        if kind in ("hasConcludedLicense", "hasDeclaredLicense"):
            targets = relation.get("to")
            for target in targets if isinstance(targets, list) else [targets]:
                listed = _LISTED.match(target) if isinstance(target, str) else None
                words = listed[1] if listed else expressions.get(target, "") if isinstance(target, str) else ""
                yield (text_in(relation, "from", "a relation"), str(kind)), words


def _graph_package(package: dict[str, Any], licences: dict[tuple[str, str], str]) -> Component:
    name, key = text_in(package, "name", "a package", default=""), _id(package)
    purl = text_in(package, "software_packageUrl", name, default="")
    for identifier in objects_of(package.get("externalIdentifier") or [], f"the identifiers of {name[:80]}"):
        if not purl and identifier.get("externalIdentifierType") in ("packageUrl", "purl"):
            purl = text_in(identifier, "identifier", name)
    return _component(
        name,
        text_in(package, "software_packageVersion", name, default=""),
        concluded=licences.get((key, "hasConcludedLicense"), ""),
        declared=licences.get((key, "hasDeclaredLicense"), ""),
        purl=purl,
    )
