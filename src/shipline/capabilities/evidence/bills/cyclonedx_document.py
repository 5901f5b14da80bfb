"""A bill as a CycloneDX 1.6 document in JSON, through cyclonedx-python-lib."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from shipline.capabilities.evidence.bills.bill import Bill, Part

if TYPE_CHECKING:
    from cyclonedx.model.component import Component


def cyclonedx_of(bill: Bill) -> bytes:
    """The document; the same bill gives the same bytes."""
    # Imported here: the library takes up to a second, and most commands have no use for it.
    from cyclonedx.model.bom import Bom, BomMetaData  # noqa: PLC0415 - see above
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 - see above
    from cyclonedx.model.tool import ToolRepository  # noqa: PLC0415 - see above
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415 - see above

    root = _component(bill.subject, bill.files)
    components = {part.purl: _component(part) for part in bill.parts}
    tools = ToolRepository(components=[Component(name="shipline", type=ComponentType.APPLICATION)])
    bom = Bom(
        serial_number=bill.serial,
        metadata=BomMetaData(component=root, timestamp=bill.created, tools=tools),
        components=components.values(),
    )
    for purl, component in {bill.subject.purl: root, **components}.items():
        bom.register_dependency(component, [components[need] for need in bill.needs.get(purl, ())])
    text = JsonV1Dot6(bom).output_as_string()
    return (json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _component(part: Part, files: tuple[tuple[str, str], ...] = ()) -> Component:
    from cyclonedx.model import (  # noqa: PLC0415 - as above
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        Property,
        XsUri,
    )
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 - as above
    from cyclonedx.model.license import LicenseExpression  # noqa: PLC0415 - as above
    from packageurl import PackageURL  # noqa: PLC0415 - as above

    # Two files have two digests, so each stands at the reference to its file rather than at the package.
    references = [
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(name),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
        )
        for name, sha256 in files
    ]
    return Component(
        name=part.name,
        group=part.group or None,
        version=part.version,
        type=ComponentType.LIBRARY,
        purl=PackageURL.from_string(part.purl),
        bom_ref=part.purl,
        licenses=[LicenseExpression(part.licence)] if part.licence else None,
        hashes=[HashType(alg=HashAlgorithm(name), content=value) for name, value in part.hashes.items()],
        properties=[Property(name=key, value=value) for key, value in part.properties.items() if value],
        external_references=references,
    )
