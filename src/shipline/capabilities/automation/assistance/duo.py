"""The file in which a project tells GitLab Duo what to look at. Pure.

Source: docs.gitlab.com/user/duo_agent_platform/customize/review_instructions (2026).
"""

from __future__ import annotations

from collections.abc import Mapping

DUO_FILE = ".gitlab/duo/mr-review-instructions.yaml"


def duo_instructions(instructions: Mapping[str, str]) -> bytes:
    """The file: an entry for each glob, named by it."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - it ships no types; who writes no such file needs none

    listed = [{"name": glob, "fileFilters": [glob], "instructions": text} for glob, text in instructions.items()]
    text: str = yaml.safe_dump({"instructions": listed}, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()
