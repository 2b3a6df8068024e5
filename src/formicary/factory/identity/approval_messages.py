"""What is proposed and approved: the messages, refusals and the aggregate of approvals."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final

import msgspec
import numpy as np

from formicary.base.errors import Refusal
from formicary.base.limits import ENTRY_LINES_MAX
from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent
from formicary.factory.identity._fields import Amount, Count, HexId, Time

__all__ = [
    "APPROVAL",
    "ApprovalExists",
    "ApprovalKind",
    "ApprovalNotOpen",
    "ApprovalStatus",
    "Approve",
    "ApproverIsProposer",
    "ApproverNotAllowed",
    "EntryLine",
    "EntryMalformed",
    "EntryProposed",
    "LimitsProposed",
    "ProposalApproved",
    "ProposalExpired",
    "ProposalRejected",
    "ProposeEntry",
    "ProposeLimits",
    "Reject",
]

APPROVAL: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("kind", "<u4"),
        ("status", "<u4"),
        ("proposed_by_high", "<u8"),
        ("proposed_by_low", "<u8"),
        ("decided_by_high", "<u8"),
        ("decided_by_low", "<u8"),
        ("due", "<i8"),
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("daily_amount_max", "<i8"),
        ("daily_count_max", "<u4"),
        ("lines", "<u4"),
        ("debits_high", "<u8", (ENTRY_LINES_MAX,)),
        ("debits_low", "<u8", (ENTRY_LINES_MAX,)),
        ("credits_high", "<u8", (ENTRY_LINES_MAX,)),
        ("credits_low", "<u8", (ENTRY_LINES_MAX,)),
        ("amounts", "<i8", (ENTRY_LINES_MAX,)),
        ("ledgers", "<u4", (ENTRY_LINES_MAX,)),
        ("codes", "<u2", (ENTRY_LINES_MAX,)),
    ]
)
"""A proposal: who made it and until when, and either new limits of a party or the lines of an entry."""


class ApprovalKind(IntEnum):
    """What a proposal is about."""

    ENTRY = 1
    LIMITS = 2


class ApprovalStatus(IntEnum):
    """What became of a proposal."""

    PROPOSED = 1
    APPROVED = 2
    REJECTED = 3
    EXPIRED = 4


class ApprovalExists(Refusal):
    """There is a proposal with this id."""

    code = "approval_exists"


class ApprovalNotOpen(Refusal):
    """There is no such proposal, or it was approved, rejected or has expired."""

    code = "approval_not_open"


class ApproverNotAllowed(Refusal):
    """The credential is not active, or may not approve."""

    code = "approver_not_allowed"


class ApproverIsProposer(Refusal):
    """Whoever proposed something can never approve it, nor can their other credentials."""

    code = "approver_is_proposer"


class EntryMalformed(Refusal):
    """A manual entry has one to eight lines, each of at least one minor unit."""

    code = "entry_malformed"


class EntryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer of a manual entry; the ledger judges the rest of it when it is approved."""

    debit: HexId
    credit: HexId
    amount: Amount
    ledger: Count
    code: Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)]


Lines = Annotated[tuple[EntryLine, ...], msgspec.Meta(max_length=ENTRY_LINES_MAX)]


class ProposeEntry(Command, frozen=True):
    """Ask for transfers by hand; ``by`` is the credential of whoever asks, as everywhere here."""

    by: HexId
    lines: Lines


class ProposeLimits(Command, frozen=True):
    """Ask for other limits of a party; 0 is none."""

    by: HexId
    party: HexId
    daily_amount_max: Amount
    daily_count_max: Count


class Approve(Command, frozen=True):
    """Do what was proposed."""

    by: HexId


class Reject(Command, frozen=True):
    """Do not do what was proposed; whoever proposed it may withdraw it so."""

    by: HexId


class EntryProposed(DomainEvent, frozen=True):
    """Somebody asked for transfers by hand."""

    by: HexId
    due: Time
    lines: Lines


class LimitsProposed(DomainEvent, frozen=True):
    """Somebody asked for other limits of a party."""

    by: HexId
    due: Time
    party: HexId
    daily_amount_max: Amount
    daily_count_max: Count


class ProposalApproved(DomainEvent, frozen=True):
    """A second person agreed, and it was done."""

    by: HexId


class ProposalRejected(DomainEvent, frozen=True):
    """It is not done."""

    by: HexId


class ProposalExpired(DomainEvent, frozen=True):
    """Nobody decided in time."""
