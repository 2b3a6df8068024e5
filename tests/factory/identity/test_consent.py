"""Consent: said by the party for one purpose at a time, to known words, and taken back at any time."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.purposes import NEEDS_CONSENT, Purpose, wording_of
from formicary.factory.identity.consent import (
    CONSENT,
    ConsentAct,
    ConsentGranted,
    ConsentRevoked,
    GrantConsent,
    RevokeConsent,
    evolve,
)
from formicary.factory.identity.party import CloseParty, EraseParty, PartyKind
from formicary.factory.journal.events import Event
from tests.factory.identity.kit import House

PARTY = 2**126 + 3
WORDS, OTHER_WORDS = wording_of("You may look at my payments."), wording_of("You may look at everything.")


def grant(
    purpose: Purpose = Purpose.CREDIT, wording: str = WORDS, act: ConsentAct = ConsentAct.SIGNED_IN_PARTY
) -> GrantConsent:
    """Return a command by which the party agrees."""
    return GrantConsent(subject=PARTY, purpose=purpose, wording=wording, act=act)


def revoke(purpose: Purpose = Purpose.CREDIT) -> RevokeConsent:
    """Return a command by which the party takes it back."""
    return RevokeConsent(subject=PARTY, purpose=purpose)


def said(house: House) -> list[Event]:
    """Return every event of consent in the journal."""
    events = [event for batch in house.journal.batches for event in batch.events]
    return [event for event in events if event.kind.startswith("consent.")]


@pytest.mark.parametrize("kind", PartyKind)
def test_registering_a_party_grants_nothing(house: House, kind: PartyKind) -> None:
    """Nobody agreed to anything by taking part."""
    house.party(PARTY, kind)
    assert house.look("consent", PARTY) is None
    assert said(house) == []


@pytest.mark.parametrize("purpose", sorted(NEEDS_CONSENT))
@pytest.mark.parametrize("act", ConsentAct)
def test_a_party_agrees_to_one_purpose(house: House, purpose: Purpose, act: ConsentAct) -> None:
    """The event holds what was agreed to, to which words and how; no other purpose comes along."""
    house.party(PARTY)
    house.done("consent", grant(purpose, act=act))
    (event,) = said(house)
    assert (event.kind, event.subject) == ("consent.ConsentGranted", PARTY)
    assert msgspec.json.decode(event.body) == {
        "type": "ConsentGranted",
        "purpose": int(purpose),
        "wording": WORDS,
        "act": int(act),
    }
    known = house.has("consent", PARTY)
    assert known["granted"] == 1 << purpose
    assert (known["wordings"][purpose], known["acts"][purpose]) == (WORDS, act)
    assert (known["grants"], known["revocations"]) == (1, 0)
    house.require_refolds()


def test_fraud_is_not_asked_for(house: House) -> None:
    """What does not rest on consent must not look as if it did: it could be taken back."""
    house.party(PARTY)
    assert house.refused("consent", grant(Purpose.FRAUD)) == "consent_not_needed"
    assert house.refused("consent", revoke(Purpose.FRAUD)) == "consent_not_given"


def test_the_same_words_are_agreed_to_once(house: House) -> None:
    """Other words are agreed to anew, and replace the earlier ones."""
    house.party(PARTY)
    house.done("consent", grant())
    assert house.refused("consent", grant(act=ConsentAct.WRITTEN)) == "consent_already_given"
    house.done("consent", grant(wording=OTHER_WORDS, act=ConsentAct.WRITTEN))
    known = house.has("consent", PARTY)
    assert (known["wordings"][Purpose.CREDIT], known["acts"][Purpose.CREDIT]) == (OTHER_WORDS, 2)
    assert known["grants"] == 2
    house.require_refolds()


def test_consent_is_taken_back_and_given_again(house: House) -> None:
    """Taking back leaves the other purposes; the same words may be agreed to again after it."""
    house.party(PARTY)
    assert house.refused("consent", revoke()) == "consent_not_given"
    house.done("consent", grant())
    house.done("consent", grant(Purpose.RESEARCH))
    house.done("consent", revoke())
    known = house.has("consent", PARTY)
    assert known["granted"] == 1 << Purpose.RESEARCH
    assert (int(known["wordings"][Purpose.CREDIT], 16), known["acts"][Purpose.CREDIT]) == (0, 0)
    assert msgspec.json.decode(said(house)[-1].body) == {"type": "ConsentRevoked", "purpose": Purpose.CREDIT}
    assert house.refused("consent", revoke()) == "consent_not_given"
    house.done("consent", grant())
    assert house.has("consent", PARTY)["revocations"] == 1
    house.require_refolds()


def test_only_an_active_party_agrees(house: House) -> None:
    """Who is not known, closed or erased agrees to nothing new."""
    assert house.refused("consent", grant()) == "party_not_found"
    house.party(PARTY)
    house.done("party", CloseParty(subject=PARTY))
    assert house.refused("consent", grant()) == "party_not_active"
    house.done("party", EraseParty(subject=PARTY))
    assert house.refused("consent", grant()) == "party_not_active"


def test_a_closed_party_takes_its_consent_back(house: House) -> None:
    """Leaving must not make a consent last for ever."""
    house.party(PARTY)
    house.done("consent", grant())
    house.done("party", CloseParty(subject=PARTY))
    house.done("consent", revoke())
    assert house.has("consent", PARTY)["granted"] == 0


COMPLETE: dict[str, Any] = {"type": "GrantConsent", "subject": 7, "purpose": 1, "wording": WORDS, "act": 1}


@pytest.mark.parametrize("missing", ["purpose", "wording", "act"])
def test_nothing_is_taken_as_said(missing: str) -> None:
    """A grant that leaves out its purpose, its words or the party's act is no command at all."""
    assert msgspec.convert(COMPLETE, GrantConsent) == msgspec.structs.replace(grant(), subject=7)
    body = {name: value for name, value in COMPLETE.items() if name != missing}
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert(body, GrantConsent)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purpose", 31),
        ("purpose", [1, 2]),
        ("wording", ""),
        ("wording", "0" * 32),
        ("wording", WORDS.upper()),
        ("wording", f"{WORDS}0"),
        ("act", 0),
        ("act", 4),
    ],
)
def test_a_malformed_grant_is_answered(house: House, field: str, value: Any) -> None:
    """Also one that a caller in the same process made by hand: several purposes, no text, nobody's act."""
    house.party(PARTY)
    given: dict[str, Any] = {"purpose": Purpose.CREDIT, "wording": WORDS, "act": ConsentAct.WRITTEN}
    bad = GrantConsent(subject=PARTY, **(given | {field: value}))
    assert house.refused("consent", bad) == "malformed_command"


@given(st.lists(st.tuples(st.sampled_from(sorted(NEEDS_CONSENT)), st.booleans()), max_size=40))
def test_what_holds_is_what_was_said_last(words: list[tuple[Purpose, bool]]) -> None:
    """Whatever order things are said in, a purpose holds if and only if the last word on it was yes."""
    consents = np.zeros(1, CONSENT)
    for purpose, agrees in words:
        event = (
            ConsentGranted(purpose=purpose, wording=WORDS, act=ConsentAct.SPOKEN)
            if agrees
            else ConsentRevoked(purpose=purpose)
        )
        evolve(type(event).__name__, consents, [event])
    last = dict(words)
    for purpose in Purpose:
        holds = last.get(purpose, False)
        assert bool(int(consents["granted"][0]) >> purpose & 1) == holds
        assert bool(consents["wordings_low"][0, purpose]) == holds
