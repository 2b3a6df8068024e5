"""What the benchmark of credit prints: tables of the race, the frontier and fairness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

__all__ = ["print_figures"]

_SHOWN: Final = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0)


def print_figures(figures: dict[str, Any], output: Console) -> None:
    """Print all that was measured."""
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    for contest in figures["contests"]:
        _print_contest(contest, output)
    if "history" in figures:
        output.print("[bold]berka, transactions alone[/bold], the same protocol", highlight=False)
        _print_measured(_measured(figures["history"]), output)
    if "aggregates" in figures:
        _print_aggregates(figures["aggregates"], output)
    for audit in figures["fairness"]:
        _print_audit(audit, output)
    output.print(f"{figures['seconds']:.0f} s")


def _table(output: Console, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    output.print(table)


def _print_contest(contest: dict[str, Any], output: Console) -> None:
    output.print(
        f"[bold]{contest['data']}[/bold]: {contest['judged']:,} loans, {contest['bad']:,} bad; "
        f"{contest['protocol']}. Everything adds {contest['second']}.",
        highlight=False,
    )
    _print_measured([*_measured(contest["measured"]), *contest["published"]], output)
    race = contest["race"]
    rows = [
        (name, _interval(race["AUC"][name], 3), _interval(race["money"][name], 0)) for name in race["AUC"]
    ]
    heading = f"bp of the {contest['currency']} asked for"
    _table(output, ("race, 95 %", "AUC", heading), rows)
    output.print(
        f"Approved without a model, all of them earn {contest['all approved']:,.0f} bp. A good loan earns "
        f"{contest['margin']:,} bp of its amount, a bad one loses {contest['loss']:,}.",
        highlight=False,
    )
    frontiers = contest["frontier"]
    rates = [
        (f"{share:.0%}", *(_rate(one, round(share * 100) - 1) for one in frontiers.values()))
        for share in _SHOWN
    ]
    _table(output, ("approved", *(f"default rate, {name}" for name in frontiers)), rates)
    for name, one in frontiers.items():
        output.print(f"  {name}: {_under(one)}", highlight=False)


def _measured(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            f"our {name}",
            f"{one['AUC']:.4f}",
            f"{one['AUC sd']:.3f}" if one["AUC sd"] else "",
            f"{one['AP']:.3f}",
            f"{one['Brier']:.4f}",
            f"{one['AUC sd, repeats']:.4f}" if one["AUC sd, repeats"] else "",
        )
        for name, one in figures.items()
    ]


def _print_measured(rows: Iterable[Sequence[str]], output: Console) -> None:
    _table(output, ("", "AUC", "sd", "AP", "Brier", "sd of repeats' AUC"), rows)


def _interval(figure: Sequence[float], digits: int) -> str:
    value, low, high = (f"{one:,.{digits}f}" for one in figure)
    return f"{value} ({low} to {high})"


def _rate(one: dict[str, Any], place: int) -> str:
    return f"{one['rate'][place]:.1%} ({one['low'][place]:.1%} to {one['high'][place]:.1%})"


def _under(one: dict[str, Any]) -> str:
    if one["under"] is None:
        return "no approval rate has a default rate below 1 %"
    return (
        f"default rate below 1 % up to {one['under']:.0%} approved: {one['bad']} of {one['rows']}, "
        f"at most {one['under_high']:.1%}"
    )


def _print_aggregates(found: dict[str, Any], output: Console) -> None:
    output.print("[bold]berka, 682 aggregates[/bold]", highlight=False)
    rows = [
        (name, f"{one['AUC']:.4f}", f"{one['AP']:.3f}" if "AP" in one else "", one.get("rows", ""))
        for name, one in found["measured"].items()
    ]
    _table(output, ("", "AUC", "AP", "loans, bad"), [*rows, *found["published"]])


def _print_audit(audit: dict[str, Any], output: Console) -> None:
    output.print(
        f"[bold]{audit['data']}[/bold]: fairness on {audit['rows']:,} rows that were left out, "
        f"{audit['columns']} columns",
        highlight=False,
    )
    for attribute, found in audit["attributes"].items():
        rows = [
            (
                name,
                f"{audit['AUC'][name]:.3f}",
                f"{audit['approved'][name]:.1%}, {audit['bad'][name]:.1%}",
                f"{audit['money'][name] // 100_000:,}",
                _report(found["ratio"][name]),
                _report(found["opportunity"][name]),
                _calibrated(found["calibration"][name]),
            )
            for name in audit["AUC"]
        ]
        headings = ("", "AUC", "approved, bad", "earned, k", "ratio", "opportunity", "chances")
        output.print(f"  {attribute}", highlight=False)
        _table(output, headings, rows)
        for one in found["alternatives"]:
            output.print(
                f"  Less discriminatory for at most {one.tolerance_bp / 100:g} % less than {one.best.name}: "
                f"{one.chosen.name}, ratio {one.chosen.ratio:.3f} in place of {one.best.ratio:.3f}.",
                highlight=False,
            )


def _report(report: Any) -> str:
    return f"{report.measure:.3f} {report.verdict}"


def _calibrated(parts: Any) -> str:
    return ", ".join(f"{one.segment} {one.verdict}" for one in parts if not one.part)
