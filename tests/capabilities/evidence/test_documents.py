"""The documents of a bundle: what they say is said in words, and what does not fit is not proven, whoever signed it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence import (
    IN_TOTO,
    ApprovalsDocument,
    BundleContents,
    Summary,
    UsedWaiver,
    Verification,
    WaiversDocument,
    WaiverUse,
    document_bytes,
    make_bundle,
    read_bundle,
    sign_envelope,
    statement_of_summary,
    verify_bundle,
)
from shipline.capabilities.evidence.bundle import digest_of
from shipline.capabilities.evidence.documents import SignedYes
from shipline.capabilities.evidence.verification import verify
from shipline.capabilities.gates import NAMESPACE, statement, waiver_statement
from shipline.clients.ssh_signatures import sign
from shipline.domain.actor import SYSTEM
from shipline.domain.codec import to_json
from shipline.domain.errors import InvalidValue
from shipline.domain.gate import WAIVER_NAMESPACE, Approval, Waiver
from shipline.domain.verdict import Answer, Verdict
from shipline.store.database import Store
from shipline.store.excerpts import excerpt
from shipline.store.log import sequence
from shipline.store.notes import NotePublicKey, NoteSigningKey
from tests.capabilities.evidence.test_bundle import SIGNER, WHEEL, contents, failed, key_of
from tests.store.logs import KEY, PUBLIC, append, event

OLDER = Path(__file__).with_name("bundles") / "first.tar"
VERDICT = Verdict("tests pass", Answer.PASS, ("all passed",), 1_700_000_000_000_000, {})
POLICY = b"[]"
PLAN = {
    "package": "quotes",
    "version": "1.0",
    "tag": "v1.0",
    "previous_version": "0.9",
    "channel": "stable",
    "hotfix": False,
    "reasons": ["a feature"],
    "notes_markdown": "",
    "commits": [["c" * 40, 1]],
}
ROLLOUT = {"package": "quotes", "version": "1.0", "environment": "production", "status": "promoted"}


def staged(stage: str, answer: Answer) -> dict[str, Any]:
    return {"stage": stage, "verdict": to_json(replace(VERDICT, answer=answer))}


@pytest.fixture
def log(sqlite_url: str) -> Any:
    """An excerpt of a log in which the wheel was built and published."""
    store = Store(sqlite_url).open()
    built = event(2, kind="ArtifactsBuilt", artifacts=[{"digest": WHEEL.digest}])
    acts = [event(1, kind="ReleaseStarted"), built, event(3)]
    append(store, [acts[0], *(replace(act, actor=SYSTEM) for act in acts[1:])])
    sequence(store, KEY)
    found = excerpt(store, ["release:one"])
    store.close()
    return found


def summary(policy: bytes = POLICY, verdict: Verdict = VERDICT) -> bytes:
    made = Summary("pkg:pypi/quotes@1.0", digest_of(policy), (), ("SLSA_BUILD_LEVEL_1",), (verdict,), "0")
    return statement_of_summary([WHEEL], made)


def full(found: Any, /, **changes: bytes) -> BundleContents:
    """A bundle with every document, some of them changed."""
    stated = sign_envelope(changes.pop("vsa", summary()), IN_TOTO, SIGNER)
    documents = {
        "release_plan": json.dumps(PLAN).encode(),
        "policy": POLICY,
        "verdicts": json.dumps({"verdicts": [staged("release", Answer.PASS), staged("canary", Answer.FAIL)]}).encode(),
        "rollouts": json.dumps({"rollouts": [{"rollout": ROLLOUT, "analysis": [{}, {}]}]}).encode(),
        "log": document_bytes(found),
    }
    whole = contents()
    return replace(
        whole,
        envelopes={**whole.envelopes, "vsa.json": stated},
        checkpoint=changes.pop("checkpoint", found.checkpoint.encode()),
        documents={f"{name.replace('_', '-')}.json": data for name, data in (documents | changes).items()},
    )


def asked(made: BundleContents, log_key: NotePublicKey | None = None) -> Verification:
    return verify(read_bundle(make_bundle(made, SIGNER)), [key_of(SIGNER)], {}, log_key)


def test_it_is_said_why_some_events_are_not_proven(log: Any) -> None:
    found = asked(full(replace(log, left_out=2)))
    words = next(check.words for check in found.checks if check.name == "log")
    assert "; 2 more are not proven: they came after the checkpoint" in words


def test_a_full_bundle_says_in_words_what_is_proven(log: Any) -> None:
    """An environment's gate that said FAIL does not unmake the release; the log's key may be given."""
    found = asked(full(log))
    words = [f"{check.name}: {check.words}" for check in found.checks]
    assert found.proven, [check for check in found.checks if not check.ok]
    verified = "was verified as pkg:pypi/quotes@1.0 by urn:shipline:verifier:gates:v1: PASSED, SLSA_BUILD_LEVEL_1"
    signed = "that example.org/log has signed, whose key the bundle's signer names"
    for expected in (
        f"summary: the release {verified}",
        "plan: it follows 0.9, with 1 commit on stable",
        "gates: 1 gate (tests pass) said PASS of the release",
        "gates: of canary they have said last: tests pass FAIL",
        "rollout: to production: promoted after 2 looks of the analysis",
        f"log: 3 of its events are in the log of 3 events {signed}",
        "log: the log has the same artifacts, by their digests",
        "log: the log says that it was published",
    ):
        assert expected in words
    assert any("whose key you gave" in check.words for check in asked(full(log), PUBLIC).checks)


def test_a_bundle_of_the_first_version_verifies_still() -> None:
    """As it was written before there were documents to look at."""
    assert verify_bundle(OLDER, [key_of(SIGNER)]).proven
    assert failed(verify_bundle(OLDER, [key_of(SIGNER)], log_key=PUBLIC)) == {"log"}


def test_what_does_not_fit_is_not_proven_whoever_signed_it(log: Any) -> None:
    other = replace(log.events[0], place=1)
    stranger = NoteSigningKey(name=KEY.name, seed=bytes(32)).public_key
    refused = Verdict("tests pass", Answer.FAIL, (), 1, {})
    strange = {"rollout": ROLLOUT | {"version": "2"}, "analysis": []}
    cases: dict[str, list[BundleContents]] = {
        "summary": [full(log, vsa=summary(verdict=refused)), full(log, policy=b"[{}]")],
        "plan": [
            full(log, release_plan=json.dumps(PLAN | {"version": "2.0"}).encode()),
            full(log, release_plan=b"{}"),
        ],
        "gates": [full(log, verdicts=json.dumps({"verdicts": [staged("release", Answer.UNKNOWN)]}).encode())],
        "verdicts": [full(log, verdicts=b"[]")],
        "rollouts": [
            full(log, rollouts=b"[]"),
            full(
                log,
                rollouts=json.dumps({"rollouts": [strange]}).encode(),
            ),
        ],
        "log": [
            full(log, checkpoint=b"another"),
            full(log, log=b"{}"),
            full(log, log=document_bytes(replace(log, events=(other,)))),
            full(log, log=document_bytes(replace(log, key=str(stranger)))),
            replace(full(log), artifacts=()),
        ],
    }
    for name, wrong in cases.items():
        for made in wrong:
            assert name in failed(asked(made)), name
    assert failed(asked(full(log), stranger)) == {"log"}


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
@pytest.mark.parametrize("name", ["statement", "signature"])
def test_half_of_a_character_is_signed_by_nobody(log: Any, name: str) -> None:
    """JSON can name it, and no bytes can hold it: not proven, and no error of ours."""
    said = {"statement": '{"package":"quotes","version":"1.0"}', "signature": "s", "key": "ssh-ed25519 " + "A" * 68}
    said[name] = "\ud800" + said[name]
    found = asked(full(log, approvals=json.dumps({"approvals": [said]}).encode()))
    assert [check.ok for check in found.checks if check.name == "approvals"] == [False]
    assert not found.proven


def test_an_approval_is_proven_by_its_own_signature(log: Any, tmp_path: Path) -> None:
    key = tmp_path / "ann"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])

    def given(version: str) -> SignedYes:
        said = statement(Approval("ann", "security", "release", "quotes", version, "sha256:0", 1))
        return SignedYes(said.decode(), sign(said, key=key, namespace=NAMESPACE), public)

    good = given("1.0")
    (check,) = [
        check
        for check in asked(full(log, approvals=document_bytes(ApprovalsDocument((good,))))).checks
        if check.name == "approval"
    ]
    assert "ann as security has approved it for release, signed with the key that the policy names" in check.words
    for wrong in (given("2.0"), replace(good, statement=good.statement.replace("security", "SECURITY"))):
        assert "approvals" in failed(asked(full(log, approvals=document_bytes(ApprovalsDocument((wrong,))))))


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_a_waiver_is_proven_by_its_own_signature(log: Any, tmp_path: Path) -> None:
    """And by its own words: it speaks of this release, of the findings that it was used for, and had not ended."""
    key = tmp_path / "ann"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    day_us, finding = 86_400_000_000, "a" * 32
    of = Waiver((finding,), "ann", "never shipped", "1970-01-01", "1970-01-10", "", "quotes", ("1.0",))

    def used(waiver: Waiver, *uses: WaiverUse) -> bytes:
        said = waiver_statement(waiver)
        signature = sign(said, key=key, namespace=WAIVER_NAMESPACE)
        return document_bytes(WaiversDocument((UsedWaiver(said.decode(), signature, public, uses),)))

    use = WaiverUse("release", 9 * day_us, (finding,))
    good = used(of, use)
    (words,) = [check.words for check in asked(full(log, waivers=good)).checks if check.name == "waiver"]
    assert "ann has accepted 1 finding until 1970-01-10, and the gates of release were asked without" in words
    for wrong in (
        good.replace(b"never shipped", b"often shipped"),
        used(replace(of, versions=("2.0",)), use),
        used(of, replace(use, findings=("b" * 32,))),
        used(of, replace(use, time_us=10 * day_us)),
        used(of, replace(use, time_us=2**53 - 1)),
    ):
        assert "waivers" in failed(asked(full(log, waivers=wrong)))


def test_no_byte_of_a_full_bundle_can_be_changed(log: Any) -> None:
    """A sample of all bytes; every one of them is changed in the bench of the gates."""
    data = make_bundle(full(log), SIGNER)
    for place in range(7, len(data), 211):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            found = verify(read_bundle(changed), [key_of(SIGNER)], {})
        except InvalidValue:
            continue
        assert not found.proven, place
