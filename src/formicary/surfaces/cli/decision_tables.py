"""One decision as tables, and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from rich.markup import escape

from formicary.factory.decisions.explanation import Changed, Explanation, FeatureTold, ScoreTold
from formicary.surfaces.cli.output import note, write_table
from formicary.surfaces.cli.values import amount_text, time_text

__all__ = ["explanation_document", "write_explanation"]

_RULE_COLUMNS: Final = ("rule", "verdict", "says", "read", "reason")
_SCORE_COLUMNS: Final = ("score", "model", ">version", "hash", ">raw", ">chance", "")
_PART_COLUMNS: Final = ("feature", ">value", ">on its way", ">Shapley")
_TURNS: Final = 5
"""How many changes a table shows, the nearest first."""


def explanation_document(told: Explanation) -> dict[str, Any]:
    """Return an explanation as a JSON document."""
    document: dict[str, Any] = msgspec.to_builtins(told)
    return document | {"at": time_text(told.at)}


def write_explanation(told: Explanation) -> None:
    """Write an explanation as tables; what does not agree goes to stderr."""
    write_table(("decision", ""), _summary(told))
    if told.rules:
        write_table(_RULE_COLUMNS, [_rule_row(told, place) for place in range(len(told.rules))])
    if told.scores:
        write_table(_SCORE_COLUMNS, map(_score_row, told.scores))
    for score in told.scores:
        if score.contributions:
            rows = [
                [one.feature, _number(one.value), _number(one.on_the_way), _number(one.shapley)]
                for one in score.contributions
            ]
            write_table(_PART_COLUMNS, rows, title=f"what made the score {score.score}")
    write_table(("feature", ">value", "unit", "meaning"), map(_feature_row, told.features))
    if told.turned_by:
        rows = [_turn_row(one) for one in told.turned_by[:_TURNS]]
        write_table(("it would have been made with", ">distance"), rows)
        if not told.turned_by_is_all:
            note("There may be nearer changes: not all could be tried.")
    for one in told.disagreements:
        note(f"found: {one}")


def _summary(told: Explanation) -> Iterator[Sequence[str]]:
    transfer = told.transfer
    yield "position", f"{told.position:,}"
    yield "time", time_text(told.at)
    yield "point", told.point
    yield "policy", f"{told.policy_name} {told.policy}, armed at position {told.policy_since:,}"
    yield "outcome", told.outcome if told.outcome == told.ruled else f"{told.outcome}, not {told.ruled}"
    yield "effect", told.effect
    yield "path", ", ".join(told.path)
    yield "cap", told.cap
    yield "by lot", told.drawn
    for reason in told.reasons:
        yield "reason", escape(reason)
    yield "transfer", f"{transfer['id']}, {transfer['status']} {' '.join(transfer['flags'])}".strip()
    yield "accounts", f"{transfer['debit_account_id']} to {transfer['credit_account_id']}"
    yield "amount", f"{amount_text(transfer['amount'], transfer['ledger'])}, ledger {transfer['ledger']}"


def _rule_row(told: Explanation, place: int) -> list[str]:
    rule = told.rules[place]
    verdict = rule.verdict if rule.verdict == rule.recorded else f"{rule.verdict}, recorded {rule.recorded}"
    says = rule.outcome if rule.enabled else f"{rule.outcome} (not armed)".strip()
    return [rule.rule, verdict, says, _read_text(rule.read), escape(rule.reason)]


def _read_text(read: Mapping[str, float | None]) -> str:
    return escape(", ".join(f"{name} = {_number(value)}" for name, value in read.items()))


def _score_row(score: ScoreTold) -> list[str]:
    model = score.model if score.alias == "champion" else f"{score.model} ({score.alias})"
    what = "decides" if score.decides else "looks on"
    if score.alias == "challenger" and score.decides:
        what = "decides on trial"
    version = str(score.version) if score.version else ""
    return [score.score, model, version, score.model_hash, _number(score.raw), _number(score.chance), what]


def _feature_row(one: FeatureTold) -> list[str]:
    value = _number(one.value)
    if one.withheld_for:
        value = f"withheld, no consent: {', '.join(one.withheld_for)}"
    return [one.feature, value, one.unit, escape(one.meaning)]


def _turn_row(one: Changed) -> list[str]:
    changes = [
        f"{name} {_number(after)} in place of {_number(before)}"
        for name, (before, after) in one.changes.items()
    ]
    return ["; ".join(changes), f"{one.distance:.3f}"]


def _number(value: float | None) -> str:
    return "missing" if value is None else f"{value:,.6g}"
