"""``formicary experiments``: what is tried out, who met it, what came of it, and how long one takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from formicary.base.times import parse_time, time_text
from formicary.factory.experiments import (
    Cause,
    DefineExperiment,
    StartExperiment,
    StopExperiment,
    experiment_id,
)
from formicary.factory.experiments.definitions import Definition, OutcomeFacts, read_definition
from formicary.factory.experiments.reading import (
    Experiment,
    experiment_events,
    experiments,
    exposure_commands,
    exposures_of,
    named_experiment,
)
from formicary.surfaces.cli.api_output import new_group
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.experiment_plans import power
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, Reason, program_of
from formicary.surfaces.cli.output import write_json, write_table
from formicary.surfaces.cli.ports import RegistryAccess
from formicary.surfaces.experiments.documents import results_document

if TYPE_CHECKING:
    from formicary.factory.experiments.analysis import Results
    from formicary.factory.experiments.outcomes import Outcomes

__all__ = ["group"]

Name = Annotated[str, typer.Argument(help="Name of the experiment.")]
PartyColumn = Annotated[str, typer.Option("--party", help="The column of ids of parties.")]
_COLUMNS = ("experiment", "layer", "status", "since", "lots", "arms")


def group() -> typer.Typer:
    """Return the commands."""
    found = new_group("Define, start and stop experiments, and see what came of them.")
    found.command("list")(list_experiments)
    found.command("show")(show)
    found.command("define")(define)
    found.command("start")(start)
    found.command("stop")(stop)
    found.command("expose")(expose)
    found.command("results")(results)
    found.command("power")(power)
    return found


def list_experiments(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the experiments, in the order in which they were defined."""
    with program_of(context).experiments() as known:
        found = experiments(experiment_events(known.source))
    if as_json:
        write_json({"experiments": [_document(one) for one in found]})
    else:
        write_table(_COLUMNS, [_row(one) for one in found])


def show(context: typer.Context, name: Name, *, as_json: AsJson = False) -> None:
    """Show an experiment, with its document and how many exposures there are."""
    with program_of(context).experiments() as known:
        found = _named(known, name)
        entry = known.entry(experiment_id(name)) or {}
    _write(_document(found) | {"exposures": entry["exposures"]}, as_json=as_json)


