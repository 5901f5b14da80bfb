"""A bill as an SPDX 2.3 document in JSON. Source: https://spdx.github.io/spdx-spec/v2.3/.

Of the licences nobody has come to a conclusion, so what a package states is what it declares. An expression that is
not SPDX's is left out here, since a document with it would not be valid; the CycloneDX document has it.
"""

from __future__ import annotations

import json
from typing import Any

from shipline.capabilities.evidence.bills.bill import Bill, Part
from shipline.capabilities.evidence.reports.licences import normalized

NOTHING = "NOASSERTION"
DOCUMENT = "SPDXRef-DOCUMENT"
# From: the table "Checksum algorithms" of the specification, section 7.10; the others are not written.
_CHECKSUMS = {"SHA-1": "SHA1", "SHA-256": "SHA256", "SHA-384": "SHA384", "SHA-512": "SHA512", "MD5": "MD5"}


def spdx_of(bill: Bill) -> bytes:
    """The document; the same bill gives the same bytes."""
    parts = (bill.subject, *bill.parts)
    ids = {part.purl: f"SPDXRef-Package-{number}" for number, part in enumerate(parts)}
    relations = [(DOCUMENT, "DESCRIBES", ids[bill.subject.purl])]
    relations += [(ids[part.purl], "DEPENDS_ON", ids[need]) for part in parts for need in bill.needs.get(part.purl, ())]
    subject = bill.subject
    document = {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": DOCUMENT,
        "dataLicense": "CC0-1.0",
        "name": f"{subject.name} {subject.version}",
        "documentNamespace": f"urn:uuid:{bill.serial}",
        "creationInfo": {"created": bill.created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: shipline"]},
        "packages": [_package(part, ids[part.purl], bill.files if part is subject else ()) for part in parts],
        "relationships": [
            {"spdxElementId": source, "relationshipType": kind, "relatedSpdxElement": target}
            for source, kind, target in relations
        ],
    }
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _declared(licence: str) -> str:
    expression = normalized(licence) or NOTHING
    # A licence of its own would need its text in the document, which nobody has here.
    return NOTHING if "LicenseRef-" in expression else expression


def _package(part: Part, identity: str, files: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    checksums = [(_CHECKSUMS[name], value) for name, value in part.hashes.items() if name in _CHECKSUMS]
    # One file is the package; of several none is, and their digests stand in the provenance.
    checksums += [("SHA256", files[0][1])] if len(files) == 1 else []
    known = {
        "versionInfo": part.version,
        "packageFileName": files[0][0] if len(files) == 1 else None,
        "checksums": [{"algorithm": name, "checksumValue": value.lower()} for name, value in checksums] or None,
    }
    return {
        "SPDXID": identity,
        "name": f"{part.group}/{part.name}" if part.group else part.name,
        "downloadLocation": NOTHING,
        "filesAnalyzed": False,
        "licenseConcluded": NOTHING,
        "licenseDeclared": _declared(part.licence),
        "copyrightText": NOTHING,
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": part.purl}
        ],
    } | {name: value for name, value in known.items() if value is not None}
