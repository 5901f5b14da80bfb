"""CODEOWNERS as each forge reads it; what a forge would pass over is an error."""

from __future__ import annotations

import time

import pytest

from shipline.capabilities.gates import missing_needs, owned
from shipline.domain.errors import InvalidValue


def owners_by_path(rules: str, text: str, *paths: str) -> dict[str, list[tuple[str, ...]]]:
    """Whose approval each path alone needs."""
    return {path: [need.owners for need in owned(text.encode(), rules, (path,)).needs] for path in paths}


# The example of docs.github.com, "About code owners", shortened.
GITHUB = """
# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/scripts/ @doctocat @octocat
**/logs @logger
/apps/github
a\\ b/?.md @blank
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README", ("@global-owner1", "@global-owner2")),
        ("lib/x.js", ("@js-owner",)),
        ("build/logs/a/b", ("@logger",)),
        ("docs/getting-started.md", ("docs@example.com",)),
        ("docs/build-app/troubleshooting.md", ("@global-owner1", "@global-owner2")),
        ("one/apps/two/x", ("@octocat",)),
        ("apps/github", None),
        ("apps/github/x", None),
        ("deeply/nested/logs", ("@logger",)),
        ("scripts/a/b.js", ("@doctocat", "@octocat")),
        ("sub/scripts/b", ("@global-owner1", "@global-owner2")),
        ("a b/c.md", ("@blank",)),
        ("a b/cd.md", ("@global-owner1", "@global-owner2")),
        ("x.JS", ("@global-owner1", "@global-owner2")),
    ],
)
def test_on_github_the_last_line_that_fits_counts(path: str, expected: tuple[str, ...] | None) -> None:
    assert owners_by_path("github", GITHUB, path)[path] == ([] if expected is None else [expected])


# Made of the examples of docs.gitlab.com/user/project/codeowners/reference and /advanced.
GITLAB = """
* @general
/docs/ @all-docs
/docs/* @root-docs
/docs/**/*.md @markdown-docs
\\#file.rb @pound
path\\ with\\ space/ @space
/x[0-9].c @@maintainer
[Documentation][2] @docs-team @ann
internal/README.md
*.txt
!secret.txt
[documentation]
*.rst @rst
^[Database] @db
*.sql
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b", [("@general",)]),
        ("docs/x", [("@root-docs",)]),
        ("docs/a/x", [("@all-docs",)]),
        ("docs/x.md", [("@markdown-docs",)]),
        ("docs/a/b/x.md", [("@markdown-docs",)]),
        ("a/#file.rb", [("@pound",)]),
        ("a/path with space/b/c", [("@space",)]),
        ("x7.c", [("@@maintainer",)]),
        ("some/internal/README.md", [("@general",), ("@docs-team", "@ann")]),
        ("a.txt", [("@general",), ("@docs-team", "@ann")]),
        ("secret.txt", [("@general",)]),
        ("a.rst", [("@general",), ("@rst",)]),
        ("a.sql", [("@general",)]),
    ],
)
def test_on_gitlab_each_section_asks(path: str, expected: list[tuple[str, ...]]) -> None:
    assert owners_by_path("gitlab", GITLAB, path)[path] == expected


def test_a_section_of_gitlab_may_want_several_people() -> None:
    (_, need) = owned(GITLAB.encode(), "gitlab", ("a.txt",)).needs
    assert (need.count, need.why, need.path) == (2, "*.txt in [Documentation]", "a.txt")
    assert missing_needs((need,), {"ann": ("@Ann", "@docs-team")}) == (need,), "one person in two ways is one"
    assert missing_needs((need,), {"ann": ("@Ann",), "ben": ("@docs-team",)}) == ()


# The example of docs.gitea.com/usage/code-owners.
GITEA = r"""
.*\\.go @user1 @user2 # This is comment
frontend/src/.*\\.js @org1/team1 @org1/team2 @user3
!frontend/src/.* @org1/team3 @user5
docs/(aws|google|azure)/[^/]*\\.(md|txt) @user8 @org1/team4
path\ with\ space @blank
"""


def test_on_gitea_every_line_that_fits_counts() -> None:
    found = owners_by_path("gitea", GITEA, "a/x.go", "frontend/src/a.js", "docs/aws/x.md", "path with space")
    others = ("@org1/team3", "@user5")
    assert found == {
        "a/x.go": [("@user1", "@user2"), others],
        "frontend/src/a.js": [("@org1/team1", "@org1/team2", "@user3")],
        "docs/aws/x.md": [others, ("@user8", "@org1/team4")],
        "path with space": [others, ("@blank",)],
    }


@pytest.mark.parametrize(
    ("rules", "text", "words"),
    [
        ("github", "*.js @a\n!*.md @b", "line 2 of CODEOWNERS"),
        ("github", "x[0-9] @a", "line 1"),
        ("github", "*.js ann", "'ann' is no account, team or mail address"),
        ("github", "/ @a", "fits no file"),
        ("github", "**/a/**/b/**/c/**/d @a", "more than 3 times"),
        ("gitlab", "[Docs\n*.md @a", "is no heading of a section"),
        ("gitlab", "*.md", "has no owner, nor has its section"),
        ("gitlab", "*.md @a # with a word", "'#' is no account"),
        ("gitlab", "!a @b", "has no owners"),
        ("gitea", "(a @a", "no regular expression"),
        ("gitea", "(?=a).* @a", "no regular expression"),
        ("gitea", ".*", "has no owner"),
        ("gitea", ".* ann@example.org", "is no account"),
    ],
)
def test_what_a_forge_would_pass_over_is_an_error(rules: str, text: str, words: str) -> None:
    with pytest.raises(InvalidValue) as error:
        owned(text.encode(), rules, ("a.md",))
    assert words in error.value.what


@pytest.mark.parametrize("content", [b"\xff\xfe", b"# \n" * 20_001, b"#" * 3_000_001])
def test_a_file_that_is_no_text_or_too_large_is_an_error(content: bytes) -> None:
    with pytest.raises(InvalidValue):
        owned(content, "github", ("a",))


@pytest.mark.parametrize("rules", ["github", "gitlab", "gitea"])
def test_no_pattern_takes_long(rules: str) -> None:
    """One that an engine that goes back would try for ever."""
    pattern = "(a*)*b" if rules == "gitea" else "*a" * 100 + "b"
    begun = time.perf_counter()
    assert owned(f"{pattern} @a".encode(), rules, ("a" * 4000,)).needs == ()
    assert time.perf_counter() - begun < 1
