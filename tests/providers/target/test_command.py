"""Programs as a target: the one that the documentation shows, one that tells addresses, and bad ones."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from shipline.domain.errors import (
    ConfigurationError,
    ConflictError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
)
from shipline.ports.provider import ProviderContext
from shipline.ports.target import GroupSpec, Role, Target
from shipline.ports.variables import Variables
from shipline.providers.target.command import CommandTarget
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, TargetConformance, found
from shipline.testing.fakes.secrets import MemorySecrets
from tests.docs.markdown import ROOT
from tests.machine import SystemClock, wait_until
from tests.scripts_shown import saved_scripts

SCHEMA = json.loads((ROOT / "docs" / "reference" / "shipline.target-command.schema.json").read_text())
ADDRESSED = Path(__file__).with_name("addressed.py")
CHECKS = {
    GOOD: "#!/bin/sh\n# 1.0.0\n",
    BETTER: "#!/bin/sh\n# 1.1.0\n",
    BROKEN: "#!/bin/sh\necho it is broken\nexit 1\n",
}
DIGESTS = {version: (f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",) for version, text in CHECKS.items()}


def settings_for(*program: str, **others: Any) -> CommandTarget.Settings:
    """One program for all."""
    return CommandTarget.Settings(prepare=program, run=program, groups=program, stop=program, **others)


@pytest.fixture
def context(tmp_path: Path) -> ProviderContext:
    return ProviderContext(tmp_path, tmp_path / "state", SystemClock(), "workers")


class TestTheTargetThatIsShown(TargetConformance):
    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return DIGESTS.__getitem__

    @pytest.fixture
    def open_target(self, context: ProviderContext, tmp_path: Path) -> Callable[[], Target]:
        saved_scripts(tmp_path)
        released = tmp_path / "dist"
        released.mkdir()
        for version, text in CHECKS.items():
            (released / version).write_text(text)
            (released / version).chmod(0o755)
        return lambda: CommandTarget(settings_for("deploy/target.py"), context)

    @pytest.fixture
    def kill_copy(self, tmp_path: Path) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert found(target, group_id).is_whole
            shutil.rmtree(tmp_path / "share" / "groups" / group_id / "copy-1")

        return kill_copy


class TestATargetThatTellsAddresses(TargetConformance):
    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return DIGESTS.__getitem__

    @pytest.fixture
    def open_target(self, context: ProviderContext) -> Callable[[], Target]:
        return lambda: CommandTarget(settings_for(sys.executable, "-I", str(ADDRESSED)), context)

    @pytest.fixture
    def kill_copy(self, tmp_path: Path) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert found(target, group_id).is_whole
            platform = json.loads((tmp_path / "platform.json").read_text())
            platform[group_id]["copies"].pop()
            (tmp_path / "platform.json").write_text(json.dumps(platform))

        return kill_copy


SPEC = GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, DIGESTS[GOOD])
HANDED = {
    "id": "one",
    "role": "stable",
    "package": PACKAGE,
    "version": GOOD,
    "size": 2,
    "digests": list(DIGESTS[GOOD]),
    "started_us": 5,
}


def answering(tmp_path: Path, context: ProviderContext, script: str, **others: Any) -> CommandTarget:
    """A target whose program is a shell script; what it was given last lies in `given.json`."""
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\ncat > given.json\n{script}\n")
    program.chmod(0o755)
    return CommandTarget(settings_for("./program.sh", **others), context)


def told(tmp_path: Path, **fields: Any) -> str:
    """A script that answers with a group."""
    answer = {"schema": "shipline.target-groups/1", "groups": [{"group": HANDED, "ready": 2, **fields}]}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    return "cat answer.json"


def test_what_programs_are_given_and_answer_is_as_the_schema_says(tmp_path: Path, context: ProviderContext) -> None:
    """With the name of the environment; the answer's own example as well."""
    target = answering(tmp_path, context, told(tmp_path, endpoints=[{"id": "1", "address": "[::1]:80"}]))
    validator = Draft202012Validator(SCHEMA)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("prepare", lambda: target.prepare(PACKAGE, GOOD, DIGESTS[GOOD])),
        ("groups", target.groups),
        ("stop", lambda: target.stop("one", revision=1)),
    ]
    for action, call in calls:
        call()
        given = json.loads((tmp_path / "given.json").read_text())
        assert (given["action"], given["environment"]) == (action, "workers")
        validator.validate(given)
    validator.validate(json.loads((tmp_path / "answer.json").read_text()))
    keeping = "grep -q '\"run\"' given.json && cp given.json run.json; cat answer.json"
    assert answering(tmp_path, context, keeping).run(SPEC, revision=2).spec == SPEC
    given = json.loads((tmp_path / "run.json").read_text())
    validator.validate(given)
    assert given["group"] == HANDED, "the group began when it was told to have begun"
    assert (given["variables"], given["secrets"]) == ([], [])


