"""What an evidence bundle proves, in words.

Proven means: a trusted key signed the manifest, every file is the one that the manifest names, every statement is
signed by a trusted key and speaks of the release's artifacts, there is provenance for each artifact from the released
commit, no test result says FAILED, and neither the documents nor the log's events say anything else. The key inside
the bundle is not trusted for being there: without a key from elsewhere nothing is proven. Offline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from shipline.capabilities.evidence.bundle import (
    CHECKPOINT,
    KEY,
    MANIFEST,
    MANIFEST_ENVELOPE,
    SBOM,
    Bundle,
    digest_of,
)
from shipline.capabilities.evidence.checks import Check, Verification, counted
from shipline.capabilities.evidence.documents import LOG, document_checks
from shipline.capabilities.evidence.dsse import IN_TOTO, read_envelope, verified_by
from shipline.capabilities.evidence.keys import PublicKey, read_public_key
from shipline.capabilities.evidence.statements import (
    CYCLONEDX,
    PROVENANCE,
    TEST_RESULT,
    Statement,
    read_statement,
)
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json

if TYPE_CHECKING:
    from shipline.store.notes import NotePublicKey


def verify(
    bundle: Bundle,
    trusted: Sequence[PublicKey],
    artifacts: Mapping[str, str],
    log_key: NotePublicKey | None = None,
) -> Verification:
    """Check everything that `bundle` holds. `artifacts` maps names of files at hand to their `sha256:…` digests.

    `log_key` is the key that the log's checkpoint has to be signed by; None takes the one that the bundle's signer
    names.
    """
    if not trusted:
        return _without_trust(bundle)
    signers = verified_by(bundle.manifest_envelope, trusted)
    if not signers:  # Nothing else that the bundle says is worth repeating.
        unsigned = Check("manifest", False, "the manifest is signed by none of the trusted keys")
        return Verification(proven=False, checks=(unsigned,), keys=(), notes=_key_note(bundle))
    statements, envelope_check = _statements(bundle, trusted)
    checks = (
        _manifest_check(bundle, signers),
        _files_check(bundle),
        envelope_check,
        _subjects_check(bundle, statements),
        _provenance_check(bundle, statements),
        *_tests_checks(statements),
        *_sbom_checks(bundle, statements),
        *document_checks(bundle, statements, log_key),
        *(_artifact_check(bundle, name, digest) for name, digest in artifacts.items()),
    )
    proven = all(check.ok for check in checks)
    return Verification(proven, checks, tuple(key.id for key in signers), _notes(bundle, artifacts))


def _without_trust(bundle: Bundle) -> Verification:
    words = "no trusted key was given; the key inside the bundle does not prove who made it"
    return Verification(proven=False, checks=(Check("trusted key", False, words),), keys=(), notes=_key_note(bundle))


def _key_note(bundle: Bundle) -> tuple[str, ...]:
    try:
        return (f"the bundle says that it was signed by the key {read_public_key(bundle.files[KEY]).id}",)
    except InvalidValue:
        return ()


def _manifest_check(bundle: Bundle, signers: Sequence[PublicKey]) -> Check:
    named = {entry.key_id for entry in bundle.manifest_envelope.signatures}
    if named != {key.id for key in signers}:
        return Check("manifest", False, "the manifest names other keys than those that signed it")
    manifest = bundle.manifest
    words = f"the trusted key {signers[0].id[:16]}… signed that {manifest.package} {manifest.version} is commit "
    return Check("manifest", True, f"{words}{manifest.commit[:12]} and {counted(len(manifest.artifacts), 'artifact')}")


def _files_check(bundle: Bundle) -> Check:
    present = {
        name: digest_of(data) for name, data in bundle.files.items() if name not in (MANIFEST, MANIFEST_ENVELOPE)
    }
    if present == bundle.manifest.files:
        return Check("files", True, f"all {len(present)} files are those that the manifest names")
    names = sorted(name for name, _ in set(present.items()) ^ set(bundle.manifest.files.items()))
    return Check("files", False, f"{names[0][:100]} is not what the manifest names")


def _statements(bundle: Bundle, trusted: Sequence[PublicKey]) -> tuple[list[Statement], Check]:
    """The statements that a trusted key signed, and whether that was all of them."""
    statements: list[Statement] = []
    for name, data in bundle.in_folder("envelopes").items():
        try:
            envelope = read_envelope(data)
            if envelope.payload_type != IN_TOTO or not verified_by(envelope, trusted):
                return statements, Check("statements", False, f"{name} is no statement signed by a trusted key")
            statements.append(read_statement(envelope.payload))
        except InvalidValue as error:
            return statements, Check("statements", False, f"{name}: {error.what}")
    if not statements:
        return statements, Check("statements", False, "the bundle holds no signed statement")
    return statements, Check("statements", True, f"{counted(len(statements), 'statement')} signed by a trusted key")


def _subjects_check(bundle: Bundle, statements: Sequence[Statement]) -> Check:
    known = {artifact.digest for artifact in bundle.manifest.artifacts}
    strange = [statement for statement in statements if not set(statement.subjects.values()) <= known]
    if strange:
        return Check("subjects", False, f"a {strange[0].predicate_type[:80]} statement speaks of other artifacts")
    return Check("subjects", True, "every statement speaks of this release's artifacts alone")


def _provenance_check(bundle: Bundle, statements: Sequence[Statement]) -> Check:
    manifest = bundle.manifest
    provenance = [statement for statement in statements if statement.predicate_type == PROVENANCE]
    covered = {
        digest
        for statement in provenance
        if _built_commits(statement) == {manifest.commit}
        for digest in statement.subjects.values()
    }
    bare = [artifact.name for artifact in manifest.artifacts if artifact.digest not in covered]
    if bare or not manifest.artifacts:
        named = bare[0] if bare else "the release"
        return Check("provenance", False, f"no provenance says that {named} was built from {manifest.commit[:12]}")
    claim = provenance[0].predicate.get("shipline_claim")
    level = str(claim.get("level", ""))[:40] if isinstance(claim, dict) else ""
    words = f"every artifact was built from commit {manifest.commit[:12]}"
    return Check("provenance", True, f"{words}; the builder claims {level}" if level else words)


def _built_commits(statement: Statement) -> set[str]:
    definition = statement.predicate.get("buildDefinition")
    resolved = definition.get("resolvedDependencies") if isinstance(definition, dict) else None
    digests = (
        [entry.get("digest") for entry in resolved if isinstance(entry, dict)] if isinstance(resolved, list) else []
    )
    return {str(digest["gitCommit"]) for digest in digests if isinstance(digest, dict) and "gitCommit" in digest}


def _tests_checks(statements: Sequence[Statement]) -> list[Check]:
    results = [statement.predicate for statement in statements if statement.predicate_type == TEST_RESULT]
    checks = []
    for predicate in results:
        passed, failed = (predicate.get(name) for name in ("passedTests", "failedTests"))
        counts = [len(tests) if isinstance(tests, list) else 0 for tests in (passed, failed)]
        ok = predicate.get("result") == "PASSED" and counts[1] == 0
        checks.append(Check("tests", ok, f"{counted(counts[0], 'test')} passed, {counts[1]} failed"))
    return checks


def _sbom_checks(bundle: Bundle, statements: Sequence[Statement]) -> list[Check]:
    stated = [statement.predicate for statement in statements if statement.predicate_type == CYCLONEDX]
    if SBOM not in bundle.files or not stated:
        return []
    try:
        document = read_json(bundle.files[SBOM], what="the SBOM", limit_bytes=len(bundle.files[SBOM]))
    except InvalidValue as error:
        return [Check("sbom", False, error.what)]
    components = document.get("components") if isinstance(document, dict) else None
    count = len(components) if isinstance(components, list) else 0
    if document not in stated:
        return [Check("sbom", False, "the SBOM is not the one that was signed")]
    return [Check("sbom", True, f"the signed SBOM lists {counted(count, 'dependency', 'dependencies')}")]


def _artifact_check(bundle: Bundle, name: str, digest: str) -> Check:
    matching = [artifact.name for artifact in bundle.manifest.artifacts if artifact.digest == digest]
    if matching:
        return Check("artifact", True, f"{name} is {matching[0]} of this release")
    return Check("artifact", False, f"{name} is no artifact of this release ({digest})")


def _notes(bundle: Bundle, artifacts: Mapping[str, str]) -> tuple[str, ...]:
    notes = []
    if not artifacts:
        notes.append("no artifact was at hand; give them to have their bytes compared")
    if CHECKPOINT in bundle.files and f"documents/{LOG}" not in bundle.files:
        notes.append("the event log's checkpoint is carried unchanged; `shipline log verify` checks it")
    return tuple(notes)
