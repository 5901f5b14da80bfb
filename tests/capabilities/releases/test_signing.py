"""What a release publishes is signed: files beside them, images in their registry before a tag names them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.evidence import (
    Formats,
    PublicKey,
    Thing,
    Verification,
    Wanted,
    predicate_type_of,
    read_public_key,
    verify_file,
    verify_image,
)
from shipline.capabilities.evidence.statements import KEY_ON_DISK
from shipline.capabilities.releases import ReleaseGround
from shipline.capabilities.releases.signing import policy_document, resource_of
from shipline.domain.errors import ShiplineError
from shipline.domain.gate import Gate
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.store.database import Store
from shipline.testing.fakes.signer import MemorySigner
from shipline.testing.kills import Countdown
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.releases.release_world import ReleaseWorld, digest

WHEEL = "quotes-0.1.0-py3-none-any.whl"
RESOURCE = "pkg:pypi/quotes@0.1.0"


class Set(ReleaseWorld):
    """With a setting for signatures."""

    signatures: Formats | None = Formats.BOTH

    def ground(self, store: Store, countdown: Countdown | None = None) -> ReleaseGround:
        return replace(super().ground(store, countdown), signatures=self.signatures)


@pytest.fixture
def made(sqlite_url: str, tmp_path: Path) -> Iterator[Set]:
    world = World(7, tmp_path, url=sqlite_url)
    made = Set(world, tmp_path, imaged=True)
    yield made
    world.close()
    assert made.breaches == [] or made.signatures is not Formats.BOTH


def key() -> PublicKey:
    return read_public_key(MemorySigner().public_key_pem().encode())


def image_of(release: Release) -> str:
    (image,) = (artifact.digest for artifact in release.artifacts if artifact.kind == "oci")
    return image


def asked(made: Set, release: Release, kind: str = "", wanted: Wanted | None = None) -> Verification:
    thing = Thing("quotes", image_of(release), predicate_type_of(kind) if kind else "")
    return verify_image(made.images.attachments("quotes"), thing, [key()], summary=wanted)


def test_an_image_is_signed_in_both_formats_with_every_statement_about_it(made: Set) -> None:
    """And published after that: the world notices a tag that comes first."""
    release = made.released()
    assert release.status is ReleaseStatus.PUBLISHED
    assert made.images.uploads == ["quotes-0.1.0.oci"]
    for kind in ("", "slsaprovenance1", "testresult", "vsa"):
        found = asked(made, release, kind)
        assert (found.proven, len(found.checks)) == (True, 2), kind
    assert "signed as registry.example/quotes:0.1.0" in asked(made, release).checks[0].words
    assert not asked(made, release, "cyclonedx").proven
    (said,) = bodies(made.world.store, "ReleaseSigned")
    assert said["key"] == key().id
    assert [one["what"] for one in said["signed"]] == [
        "the gates' summary",
        WHEEL,
        "quotes-0.1.0.tar.gz",
        "every statement",
        "quotes-0.1.0.oci in images",
    ]


def test_the_gates_summary_says_what_they_said_and_by_which_policy(made: Set) -> None:
    release = made.released()
    assert asked(made, release, "vsa", Wanted("SLSA_BUILD_LEVEL_1", RESOURCE)).proven
    for wanted in (Wanted("SLSA_BUILD_LEVEL_2"), Wanted(resource="pkg:pypi/quotes@0.2.0")):
        assert not asked(made, release, "vsa", wanted).proven
    folder = made.folder / "releases" / "quotes-0.1.0"
    place = folder / "signatures" / "quotes-0.1.0.vsa.sigstore.json"
    assert verify_file(folder / "dist" / WHEEL, place, [key()], summary=Wanted()).proven
    payload = json.loads((folder / "evidence" / "vsa.dsse.json").read_bytes())["payload"]
    predicate = json.loads(base64.b64decode(payload))["predicate"]
    policy = made.folder / "policy"
    policy.write_bytes(policy_document(made.ground(made.world.store)))
    assert f"sha256:{predicate['policy']['digest']['sha256']}" == digest(policy)
    assert [one["gate"] for one in predicate["shipline_gates"]] == ["tests pass", "proof"]
    # The key is in reach of the machine that builds, so no more is claimed, and it is said why.
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_1"]
    assert predicate["shipline_claims"] == [{"level": "SLSA_BUILD_LEVEL_1", "why": KEY_ON_DISK}]


def test_the_summary_names_the_policy_that_was_asked_and_none_that_came_since(made: Set) -> None:
    """A process that goes on a day later finds another policy, whose gates nobody has asked about this release."""
    _, release = made.order()
    assert release is not None
    store, made.images.store = made.images.store, down  # type: ignore[method-assign, assignment]  # this registry goes down here
    made.settle()
    asked_then = policy_document(made.ground(made.world.store))
    made.images.store, made.gates = store, (*made.gates, Gate("new", "tests.total > 1000"))  # type: ignore[method-assign]
    made.order()
    made.settle()
    assert made.now(release).status is ReleaseStatus.PUBLISHED
    folder = made.folder / "releases" / "quotes-0.1.0" / "evidence"
    payload = json.loads((folder / "vsa.dsse.json").read_bytes())["payload"]
    named = json.loads(base64.b64decode(payload))["predicate"]["policy"]["digest"]["sha256"]
    assert (folder / "policy.json").read_bytes() == asked_then
    assert named == hashlib.sha256(asked_then).hexdigest()


def test_files_have_their_signatures_in_a_folder_of_their_own(made: Set) -> None:
    """Bytes that were changed after the build are not signed: the release stops."""
    made.released()
    folder = made.folder / "releases" / "quotes-0.1.0"
    wheel, signature = folder / "dist" / WHEEL, folder / "signatures" / f"{WHEEL}.sigstore.json"
    assert verify_file(wheel, signature, [key()]).proven
    stated = folder / "signatures" / "quotes-0.1.0.slsaprovenance1.sigstore.json"
    assert verify_file(wheel, stated, [key()], predicate_type=predicate_type_of("slsaprovenance1")).proven
    wheel.write_bytes(b"other")
    assert not verify_file(wheel, signature, [key()]).proven
    assert not list((folder / "dist").glob("*.sigstore.json"))


@pytest.mark.parametrize("formats", [Formats.OLDER, Formats.BUNDLES])
def test_one_format_alone_may_be_asked_for(made: Set, formats: Formats) -> None:
    made.signatures = formats
    release = made.released()
    held, image = made.images.hung["quotes"], image_of(release)
    ours = [tag for tag in held.tags if tag.startswith("sha256-")]
    assert (len(ours), len(held.referrers(image))) == ((2, 0) if formats is Formats.OLDER else (0, 4))
    assert asked(made, release).proven


def test_nothing_is_signed_where_that_is_turned_off(made: Set) -> None:
    made.signatures = None
    release = made.released()
    assert release.status is ReleaseStatus.PUBLISHED
    assert not asked(made, release).proven
    assert bodies(made.world.store, "ReleaseSigned") == []
    assert not (made.folder / "releases" / "quotes-0.1.0" / "signatures").exists()


def test_what_is_refused_is_signed_nowhere(made: Set) -> None:
    made.failing = 1
    assert made.released().status is ReleaseStatus.REFUSED
    assert made.images.hung == {}
    assert not (made.folder / "releases" / "quotes-0.1.0" / "evidence" / "vsa.dsse.json").exists()


def test_a_registry_that_is_down_keeps_the_image_from_becoming_public_and_is_gone_on_with(made: Set) -> None:
    _, release = made.order()
    assert release is not None
    store, made.images.store = made.images.store, down  # type: ignore[method-assign, assignment]  # this registry goes down here
    made.settle()
    assert made.now(release).status is ReleaseStatus.STOPPED
    assert (made.registry.uploads, made.images.uploads) == ([], [])
    made.images.store = store  # type: ignore[method-assign]
    made.order()
    made.settle()
    assert made.now(release).status is ReleaseStatus.PUBLISHED
    assert len(bodies(made.world.store, "ReleaseSigned")) == 1


def down(*_args: object) -> None:
    raise ShiplineError("the registry is down")


@pytest.mark.parametrize(
    ("name", "ecosystem", "expected"),
    [
        ("quotes", "python", "pkg:pypi/quotes@1.0%2Blocal"),
        ("@team/quotes", "npm", "pkg:npm/%40team/quotes@1.0%2Blocal"),
        ("quotes", "cargo", "pkg:generic/quotes@1.0%2Blocal"),
    ],
)
def test_a_version_has_a_package_url(name: str, ecosystem: str, expected: str) -> None:
    assert resource_of(Package(name, ecosystem=ecosystem), "1.0+local") == expected
