"""What an environment that is driven may say, and what one that is not may not."""

from __future__ import annotations

import pytest

from shipline.configuration import parse_settings
from shipline.configuration.check import problems

DRIVEN = """
schema = 1
[[environment]]
name = "production"
strategy = "driven"
{more}
[environment.controller]
provider = "{provider}"
{name} = "quotes"
{controller}
[environment.signals]
provider = "prometheus"
url = "http://prometheus.example"
requests = 'http_requests_total{{group="{{group}}"}}'
errors = 'http_requests_total{{group="{{group}}", code=~"5.."}}'
"""


def complaints(text: str) -> list[str]:
    settings = parse_settings(text.encode())
    return [f"{problem.what} {problem.todo}" for problem in problems(settings)]


def written(provider: str = "argo-rollouts", more: str = "", controller: str = "") -> str:
    name = "rollout" if provider == "argo-rollouts" else "canary"
    return DRIVEN.format(provider=provider, name=name, more=more, controller=controller)


def test_what_is_whole_is_taken() -> None:
    assert complaints(written()) == []
    assert complaints(written("flagger", 'verdict_token = { environment = "VERDICTS" }', 'container = "web"')) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (written("flagger"), "`verdict_token` is missing"),
        (written(more='verdict_token = { value = "hunter2" }'), "verdict_token: a secret is said by where it is"),
        (written(more="keep_warm_s = 60"), "`keep_warm_s` has no meaning"),
        (written(more='variables = { A = "b" }'), "`variables` has no meaning"),
        (written(more='traffic = { provider = "haproxy", port = 8080 }'), "`traffic` has no meaning"),
        (
            written(more='[[environment.verify]]\nname = "smoke"\ncommand = ["true"]'),
            "`verify` needs the environment's",
        ),
        (written("argo", ""), "there is no controller provider 'argo'"),
        (written(controller='pod = "x"'), "pod"),
        (written(more="[[environment.step]]\nweight = 0.2"), "the strategy driven has no steps"),
        (written().partition("[environment.signals]")[0], "nobody counts the requests there"),
        (written().replace('"driven"', '"rolling"'), "`controller` is for the strategy driven"),
        (written().partition("[environment.controller]")[0], "needs [environment.controller]"),
    ],
)
def test_what_does_not_go_together_is_refused(text: str, words: str) -> None:
    assert any(words in complaint for complaint in complaints(text)), complaints(text)
