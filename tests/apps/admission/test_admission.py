"""The webhook as a cluster meets it: over TLS, bounded, before its deadline, failing as it is told to."""

from __future__ import annotations

import asyncio
import copy
import json
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from shipline.apps.admission.counts import Counts
from shipline.apps.admission.namespaces import Namespaces
from shipline.apps.admission.policies import Policies
from shipline.apps.admission.proving import Proofs
from shipline.apps.admission.remembering import ASKED_AT_ONCE_MAX, KEPT_MAX
from shipline.apps.admission.serve import prove_what_runs
from shipline.apps.admission.web import Admission
from shipline.capabilities.evidence import read_public_key
from shipline.capabilities.gates import (
    REVIEW_BYTES_MAX,
    ImageDemand,
    ImageProof,
    ManifestsQuestion,
    StandingPolicies,
    policy_files,
    stand_ready,
)
from shipline.domain.errors import InvalidValue, RefusedError, UsageError
from shipline.domain.verdict import Answer
from shipline.testing.fakes.signer import MemorySigner
from tests.capabilities.gates.manifests.test_review import POD, review
from tests.certificates import certificate
from tests.command import run_shipline
from tests.machine import PATIENCE_S, wait_until

PEM = MemorySigner(1).public_key_pem()
KEY = read_public_key(PEM.encode())
DIGEST = "sha256:" + "a" * 64
LABEL = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: labelled}
spec:
  validationFailureAction: Enforce
  rules:
    - name: team
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      validate: {message: "a team is named", pattern: {metadata: {labels: {team: "?*"}}}}
"""
MAP = review(
    kind={"group": "", "version": "v1", "kind": "ConfigMap"},
    resource={"group": "", "version": "v1", "resource": "configmaps"},
    object={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}},
)


def pod(image: str) -> dict[str, Any]:
    return review(object={**POD, "spec": {"containers": [{"name": "a", "image": image}]}})


class Registry:
    """Answers as it is told, and counts; `gate` holds every answer back until it is set."""

    def __init__(self, answer: Answer = Answer.PASS) -> None:
        self.answer, self.asked = answer, 0
        self.wait: Callable[[], object] = lambda: None

    def __call__(self, demand: ImageDemand) -> ImageProof:
        self.asked += 1
        self.wait()
        return ImageProof(self.answer, "words", frozenset(key.id for key in demand.keys))


SIGNED = ManifestsQuestion(sets=("signed-images",), keys=(PEM,))


class Served:
    """The application without a network, on a clock that is set."""

    def __init__(
        self,
        registry: Registry,
        question: ManifestsQuestion = SIGNED,
        look: Callable[[str], Mapping[str, Any] | None] | None = None,
        **more: Any,
    ) -> None:
        self.now_s, self.counts, self.registry = 0.0, Counts(), registry
        policies = Policies(lambda: stand_ready(question), tuple, self.counts)
        self.proofs = Proofs(registry, lambda: self.now_s, self.counts.proofs)
        self.namespaces = None if look is None else Namespaces(look, lambda: self.now_s, self.counts.namespaces)
        self.web = Admission(policies, self.proofs, self.namespaces, self.counts, lambda: self.now_s, **more)

    async def ask(
        self, document: Any, path: str = "/validate", query: str = "", method: str = "POST", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        named = {"content-type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(key.encode(), value.encode()) for key, value in named.items()],
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.web(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"] or b"{}")


def test_a_signature_is_asked_for_once_and_remembered_for_a_while() -> None:
    """By digest; many who ask at once are one; a no is asked again sooner than a yes, no answer soonest."""

    async def tried() -> list[int]:
        served = Served(Registry())
        document, counts = pod(f"registry.example/a@{DIGEST}"), []
        answers = await asyncio.gather(*(served.ask(document) for _ in range(5)))
        assert all(answer["response"]["allowed"] for _, answer in answers)
        for answer, seconds in ((Answer.FAIL, 901.0), (Answer.UNKNOWN, 31.0), (Answer.PASS, 6.0)):
            counts.append(served.registry.asked)
            served.registry.answer = answer
            await served.ask(document)
            served.now_s += seconds
            await served.ask(document)
        counts.append(served.registry.asked)
        served.proofs.close()
        return counts

    assert asyncio.run(tried()) == [1, 2, 3, 4]


@pytest.mark.parametrize("opened", [False, True])
def test_a_registry_that_is_late_is_told_and_its_answer_is_there_for_the_next(opened: bool) -> None:  # noqa: FBT001
    """Before the cluster gives up; closed or open as it is set, and counted."""

    async def tried() -> None:
        gate = threading.Event()
        registry = Registry()
        registry.wait = lambda: gate.wait(PATIENCE_S)
        served = Served(registry, fails_open=opened)
        document = pod(f"registry.example/a@{DIGEST}")
        async with asyncio.timeout(PATIENCE_S):
            _, answer = await served.ask(document, query="timeout=2s")
        response = answer["response"]
        assert response["allowed"] is opened
        words = response["warnings"][0] if opened else response["status"]["message"]
        assert "not checked" in words
        assert "no answer in time" in words
        assert served.counts.reviews == {"failed_open" if opened else "failed_closed": 1}
        gate.set()
        await asyncio.wait(served.proofs._asked.values())
        _, answer = await served.ask(document)
        assert (answer["response"]["allowed"], registry.asked) == (True, 1)
        served.proofs.close()

    asyncio.run(tried())


def test_what_is_remembered_and_asked_at_once_is_bounded() -> None:
    """The oldest goes first; one more than are asked at once is told so."""

    async def tried() -> None:
        served = Served(Registry())
        demands = [ImageDemand(f"registry.example/a{at}@{DIGEST}", (KEY,)) for at in range(KEPT_MAX + 1)]
        for demand in demands:
            served.proofs._keep(demand, ImageProof(Answer.PASS, "w"))
        assert len(served.proofs._kept) == KEPT_MAX
        assert demands[0] not in served.proofs._kept
        big = ImageProof(Answer.PASS, "", frozenset(), ({"x": "y" * 40 * 1024 * 1024},))
        for demand in demands[:2]:
            served.proofs._keep(demand, big)
        assert len(served.proofs._kept) < KEPT_MAX
        fresh = [ImageDemand(f"registry.example/b{at}@{DIGEST}", (KEY,)) for at in range(ASKED_AT_ONCE_MAX + 1)]
        found = await served.proofs.of(fresh, within_s=PATIENCE_S)
        assert [found[each].answer for each in fresh[-2:]] == [Answer.PASS, Answer.UNKNOWN]
        assert served.counts.proofs["crowded"] == 1
        served.proofs.close()

    asyncio.run(tried())


def test_labels_of_namespaces_are_looked_up_and_remembered(tmp_path: Path) -> None:
    """One that is not known is no answer for who needs it, and looked for again soon."""
    selector = "{kinds: [ConfigMap], namespaceSelector: {matchLabels: {strict: 'yes'}}}"
    (tmp_path / "p.yaml").write_text(LABEL.replace("{kinds: [ConfigMap]}", selector))
    labels: dict[str, dict[str, str]] = {"shop": {"strict": "yes"}, "play": {}}
    looked: list[str] = []

    def look(name: str) -> Mapping[str, Any] | None:
        looked.append(name)
        metadata = {"name": name, "labels": labels.get(name)}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata} if name in labels else None

    async def tried() -> list[str]:
        served = Served(Registry(), ManifestsQuestion(policies=(tmp_path / "p.yaml",)), look)
        found = []
        for name, seconds in (("shop", 0.0), ("shop", 29.0), ("shop", 31.0), ("play", 0.0), ("new", 3.0), ("new", 0.0)):
            document = copy.deepcopy(MAP)
            document["request"]["namespace"] = document["request"]["object"]["metadata"]["namespace"] = name
            served.now_s += seconds
            response = (await served.ask(document))[1]["response"]
            found.append("let in" if response["allowed"] else response["status"]["message"])
        served.proofs.close()
        served.web.namespaces.close()  # type: ignore[union-attr] # it was given
        return found

    found = asyncio.run(tried())
    assert ["a team is named" in words for words in found[:3]] == [True] * 3
    assert found[3] == "let in"
    assert ["labels of the namespace new are not known" in words for words in found[4:]] == [True, True]
    assert looked == ["shop", "shop", "play", "new"]


def test_what_runs_is_asked_about_beforehand() -> None:
    """So that a cluster that makes it anew waits for no registry; tags prove nothing and are left alone."""
    image = f"registry.example/a@{DIGEST}"

    class View:
        def pods(self) -> tuple[Mapping[str, Any], ...]:
            containers = [{"name": "a", "image": image}, {"name": "b", "image": "registry.example/b:1"}]
            pod = {"metadata": {"name": "p", "namespace": "shop"}, "spec": {"containers": containers}}
            return ({"spec": None}, pod, pod)

    async def tried() -> tuple[int, bool]:
        served = Served(Registry())
        await prove_what_runs(served.web, View())  # type: ignore[arg-type] # all that is asked of it
        before = served.registry.asked
        _, answer = await served.ask(pod(image))
        served.proofs.close()
        assert served.registry.asked == before
        return before, answer["response"]["allowed"]

    assert asyncio.run(tried()) == (1, True)


def test_what_is_no_review_has_its_status_and_is_counted() -> None:
    """Bounded before it is read; nothing of it comes back."""

    async def tried() -> list[int]:
        served = Served(Registry())
        found = [
            await served.ask(b"{"),
            await served.ask({"kind": "Pod"}),
            await served.ask(b" " * (REVIEW_BYTES_MAX + 1)),
            await served.ask(MAP, content_length=str(REVIEW_BYTES_MAX + 1)),
            await served.ask(MAP, content_type="text/plain"),
            await served.ask(MAP, method="GET"),
        ]
        strict = Served(Registry(), wants_certificate=True)
        found.append(await strict.ask(MAP))
        assert served.counts.refused == {"400": 2, "413": 2, "415": 1, "405": 1}
        assert 'bad_requests_total{status="413"} 2' in served.counts.text()
        for each in (served, strict):
            each.proofs.close()
        return [status for status, _ in found]

    assert asyncio.run(tried()) == [400, 400, 413, 413, 415, 405, 403]


def test_an_error_of_ours_is_no_yes() -> None:
    """Nor silence."""

    class Broken:
        def admission(self, _review: Any) -> Any:
            raise RuntimeError("secret words")

    async def tried() -> dict[str, Any]:
        served = Served(Registry())
        served.web.policies.standing = Broken()  # type: ignore[assignment]
        _, answer = await served.ask(MAP)
        served.proofs.close()
        return answer

    response = asyncio.run(tried())["response"]
    assert (response["allowed"], "secret" in json.dumps(response)) == (False, False)


def test_policies_that_cannot_be_asked_are_named_and_nothing_is_served(tmp_path: Path) -> None:
    """A rule that is refused, a document of another form, and none at all; links in a mounted folder are followed."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "p.yaml").write_text(LABEL)
    (tmp_path / "p.yaml").symlink_to("..data/p.yaml")
    assert stand_ready(ManifestsQuestion(policies=policy_files((tmp_path,)))).count == 1
    (tmp_path / "q.yaml").write_text(LABEL.replace("labelled", "q").replace("pattern:", "podSecurity: {}, pattern:"))
    with pytest.raises(RefusedError, match="q/team: podSecurity"):
        stand_ready(ManifestsQuestion(policies=policy_files((tmp_path,))))
    (tmp_path / "q.yaml").write_text("a: 1")
    with pytest.raises(InvalidValue, match=r"q\.yaml"):
        stand_ready(ManifestsQuestion(policies=policy_files((tmp_path,))))
    with pytest.raises(UsageError, match="no policy"):
        stand_ready(ManifestsQuestion())


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`shipline up --admission` with the policies of a folder; its address."""
    pem, key = certificate()
    (folder / "tls.crt").write_bytes(pem)
    (folder / "tls.key").write_bytes(key)
    program = "from shipline.apps.cli.main import main; main()"
    command = [sys.executable, "-c", program, "up", "--admission", "--port", "0", "--policy", "policies"]
    command += ["--certificate", "tls.crt", "--private-key", "tls.key", *more]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "https://" in line, process.communicate(timeout=PATIENCE_S)
            yield process, line.rpartition(" ")[2].strip().removesuffix("/validate")
        finally:
            process.kill()


def test_policies_that_could_not_be_read_are_read_again_though_their_files_do_not_change(tmp_path: Path) -> None:
    """Whatever was in the way, an error of ours too: told once, those from before answer, and the next look tries."""
    path = tmp_path / "p.yaml"
    path.write_text(LABEL)
    troubles: list[Exception] = []

    def load() -> StandingPolicies:
        if troubles:
            raise troubles[0]
        return stand_ready(ManifestsQuestion(policies=(path,)))

    policies, told = Policies(load, lambda: (path,), Counts()), list[str]()
    before = policies.standing
    path.write_text(LABEL + LABEL.replace("---", "").replace("labelled", "again").replace("\napi", "---\napi", 1))
    for trouble in (OSError(24, "Too many open files"), RecursionError("too deep")):
        troubles[:] = [trouble]
        for _ in range(2):
            asyncio.run(policies.look(told.append))
        assert policies.standing is before
        assert policies.trouble
    assert (len(told), policies._counts.reloads["failed"]) == (2, 2)
    troubles.clear()
    asyncio.run(policies.look(told.append))
    assert (policies.standing.count, policies.trouble) == (2, "")


def test_it_serves_over_tls_to_those_who_show_a_certificate_and_follows_its_files(tmp_path: Path) -> None:
    """One line when it is ready, words when a file has changed, and an end in peace."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(LABEL)
    ours, own = certificate("client")
    (tmp_path / "ca.pem").write_bytes(ours)
    (tmp_path / "own.pem").write_bytes(ours + own)
    with serving(tmp_path, "--client-ca", "ca.pem") as (process, address):
        trust = ssl.create_default_context(cafile=tmp_path / "tls.crt")
        with httpx.Client(verify=trust, base_url=address, timeout=PATIENCE_S) as stranger:
            assert stranger.get("/healthz").text == "ok"
            assert stranger.post("/validate", json=MAP).status_code == 403
        trust.load_cert_chain(tmp_path / "own.pem")
        with httpx.Client(verify=trust, base_url=address, timeout=PATIENCE_S) as client:

            def allowed() -> bool:
                return bool(client.post("/validate?timeout=5s", json=MAP).json()["response"]["allowed"])

            assert not allowed()
            (tmp_path / "policies" / "p.yaml").write_text("a: [")
            wait_until(lambda: "ok, but" in client.get("/readyz").text, "the broken policies")
            assert not allowed()
            (tmp_path / "policies" / "p.yaml").write_text(LABEL.replace("Enforce", "Audit"))
            wait_until(allowed, "the new policies")
            counted = client.get("/metrics").text
            assert 'reloads_total{outcome="done"} 1' in counted
            assert 'reloads_total{outcome="failed"} 1' in counted
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert "cannot be used" in errors


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--set", "baseline"), 2, "over TLS alone"),
        (("--set", "baseline", "--certificate", "a", "--private-key", "a"), 2, "no certificate with its private key"),
        (("--certificate", "a", "--private-key", "a"), 2, "no policy"),
        (("--set", "none", "--certificate", "a", "--private-key", "a"), 2, "no set"),
    ],
)
def test_what_it_cannot_serve_by_is_told(tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    said = run_shipline(tmp_path, "up", "--admission", *arguments)
    assert (said.code, words in said.err) == (code, True), said


def test_options_of_the_one_are_not_for_the_other(tmp_path: Path) -> None:
    """Who forgets --admission is told, and no engine is started."""
    said = run_shipline(tmp_path, "up", "--set", "baseline")
    assert (said.code, "--admission" in said.err) == (2, True), said
