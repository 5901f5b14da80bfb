"""`/api/v1`: reports taken in as evidence, and what is known of a release's evidence and findings."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import IO, Annotated, Any, TypeAlias

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.params import Depends
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from shipline.apps.server.site import Site
from shipline.bootstrap.spoken import API as PROGRAM
from shipline.capabilities.evidence import STREAMED_BYTES_MAX
from shipline.capabilities.releases import (
    EVIDENCE_SCHEMA,
    FINDINGS_PAGE_MAX,
    RELEASES,
    GivenReport,
    Subject,
    evidence_document,
    finding_document,
    findings_document,
    findings_now,
    list_findings,
    receipt_document,
)
from shipline.domain.errors import InvalidValue

Identity: TypeAlias = Annotated[str, Path(max_length=64)]
Severity: TypeAlias = Annotated[str | None, Query(pattern="^(critical|high|medium|low|info)$")]
AT_ONCE_MAX = 2
"""Reports that are received at once; others wait. Each takes its size of disk, and a processor."""
UPLOAD_S_MAX = 600.0
KEYS = ("release", "package", "commit", "name", "format")
WORD = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class EvidenceEndpoints:
    """What is asked and said about evidence."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._free = asyncio.Semaphore(AT_ONCE_MAX)

    def add_to(self, router: APIRouter, checks: Sequence[Depends]) -> None:
        """All of them; what changes something after these checks."""
        router.add_api_route("/evidence", self.receive, methods=["POST"], dependencies=checks)
        router.add_api_route("/releases/{release_id}/evidence", self.evidence)
        router.add_api_route("/releases/{release_id}/findings", self.findings)

    async def receive(self, request: Request) -> JSONResponse:
        """Keep the body, a report, as evidence about a version: what `shipline evidence add` does."""
        asked = _asked(request)
        async with self._free:
            with tempfile.NamedTemporaryFile(prefix="shipline-report-") as file:
                await _write_body(request, file)
                subject = Subject(asked["release"], asked.get("package"), asked.get("commit"))
                given = GivenReport(FilePath(file.name), asked.get("name", "report"), asked.get("format", ""))
                return await run_in_threadpool(self._keep, subject, given)

    def _keep(self, subject: Subject, given: GivenReport) -> JSONResponse:
        if self.site.receive is None:
            raise HTTPException(404, "No evidence is taken in here.")
        receipt = self.site.receive(subject, given, PROGRAM)
        (file,) = receipt.files
        if file.refused is not None:
            raise file.refused
        return JSONResponse(receipt_document(receipt), 200 if file.status == "known" else 201)

    def evidence(self, release_id: Identity) -> dict[str, Any]:
        """`shipline.evidence-list/1`: `shipline evidence list --json`."""
        with self.site.reading() as tx:
            release = RELEASES.find(tx, release_id)
            if release is None:
                raise HTTPException(404, "There is no such release.")
            return {"schema": EVIDENCE_SCHEMA, "releases": [evidence_document(tx, release)]}

    def findings(
        self,
        release_id: Identity,
        severity: Severity = None,
        limit: Annotated[int, Query(ge=1, le=FINDINGS_PAGE_MAX)] = 100,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> dict[str, Any]:
        """`shipline.findings/1`, a page of it: `shipline evidence findings --json`."""
        waiving, now_us = self.site.waiving(), self.site.clock.now_us()
        with self.site.reading() as tx:
            release = RELEASES.find(tx, release_id)
            if release is None:
                raise HTTPException(404, "There is no such release.")
            now = findings_now(tx, waiving, release, now_us)
            page = list_findings(tx, release_id, severity=severity, limit=limit, offset=offset)
        found = [finding_document(one, now.waived.get(one.fingerprint)) for one in page]
        return findings_document(release, now) | {"findings": found}


def _asked(request: Request) -> dict[str, str]:
    """What the address says of the report. InvalidValue for what is not known, and where no version is named."""
    asked = dict(request.query_params)
    unknown = sorted(asked.keys() - set(KEYS))
    if unknown:
        raise InvalidValue(f"there is no {unknown[0][:40]!r} to say of a report", todo=f"known: {', '.join(KEYS)}")
    if any(not WORD.fullmatch(value) for value in asked.values()):
        raise InvalidValue("what is said of a report is one line of 1 to 200 characters")
    if "release" not in asked:
        raise InvalidValue("the report is about no version", todo="name it: ?release=VERSION")
    return asked


async def _write_body(request: Request, file: IO[bytes]) -> None:
    """The body, on the disk: as much as the guard has let through, in the time that it may take."""
    try:
        async with asyncio.timeout(UPLOAD_S_MAX):
            async for chunk in request.stream():
                if file.tell() + len(chunk) > STREAMED_BYTES_MAX:
                    raise HTTPException(413, f"A report has at most {STREAMED_BYTES_MAX} bytes.")
                file.write(chunk)
        file.flush()
    except TimeoutError:
        raise HTTPException(408, f"The report did not come within {UPLOAD_S_MAX:.0f} s.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The report was cut off.") from None
