"""Signatures by an identity and not by a key: proven by a certificate that lived minutes, and by a public log.

The checks are those of the library `sigstore`, an extra of this package, which is loaded where somebody asks for an
identity. Nothing is asked of the network: what is trusted is a root in a file.
"""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.capabilities.evidence.signatures.sigstore_bundle import BUNDLE_BYTES_MAX
from shipline.domain.errors import InvalidValue, UsageError
from shipline.domain.strict_json import read_json

ROOT_BYTES_MAX = 4 * 1024 * 1024
NAME_CHARACTERS_MAX = 1_000
MARK = "\u2014 "
ENCODED = frozenset(
    {
        *("rawBytes", "signature", "sig", "payload", "digest", "canonicalizedBody", "rootHash", "hashes", "keyId"),
        *("signedEntryTimestamp", "signedTimestamp"),
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who has to have signed: the certificate's subject, an address or a URI, and the issuer who vouched for it.
    `verifier` is the library's, with the root that is trusted."""

    subject: str
    issuer: str
    verifier: Any

    def __str__(self) -> str:
        """For people."""
        return f"{self.subject} ({self.issuer})"


def identity_of(subject: str, issuer: str, root: Path) -> Identity:
    """The identity, by the trusted root in a file. UsageError without the library, and where one of the two names is
    missing: a subject counts only by who vouches for it. InvalidValue where the file holds no root."""
    if not subject or not issuer or len(subject) + len(issuer) > NAME_CHARACTERS_MAX:
        raise UsageError("an identity is a subject and its issuer", todo="give both --identity and --issuer")
    if importlib.util.find_spec("sigstore") is None:
        raise UsageError(
            "signatures by an identity are verified by the package sigstore, which is not installed",
            todo="install it beside Shipline: pip install 'shipline[keyless]'",
        )
    from sigstore.verify import Verifier  # noqa: PLC0415 - an extra, and slow to load

    return Identity(subject, issuer, Verifier(trusted_root=_read_root(root)))


def _read_root(path: Path) -> Any:
    from sigstore.models import TrustedRoot  # noqa: PLC0415 - as above

    try:
        with path.open("rb") as file:
            if len(file.read(ROOT_BYTES_MAX + 1)) > ROOT_BYTES_MAX:
                raise InvalidValue(f"the trusted root {path} is larger than {ROOT_BYTES_MAX} bytes")
        return _root_in(path.read_text("utf-8")) or TrustedRoot.from_file(str(path))
    except OSError as error:
        raise InvalidValue(f"the trusted root {path} cannot be read", why=error.strerror or str(error)) from None
    except library_errors() as error:
        raise InvalidValue(f"{path} is no trusted root of sigstore", why=words_of(error)) from None


def _root_in(text: str) -> Any:
    """The root in a ClientTrustConfig, which names an instance to sign at, too; None for what is none."""
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - as above

    return ClientTrustConfig.from_json(text).trusted_root if '"signingConfig"' in text else None


def objection_to(bundle: bytes, identity: Identity, *, statement: bytes | None, sha256: bytes) -> str:
    """Why a bundle does not prove that the identity has signed, "" if it does: this statement, or else bytes with that
    sha256. What the statement says is looked at elsewhere. All of the bundle may be hostile."""
    from sigstore.hashes import Hashed  # noqa: PLC0415 - as above
    from sigstore.models import Bundle  # noqa: PLC0415
    from sigstore.verify import policy  # noqa: PLC0415
    from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415

    if not is_canonical(bundle):
        return "holds base64 that is not the canonical one of its bytes"
    wanted = policy.Identity(identity=identity.subject, issuer=identity.issuer)
    try:
        read = Bundle.from_json(bundle)
        if statement is not None:
            _, signed = identity.verifier.verify_dsse(read, wanted)
            return "" if signed == statement else "its statement is read in two ways"
        identity.verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=sha256), read, wanted)
    except library_errors() as error:
        return words_of(error)
    return ""


def is_canonical(bundle: bytes) -> bool:
    """False where base64 has another text than its bytes have: else a bundle could be changed and hold all the same."""
    try:
        document = read_json(bundle, what="the bundle", limit_bytes=BUNDLE_BYTES_MAX)
    except InvalidValue:
        return False
    return all(_is_own_text(text) for text in _encoded(document))


def _encoded(value: object) -> Iterator[str]:
    """The texts that stand for bytes (protobuf-specs v0.5, all `bytes` of a bundle)."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        texts = inner if isinstance(inner, list) else [inner]
        if name == "envelope" and isinstance(inner, str):
            yield from _of_checkpoint(inner)
        yield from (text for text in texts if name in ENCODED and isinstance(text, str))
        yield from _encoded(inner)
    for inner in value if isinstance(value, list) else ():
        yield from _encoded(inner)


def _of_checkpoint(note: str) -> list[str]:
    """The signatures of a checkpoint, which are lines of it; what is no base64 where none is named for the log. The
    library goes by the keys' hints alone. Rekor's first version adds a number to the log's name."""
    origin, *lines = note.split("\n")
    signed = [line[len(MARK) :].partition(" ") for line in lines if line.startswith(MARK)]
    own = any(name == origin or origin.startswith(f"{name} ") for name, _, _ in signed)
    return [text for _, _, text in signed] if own else ["-"]


def _is_own_text(text: str) -> bool:
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode("ascii") == text
    except ValueError:
        return False


def library_errors() -> tuple[type[Exception], ...]:
    """What the library raises for what is not right. A bundle may be anything, and it reads many formats."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from sigstore.errors import Error  # noqa: PLC0415 - as above

    return (Error, ValueError, TypeError, KeyError, AttributeError, IndexError, InvalidSignature, UnsupportedAlgorithm)


def words_of(error: Exception) -> str:
    """What an error says, in one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
