"""What the registry's events say: versions, who had which alias when and why, trials, bytes, armed policies.

All of it are functions over events, in their order, as ``events_of`` of a journal or an archive gives them.
Whatever is asked as of a time or a position includes what happened at it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from formicary.base.limits import BLOCK_ROWS
from formicary.factory.features.sources import RowSource
from formicary.factory.journal.events import Event
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.registry.errors import ModelNotFound
from formicary.factory.registry.messages import (
    NOTHING,
    TRIAL_ALIASES,
    Alias,
    AliasMoved,
    Metrics,
    ModelPartStored,
    ModelRegistered,
    PolicyArmed,
    PolicyDisarmed,
    TrialSet,
)
from formicary.factory.registry.product import NAME

__all__ = [
    "AliasChange",
    "ModelVersion",
    "PolicyChange",
    "TrialChange",
    "alias_history",
    "armed_policies",
    "model_bytes",
    "model_events",
    "named_version",
    "policy_events",
    "policy_history",
    "trial_history",
    "versions",
    "which",
]

_PART: Final = f"{NAME}.ModelPartStored"
_REGISTERED: Final = f"{NAME}.ModelRegistered"
_MOVED: Final = f"{NAME}.AliasMoved"
_TRIAL: Final = f"{NAME}.TrialSet"
_ARMED: Final = f"{NAME}.PolicyArmed"
_DISARMED: Final = f"{NAME}.PolicyDisarmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """A version of a model.

    Attributes
    ----------
    model, version, hash
        Its name, its number from 1, and its identity: 32 hexadecimal digits.
    position, at
        Where it was registered in the journal, and when, in nanoseconds since 1970.
    spec_hash, manifest, metrics, columns, note
        What was said of it then.
    """

    model: str
    version: int
    hash: str
    position: int
    at: int
    spec_hash: str
    manifest: Mapping[str, Any]
    metrics: Metrics
    columns: Sequence[str]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasChange:
    """An alias of a model that was moved; a hash is empty and a version 0 where no version has it."""

    model: str
    alias: Alias
    hash: str
    version: int
    previous: str
    reason: str
    position: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialChange:
    """A challenger's share of parties that was changed, in millionths; 0 where its trial ended."""

    model: str
    hash: str
    version: int
    share: int
    previous: int
    reason: str
    position: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """A policy that was armed at a decision point, or disarmed: then the version is 0, both texts empty."""

    point: str
    version: int
    policy: str
    rules: str
    reason: str
    position: int
    at: int


def model_events(source: RowSource) -> list[Event]:
    """Return the events of versions, aliases and trials, without the bytes of models."""
    return list(source.events_of([_REGISTERED, _MOVED, _TRIAL], after=0, until=source.head()))


def policy_events(source: RowSource) -> list[Event]:
    """Return the events of policies."""
    return list(source.events_of([_ARMED, _DISARMED], after=0, until=source.head()))


def versions(events: Iterable[Event]) -> list[ModelVersion]:
    """Return every version that was registered, the oldest first."""
    return [_version_of(event) for event in events if event.kind == _REGISTERED]


def _version_of(event: Event) -> ModelVersion:
    told = msgspec.json.decode(event.body, type=ModelRegistered)
    return ModelVersion(
        model=told.model,
        version=told.version,
        hash=f"{event.subject:032x}",
        position=event.position,
        at=event.timestamp,
        spec_hash=told.spec_hash,
        manifest=told.manifest,
        metrics=told.metrics,
        columns=told.columns,
        note=told.note,
    )


def named_version(known: Iterable[ModelVersion], model: str, version: int | None = None) -> ModelVersion:
    """Return a version of a model, the newest unless told which.

    Raises
    ------
    ModelNotFound
        It is not registered.
    """
    found = [one for one in known if one.model == model and version in (None, one.version)]
    if not found:
        name = model if version is None else f"{model}@{version}"
        message = f"{name} is not registered"
        raise ModelNotFound(message)
    return found[-1]


def alias_history(events: Iterable[Event], model: str | None = None) -> list[AliasChange]:
    """Return every move of an alias, of one model or of all, the oldest first."""
    numbers: dict[str, int] = {}
    changes: list[AliasChange] = []
    for event in events:
        if event.kind == _REGISTERED:
            one = _version_of(event)
            numbers[one.hash] = one.version
        elif event.kind == _MOVED:
            told = msgspec.json.decode(event.body, type=AliasMoved)
            change = AliasChange(
                model=told.model,
                alias=told.alias,
                hash=told.hash,
                version=0 if told.hash == NOTHING else numbers[told.hash],
                previous=told.previous,
                reason=told.reason,
                position=event.position,
                at=event.timestamp,
            )
            if model in (None, change.model):
                changes.append(change)
    return changes


