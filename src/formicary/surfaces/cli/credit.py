"""``formicary credit``: a party's score, whom it shows it, and what it says is wrong, through the API."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import typer

from formicary.surfaces.cli import credit_report
from formicary.surfaces.cli.api_output import new_group, write_document
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of
from formicary.surfaces.cli.output import write_json, write_table

__all__ = ["group"]

PartyArgument = Annotated[str, typer.Argument(help="Id of the party, pty_….")]
_TRUTHS: Final = {"yes": True, "no": False}
_PARTS: Final = 4

ThirdPartyArgument = Annotated[str, typer.Argument(help="Id of the third party, pty_….")]


def group() -> typer.Typer:
    """Return the commands."""
    credit = new_group(
        "Credit scores: make them, explain them, let others ask, correct them, report on them."
    )
    credit.command("score")(score)
    credit.command("refresh")(refresh)
    credit.command("explain")(explain)
    credit.command("relations")(relations)
    credit.command("authorise")(authorise)
    credit.command("authorisations")(authorisations)
    credit.command("revoke")(revoke)
    credit.command("query")(query)
    credit.command("queries")(queries)
    credit.command("dispute")(dispute)
    credit.command("disputes")(disputes)
    credit.command("decide")(decide)
    credit_report.register(credit)
    return credit


def score(context: typer.Context, party: PartyArgument, *, as_json: AsJson = False) -> None:
    """Show a party's score."""
    with program_of(context).client() as client:
        _write_score(client.credit.score(party), as_json=as_json)


def refresh(
    context: typer.Context, party: PartyArgument, *, key: IdempotencyKey = None, as_json: AsJson = False
) -> None:
    """Make a party's score anew."""
    with program_of(context).client() as client:
        _write_score(client.credit.refresh(party, key=key), as_json=as_json)


def explain(context: typer.Context, party: PartyArgument, *, as_json: AsJson = False) -> None:
    """Say why a score is what it is, and what would raise it."""
    with program_of(context).client() as client:
        found = client.credit.explain(party)
    if as_json:
        write_json(msgspec.to_builtins(found))
        return
    write_table((f"reasons of {found.score}, {found.band}",), [(reason,) for reason in found.reasons])
    write_table(
        ("dimension", ">points", ">of", "missing", "what would raise it", ">by"),
        [
            (
                one.dimension,
                str(one.points),
                str(one.most),
                ", ".join(one.missing),
                " ".join(advice.raised_by for advice in one.advice),
                ", ".join(str(advice.points) for advice in one.advice),
            )
            for one in found.dimensions
        ],
    )


def relations(
    context: typer.Context,
    party: PartyArgument,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Count them, or leave them out.")],
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Let relations count in a party's score, with its own token, or leave them out."""
    with program_of(context).client() as client:
        write_document(client.credit.switch_relations(party, on=on, key=key), as_json=as_json)


def authorise(
    context: typer.Context,
    party: PartyArgument,
    third_party: ThirdPartyArgument,
    *,
    scope: Annotated[str, typer.Option("--scope", help="band or score_and_band.")] = "band",
    until: Annotated[str, typer.Option("--until", help="When it ends, RFC 3339, within a year.")],
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Let a third party ask for a party's score, with the party's own token."""
    with program_of(context).client() as client:
        given = client.credit.authorise(party, third_party, scope=scope, expires_at=until, key=key)
        write_document(given, as_json=as_json)


def authorisations(context: typer.Context, party: PartyArgument, *, as_json: AsJson = False) -> None:
    """List whom a party lets ask for its score, or did."""
    with program_of(context).client() as client:
        found = list(client.credit.authorisations(party))
    if as_json:
        write_json(msgspec.to_builtins(found))
    else:
        rows = [(one.third_party, one.scope, one.expires_at, "yes" if one.active else "no") for one in found]
        write_table(("third party", "scope", "until", "active"), rows)


def revoke(
    context: typer.Context,
    party: PartyArgument,
    third_party: ThirdPartyArgument,
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Take an authorisation back."""
    with program_of(context).client() as client:
        write_document(client.credit.revoke(party, third_party, key=key), as_json=as_json)


def query(
    context: typer.Context, party: PartyArgument, *, key: IdempotencyKey = None, as_json: AsJson = False
) -> None:
    """Ask for a party's score as the third party whose key this is."""
    with program_of(context).client() as client:
        write_document(client.credit.query(party, key=key), as_json=as_json)


def queries(context: typer.Context, party: PartyArgument, *, as_json: AsJson = False) -> None:
    """List every query of a party's score, the oldest first."""
    with program_of(context).client() as client:
        found = list(client.credit.queries(party))
    if as_json:
        write_json(msgspec.to_builtins(found))
    else:
        rows = [
            (one.at, one.third_party, "" if one.score is None else str(one.score), one.band) for one in found
        ]
        write_table(("at", "third party", ">score", "band"), rows)


def dispute(
    context: typer.Context,
    party: PartyArgument,
    dimension: Annotated[str, typer.Argument(help="history, capacity, behaviour, identity or relations.")],
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Have a person look at what a dimension of a party's score rests on."""
    with program_of(context).client() as client:
        write_document(client.credit.dispute(party, dimension, key=key), as_json=as_json)


def disputes(
    context: typer.Context,
    *,
    status: Annotated[str, typer.Option("--status", help="open, upheld or rejected.")] = "open",
    as_json: AsJson = False,
) -> None:
    """List parties' latest disputes."""
    with program_of(context).client() as client:
        found = list(client.credit.disputes(status))
    if as_json:
        write_json(msgspec.to_builtins(found))
    else:
        rows = [(one.party, one.dimension, one.status, one.changed_at) for one in found]
        write_table(("party", "dimension", "status", "changed at"), rows)


def decide(
    context: typer.Context,
    party: PartyArgument,
    verdict: Annotated[str, typer.Argument(help="upheld or rejected.")],
    *,
    correct: Annotated[
        list[str] | None,
        typer.Option(
            "--correct", help="FACT,TIME,WAS,NOW: what was wrong; yes or no, NOW empty for nothing."
        ),
    ] = None,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a party is right, and correct what was wrong."""
    corrections = [_correction(one) for one in correct or ()]
    with program_of(context).client() as client:
        decided = client.credit.decide_dispute(party, verdict, corrections=corrections, key=key)
        write_document(decided, as_json=as_json)


def _correction(text: str) -> dict[str, object]:
    parts = text.split(",")
    if len(parts) != _PARTS or parts[2] not in _TRUTHS or parts[3] not in (*_TRUTHS, ""):
        message = f"{text!r} is not FACT,TIME,WAS,NOW with yes or no"
        raise typer.BadParameter(message, param_hint="--correct")
    fact, at, was, is_now = parts
    return {"fact": fact, "at": at, "was": _TRUTHS[was], "is_now": _TRUTHS.get(is_now)}


def _write_score(found: msgspec.Struct, *, as_json: bool) -> None:
    fields = msgspec.to_builtins(found)
    if as_json:
        write_json(fields)
        return
    dimensions = fields.pop("dimensions")
    write_table(("field", "value"), [(name, str(value)) for name, value in fields.items()])
    write_table(
        ("dimension", ">points", ">of"),
        [(one["dimension"], str(one["points"]), str(one["most"])) for one in dimensions],
    )
