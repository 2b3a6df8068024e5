"""The manifest of the registry: which models there are, which of them decides, which policy is armed.

::

    StoreModelPart 0, 1, 2 …      the bytes of a model, in order
    RegisterModel                 they become a version of it; it decides nothing yet
    MoveAlias                     champion, challenger or shadow: this version, another one, none
    SetTrial                      for which share of parties the challenger decides
    ArmPolicy, DisarmPolicy       what decides at a point, beside models

How bytes are trusted. A model is megabytes and a command is not, so its bytes come in parts, and no aggregate
can hold them. But a model's hash is a chain over its parts: the hash so far is the aggregate, and with the
last part it *is* the model's hash, or the part is refused. So whatever is registered has all of its
bytes in the journal, and they are those of its hash, which is the aggregate's own id; neither caller nor
reader has to be believed. That the bytes also are a model that can be read, and for the same
specification, a decider cannot see: whoever sends them looks first, and whoever scores with them reads them
by ``Model.from_bytes`` and goes on without a model that cannot be read.

An aggregate is what is known under one 128-bit id: of the bytes with this hash, of the model with a name, of
the decision point with a name. A model and a point may have the same name, and so one id: no field is of
both. Moving an alias back is a rollback, and one event; so is ending a trial. A trial is of one challenger
beside one champion: where either becomes another it is over, and no other model goes on with its share. What
is written of models and policies, reasons included, is about no party and may be free text.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.limits import (
    MODEL_BYTES_MAX,
    MODEL_ENTRY_BYTES_MAX,
    MODEL_PART_BYTES_MAX,
    POLICY_BYTES_MAX,
)
from formicary.factory.decisions.errors import PolicyRefused
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.house_documents import storable
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import MalformedCommand, require_well_formed
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.models.model import with_part
from formicary.factory.registry.errors import (
    AliasUnchanged,
    EntryTooLarge,
    ModelExists,
    ModelIncomplete,
    ModelNotFound,
    NoChallenger,
    PartUnexpected,
    PolicyNotArmed,
    PolicyOutdated,
    PolicyTooLarge,
    TrialUnchanged,
)
from formicary.factory.registry.messages import (
    NOTHING,
    TRIAL_ALIASES,
    Alias,
    AliasMoved,
    ArmPolicy,
    DisarmPolicy,
    Metrics,
    ModelPartStored,
    ModelRegistered,
    MoveAlias,
    PolicyArmed,
    PolicyDisarmed,
    RegisterModel,
    SetTrial,
    StoreModelPart,
    TrialSet,
    VersionCounted,
)

__all__ = ["ENTRY", "NAME", "Validate", "registry_product"]

Rows = npt.NDArray[Any]
Validate = Callable[[str, str, str], Sequence[str]]
"""Is given a point's name, a policy and its rules, both YAML; returns all that is wrong with them."""

NAME: Final = "registry"

_ALIASES: Final = tuple(Alias)
_WORD: Final = 2**64 - 1
_HASH_BYTES: Final = 16

ENTRY: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        # Of bytes with this hash: parts there are to be, parts and bytes there are, the hash as far as it
        # goes; once registered, the version and whose.
        ("parts", "<u4"),
        ("stored", "<u4"),
        ("bytes", "<u8"),
        ("so_far_high", "<u8"),
        ("so_far_low", "<u8"),
        ("version", "<u4"),
        ("model_high", "<u8"),
        ("model_low", "<u8"),
        # Of the model with this name: versions, and the hash that has each alias, zero for none.
        ("versions", "<u4"),
        ("aliases_high", "<u8", (len(_ALIASES),)),
        ("aliases_low", "<u8", (len(_ALIASES),)),
        # Of the decision point with this name: the latest policy's version, and whether it is armed.
        ("policy", "<u4"),
        ("is_armed", "<u4"),
        # Of the model with this name: for how many millionths of parties its challenger decides.
        ("trial_share", "<u4"),
    ]
)
"""What is known under one id; what nothing was said of is zero."""

# A trial is the latest that is kept: journals from before it give the same hashes.
_FIRST_BYTES: Final = ENTRY.itemsize - ENTRY["trial_share"].itemsize


