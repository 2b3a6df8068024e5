"""``formicary models``: which models there are, which of them decides, and what each of them is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.markup import escape

from formicary.base.lots import LOTS
from formicary.base.times import parse_time, time_text
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.journal.events import Event
from formicary.factory.registry import Alias, MoveAlias, SetTrial
from formicary.factory.registry.messages import NOTHING
from formicary.factory.registry.reading import (
    AliasChange,
    ModelVersion,
    TrialChange,
    alias_history,
    model_bytes,
    model_events,
    named_version,
    trial_history,
    versions,
    which,
)
from formicary.surfaces.cli import model_judgements, model_watch
from formicary.surfaces.cli.api_output import new_group
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, Note, Reason, program_of
from formicary.surfaces.cli.output import progress, write_json, write_table
from formicary.surfaces.cli.ports import RegistryAccess

__all__ = ["group"]

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_CHANGE_COLUMNS: Final = ("since", ">position", "alias", "version", "hash", "reason")
_TRIAL_COLUMNS: Final = ("since", ">position", ">share", "version", "hash", "reason")

Named = Annotated[str, typer.Argument(help="Name of the model, or NAME@VERSION; the newest unless given.")]
Name = Annotated[str, typer.Argument(help="Name of the model.")]
AliasOption = Annotated[Alias, typer.Option("--alias", help="Which alias.")]


def group() -> typer.Typer:
    """Return the commands."""
    models = new_group("Register models, give them aliases, and see who decided when.")
    model_judgements.register(models)
    models.command("register")(register)
    models.command("list")(list_models)
    models.command("show")(show)
    models.command("promote")(promote)
    models.command("demote")(demote)
    models.command("trial")(trial)
    models.command("history")(history)
    models.command("which")(which_one)
    models.command("card")(card)
    model_watch.register(models)
    return models


# -- registering ---------------------------------------------------------------------------


def register(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A stored model; its manifest is beside it, as .json.")],
    *,
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Bring a model into the journal, as the next version of its name; it decides nothing yet."""
    # What reads models takes a while to load, and few commands need it.
    from formicary.factory.registry.storing import model_of, parts_of, registration_of  # noqa: PLC0415

    model = model_of(_read(file))
    registration = registration_of(model, manifest=_manifest_beside(file), note=note)
    parts = parts_of(model)
    with program_of(context).registry() as registry:
        entry = registry.entry(registration.subject) or {}
        is_new = not entry.get("version")
        if is_new:
            # Begun anew unless it is whole: what somebody left half done may be other bytes.
            if not entry.get("parts") or entry["parts"] != entry["stored"]:
                with progress(f"bytes of {model.name}", len(parts)) as step:
                    for part in parts:
                        registry.command(part)
                        step.advance(1)
            registry.command(registration)
        (found,) = [one for one in versions(model_events(registry.source)) if one.hash == model.hash]
    status = "registered" if is_new else "exists"
    document = {"model": found.model, "version": found.version, "hash": found.hash, "status": status}
    if as_json:
        write_json(document)
    else:
        write_table(("model", ">version", "hash", "status"), [list(map(str, document.values()))])


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise typer.BadParameter(message, param_hint="FILE") from error


