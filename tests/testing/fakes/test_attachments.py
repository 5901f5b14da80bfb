"""The repository in memory passes the suite that real registries pass."""

from __future__ import annotations

import pytest

from shipline.ports.attachments import Attachments, Subject
from shipline.testing.conformance.attachments import AttachmentsConformance, PutImage, manifest_of
from shipline.testing.fakes.attachments import MemoryAttachments


class TestMemoryAttachments(AttachmentsConformance):
    @pytest.fixture
    def attachments(self) -> Attachments:
        return MemoryAttachments()

    @pytest.fixture
    def put_image(self, attachments: MemoryAttachments) -> PutImage:
        def put(tag: str) -> Subject:
            return attachments.put_image(tag, manifest_of(tag.encode()))

        return put
