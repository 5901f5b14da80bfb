"""What twine writes is understood, and holds no secret when it is shown."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.providers.registry.twine_upload import Upload, diagnosed
from shipline.testing.conformance.registry import make_distributions


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("ERROR    HTTPError: 403 Forbidden from http://index.example.org/", RefusedError),
        ("ERROR    HTTPError: 401 Unauthorized from http://index.example.org/", RefusedError),
        (
            "WARNING  Retry 5 of 5.\nERROR    HTTPError: 502 Bad Gateway from http://index.example.org/",
            UnavailableError,
        ),
        ("ERROR    HTTPError: 429 Too Many Requests from http://index.example.org/", UnavailableError),
        ("Traceback …\nrequests.exceptions.ConnectionError: Max retries exceeded", UnavailableError),
        ("Traceback …\nrequests.exceptions.ReadTimeout: read timed out", UnavailableError),
        ("ERROR    NonInteractive: Credential not found for username.", ConfigurationError),
        ("Traceback …\nrequests.exceptions.SSLError: certificate verify failed", ShiplineError),
        ("ERROR    InvalidDistribution: no metadata", ShiplineError),
        ("", ShiplineError),
    ],
)
def test_each_failure_is_told_from_the_others(output: str, expected: type[ShiplineError]) -> None:
    error = diagnosed(output)
    assert type(error) is expected
    assert error.retryable is (expected is UnavailableError)


def test_a_refused_connection_is_named_without_a_traceback_or_a_secret(tmp_path: Path) -> None:
    """A port that is bound and not listened on refuses."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        upload = Upload(address, {"PATH": "", "HOME": str(tmp_path)}, 60.0, ("robot", "s3cr3t"))
        with pytest.raises(UnavailableError) as caught:
            upload.send(make_distributions(tmp_path, "1.0.0"), folder=tmp_path)
    assert caught.value.why.startswith("ConnectionError:")
    assert "s3cr3t" not in caught.value.diagnosis()
    assert "s3cr3t" not in repr(upload)
