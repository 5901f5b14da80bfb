"""Reading the documentation as its readers do: headings with what stands under them, tables, links and examples."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL
)
HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$", re.MULTILINE)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
CODE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path from the top, as messages call it."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def prose(self) -> str:
        """The text without fenced blocks."""
        return FENCE.sub("", self.text)

    def sections(self) -> dict[str, str]:
        """What stands under each heading, up to the next heading of any level; code in fences is no heading."""
        prose = self.prose
        found = list(HEADING.finditer(prose))
        ends = [heading.start() for heading in found[1:]] + [len(prose)]
        return {heading[2]: prose[heading.end() : end] for heading, end in zip(found, ends, strict=True)}

    def anchors(self) -> set[str]:
        """The fragments that lead to its headings, as forges make them."""
        return {anchor_of(heading[2]) for heading in HEADING.finditer(self.prose)}

    def links(self) -> Iterator[str]:
        """The targets of its links and images, but for addresses elsewhere."""
        for target in LINK.findall(CODE.sub("", self.prose)):
            if not re.match(r"[a-z]+:", target):
                yield target

    def fenced(self, language: str) -> Iterator[str]:
        """The fenced blocks of a language."""
        for block in FENCE.finditer(self.text):
            if block["language"] == language:
                yield block["text"]


def anchor_of(heading: str) -> str:
    """A heading's fragment: lower case, spaces as hyphens, without punctuation."""
    kept = (char for char in heading.lower() if char in " -_" or unicodedata.category(char)[0] in "LN")
    return "".join(kept).replace(" ", "-")


def row_of(section: str, name: str) -> str | None:
    """The table row whose first cell is the code span `name`, None where there is none."""
    return next((line for line in section.splitlines() if line.startswith(f"| `{name}` |")), None)


def pages() -> tuple[Page, ...]:
    """Every page that users read."""
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return tuple(Page(path, path.read_text("utf-8")) for path in paths if path.is_file())


def reference(name: str) -> Page:
    """A page of the reference."""
    path = ROOT / "docs" / "reference" / f"{name}.md"
    return Page(path, path.read_text("utf-8"))
