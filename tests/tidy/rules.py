"""The house's rules on the tree, as pure functions over the text of files.

Each gives the breaches that it finds. Patterns are written so that they do not match their own source.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

MODULE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
BANNED_NAMES = frozenset({"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"})

# Top folders and suffixes by which a word in a document is taken for a path of this repository.
DOCUMENTED_FOLDERS = ("src", "tests", "docs", "examples", "bench", "scripts", ".ci")
DOCUMENTED_SUFFIXES = (".py", ".md", ".sh", ".html", ".css", ".js", ".lock")

CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PATH_WORD = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?")
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:(?:work|root|tmp|opt/wheels)(?=/)|(?:home|Users)/\w)")
REGISTRY_HOST = re.compile(
    r"(?<!docs\.)\bpypi\.org|\bpythonhosted\.org|\bregistry\.(?:npmjs|yarnpkg)\.\w+|\b(?:deb|security)\.debian\.org"
    r"|\b(?:archive|security)\.ubuntu\.com|\b(?:index|static)\.crates\.io|\bproxy\.golang\.org|\brubygems\.org"
)
REMINDER = re.compile(r"\b(?:TO(?:DO)|FIX(?:ME)|X{3})\b")
MOCK = re.compile(r"\bunittest\.mock\b|\bfrom\s+unittest\s+import\s+.*\bmock\b|\bmocker\b|\bMagic(?:Mock)\b")
BARE_NOQA = re.compile(r"#\s*noqa(?!:\s*[A-Z]+\d)", re.IGNORECASE)
BARE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[[a-z-])")
PINNED = re.compile(r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,._-]+\])?==[^\s;]+(?: ;[^\\]+)? \\$", re.IGNORECASE)
HASH = re.compile(r"^ {4}--hash=sha256:[0-9a-f]{64}(?: \\)?$")


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """A rule is broken at `path`, line `line` (1 for the whole file)."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        """Write it as editors read it."""
        return f"{self.path}:{self.line}: {self.what}"


Tree = Mapping[str, str]
"""Text files by their path from the top, with forward slashes."""


def long_modules(tree: Tree) -> Iterator[Breach]:
    """Find modules of more than 600 lines, the longest first."""
    lengths = sorted(((len(text.splitlines()), path) for path, text in tree.items()), reverse=True)
    for length, path in lengths:
        if length > MODULE_LINES_MAX:
            yield Breach(path, 1, f"{length} lines; a module has {MODULE_LINES_MAX} at most")


def long_functions(tree: Tree) -> Iterator[Breach]:
    """Find functions of more than 70 lines, signature and docstring included, the longest first."""
    lengths = sorted(((length, path, line, name) for path, line, name, length in functions(tree)), reverse=True)
    for length, path, line, name in lengths:
        if length > FUNCTION_LINES_MAX:
            yield Breach(path, line, f"{name} has {length} lines; a function has {FUNCTION_LINES_MAX} at most")


def functions(tree: Tree) -> Iterator[tuple[str, int, str, int]]:
    """List all functions: path, line, name, number of lines."""
    for path, text in tree.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.lineno, node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def banned_names(paths: Iterable[str]) -> Iterator[Breach]:
    """Find files and folders that are named for nothing."""
    for path in paths:
        for part in PurePosixPath(path).parts:
            name = part.partition(".")[0].lower()
            if name in BANNED_NAMES:
                yield Breach(path, 1, f"{part!r} says nothing about what is inside")


def dead_modules(tree: Tree, *, entry_points: Collection[str]) -> Iterator[Breach]:
    """Find modules under src/ that no module reaches.

    `tree` holds all Python files. An import, and a string that holds a module's full name (`package.module` or
    `package.module:attribute`, as lazy loading needs), count as reaching, as does an entry point of that form. Tests
    count for what is shipped for testing alone. `__init__` and `__main__` are reached by the interpreter, files in
    a `versions` folder by the migration tool, which runs them by path.
    """
    modules = {module_name(path): path for path in tree if path.startswith("src/")}
    reached = {value.partition(":")[0] for value in entry_points}
    for path, text in tree.items():
        names = set(imported_names(path, text))
        shipped = path.startswith("src/")
        reached |= {name for name in names if name != module_name(path) and (shipped or ".testing." in name)}
    for name, path in sorted(modules.items()):
        loaded_by_path = path.endswith(("/__init__.py", "/__main__.py", "/env.py")) or "/versions/" in path
        if not loaded_by_path and name not in reached:
            yield Breach(path, 1, "nothing imports this module")


def module_name(path: str) -> str:
    """Turn `src/a/b.py` into `a.b`, and a package's `__init__.py` into the package."""
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if parts[0] == "src":
        del parts[0]
    if parts[-1] == "__init__":
        del parts[-1]
    return ".".join(parts)


