"""The first key: who may use the engine's socket may have one of the house."""

from __future__ import annotations

import os

from formicary.base.clock import Clock
from formicary.base.ids import IdGenerator
from formicary.base.scopes import Scope
from formicary.factory.engine.client import EngineClient
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT, IssueKey
from formicary.factory.identity.keys import new_key
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.products.payments.postings import HOUSE

__all__ = ["house_key"]


def house_key(engine: EngineClient, clock: Clock, *, is_sandbox: bool) -> str:
    """Make a key of the house with every scope, and return its text; the house is registered if it is not."""
    principal = "house key"
    engine.command(
        PARTY_PRODUCT.name,
        RegisterParty(subject=HOUSE, kind=PartyKind.HOUSE),
        principal=principal,
        key="register the house",
    )
    subject = IdGenerator(clock, os.urandom).next()
    made = new_key("test" if is_sandbox else "live", subject, os.urandom)
    engine.command(
        CREDENTIAL_PRODUCT.name,
        IssueKey(
            subject=subject,
            party=f"{HOUSE:032x}",
            hash_first=made.hash_first,
            hash_last=made.hash_last,
            scopes=int(sum(Scope)),
        ),
        principal=principal,
        key=f"issue {subject:032x}",
    )
    return made.text
