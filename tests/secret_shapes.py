"""Secrets of every known shape, none of them real: what must not come out is `secret`, wherever `text` goes in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leak:
    """`text` as a tool or a person may write it, and the part of it that nobody may see."""

    name: str
    text: str
    secret: str


def _joined(*parts: str) -> str:
    """In parts, so that no scanner takes this file for a leak."""
    return "".join(parts)


_GITHUB = _joined("gh", "p_", "Zx7QmT2vKp9LrW4sBn8YcD6fHj3GuE1aVo5i")
_FINE = _joined("github", "_pat_", "11ABCDEFG0aBcDeFgHiJkL_mNoPqRsTuVwXyZ0123456789")
_GITLAB = _joined("gl", "pat-", "Xy7_QmT2vKp9LrW4sBn8")
_AWS = _joined("AK", "IA", "Z7QX4JXH2M5NQPLT")
_AWS_SECRET = _joined("wJalrXUtnFEMI", "/K7MDENG/bPxRfiCYzEXAMPLEKEY")
_PYPI = _joined("py", "pi-", "AgEIcHlwaS5vcmcCJDEyMzQ1Njc4LTkwYWI")
_TEST_PYPI = _joined("py", "pi-", "AgENdGVzdC5weXBpLm9yZwIkMTIzNDU2NzgtOTBhYg")
_NPM = _joined("np", "m_", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5")
_JWT = _joined("ey", "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U")
_KEY = _joined("-----BEGIN RSA PRI", "VATE KEY-----\nMIIEowIBAAKCAQEA7v\nq2w3e4r5\n-----END RSA PRI", "VATE KEY-----")
_SLACK = _joined("xo", "xb-", "123456789012-abcdefGHIJKL")
_STRIPE = _joined("sk", "_live_", "4eC39HqLyjWDarjtT1zdp7dc")

LEAKS = (
    Leak("github", f"remote: bad credentials {_GITHUB}", _GITHUB),
    Leak("github fine-grained", f"token={_FINE}", _FINE),
    Leak("gitlab", f"PRIVATE-TOKEN: {_GITLAB}", _GITLAB),
    Leak("aws", f"uses {_AWS} here", _AWS),
    Leak("aws secret", f"AWS_SECRET_ACCESS_KEY={_AWS_SECRET}", _AWS_SECRET),
    Leak("pypi", f"password: {_PYPI}", _PYPI),
    Leak("pypi within a name", f"x_{_PYPI}", _PYPI),
    Leak("pypi of the test index", f"password: {_TEST_PYPI}", _TEST_PYPI),
    Leak("npm", f"//registry.example/:_authToken={_NPM}", _NPM),
    Leak("private key", f"read {_KEY} from it", "MIIEowIBAAKCAQEA7v"),
    Leak("jwt", f"session {_JWT} has ended", _JWT),
    Leak("url", "cannot reach https://joe:s3cr3t-p4ss@example.org/x", "s3cr3t-p4ss"),
    Leak("url with an @", "fatal: https://ann:s@3cr3t-w0rd@example.com/x.git refused", "3cr3t-w0rd"),
    Leak("token as a user", "https://0a1b2c3d4e5f6a7b8c9d0e1f@example.com/x.git", "0a1b2c3d4e5f6a7b8c9d0e1f"),
    Leak("database", "postgresql://ship:hunter2hunter2@db.example/ship", "hunter2hunter2"),
    Leak("query", "GET /x?private_token=a1b2c3d4e5f6&page=2", "a1b2c3d4e5f6"),
    Leak("bearer", "Authorization: Bearer mF_9.B5f-4.1JqM-secret", "mF_9.B5f-4.1JqM"),
    Leak("basic", "Authorization: Basic am9lOnMzY3IzdC1wYXNz", "am9lOnMzY3IzdC1wYXNz"),
    Leak("slack", f"posted with {_SLACK}", _SLACK),
    Leak("stripe", f"charged by {_STRIPE}", _STRIPE),
)
ALL = " | ".join(leak.text for leak in LEAKS)


def leaked(text: str) -> list[str]:
    """The names of the secrets that a text lets through."""
    return [leak.name for leak in LEAKS if leak.secret in text]
