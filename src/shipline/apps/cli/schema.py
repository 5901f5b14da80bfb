"""`shipline schema`: what editors and other tools need to know about shipline.toml."""

from __future__ import annotations

import json

import click


@click.command(name="schema")
def command() -> None:
    """Print the JSON Schema (draft 2020-12) of shipline.toml, with the tables of the installed providers."""
    from shipline.configuration.schema import settings_schema

    click.echo(json.dumps(settings_schema(), indent=2, ensure_ascii=False))
