"""What a training set says of itself: what was asked for, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from formicary.base.errors import ProgrammingError, Refusal
from formicary.base.purposes import Purpose, purpose_name
from formicary.factory.features.checked_files import CheckedFile, read_checked, write_whole
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.live import LiveFeature

__all__ = [
    "TrainingManifest",
    "TrainingPart",
    "TrainingRequest",
    "TrainingRowsLost",
    "TrainingSetDiffers",
    "read_json",
    "request_of",
    "sound_parts",
    "write_json",
]


Document = TypeVar("Document", bound=msgspec.Struct)


class TrainingSetDiffers(Refusal):
    """The folder holds another training set, or one that was begun with other arguments or features."""

    code = "training_set_differs"


class TrainingRowsLost(ProgrammingError):
    """Other rows came out than events went in: a training set must leave out nobody."""


class TrainingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes
    ----------
    set, asking, purpose
        The set of features, the kind of its asking event, and what the values are for.
    first, last
        The positions of the journal, both inclusive, whose asking events have rows.
    features
        By name, in the order of their columns: version and hash of the meaning.
    state
        The hash of all that the state's words meant.
    part_positions, part_rows
        How the rows were cut into files.
    """

    set: str
    asking: str
    purpose: str
    first: int
    last: int
    features: dict[str, LiveFeature]
    state: str
    part_positions: int
    part_rows: int
    format: int = 2


class TrainingPart(CheckedFile, frozen=True, kw_only=True):
    """A file: the rows of the asking events after position ``after`` up to ``until``."""

    after: int
    until: int
    rows: int


class TrainingManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A training set; ``state_hash`` is that of all features' rows at its end, in hexadecimal digits."""

    request: TrainingRequest
    rows: int
    parts: tuple[TrainingPart, ...]
    state_hash: str


def request_of(
    compiled: Compiled,
    view: str,
    purpose: Purpose,
    *,
    first: int,
    last: int,
    part_positions: int,
    part_rows: int,
) -> TrainingRequest:
    """Return a request for a set as it is defined now."""
    chosen = compiled.views[view].set
    return TrainingRequest(
        set=view,
        asking=chosen.on.canonical(),
        purpose=purpose_name(purpose),
        first=first,
        last=last,
        features={
            feature.name: LiveFeature(version=feature.version, fingerprint=feature.fingerprint)
            for feature in chosen.features
        },
        state=compiled.fingerprint,
        part_positions=part_positions,
        part_rows=part_rows,
    )


def sound_parts(folder: Path, parts: tuple[TrainingPart, ...]) -> tuple[TrainingPart, ...]:
    """Return the parts up to the first one whose file is missing or not as it was written."""
    sound: list[TrainingPart] = []
    for part in parts:
        if read_checked(folder, part) is None:
            break
        sound.append(part)
    return tuple(sound)


def write_json(folder: Path, name: str, document: msgspec.Struct) -> None:
    """Write a document durably, for programs and for people."""
    write_whole(folder, name, msgspec.json.format(msgspec.json.encode(document), indent=1))


def read_json(folder: Path, name: str, kind: type[Document]) -> Document | None:
    """Return a document, None where there is none.

    Raises
    ------
    TrainingSetDiffers
        It is no document of this kind.
    """
    path = folder / name
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise TrainingSetDiffers(message) from error
