"""Buttons on a forge: a workflow, or jobs, by which people release, deploy, promote and roll back there. Pure.

Each is one command of Shipline, tried by `--dry-run` before, in a job that may change nothing. What people type comes
into a job by its environment, and never into the text of a script. Environments are those of the forge, where reviewers
and secrets are set.

From: docs.github.com/actions/reference/workflows-and-actions/workflow-syntax, docs.gitlab.com/ci/yaml (18.5),
docs.gitea.com/usage/actions/comparison (1.25).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipline.domain.errors import InvalidValue

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
PATHS = {
    "github": ".github/workflows/shipline.yml",
    "gitea": ".gitea/workflows/shipline.yml",
    "gitlab": ".gitlab/shipline.yml",
}
# It stands in a script of the shell, where it needs no quoting, and in YAML.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
VERBS = ("release", "deploy", "promote", "rollback")


@dataclass(frozen=True, slots=True)
class Buttons:
    """What the buttons are for. `environments` are names, in their order; `promotable` those that come after another.
    `version` is that of Shipline, which the jobs install. `branch` is what releases are made from."""

    environments: tuple[str, ...]
    promotable: tuple[str, ...]
    version: str
    branch: str


def buttons_file(forge: str, buttons: Buttons) -> tuple[str, str]:
    """The path and the text of the file for a forge of PATHS. InvalidValue for names that a script cannot hold."""
    for name in (*buttons.environments, buttons.version, *buttons.branch.split("/")):
        if not _PLAIN.fullmatch(name):
            raise InvalidValue(f"{name[:60]!r} cannot stand in a workflow", todo="rename it, or write the file by hand")
    text = _gitlab(buttons) if forge == "gitlab" else _actions(buttons, f"{forge.upper()}_TOKEN")
    return PATHS[forge], text


# --- GitHub, Gitea, Forgejo ----------------------------------------------------------------------------------------

HEAD = """\
# Buttons of Shipline, written by `shipline init --buttons`; it is yours to change.
# What is typed in comes to the commands by the environment. Set reviewers on the environments to have somebody asked.
name: Shipline
"""
DISPATCH = """
on:
  workflow_dispatch:
    inputs:
      action:
        description: What is to be done
        type: choice
        options: [{verbs}]
        default: release
{environment}      version:
        description: Which version; none is the newest, or the one before
        type: string
        default: ""
      package:
        description: Which package; none is the only one, or all that is due
        type: string
        default: ""
      reason:
        description: Why; kept in the log
        type: string
        default: ""
      dry_run:
        description: Only say what would be done
        type: boolean
        default: true

permissions: {{}}

concurrency:
  group: shipline
  cancel-in-progress: false

jobs:
"""
ENVIRONMENT_INPUT = """\
      environment:
        description: Where
        type: choice
        options: [{names}]
        default: {first}
"""
JOB = """\
  {job}:
    name: {name}
    runs-on: ubuntu-latest
{where}    timeout-minutes: {minutes}
    permissions:
      contents: {right} # {why}
    steps:
      - uses: {checkout}
        with:
          ref: {branch}
          fetch-depth: 0
          persist-credentials: false
      - name: Install Shipline
        run: pipx install "shipline=={version}"
      - name: {name}
        env:
          ACTION: ${{{{ inputs.action }}}}
          ENVIRONMENT: ${{{{ inputs.environment }}}}
          VERSION: ${{{{ inputs.version }}}}
          PACKAGE: ${{{{ inputs.package }}}}
          REASON: ${{{{ inputs.reason }}}}
          SHIPLINE_POLICY: origin/{branch}
          SHIPLINE_STORE: ${{{{ secrets.SHIPLINE_STORE }}}}
          FORGE_TOKEN: ${{{{ github.token }}}}
          {variable}: ${{{{ github.token }}}}
        run: |
{script}"""
# The credential is read from the environment when git asks for it, and is written nowhere.
CREDENTIAL = """\
git config user.name "Shipline"
git config user.email "shipline@users.noreply.example.com"
git config credential.helper '!f() { echo username=x-access-token; echo "password=${FORGE_TOKEN}"; }; f'
"""
SCRIPT = """\
set -eu
{credential}set --
{option}if [ -n "$PACKAGE" ] && [ "$ACTION" != rollback ]; then set -- "$@" --package "$PACKAGE"; fi
case "$ACTION" in
  release)
    if [ -n "$VERSION" ]; then echo "A release is given no version: it follows from what has changed." >&2; exit 2; fi
    shipline release "$@" ;;
{cases}  *) echo "There is no such action." >&2; exit 2 ;;
esac
"""
CASES = """\
  deploy) shipline deploy --to "$ENVIRONMENT" "$@" -- ${VERSION:+"$VERSION"} ;;
  promote) shipline promote "$@" -- "$ENVIRONMENT" ;;
  rollback) shipline rollback ${VERSION:+--to "$VERSION"} --reason "$REASON" "$@" -- "$ENVIRONMENT" ;;
