"""Signing by an identity and not by a key, at the sigstore instance that a file names.

An instance's authority certifies a key that lives for this signature alone, for whom an identity token vouches; a
timestamp authority and a public log say when it was used. The calls are those of the library `sigstore`, an extra of
this package; they go to the addresses in the file and nowhere else, each with a bound on its time, along no redirect.

Nothing is written before the whole bundle was verified by the roots in the same file: whatever fails on the way leaves
nothing behind but an entry in a log, which proves nothing without the bundle. The token stands in no error.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from shipline.capabilities.evidence.signatures.keyless import is_canonical, library_errors, words_of
from shipline.capabilities.evidence.signatures.signing import FILE_BYTES_MAX, Signed, refuse_disguise
from shipline.capabilities.evidence.usecases import read_file
from shipline.capabilities.version_files import write_atomically
from shipline.clients.confidential import check_confidential
from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError, UnavailableError, UsageError
from shipline.domain.strict_json import read_json

INSTANCE_BYTES_MAX = 4 * 1024 * 1024
TOKEN_CHARACTERS_MAX = 16_384
ANSWER_TIMEOUT_S = 60.0
SERVICES = ("caUrls", "rekorTlogUrls", "tsaUrls")


@dataclass(frozen=True, slots=True)
class Instance:
    """Where is signed, and by which roots that is verified: the library's own values."""

    context: Any
    root: Any


@dataclass(frozen=True, slots=True)
class SignedByIdentity:
    """What was signed, and for whom the authority has vouched: a name, and who vouched for that."""

    signed: Signed
    subject: str
    issuer: str


def read_instance(data: bytes) -> Instance:
    """The instance of a ClientTrustConfig (protobuf-specs v0.5, sigstore_trustroot.proto). Asks nobody.

    UsageError without the library; InvalidValue for what is no such file, ConfigurationError for an address that a
    token may not be sent to.
    """
    if importlib.util.find_spec("sigstore") is None:
        raise UsageError(
            "who signs by an identity needs the package sigstore, which is not installed",
            todo="install it beside Shipline: pip install 'shipline[keyless]'",
        )
    document = read_json(data, what="the sigstore instance's file", limit_bytes=INSTANCE_BYTES_MAX)
    signing: Any = document.get("signingConfig") if isinstance(document, dict) else None
    if not isinstance(signing, dict):
        raise InvalidValue("the sigstore instance's file is no ClientTrustConfig: it has no signingConfig")
    for name in SERVICES:
        listed = signing.get(name) or []
        for service in listed if isinstance(listed, list) else [None]:
            url = service.get("url") if isinstance(service, dict) else None
            check_confidential(str(url), name=f"{name} of the sigstore instance's file")
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - an extra, and slow to load
    from sigstore.sign import SigningContext  # noqa: PLC0415

    try:
        config = ClientTrustConfig.from_json(json.dumps(document))
        root, services = config.trusted_root, config.signing_config
        fulcio, rekor, tsas = services.get_fulcio(), services.get_tlogs()[0], services.get_tsas()
    except library_errors() as error:
        raise InvalidValue("the sigstore instance's file cannot be used", why=words_of(error)) from None
    # The library has sessions of its own, without a bound on their time.
    for session in (fulcio.session, *(each._session for each in (rekor, *tsas))):  # type: ignore[attr-defined] # noqa: SLF001
        # Nor is a redirect followed with the token.
        session.request = partial(session.request, timeout=ANSWER_TIMEOUT_S, allow_redirects=False)
    strict: Any = [_Timestamps(each) for each in tsas]
    return Instance(SigningContext(fulcio=fulcio, rekor=rekor, trusted_root=root, tsa_clients=strict), root)


class _Timestamps:
    """A timestamp authority whose silence ends the signing: the library would go on without, to a bundle that nobody
    can verify once the certificate has ended."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def request_timestamp(self, signature: bytes) -> Any:
        """The authority's word. UnavailableError where it gives none."""
        from sigstore._internal.timestamp import TimestampError  # noqa: PLC0415 - as above

        try:
            return self._client.request_timestamp(signature)
        except TimestampError:
            raise UnavailableError(
                "the timestamp authority of the sigstore instance gives no answer", todo="run this again"
            ) from None