def registry_product(validate: Validate) -> Product:
    """Return the manifest, with what tells whether a policy may be armed."""
    return Product(
        name=NAME,
        aggregate=ENTRY,
        aggregate_first_bytes=_FIRST_BYTES,
        commands=(StoreModelPart, RegisterModel, MoveAlias, SetTrial, ArmPolicy, DisarmPolicy),
        events=(
            ModelPartStored,
            ModelRegistered,
            VersionCounted,
            AliasMoved,
            TrialSet,
            PolicyArmed,
            PolicyDisarmed,
        ),
        decide=partial(_decide, validate),
        evolve=evolve,
    )


# -- deciding ------------------------------------------------------------------------------


def _decide(
    validate: Validate, command: Command | TimerFired, entry: Rows | None, context: Context
) -> Decision:
    require_well_formed(command)
    # What nothing was said of yet is as it is when nothing is left of it.
    known = np.zeros(1, ENTRY)[0] if entry is None else entry
    if isinstance(command, StoreModelPart):
        return _store(command, known)
    if isinstance(command, RegisterModel):
        return _register(command, known, context)
    if isinstance(command, MoveAlias):
        return _move(command, known, context)
    if isinstance(command, SetTrial):
        return _try_out(command, known)
    if isinstance(command, ArmPolicy):
        return _arm(command, known, validate)
    assert isinstance(command, DisarmPolicy)  # noqa: S101, as the manifest says
    if not known["is_armed"]:
        raise PolicyNotArmed
    return Decision(events=[PolicyDisarmed(point=command.point, reason=command.reason)])


def _store(command: StoreModelPart, entry: Rows) -> Decision:
    if len(command.content) % 4:
        message = "a part is bytes in base64, of whole groups of four characters"
        raise PartUnexpected(message)
    content = base64.b64decode(command.content)
    is_last = command.part == command.parts - 1
    _require_next(command, entry, len(content), is_last=is_last)
    if is_last and _so_far(entry, command.part, content) != command.subject:
        message = f"the parts together are not the bytes of the model {command.subject:032x}"
        raise ModelCorrupt(message)
    event = ModelPartStored(part=command.part, parts=command.parts, content=command.content)
    return Decision(events=[event], answer={"bytes": _bytes_before(entry, command.part) + len(content)})


def _require_next(command: StoreModelPart, entry: Rows, length: int, *, is_last: bool) -> None:
    stored, parts = int(entry["stored"]), int(entry["parts"])
    if parts and stored == parts:
        message = "all parts of this model are there"
        raise PartUnexpected(message)
    if command.part and (command.part != stored or command.parts != parts):
        message = f"part {command.part} of {command.parts} came where {stored} of {parts} are there"
        raise PartUnexpected(message)
    if not 0 < length <= MODEL_PART_BYTES_MAX or (length < MODEL_PART_BYTES_MAX and not is_last):
        message = f"a part has {MODEL_PART_BYTES_MAX:,} bytes, the last one what is left, not {length:,}"
        raise PartUnexpected(message)
    if command.part * MODEL_PART_BYTES_MAX + length > MODEL_BYTES_MAX:
        message = f"a model has at most {MODEL_BYTES_MAX:,} bytes"
        raise PartUnexpected(message)


def _register(command: RegisterModel, entry: Rows, context: Context) -> Decision:
    if entry["version"]:
        raise ModelExists
    if not entry["parts"] or entry["stored"] != entry["parts"]:
        raise ModelIncomplete
    model = text_id(command.model)
    named = context.aggregate(NAME, model)
    version = 1 if named is None else int(named["versions"]) + 1
    metrics = command.metrics
    event = ModelRegistered(
        model=command.model,
        version=version,
        spec_hash=command.spec_hash,
        manifest=storable(command.manifest),
        metrics=Metrics(forest=storable(metrics.forest), scorecard=storable(metrics.scorecard)),
        columns=command.columns,
        note=command.note,
    )
    if len(msgspec.json.encode(event)) > MODEL_ENTRY_BYTES_MAX:
        raise EntryTooLarge
    counted = VersionCounted(hash=f"{command.subject:032x}", version=version)
    return Decision(
        events=[event],
        consequences=[Consequence(product=NAME, subject=model, event=counted)],
        answer={"model": command.model, "version": version},
    )


def _move(command: MoveAlias, entry: Rows, context: Context) -> Decision:
    _require_subject(command, command.model)
    previous = _alias_of(entry, command.alias)
    if command.hash == previous:
        raise AliasUnchanged
    if command.hash != NOTHING:
        found = context.aggregate(NAME, int(command.hash, 16))
        if found is None or not found["version"] or _id_of(found, "model") != command.subject:
            raise ModelNotFound
    event = AliasMoved(
        model=command.model,
        alias=command.alias,
        hash=command.hash,
        previous=previous,
        reason=command.reason,
    )
    return Decision(events=[event], answer={"previous": previous})


