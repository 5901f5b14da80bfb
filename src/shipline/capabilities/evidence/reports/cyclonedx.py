"""CycloneDX, 1.2 to 1.7, in JSON and in XML: which components a bill lists, with package URLs and licences.

Source: https://cyclonedx.org/docs/1.6/json/. Components may hold components, and all of them count. Several licences
of one component are joined by AND, since the specification leaves open what they mean together and all of them may
apply. What was found as `evidence` of a licence is not what a component states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from shipline.capabilities.evidence.reports.licences import Licensed, licence_reading
from shipline.capabilities.evidence.reports.markup import closing_elements, local_name
from shipline.capabilities.evidence.reports.report import Reading
from shipline.capabilities.evidence.reports.sboms import BillTally, Component, bill_reading, not_empty
from shipline.capabilities.evidence.reports.shape import object_of, objects_of, text_in
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue

FORMAT = "cyclonedx"
JSON_FORMAT = "cyclonedx-json"
XML_FORMAT = "cyclonedx-xml"
LICENCES_FORMAT = "cyclonedx-licences"
ROOT = "bom"
DEPTH_MAX = 50
_MARK = "shipline:"


def read_cyclonedx_json(file: ReportFile) -> Reading:
    """Read a JSON document as an SBOM, streamed. Raises InvalidValue where it is of another shape, or lists nothing."""
    return bill_reading(_json_components(file), tool=_json_tool(file))


def read_cyclonedx_json_licences(file: ReportFile) -> Reading:
    """Read the licences of a JSON document's components."""
    found = (component.licensed for component in not_empty(_json_components(file)))
    return licence_reading(found, tool=_json_tool(file))


def _json_components(file: ReportFile) -> Iterator[Component]:
    for component in file.items("components.item"):
        yield from _components([component], 0)


def _json_tool(file: ReportFile) -> str:
    """What made the document, as far as it says so before its components."""
    for path, value in file.pieces(["metadata.tools"], starts=["components"]):
        return _tool(value) if path == "metadata.tools" else FORMAT
    return FORMAT


def _components(components: object, depth: int) -> Iterator[Component]:
    if depth > DEPTH_MAX:
        raise InvalidValue("the SBOM's components are nested too deeply")
    for component in objects_of(components, "'components' of the SBOM"):
        yield _component(component)
        if component.get("components"):
            yield from _components(component["components"], depth + 1)


def _component(component: dict[str, Any]) -> Component:
    name = text_in(component, "name", "a component")
    group = text_in(component, "group", name, default="")
    licences = [_licence(each, name) for each in objects_of(component.get("licenses") or [], "the licences")]
    licensed = Licensed(
        package=f"{group}/{name}" if group else name,
        version=text_in(component, "version", name, default=""),
        stated=joined(licences),
        purl=text_in(component, "purl", name, default=""),
    )
    return Component(text_in(component, "type", name, default="library"), licensed)


def _licence(entry: dict[str, Any], component: str) -> str:
    if "expression" in entry:
        return text_in(entry, "expression", component)
    licence = object_of(entry.get("license"), f"a licence of {component[:80]}")
    return text_in(licence, "id", component, default="") or text_in(licence, "name", component, default="")


def joined(licences: list[str]) -> str:
    """Several licences as one expression."""
    stated = [each for each in licences if each]
    return stated[0] if len(stated) == 1 else " AND ".join(f"({each})" if " " in each else each for each in stated)


def _tool(tools: Any) -> str:
    """The first tool that is named: a list until 1.4, since 1.5 an object that holds components."""
    if isinstance(tools, dict):
        tools = tools.get("components")
    first = tools[0] if isinstance(tools, list) and tools else None
    if not isinstance(first, dict):
        return FORMAT
    # npm's is named "cli", of the vendor "npm".
    words = [first.get("vendor"), first.get("name")]
    return " ".join(word for word in words if isinstance(word, str))[:80] or FORMAT


def read_cyclonedx_xml(file: ReportFile) -> Reading:
    """Read an XML document, streamed. Raises InvalidValue where it is malformed, of another shape, or lists nothing."""
    tally = BillTally(FORMAT)
    return Reading(tally.items(not_empty(_xml_components(file, tally))), tally)


def _xml_components(file: ReportFile, tally: BillTally) -> Iterator[Component]:
    for ancestors, element in closing_elements(file.chunks(), what="the SBOM"):
        above = [local_name(ancestor) for ancestor in ancestors]
        name = local_name(element)
        if not above and name != ROOT:
            raise InvalidValue(f"a CycloneDX document starts with <{ROOT}>")
        if above[1:3] == ["metadata", "tools"] and name == "name" and tally.tool == FORMAT:
            tally.tool = _words(element)[:80] or FORMAT
        elif above[1:2] == ["components"] and name == "component":
            yield _component_of(element)
        else:
            _note(ancestors, above, element)


def _note(ancestors: tuple[Element, ...], above: list[str], element: Element) -> None:
    """Leave what an element says on its component, since children are gone when the component closes."""
    name = local_name(element)
    if above[-1:] == ["component"] and name in ("name", "group", "version", "purl"):
        ancestors[-1].set(_MARK + name, _words(element))
    elif above[-2:] == ["component", "licenses"] and name == "expression":
        _add_licence(ancestors[-2], _words(element))
    elif above[-3:] == ["component", "licenses", "license"] and name in ("id", "name"):
        _add_licence(ancestors[-3], _words(element))


def _words(element: Element) -> str:
    return (element.text or "").strip()


def _add_licence(component: Element, words: str) -> None:
    stated = component.get(f"{_MARK}licence", "")
    component.set(f"{_MARK}licence", joined([stated, words]))


def _component_of(element: Element) -> Component:
    name, group = element.get(f"{_MARK}name", ""), element.get(f"{_MARK}group", "")
    licensed = Licensed(
        package=f"{group}/{name}" if group else name,
        version=element.get(f"{_MARK}version", ""),
        stated=element.get(f"{_MARK}licence", ""),
        purl=element.get(f"{_MARK}purl", ""),
    )
    return Component(element.get("type", "library"), licensed)