def _manifest_beside(file: Path) -> dict[str, Any]:
    beside = file.with_suffix(".json")
    if beside == file or not beside.exists():
        return {}
    try:
        manifest: dict[str, Any] = msgspec.json.decode(_read(beside), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"{beside} is no manifest: {error}"
        raise typer.BadParameter(message, param_hint="FILE") from error
    return manifest


# -- reading -------------------------------------------------------------------------------


def list_models(
    context: typer.Context,
    *,
    model: Annotated[str | None, typer.Option("--model", help="Only versions of this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every version of every model, with the aliases it has now."""
    with program_of(context).registry() as registry:
        events = model_events(registry.source)
    found = [one for one in versions(events) if model in (None, one.model)]
    changes = alias_history(events)
    if as_json:
        write_json({"models": [_document(one, changes) for one in found]})
    else:
        columns = ("model", ">version", "hash", "aliases", "registered", "note")
        write_table(columns, [_row(one, changes) for one in found])


def show(context: typer.Context, name: Named, *, as_json: AsJson = False) -> None:
    """Show all that was said of a version: specification, manifest, metrics, columns."""
    with program_of(context).registry() as registry:
        events = model_events(registry.source)
    document = _document(_version(events, name), alias_history(events))
    if as_json:
        write_json(document)
    else:
        rows = [(field, escape(_text(value))) for field, value in document.items()]
        write_table(("field", "value"), rows)


def history(context: typer.Context, name: Name, *, as_json: AsJson = False) -> None:
    """List every move of an alias of a model, and every trial: when, where in the journal, and why."""
    with program_of(context).registry() as registry:
        events = model_events(registry.source)
    model = named_version(versions(events), name).model
    changes, trials = alias_history(events, model), trial_history(events, model)
    if as_json:
        write_json({"history": [_change(one) for one in changes], "trials": [_trial(one) for one in trials]})
        return
    write_table(_CHANGE_COLUMNS, [_change_row(one) for one in changes])
    if trials:
        write_table(_TRIAL_COLUMNS, [_trial_row(one) for one in trials], title="trials")


def which_one(
    context: typer.Context,
    name: Name,
    *,
    alias: AliasOption = Alias.CHAMPION,
    at: Annotated[str | None, typer.Option("--at", help="As of a time, RFC 3339 or nanoseconds.")] = None,
    position: Annotated[
        int | None, typer.Option("--position", min=0, help="As of a position of the journal.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which version had an alias at a time or a position; now where neither is given."""
    if at is not None and position is not None:
        message = "give a time or a position, not both"
        raise typer.BadParameter(message, param_hint="--at")
    time = None if at is None else parse_time(at)
    with program_of(context).registry() as registry:
        events = model_events(registry.source)
    model = named_version(versions(events), name).model
    found = which(alias_history(events, model), alias, at=time, position=position)
    if as_json:
        write_json({"model": model, "alias": alias, "found": None if found is None else _change(found)})
    elif found is None:
        write_table(("alias", "version"), [(alias, "none")])
    else:
        write_table(_CHANGE_COLUMNS, [_change_row(found)])


def card(
    context: typer.Context,
    name: Named,
    *,
    out: Annotated[Path, typer.Option("--out", help="The file of the page.")],
    as_json: AsJson = False,
) -> None:
    """Write a version's card: one page of HTML on what it is, what it showed and when it decided."""
    # As above; and what writes pages.
    from formicary.factory.registry.storing import model_of  # noqa: PLC0415
    from formicary.surfaces.cli.model_card import card_page  # noqa: PLC0415

    program = program_of(context)
    with program.registry() as registry:
        events = model_events(registry.source)
        version = _version(events, name)
        model = model_of(model_bytes(registry.source, version))
    page = card_page(
        model, version, alias_history(events, version.model), program.model_specs().get(version.model)
    )
    try:
        out.write_text(page)
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}"
        raise typer.BadParameter(message, param_hint="--out") from error
    document = {"model": version.model, "version": version.version, "hash": version.hash, "file": str(out)}
    if as_json:
        write_json(document)
    else:
        write_table(("model", ">version", "hash", "file"), [[escape(str(one)) for one in document.values()]])


# -- aliases -------------------------------------------------------------------------------


def promote(
    context: typer.Context,
    name: Name,
    version: Annotated[int, typer.Argument(min=1, help="Its version.")],
    *,
    alias: AliasOption = Alias.CHAMPION,
    reason: Reason,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Give an alias to a version; giving it back to an earlier one is a rollback."""
    with program_of(context).registry() as registry:
        found = named_version(versions(model_events(registry.source)), name, version)
        moved = _move(registry, found.model, alias, found.hash, reason=reason, key=key)
    _write_change(moved, as_json=as_json)


def demote(
    context: typer.Context,
    name: Name,
    *,
    alias: AliasOption = Alias.CHAMPION,
    reason: Reason,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Take an alias off, so that no version has it."""
    with program_of(context).registry() as registry:
        found = named_version(versions(model_events(registry.source)), name)
        moved = _move(registry, found.model, alias, NOTHING, reason=reason, key=key)
    _write_change(moved, as_json=as_json)


def trial(
    context: typer.Context,
    name: Name,
    *,
    share: Annotated[str, typer.Option("--share", help="Of parties, 0 to 1; 0 ends the trial.")],
    reason: Reason,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Let the challenger decide for a share of parties; whoever is in it is in every larger one."""
    millionths = _millionths(share)
    with program_of(context).registry() as registry:
        model = named_version(versions(model_events(registry.source)), name).model
        command = SetTrial(subject=text_id(model), model=model, share=millionths, reason=reason)
        registry.command(command, key=key)
        changes = trial_history(model_events(registry.source), model)
    changed = next(one for one in reversed(changes) if one.share == millionths)
    if as_json:
        write_json(_trial(changed))
    else:
        write_table(_TRIAL_COLUMNS, [_trial_row(changed)])


def _millionths(share: str) -> int:
    """Return a share in millionths; what is finer is refused, as nobody would be in it."""
    try:
        found = Decimal(share) * LOTS
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or not 0 <= found <= LOTS or found != int(found):
        message = f"{share!r} is no share from 0 to 1 with at most six decimals"
        raise typer.BadParameter(message, param_hint="--share")
    return int(found)


def _move(
    registry: RegistryAccess, model: str, alias: Alias, hash_: str, *, reason: str, key: str | None
) -> AliasChange:
    command = MoveAlias(subject=text_id(model), model=model, alias=alias, hash=hash_, reason=reason)
    registry.command(command, key=key)
    changes = alias_history(model_events(registry.source), model)
    return next(one for one in reversed(changes) if (one.alias, one.hash) == (alias, hash_))


def _write_change(one: AliasChange, *, as_json: bool) -> None:
    if as_json:
        write_json(_change(one))
    else:
        write_table(_CHANGE_COLUMNS, [_change_row(one)])


# -- what is shown -------------------------------------------------------------------------


def _version(events: Sequence[Event], name: str) -> ModelVersion:
    model, _, number = name.partition("@")
    if "@" in name and not _NUMBER.fullmatch(number):
        message = f"{name!r} is no model like NAME or NAME@2"
        raise typer.BadParameter(message, param_hint="NAME")
    return named_version(versions(events), model, int(number) if number else None)


def _document(one: ModelVersion, changes: Sequence[AliasChange]) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(one)
    return fields | {"at": time_text(one.at), "aliases": _aliases(one, changes)}


def _aliases(one: ModelVersion, changes: Sequence[AliasChange]) -> list[str]:
    own = [change for change in changes if change.model == one.model]
    return [alias.value for alias in Alias if (has := which(own, alias)) and has.hash == one.hash]


def _row(one: ModelVersion, changes: Sequence[AliasChange]) -> list[str]:
    aliases = ", ".join(_aliases(one, changes))
    return [one.model, str(one.version), one.hash, aliases, time_text(one.at), escape(one.note)]


def _change(one: AliasChange) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(one)
    return fields | {"at": time_text(one.at), "version": one.version or None}


def _change_row(one: AliasChange) -> list[str]:
    version = str(one.version or "none")
    return [time_text(one.at), f"{one.position:,}", one.alias, version, one.hash, escape(one.reason)]


def _trial(one: TrialChange) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(one)
    shares = {name: float(_share(getattr(one, name))) for name in ("share", "previous")}
    return fields | {"at": time_text(one.at)} | shares


def _trial_row(one: TrialChange) -> list[str]:
    share = _share(one.share)
    return [time_text(one.at), f"{one.position:,}", share, str(one.version), one.hash, escape(one.reason)]


def _share(millionths: int) -> str:
    return f"{Decimal(millionths).scaleb(-6).normalize():f}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