def _try_out(command: SetTrial, entry: Rows) -> Decision:
    _require_subject(command, command.model)
    challenger, previous = _alias_of(entry, Alias.CHALLENGER), int(entry["trial_share"])
    if command.share and challenger == NOTHING:
        raise NoChallenger
    if command.share == previous:
        raise TrialUnchanged
    event = TrialSet(
        model=command.model,
        hash=challenger,
        share=command.share,
        previous=previous,
        reason=command.reason,
    )
    return Decision(events=[event], answer={"previous": previous})


def _arm(command: ArmPolicy, entry: Rows, validate: Validate) -> Decision:
    _require_subject(command, command.point)
    event = PolicyArmed(
        point=command.point,
        version=command.version,
        policy=command.policy,
        rules=command.rules,
        reason=command.reason,
    )
    if len(msgspec.json.encode(event)) > POLICY_BYTES_MAX:
        raise PolicyTooLarge
    if command.version <= entry["policy"]:
        raise PolicyOutdated
    findings = validate(command.point, command.policy, command.rules)
    if findings:
        raise PolicyRefused("; ".join(findings))
    return Decision(events=[event])


def _require_subject(command: Command, name: str) -> None:
    if command.subject != text_id(name):
        message = f"what is said of {name} has the id of this name as its subject"
        raise MalformedCommand(message)


def _so_far(entry: Rows, part: int, content: bytes) -> int:
    """Return the hash of a model's parts up to one; part 0 begins anew."""
    before = _id_of(entry, "so_far").to_bytes(_HASH_BYTES) if part else b""
    return int.from_bytes(with_part(before, content))


def _bytes_before(entry: Rows, part: int) -> int:
    return int(entry["bytes"]) if part else 0


def _alias_of(entry: Rows, alias: Alias) -> str:
    place = _ALIASES.index(alias)
    found = (int(entry["aliases_high"][place]) << 64) | int(entry["aliases_low"][place])
    return f"{found:032x}" if found else NOTHING


def _id_of(entry: Rows, field: str) -> int:
    return (int(entry[f"{field}_high"]) << 64) | int(entry[f"{field}_low"])


# -- evolving ------------------------------------------------------------------------------


def evolve(kind: str, entries: Rows, events: Sequence[DomainEvent]) -> None:
    """Change entries (n,) as events (n,) of one kind say."""
    change = _CHANGES[kind]
    for place, event in enumerate(events):
        change(entries[place], event)


def _stored(entry: Any, event: ModelPartStored) -> None:
    content = base64.b64decode(event.content)
    so_far = _so_far(entry, event.part, content)
    entry["bytes"] = _bytes_before(entry, event.part) + len(content)
    entry["so_far_high"], entry["so_far_low"] = so_far >> 64, so_far & _WORD
    entry["parts"], entry["stored"] = event.parts, event.part + 1


def _registered(entry: Any, event: ModelRegistered) -> None:
    model = text_id(event.model)
    entry["version"] = event.version
    entry["model_high"], entry["model_low"] = model >> 64, model & _WORD


def _counted(entry: Any, event: VersionCounted) -> None:
    entry["versions"] = event.version


def _moved(entry: Any, event: AliasMoved) -> None:
    place, hash_ = _ALIASES.index(event.alias), int(event.hash or "0", 16)
    entry["aliases_high"][place], entry["aliases_low"][place] = hash_ >> 64, hash_ & _WORD
    if event.alias in TRIAL_ALIASES:
        entry["trial_share"] = 0


def _trial_set(entry: Any, event: TrialSet) -> None:
    entry["trial_share"] = event.share


def _armed(entry: Any, event: PolicyArmed) -> None:
    entry["policy"], entry["is_armed"] = event.version, 1


def _disarmed(entry: Any, _: PolicyDisarmed) -> None:
    entry["is_armed"] = 0


_CHANGES: Final[Mapping[str, Callable[[Any, Any], None]]] = {
    "ModelPartStored": _stored,
    "ModelRegistered": _registered,
    "VersionCounted": _counted,
    "AliasMoved": _moved,
    "TrialSet": _trial_set,
    "PolicyArmed": _armed,
    "PolicyDisarmed": _disarmed,
}
