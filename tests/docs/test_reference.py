"""The reference names everything that there is, with its default, and nothing that there is not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from shipline.apps.cli.main import COMMANDS
from shipline.bootstrap.forge_needs import WORKS
from shipline.bootstrap.housekeeping import NAMES
from shipline.capabilities.evidence.reports import known_formats
from shipline.capabilities.gates import KNOWN, Fact
from shipline.capabilities.plans import lint_rules_schema, read_lint_rules
from shipline.configuration.providers import read_provider
from shipline.domain.errors import ExitCode
from shipline.domain.event_kinds import EVENT_KINDS
from shipline.ports.provider import ProviderContext
from shipline.testing.fakes.clock import FakeClock
from tests.docs import sources
from tests.docs.markdown import reference, row_of


def test_every_command_has_its_heading() -> None:
    """Also one that this version cannot run yet."""
    headings = reference("commands").sections()
    assert [name for name in COMMANDS if f"`shipline {name}`" not in headings] == []


@pytest.mark.parametrize(("words", "command"), [pytest.param(*each, id=each[0]) for each in sources.commands()])
def test_every_option_stands_under_its_command(words: str, command: click.Command) -> None:
    """Subcommands have headings of their own."""
    section = reference("commands").sections()[f"`shipline {words}`"]
    assert [name for name in sources.options(command) if f"`{name}" not in section] == []


@pytest.mark.parametrize(("heading", "table"), list(sources.TABLES.items()), ids=list(sources.TABLES))
def test_every_setting_stands_in_its_table_with_its_default(heading: str, table: type) -> None:
    """And no table names a setting that there is not."""
    _check_table(reference("settings").sections()[heading], table)


@pytest.mark.parametrize(
    ("port", "name"), sorted(key for key in sources.providers() if key[0] not in sources.UNSETTABLE)
)
def test_every_provider_has_its_settings(port: str, name: str) -> None:
    """The same for the tables that providers check themselves."""
    section = reference("settings").sections()[f"Provider `{name}` of the {port} port"]
    _check_table(section, sources.providers()[port, name])


def test_every_lint_rule_stands_in_the_reference_as_it_is_set() -> None:
    """With its default, and what it asks for."""
    section = reference("lint-rules").sections()["Lint rules"]
    rules = {rule.name: rule for rule in read_lint_rules({})}
    for name, about in lint_rules_schema()["properties"].items():
        row = row_of(section, name)
        assert row is not None, f"{name} is missing"
        shown = row.split("|")[2].strip().strip("`")
        assert shown == "off" if name not in rules else json.loads(shown)[0] == rules[name].level
        assert about["description"] in row


def _check_table(section: str, table: type) -> None:
    for name, default in sources.defaults(table).items():
        row = row_of(section, name)
        assert row is not None, f"{name} is missing"
        shown = row.split("|")[2].strip().strip("`")
        assert shown == default, f"the default of {name} is {default}, not {shown}"
    named = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert sorted(set(named) - set(sources.defaults(table))) == []


@pytest.mark.parametrize("port", sorted({port for port, _ in sources.providers()}))
def test_every_port_is_named_for_those_who_write_providers(port: str) -> None:
    """Where its entry points are listed."""
    text = (reference("settings").path.parents[1] / "how-to" / "write-a-provider.md").read_text("utf-8")
    assert f"`shipline.{port}`" in text


def test_every_environment_variable_is_named() -> None:
    """Those that begin with SHIPLINE_."""
    sections = reference("environment-variables").sections()
    assert {f"`{name}`" for name in sources.environment_variables()} - set(sections) == set()


@pytest.mark.parametrize("fact", list(KNOWN.values()), ids=lambda fact: fact.path)
def test_every_gate_fact_is_named_with_its_type(fact: Fact) -> None:
    """One row a fact."""
    row = row_of(reference("facts").text, fact.path)
    assert row is not None
    assert f"| {fact.type.value} |" in row


def test_every_report_format_stands_in_its_table_with_its_limit() -> None:
    """By the name that `--format` takes, with its kind."""
    table = reference("reports").sections()["Reports that are read"]
    rows = {form.name: f"| {form.kind.value} | " for form in known_formats()}
    limits = {form.name: f"| {form.limit_bytes // (1024 * 1024)} MiB |" for form in known_formats()}
    lines = {name: next((line for line in table.splitlines() if line.startswith(f"| `{name}` |")), "") for name in rows}
    assert [name for name, line in lines.items() if rows[name] not in line or limits[name] not in line] == []


def test_the_events_are_those_that_are_appended() -> None:
    """None is missing, none is too much."""
    named = {heading.strip("`") for heading in reference("events").sections() if heading.startswith("`")}
    assert named == sources.event_kinds()
    assert tuple(sorted(named)) == EVENT_KINDS


@pytest.mark.parametrize("code", list(ExitCode), ids=lambda code: code.name)
def test_every_exit_code_is_explained(code: ExitCode) -> None:
    """In the reference of the commands."""
    assert row_of(reference("commands").sections()["Exit codes"], str(code.value)) is not None


def test_every_json_document_is_named() -> None:
    """By its schema."""
    text = reference("commands").text
    assert sorted(name for name in sources.schemas() if f"`{name}`" not in text) == []


def test_every_route_of_the_interface_is_named() -> None:
    """With its method; none is missing, none is too much."""
    named = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`]+)`", reference("api").text))
    assert named == sources.routes()


def test_what_each_work_on_a_forge_takes_stands_in_the_reference() -> None:
    """In its words, and nothing that is not done; each housekeeping that can be switched on is one of them."""
    section = reference("forges").sections()["What a token must be allowed"]
    _, _, table = section.partition("| work | takes |\n|---|---|\n")
    rows = [row.strip("| ").split(" | ") for row in table.partition("\n\n")[0].splitlines()]
    assert rows == [[work.name, "; ".join(work.needs)] for work in WORKS]
    kept = [work.name.removeprefix("housekeeping: ") for work in WORKS if work.name.startswith("housekeeping: ")]
    assert kept == list(NAMES)


@pytest.mark.parametrize(("kind", "heading"), [("github", "GitHub"), ("gitlab", "GitLab"), ("gitea", "Gitea, Forgejo")])
def test_what_a_forge_lacks_stands_in_the_reference(kind: str, heading: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentence by sentence, as the doctor prints them."""
    monkeypatch.setenv("FORGE_TOKEN", "of-nobody")
    context = ProviderContext(Path(), Path(), FakeClock())
    table = {"provider": kind, "repository": "a/b", "api_url": "http://127.0.0.1:9", "token_env": "FORGE_TOKEN"}
    provider, settings = read_provider("forge", table, default="")
    lines = reference("forges").sections()[heading].strip().splitlines()
    assert [line.removeprefix("- ") for line in lines] == list(provider(settings, context).lacks())