def test_what_the_environment_gives_is_in_the_environment_of_run_alone(
    tmp_path: Path, context: ProviderContext
) -> None:
    """Its document says the names; no document holds a secret, and the program's words are told without them."""
    manager = MemorySecrets({"DB": "hunter2"})
    given = replace(context, given=Variables({"COLOUR": "blue"}, {"DB_PASSWORD": partial(manager.read, "DB")}))
    keeping = "grep -q '\"run\"' given.json && cp given.json run.json && env > run.env; env > last.env; "
    target = answering(tmp_path, given, keeping + told(tmp_path, trouble="hunter2 blue"))
    assert target.run(SPEC, revision=1).trouble == "*** blue"
    document = json.loads((tmp_path / "run.json").read_text())
    Draft202012Validator(SCHEMA).validate(document)
    assert (document["variables"], document["secrets"]) == (["COLOUR"], ["DB_PASSWORD"])
    assert {"COLOUR=blue", "DB_PASSWORD=hunter2"} <= set((tmp_path / "run.env").read_text().split("\n"))
    assert "hunter2" not in (tmp_path / "run.json").read_text() + (tmp_path / "last.env").read_text()
    with pytest.raises(ShiplineError) as caught:
        answering(tmp_path, given, "echo no hunter2 here >&2; exit 1").groups()
    assert caught.value.why == "no *** here"


@pytest.mark.parametrize(
    "fields",
    [
        {"ready": 3},
        {"ready": -1},
        {"ready": True},
        {"ready": "2"},
        {"healthy": True},
        {"endpoints": [{"id": "1", "address": "x"}]},
        {"endpoints": [{"id": "1", "address": "x:99999"}]},
        {"endpoints": [{"id": "../1", "address": "x:80"}]},
        {"endpoints": [{"id": "1", "address": "x:80"}] * 2},
        {"endpoints": [{"id": str(number), "address": "x:80"} for number in range(3)]},
        {"group": {**HANDED, "size": 0}},
        {"group": {**HANDED, "id": "a b"}},
        {"group": {**HANDED, "digests": []}},
        {"group": {key: value for key, value in HANDED.items() if key != "role"}},
    ],
)
def test_an_answer_that_no_platform_can_mean_is_refused(
    tmp_path: Path, context: ProviderContext, fields: dict[str, Any]
) -> None:
    """It is the program's fault, and the message says what is wrong with it."""
    target = answering(tmp_path, context, told(tmp_path, **fields))
    with pytest.raises(ShiplineError, match="answered what is not understood") as caught:
        target.groups()
    assert not isinstance(caught.value, InvalidValue)
    assert caught.value.why


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ("echo '{}'", ShiplineError, "is missing"),
        ("echo nonsense", ShiplineError, "not JSON"),
        ("true", ShiplineError, "not JSON"),
        ('echo \'{"schema": "x/1", "groups": []}\'', ShiplineError, "schema is 'x/1'"),
        ("echo the disk is full >&2; exit 1", ShiplineError, "the disk is full"),
        ("echo ask first >&2; exit 3", RefusedError, "ask first"),
        ("echo later >&2; exit 75", UnavailableError, "later"),
        ("head -c 2000000 /dev/zero", ShiplineError, ""),
        ("yes | head -c 50000000 >&2; exec sleep 60", ShiplineError, "wrote more than"),
    ],
)
def test_what_goes_wrong_is_told_as_what_it_is(
    tmp_path: Path, context: ProviderContext, script: str, error: type[ShiplineError], said: str
) -> None:
    """By exit code, with the program's last words."""
    with pytest.raises(error) as caught:
        answering(tmp_path, context, script).groups()
    assert type(caught.value) is error
    assert said in caught.value.diagnosis()
    assert len(caught.value.diagnosis()) < 6000


