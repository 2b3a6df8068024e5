"""Consent: for which purposes a party agreed that its data are used, to which words, and how it said so.

One command names one purpose, the hash of the exact text that the party was shown, and the party's own act.
There is no default, no form for several purposes, and nothing that another command brings along: a box that
was ticked beforehand cannot be written down here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from formicary.base.errors import Refusal
from formicary.base.purposes import NEEDS_CONSENT, PURPOSES_MAX, Purpose
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.identity._fields import Rows, require_well_formed
from formicary.factory.identity.party import PARTY_PRODUCT, require_active_party

__all__ = [
    "CONSENT",
    "CONSENT_PRODUCT",
    "ConsentAct",
    "ConsentAlreadyGiven",
    "ConsentGranted",
    "ConsentNotGiven",
    "ConsentNotNeeded",
    "ConsentRevoked",
    "GrantConsent",
    "RevokeConsent",
]

CONSENT: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("granted", "<u4"),
        ("grants", "<u4"),
        ("revocations", "<u4"),
        ("wordings_high", "<u8", (PURPOSES_MAX,)),
        ("wordings_low", "<u8", (PURPOSES_MAX,)),
        ("acts", "u1", (PURPOSES_MAX,)),
    ]
)
"""What a party, whose id this bears, agrees to now: a bit for each purpose, and by its number the hash of
the words and the act; zero where it does not agree. When it was said is in the journal."""

_WORD: Final = 2**64 - 1

Wording = Annotated[str, msgspec.Meta(pattern="^(?!0{32})[0-9a-f]{32}$", max_length=32)]
"""The hash of the exact text that a party was shown, as ``wording_of`` makes it; zero is no text's."""


class ConsentAct(IntEnum):
    """How the party itself expressed it; silence, and a box that somebody else ticked, are none of these."""

    SIGNED_IN_PARTY = 1
    """The party was signed in, and its own token pressed."""

    WRITTEN = 2
    """The party signed a paper."""

    SPOKEN = 3
    """The party said it in a call that was recorded."""


class ConsentNotNeeded(Refusal):
    """The purpose does not rest on consent, so that nobody is asked for it."""

    code = "consent_not_needed"


class ConsentAlreadyGiven(Refusal):
    """The party agrees to the purpose already, to the same words."""

    code = "consent_already_given"


class ConsentNotGiven(Refusal):
    """The party does not agree to the purpose, so that there is nothing to take back."""

    code = "consent_not_given"


class GrantConsent(Command, frozen=True):
    """Write down that the party ``subject`` agreed to one purpose; other words replace earlier ones."""

    purpose: Purpose
    wording: Wording
    act: ConsentAct


class RevokeConsent(Command, frozen=True):
    """Take consent to one purpose back; no reason is asked for, and a closed party may as well."""

    purpose: Purpose


class ConsentGranted(DomainEvent, frozen=True):
    """The party agreed to a purpose."""

    purpose: Purpose
    wording: Wording
    act: ConsentAct


class ConsentRevoked(DomainEvent, frozen=True):
    """The party does not agree to a purpose any more."""

    purpose: Purpose


def decide(command: Command | TimerFired, consent: Rows | None, context: Context) -> Decision:
    """Decide a command about a party's consent."""
    require_well_formed(command)
    if isinstance(command, GrantConsent):
        return _grant(command, consent, context)
    assert isinstance(command, RevokeConsent)  # noqa: S101, as the manifest says
    if not _wording(consent, command.purpose):
        raise ConsentNotGiven
    return Decision(events=[ConsentRevoked(purpose=command.purpose)])


def _grant(command: GrantConsent, consent: Rows | None, context: Context) -> Decision:
    if command.purpose not in NEEDS_CONSENT:
        raise ConsentNotNeeded
    require_active_party(context, command.subject)
    if _wording(consent, command.purpose) == int(command.wording, 16):
        raise ConsentAlreadyGiven
    granted = ConsentGranted(purpose=command.purpose, wording=command.wording, act=command.act)
    return Decision(events=[granted])


def _wording(consent: Rows | None, purpose: Purpose) -> int:
    """Return the hash of the words that a party agrees to, 0 where it does not agree."""
    if consent is None:
        return 0
    return (int(consent["wordings_high"][purpose]) << 64) | int(consent["wordings_low"][purpose])


def evolve(kind: str, consents: Rows, events: Sequence[Any]) -> None:
    """Change consents (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](consents, events)


def _granted(consents: Rows, events: Sequence[ConsentGranted]) -> None:
    consents["granted"] |= _bits(events)
    consents["grants"] += 1
    wordings = [int(event.wording, 16) for event in events]
    _put(consents, events, wordings, [event.act for event in events])


def _revoked(consents: Rows, events: Sequence[ConsentRevoked]) -> None:
    consents["granted"] &= ~_bits(events)
    consents["revocations"] += 1
    nothing = [0] * len(events)
    _put(consents, events, nothing, nothing)


def _bits(events: Sequence[ConsentGranted | ConsentRevoked]) -> Rows:
    return np.array([1 << event.purpose for event in events], np.uint32)


def _put(
    consents: Rows,
    events: Sequence[ConsentGranted | ConsentRevoked],
    wordings: Sequence[int],
    acts: Sequence[int],
) -> None:
    places = np.arange(len(events)), [event.purpose for event in events]
    consents["wordings_high"][places] = [wording >> 64 for wording in wordings]
    consents["wordings_low"][places] = [wording & _WORD for wording in wordings]
    consents["acts"][places] = acts


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "ConsentGranted": _granted,
    "ConsentRevoked": _revoked,
}

CONSENT_PRODUCT: Final = Product(
    name="consent",
    aggregate=CONSENT,
    commands=(GrantConsent, RevokeConsent),
    events=(ConsentGranted, ConsentRevoked),
    decide=decide,
    evolve=evolve,
    neighbours=(PARTY_PRODUCT,),
)
