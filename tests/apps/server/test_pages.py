"""What the pages and documents say."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from shipline.apps.server.documents import ALERTMANAGER, answered
from shipline.apps.server.rollout_views import rollout_view
from shipline.apps.server.words import exact
from shipline.bootstrap.orders import RollbackWish
from shipline.capabilities.releases import RELEASES, VERDICTS
from shipline.capabilities.rollouts import (
    DEPLOYMENTS,
    ROLLOUTS,
    Alert,
    Concurrency,
    Finding,
    order_drift_looks,
    order_mending,
)
from shipline.capabilities.rollouts.upkeep.drifting import DriftMemory
from shipline.capabilities.rollouts.usecases import note_warm
from shipline.capabilities.rollouts.workflow import drift_key, drift_name
from shipline.configuration import HotfixSettings
from shipline.domain.actor import ActorKind
from shipline.domain.codec import to_json
from shipline.domain.rollout import RolloutPurpose, RolloutStatus
from shipline.domain.verdict import Answer, Verdict
from shipline.store.log import read_latest
from tests.apps.server.conftest import Served
from tests.apps.server.stage import HOSTILE, PRODUCTION, STAGING


class Outline(HTMLParser):
    """Headings in their order, ids, and the elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.levels.append(int(tag[1]))
        if named.get("id"):
            self.ids.append(str(named["id"]))


def paths(served: Served) -> list[str]:
    releases = [f"/releases/{served.ids[name]}" for name in ("good", "refused", "bad", "running")]
    rollouts = [f"/rollouts/{served.ids[name]}" for name in ("promoted", "rolled_back", "live")]
    return ["/", "/releases", "/environments/production", "/incidents", "/calendar", "/log", *releases, *rollouts]


def test_every_page_has_one_h1_headings_in_order_unique_ids_and_scoped_headers(served: Served) -> None:
    with served.person() as person:
        for path in paths(served):
            outline = Outline(person.get(path).text)
            assert outline.levels.count(1) == 1, path
            steps = zip([0, *outline.levels], outline.levels, strict=False)
            assert all(after - before <= 1 for before, after in steps), (path, outline.levels)
            assert len(outline.ids) == len(set(outline.ids)), path
            assert all("scope" in attributes for tag, attributes in outline.tags if tag == "th"), path


def test_the_overview_says_what_serves_where_and_what_is_under_way(served: Served) -> None:
    with served.person() as person:
        text = person.get("/").text
    for words in ("quotes 1.1.0", "quotes 1.3.0", "production", "Refused", "Rolled back", "Serves nothing yet"):
        assert words in text


def test_a_release_shows_plan_steps_artifacts_evidence_verdicts_and_events(served: Served) -> None:
    with served.person() as person:
        text = person.get(f"/releases/{served.ids['good']}").text
        refused = person.get(f"/releases/{served.ids['refused']}").text
    for words in ("1.0.0 →", "answer with the author", "Ask the gates", "sha256:" + "3c" * 32, "CycloneDX".lower()):
        assert words in text
    for words in ("94% of the lines", "Release published", "2 commits", "Promoted"):
        assert words in text
    assert "2 of 12 tests fail" in refused
    assert "not needed" in refused


def test_a_rollout_shows_its_counts_its_plot_and_why_a_button_cannot_be_pressed(served: Served) -> None:
    with served.person() as person:
        live = person.get(f"/rollouts/{served.ids['live']}").text
        back = person.get(f"/rollouts/{served.ids['rolled_back']}").text
    assert "rolled back at 100" in live
    assert "It is not paused." in live
    assert 'sse-connect="/rollouts/' in live
    assert "It caused an incident" in back
    assert "The rollout has ended." in back
    assert "sse-connect" not in back


def test_a_release_shows_its_checklist_who_ticked_what_and_who_coordinates(fresh: Served) -> None:
    """And a page with open items goes on changing: somebody will tick them."""
    with fresh.person() as person:
        good = person.get(f"/releases/{fresh.ids['good']}").text
        path = f"/releases/{fresh.ids['running']}"
        running = person.get(path).text
        assert "ben coordinates. All are ticked" in good
        assert "sse-connect" not in good
        assert "ben coordinates. 1 of 2 open" in running
        assert "sse-connect" in running
        assert re.search(r"somebody is on call <span class=\"under\">by ada@local, <time .*: carl until 18:00", running)
        assert "shipline checklist tick 1.3.0 ITEM --stage production" in running
        with fresh.stage.world.store.begin() as tx:
            (release,) = RELEASES.where(tx, version="1.3.0")
        fresh.stage.tick(release, "somebody is on call", HOSTILE, is_done=False)
        cleared = person.get(path).text
        assert "2 of 2 open" in cleared
        assert "cleared by ada@local" in cleared
        assert "<img" not in cleared


