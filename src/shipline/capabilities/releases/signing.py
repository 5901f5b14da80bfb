"""The durable step that signs what a release publishes, after its gates and before anybody can meet it.

Images are put into their registries by digest alone, and signed there: the version's tag and those that move come
later, so whoever pulls by a tag finds the signatures. Files are signed beside, in a folder of their own, which the
release's page on the forge gets. A summary says of all of it that the gates have said PASS.

One thing is signed at a time, and each is looked for first: whatever ends a process in between, the next one does only
what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import rfc8785

from shipline import __version__
from shipline.capabilities.evidence import (
    FILE_BYTES_MAX,
    IN_TOTO,
    Envelope,
    Formats,
    PublicKey,
    Summary,
    attach_sbom,
    attach_statement,
    file_bundle,
    read_envelope,
    read_public_key,
    read_statement,
    sbom_in,
    short_name_of,
    sign_envelope,
    sign_image,
    statement_bundle,
    statement_of_summary,
    verified_by,
    verify_file,
)
from shipline.capabilities.releases.ground import ReleaseGround, digest_of, envelopes_of, package_of
from shipline.capabilities.releases.publishing import built_files
from shipline.capabilities.releases.queries import verdicts_of
from shipline.capabilities.releases.telling import append
from shipline.capabilities.version_files import write_atomically
from shipline.clients.released_names import folder_name
from shipline.domain.artifact import Artifact
from shipline.domain.codec import to_json
from shipline.domain.errors import InvalidValue
from shipline.domain.package import Package
from shipline.domain.release import Release
from shipline.domain.verdict import Verdict
from shipline.engine.workflow import Again, Done, Outcome, StepContext
from shipline.ports.attachments import ImageStore

SIGNATURES = "signatures"
SUMMARY_FILE = "vsa.dsse.json"
PURL_TYPES = {"python": "pypi", "npm": "npm", "helm": "helm"}
"""From: https://github.com/package-url/purl-spec, PURL-TYPES.rst."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._~-]")


@dataclass(frozen=True, slots=True)
class _Task:
    """One thing to sign: what it is, for people, and what does it and says where the signatures are."""

    words: str
    do: Callable[[], tuple[str, ...]]


