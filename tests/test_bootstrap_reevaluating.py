"""What the engine's owner does when the policy has changed: gates are asked anew, once."""

from __future__ import annotations

from pathlib import Path

from shipline.bootstrap import Application
from shipline.bootstrap.reevaluating import Reevaluation
from shipline.capabilities.releases import RELEASES
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer
from shipline.testing.histories import History
from tests.apps.cli.test_waive import SETTINGS, answer, ask
from tests.capabilities.events import kinds


def test_a_changed_policy_is_asked_at_once_and_the_same_one_not_again(tmp_path: Path) -> None:
    """A gate that wanted evidence wants less now; nobody has said anything to the release."""
    history = History(tmp_path / "project")
    commit = history.commit("feat: say something", {"a": "1"})
    settings = history.folder / "shipline.toml"
    settings.write_text(SETTINGS.format(key="ssh-ed25519 " + "A" * 68))
    application = Application(history.folder)
    with application.store.begin() as tx:
        RELEASES.save(tx, Release("rel_1", "quotes", "1.0.0", "v1.0.0", ReleaseStatus.PUBLISHED, 1, 1, commit=commit))
    ask(application)
    assert answer(application) is Answer.UNKNOWN
    chore = Reevaluation(application)
    chore()
    assert kinds(application.store) == ["GateDecided"]
    settings.write_text(settings.read_text().replace("findings.high == 0", "artifacts.total == 0"))
    application.follow_settings()
    chore()
    chore()
    assert answer(application) is Answer.PASS
    assert kinds(application.store) == ["GateDecided", "GateDecided"]
    application.store.close()
