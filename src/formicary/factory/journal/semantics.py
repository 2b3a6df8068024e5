"""Which meaning the kernels had, from which position on.

The rows of the journal are what a kernel decided; a later kernel may decide otherwise. An event
``SemanticsActivated`` dates every change, so that a check folds each era with the rules it was written under,
and a release that is older than the latest era refuses to touch the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from formicary.factory.journal.errors import JournalCorrupted, JournalTooNew
from formicary.factory.journal.events import Event
from formicary.factory.journal.upcasters import Upcasters

__all__ = [
    "SEMANTICS_ACTIVATED",
    "Era",
    "declare_semantics",
    "eras_of",
    "require_known",
    "semantics_activated",
]

SEMANTICS_ACTIVATED: Final = "SemanticsActivated"
_EVENT_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """A version of the kernels' semantics and the position of the event that activated it."""

    semantics: int
    position: int


def declare_semantics(upcasters: Upcasters) -> None:
    """Make the event known; every journal has it."""
    upcasters.declare(SEMANTICS_ACTIVATED, version=_EVENT_VERSION)


def semantics_activated(*, semantics: int, position: int, timestamp: int) -> Event:
    """Return the event from whose position on ``semantics`` holds."""
    return Event(
        position=position,
        timestamp=timestamp,
        kind=SEMANTICS_ACTIVATED,
        version=_EVENT_VERSION,
        command_id=0,
        subject=0,
        body=msgspec.json.encode({"semantics": semantics}),
    )


def eras_of(events: Iterable[Event]) -> tuple[Era, ...]:
    """Return the eras of ``SemanticsActivated`` events in the order of their positions.

    Raises
    ------
    JournalCorrupted
        A version does not increase.
    """
    eras: list[Era] = []
    for event in events:
        era = Era(semantics=msgspec.json.decode(event.body)["semantics"], position=event.position)
        if eras and era.semantics <= eras[-1].semantics:
            message = (
                f"semantics {era.semantics} at position {era.position} follow semantics {eras[-1].semantics}"
            )
            raise JournalCorrupted(message)
        eras.append(era)
    return tuple(eras)


def require_known(eras: tuple[Era, ...], *, semantics: int) -> None:
    """Raise ``JournalTooNew`` when the latest era is newer than ``semantics``, those of the code."""
    if eras and eras[-1].semantics > semantics:
        message = (
            f"the journal has semantics {eras[-1].semantics} from position {eras[-1].position} on; "
            f"this release knows semantics up to {semantics}"
        )
        raise JournalTooNew(message)