def define(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What it is, a document of YAML.")],
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say what an experiment is; until it is started it may be said anew."""
    try:
        document = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {error}"
        raise typer.BadParameter(message, param_hint="FILE") from error
    # The engine looks as well, but its answer is a code.
    name = read_definition(document).experiment
    command = DefineExperiment(subject=experiment_id(name), experiment=name, document=document)
    with program_of(context).experiments() as known:
        known.command(command, key=key)
        found = _named(known, name)
    _write(_document(found), as_json=as_json)


def start(
    context: typer.Context,
    name: Name,
    *,
    reason: Reason,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Let an experiment run on its lots; from then on it does not change."""
    with program_of(context).experiments() as known:
        known.command(StartExperiment(subject=experiment_id(name), reason=reason), key=key)
        found = _named(known, name)
    _write(_document(found), as_json=as_json)


def stop(
    context: typer.Context,
    name: Name,
    *,
    reason: Reason,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """End an experiment for good; its lots are free for another one."""
    with program_of(context).experiments() as known:
        command = StopExperiment(subject=experiment_id(name), cause=Cause.DECIDED, reason=reason)
        known.command(command, key=key)
        found = _named(known, name)
    _write(_document(found), as_json=as_json)


def expose(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(help="A table of who met it when: Parquet, or CSV.")],
    *,
    party: PartyColumn = "party",
    at: Annotated[str, typer.Option("--at", help="The table's column of times.")] = "at",
    as_json: AsJson = False,
) -> None:
    """Tell who met an experiment; parties that are in none of its arms are left out."""
    # What reads tables takes a while to load, and few commands need it.
    from formicary.surfaces.cli.experiment_tables import PartyTable  # noqa: PLC0415

    table = PartyTable(file, party)
    times = table.times(at)
    with program_of(context).experiments() as known:
        definition = _named(known, name).definition
        told = 0
        for key, command in exposure_commands(definition, table.parties, times):
            known.command(command, key=key)
            told += len(command.at)
    document = {"experiment": name, "rows": len(times), "told": told}
    if as_json:
        write_json(document)
    else:
        write_table(("experiment", ">rows", ">told"), [[name, f"{len(times):,}", f"{told:,}"]])


def results(
    context: typer.Context,
    name: Name,
    *,
    table: Annotated[
        Path | None, typer.Option("--table", help="Outcomes of parties: Parquet, or CSV.")
    ] = None,
    facts: Annotated[
        str | None,
        typer.Option("--facts", help="In its place, their kind of facts; the document's unless given."),
    ] = None,
    party: PartyColumn = "party",
    until: Annotated[
        str | None, typer.Option("--until", help="When outcomes were looked at (RFC 3339); now unless given.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--page", help="Write a page of HTML to this file.")] = None,
    stop_on_harm: Annotated[
        bool, typer.Option("--stop-on-harm", help="Stop it where a guardrail shows harm.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what came of an experiment; arms that cannot be believed, or harm, end with exit code 1."""
    # As above; and what computes and writes pages.
    from formicary.factory.experiments.analysis import analyse  # noqa: PLC0415
    from formicary.factory.experiments.looks import harm_stop, results_by_facts  # noqa: PLC0415
    from formicary.surfaces.cli.experiment_results import write_results  # noqa: PLC0415

    program = program_of(context)
    looked = program.now() if until is None else parse_time(until)
    with program.experiments() as known:
        experiment = _named(known, name)
        told = experiment.definition.outcomes if facts is None else OutcomeFacts(facts=facts, party=party)
        if table is not None and facts is None:
            outcomes = _outcomes_in(table, party, experiment.definition)
            met = exposures_of(known.source, experiment)
            found = analyse(experiment.definition, met, outcomes, until=looked)
        elif table is None and told is not None:
            found = results_by_facts(known.source, experiment, told, until=looked)
        else:
            message = "name a table or a kind of facts, one of the two"
            raise typer.BadParameter(message, param_hint="--table")
        if stop_on_harm and (asked := harm_stop(experiment, found)):
            known.command(asked[1], key=asked[0])
            experiment = _named(known, name)
    if page is not None:
        _write_page(page, experiment, found, looked)
    if as_json:
        write_json(_document(experiment) | results_document(found))
    else:
        write_results(experiment.name, found)
    if found.is_mismatched or found.harmful:
        raise typer.Exit(ExitCode.FINDINGS)


def _outcomes_in(table: Path, party: str, definition: Definition) -> Outcomes:
    from formicary.factory.experiments.outcomes import outcomes_for  # noqa: PLC0415, as above
    from formicary.surfaces.cli.experiment_tables import PartyTable  # noqa: PLC0415, as above

    rows = PartyTable(table, party)
    columns = rows.reals([name for metric in definition.metrics for name in metric.columns])
    return outcomes_for(definition, rows.parties, columns)


def _write_page(file: Path, experiment: Experiment, found: Results, looked: int) -> None:
    from formicary.surfaces.experiments.page import result_page  # noqa: PLC0415, as above

    try:
        file.write_text(result_page(experiment, found, until=looked))
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise typer.BadParameter(message, param_hint="--page") from error


def _named(known: RegistryAccess, name: str) -> Experiment:
    return named_experiment(experiments(experiment_events(known.source)), name)


def _write(document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(document)
    else:
        rows = [(field, escape("" if value is None else str(value))) for field, value in document.items()]
        write_table(("field", "value"), rows)


def _document(one: Experiment) -> dict[str, Any]:
    return {
        "experiment": one.name,
        "layer": one.layer,
        "status": one.status.name.lower(),
        "defined": time_text(one.defined),
        "started": time_text(one.started) if one.started else None,
        "stopped": time_text(one.stopped) if one.stopped else None,
        "cause": one.cause,
        "reason": one.reason or None,
        "document": one.document,
    }


def _row(one: Experiment) -> list[str]:
    since = one.stopped or one.started or one.defined
    lots = f"{one.first:,} to {one.first + one.count - 1:,}"
    return [one.name, one.layer, one.status.name.lower(), time_text(since), lots, " ".join(one.arms)]
