"""A bucket for tests: moto's server, which keeps objects and conditions as S3 does. It does not check digests."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from shipline.clients.aws_api import AWSPlace
from shipline.clients.s3 import Bucket
from shipline.testing.fakes.loopback import LoopbackServer
from tests.aws import REGION
from tests.machine import SystemClock

NAME = "acme-docs"


class Before(LoopbackServer):
    """Hands requests on to moto. `before` is called with the method and path of each first."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        super().__init__(self._handler_class())

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                """As moto does."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.before(self.command, self.path)
                connection = http.client.HTTPConnection("127.0.0.1", outer.port, timeout=30)
                try:
                    connection.request(self.command, self.path, body=body, headers=dict(self.headers))
                    answer = connection.getresponse()
                    content = answer.read()
                finally:
                    connection.close()
                self.send_response(answer.status)
                for name, text in answer.getheaders():
                    if name.lower() not in ("date", "server", "connection", "content-length", "transfer-encoding"):
                        self.send_header(name, text)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - as the base class calls them

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


@dataclass
class BucketWorld:
    """An empty bucket, and what is before it."""

    server: Before
    bucket: Bucket = field(init=False)

    def __post_init__(self) -> None:
        """Forget all that moto has, and create the bucket."""
        self.bucket = Bucket(self.place, NAME, SystemClock())
        where = f"<LocationConstraint>{REGION}</LocationConstraint>"
        self._tell("POST", "/moto-api/reset", "")
        self._tell("PUT", f"/{NAME}", f"<CreateBucketConfiguration>{where}</CreateBucketConfiguration>")

    def show_to_everybody(self) -> None:
        """Let whoever asks read what the how-to says."""
        shown = [f"arn:aws:s3:::{NAME}/index.html", f"arn:aws:s3:::{NAME}/sites/*"]
        everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": shown}
        self._tell("PUT", f"/{NAME}?policy=", json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))

    def _tell(self, method: str, path: str, body: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        scope = f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/{REGION}/s3/aws4_request"
        connection.request(method, path, body=body, headers={"Authorization": scope})
        assert connection.getresponse().status < http.client.MULTIPLE_CHOICES
        connection.close()

    @property
    def place(self) -> AWSPlace:
        """The server."""
        return AWSPlace(REGION, self.server.url)

    def keys(self, prefix: str = "") -> list[str]:
        """All that is there."""
        return [one.key for one in self.bucket.list(prefix)]