def test_a_rollout_that_has_not_begun_waits_for_its_checklist(fresh: Served) -> None:
    """The way back asks for none, nor does a hotfix whose shorter way leaves it out."""
    with fresh.stage.world.store.begin() as tx:
        (release,) = RELEASES.where(tx, version="1.2.0")
    waits = fresh.stage.open(release, concurrency=Concurrency.QUEUE)
    words = "the checklist of production has to be ticked, or it is turned back. Open: the status page says"
    with fresh.person() as person:
        text = person.get(f"/rollouts/{waits.id}").text
    assert words in text
    assert "ben coordinates" in text
    hotfix = HotfixSettings(allowed=True, skip_gates=("checklist",))
    site = replace(fresh.stage.site, environments=lambda: (replace(PRODUCTION, hotfix=hotfix), STAGING))
    for other in (replace(waits, purpose=RolloutPurpose.ROLLBACK), replace(waits, expedited="it burns")):
        with fresh.stage.world.store.begin() as tx:
            ROLLOUTS.save(tx, other)
        view = rollout_view(site, waits.id)
        assert view is not None
        assert view.checklists == ()


def test_a_hotfix_on_the_shorter_way_says_why_and_what_was_not_asked(fresh: Served) -> None:
    """Before the gates were asked only why; in lists, that it is one."""
    path = f"/rollouts/{fresh.ids['live']}"
    with fresh.person() as person:
        assert "Expedited, because the till does not open (ada@local)." in person.get(path).text
        assert "an expedited hotfix" in person.get("/").text
        words = "expedited, because the till does not open (ada@local); not asked: tried by hand"
        verdict = Verdict("expedited", Answer.PASS, (words,), fresh.stage.clock.now_us(), {})
        with fresh.stage.world.store.begin() as tx:
            VERDICTS.save(tx, verdict, row_id="ver_1", release_id=fresh.ids["running"], stage="production")
        assert "not asked: tried by hand." in person.get(path).text
        assert "shorter way" not in person.get(f"/rollouts/{fresh.ids['promoted']}").text


def test_what_an_alert_from_outside_did_is_said_with_which_whose_and_when(fresh: Served) -> None:
    """It turns a rollout back; what it blames later says so, too."""
    stage, path = fresh.stage, f"/rollouts/{fresh.ids['live']}"
    began_us = stage.clock.now_us()
    answered(stage.site, (Alert("ManyErrors", "production", began_us, HOSTILE),))
    stage.world.run_until_quiet(stage.engine)
    with fresh.person() as person:
        text = person.get(path).text
        assert "It was turned back by an alert from outside: <strong>ManyErrors</strong>, since <time" in text
        assert exact(began_us) in text
        assert "Told by alertmanager@token" in text
        assert "<img" not in text
        promoted = f"/rollouts/{fresh.ids['promoted']}"
        assert "alert from outside" not in person.get(promoted).text
        began_us = stage.clock.now_us() + 1_000_000
        assert answered(stage.site, (Alert("Slow", "production", began_us),))["told"] == [fresh.ids["promoted"]]
        assert "It is blamed by an alert from outside: <strong>Slow</strong>" in person.get(promoted).text


def test_a_way_back_that_an_alert_ordered_says_so(fresh: Served) -> None:
    stage = fresh.stage
    stage.world.run_until_quiet(stage.engine)
    wish = RollbackWish("production", "1.0.0", reason="the alert Slow fires", alerts=("Slow@1795741200000000",))
    back = stage.roll_back(wish, ALERTMANAGER)
    with fresh.person() as person:
        text = person.get(f"/rollouts/{back.id}").text
    assert "This way back was ordered by an alert from outside: <strong>Slow</strong>" in text
    assert "2026-11-27 01:00:00 UTC" in text


def test_a_rollout_whose_way_back_failed_says_what_giving_up_is(fresh: Served) -> None:
    """Only then: elsewhere nothing can be given up."""
    path = f"/rollouts/{fresh.ids['live']}"
    with fresh.person() as person:
        assert "give-up" not in person.get(path).text
        with fresh.stage.world.store.begin() as tx:
            rollout = ROLLOUTS.find(tx, fresh.ids["live"])
            assert rollout is not None
            ROLLOUTS.save(tx, replace(rollout, status=RolloutStatus.FAILED, reason="the proxy does not answer"))
        failed = person.get(path).text
    assert f"shipline rollout give-up {rollout.environment} --reason" in failed
    assert "--accept-exposure" in failed


