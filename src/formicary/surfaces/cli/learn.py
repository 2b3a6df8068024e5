"""``formicary learn``: models that learn by themselves: a day, where one stands, what happened to it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.markup import escape

from formicary.base.lots import LOTS
from formicary.base.times import parse_time, time_text
from formicary.factory.learning.live import LearningDay
from formicary.factory.learning.messages import (
    AlarmRaised,
    CandidateDropped,
    ChallengerJudged,
    DayEnded,
    StageEntered,
    Told,
)
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.reading import Anything, Learnt
from formicary.factory.learning.standing import NONE, Stage
from formicary.surfaces.cli.api_output import new_group
from formicary.surfaces.cli.bench import replay
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, Reason, program_of
from formicary.surfaces.cli.output import note, write_json, write_table

__all__ = ["group"]

_HASH_SHOWN: Final = 12
_GATE_COLUMNS: Final = ("gate", "passed", ">figure", ">bound", "what it means")
_SHOWN_COLUMNS: Final = ("shown", ">figure", "what it means")
_HISTORY_COLUMNS: Final = ("at", ">position", "what", "version", "why")

Model = Annotated[str, typer.Argument(help="Name of the model.")]


def group() -> typer.Typer:
    """Return the commands."""
    learn = new_group("Let models learn by themselves, and see what came of it.")
    learn.command("run")(run)
    learn.command("status")(status)
    learn.command("history")(history)
    learn.command("rollback")(rollback)
    learn.command("demo")(demo)
    learn.command("replay")(replay)
    return learn


def run(
    context: typer.Context,
    model: Model,
    *,
    at: Annotated[
        str | None, typer.Option("--at", help="As if it were this time, RFC 3339; in a sandbox only.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="How many cores trainings take.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Live one business day of a model now: look, train, let in, take back, as its plan says."""
    day = (
        program_of(context).learning().run(model, at=None if at is None else parse_time(at), threads=threads)
    )
    if as_json:
        write_json(_day_document(day))
        return
    figures = [(name, f"{getattr(day, name):,}") for name in ("rows", "positives", "decisions")]
    write_table((f"day {day.day} of {model}", ">"), figures)
    _write_happened(day.happened)


def status(context: typer.Context, model: Model, *, as_json: AsJson = False) -> None:
    """Show where a model stands: what decides, since when, and which challenger is on its way."""
    known = program_of(context).learning().known(model)
    if as_json:
        write_json({"model": model} | _standing_document(known))
    else:
        write_table(("field", "value"), _standing_rows(known))


def history(context: typer.Context, model: Model, *, as_json: AsJson = False) -> None:
    """List all that happened to a model, with the evidence: gates and figures of every challenger."""
    known = program_of(context).learning().known(model)
    if as_json:
        documents = [{"position": one.position} | _document(one.event) for one in known.history]
        write_json({"model": model, "history": documents})
        return
    rows = list[tuple[str, ...]]()
    for one in known.history:
        if not isinstance(one.event, DayEnded):
            rows.append((time_text(one.event.at), str(one.position), *_row(one.event)))
        if isinstance(one.event, ChallengerJudged):
            rows += [("", "", f"- {name}", "", told) for name, _, told in _shown(one.event)]
    write_table(_HISTORY_COLUMNS, rows)


def rollback(context: typer.Context, model: Model, *, reason: Reason, as_json: AsJson = False) -> None:
    """Let the champion before decide again, or without one rules alone; nothing is let in for a while."""
    began = time.perf_counter()
    event = program_of(context).learning().roll_back(model, reason=reason)
    seconds = time.perf_counter() - began
    if as_json:
        write_json(_document(event) | {"seconds": seconds})
    else:
        write_table(("what", "version", "why"), [_row(event)])
        note(f"{seconds:.2f} s")


