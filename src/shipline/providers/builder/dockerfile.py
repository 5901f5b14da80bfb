"""Add a stage to a Dockerfile that runs the tests in the image. Pure text.

Source: Dockerfile reference, "FROM" and "RUN" (https://docs.docker.com/reference/dockerfile/).
"""

from __future__ import annotations

import json
import re

TESTED_STAGE = "shipline-tested"
TEST_STAGE = "shipline-test"

FROM = re.compile(
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(?P<image>\S+)(?P<named>[ \t]+AS[ \t]+(?P<name>\S+))?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


def with_tests(dockerfile: str, stage: str, commands: tuple[tuple[str, ...], ...]) -> str:
    """The Dockerfile with a last stage TEST_STAGE that runs `commands`, without a shell, in `stage` ("": the last).

    A last stage without a name is given one. ValueError where the Dockerfile has no such stage.
    """
    stages = list(FROM.finditer(dockerfile))
    if not stages:
        raise ValueError("it has no FROM")
    if stage and all((each["name"] or "").lower() != stage.lower() for each in stages):
        raise ValueError(f"it has no stage {stage!r}")
    last = stages[-1]
    name = stage or last["name"] or TESTED_STAGE
    if not stage and last["name"] is None:
        dockerfile = f"{dockerfile[: last.end()].rstrip()} AS {name}{dockerfile[last.end() :]}"
    runs = "".join(f"RUN {json.dumps(list(command))}\n" for command in commands)
    return f"{dockerfile.rstrip()}\n\nFROM {name} AS {TEST_STAGE}\n{runs}"
