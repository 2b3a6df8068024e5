"""``formicary credit report``: whether scores are spread, stable, true and fair, from the journal."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from formicary.base.errors import Refusal
from formicary.base.public_ids import Prefix, decode
from formicary.base.times import parse_time, time_text
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import write_json, write_table

if TYPE_CHECKING:
    from formicary.factory.features.sources import RowSource
    from formicary.factory.monitoring.calibration_by_segment import CalibratedPart
    from formicary.factory.monitoring.fairness import FairnessReport
    from formicary.products.credit.report import CreditReport, Odds, Stability

__all__ = ["MalformedGroups", "register"]

_DAY_NS: Final = 86_400 * 1_000_000_000
_HORIZON_DAYS: Final = 180
_HORIZON_DAYS_MAX: Final = 3_660
_LEAST: Final = 650
_OUTCOME: Final = "credit_outcome"
_COLUMNS: Final = ["party", "group"]


class MalformedGroups(Refusal):
    """The file of groups has a header ``party,group``, and one party a row."""

    code = "malformed_groups"


def register(group: typer.Typer) -> None:
    """Add the command to its group."""
    group.command("report")(report)


def report(
    context: typer.Context,
    *,
    until: Annotated[
        str | None, typer.Option("--until", help="The time to tell of, now unless given.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="An earlier time to compare scores with.")
    ] = None,
    outcomes: Annotated[
        str, typer.Option("--outcomes", help="Kind of the facts that tell who defaulted.")
    ] = _OUTCOME,
    horizon_days: Annotated[
        int,
        typer.Option(
            "--horizon-days",
            min=1,
            max=_HORIZON_DAYS_MAX,
            help="How long before an outcome its score was made.",
        ),
    ] = _HORIZON_DAYS,
    groups: Annotated[
        Path | None, typer.Option("--groups", help="CSV file of party and group, to compare groups by.")
    ] = None,
    least: Annotated[
        int, typer.Option("--least", min=350, max=950, help="Score that counts as approved.")
    ] = _LEAST,
    as_json: AsJson = False,
) -> None:
    """Tell how scores are spread, whether they are stable, what odds they mean, and how groups compare."""
    program = program_of(context)
    known = {} if groups is None else _groups_in(groups)
    times = (
        None if since is None else parse_time(since),
        program.now() if until is None else parse_time(until),
    )
    with program.registry() as journal:
        found = _report(
            journal.source,
            *times,
            kind=outcomes,
            horizon_ns=horizon_days * _DAY_NS,
            groups=known,
            least=least,
        )
    if as_json:
        write_json(msgspec.to_builtins(found))
    else:
        _write(found)


def _report(
    source: RowSource,
    since: int | None,
    until: int,
    *,
    kind: str,
    horizon_ns: int,
    groups: dict[int, str],
    least: int,
) -> CreditReport:
    # What computes is imported where it is asked for: the engine's process comes from the same command line.
    from formicary.products.credit import recorded, report  # noqa: PLC0415

    history = recorded.read_scores(source)
    rows = recorded.labelled(history, recorded.read_outcomes(source, kind), horizon_ns=horizon_ns)
    scores = history.at(until)
    return report.CreditReport(
        until=until,
        distribution=report.distribution(scores),
        stability=None if since is None else report.stability(history, since, until),
        odds=report.odds(rows),
        fairness=report.fairness(scores, rows, groups, least=least) if groups else None,
    )


def _groups_in(file: Path) -> dict[int, str]:
    try:
        with file.open(newline="") as opened:
            rows = csv.DictReader(opened)
            if rows.fieldnames != _COLUMNS:
                raise MalformedGroups
            return {_party(row["party"]): row["group"] or "" for row in rows}
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read"
        raise typer.BadParameter(message, param_hint="--groups") from error


def _party(text: str) -> int:
    try:
        return decode(Prefix.PARTY, text)
    except Refusal as refusal:
        message = f"{text[:40]!r} is no party's id"
        raise MalformedGroups(message) from refusal


# -- what is shown -------------------------------------------------------------------------


def _write(found: CreditReport) -> None:
    spread = found.distribution
    title = f"{spread.rows:,} parties with a score at {time_text(found.until)}, mean {spread.mean:.1f}"
    write_table(
        ("band", ">parties", ">share"),
        [(one.band, f"{one.count:,}", f"{one.share:.1%}") for one in spread.bands],
        title=title,
    )
    write_table(
        ("share below", ">score"), [(share, f"{score:g}") for share, score in spread.quantiles.items()]
    )
    if found.stability is not None:
        write_table(("stability", ">"), _stability_rows(found.stability))
    if found.odds is not None:
        write_table(("odds to pay", ">"), _odds_rows(found.odds))
        _write_parts("Default by band", found.odds.bands)
    if found.fairness is not None:
        fair = found.fairness
        _write_groups(f"Parties of {fair.least} or more, by group", fair.approval)
        if fair.opportunity is not None:
            _write_groups("The same, of those that paid", fair.opportunity)
        _write_parts("Default by group", fair.calibration or ())


def _stability_rows(told: Stability) -> list[tuple[str, str]]:
    return [
        ("population stability index", f"{_text(told.drift.psi, '.3f')} ({told.drift.verdict})"),
        ("parties with a score at both times", f"{told.both:,}"),
        ("of these in another band", _text(told.moved.share, ".1%")),
        ("of these in a higher one", f"{told.up:,}"),
    ]


def _odds_rows(told: Odds) -> list[tuple[str, str]]:
    interval = f"{_text(told.points_low, '.1f')} to {_text(told.points_high, '.1f')}"
    return [
        ("scores with an outcome", f"{told.rows:,}"),
        ("of these defaulted", f"{told.defaults:,}"),
        ("points that double the odds", f"{_text(told.points_to_double, '.1f')} ({interval})"),
        (f"odds at {told.reference}", f"{told.reference_odds:.1f} to 1"),
        ("area under the curve", f"{told.area_under_roc:.3f}"),
    ]


def _write_parts(title: str, parts: tuple[CalibratedPart, ...]) -> None:
    rows = [
        (
            one.segment,
            f"{one.observed.rows:,}",
            f"{one.expected:.2%}",
            _text(one.observed.share, ".2%"),
            one.verdict,
        )
        for one in parts
        if one.part == 0
    ]
    if rows:
        write_table(("", ">rows", ">expected", ">observed", "found"), rows, title=title)


def _write_groups(title: str, told: FairnessReport) -> None:
    rows = [
        (
            one.group,
            f"{one.approved.rows:,}",
            _text(one.approved.share, ".1%"),
            _text(one.measure, ".3f"),
            one.verdict,
        )
        for one in told.groups
    ]
    write_table(("group", ">rows", ">share", ">measure", "found"), rows, title=title)


def _text(figure: Any, form: str) -> str:
    return "" if figure is None else format(figure, form)