def demo(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Let a model learn from an empty folder on a small stream, until its second champion is taken back."""
    # The engine's process comes from the same command line and must not carry a data frame library.
    from formicary.surfaces.cli.learn_demo import demo_payments, let_learn  # noqa: PLC0415

    began = time.perf_counter()
    payments = demo_payments()
    note("a factory of its own, in a folder of its own, in simulated time; the first start compiles")
    with program_of(context).demo(
        fresh=True, start_ns=int(payments["at"][0]) - DAY, folder="learn"
    ) as factory:
        opened = time.perf_counter() - began

        def tell(day: int, event: Told) -> None:
            if not as_json:
                note(f"day {day}: {' '.join(_row(event))}")

        found = let_learn(factory, payments, tell)
    figures = {
        "days": found.days,
        "payments": found.payments,
        "frauds": found.frauds,
        "held": found.held,
        "held_frauds": found.held_frauds,
        "first_champion_seconds": _after(opened, found.promoted_seconds, 0),
        "second_champion_seconds": _after(opened, found.promoted_seconds, 1),
        "rollback_seconds": None if found.rollback_seconds is None else round(found.rollback_seconds, 4),
        "seconds": round(time.perf_counter() - began, 1),
    }
    if as_json:
        write_json(figures | {"happened": [{"of_day": day} | _document(one) for day, one in found.happened]})
    else:
        write_table(("a model that learns", ">"), [(name, str(value)) for name, value in figures.items()])
        _write_happened([one for _, one in found.happened if not isinstance(one, AlarmRaised)][-2:])
    if found.rollback_seconds is None:
        raise typer.Exit(ExitCode.FINDINGS)


def _after(opened: float, seconds: Sequence[float], place: int) -> float | None:
    return round(opened + seconds[place], 1) if place < len(seconds) else None


# -- as text -------------------------------------------------------------------------------


def _write_happened(happened: Iterable[Told]) -> None:
    """Write what happened, each challenger with its gates."""
    for event in happened:
        what, version, why = _row(event)
        if isinstance(event, ChallengerJudged):
            rows = [
                (
                    one.name,
                    "yes" if one.is_passed else "NO",
                    f"{one.figure:,.4g}",
                    f"{one.bound:,.4g}",
                    escape(one.said),
                )
                for one in event.gates
            ]
            write_table(_GATE_COLUMNS, rows, title=f"{what} {version}")
            write_table(_SHOWN_COLUMNS, _shown(event), title=f"shown by {version}")
        else:
            write_table(("what", "version", "why"), [(what, version, why)])


def _shown(event: ChallengerJudged) -> list[tuple[str, str, str]]:
    """Return what a challenger showed beside its gates."""
    return [(one.name, f"{one.figure:,.4g}", escape(one.said)) for one in event.shown]


def _row(event: Told) -> tuple[str, str, str]:
    what, version, why = _told(event)
    return what, version, escape(why)


def _told(event: Told) -> tuple[str, str, str]:
    """Return what happened, to which version, and why."""
    version = _short(event.hash)
    match event:
        case ChallengerJudged():
            failed = [one.name for one in event.gates if not one.is_passed]
            what, why = "challenger refused", f"not {', '.join(failed)}"
            if event.is_passed:
                what, why = "challenger passed", "all gates"
        case StageEntered():
            is_canary = event.stage == Stage.CANARY
            what = f"canary of {100 * event.share // LOTS} %" if is_canary else event.stage.value
            why = event.reason
        case CandidateDropped():
            what, why = "dropped", event.reason
        case AlarmRaised():
            what, why = f"alarm: {event.alarm.name}", event.alarm.said
        case _:
            what, version = "rolled back", f"{version} to {_short(event.to) if event.to else 'rules alone'}"
            why = event.reason
    return what, version, why


def _short(digest: str) -> str:
    return digest[:_HASH_SHOWN] or "none"


def _standing_rows(known: Learnt) -> list[tuple[str, str]]:
    return [(name, _text(name, value)) for name, value in _standing_document(known).items()]


def _text(name: str, value: Any) -> str:
    if value in (None, NONE):
        return "none"
    return f"{value:,}" if isinstance(value, int) and name != "day" else str(value)


# -- as documents --------------------------------------------------------------------------


def _document(event: Anything) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return {"what": fields.pop("type")} | fields | {"at": time_text(event.at)}


def _standing_document(known: Learnt) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.structs.asdict(known.standing)
    for name in [name for name in fields if name.endswith(("_since", "_at"))]:
        fields[name] = time_text(fields[name]) if fields[name] else None
    return fields | {"day": None if known.day is None else known.day.day}


def _day_document(day: LearningDay) -> dict[str, Any]:
    figures = {name: getattr(day, name) for name in ("day", "rows", "positives", "decisions")}
    return figures | {"happened": [_document(one) for one in day.happened]}
