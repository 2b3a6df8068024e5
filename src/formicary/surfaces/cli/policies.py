"""``formicary policies``: which policy is armed at a decision point, and since when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
import yaml
from rich.markup import escape

from formicary.base.limits import POLICY_BYTES_MAX
from formicary.base.times import time_text
from formicary.factory.decisions.errors import PolicyRefused
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.registry import ArmPolicy, DisarmPolicy
from formicary.factory.registry.errors import PolicyNotArmed, PolicyTooLarge
from formicary.factory.registry.reading import PolicyChange, armed_policies, policy_events, policy_history
from formicary.surfaces.cli.api_output import new_group
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, Reason, program_of
from formicary.surfaces.cli.output import write_json, write_table

__all__ = ["group"]

_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)

Point = Annotated[str, typer.Argument(help="Name of the decision point.")]


def group() -> typer.Typer:
    """Return the commands."""
    policies = new_group("Arm policies at decision points, and look at those that are.")
    policies.command("arm")(arm)
    policies.command("disarm")(disarm)
    policies.command("list")(list_policies)
    policies.command("show")(show)
    return policies


def arm(
    context: typer.Context,
    point: Point,
    policy: Annotated[Path, typer.Argument(help="The policy, a document of YAML with its version.")],
    rules: Annotated[Path, typer.Argument(help="Its rules, a document of YAML.")],
    *,
    reason: Reason,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Let a policy and its rules decide at a point, unless anything is wrong with them."""
    program = program_of(context)
    texts = _read(policy, "POLICY"), _read(rules, "RULES")
    if sum(len(text.encode()) for text in texts) > POLICY_BYTES_MAX:
        raise PolicyTooLarge
    command = ArmPolicy(
        subject=text_id(point),
        point=point,
        version=_version_of(texts[0]),
        policy=texts[0],
        rules=texts[1],
        reason=reason,
    )
    findings = program.policy_findings(point, *texts)
    if findings:
        # The engine looks as well, but its answer is a code.
        raise PolicyRefused("; ".join(findings))
    with program.registry() as registry:
        registry.command(command, key=key)
        found = policy_history(policy_events(registry.source), point)
    _write(next(one for one in reversed(found) if one.version == command.version), as_json=as_json)


def disarm(
    context: typer.Context,
    point: Point,
    *,
    reason: Reason,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Let no policy decide at a point any more."""
    with program_of(context).registry() as registry:
        registry.command(DisarmPolicy(subject=text_id(point), point=point, reason=reason), key=key)
        found = policy_history(policy_events(registry.source), point)
    _write(next(one for one in reversed(found) if not one.version), as_json=as_json)


def list_policies(
    context: typer.Context,
    *,
    history: Annotated[
        bool, typer.Option("--history", help="All that ever were armed or disarmed, not those armed now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the policies that are armed."""
    with program_of(context).registry() as registry:
        changes = policy_history(policy_events(registry.source))
    found: Sequence[PolicyChange] = changes if history else list(armed_policies(changes).values())
    if as_json:
        write_json({"policies": [_document(one) for one in found]})
    else:
        write_table(("point", "version", "since", ">position", "reason"), [_row(one) for one in found])


def show(context: typer.Context, point: Point, *, as_json: AsJson = False) -> None:
    """Show the policy that is armed at a point, with its rules."""
    with program_of(context).registry() as registry:
        found = armed_policies(policy_history(policy_events(registry.source)))
    if point not in found:
        raise PolicyNotArmed
    _write(found[point], as_json=as_json)


def _read(file: Path, hint: str) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {error}"
        raise typer.BadParameter(message, param_hint=hint) from error


def _version_of(policy: str) -> int:
    """Return the version that a document says it is."""
    try:
        # Only texts and what holds them: nothing in a document is made into anything else.
        fields = yaml.load(policy, yaml.BaseLoader)  # noqa: S506, it makes nothing but texts
    except yaml.YAMLError as error:
        message = f"the policy is no YAML: {error}"
        raise typer.BadParameter(message, param_hint="POLICY") from error
    version = str(fields.get("version", "")) if isinstance(fields, dict) else ""
    if not _VERSION.fullmatch(version):
        message = "the policy has no version, which is a whole number from 1"
        raise typer.BadParameter(message, param_hint="POLICY")
    return int(version)


def _write(one: PolicyChange, *, as_json: bool) -> None:
    document = _document(one)
    if as_json:
        write_json(document)
    else:
        rows = [(field, escape("" if value is None else str(value))) for field, value in document.items()]
        write_table(("field", "value"), rows)


def _document(one: PolicyChange) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(one)
    return fields | {"at": time_text(one.at), "version": one.version or None}


def _row(one: PolicyChange) -> list[str]:
    version = str(one.version or "none")
    return [one.point, version, time_text(one.at), f"{one.position:,}", escape(one.reason)]