def trial_history(events: Iterable[Event], model: str | None = None) -> list[TrialChange]:
    """Return every change of a challenger's share, of one model or of all, the oldest first.

    A trial that ended as the challenger or the champion became another is told with the reason of that move.
    """
    numbers: dict[str, int] = {}
    latest: dict[str, TrialChange] = {}
    changes: list[TrialChange] = []
    for event in events:
        if event.kind == _REGISTERED:
            one = _version_of(event)
            numbers[one.hash] = one.version
        change = _trial_of(event, numbers, latest)
        if change is not None:
            latest[change.model] = change
            if model in (None, change.model):
                changes.append(change)
    return changes


def _trial_of(
    event: Event, numbers: Mapping[str, int], latest: Mapping[str, TrialChange]
) -> TrialChange | None:
    """Return what an event changes of a trial, None for nothing."""
    if event.kind == _TRIAL:
        told = msgspec.json.decode(event.body, type=TrialSet)
        return TrialChange(
            model=told.model,
            hash=told.hash,
            version=numbers[told.hash],
            share=told.share,
            previous=told.previous,
            reason=told.reason,
            position=event.position,
            at=event.timestamp,
        )
    if event.kind != _MOVED:
        return None
    moved = msgspec.json.decode(event.body, type=AliasMoved)
    running = latest.get(moved.model)
    if running is None or not running.share or moved.alias not in TRIAL_ALIASES:
        return None
    return replace(
        running,
        share=0,
        previous=running.share,
        reason=moved.reason,
        position=event.position,
        at=event.timestamp,
    )


def which(
    history: Iterable[AliasChange],
    alias: Alias = Alias.CHAMPION,
    *,
    at: int | None = None,
    position: int | None = None,
) -> AliasChange | None:
    """Return the move by which a version had an alias then, of the history of one model.

    Parameters
    ----------
    history
        Of the model.
    alias
        Champion unless told otherwise.
    at, position
        When, in nanoseconds since 1970, or where in the journal; now where neither is given.

    Returns
    -------
    AliasChange | None
        None where no version had it.
    """
    found: AliasChange | None = None
    for change in history:
        if change.alias != alias or (at is not None and change.at > at):
            continue
        if position is None or change.position <= position:
            found = change
    return None if found is None or found.hash == NOTHING else found


def model_bytes(source: RowSource, version: ModelVersion) -> bytes:
    """Return the bytes of a version, as ``Model.from_bytes`` reads them and compares them with its hash.

    They are looked for back from where it was registered, a block at a time: read at once, the parts of
    many models would be more than a database gives.

    Raises
    ------
    ModelCorrupt
        The journal before its registration lacks a part: it is none of ours, or damaged.
    """
    subject, parts = int(version.hash, 16), dict[int, ModelPartStored]()
    for event in _back(source, version.position):
        if event.subject == subject:
            told = msgspec.json.decode(event.body, type=ModelPartStored)
            # Where it was begun anew, the latest part of a number is the one.
            parts.setdefault(told.part, told)
            if told.part == 0:
                break
    count = parts[0].parts if 0 in parts else 0
    if not count or not parts.keys() >= set(range(count)):
        message = f"the journal lacks a part of the model {version.hash}"
        raise ModelCorrupt(message)
    return b"".join(base64.b64decode(parts[part].content) for part in range(count))


def _back(source: RowSource, until: int) -> Iterator[Event]:
    """Yield the events of parts up to a position, the latest first."""
    while until > 0:
        after = max(0, until - BLOCK_ROWS)
        yield from reversed(list(source.events_of([_PART], after=after, until=until)))
        until = after


def policy_history(events: Iterable[Event], point: str | None = None) -> list[PolicyChange]:
    """Return every policy that was armed or disarmed, at one point or at all, the oldest first."""
    changes = [_policy_of(event) for event in events if event.kind in {_ARMED, _DISARMED}]
    return [change for change in changes if point in (None, change.point)]


def _policy_of(event: Event) -> PolicyChange:
    place: dict[str, Any] = {"position": event.position, "at": event.timestamp}
    if event.kind == _ARMED:
        armed = msgspec.json.decode(event.body, type=PolicyArmed)
        return PolicyChange(**msgspec.structs.asdict(armed), **place)
    told = msgspec.json.decode(event.body, type=PolicyDisarmed)
    return PolicyChange(point=told.point, version=0, policy="", rules="", reason=told.reason, **place)


def armed_policies(history: Iterable[PolicyChange]) -> dict[str, PolicyChange]:
    """Return the policy that is armed at each point at the end of a history."""
    latest = {change.point: change for change in history}
    return {point: change for point, change in latest.items() if change.version}
