"""Signatures by the keys that people have already: OpenSSH's (SSHSIG), through its own `ssh-keygen` 8.2 or later.

Keys may lie in files, in an agent or on a security token. From: ssh-keygen(1), "-Y sign" and "-Y verify", and
PROTOCOL.sshsig of OpenSSH.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from shipline.clients.programs import run_program
from shipline.domain.errors import ConfigurationError, ShiplineError

PUBLIC_KEY = re.compile(
    r"(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9@.-]+|ssh-rsa) [A-Za-z0-9+/]{40,2000}={0,3}"
)
SIGNATURE_BYTES_MAX = 20_000
TIMEOUT_S = 60.0
PRINCIPAL = "approver"
KEPT = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER", "LANG")


def checked_public_key(text: str) -> str:
    """The type and the base64 of an OpenSSH public key, without its comment. ConfigurationError for anything else."""
    key = " ".join(text.split()[:2])
    if not PUBLIC_KEY.fullmatch(key):
        raise ConfigurationError(
            f"{text[:60]!r} is not an OpenSSH public key",
            todo="copy the line of a file such as ~/.ssh/id_ed25519.pub",
        )
    return key


def sign(payload: bytes, *, key: Path, namespace: str) -> str:
    """An armoured signature by the key in the file, or by the agent's where that is the public half."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "payload").write_bytes(payload)
        command = ("ssh-keygen", "-Y", "sign", "-f", str(key.absolute()), "-n", namespace, "payload")
        done = run_program(
            command, folder=folder, environment=_environment(), timeout_s=TIMEOUT_S, package="openssh-client"
        )
        if done.code != 0:
            raise ShiplineError(
                f"{key.name} did not sign",
                why=done.output[-400:],
                todo="add the key to your agent with `ssh-add`, or name another one with --key",
            )
        return (folder / "payload.sig").read_text("ascii")


def is_signed(payload: bytes, signature: str, *, public_key: str, namespace: str) -> bool:
    """True if `signature` is one of this key over exactly `payload`, made for this `namespace`."""
    key = checked_public_key(public_key)
    if len(signature) > SIGNATURE_BYTES_MAX or not signature.isascii():
        return False  # What is armoured is ASCII (PROTOCOL.sshsig); anything else could not even be written down.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "allowed").write_text(f'{PRINCIPAL} namespaces="{namespace}" {key}\n')
        (folder / "signature").write_text(signature)
        command = ("ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", PRINCIPAL, "-n", namespace, "-s", "signature")
        done = run_program(
            command,
            folder=folder,
            environment=_environment(),
            timeout_s=TIMEOUT_S,
            package="openssh-client",
            given=payload,
        )
        return done.code == 0


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}
