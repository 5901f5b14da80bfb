"""`shipline doctor` finds what would stop a command, and says what to do."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipline.apps.cli.checks import machine
from shipline.apps.cli.checks.check import State
from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import DEPLOYMENTS, ROLLOUTS, Ground, all_rollouts
from shipline.configuration import EnvironmentSettings
from shipline.domain.deployment import Deployment
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.lease import Lease
from shipline.testing.histories import History
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import RolloutWorld
from tests.command import environment_of, run_shipline
from tests.machine import free_port

PYTHON = '[project]\nname = "quotes"\nversion = "1.0.0"\n'
ENVIRONMENT = '[[environment]]\nname = "{name}"\ntarget.command = ["serve"]\ntraffic.port = {port}\n'


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "repo")
    made.commit("feat: a", {"pyproject.toml": PYTHON})
    return made


def checks_of(folder: Path, code: int, extra: dict[str, str | None] | None = None) -> dict[str, dict[str, Any]]:
    said = run_shipline(folder, "doctor", "--json", extra=extra)
    assert said.code == code, said
    document = json.loads(said.out)
    assert document["schema"] == "shipline.doctor/1"
    assert document["healthy"] is (code == 0)
    return {check["name"]: check for check in document["checks"]}


def test_a_plain_repository_is_healthy_and_nothing_is_made_by_looking(history: History) -> None:
    said = run_shipline(history.folder, "doctor")
    assert said.code == 0, said
    assert said.out.endswith("nothing is wrong\n")
    assert not (history.folder / ".shipline").exists()
    checks = checks_of(history.folder, 0)
    assert {"git", "python", "repository", "history", "branch", "work tree", "settings", "store"} <= set(checks)
    assert "haproxy" not in checks


def test_what_a_release_would_stumble_over_is_a_warning(history: History) -> None:
    (history.folder / "pyproject.toml").write_text(PYTHON + "\n")
    history.git("switch", "--quiet", "--detach")
    checks = checks_of(history.folder, 0)
    assert checks["branch"]["state"] == checks["work tree"]["state"] == "warning"
    assert "pyproject.toml" in checks["work tree"]["words"]


def test_a_remote_that_git_does_not_know_is_wrong(history: History) -> None:
    """A release would find out when it is built and proven. Addresses are not asked."""
    settings = history.folder / "shipline.toml"
    settings.write_text('[release]\nremote = "upstream"\n')
    assert "git remote add upstream" in checks_of(history.folder, 1)["remote"]["todo"]
    history.git("remote", "add", "upstream", "https://forge.invalid/quotes.git")
    assert checks_of(history.folder, 0)["remote"]["state"] == "ok"
    settings.write_text('[release]\nremote = "https://forge.invalid/quotes.git"\n')
    assert "remote" not in checks_of(history.folder, 0)


def test_a_shallow_clone_is_wrong(history: History, tmp_path: Path) -> None:
    history.commit("feat: b")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", history.folder.as_uri(), str(clone)], check=True)
    assert "--unshallow" in checks_of(clone, 1)["history"]["todo"]


def test_wrong_settings_do_not_hide_the_rest(history: History) -> None:
    (history.folder / "shipline.toml").write_text(
        '[[registry]]\nprovider = "pypi"\nurl = "x"\n[[gate]]\nname = "g"\nrule = "test.failed == 0"\n'
    )
    said = run_shipline(history.folder, "doctor")
    assert said.code == 1
    assert "did you mean 'upload_url'?" in said.out or "known keys: anonymous" in said.out
    assert "tests.failed" in said.out
    assert "ok      history" in said.out


def test_programs_are_looked_for_where_the_settings_need_them(history: History, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    extra: dict[str, str | None] = {"PATH": str(tmp_path / "bin")}
    assert "install the package 'git'" in checks_of(history.folder, 1, extra)["git"]["todo"]
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "bin" / "git").symlink_to(git)
    (history.folder / "package.json").write_text('{"name": "js"}')
    history.commit("feat: js")
    assert "install the package 'npm'" in checks_of(history.folder, 1, extra)["npm"]["todo"]


def test_ports_are_free_or_not(history: History) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = (taken.getsockname()[1], free_port())
        tables = [ENVIRONMENT.format(name=f"e{number}", port=port) for number, port in enumerate((*ports, ports[1]))]
        (history.folder / "shipline.toml").write_text("".join(tables))
        checks = checks_of(history.folder, 1)
    assert f":{ports[0]} cannot be used: Address already in use" in checks["environment e0"]["words"]
    assert checks["environment e1"]["state"] == "ok"
    assert checks["environment e2"]["words"] == f"port {ports[1]} is that of e1, too"


def test_secrets_are_tried_and_not_shown(history: History) -> None:
    """A warning where one is not here: the machine that runs the engine may be another one."""
    table = ENVIRONMENT.format(name="production", port=free_port())
    secrets = '[environment.secrets]\nTOKEN = { environment = "SHOP_TOKEN" }\n'
    (history.folder / "shipline.toml").write_text(table + secrets)
    there: dict[str, str | None] = {"SHOP_TOKEN": "hunter2"}
    found = checks_of(history.folder, 0, there)["secrets of production"]
    assert (found["state"], found["words"]) == ("ok", "TOKEN can be read")
    assert "hunter2" not in str(found)
    found = checks_of(history.folder, 0, {"SHOP_TOKEN": None})["secrets of production"]
    assert found["state"] == "warning"
    assert "SHOP_TOKEN" in found["words"]


def record_of(application: Application, *, status: ReleaseStatus) -> None:
    """Write down that 1.0.0 was released, is `status` now, and serves the environment."""
    release = Release("rel_1", "quotes", "1.0.0", "v1.0.0", status, 1, 1, published_us=1)
    rollout = Rollout("rol_1", "quotes", "1.0.0", "production", "all-at-once", RolloutStatus.PROMOTED, 1)
    deployment = Deployment("dep_1", "production", "quotes", "1.0.0", rollout.id, began_us=1, finished_us=2)
    with application.store.begin() as tx:
        RELEASES.save(tx, release)
        ROLLOUTS.save(tx, rollout)
        DEPLOYMENTS.save(tx, deployment)


@pytest.fixture
def application(history: History) -> Iterator[Application]:
    table = ENVIRONMENT.format(name="production", port=free_port())
    history.commit("build: deploy", {"shipline.toml": table})
    made = Application(history.folder)
    yield made
    made.store.close()


def test_what_was_deployed_and_serves_no_more_is_a_warning(application: Application) -> None:
    """Every instance was ended by hand, or the machine was started anew."""
    assert checks_of(application.root, 0)["environment production"]["state"] == "ok"
    record_of(application, status=ReleaseStatus.PUBLISHED)
    found = checks_of(application.root, 0)["environment production"]
    assert found["state"] == "warning"
    assert "nothing serves 1.0.0, which was deployed last" in found["words"]
    assert "shipline deploy 1.0.0 --to production" in found["todo"]


class Placed(Application):
    """Its environments are fakes."""

    place: RolloutWorld

    def rollout_ground(self, environment: EnvironmentSettings) -> Ground:
        return self.place.ground(self.store)


def test_copies_that_are_missing_are_a_warning_while_others_serve(history: History, tmp_path: Path) -> None:
    """Dead ones, and such as live and do not answer; it is said how many there are."""
    history.commit("build: deploy", {"shipline.toml": ENVIRONMENT.format(name="production", port=free_port())})
    application = Placed(history.folder)
    application.place = RolloutWorld(World(4, tmp_path, url=application.store_url))
    application.place.shipped("1.0.0")
    (group,) = application.place.target.groups
    (whole,) = machine.environments(application)
    application.place.fake_target.kill(group, 1)
    (hurt,) = machine.environments(application)
    application.place.target.sick.add(group)
    (mute,) = machine.environments(application)
    application.place.fake_target.kill(group)
    (gone,) = machine.environments(application)
    application.place.world.close()
    application.store.close()
    assert (whole.state, hurt.state, mute.state, gone.state) == (State.OK, *[State.WARNING] * 3)
    assert hurt.words.endswith("; 1 of 2 copies of quotes 1.0.0 is ready")
    assert "shipline up" in hurt.todo
    assert mute.words.endswith("; 0 of 2 copies of quotes 1.0.0 are ready")
    assert "nothing serves 1.0.0" in gone.words


def test_the_way_back_to_a_yanked_version_is_refused_before_anything_begins(application: Application) -> None:
    record_of(application, status=ReleaseStatus.YANKED)
    said = run_shipline(application.root, "rollback", "--to", "1.0.0")
    assert said.code == 3, said
    assert "quotes 1.0.0 may not enter production" in said.err
    with application.store.begin() as tx:
        assert [one.id for one in all_rollouts(tx)] == ["rol_1"]


def test_a_registry_that_would_get_nothing_is_wrong(history: History) -> None:
    """So a release says, too, before it commits anything."""
    (history.folder / "shipline.toml").write_text('[[registry]]\nprovider = "oci"\nurl = "http://127.0.0.1:9"\n')
    check = checks_of(history.folder, 1)["registry oci"]
    assert "it takes oci, and of quotes wheel, sdist is built" in check["words"]
    assert "[[build]]" in check["todo"]
    history.git("add", ".")
    history.git("commit", "--quiet", "--message", "chore: settings")
    said = run_shipline(history.folder, "release")
    assert (said.code, history.git("tag")) == (3, "")
    assert "the registry oci is configured, and would get nothing of quotes" in said.err


def test_a_registry_that_does_not_answer_is_wrong(history: History) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    (history.folder / "shipline.toml").write_text(
        f'[[registry]]\nprovider = "pypi"\nupload_url = "{url}"\nindex_url = "{url}"\n'
    )
    checks = checks_of(history.folder, 1)
    assert "cannot be reached" in checks["registry pypi"]["words"]
    assert checks["twine"]["state"] == "ok"


REGISTRY = """
[[registry]]
provider = "{provider}"
{table}
"""
GENERIC = 'url = "{url}/{{package}}/{{version}}/{{file}}"\npassword_environment = "TOKEN"'
FORGE = """
store = "postgresql://{place}/store"
[forge]
provider = "gitea"
repository = "a/b"
api_url = "http://{place}"
token_env = "TOKEN"
"""


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A place that answers 404 to everything: its address, and the credentials that it was sent."""
    seen: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


