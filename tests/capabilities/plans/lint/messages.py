"""Commit messages for property tests: made of what such messages are made of, and of what breaks their readers."""

from __future__ import annotations

from hypothesis import strategies as st

TYPES = ("feat", "fix", "docs", "chore", "Feat", "FIX", "feature", "wip", "", "build", "ci")
SCOPES = ("", "(core)", "(a/b)", "(a, b)", "()", "(Core)", "(a)(b)", "(a): b", "(kebab-case)", "[x]", "(é)")
MARKS = (": ", ":", "!: ", " : ", ":  ", "!:", "")
SUBJECTS = (
    "add a thing",
    "Add a thing",
    "ADD",
    "add a thing.",
    "add...",
    "`Quoted` thing",
    "'a' Thing",
    "1 thing",
    "v2",
    "élan",
    "Élan",
    "日本語",
    "",
    " ",
    "x" * 95,
    "x" * 88,
    "add #12",
    "add (#12)",
    "add: more",
    "a) b): c",
    "ends with blank ",
    "tab\there",
    "FooBar",
    "API of it",
)
LINES = (
    "",
    "",
    "A line of a body.",
    "Closes #12",
    "closes: #12",
    "Refs: #12, #13",
    "fix the thing in #12",
    "see #12 and fix it",
    "see https://example.com/#12",
    "BREAKING CHANGE: all",
    "BREAKING-CHANGE: all",
    "breaking change of it",
    " * BREAKING CHANGE: in a list",
    "BREAKING CHANGE",
    "Signed-off-by: A B <a@example.com>",
    "x" * 101,
    "https://example.com/" + "x" * 100,
    "word " * 25,
    "#12",
    "a#b",
    "#!",
    " ",
    "Merge branch 'x'",
    "é" * 60,
    "é" * 101,
    "# a comment",
    "#",
    "#\tmodified:   a.txt",
    "# " + "x" * 120,
    "# ------------------------ >8 ------------------------",
    "; another comment",
    "owner/name#12",
    "prefix #12",
    "closed-loop #12",
)
WHOLE = (
    "Merge branch 'a' into b",
    "Merge pull request #1 from a/b",
    "Merged in a (pull request #1)",
    "Merged PR 12: a",
    "Merge remote-tracking branch 'origin/a'",
    'Revert "feat: a"',
    "revert: a",
    "Reapply it",
    "fixup! feat: a",
    "squash! A",
    "amend! A",
    "1.2.3",
    "v1.2.3-rc.1+b",
    "chore: 1.2.3",
    "chore(release): v1.2.3 [skip ci]",
    "1.2",
    "01.2.3",
    "Automatic merge of a",
    "Auto-merged a into b",
    "Merge a into b",
    "Mergers and acquisitions",
)

texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
headers = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        *(st.sampled_from(each) for each in (TYPES, SCOPES, MARKS, SUBJECTS)),
    ),
    st.builds("{}: {}".format, st.sampled_from(("feat", "fix")), st.sampled_from(SUBJECTS)),
    st.sampled_from(WHOLE),
    texts,
)
messages = st.builds(
    lambda header, lines, end: "\n".join([header, *lines]) + end,
    headers,
    st.lists(st.one_of(st.sampled_from(LINES), texts), max_size=6),
    st.sampled_from(("", "\n", "\n\n")),
)
