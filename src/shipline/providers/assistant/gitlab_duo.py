"""GitLab Duo: it reviews on GitLab by itself once it is asked to, by being made a reviewer.

What it is to look at stands in a file of the repository (`duo_instructions`). Its answer is GitLab's, and is not read
here: a review that failed can look like one that found nothing.

Source: docs.gitlab.com/user/duo_agent_platform/flows/foundational_flows/code_review (2026).
"""

from __future__ import annotations

from dataclasses import dataclass

from shipline.domain.errors import RefusedError
from shipline.ports.assistant import Question, Said
from shipline.ports.provider import ProviderContext


@dataclass(frozen=True, slots=True)
class GitLabDuoSettings:
    """`account` is Duo's login on this GitLab."""

    account: str = "GitLabDuo"


class GitLabDuo:
    """The Assistant port for an assistant that is a reviewer."""

    api_version = 1
    Settings = GitLabDuoSettings
    name = "GitLab Duo"

    def __init__(self, settings: GitLabDuoSettings, _context: ProviderContext) -> None:
        self._settings = settings

    @property
    def reviewer(self) -> str:
        """Its account."""
        return self._settings.account

    def ask(self, _question: Question) -> Said:
        """Never: see the port."""
        raise RefusedError("GitLab Duo takes no questions", todo="request its review, as `shipline assist` does")