"""


def _actions(buttons: Buttons, variable: str) -> str:
    """One workflow: what would be done is said first, then it is done. Gitea knows no environments and no choice of
    rights, and passes over both."""
    names = ", ".join(buttons.environments)
    inputs = ENVIRONMENT_INPUT.format(names=names, first=buttons.environments[0]) if names else ""
    verbs = VERBS if names else VERBS[:1]
    return HEAD + DISPATCH.format(verbs=", ".join(verbs), environment=inputs) + "\n".join(_jobs(buttons, variable))


def _jobs(buttons: Buttons, variable: str) -> Iterator[str]:
    common = {"checkout": CHECKOUT, "branch": buttons.branch, "version": buttons.version}
    common["variable"] = variable
    cases = CASES if buttons.environments else ""
    told = SCRIPT.format(credential="", option="set -- --dry-run\n", cases=cases)
    yield JOB.format(
        job="foretell",
        name="Say what would be done",
        where="    environment: shipline-dry-run\n",
        minutes=30,
        right="read",
        why="it changes nothing",
        script=_indented(told),
        **common,
    )
    place = (
        "${{ inputs.action == 'release' && 'release' || inputs.environment }}" if buttons.environments else "release"
    )
    where = f"    needs: foretell\n    if: ${{{{ !inputs.dry_run }}}}\n    environment: {place}\n"
    yield JOB.format(
        job="act",
        name="Do it",
        where=where,
        minutes=360,
        right="write",
        why="a release pushes its commit and its tag, and is shown with its files",
        script=_indented(SCRIPT.format(credential=CREDENTIAL, option="", cases=cases)),
        **common,
    )


def _indented(script: str) -> str:
    return "".join(f"          {line}\n" for line in script.splitlines())


# --- GitLab --------------------------------------------------------------------------------------------------------

GITLAB_HEAD = """\
# Buttons of Shipline, written by `shipline init --buttons`; it is yours to change. Take it into .gitlab-ci.yml:
#   include: {{ local: .gitlab/shipline.yml }}
# What is typed in (the variables of a manual job) comes to the commands by the environment. Protect the environments to
# have somebody asked.

.shipline:
  stage: deploy
  image: python:3.13-slim
  resource_group: shipline
  interruptible: false
  variables:
    GIT_DEPTH: "0"
    SHIPLINE_POLICY: origin/{branch}
    WANTED_VERSION: ""
    WANTED_PACKAGE: ""
    REASON: ""
  before_script:
    - apt-get update -qq && apt-get install -qq -y git >/dev/null
    - pip install --quiet "shipline=={version}"
    - git config user.name "Shipline"
    - git config user.email "shipline@users.noreply.example.com"
    - git remote set-url --push origin "$CI_PROJECT_URL.git"
    - {credential}
  rules:
    - if: $CI_COMMIT_BRANCH == "{branch}"
      when: manual
      allow_failure: true
"""
GITLAB_JOB = """
{name}:
  extends: .shipline
  environment:
    name: {environment}
  script:
    - {script}
"""


def _gitlab(buttons: Buttons) -> str:
    """Jobs that somebody starts; each is tried in the same job before it is done."""
    helper = '!f() { echo username=oauth2; echo "password=${GITLAB_TOKEN}"; }; f'
    credential = json.dumps(f"git config credential.helper '{helper}'")
    parts = [GITLAB_HEAD.format(branch=buttons.branch, version=buttons.version, credential=credential)]
    package = '${WANTED_PACKAGE:+--package "$WANTED_PACKAGE"}'
    wanted = '"$WANTED_VERSION"'
    version = f"${{WANTED_VERSION:+{wanted}}}"
    back = f"${{WANTED_VERSION:+--to {wanted}}}"
    parts.append(_job("shipline release", "release", f"shipline release {package}", ""))
    for name in buttons.environments:
        parts.append(_job(f"shipline deploy {name}", name, f"shipline deploy --to {name} {package}", f"-- {version}"))
        if name in buttons.promotable:
            parts.append(_job(f"shipline promote {name}", name, f"shipline promote {package}", f"-- {name}"))
        command = f'shipline rollback {back} --reason "$REASON"'
        parts.append(_job(f"shipline rollback {name}", name, command, f"-- {name}"))
    return "".join(parts)


def _job(name: str, environment: str, command: str, rest: str) -> str:
    """Tried, then done. JSON is YAML, and its quotes hold whatever the command has."""
    script = json.dumps(f"{command} --dry-run {rest} && {command} {rest}")
    return GITLAB_JOB.format(name=name, environment=environment, script=script)
