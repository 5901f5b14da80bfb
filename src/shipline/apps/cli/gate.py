"""`shipline gate`: gates explained, and asked about facts or about what is known of a release."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import json_text, moment, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipline.bootstrap import Application
    from shipline.capabilities.gates import Explanation
    from shipline.domain.gate import Gate
    from shipline.domain.release import Release
    from shipline.domain.verdict import Verdict

FACTS_BYTES_MAX = 4 * 1024 * 1024
VERSION = click.option("--release", "version", metavar="VERSION", help="Which release; default: the newest.")
PACKAGE = click.option("--package", metavar="NAME", help="Which package's.")


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
        _show(verdicts)
    raise SystemExit(ExitCode.DONE if combined(verdicts) is Answer.PASS else ExitCode.REFUSED)


def _show(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        click.echo(printable(f"{verdict.answer.value:<8}{verdict.gate}"))
        for reason in verdict.reasons:
            click.echo(f"        {printable(reason)}")


@command.command("check")
@VERSION
@PACKAGE
@click.option("--stage", metavar="STAGE", default="release", show_default=True, help="`release`, or an environment.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.verdict/1.")
@click.pass_obj
def check(application: Application, *, version: str | None, package: str | None, stage: str, as_json: bool) -> int:
    """Ask the gates of a stage now, about what is known of a release; nothing is recorded.

    Exit codes: 0 all PASS, 3 FAIL or UNKNOWN.
    """
    from shipline.apps.cli.approve import check_stage
    from shipline.capabilities.gates import verdict_document
    from shipline.capabilities.releases import ask_gates
    from shipline.domain.errors import ExitCode, UnknownName
    from shipline.domain.verdict import Answer, combined

    application.only_read(whole=False)
    check_stage(application, stage)
    release = _release(application, version, package)
    if release is None:
        raise UnknownName(
            "there is no release yet that gates could be asked about",
            todo="`shipline gate explain` shows the gates, `shipline release` begins a release and asks them",
        )
    verdicts = ask_gates(application.release_ground, release, stage, application.clock.now_us())
    answer = combined(verdicts)
    if as_json:
        about = {"release": {"package": release.package, "version": release.version}, "stage": stage}
        click.echo(json_text(verdict_document(verdicts) | about))
    else:
        _show(verdicts)
        words = answer.value if verdicts else "no gate is asked"
        click.echo(printable(f"{release.package} {release.version}, {stage}: {words}; nothing is recorded"), err=True)
    return int(ExitCode.DONE if answer is Answer.PASS else ExitCode.REFUSED)


@command.command("explain")
@click.argument("name", metavar="[GATE]", required=False)
@click.option("--stage", metavar="STAGE", help="Only gates of this stage: `release`, or an environment.")
@VERSION
@PACKAGE
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.gates/1.")
@click.pass_obj
def explain(  # noqa: PLR0913 - one argument an option
    application: Application,
    *,
    name: str | None,
    stage: str | None,
    version: str | None,
    package: str | None,
    as_json: bool,
) -> None:
    """Show where each gate comes from, what it asks, what supplies that, and what would make it pass."""
    from shipline.apps.cli.approve import check_stage
    from shipline.capabilities.gates import explanations_document
    from shipline.capabilities.releases import explain_gates

    application.only_read(whole=False)
    if stage is not None:
        check_stage(application, stage)
    gates, policy = _chosen(application, name, stage), application.policy
    release = _release(application, version, package)
    told = explain_gates(application.store, gates, policy.origins, release)
    if as_json:
        about = None if release is None else (release.package, release.version)
        click.echo(json_text(explanations_document(told, policy=policy.source, release=about)))
        return
    for one in told:
        click.echo(printable("\n".join(_lines(one, release))))
    if not told:
        click.echo(printable(f"no gate is asked: {policy.source} names none"))


def _release(application: Application, version: str | None, package: str | None) -> Release | None:
    from shipline.capabilities.releases import asked_release

    return asked_release(application.store, version, package)


def _chosen(application: Application, name: str | None, stage: str | None) -> tuple[Gate, ...]:
    from shipline.domain.errors import UnknownName

    gates = tuple(gate for gate in application.policy.gates if stage in (None, gate.stage))
    found = tuple(gate for gate in gates if name in (None, gate.name))
    if not found and name is not None:
        known = ", ".join(dict.fromkeys(gate.name for gate in gates)) or "none"
        raise UnknownName(
            f"there is no gate {name[:60]!r}" + (f" of the stage {stage}" if stage else ""),
            why=f"gates are read from {application.policy.source}",
            todo=f"known ones: {known}",
        )
    return found


def _lines(one: Explanation, release: Release | None) -> list[str]:
    gate = one.gate
    told = [("from", one.origin), ("rule", gate.rule), ("when", gate.when), ("wants", gate.message)]
    told += [("wants", f"{count} of {role} to approve") for role, count in gate.approvals.items()]
    lines = [f"{gate.name}  ({gate.stage})", *(f"  {word:<7}{text}" for word, text in told if text)]
    for supply, facts in groupby(one.facts, key=lambda fact: fact.supply):
        for fact in facts:
            value = "" if fact.value is None else f"; was {json.dumps(fact.value, ensure_ascii=False)}"
            lines.append(f"  asks   {fact.fact} ({fact.type}): {fact.meaning}{value}")
        lines.append(f"         supplied by {supply}")
    if release is None or one.last is None:
        return [*lines, f"  last   {'never asked' if release is None else f'not asked of {release.version}'}"]
    lines.append(
        f"  last   {one.last.answer.value} of {release.package} {release.version}, {moment(one.last.decided_us)}"
    )
    return lines + [f"         {words}" for words in one.passes or one.last.reasons]