class SignSteps:
    """Signing."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def sign(self, context: StepContext) -> Outcome:
        """Sign the next thing that is to be published; once all are, write down what was signed."""
        release = self.ground.release(context)
        formats = self.ground.signatures
        if formats is None or not release.artifacts:
            return Done({"files": {}}, idle="nothing was built" if not release.artifacts else "it is turned off")
        tasks = [*self._local(context, release), *self._in_registries(release, formats)]
        signed: list[dict[str, Any]] = (context.memory or {}).get("signed", [])
        if len(signed) < len(tasks):
            task = tasks[len(signed)]
            now = {"what": task.words, "places": list(task.do())}
            return Again(0.0, {"signed": [*signed, now]}, f"{task.words} is signed")
        files = {path.name: digest_of(path) for path in sorted(self._folder(release).glob("*.sigstore.json"))}
        body = {"key": self.ground.signer.key_id(), "files": files, "signed": signed}
        return Done({"files": files}, save=lambda tx: append(tx, self.ground.events, release, "ReleaseSigned", body))

    # --- here ------------------------------------------------------------------------------------------------------

    def _local(self, context: StepContext, release: Release) -> Iterator[_Task]:
        verdicts = self._verdicts(context, release)
        if verdicts:
            yield _Task("the gates' summary", partial(self._summarise, context, release, verdicts))
        for artifact in release.artifacts:
            # One that is larger is named by the statements alone: a signer takes all bytes at once.
            if artifact.kind != "oci" and artifact.size <= FILE_BYTES_MAX:
                yield _Task(artifact.name, partial(self._sign_file, release, artifact))
        yield _Task("every statement", partial(self._bundle_statements, release))

    def _verdicts(self, context: StepContext, release: Release) -> tuple[Verdict, ...]:
        """The newest answer of each gate that this attempt has asked."""
        asked = context.results["gate"].get("answers", {})
        with self.ground.store.begin() as tx:
            newest = {verdict.gate: verdict for verdict in verdicts_of(tx, release.id)}
        return tuple(newest[gate] for gate in asked if gate in newest)

    def _summarise(self, context: StepContext, release: Release, verdicts: tuple[Verdict, ...]) -> tuple[str, ...]:
        statements = {name: one for name, one in envelopes_of(self.ground, release).items() if name != SUMMARY_FILE}
        policy = policy_of(self.ground, release)
        if not policy.is_file():  # Its gates were asked by a Shipline that did not keep them then.
            keep_policy(self.ground, release)
        claims = tuple(dict.fromkeys(claim for one in statements.values() for claim in _claims(one)))
        summary = Summary(
            resource=resource_of(package_of(context), release.version),
            policy=digest_of(policy),
            inputs=tuple((name, digest_of(self._evidence(release) / name)) for name in statements),
            levels=tuple(dict.fromkeys(level for level, _ in claims)),
            verdicts=verdicts,
            version=__version__,
            claims=claims,
        )
        payload = statement_of_summary(release.artifacts, summary)
        place = self._evidence(release) / SUMMARY_FILE
        there = read_envelope(place.read_bytes()) if place.is_file() else None
        if there is None or there.payload != payload or not verified_by(there, (self._key(),)):
            write_atomically(place, sign_envelope(payload, IN_TOTO, self.ground.signer).to_bytes())
        return (place.name,)

    def _sign_file(self, release: Release, artifact: Artifact) -> tuple[str, ...]:
        (path,) = built_files(self.ground, release, (artifact,))
        place = self._folder(release) / f"{artifact.name}.sigstore.json"
        if not self._is_signed(path, place):
            write_atomically(place, file_bundle(path, self.ground.signer))
        return (place.name,)

    def _is_signed(self, path: Path, place: Path) -> bool:
        try:
            return place.is_file() and verify_file(path, place, (self._key(),)).proven
        except InvalidValue:  # It was cut off, or is something else: it is made anew.
            return False

    def _bundle_statements(self, release: Release) -> tuple[str, ...]:
        """Each statement as a bundle, which tools of others read, named by its type; a second one by a number, too."""
        names, kinds = list[str](), list[str]()
        stem = _UNSAFE.sub("_", folder_name(release.package, release.version))
        for envelope in envelopes_of(self.ground, release).values():
            kind = short_name_of(read_statement(envelope.payload).predicate_type)
            kinds.append(kind)
            same = kinds.count(kind)
            name = f"{stem}.{kind}{f'-{same}' if same > 1 else ''}.sigstore.json"
            write_atomically(self._folder(release) / name, statement_bundle(envelope, self.ground.signer))
            names.append(name)
        return tuple(names)

    # --- in registries ---------------------------------------------------------------------------------------------

    def _in_registries(self, release: Release, formats: Formats) -> Iterator[_Task]:
        for outlet in self.ground.outlets:
            for artifact in outlet.artifacts(release.package, release.artifacts):
                if outlet.images is not None and artifact.kind == "oci":
                    sign = partial(self._sign_image, outlet.images, release, artifact, formats)
                    yield _Task(f"{artifact.name} in {outlet.name}", sign)

    def _sign_image(
        self, images: ImageStore, release: Release, artifact: Artifact, formats: Formats
    ) -> tuple[str, ...]:
        """The image, and every statement about it; what hangs on it already stays."""
        (path,) = built_files(self.ground, release, (artifact,))
        image, attachments = images.store(release.package, release.version, path), images.attachments(release.package)
        signed = [sign_image(attachments, image, self.ground.signer, formats)]
        for envelope in envelopes_of(self.ground, release).values():
            if artifact.digest not in read_statement(envelope.payload).subjects.values():
                continue
            signed.append(attach_statement(attachments, image, envelope, self.ground.signer, formats))
            sbom = sbom_in(envelope)
            if sbom is not None and formats.older:
                attach_sbom(attachments, image.subject, sbom)
        # Sorted, since what was there before a crash is told apart from what was not.
        places = sorted({place for one in signed for place in (*one.written, *one.kept)})
        return (f"{image.name}@{image.subject.digest}", *places)

    # --- what there is ---------------------------------------------------------------------------------------------

    def _folder(self, release: Release) -> Path:
        folder = signatures_of(self.ground, release)
        folder.mkdir(exist_ok=True)
        return folder

    def _evidence(self, release: Release) -> Path:
        return self.ground.folder_of(release) / "evidence"

    def _key(self) -> PublicKey:
        return read_public_key(self.ground.signer.public_key_pem().encode("ascii"))


def signatures_of(ground: ReleaseGround, release: Release) -> Path:
    """The folder with the signatures of a release's files, and with its statements as bundles."""
    return ground.folder_of(release) / SIGNATURES


def policy_of(ground: ReleaseGround, release: Release) -> Path:
    """The gates that a release's summary speaks of, as they were; those of today may be others."""
    return ground.folder_of(release) / "evidence" / "policy.json"


def keep_policy(ground: ReleaseGround, release: Release) -> None:
    """Keep the gates as they have just been asked: whoever signs may be another process, with another policy."""
    place = policy_of(ground, release)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, policy_document(ground))


def policy_document(ground: ReleaseGround) -> bytes:
    """The gates that a release has to pass, as canonical JSON (RFC 8785): what a summary names by its digest."""
    return rfc8785.dumps([to_json(gate) for gate in ground.gates if gate.stage == "release"])


def resource_of(package: Package, version: str) -> str:
    """The package URL of a version."""
    from packageurl import PackageURL  # noqa: PLC0415 - of a release alone, and everything else imports this room

    scope, _, name = package.name.rpartition("/")
    kind = PURL_TYPES.get(package.ecosystem, "generic")
    return PackageURL(kind, scope or None, name, version).to_string()


def _claims(envelope: Envelope) -> Iterator[tuple[str, str]]:
    """The level of SLSA that a statement claims, where it claims one, and why it is not more."""
    match read_statement(envelope.payload).predicate:
        case {"shipline_claim": {"level": str(level), "why": str(why)}}:
            yield level, why
