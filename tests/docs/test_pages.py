"""Links lead somewhere, and examples are what the program would take."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from shipline.capabilities.gates import read_framework, read_gates
from shipline.capabilities.rollouts import AnalysisSettings
from shipline.configuration import BuildSettings, Settings, load_settings, read_table
from shipline.configuration.check import read_check
from shipline.configuration.providers import read_listed, read_registry
from tests.docs import sources
from tests.docs.markdown import ROOT, Page, pages

PAGES = pages()
# A table of pyproject.toml at the top tells such an example from one of shipline.toml.
PYPROJECT = frozenset({"build-system", "project", "tool"})
EXAMPLES = [
    pytest.param(page, text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(page.fenced("toml"), start=1)
]


def test_there_are_pages_and_examples() -> None:
    """Or the tests below would see nothing."""
    assert len(PAGES) > 20
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_what_is_there(page: Page) -> None:
    """To a file, and to a heading of it where one is named."""
    known = {each.path: each for each in PAGES}
    broken = []
    for link in page.links():
        name, _, fragment = link.partition("#")
        target = (page.path.parent / name).resolve() if name else page.path
        if not target.exists() or (fragment and fragment not in known[target].anchors()):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_can_be_found_from_the_readme(page: Page) -> None:
    """By following links."""
    known = {each.path: each for each in PAGES}
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in reached and path in known:
            reached.add(path)
            waiting += [(path.parent / link.partition("#")[0]).resolve() for link in known[path].links()]
    assert page.path in reached or page.name == "CONTRIBUTING.md"


@pytest.mark.parametrize(("page", "text"), EXAMPLES)
def test_examples_of_settings_load_strictly(page: Page, text: str, tmp_path: Path) -> None:
    """With the tables of providers, the analysis and gates, which their owners check."""
    document = tomllib.loads(text)
    if PYPROJECT & set(document):
        return
    if "control" in document:
        read_framework(text.encode(), where=page.name)
        return
    (tmp_path / "shipline.toml").write_text(text)
    settings = load_settings(tmp_path)
    if settings.gate:
        read_gates(document["gate"])
    _check_tables(settings, page.name)


def _check_tables(settings: Settings, where: str) -> None:
    for table in settings.registry:
        read_registry(table)
    for table in settings.build:
        read_listed("builder", BuildSettings, table)
    given = [("signer", settings.signer, "file")]
    for environment in settings.environment:
        given += [("target", environment.target, "process"), ("traffic", environment.traffic, "haproxy")]
        read_table(AnalysisSettings, environment.canary, where)
        for check in environment.check:
            read_check(check)
    for port, table, usual in given:
        name = table.get("provider", usual)
        kind = sources.providers()[port, name]
        own = {key: value for key, value in table.items() if key != "provider"}
        if own:
            read_table(kind, own, where)