def imported_names(path: str, text: str) -> Iterator[str]:
    """Give every dotted name that may be a module: imported ones, and strings of that form."""
    package = module_name(path).split(".")
    if not path.endswith("/__init__.py"):
        del package[-1]
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else []
                source = ".".join([*above, *([module] if module else [])])
                yield source
                yield from (f"{source}.{alias.name}" for alias in names)
            case ast.Constant(value=str(value)) if re.fullmatch(r"\w+(?:\.\w+)+(?::\w+)?", value):
                yield value.partition(":")[0]


def missing_paths(documents: Tree, existing: Collection[str]) -> Iterator[Breach]:
    """Find paths in backticks that lead nowhere.

    `existing` holds all files and folders. A word with a slash is taken for a path if it starts with a folder of this
    repository, or ends like a file of it; the latter may also be given from src/shipline/ or its capabilities/.
    """
    for path, text in documents.items():
        for number, line in enumerate(text.splitlines(), start=1):
            for word in CODE_SPAN.findall(line):
                if _is_path(word) and not any(start + word.rstrip("/") in existing for start in _starts(word)):
                    yield Breach(path, number, f"`{word}` does not exist")


def _is_path(word: str) -> bool:
    if "/" not in word or not PATH_WORD.fullmatch(word):
        return False
    return word.partition("/")[0] in DOCUMENTED_FOLDERS or word.endswith(DOCUMENTED_SUFFIXES)


def _starts(word: str) -> tuple[str, ...]:
    if word.partition("/")[0] in DOCUMENTED_FOLDERS:
        return ("",)
    return ("", "src/shipline/", "src/shipline/capabilities/")


def matches(tree: Tree, pattern: re.Pattern[str], what: str) -> Iterator[Breach]:
    """Find the lines that hold `pattern`."""
    for path, text in tree.items():
        if pattern.search(text) is None:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            for found in pattern.findall(line)[:1]:
                yield Breach(path, number, f"{what}: {found}")


def blanket_ignores(tree: Tree) -> Iterator[Breach]:
    """Find comments that silence the linter or the type checker without saying about what."""
    for path, text in tree.items():
        if re.search("noqa|ignore", text, re.IGNORECASE) is None:
            continue
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (BARE_NOQA.search(token.string) or BARE_IGNORE.search(token.string)):
                yield Breach(path, token.start[0], f"say what is ignored: {token.string}")


def unlocked(path: str, text: str) -> Iterator[Breach]:
    """Find what a lock file must not have: a package without version or hash, an address, an option."""
    hashes = 1
    last = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if PINNED.match(line):
            if not hashes:
                yield Breach(path, last, "a package without a hash")
            hashes, last = 0, number
        elif HASH.match(line):
            hashes += 1
        elif not line.lstrip().startswith("#"):
            yield Breach(path, number, f"neither a pinned package nor a hash: {line[:80]}")
        if "://" in line:
            yield Breach(path, number, "an address")
    if not hashes or not last:
        yield Breach(path, last or 1, "a package without a hash" if last else "no package at all")
