"""What an environment gives, in the task definitions and templates that groups are made from."""

from __future__ import annotations

import json
from pathlib import Path

from shipline.providers.target.cloud_run_template import read_template
from shipline.providers.target.ecs_definition import read_definition

GIVEN = {"LEVEL": "debug", "COLOUR": "blue {x}"}
IMAGE = "registry.example/team/quotes:latest"


def test_a_task_definition_gets_them_in_the_released_container_alone(tmp_path: Path) -> None:
    """Over what it has under the same names, secrets too: ECS takes no name twice."""
    web = {
        "name": "web",
        "image": IMAGE,
        "portMappings": [{"containerPort": 80}],
        "environment": [{"name": "TZ", "value": "UTC"}, {"name": "LEVEL", "value": "info"}],
        "secrets": [{"name": "COLOUR", "valueFrom": "arn:1"}, {"name": "DB", "valueFrom": "arn:2"}],
    }
    (tmp_path / "task.json").write_text(json.dumps({"containerDefinitions": [web, {"name": "log", "image": IMAGE}]}))
    read = read_definition(tmp_path, "task.json", "web", 80)
    released, other = read.giving(GIVEN).with_image("sha256:1", "family")["containerDefinitions"]
    assert released["environment"] == [
        {"name": "TZ", "value": "UTC"},
        {"name": "COLOUR", "value": "blue {x}"},
        {"name": "LEVEL", "value": "debug"},
    ]
    assert released["secrets"] == [{"name": "DB", "valueFrom": "arn:2"}]
    assert other == {"name": "log", "image": IMAGE}
    assert read.giving({}) is read


def test_a_revisions_template_gets_them_in_the_released_container_alone(tmp_path: Path) -> None:
    """Beside what Shipline tells it."""
    web = {"name": "web", "image": IMAGE, "env": [{"name": "TZ", "value": "UTC"}, {"name": "LEVEL", "value": "info"}]}
    (tmp_path / "revision.json").write_text(json.dumps({"containers": [{"name": "log", "image": IMAGE}, web]}))
    read = read_template(tmp_path, "revision.json", "web")
    other, released = read.giving(GIVEN).of_revision("image", "name", "one", {})["containers"]
    assert released["env"] == [
        {"name": "TZ", "value": "UTC"},
        {"name": "COLOUR", "value": "blue {x}"},
        {"name": "LEVEL", "value": "debug"},
        {"name": "SHIPLINE_GROUP", "value": "one"},
    ]
    assert other == {"name": "log", "image": IMAGE}
    assert read.giving({}) is read
