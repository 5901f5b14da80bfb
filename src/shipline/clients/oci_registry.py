"""Speak to a container registry, by the OCI distribution specification 1.1.

Source: https://github.com/opencontainers/distribution-spec. Everything is named by its digest, and what came back is
checked against it. Credentials go to the configured origin, and to the realm that it names (Bearer challenge) only
over https or on loopback. An upload goes on only at the registry's own origin. Answers and waits are bounded.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from shipline.clients.confidential import WHY, check_confidential, is_confidential
from shipline.clients.deadlines import paced
from shipline.clients.oci_layout import INDEX_TYPES, MANIFEST_BYTES_MAX, MANIFEST_TYPES, Descriptor, Layout
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError

ACCEPT = ", ".join(sorted(INDEX_TYPES | MANIFEST_TYPES))
REFERRERS = "application/vnd.oci.image.index.v1+json"
NOT_KNOWN = frozenset({400, 404, 405, 406, 415, 501})
CHUNK_BYTES_MAX = 8 * 1024 * 1024
SLICE_BYTES = 64 * 1024
TOKEN_BYTES_MAX = 256 * 1024
TAGS_BYTES_MAX = 4 * 1024 * 1024
PAGES_MAX = 50
REDIRECTS_MAX = 3
AGAIN = "when it is well again, run this again: only what is missing will be done"
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(slots=True)
class OCIClient:
    """One repository of a registry. `url` is the registry's origin, `repository` its path there (`team/quotes`).

    `credentials` are user name and password or token, None for nobody's. `timeout_s` bounds a
    whole exchange; while one moves content, each stretch of that length as Pace says.
    """

    url: str
    repository: str
    timeout_s: float
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    _token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse to send credentials in the clear."""
        if self.credentials is not None:
            check_confidential(self.url, name="the registry's url", todo="log the container client out of it")

    def digest_of(self, reference: str) -> str | None:
        """The digest of the manifest that a tag or digest names, None where there is none."""
        answer = self._send("HEAD", f"manifests/{reference}", headers={"Accept": ACCEPT})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        self._expect(answer, httpx.codes.OK)
        stated = answer.headers.get("Docker-Content-Digest", "")
        if _DIGEST.fullmatch(stated):
            return str(stated)
        # The header is only recommended ("Pulling manifests"): the bytes themselves say it.
        answer = self._send("GET", f"manifests/{reference}", headers={"Accept": ACCEPT}, bytes_max=MANIFEST_BYTES_MAX)
        self._expect(answer, httpx.codes.OK)
        return f"sha256:{hashlib.sha256(answer.content).hexdigest()}"

    def manifest(self, digest: str) -> tuple[str, bytes]:
        """Media type and bytes of a manifest, which are those of its digest."""
        answer = self._send("GET", f"manifests/{digest}", headers={"Accept": ACCEPT}, bytes_max=MANIFEST_BYTES_MAX)
        self._expect(answer, httpx.codes.OK)
        if f"sha256:{hashlib.sha256(answer.content).hexdigest()}" != digest:
            raise ShiplineError(f"the registry {self._shown()} serves other bytes than {digest}")
        return answer.headers.get("Content-Type", ""), answer.content

    def named(self, reference: str) -> tuple[str, bytes] | None:
        """Media type and bytes of the manifest that a tag names now; None where there is none."""
        answer = self._send("GET", f"manifests/{reference}", headers={"Accept": ACCEPT}, bytes_max=MANIFEST_BYTES_MAX)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        self._expect(answer, httpx.codes.OK)
        return answer.headers.get("Content-Type", ""), answer.content

    def blob(self, digest: str, *, bytes_max: int) -> bytes:
        """The bytes of a small blob, which are those of its digest.

        Registries may send to a storage that they sign an address of: no credentials go there.
        """
        answer = self._send("GET", f"blobs/{digest}", bytes_max=bytes_max)
        for _ in range(REDIRECTS_MAX):
            if not answer.has_redirect_location:
                break
            place = urljoin(str(answer.request.url), answer.headers["Location"])
            if not is_confidential(place):
                raise RefusedError(f"the registry {self._shown()} sends to an address without https for a blob")
            answer = self._exchange("GET", place, {}, b"", bytes_max, with_token=False)
        self._expect(answer, httpx.codes.OK)
        if f"sha256:{hashlib.sha256(answer.content).hexdigest()}" != digest:
            raise ShiplineError(f"the registry {self._shown()} serves other bytes than {digest}")
        return answer.content

    def push_content(self, content: bytes) -> str:
        """Upload a blob that is held in memory, unless it is there; returns its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._push_chunks(digest, lambda: iter((content,)))
        return digest

    def put_manifest(self, reference: str, media_type: str, content: bytes) -> bool:
        """Store a manifest under a tag or its digest; True where the registry says that it has listed it among what
        refers to its subject (distribution specification 1.1, "Pushing Manifests with Subject")."""
        return "OCI-Subject" in self._put_manifest(reference, media_type, content).headers

    def referrers(self, digest: str) -> tuple[dict[str, Any], ...] | None:
        """Descriptors of what refers to a manifest; None where the registry keeps no such list.

        Registries of before 1.1 answer in many ways that they do not know the question.
        """
        found: list[dict[str, Any]] = []
        place: str | None = f"referrers/{digest}"
        for _ in range(PAGES_MAX):
            if place is None:
                break
            answer = self._send("GET", place, headers={"Accept": REFERRERS}, bytes_max=MANIFEST_BYTES_MAX)
            if answer.status_code in NOT_KNOWN:
                return None
            self._expect(answer, httpx.codes.OK)
            listed = _document(answer).get("manifests")
            if not isinstance(listed, list):
                return None
            found += [one for one in listed if isinstance(one, dict)]
            next_link = answer.links.get("next", {}).get("url")
            place = None if next_link is None else self._own(urljoin(str(answer.request.url), next_link))
        return tuple(found)

    def tags(self) -> tuple[str, ...]:
        """All tags of the repository; none where it does not exist yet."""
        found: list[str] = []
        place: str | None = "tags/list?n=1000"
        for _ in range(PAGES_MAX):
            if place is None:
                return tuple(found)
            answer = self._send("GET", place, bytes_max=TAGS_BYTES_MAX)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return ()
            self._expect(answer, httpx.codes.OK)
            listed = _document(answer).get("tags") or []
            found += [str(tag) for tag in listed if isinstance(tag, str)]
            next_link = answer.links.get("next", {}).get("url")
            place = None if next_link is None else self._own(urljoin(str(answer.request.url), next_link))
        raise ShiplineError(f"the registry {self._shown()} lists more tags than can be read")

    def ping(self) -> None:
        """Ask the registry's root, with credentials; raises what is wrong."""
        answer = self._send("GET", f"{self.url.rstrip('/')}/v2/", bytes_max=TOKEN_BYTES_MAX)
        self._expect(answer, httpx.codes.OK)

    def push(self, layout: Layout) -> str:
        """Upload what is missing of an image: blobs, then manifests by digest, the root last. Returns its digest."""
        for manifest in layout.manifests():
            for blob in manifest.blobs:
                self._push_blob(layout, blob)
            descriptor = manifest.descriptor
            if self.digest_of(descriptor.digest) is None:
                self._put_manifest(descriptor.digest, descriptor.media_type, manifest.content)
        return layout.root.digest

    def tag(self, digest: str, tag: str) -> None:
        """Let a tag name a manifest that is there; it is moved where it named another."""
        media_type, content = self.manifest(digest)
        self._put_manifest(tag, media_type, content)
        if self.digest_of(tag) != digest:
            raise ShiplineError(f"the registry {self._shown()} did not move the tag {tag}", retryable=True)

    def _push_blob(self, layout: Layout, blob: Descriptor) -> None:
        self._push_chunks(blob.digest, lambda: layout.chunks(blob))

    def _push_chunks(self, digest: str, chunks: Callable[[], Iterator[bytes]]) -> None:
        found = self._send("HEAD", f"blobs/{digest}")
        if found.status_code == httpx.codes.OK:
            return
        if found.status_code != httpx.codes.NOT_FOUND:
            self._expect(found, httpx.codes.OK)
        begun = self._send("POST", "blobs/uploads/", headers={"Content-Length": "0"})
        self._expect(begun, httpx.codes.ACCEPTED)
        place, start = self._location(begun), 0
        for piece in _pieces(chunks()):
            # In pieces, so that no blob is ever held whole ("Pushing a blob in chunks").
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"{start}-{start + len(piece) - 1}",
            }
            taken = self._send("PATCH", place, headers=headers, content=piece)
            self._expect(taken, httpx.codes.ACCEPTED)
            place, start = self._location(taken), start + len(piece)
        ended = self._send("PUT", str(httpx.URL(place).copy_merge_params({"digest": digest})))
        self._expect(ended, httpx.codes.CREATED)

    def _put_manifest(self, reference: str, media_type: str, content: bytes) -> httpx.Response:
        answer = self._send("PUT", f"manifests/{reference}", headers={"Content-Type": media_type}, content=content)
        self._expect(answer, httpx.codes.CREATED)
        return answer

    def _location(self, answer: httpx.Response) -> str:
        return self._own(urljoin(str(answer.request.url), answer.headers.get("Location", "")))

    def _own(self, place: str) -> str:
        """An address that the registry named, which must be its own: the credentials go there."""
        if urlsplit(place)[:2] != urlsplit(self.url)[:2]:
            raise ConfigurationError(
                f"the registry {self._shown()} sends this request on to another host",
                why=f"{urlsplit(place).scheme}://{urlsplit(place).netloc.rpartition('@')[2]}"[:200],
                todo="set `url` to the address that the registry goes by itself",
            )
        return place

    def _send(
        self,
        method: str,
        place: str,
        *,
        headers: dict[str, str] | None = None,
        content: bytes = b"",
        bytes_max: int = TOKEN_BYTES_MAX,
    ) -> httpx.Response:
        """One exchange, and a second one with a token where the first is answered with a challenge."""
        url = place if "://" in place else f"{self.url.rstrip('/')}/v2/{self.repository}/{place}"
        answer = self._exchange(method, url, headers or {}, content, bytes_max)
        if answer.status_code == httpx.codes.UNAUTHORIZED and self._authorize(answer):
            answer = self._exchange(method, url, headers or {}, content, bytes_max)
        return answer

    def _exchange(  # noqa: PLR0913 - private, and all but the last are httpx's own
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes,
        bytes_max: int,
        *,
        with_token: bool = True,
    ) -> httpx.Response:
        own = {"Authorization": self._token} if self._token != "" and with_token else {}
        length = {"Content-Length": str(len(content))} if content else {}
        try:
            with (
                paced(self.timeout_s) as pace,
                httpx.Client(timeout=self.timeout_s, verify=_tls()) as client,
                client.stream(
                    method,
                    url,
                    headers={**headers, **own, **length},
                    content=pace.counted(_slices(content)) if content else b"",
                    extensions=pace.extensions,
                ) as answer,
            ):
                body = bytearray()
                for chunk in answer.iter_bytes():
                    pace.moved(len(chunk))
                    body += chunk
                    if len(body) > bytes_max:
                        raise ShiplineError(f"the registry {self._shown()} answered with more than {bytes_max} bytes")
                kept = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
                return httpx.Response(answer.status_code, headers=kept, content=bytes(body), request=answer.request)
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"the registry {self._shown()} cannot be reached",
                why=str(error)[:200] or type(error).__name__,
                todo=AGAIN,
            ) from None

    def _authorize(self, answer: httpx.Response) -> bool:
        """Take up a challenge; False where there is nothing to answer it with."""
        kind, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
        if kind.lower() == "basic" and self.credentials is not None and self._token == "":
            self._token = _basic(self.credentials)
            return True
        if kind.lower() != "bearer":
            return False
        said = dict(_CHALLENGE.findall(rest))
        self._token = f"Bearer {self._fetch_token(said)}"
        return True

    def _fetch_token(self, challenge: dict[str, str]) -> str:
        """A token from the realm that the registry names (distribution's token specification)."""
        realm = urlsplit(challenge.get("realm", ""))
        if not is_confidential(realm.geturl()):
            raise RefusedError(
                f"the registry {self._shown()} wants credentials sent to {realm.scheme}://{realm.hostname or ''}"[:300],
                why=WHY,
                todo="ask who runs the registry to set its token realm to an https address",
            )
        scope = challenge.get("scope") or f"repository:{self.repository}:pull,push"
        query = {"service": challenge.get("service", ""), "scope": scope}
        basic = {"Authorization": _basic(self.credentials)} if self.credentials is not None else {}
        held, self._token = self._token, ""
        try:
            url = str(httpx.URL(realm.geturl()).copy_merge_params(query))
            answer = self._exchange("GET", url, basic, b"", TOKEN_BYTES_MAX)
        finally:
            self._token = held
        self._expect(answer, httpx.codes.OK)
        document = _document(answer)
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ShiplineError(f"the registry {self._shown()} gave out no token")
        return token

    def _expect(self, answer: httpx.Response, status: int) -> None:
        if answer.status_code == status:
            return
        code, why = answer.status_code, _errors(answer)
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RefusedError(
                f"the registry {self._shown()} refused the credentials (HTTP {code})",
                why=why,
                todo="set username and password_environment for this registry, or log in with the container client "
                "(`docker login`); the account must be allowed to push to this repository",
            )
        if code >= httpx.codes.INTERNAL_SERVER_ERROR or code in (408, 425, 429):
            raise UnavailableError(f"the registry {self._shown()} is in trouble (HTTP {code})", why=why, todo=AGAIN)
        raise ShiplineError(f"the registry {self._shown()} answered HTTP {code}", why=why)

    def _shown(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes longer than most exchanges."""
    return httpx.create_ssl_context()


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in as few pieces as may be sent at once; at least one, which may be empty."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) >= CHUNK_BYTES_MAX:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _slices(content: bytes) -> Iterator[bytes]:
    """The content a little at a time, so that it shows whether it moves on."""
    return (content[start : start + SLICE_BYTES] for start in range(0, len(content), SLICE_BYTES))


def _basic(credentials: tuple[str, str]) -> str:
    return f"Basic {base64.b64encode(':'.join(credentials).encode()).decode()}"


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = json.loads(answer.content)
    except (ValueError, RecursionError):
        document = None
    return document if isinstance(document, dict) else {}


def _errors(answer: httpx.Response) -> str:
    """What the registry says about an error (distribution specification, "Error Codes")."""
    listed = _document(answer).get("errors")
    if not isinstance(listed, list):
        return ""
    told = [one for one in listed[:3] if isinstance(one, dict)]
    return "; ".join(" ".join(f"{one.get('code', '')} {one.get('message', '')}".split()) for one in told)[:300]
