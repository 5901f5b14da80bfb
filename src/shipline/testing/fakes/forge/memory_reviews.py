"""The way of a pull request of the forge in memory."""

from __future__ import annotations

from collections.abc import Iterator

from shipline.domain.errors import ConflictError
from shipline.ports.forge import Known, PullRequest, PullState, bears, marked
from shipline.ports.forge.reviews import (
    ChangedFile,
    FileChange,
    MergeMethod,
    Readiness,
    Review,
    Suggestion,
    closing_numbers,
)
from shipline.testing.fakes.forge.memory_access import MemoryAccess
from shipline.testing.fakes.forge.pulls import LineNote, Pull
from shipline.testing.fakes.forge.refusals import Refused

LETTERS = {"A": FileChange.ADDED, "D": FileChange.REMOVED}


class MemoryReviews(MemoryAccess):
    """The reviews' nouns over the model."""

    def each_pull_request(
        self, *, state: PullState | None = None, updated_since_us: int | None = None
    ) -> Iterator[PullRequest]:
        """The latest change first."""
        self._reach()
        found = sorted(self.model.pulls.values(), key=lambda pull: -pull.updated_us)
        yield from [
            self._pull(pull)
            for pull in found
            if state in (None, pull.state) and pull.updated_us >= (updated_since_us or 0)
        ]

    def reviews(self, number: int) -> tuple[Review, ...]:
        """What counts."""
        self._reach()
        return self.model.opinions(self.model.pull(number))

    def readiness(self, number: int) -> Readiness:
        """The model's."""
        self._reach()
        pull = self.model.pull(number)
        why = self.model.blocked(pull)
        return Readiness(self.model.head_of(pull), Known.NO if why else Known.YES, (f"it says {why}",) if why else ())

    def merge_pull_request(self, number: int, *, head: str, method: MergeMethod) -> PullRequest:
        """Once."""
        self._reach()
        pull = self.model.pull(number)
        if pull.state is PullState.MERGED:
            return self._pull(pull)
        self._write()
        try:
            self.model.merge_on_request(number, head, method)
        except Refused as refused:
            raise ConflictError(str(refused)) from None
        self._answer()
        return self._pull(pull)

    def request_reviewers(self, number: int, names: tuple[str, ...]) -> None:
        """These, too."""
        self._write()
        try:
            self.model.ask_reviewers(number, list(names))
        except Refused as refused:
            raise ConflictError(str(refused)) from None
        self._answer()

    def requested_reviewers(self, number: int) -> tuple[str, ...]:
        """The model's."""
        self._reach()
        return tuple(sorted(self.model.pull(number).reviewers))

    def pulls_opened_by(self, author: str, *, most: int) -> tuple[int, ...]:
        """The model's."""
        self._reach()
        return tuple(sorted(pull.number for pull in self.model.pulls.values() if pull.author == author)[:most])

    def takes_suggestions(self) -> bool:
        """It does."""
        return True

    def suggest(self, number: int, suggestion: Suggestion) -> None:
        """Once."""
        self._reach()
        if any(bears(one.body, suggestion.marker) for one in self.model.pull(number).line_notes):
            return
        self._write()
        body = marked(f"{suggestion.text}\n\n```suggestion\n{suggestion.replacement}\n```", suggestion.marker)
        place = (suggestion.commit, suggestion.path, suggestion.line, suggestion.last_line)
        try:
            self.model.note_line(number, LineNote(0, self.model.account, *place, body))
        except Refused as refused:
            raise ConflictError(str(refused)) from None
        self._answer()

    def changed_files(self, number: int) -> tuple[ChangedFile, ...]:
        """By path."""
        self._reach()
        changes = self.model.changes_of(self.model.pull(number))
        files = [
            ChangedFile(one.path, LETTERS.get(one.letter, FileChange.MODIFIED), None, one.added, one.removed)
            for one in changes
        ]
        return tuple(sorted(files, key=lambda file: file.path))

    def closes(self, number: int) -> tuple[int, ...]:
        """By the keywords in its body."""
        self._reach()
        return closing_numbers(self.model.pull(number).body)

    def _pull(self, pull: Pull) -> PullRequest:
        return PullRequest(
            number=pull.number,
            title=pull.title,
            body=pull.body,
            head=pull.head,
            base=pull.base,
            state=pull.state,
            url=f"http://127.0.0.1/pulls/{pull.number}",
            merge_commit=pull.merge_commit,
            labels=tuple(pull.labels),
            author=pull.author,
            draft=pull.draft,
            fork=pull.fork,
            head_commit=self.model.head_of(pull),
            updated_us=pull.updated_us,
        )