def test_copies_that_died_are_told_wherever_an_environment_is_shown(fresh: Served) -> None:
    """With what they wrote, which stays words; and no more once they have been back for a while."""
    stage = fresh.stage
    name = next(name for name, group in stage.target.world.groups.items() if group.spec.size == 2)
    stage.target.world.broken.add(stage.target.world.groups[name].spec.version)
    stage.target.kill(name, 1)
    with stage.world.store.begin() as tx:
        order_mending(tx, stage.engine, "production")
    stage.step()
    with fresh.person() as person:
        for path in ("/", "/environments/production"):
            text = person.get(path).text
            assert "Copies had died. " in text
            assert "1 of 2 copies of quotes 1.1.0 is ready: an instance of quotes 1.1.0 ended" in text
        document = person.get("/api/v1/environments").json()
    assert document["environments"][0]["mending"].endswith("it is broken")


def test_a_command_is_the_same_as_that_of_the_command_line(fresh: Served) -> None:
    """Without scripts too: the form answers with the page, which says what was said."""
    path = f"/rollouts/{fresh.ids['live']}"
    with fresh.person() as person:
        form = {"verb": "pause", "reason": "lunch", "csrf": fresh.csrf(person, path)}
        answer = person.post(f"{path}/commands", data=form)
        assert answer.status_code == 303
        assert "Pause was said" in person.get(answer.headers["location"]).text
        (entry,) = read_latest(fresh.stage.world.store, 1, f"rollout:{fresh.ids['live']}")
        assert entry.event.kind == "RolloutCommanded"
        assert (entry.event.body["verb"], entry.event.body["reason"]) == ("pause", "lunch")
        assert (entry.event.actor.kind, entry.event.actor.subject) == (ActorKind.PERSON, "web")
        assert entry.event.actor.authenticated
        fresh.stage.step()
        assert "Paused" in person.get(path).text


def changed_by_hand(served: Served) -> None:
    """What is under way has ended; then the record says that another version serves, and the engine has looked."""
    stage = served.stage
    stage.world.run_until_quiet(stage.engine)
    with stage.world.store.begin() as tx:
        for one in DEPLOYMENTS.where(tx, ended_us=None):
            DEPLOYMENTS.save(tx, replace(one, version="9.9.9"))
        order_drift_looks(tx, stage.engine, "production")
    for _ in range(3):
        stage.engine.sweep()


def test_what_is_kept_warm_and_what_is_as_recorded_is_told_too(fresh: Served) -> None:
    stage, until_us = fresh.stage, 1_800_000_000_000_000
    known = to_json(DriftMemory(looked_us=until_us))
    with stage.world.store.begin() as tx:
        note_warm(tx, fresh.ids["live"], until_us)
        key = drift_key("production")
        stage.engine.start(tx, drift_name("production"), subject=key, given={"known": known}, exclusive_key=key)
    with fresh.person() as person:
        text = person.get("/environments/production").text
        document = person.get("/api/v1/environments").json()["environments"][0]
    assert "is kept running until 2027-01-15 08:00:00 UTC" in text
    assert "As recorded, when it was last compared" in text
    assert document["warm"] == {"package": "quotes", "version": "1.1.0", "until_us": until_us}


def test_what_was_made_into_another_version_cannot_be_adopted(fresh: Served) -> None:
    stage, finding = fresh.stage, Finding("content", "quotes-1-1-0", "its image was changed by somebody else")
    stage.world.run_until_quiet(stage.engine)
    known = to_json(DriftMemory(looked_us=1_800_000_000_000_000, findings=(finding,), since_us=1_800_000_000_000_000))
    with stage.world.store.begin() as tx:
        key = drift_key("production")
        stage.engine.start(tx, drift_name("production"), subject=key, given={"known": known}, exclusive_key=key)
    with fresh.person() as person:
        text = person.get("/environments/production").text
    assert "its image was changed by somebody else" in text
    assert 'value="restore"' in text
    assert 'value="adopt"' not in text


