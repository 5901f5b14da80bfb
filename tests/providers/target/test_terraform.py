"""Configurations planned by the real Terraform, without any provider but the built-in one."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.json_program import Surroundings
from shipline.clients.terraform import Change, TerraformFolder, read_look, read_plan
from shipline.domain.errors import ConfigurationError, InvalidValue, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Group, GroupSpec, Role, StillLooking, Target
from shipline.providers.target.terraform import TerraformSettings, TerraformTarget
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, TargetConformance, found
from tests import terraform
from tests.file_server import Files
from tests.machine import SystemClock, wait_until

pytestmark = pytest.mark.skipif(not terraform.HAS_TERRAFORM, reason="terraform is not installed")


@pytest.fixture(autouse=True)
def no_configuration_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "terraformrc").touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "terraformrc"))
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)


@pytest.fixture
def digests(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    texts = {
        GOOD: terraform.resources(one="1.0.0"),
        BETTER: terraform.resources(one="1.1.0", two="new"),
        BROKEN: terraform.BROKEN,
    }
    return {version: terraform.release(tmp_path, PACKAGE, version, text) for version, text in texts.items()}


@pytest.fixture
def context(tmp_path: Path) -> ProviderContext:
    return ProviderContext(tmp_path, tmp_path / "state", SystemClock(), "production")


def settings_in(folder: Path, **others: Any) -> TerraformSettings:
    return TerraformSettings(folder=str(folder / "infra"), **others)


@pytest.fixture
def server() -> Iterator[Files]:
    """Where a state could be; there is none yet."""
    server = Files()
    yield server
    server.stop()


@pytest.fixture
def one(digests: dict[str, tuple[str, ...]]) -> GroupSpec:
    return GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests[GOOD])


class TestTerraformTarget(TargetConformance):
    @pytest.fixture
    def digests_of(self, digests: dict[str, tuple[str, ...]]) -> Callable[[str], tuple[str, ...]]:
        return digests.__getitem__

    @pytest.fixture
    def open_target(self, context: ProviderContext, tmp_path: Path) -> Callable[[], Target]:
        return lambda: TerraformTarget(settings_in(tmp_path), context)

    @pytest.fixture
    def wait(self) -> Callable[[Callable[[], bool], str], None]:
        return wait_until

    @pytest.fixture
    def kill_copy(self, tmp_path: Path) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert found(target, group_id).is_whole
            (tmp_path / "infra" / "groups" / group_id / "plan").unlink()

        return kill_copy

    def test_a_copy_that_died_is_missed_and_run_again(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        kill_copy: Callable[[Target, str], None],
        one: GroupSpec,
    ) -> None:
        """All copies are one plan: where it is lost, `run` plans anew."""
        target.run(one, revision=1)
        whole = until_whole(target, "one")
        kill_copy(target, "one")
        hurt = found(target, "one")
        assert (hurt.spec, hurt.ready, hurt.hopeless) == (one, 0, True)
        assert "has no plan" in hurt.trouble
        target.run(hurt.spec, revision=2)
        assert until_whole(target, "one") == whole


def folder_of(target: TerraformTarget) -> TerraformFolder:
    return target._folder


def planned(target: TerraformTarget, spec: GroupSpec, revision: int = 1) -> Path:
    """Prepare and plan; returns the group's folder."""
    target.prepare(spec.package, spec.version, spec.digests)
    target.run(spec, revision=revision)
    wait_until(lambda: found(target, spec.id).is_whole, "the plan")
    return folder_of(target).group(spec.id)


def test_a_plan_says_what_it_changes_and_no_values(context: ProviderContext, tmp_path: Path, one: GroupSpec) -> None:
    """They may be secrets: what is kept beside the plan is for many eyes, the plan itself for this user's."""
    target = TerraformTarget(settings_in(tmp_path), context)
    folder = planned(target, one)
    plan = folder_of(target).plan("one")
    assert plan is not None
    assert plan.changes == (Change("terraform_data.one", ("create",)),)
    assert plan.words() == "1 to add, 0 to change, 0 to destroy"
    assert "1.0.0" not in (folder / "plan.json").read_text()
    assert (tmp_path / "infra").stat().st_mode & 0o077 == 0


