"""Infrastructure from the commit through an approved plan to what stands, and back, as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.capabilities.evidence import read_envelope, read_public_key, read_statement, verified_by
from shipline.capabilities.releases import EVIDENCE
from shipline.clients.terraform import digest_of
from shipline.domain.evidence import EvidenceKind
from shipline.testing.histories import History
from tests import terraform
from tests.clients.test_ssh_signatures import new_key, public
from tests.clients.test_ssh_signatures import pytestmark as keys
from tests.command import environment_of, run_shipline

pytestmark = pytest.mark.skipif(not terraform.HAS_TERRAFORM, reason="terraform is not installed")
SETTINGS = """
schema = 1

[[build]]
provider = "site"
command = ["sh", "-c", 'cp -r infra/. "$0"', "{{output}}"]

[[environment]]
name = "cloud"
strategy = "blue-green"

[environment.target]
provider = "terraform"
folder = "{folder}"

[environment.traffic]
provider = "terraform"
folder = "{folder}"
address = "127.0.0.1:8080"
destroy = true
"""


def test_a_revision_is_planned_applied_and_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose apply fails half way is taken back by itself; `rollback` goes back by one command. What was changed by
    hand is found, and `down` destroys what stands where the settings say so."""
    (tmp_path / "terraformrc").touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "terraformrc"))
    folder, history = tmp_path / "infra", History(tmp_path / "work")

    def deploy(message: str, text: str) -> int:
        settings = SETTINGS.format(folder=folder)
        history.commit(message, {"shipline.toml": settings, "infra/main.tf": text})
        said = run_shipline(history.folder, "release")
        assert said.code == 0, said
        return run_shipline(history.folder, "deploy").code

    (tmp_path / "page").write_text("as applied")
    page = f'output "page" {{ value = file("{tmp_path}/page") }}\n'
    assert deploy("feat: one", terraform.resources(one="1") + page) == 0
    assert deploy("feat: two", terraform.resources(one="2", two="new")) == 0
    assert terraform.standing(folder) == {"one": "2", "two": "new"}
    assert deploy("feat: what fails", terraform.resources(one="3") + terraform.FAILING) == 1
    assert terraform.standing(folder) == {"one": "2", "two": "new"}
    said = run_shipline(history.folder, "rollback", "--to", "0.1.0")
    assert said.code == 0, said
    assert terraform.standing(folder) == {"one": "1"}
    assert run_shipline(history.folder, "env", "drift").code == 0
    (tmp_path / "page").write_text("by hand")
    said = run_shipline(history.folder, "env", "drift")
    assert (said.code, "output.page (update)" in said.out) == (1, True), said
    assert run_shipline(history.folder, "down", "cloud").code == 0
    assert terraform.standing(folder) == {}


PREVIEW = """
[environment.preview]
by = "header"
approvals = {{ ops = 1 }}

[[approver]]
name = "ann"
roles = ["ops"]
key = "{key}"
"""


@keys
def test_a_plan_waits_for_who_may_approve_it_and_is_what_is_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shown is the file that is applied. Nothing changes before somebody has signed for it by its digest: not
    by anybody's word, nor by an approval of the release."""
    (tmp_path / "terraformrc").touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "terraformrc"))
    folder, history = tmp_path / "infra", History(tmp_path / "work")
    settings, key = SETTINGS.format(folder=folder), new_key(tmp_path, "ann")
    history.commit("feat: one", {"shipline.toml": settings, "infra/main.tf": terraform.resources(one="1")})
    for command in ("release", "deploy"):
        said = run_shipline(history.folder, command)
        assert said.code == 0, said
    settings += PREVIEW.format(key=public(key).strip())
    history.commit("chore: ask", {"shipline.toml": settings})
    history.commit("feat: two", {"infra/main.tf": terraform.resources(one="2")})
    assert run_shipline(history.folder, "release").code == 0
    arguments = [sys.executable, "-m", "shipline", "deploy"]
    with subprocess.Popen(
        arguments, cwd=history.folder, env=environment_of(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as deploy:
        assert deploy.stdout is not None
        lines = iter(deploy.stdout.readline, b"")
        assert any(b"It waits for the approval of 1 of ops" in line for line in lines)
        (plan,) = (folder / "groups").glob("*0-2-0*/plan")
        shown = digest_of(plan)
        assert terraform.standing(folder) == {"one": "1"}
        assert run_shipline(history.folder, "rollout", "resume", "--reason", "read it").code == 0
        approve = ("approve", "0.2.0", "--stage", "cloud", "--key", str(key))
        for more in ((), ("--plan", "sha256:" + "0" * 64)):
            assert run_shipline(history.folder, *approve, *more).code == 0
        shown_now = json.loads(run_shipline(history.folder, "rollout", "show", "--json").out)["rollout"]
        assert (shown_now["status"], shown in shown_now["waiting_for"]) == ("paused", True)
        assert terraform.standing(folder) == {"one": "1"}
        assert run_shipline(history.folder, *approve, "--plan", shown).code == 0
        assert any(b"serves cloud" in line for line in lines)
    assert (deploy.returncode, digest_of(plan)) == (0, shown)
    assert terraform.standing(folder) == {"one": "2"}
    _check_stated(history, shown)


def _check_stated(history: History, digest: str) -> None:
    """The plan's digest, what it changes and who said so stand in a statement that the release's key has signed."""
    application = Application(history.folder)
    with application.store.begin() as tx:
        (piece,) = EVIDENCE.where(tx, kind=EvidenceKind.PLAN)
    key = read_public_key(application.signer.public_key_pem().encode())
    application.store.close()
    envelope = read_envelope(str(piece.summary["envelope"]).encode())
    assert verified_by(envelope, [key]) == (key,)
    statement = read_statement(envelope.payload)
    assert statement.subjects == {"plan": digest}
    assert statement.predicate["changes"] == [{"address": "terraform_data.one", "actions": ["update"]}]
    assert statement.predicate["approval"]["by"]["subject"] == "ann"
    assert piece.summary["approved_by"] == "{subject}@{issuer}".format(**statement.predicate["approval"]["by"])