def proposed(history: History, protected: str, files: dict[str, str]) -> None:
    """A commit beside a protected branch, as a pull request is when it is checked out."""
    history.commit("chore: settings", {"shipline.toml": protected})
    history.git("update-ref", "refs/remotes/origin/main", "HEAD")
    history.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    history.git("switch", "--quiet", "--create", "proposal")
    history.commit("feat: better settings", files)


def test_a_commit_alone_names_no_place_for_credentials(history: History, asked: tuple[str, list[str]]) -> None:
    place, seen = asked
    own = FORGE.format(place=place) + REGISTRY.format(provider="generic", table=GENERIC.format(url=f"http://{place}"))
    build = '[[build]]\nprovider = "command"\ncommand = ["true"]\n'
    proposed(history, build, {"shipline.toml": own + build})
    checks = checks_of(history.folder, 0, {"TOKEN": "secret", "SHIPLINE_STORE": None})
    assert [checks[name]["state"] for name in ("registry generic", "forge", "store")] == ["warning"] * 3
    assert "not asked" in checks["forge"]["words"]
    assert seen == []


def test_what_the_protected_branch_names_is_asked(history: History, asked: tuple[str, list[str]]) -> None:
    place, seen = asked
    table = REGISTRY.format(provider="generic", table=GENERIC.format(url=f"http://{place}"))
    build = '[[build]]\nprovider = "command"\ncommand = ["true"]\n'
    proposed(history, table + build, {"shipline.toml": "# More.\n" + table + build})
    assert checks_of(history.folder, 0, {"TOKEN": "secret"})["registry generic"]["state"] == "ok"
    assert seen == ["Bearer secret"]


