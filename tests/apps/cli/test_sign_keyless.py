"""`shipline sign --keyless`, against working models of a sigstore instance; verified by the library `sigstore`, too."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import sign
from shipline.bootstrap import Application
from shipline.capabilities.evidence import identity_of, read_instance, verify_file
from shipline.domain.errors import (
    ConfigurationError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
    UsageError,
)
from shipline.testing.histories import History

pytest.importorskip("sigstore", reason="needs the extra keyless")
from shipline.testing.fakes.sigstore.instance import FakeInstance, serving

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, which makes the timestamps")
MIA = "mia@example.org"
WORKFLOW = "https://forge.example/team/greet/release.yml@refs/heads/main"


@dataclass
class Made:
    """A project that names the instance, with a file to sign."""

    instance: FakeInstance
    application: Application
    file: Path

    @property
    def bundle(self) -> Path:
        """Where the signature comes to be."""
        return self.file.with_name("greet.tar.gz.sigstore.json")

    def sign(self, *more: str) -> Result:
        """The command."""
        return CliRunner().invoke(
            sign.command, ["--keyless", str(self.file), *more], obj=self.application, catch_exceptions=False
        )

    def proven(self, subject: str) -> bool:
        """Whether the identity has signed, as `shipline verify` sees it."""
        root = self.application.root / "sigstore.json"
        by = identity_of(subject, self.instance.issuer.name, root)
        return verify_file(self.file, self.bundle, [], by=by).proven


@pytest.fixture
def made(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """With the log of the second version, where nothing else is said."""
    with serving(tmp_path / "timestamps", rekor=getattr(request, "param", 2)) as instance:
        history = History(tmp_path / "project")
        history.commit(
            "chore: begin",
            {
                "sigstore.json": instance.trust_config().decode(),
                "shipline.toml": '[keyless]\ninstance = "sigstore.json"\n',
            },
        )
        file = tmp_path / "greet.tar.gz"
        file.write_bytes(b"what is released")
        monkeypatch.setenv("SIGSTORE_ID_TOKEN", instance.issuer.token(MIA))
        yield Made(instance, Application(history.folder), file)


@pytest.mark.parametrize("made", [1, 2], indirect=True)
def test_a_file_is_signed_by_an_identity_and_proven_by_it_alone(
    made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The token is in nothing that is said, written or logged."""
    caplog.set_level(logging.DEBUG)
    said = made.sign()
    assert f"by {MIA} ({made.instance.issuer.name})" in said.output
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
    assert made.instance.asked == ["fulcio", "timestamps", "rekor"]
    assert (made.proven(MIA), made.proven(WORKFLOW)) == (True, False)
    monkeypatch.setenv("OTHER", made.instance.issuer.token(WORKFLOW))
    document = json.loads(made.sign("--token-environment", "OTHER", "--json").output)
    assert document["signed"][0]["identity"] == {"subject": WORKFLOW, "issuer": made.instance.issuer.name}
    assert (made.proven(MIA), made.proven(WORKFLOW)) == (False, True)
    import os  # noqa: PLC0415 - the tokens that were given

    for token in (os.environ["SIGSTORE_ID_TOKEN"], os.environ["OTHER"]):
        assert token not in caplog.text + said.output + made.bundle.read_text()


def test_where_a_service_fails_nothing_is_written(made: Made) -> None:
    """And once it answers again, the same command signs."""
    for service in ("fulcio", "timestamps", "rekor"):
        made.instance.down = {service}
        with pytest.raises(UnavailableError, match="gives no answer") as error:
            made.sign()
        assert "eyJ" not in error.value.diagnosis()  # As every token begins.
        assert [path.name for path in made.file.parent.glob("greet*")] == ["greet.tar.gz"]
    assert made.instance.rekor.entries == []
    made.instance.down = set()
    made.sign()
    assert made.proven(MIA)


def test_what_does_not_prove_it_is_not_written(made: Made) -> None:
    """A log that lies about its tree."""
    made.instance.rekor.lies = True
    with pytest.raises(ShiplineError, match="proves nothing"):
        made.sign()
    assert not made.bundle.exists()


def test_a_token_that_does_not_count_is_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """By us where it can be seen, else by the authority; its text is in no error."""
    issuer, stranger = made.instance.issuer, type(made.instance.issuer)("https://stranger.example")
    tokens = (issuer.token(MIA, lives_s=-60), issuer.token(MIA, audience="other"), "none", stranger.token(MIA))
    for token in tokens:
        monkeypatch.setenv("SIGSTORE_ID_TOKEN", token)
        with pytest.raises(RefusedError) as error:
            made.sign()
        assert token == "none" or token not in error.value.diagnosis()
    assert made.instance.asked == ["fulcio"]
    monkeypatch.delenv("SIGSTORE_ID_TOKEN")
    with pytest.raises(RefusedError, match="SIGSTORE_ID_TOKEN is not set"):
        made.sign()
    assert not made.bundle.exists()


def test_no_commit_says_where_tokens_go(made: Made) -> None:
    """The file counts as the protected branch has it."""
    root = made.application.root
    History(root).git("update-ref", "refs/remotes/origin/HEAD", "HEAD")
    (root / "sigstore.json").write_text("{}")
    (root / "shipline.toml").write_text('[keyless]\ninstance = "other.json"\n')
    CliRunner().invoke(sign.command, ["--keyless", str(made.file)], obj=Application(root), catch_exceptions=False)
    assert made.bundle.exists()


def test_what_cannot_be_meant_is_said(made: Made, tmp_path: Path) -> None:
    for more in (("--key", "k"), ("registry.example/a/b:1",)):
        with pytest.raises(UsageError):
            made.sign(*more)
    with pytest.raises(UsageError, match="--keyless is with"):
        CliRunner().invoke(
            sign.command, ["--token-environment", "X", "f"], obj=made.application, catch_exceptions=False
        )
    empty = History(tmp_path / "empty")
    empty.commit("chore: begin", {"a": "1"})
    with pytest.raises(UsageError, match="no sigstore instance is named"):
        CliRunner().invoke(
            sign.command, ["--keyless", str(made.file)], obj=Application(empty.folder), catch_exceptions=False
        )
    with pytest.raises(InvalidValue):
        read_instance(b"{}")
    plain = made.instance.trust_config().replace(b"http://127.0.0.1", b"http://sigstore.example")
    with pytest.raises(ConfigurationError, match="an http address of another machine"):
        read_instance(plain)
