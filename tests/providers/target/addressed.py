"""A platform for tests that tells addresses: copies are entries of a file, and leave only if they are named."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PLATFORM = Path("platform.json")


def main() -> None:
    """Do what is asked on standard input; versions that begin with 1.2 never live."""
    asked = json.load(sys.stdin)
    groups: dict[str, Any] = json.loads(PLATFORM.read_text()) if PLATFORM.exists() else {}
    if asked["action"] == "prepare" and asked["digests"][0].endswith("0" * 64):
        sys.exit("there is nothing with this digest")
    if asked["action"] == "run":
        _run(groups, asked["group"], asked["leaving"])
    elif asked["action"] == "stop":
        groups.pop(asked["group_id"], None)
    elif asked["action"] == "groups":
        found = [_told(group) for group in groups.values()]
        sys.stdout.write(json.dumps({"schema": "shipline.target-groups/1", "groups": found}))
    PLATFORM.write_text(json.dumps(groups))


def _run(groups: dict[str, Any], group: dict[str, Any], leaving: list[str]) -> None:
    if group["version"].startswith("9"):
        sys.exit("it is not prepared")
    known = groups.setdefault(group["id"], {"copies": [], "next": 0})
    known["group"] = group
    known["copies"] = [copy for copy in known["copies"] if copy not in leaving]
    while len(known["copies"]) < group["size"] and not group["version"].startswith("1.2"):
        known["next"] += 1
        known["copies"].append(f"copy-{known['next']}")


def _told(known: dict[str, Any]) -> dict[str, Any]:
    endpoints = [
        {"id": copy, "address": f"10.0.{sum(known['group']['id'].encode()) % 250}.{number}:80"}
        for copy in known["copies"]
        for number in [int(copy.removeprefix("copy-"))]
    ]
    told = {"group": known["group"], "ready": len(endpoints), "endpoints": endpoints}
    missing = len(endpoints) < known["group"]["size"]
    return {**told, "trouble": "it is broken", "hopeless": True} if missing else told


if __name__ == "__main__":
    main()
