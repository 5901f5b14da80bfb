"""Who can preview how: what a provider cannot is refused with the reason and with those that can."""

from __future__ import annotations

import pytest

from shipline.configuration import EnvironmentSettings, PreviewSettings, VerifySettings
from shipline.configuration.previews import preview_complaints
from shipline.domain.gate import Approver

SITE: dict[str, object] = {"provider": "static", "folder": "/srv/docs", "address": "a.example:80"}
INFRA: dict[str, object] = {"provider": "terraform", "folder": "/srv/infra"}
SCRIPT: dict[str, object] = {name: ["x"] for name in ("open", "apply", "routes", "open_requests", "forget", "close")}
SCRIPT |= {"provider": "command", "address": "a.example:80"}
ANN = Approver("ann", ("ops",), "ssh-ed25519 x")


def said(preview: PreviewSettings, traffic: dict[str, object], **others: object) -> list[str]:
    made = EnvironmentSettings("production", strategy="blue-green", preview=preview, traffic=traffic, **others)  # type: ignore[arg-type] # tables as they are read
    return [error.diagnosis() for error in preview_complaints(made, (ANN,))]


@pytest.mark.parametrize(
    ("by", "traffic"),
    [
        ("header", {"port": 8080, "preview_header": "X-Preview: yes"}),
        ("header", SCRIPT | {"previews": True}),
        ("mirror", SCRIPT | {"mirrors": True}),
        ("header", SITE),
        ("header", {**INFRA, "address": "a.example:80"}),
    ],
)
def test_who_can_is_not_refused(by: str, traffic: dict[str, object]) -> None:
    assert said(PreviewSettings(by), traffic) == []


@pytest.mark.parametrize(
    ("by", "traffic", "words"),
    [
        ("header", {"port": 8080}, ("haproxy shows no preview by header", "name a `preview_header` for the traffic")),
        ("mirror", {"port": 8080}, ("it cannot copy requests", "a provider that can: command, gateway-api")),
        ("mirror", SITE, ("static shows no preview by mirror",)),
        (
            "header",
            SCRIPT,
            (
                "set `previews = true` for the traffic, if it can",
                "a provider that can: alb, command, gateway-api, haproxy, s3, static, terraform",
            ),
        ),
    ],
)
def test_who_cannot_is_refused_with_those_that_can(by: str, traffic: dict[str, object], words: tuple[str, ...]) -> None:
    (complaint,) = said(PreviewSettings(by), traffic)
    assert all(word in complaint for word in words), complaint


def test_people_who_sign_have_to_be_there_and_a_plan_is_not_let_by_anybody() -> None:
    (complaint,) = said(PreviewSettings("header", approvals={"ops": 2}), SITE)
    assert "2 approvals of 'ops' cannot be had: ann has that role" in complaint
    assert said(PreviewSettings("header", approvals={"ops": 1}), SITE) == []
    plans: dict[str, dict[str, object]] = {"traffic": {**INFRA, "address": "a.example:80"}, "target": INFRA}
    (complaint,) = said(PreviewSettings("header", approve=True), plans["traffic"], target=plans["target"])
    assert "each signing for its digest" in complaint


def test_nothing_is_verified_before_where_nothing_is_previewed() -> None:
    (complaint,) = said(PreviewSettings(), SITE, verify=(VerifySettings("page", ("true",), before=True),))
    assert "nothing is previewed" in complaint