def test_variables_are_handed_to_the_plan(context: ProviderContext, tmp_path: Path) -> None:
    """With the version filled in. A variable that the configuration does not know is no plan."""
    text = 'variable "tag" {}\noutput "tag" { value = var.tag }\n'
    spec = GroupSpec("one", Role.STABLE, PACKAGE, "3.0.0", 1, terraform.release(tmp_path, PACKAGE, "3.0.0", text))
    target = TerraformTarget(settings_in(tmp_path, variables={"tag": "v{version}"}), context)
    planned(target, spec)
    target.stop("one", revision=2)
    target = TerraformTarget(settings_in(tmp_path, variables={"other": "x"}), context)
    target.prepare(PACKAGE, "3.0.0", spec.digests)
    target.run(spec, revision=3)
    wait_until(lambda: found(target, "one").hopeless, "the end of planning")
    assert "other" in found(target, "one").trouble


def test_options_and_secrets_of_the_engine_are_not_handed_down(
    context: ProviderContext, tmp_path: Path, one: GroupSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option from elsewhere would make it another plan."""
    monkeypatch.setenv("TF_CLI_ARGS_plan", "-destroy")
    monkeypatch.setenv("OTHER_TOKEN", "made-up")
    target = TerraformTarget(settings_in(tmp_path), context)
    planned(target, one)
    plan = folder_of(target).plan("one")
    assert plan is not None
    assert plan.changes == (Change("terraform_data.one", ("create",)),)
    variables = folder_of(target)._variables()
    assert "OTHER_TOKEN" not in variables
    needing = TerraformTarget(settings_in(tmp_path, credentials=("CLOUD_TOKEN",)), context)
    (folder_of(target).group("one") / "plan").unlink()
    with pytest.raises(ConfigurationError, match="CLOUD_TOKEN is not set"):
        needing.run(one, revision=2)


def test_a_local_backend_of_its_own_is_refused(context: ProviderContext, tmp_path: Path) -> None:
    """Each revision would begin with nothing."""
    text = 'terraform {\n  backend "local" {}\n}\n'
    digests = terraform.release(tmp_path, PACKAGE, "3.0.0", text)
    target = TerraformTarget(settings_in(tmp_path), context)
    with pytest.raises(ShiplineError, match="names a local backend"):
        target.prepare(PACKAGE, "3.0.0", digests)
    assert not (tmp_path / "infra" / "terraform.tfstate").exists()


def test_a_backend_is_completed_and_used(context: ProviderContext, tmp_path: Path, server: Files) -> None:
    """No state is kept in the folder then."""
    text = 'terraform {\n  backend "http" {}\n}\n' + terraform.resources(one="1")
    spec = GroupSpec("one", Role.STABLE, PACKAGE, "3.1.0", 1, terraform.release(tmp_path, PACKAGE, "3.1.0", text))
    target = TerraformTarget(settings_in(tmp_path, backend={"address": f"{server.url}/state"}), context)
    planned(target, spec)
    (noted,) = (tmp_path / "infra" / "revisions").glob("*/.terraform/terraform.tfstate")
    assert json.loads(noted.read_text())["backend"]["config"]["address"] == f"{server.url}/state"
    assert not list((tmp_path / "infra" / "revisions").glob("*/shipline_override.tf.json"))


def test_a_configuration_that_cannot_be_initialised_says_why(context: ProviderContext, tmp_path: Path) -> None:
    """And is done over the next time."""
    digests = terraform.release(tmp_path, PACKAGE, "3.0.0", "resource {\n")
    target = TerraformTarget(settings_in(tmp_path), context)
    for _ in range(2):
        with pytest.raises(ShiplineError, match="terraform init failed") as caught:
            target.prepare(PACKAGE, "3.0.0", digests)
        assert "main.tf" in caught.value.why


def test_a_stopped_group_takes_its_revision_along(
    context: ProviderContext, tmp_path: Path, digests: dict[str, tuple[str, ...]], one: GroupSpec
) -> None:
    """Unless another group has it."""
    target = TerraformTarget(settings_in(tmp_path), context)
    planned(target, one)
    planned(target, GroupSpec("two", Role.CANARY, PACKAGE, GOOD, 1, digests[GOOD]), 2)
    target.stop("one", revision=3)
    assert len(list((tmp_path / "infra" / "revisions").iterdir())) == 1
    target.stop("two", revision=4)
    assert list((tmp_path / "infra" / "revisions").iterdir()) == []


def test_what_was_changed_by_hand_is_looked_for_beside(context: ProviderContext, tmp_path: Path) -> None:
    """Each look is begun, awaited by nobody, and told once. Of the only provider that is built in, outputs change."""
    (tmp_path / "page").write_text("as applied")
    text = terraform.resources(one="1") + f'output "page" {{ value = file("{tmp_path}/page") }}\n'
    spec = GroupSpec("one", Role.STABLE, PACKAGE, "3.0.0", 1, terraform.release(tmp_path, PACKAGE, "3.0.0", text))
    target = TerraformTarget(settings_in(tmp_path), context)
    planned(target, spec)
    folder_of(target).start_apply("one")
    wait_until(lambda: folder_of(target).code("one", "apply") == 0, "the apply")

    def looked() -> str:
        told: list[str] = []

        def is_told() -> bool:
            with suppress(StillLooking):
                told.append(target.stands_otherwise("one"))
            return bool(told)

        with pytest.raises(StillLooking):
            target.stands_otherwise("one")
        wait_until(is_told, "the look")
        return told[0]

    assert looked() == ""
    (tmp_path / "page").write_text("by hand")
    assert looked() == "what stands is not what was applied: output.page (update)"
    (tmp_path / "page").unlink()
    with pytest.raises(UnavailableError, match="cannot tell") as caught:
        looked()
    assert "no file exists" in caught.value.why
    assert found(target, "one").is_whole


def test_a_look_tells_of_resources_that_drifted() -> None:
    """By contract: developer.hashicorp.com/terraform/internals/json-format ("resource_drift")."""
    document = {
        "terraform_version": "1.11.4",
        "resource_drift": [
            {"address": "aws_instance.web", "change": {"actions": ["update"], "before": {}, "after": {}}},
            {"address": "aws_s3_bucket.logs", "change": {"actions": ["delete"], "before": {}, "after": None}},
        ],
        "output_changes": {"page": {"actions": ["no-op"]}},
    }
    assert read_look(json.dumps(document).encode()) == (
        Change("aws_instance.web", ("update",)),
        Change("aws_s3_bucket.logs", ("delete",)),
    )
    for wrong in ("[]", '{"errored": true}', '{"resource_drift": [{}]}', '{"output_changes": []}'):
        with pytest.raises(InvalidValue):
            read_look(wrong.encode())


@pytest.mark.parametrize(
    "document",
    [
        "[]",
        "{}",
        '{"terraform_version": "1", "errored": true}',
        '{"terraform_version": "1", "resource_changes": [{"address": 1, "change": {"actions": []}}]}',
        '{"terraform_version": "1", "resource_changes": [{"address": "x"}]}',
        '{"terraform_version": "1", "resource_changes": {}}',
    ],
)
def test_a_plan_that_is_not_understood_is_none(document: str) -> None:
    with pytest.raises(InvalidValue):
        read_plan(document.encode(), "sha256:" + "0" * 64)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"folder": "infra"}, "absolute"),
        ({"source": "infra.tar"}, "two versions would be the same"),
        ({"username": "ann"}, "needs password_environment"),
        ({"variables": {"a b": "x"}}, "a name is"),
        ({"backend": {"-upgrade": "x"}}, "a name is"),
        ({"program": "sh"}, "terraform or tofu"),
        ({"answer_timeout_s": -1.0}, "answer_timeout_s"),
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        TerraformSettings(**{"folder": "/srv/infra", **wrong})


def test_init_obeys_the_lock_file_and_takes_newer_providers_only_with_upgrade(tmp_path: Path) -> None:
    """By the real `init`, with providers from a folder: it looks at what they weigh, and starts none of them."""
    name = "example.org/acme/thing"

    def offer(version: str) -> None:
        kind = f"{platform.system().lower()}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine(), 'x') }"
        place = tmp_path / "mirror" / name / version / kind
        place.mkdir(parents=True)
        (place / f"terraform-provider-thing_v{version}").write_text(f"#!/bin/sh\n# {version}\n")
        (place / f"terraform-provider-thing_v{version}").chmod(0o755)

    (tmp_path / "terraformrc").write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path / "mirror"}"\n  }}\n}}\n'
    )
    folder = TerraformFolder(tmp_path / "infra", "terraform", Surroundings(tmp_path, "production", ()), SystemClock())
    folder.make()
    needed = f'thing = {{ source = "{name}", version = ">= 1.0" }}'

    def initialised(revision: str, lock: str | None, *, upgrade: bool) -> str:
        """What `init` leaves in the lock file."""
        place = folder.revisions / revision
        place.mkdir()
        (place / "main.tf").write_text(f"terraform {{\n  required_providers {{\n    {needed}\n  }}\n}}\n")
        if lock is not None:
            (place / ".terraform.lock.hcl").write_text(lock)
        folder.initialise(revision, {}, upgrade=upgrade)
        return (place / ".terraform.lock.hcl").read_text()

    offer("1.0.0")
    lock = initialised("first", None, upgrade=True)
    offer("1.1.0")
    assert initialised("obeying", lock, upgrade=False) == lock
    assert '"1.1.0"' in initialised("upgrading", lock, upgrade=True)