@pytest.mark.parametrize(("verb", "kind"), [("adopt", "AdoptionOrdered"), ("restore", "RolloutStarted")])
def test_what_was_changed_by_hand_is_shown_with_both_ways_out(fresh: Served, verb: str, kind: str) -> None:
    """Only a form of this session does it, and not without a reason."""
    changed_by_hand(fresh)
    path = "/environments/production"
    with fresh.person() as person:
        text = person.get(path).text
        assert "and quotes 9.9.9 is on record" in text
        assert "Not as recorded" in person.get("/").text
        form = {"verb": verb, "reason": "the outage", "csrf": fresh.csrf(person, path)}
        for wrong, status in (({"csrf": "x"}, 403), ({"reason": " "}, 400), ({"verb": "explode"}, 400)):
            assert person.post(f"{path}/commands", data=form | wrong).status_code == status
        assert person.post("/environments/nowhere/commands", data=form).status_code == 404
        answer = person.post(f"{path}/commands", data=form)
        assert answer.status_code == 303
        assert f"{verb.capitalize()} was said." in person.get(answer.headers["location"]).text
    entry = next(one for one in reversed(read_latest(fresh.stage.world.store, 5, None)) if one.event.kind == kind)
    assert (entry.event.body["reason"], entry.event.actor.subject) == ("the outage", "web")


def test_the_page_rolls_back_to_an_earlier_version(fresh: Served) -> None:
    """Only by a form of this session, with a reason, to what has served there."""
    path = "/environments/production"
    with fresh.person() as person:
        text = person.get(path).text
        assert '<option value="1.0.0">' in text
        assert '<option value="1.2.0">' not in text
        assert "said rollback after" in text
        form = {"version": "1.0.0", "reason": "prices", "csrf": fresh.csrf(person, path)}
        for wrong, status in (({"csrf": "x"}, 403), ({"reason": " "}, 400)):
            assert person.post(f"{path}/rollback", data=form | wrong).status_code == status
        assert person.post("/environments/nowhere/rollback", data=form).status_code == 404
        answer = person.post(f"{path}/rollback", data=form)
        assert answer.status_code == 303
        fresh.stage.world.run_until_quiet(fresh.stage.engine)
        assert "quotes <span" in person.get(answer.headers["location"]).text
    with fresh.stage.world.store.begin() as tx:
        (serves,) = [one for one in DEPLOYMENTS.where(tx, environment="production", ended_us=None) if one.finished_us]
    assert serves.version == "1.0.0"


def test_what_waits_for_its_turn_is_shown_and_can_be_withdrawn(fresh: Served) -> None:
    with fresh.stage.world.store.begin() as tx:
        (release,) = RELEASES.where(tx, version="1.2.0")
    waits = fresh.stage.open(release, concurrency=Concurrency.QUEUE)
    path = f"/rollouts/{waits.id}"
    with fresh.person() as person:
        for page in ("/", "/environments/production", path):
            assert "Queued" in person.get(page).text
        assert "Waiting for its turn: the rollout of quotes 1.3.0 is running." in person.get(path).text
        form = {"verb": "withdraw", "csrf": fresh.csrf(person, path)}
        answer = person.post(f"{path}/commands", data=form)
        assert answer.status_code == 303
        text = person.get(answer.headers["location"]).text
        assert "Withdrawn" in text
        assert "withdrawn by web@local" in text
        assert person.get("/api/v1/environments").json()["environments"][0]["queued"] == []


@pytest.mark.parametrize(("verb", "status"), [("explode", 400), ("pause", 409)])
def test_an_unknown_word_and_a_late_one_are_refused_in_words(served: Served, verb: str, status: int) -> None:
    path = f"/rollouts/{served.ids['rolled_back']}"
    with served.person() as person:
        form = {"verb": verb, "csrf": served.csrf(person, path)}
        for headers in ({}, {"HX-Request": "true"}):
            answer = person.post(f"{path}/commands", data=form, headers=headers)
            assert answer.status_code == status
            assert ("does not know" if verb == "explode" else "has ended") in answer.text


def test_words_of_strangers_stay_words(fresh: Served) -> None:
    """Notes, package names, versions, reasons and queries with markup in them are shown and never obeyed."""
    path = f"/rollouts/{fresh.ids['live']}"
    with fresh.person() as person:
        form = {"verb": "pause", "reason": HOSTILE, "csrf": fresh.csrf(person, path)}
        assert person.post(f"{path}/commands", data=form).status_code == 303
        release = fresh.stage.release("9.9.9", None, notes=f"- **{HOSTILE}:** {HOSTILE} `{HOSTILE}`", package=HOSTILE)
        shown = [
            "/",
            "/releases",
            f"/releases/{release.id}",
            "/log",
            path,
            f"{path}?said={HOSTILE}",
            f"/log?stream={HOSTILE}",
        ]
        for place in shown:
            answer = person.get(place)
            tags = Outline(answer.text).tags
            assert answer.status_code in {200, 400}
            assert not [tag for tag in tags if tag[0] == "img"], place
            assert all("src" in attributes for tag, attributes in tags if tag == "script"), place
            assert not [name for _, attributes in tags for name in attributes if name.startswith("on")], place
        assert "&lt;script&gt;alert(1)" in person.get(f"/releases/{release.id}").text


