"""`shipline gate`: policies asked about facts."""

from __future__ import annotations

import json
from pathlib import Path

import click

from shipline.apps.cli.wording import printable

FACTS_BYTES_MAX = 4 * 1024 * 1024


@click.group("gate")
def command() -> None:
    """Gates: what must hold before a release goes on."""


@command.command("eval")
@click.option("--policy", required=True, type=click.Path(path_type=Path), help="TOML with [[gate]] tables.")
@click.option("--facts", required=True, type=click.Path(path_type=Path), help="JSON: the tree of facts.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.verdict/1.")
def evaluate(policy: Path, facts: Path, *, as_json: bool) -> None:
    """Ask the gates of a policy about facts. Ends with 0 for PASS, with 3 for FAIL and UNKNOWN."""
    from shipline.capabilities.evidence import read_file
    from shipline.capabilities.gates import POLICY_BYTES_MAX, read_policy, verdict_document
    from shipline.capabilities.gates import evaluate as ask
    from shipline.domain.errors import ExitCode, InvalidValue
    from shipline.domain.strict_json import read_json
    from shipline.domain.verdict import Answer, combined
    from shipline.providers.clock.system import SystemClock

    gates = read_policy(read_file(policy, limit_bytes=POLICY_BYTES_MAX))
    tree = read_json(read_file(facts, limit_bytes=FACTS_BYTES_MAX), what=str(facts), limit_bytes=FACTS_BYTES_MAX)
    if not isinstance(tree, dict):
        raise InvalidValue(f"{facts} is no object of facts", todo='write for example {"tests": {"failed": 0}}')
    verdicts = ask(gates, tree, SystemClock().now_us())
    if as_json:
        click.echo(json.dumps(verdict_document(verdicts), indent=2, ensure_ascii=False))
    else:
        for verdict in verdicts:
            click.echo(f"{verdict.answer.value:<8}{verdict.gate}")
            for reason in verdict.reasons:
                click.echo(f"        {printable(reason)}")
    raise SystemExit(ExitCode.DONE if combined(verdicts) is Answer.PASS else ExitCode.REFUSED)
