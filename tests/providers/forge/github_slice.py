"""Cuts what Shipline uses out of GitHub's description of its interface: see `tests/data/github-openapi/README.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SLICE = Path(__file__).parents[2] / "data" / "github-openapi" / "slice.json"
REPOSITORY = "/repos/{owner}/{repo}"
# The verbs of each path that our client and the witnesses' tests use.
OPERATIONS = {
    "/user": "get",
    REPOSITORY: "get patch",
    f"{REPOSITORY}/rulesets": "get post",
    f"{REPOSITORY}/rulesets/{{ruleset_id}}": "get put delete",
    f"{REPOSITORY}/environments": "get",
    f"{REPOSITORY}/environments/{{environment_name}}": "put delete",
    "/users/{username}": "get",
    f"{REPOSITORY}/actions/secrets": "get",
    f"{REPOSITORY}/actions/secrets/public-key": "get",
    f"{REPOSITORY}/actions/secrets/{{secret_name}}": "put delete",
    f"{REPOSITORY}/actions/variables": "get post",
    f"{REPOSITORY}/actions/variables/{{name}}": "patch delete",
    f"{REPOSITORY}/installation": "get",
    f"{REPOSITORY}/branches/{{branch}}": "get",
    f"{REPOSITORY}/rules/branches/{{branch}}": "get",
    f"{REPOSITORY}/git/ref/{{ref}}": "get",
    f"{REPOSITORY}/git/tags/{{tag_sha}}": "get",
    f"{REPOSITORY}/git/refs": "post",
    f"{REPOSITORY}/git/refs/{{ref}}": "delete",
    f"{REPOSITORY}/commits/{{commit_sha}}/pulls": "get",
    f"{REPOSITORY}/commits/{{ref}}/statuses": "get",
    f"{REPOSITORY}/commits/{{ref}}/check-runs": "get",
    f"{REPOSITORY}/statuses/{{sha}}": "post",
    f"{REPOSITORY}/pulls": "get post",
    f"{REPOSITORY}/pulls/{{pull_number}}": "get patch",
    f"{REPOSITORY}/pulls/{{pull_number}}/merge": "put",
    f"{REPOSITORY}/pulls/{{pull_number}}/reviews": "get",
    f"{REPOSITORY}/pulls/{{pull_number}}/files": "get",
    f"{REPOSITORY}/pulls/{{pull_number}}/comments": "get post",
    f"{REPOSITORY}/pulls/{{pull_number}}/requested_reviewers": "post",
    f"{REPOSITORY}/releases": "get post",
    f"{REPOSITORY}/releases/latest": "get",
    f"{REPOSITORY}/releases/tags/{{tag}}": "get",
    f"{REPOSITORY}/releases/{{release_id}}": "get patch delete",
    f"{REPOSITORY}/releases/{{release_id}}/assets": "get post",
    f"{REPOSITORY}/releases/assets/{{asset_id}}": "delete",
    f"{REPOSITORY}/milestones": "get post",
    f"{REPOSITORY}/milestones/{{milestone_number}}": "get patch delete",
    f"{REPOSITORY}/issues": "get post",
    f"{REPOSITORY}/issues/{{issue_number}}": "get patch",
    f"{REPOSITORY}/issues/{{issue_number}}/comments": "get post",
    f"{REPOSITORY}/issues/{{issue_number}}/labels": "post",
    f"{REPOSITORY}/issues/{{issue_number}}/labels/{{name}}": "delete",
    f"{REPOSITORY}/issues/comments/{{comment_id}}": "get patch delete",
    f"{REPOSITORY}/issues/comments/{{comment_id}}/reactions": "post",
    f"{REPOSITORY}/collaborators/{{username}}/permission": "get",
    f"{REPOSITORY}/labels": "get post",
    f"{REPOSITORY}/labels/{{name}}": "get patch delete",
    f"{REPOSITORY}/hooks": "get post",
    f"{REPOSITORY}/hooks/{{hook_id}}": "get patch delete",
    f"{REPOSITORY}/hooks/{{hook_id}}/deliveries": "get",
    f"{REPOSITORY}/hooks/{{hook_id}}/deliveries/{{delivery_id}}/attempts": "post",
    "/app/installations/{installation_id}/access_tokens": "post",
}
# Prose, and what only pages of documentation need.
LEFT_OUT = frozenset(
    {"description", "summary", "examples", "example", "externalDocs", "x-github", "tags", "operationId"}
)
NAMES_BELOW = frozenset({"properties", "schemas", "parameters", "responses"})
REFUSED_FROM = 400


def sliced(document: dict[str, Any]) -> dict[str, Any]:
    """The operations, and all that they refer to."""
    paths: dict[str, Any] = {}
    for path, verbs in OPERATIONS.items():
        for verb in verbs.split():
            operation = dict(document["paths"][path][verb])
            answers = operation["responses"].items()
            operation["responses"] = {status: one for status, one in answers if int(status) < REFUSED_FROM}
            paths.setdefault(path, {})[verb] = _plain(operation)
    components: dict[str, dict[str, Any]] = {}
    waiting, known = list(_references(paths)), set()
    while waiting:
        reference = waiting.pop()
        if reference not in known:
            known.add(reference)
            kind, name = reference.removeprefix("#/components/").split("/")
            found = _plain(document["components"][kind][name])
            components.setdefault(kind, {})[name] = found
            waiting += _references(found)
    return {"openapi": document["openapi"], "paths": paths, "components": components}


def _plain(value: Any, *, names: bool = False) -> Any:
    """Without what is left out; `names`: the keys are names that GitHub gave, and all of them stay."""
    if isinstance(value, dict):
        kept = (key for key in value if names or key not in LEFT_OUT)
        return {key: _plain(value[key], names=key in NAMES_BELOW and not names) for key in kept}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _references(one)


if __name__ == "__main__":
    document = json.loads(Path(sys.argv[1]).read_bytes())
    SLICE.write_text(json.dumps(sliced(document), sort_keys=True, indent=1) + "\n", encoding="utf-8")