def is_gone(child: Path) -> bool:
    """True once a process has ended, by its `/proc/PID/stat`."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return child.read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_a_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path, context: ProviderContext) -> None:
    """The same call may succeed later."""
    with pytest.raises(UnavailableError, match="was not done after 1 s"):
        answering(tmp_path, context, "sleep 60 & echo $! > child; wait", timeout_s=1).groups()
    child = Path("/proc") / (tmp_path / "child").read_text().strip() / "stat"
    wait_until(lambda: is_gone(child), "what it had started is ended")


def test_a_program_that_is_not_there_is_named(context: ProviderContext) -> None:
    target = CommandTarget(settings_for("deploy/nothing.sh"), context)
    with pytest.raises(ShiplineError, match=r"deploy/nothing\.sh"):
        target.groups()


def test_programs_get_no_secret_that_was_not_meant_for_them(
    tmp_path: Path, context: ProviderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was meant for them must be there."""
    monkeypatch.setenv("OTHER_TOKEN", "made-up")
    monkeypatch.setenv("SHIPLINE_TOKEN", "made-up")
    script = f"env > seen; {told(tmp_path)}"
    with pytest.raises(ConfigurationError, match="CLOUD_TOKEN is not set"):
        answering(tmp_path, context, script, credentials=("CLOUD_TOKEN",)).groups()
    monkeypatch.setenv("CLOUD_TOKEN", "for the program")
    answering(tmp_path, context, script, credentials=("CLOUD_TOKEN",)).groups()
    seen = (tmp_path / "seen").read_text()
    assert "CLOUD_TOKEN=for the program" in seen
    assert "made-up" not in seen


def test_a_group_that_is_not_told_as_it_was_run_is_an_error(tmp_path: Path, context: ProviderContext) -> None:
    """A platform that forgets, or lies."""
    none = 'echo \'{"schema": "shipline.target-groups/1", "groups": []}\''
    with pytest.raises(ShiplineError, match="not told as it was handed over"):
        answering(tmp_path, context, none).run(SPEC, revision=1)
    target = answering(tmp_path, context, told(tmp_path))
    with pytest.raises(ShiplineError, match="not told as it was handed over"):
        target.run(replace(SPEC, size=3), revision=1)
    with pytest.raises(ConflictError):
        target.run(replace(SPEC, version=BETTER), revision=1)


@pytest.mark.parametrize(("package", "version"), [("../x", "1"), ("a/../b", "1"), ("x", "-v"), ("x", "1\n"), ("", "1")])
def test_names_that_lead_elsewhere_are_not_handed_over(context: ProviderContext, package: str, version: str) -> None:
    target = CommandTarget(settings_for("false"), context)
    with pytest.raises(InvalidValue):
        target.prepare(package, version, DIGESTS[GOOD])
    with pytest.raises(InvalidValue):
        target.run(replace(SPEC, package=package, version=version), revision=1)


def test_settings_that_can_only_be_a_mistake_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="begins with a program"):
        settings_for()
    with pytest.raises(ConfigurationError, match="timeout_s"):
        settings_for("true", timeout_s=0)
    assert CommandTarget(
        settings_for("true", artifact_kinds=("oci",)), ProviderContext(Path(), Path(), SystemClock())
    ).artifact_kinds == ("oci",)