def test_npm_is_not_asked_with_an_npmrc_that_a_commit_brought(history: History, asked: tuple[str, list[str]]) -> None:
    place, seen = asked
    history.git("rm", "--quiet", "pyproject.toml")
    table = REGISTRY.format(provider="npm", table="")
    history.commit("feat: npm", {"package.json": '{"name": "quotes", "version": "1.0.0"}'})
    npmrc = f"registry=http://{place}/\n//{place}/:_authToken=${{TOKEN}}\n"
    proposed(history, table, {".npmrc": npmrc})
    checks = checks_of(history.folder, 0, {"TOKEN": "secret"})
    assert checks["registry npm"]["state"] == "warning"
    assert seen == []


def test_the_store_is_opened_and_its_key_is_missed(history: History) -> None:
    assert run_shipline(history.folder, "release").code in (0, 1)
    state = history.folder / ".shipline"
    assert checks_of(history.folder, 0)["log key"]["words"].endswith("log.key")
    (state / "log.key").unlink()
    assert "from a backup" in checks_of(history.folder, 1)["log key"]["todo"]
    lease = Lease(state / "store.db")
    assert lease.acquire()
    assert "another process runs it" in checks_of(history.folder, 1)["engine"]["words"]
    lease.release()
    (state / "store.db").write_text("these are my notes\n")
    checks = checks_of(history.folder, 1)
    assert "is damaged or is not one of Shipline's" in checks["store"]["words"]
    assert (state / "store.db").read_text() == "these are my notes\n"


def test_git_must_know_who_commits(history: History) -> None:
    history.git("config", "--unset", "user.email")
    extra: dict[str, str | None] = {
        name: None for name in environment_of() if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER")) or name == "EMAIL"
    }
    extra |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    assert "git config user.email" in checks_of(history.folder, 1, extra)["identity"]["todo"]