def test_the_log_is_paged_and_says_what_has_no_place_yet(served: Served) -> None:
    with served.person() as person:
        first = person.get("/api/v1/log", params={"limit": 10}).json()
        numbers = [entry["number"] for entry in first["events"]]
        assert numbers == sorted(numbers)
        second = person.get("/api/v1/log", params={"limit": 1000, "before": numbers[0]}).json()
        everything = person.get("/api/v1/log", params={"limit": 1000}).json()
        assert second["events"] + first["events"] == everything["events"]
        page = person.get("/log", params={"before": numbers[0]}).text
        newest = person.get("/log").text
    assert first["schema"] == "shipline.log/1"
    assert "no place yet" in newest
    assert "no place yet" not in page


def test_a_long_log_has_older_pages(fresh: Served) -> None:
    path = f"/rollouts/{fresh.ids['live']}"
    with fresh.person() as person:
        form = {"verb": "pause", "csrf": fresh.csrf(person, path)}
        for _ in range(60):
            person.post(f"{path}/commands", data=form)
        text = person.get("/log").text
        older = text.partition('href="/log?before=')[2].partition('"')[0]
        assert older.isdigit()
        assert "Newest" in person.get("/log", params={"before": older}).text


def test_documents_are_those_of_the_command_line(served: Served) -> None:
    with served.person() as person:
        releases = person.get("/api/v1/releases").json()
        release = person.get(f"/api/v1/releases/{served.ids['refused']}").json()
        rollout = person.get(f"/api/v1/rollouts/{served.ids['live']}").json()
        incidents = person.get("/api/v1/incidents").json()
        environments = person.get("/api/v1/environments").json()
        deployments = person.get("/api/v1/environments/production/deployments").json()
        assert person.get("/api/v1/environments/nowhere/deployments").status_code == 404
    assert environments["environments"][0]["serves"][0]["deployment"]["version"] == "1.1.0"
    assert [one["rollout"]["status"] for one in deployments["deployments"]][:2] == ["running", "rolled_back"]
    assert releases["schema"] == release["schema"] == "shipline.releases/1"
    assert [one["version"] for one in releases["releases"]] == ["1.3.0", "1.2.0", "1.1.1", "1.1.0", "1.0.0"]
    assert release["releases"][0]["verdicts"][0]["answer"] == "FAIL"
    assert rollout["schema"] == "shipline.rollout/1"
    assert len(rollout["analysis"]) >= 28
    assert incidents["schema"] == "shipline.incidents/1"
    assert incidents["incidents"][0]["rollout_id"] == served.ids["rolled_back"]


@pytest.mark.parametrize(
    ("path", "status"), [("/api/v1/rollouts/x", 404), ("/api/v1/log?limit=0", 400), ("/api/x", 404)]
)
def test_errors_of_the_interface_are_problem_documents(served: Served, path: str, status: int) -> None:
    """RFC 9457: the media type, and status and title that fit each other."""
    with served.person() as person:
        answer = person.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"] in {"Not Found", "Bad Request"}
    assert answer.json()["detail"]


def test_health_is_answered_without_a_token_and_says_nothing_else(served: Served) -> None:
    with served.client() as stranger:
        answer = stranger.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_the_log_is_searched(served: Served) -> None:
    """On the page by a form that keeps what was said, and for programs by the same words."""
    with served.person() as person:
        query = {"kind": "RolloutStarted", "text": "PRODUCTION", "actor": "", "since": "2020-01-01"}
        found = person.get("/api/v1/log", params=query | {"limit": "1000"}).json()["events"]
        assert {entry["kind"] for entry in found} == {"RolloutStarted"}
        assert found
        page = person.get("/log", params=query).text
        assert 'value="PRODUCTION"' in page
        assert "What fits the search" in page
        assert "Nothing here" in person.get("/log", params={"text": "nowhere"}).text
        assert person.get("/api/v1/log", params={"since": "2026-99-99"}).json()["events"] == []
        assert person.get("/api/v1/log", params={"since": "yesterday"}).status_code == 400
