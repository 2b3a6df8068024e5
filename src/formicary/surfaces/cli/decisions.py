"""``formicary decisions``: what was decided, why, and whether it comes out the same again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.markup import escape

from formicary.base.ids import format_id
from formicary.base.public_ids import Prefix, decode
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.explanation import path_words
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.follower.replayed_decisions import ReplayedDecisions
from formicary.factory.history.decision_search import DecisionFilter
from formicary.factory.registry.decided import DecidedTransfer
from formicary.surfaces.cli.api_output import new_group
from formicary.surfaces.cli.decision_tables import explanation_document, write_explanation
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, Limit, program_of
from formicary.surfaces.cli.output import note, progress, write_json, write_table
from formicary.surfaces.cli.ports import DecisionAccess
from formicary.surfaces.cli.values import amount_text, parse_identifier, parse_time, time_text

__all__ = ["group"]

_DEFAULT_LIMIT: Final = 50
# A decimal number of more digits is no position of a journal, but an id.
_POSITION_DIGITS_MAX: Final = 18

_COLUMNS: Final = (
    ">position",
    "time",
    "point",
    ">policy",
    "outcome",
    "effect",
    "path",
    "transfer",
    ">amount",
)


def group() -> typer.Typer:
    """Return the commands."""
    decisions = new_group("Decisions: what was decided, why, and whether it comes out the same again.")
    decisions.command("list")(list_decisions)
    decisions.command("explain")(explain)
    decisions.command("replay")(replay)
    return decisions


def list_decisions(
    context: typer.Context,
    *,
    point: Annotated[str | None, typer.Option("--point", help="Only those of a decision point.")] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Only those with an outcome.")] = None,
    policy: Annotated[
        int | None,
        typer.Option("--policy", min=1, max=2**31 - 1, help="Only those by a version of the policy."),
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Nothing before this time (RFC 3339).")] = None,
    limit: Limit = _DEFAULT_LIMIT,
    as_json: AsJson = False,
) -> None:
    """List decisions, the newest first."""
    with program_of(context).decisions() as decisions:
        points = _points(decisions.points, point)
        wanted = DecisionFilter(
            points=tuple(points) if point is not None else (),
            outcomes=_outcomes(points, outcome),
            policy=policy or 0,
            timestamp_min=parse_time(since) if since else 0,
            limit=limit,
        )
        found = [_document(one) for one in decisions.newest(wanted)]
    if as_json:
        write_json({"decisions": found})
    else:
        write_table(_COLUMNS, map(_row, found))


def explain(
    context: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A payment, pay_…; any transfer, as UUID text; or a position, its own or its transfer's.",
        ),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Explain one decision: what decided it, by which values, and what would have turned it."""
    with program_of(context).decisions() as decisions:
        told = decisions.explain(_decided(decisions, identifier))
    if as_json:
        write_json(explanation_document(told))
    else:
        write_explanation(told)
    if told.disagreements:
        raise typer.Exit(ExitCode.FINDINGS)


def replay(
    context: typer.Context,
    *,
    first: Annotated[int, typer.Option("--first", min=1, help="The first position.")] = 1,
    last: Annotated[
        int | None, typer.Option("--last", min=1, help="The last position, the end unless given.")
    ] = None,
    cuts: Annotated[
        int | None,
        typer.Option("--cuts", min=0, help="A seed: rows come in blocks of lengths that follow from it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take all decisions again from the journal, and compare every word with what was recorded."""
    with progress("deciding again", 1) as step:
        found = program_of(context).replay_decisions(first=first, last=last, cuts=cuts, progress=step.reach)
    if as_json:
        write_json(_replay_document(found))
    else:
        _write_replay(found)
    if not found.identical:
        raise typer.Exit(ExitCode.FINDINGS)


# -- looking up ----------------------------------------------------------------------------


def _decided(decisions: DecisionAccess, identifier: str) -> DecidedTransfer:
    if identifier.startswith(f"{Prefix.PAYMENT}_"):
        return decisions.of_transfer(decode(Prefix.PAYMENT, identifier))
    is_number = identifier.isascii() and identifier.isdigit()
    if is_number and len(identifier) <= _POSITION_DIGITS_MAX:
        return decisions.at(int(identifier))
    return decisions.of_transfer(parse_identifier(identifier))


def _points(points: Mapping[int, DecisionPoint], name: str | None) -> Mapping[int, DecisionPoint]:
    """Return the points of a name, all without one."""
    found = {number: point for number, point in points.items() if name in (None, point.name)}
    if not found:
        known = ", ".join(point.name for point in points.values())
        message = f"there is no decision point {name!r}, only {known}"
        raise typer.BadParameter(message, param_hint="--point")
    return found


def _outcomes(points: Mapping[int, DecisionPoint], name: str | None) -> tuple[tuple[int, int], ...]:
    if name is None:
        return ()
    found = [
        (number, point.outcomes.index(name)) for number, point in points.items() if name in point.outcomes
    ]
    if not found:
        known = ", ".join(dict.fromkeys(one for point in points.values() for one in point.outcomes))
        message = f"there is no outcome {name!r}, only {known}"
        raise typer.BadParameter(message, param_hint="--outcome")
    return tuple(found)


# -- writing -------------------------------------------------------------------------------


def _document(one: DecidedTransfer) -> dict[str, Any]:
    decision, transfer = one.decision, one.transfer
    transfer_id = int(transfer["id_high"]) << 64 | int(transfer["id_low"])
    return {
        "position": int(decision["position"]),
        "time": time_text(int(decision["timestamp"])),
        "point": one.point or f"{int(decision['point']):016x}",
        "policy": int(decision["policy"]),
        "outcome": one.outcome or str(int(decision["outcome"])),
        "effect": Effect(int(decision["effect"])).name.lower(),
        "path": list(path_words(int(decision["path"]))),
        "transfer": format_id(transfer_id),
        "amount": int(transfer["amount"]),
        "ledger": int(transfer["ledger"]),
    }


def _row(document: Mapping[str, Any]) -> list[str]:
    names = ("time", "point", "policy", "outcome", "effect")
    return [
        f"{document['position']:,}",
        *(escape(str(document[name])) for name in names),
        " ".join(document["path"]),
        document["transfer"],
        amount_text(document["amount"], document["ledger"]),
    ]


def _replay_document(found: ReplayedDecisions) -> dict[str, Any]:
    counts = ("first", "last", "after", "decisions", "untold", "different")
    return {
        **{name: getattr(found, name) for name in counts},
        "seconds": round(found.seconds, 3),
        "decisions_per_second": round(found.decisions_per_second),
        "differences": [msgspec.to_builtins(one) for one in found.differences],
        "identical": found.identical,
    }


def _write_replay(found: ReplayedDecisions) -> None:
    rows = [
        ("decisions taken again", f"{found.decisions:,}"),
        ("of which the journal does not tell the amount", f"{found.untold:,}"),
        ("rows that differ", f"{found.different:,}"),
        ("decisions a second, with folding and reading", f"{found.decisions_per_second:,.0f}"),
    ]
    write_table(("compared", ">"), rows)
    if found.differences:
        columns = (">position", "field", "recorded", "recomputed")
        cells = [
            [f"{one.position:,}", one.field, escape(one.recorded), escape(one.recomputed)]
            for one in found.differences
        ]
        write_table(columns, cells, title="the first differences")
    note("Every bit is the same." if found.identical else f"{found.different:,} rows differ.")
