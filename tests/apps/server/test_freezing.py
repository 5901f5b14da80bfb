"""Freezing on the page and over the interface: the same as the command line, once for each key, by a session's form."""

from __future__ import annotations

from shipline.bootstrap import Application
from shipline.bootstrap.freezing import in_force
from tests.apps.server.serving import TOKEN
from tests.apps.server.test_asking import BEARER, application, client, hidden, url

__all__ = ["application", "url"]


def test_a_program_freezes_once_for_its_key_and_lifts(application: Application, url: str) -> None:
    body = {"stage": "staging", "until": "2h", "reason": "a move"}
    with client(url, headers=BEARER | {"Idempotency-Key": "k1"}) as program:
        first, again = (program.post("/api/v1/freezes", json=body) for _ in range(2))
        assert first.status_code == 200, first.text
        assert first.json() == again.json() == program.get("/api/v1/freezes").json()
        (freeze,) = first.json()["freezes"]
        assert (freeze["stage"], freeze["declared_by"]) == ("staging", "api@token")
        refused = program.post("/api/v1/environments/staging/deployments", json={"version": "1.0.0"})
        assert refused.status_code == 409, refused.text
        assert "is frozen by 'a move" in refused.text
        closed = {one["stage"]: one["open"] for one in program.get("/api/v1/calendar").json()["stages"]}
        assert closed == {"release": True, "staging": False, "production": True}
        assert "a move" in program.get("/calendar").text
        assert program.post("/api/v1/freezes/lift", json={}).json()["freezes"][0]["id"] == freeze["id"]
    assert in_force(application) == ()


def test_a_person_freezes_and_lifts_on_the_page_by_its_forms_alone(application: Application, url: str) -> None:
    with client(url) as person:
        person.get("/", params={"token": TOKEN}, follow_redirects=True)
        form = hidden(person.get("/calendar").text)
        asked = form | {"stage": "all", "until": "90min", "reason": "<b>a move</b>"}
        assert person.post("/calendar/freeze", data=asked | {"csrf": "x"}).status_code == 403
        assert in_force(application) == ()
        assert [person.post("/calendar/freeze", data=asked).status_code for _ in range(2)] == [303, 303]
        (freeze,) = in_force(application)
        assert (freeze.stage, freeze.declared_by) == ("all", "web@local")
        text = person.get("/calendar").text
        assert "&lt;b&gt;a move&lt;/b&gt;" in text
        assert "Lift the freeze of all" in text
        assert person.post("/calendar/lift", data={"csrf": form["csrf"], "stage": "all"}).status_code == 303
    assert in_force(application) == ()