def sign_file_by_identity(path: Path, token: str, instance: Instance) -> SignedByIdentity:
    """Write `FILE.sigstore.json`, whole and verified, or nothing.

    RefusedError for a token that does not count and for what a service does not take, UnavailableError for one that
    gives no answer. The same again is signed anew.
    """
    data = read_file(path, limit_bytes=FILE_BYTES_MAX)
    refuse_disguise(path, data)
    with _told(token):
        bundle, subject, issuer = _signed(data, token, instance)
    place = path.with_name(f"{path.name}.sigstore.json")
    write_atomically(place, bundle.to_json().encode())
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return SignedByIdentity(Signed(digest, "", (str(place),)), subject, issuer)


def _signed(data: bytes, token: str, instance: Instance) -> tuple[Any, str, str]:
    """The bundle, and for whom its certificate is, once all of it holds."""
    from cryptography import x509  # noqa: PLC0415 - of this alone
    from sigstore.oidc import IdentityToken  # noqa: PLC0415 - as above
    from sigstore.verify import Verifier, policy  # noqa: PLC0415

    if not 1 <= len(token) <= TOKEN_CHARACTERS_MAX:
        raise RefusedError(f"an identity token has 1 to {TOKEN_CHARACTERS_MAX} characters")
    identity = IdentityToken(token)
    with instance.context.signer(identity) as signer:
        bundle = signer.sign_artifact(data)
    if not is_canonical(bundle.to_json().encode()):
        raise ShiplineError("the sigstore instance has answered with base64 that is not the canonical one")
    issuer = identity.federated_issuer
    # Of whom it is, the authority decides by rules of its own: for some issuers it is not the token's subject.
    Verifier(trusted_root=instance.root).verify_artifact(data, bundle, policy.OIDCIssuerV2(issuer))
    names = bundle.signing_certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return bundle, ", ".join(str(name.value) for name in names), issuer


@contextmanager
def _told(token: str) -> Iterator[None]:
    """What the library and its services say that went wrong, in our words, without the token."""
    from sigstore._internal.fulcio.client import ExpiredCertificate, FulcioClientError  # noqa: PLC0415
    from sigstore._internal.rekor import RekorClientError  # noqa: PLC0415
    from sigstore.errors import VerificationError  # noqa: PLC0415 - as above
    from sigstore.oidc import ExpiredIdentity, IdentityError  # noqa: PLC0415

    try:
        yield
    except (IdentityError, ExpiredIdentity) as error:
        why = _without(token, error)
        raise RefusedError("the identity token does not count", why=why, todo="get a new one") from None
    except (FulcioClientError, RekorClientError, ExpiredCertificate) as error:
        service = "the certificate authority" if isinstance(error, FulcioClientError) else "the log"
        raise _refusal(service, error, token) from None
    except VerificationError as error:
        why = _without(token, error)
        raise ShiplineError("what the sigstore instance has answered proves nothing", why=why) from None
    except ShiplineError:
        raise
    except OSError as error:
        why = type(error).__name__  # Its words name the whole request.
        raise UnavailableError("the sigstore instance gives no answer", why=why, todo="run this again") from None
    except library_errors() as error:
        why = _without(token, error)
        raise ShiplineError("the sigstore instance has answered with what is not understood", why=why) from None


def _refusal(service: str, error: Exception, token: str) -> ShiplineError:
    cause = (
        error.__cause__ or error.__context__ or next((each for each in error.args if hasattr(each, "response")), None)
    )
    status = getattr(getattr(cause, "response", None), "status_code", None)
    words = f"{service} of the sigstore instance"
    if isinstance(status, int) and status < 500:
        return RefusedError(f"{words} has refused the request (HTTP {status})", why=_without(token, error))
    return UnavailableError(f"{words} gives no answer" + (f" (HTTP {status})" if status else ""), todo="run this again")


def _without(token: str, error: Exception) -> str:
    return words_of(error).replace(token, "…")
