"""Two persons: one proposes a manual entry or other limits, another one approves, and then it is done.

A proposal does nothing by itself. The approval moves the money, or changes the party, in the same commit.
Who proposed can never approve: neither with the same credential nor, where the credential's party is a
person, with another one of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from formicary.base.limits import APPROVAL_SECONDS_MAX, ENTRY_LINES_MAX
from formicary.base.scopes import Scope
from formicary.factory.engine.products import (
    Command,
    Consequence,
    Context,
    Decision,
    Product,
    Timer,
    TimerFired,
)
from formicary.factory.identity._fields import Rows, id_of, put_ids, require_well_formed
from formicary.factory.identity.approval_messages import (
    APPROVAL,
    ApprovalExists,
    ApprovalKind,
    ApprovalNotOpen,
    ApprovalStatus,
    Approve,
    ApproverIsProposer,
    ApproverNotAllowed,
    EntryLine,
    EntryMalformed,
    EntryProposed,
    LimitsProposed,
    ProposalApproved,
    ProposalExpired,
    ProposalRejected,
    ProposeEntry,
    ProposeLimits,
    Reject,
)
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT, CredentialStatus
from formicary.factory.identity.party import (
    PARTY_PRODUCT,
    PartyKind,
    PartyLimitsChanged,
    require_active_party,
)
from formicary.factory.ledger import Transfer

__all__ = ["APPROVAL_PRODUCT"]

_EXPIRE: Final = "expire"
_SECOND: Final = 10**9


def decide(command: Command | TimerFired, approval: Rows | None, context: Context) -> Decision:
    """Decide a command about a proposal, or its expiry."""
    require_well_formed(command)
    match command:
        case ProposeEntry():
            return _propose_entry(command, approval, context)
        case ProposeLimits():
            return _propose_limits(command, approval, context)
    is_open = approval is not None and approval["status"] == ApprovalStatus.PROPOSED
    if isinstance(command, TimerFired):
        return Decision(events=[ProposalExpired()] if is_open else [])
    if approval is None or not is_open:
        raise ApprovalNotOpen
    return _approve(command, approval, context) if isinstance(command, Approve) else _reject(command, context)


def evolve(kind: str, approvals: Rows, events: Sequence[Any]) -> None:
    """Change proposals (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](approvals, events)


# -- deciding ------------------------------------------------------------------------------


def _propose_entry(command: ProposeEntry, approval: Rows | None, context: Context) -> Decision:
    if not 0 < len(command.lines) <= ENTRY_LINES_MAX or any(line.amount < 1 for line in command.lines):
        raise EntryMalformed
    due = _open(command.by, approval, context)
    return _proposed(EntryProposed(by=command.by, due=due, lines=command.lines))


def _propose_limits(command: ProposeLimits, approval: Rows | None, context: Context) -> Decision:
    due = _open(command.by, approval, context)
    require_active_party(context, int(command.party, 16))
    proposed = LimitsProposed(
        by=command.by,
        due=due,
        party=command.party,
        daily_amount_max=command.daily_amount_max,
        daily_count_max=command.daily_count_max,
    )
    return _proposed(proposed)


def _open(by: str, approval: Rows | None, context: Context) -> int:
    """Return when a new proposal expires, in nanoseconds."""
    if approval is not None:
        raise ApprovalExists
    _require_approver(by, context)
    return context.now + APPROVAL_SECONDS_MAX * _SECOND


def _proposed(event: EntryProposed | LimitsProposed) -> Decision:
    timer = Timer(name=_EXPIRE, due=event.due)
    return Decision(events=[event], timers=[timer], answer={"due": event.due})


def _approve(command: Approve, approval: Rows, context: Context) -> Decision:
    party = _require_approver(command.by, context)
    _require_another_person(int(command.by, 16), party, approval, context)
    approved = ProposalApproved(by=command.by)
    if approval["kind"] == ApprovalKind.ENTRY:
        return Decision(events=[approved], transfers=_transfers(approval))
    changed = id_of(approval, "party")
    require_active_party(context, changed)
    limits = PartyLimitsChanged(
        daily_amount_max=int(approval["daily_amount_max"]), daily_count_max=int(approval["daily_count_max"])
    )
    effect = Consequence(product=PARTY_PRODUCT.name, subject=changed, event=limits)
    return Decision(events=[approved], consequences=[effect])


def _reject(command: Any, context: Context) -> Decision:
    _require_approver(command.by, context)
    return Decision(events=[ProposalRejected(by=command.by)])


def _require_approver(by: str, context: Context) -> int:
    """Return the party of a credential that may propose and approve.

    The way in has authenticated it; that it may do this is looked at here as well.
    """
    credential = context.aggregate(CREDENTIAL_PRODUCT.name, int(by, 16))
    if (
        credential is None
        or credential["status"] != CredentialStatus.ACTIVE
        or 0 < credential["expires"] <= context.now
        or not int(credential["scopes"]) & Scope.APPROVALS_WRITE
    ):
        raise ApproverNotAllowed
    return id_of(credential, "party")


def _require_another_person(by: int, party: int, approval: Rows, context: Context) -> None:
    proposed_by = id_of(approval, "proposed_by")
    if by == proposed_by:
        raise ApproverIsProposer
    proposer = context.aggregate(CREDENTIAL_PRODUCT.name, proposed_by)
    known = context.aggregate(PARTY_PRODUCT.name, party)
    # Several people act for a house, each with a credential; a person is one, with however many.
    is_one_person = known is not None and known["kind"] == PartyKind.PERSON
    if is_one_person and proposer is not None and id_of(proposer, "party") == party:
        raise ApproverIsProposer


def _transfers(approval: Rows) -> list[Transfer]:
    return [
        Transfer(
            id=0,
            debit_account_id=_line_id(approval, "debits", i),
            credit_account_id=_line_id(approval, "credits", i),
            amount=int(approval["amounts"][i]),
            ledger=int(approval["ledgers"][i]),
            code=int(approval["codes"][i]),
            user_data_128=id_of(approval, "id"),
        )
        for i in range(int(approval["lines"]))
    ]


def _line_id(approval: Rows, name: str, line: int) -> int:
    return (int(approval[f"{name}_high"][line]) << 64) | int(approval[f"{name}_low"][line])


# -- evolving ------------------------------------------------------------------------------


def _entry_proposed(approvals: Rows, events: Sequence[EntryProposed]) -> None:
    _put_proposal(approvals, events, ApprovalKind.ENTRY)
    approvals["lines"] = [len(event.lines) for event in events]
    for i, event in enumerate(events):
        _put_lines(approvals[i], event.lines)


def _put_lines(approval: Any, lines: Sequence[EntryLine]) -> None:
    written = slice(0, len(lines))
    columns = {
        "amounts": [line.amount for line in lines],
        "ledgers": [line.ledger for line in lines],
        "codes": [line.code for line in lines],
    }
    for name, ids in (
        ("debits", [line.debit for line in lines]),
        ("credits", [line.credit for line in lines]),
    ):
        columns[f"{name}_high"] = [int(text[:16], 16) for text in ids]
        columns[f"{name}_low"] = [int(text[16:], 16) for text in ids]
    for name, values in columns.items():
        approval[name][:] = 0
        approval[name][written] = np.array(values, APPROVAL[name].base)


def _limits_proposed(approvals: Rows, events: Sequence[LimitsProposed]) -> None:
    _put_proposal(approvals, events, ApprovalKind.LIMITS)
    put_ids(approvals, "party", [event.party for event in events])
    approvals["daily_amount_max"] = [event.daily_amount_max for event in events]
    approvals["daily_count_max"] = [event.daily_count_max for event in events]


def _put_proposal(
    approvals: Rows, events: Sequence[EntryProposed] | Sequence[LimitsProposed], kind: ApprovalKind
) -> None:
    approvals["kind"] = kind
    approvals["status"] = ApprovalStatus.PROPOSED
    approvals["due"] = [event.due for event in events]
    put_ids(approvals, "proposed_by", [event.by for event in events])


def _approved(approvals: Rows, events: Sequence[ProposalApproved]) -> None:
    approvals["status"] = ApprovalStatus.APPROVED
    put_ids(approvals, "decided_by", [event.by for event in events])


def _rejected(approvals: Rows, events: Sequence[ProposalRejected]) -> None:
    approvals["status"] = ApprovalStatus.REJECTED
    put_ids(approvals, "decided_by", [event.by for event in events])


def _expired(approvals: Rows, _: Sequence[ProposalExpired]) -> None:
    approvals["status"] = ApprovalStatus.EXPIRED


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "EntryProposed": _entry_proposed,
    "LimitsProposed": _limits_proposed,
    "ProposalApproved": _approved,
    "ProposalRejected": _rejected,
    "ProposalExpired": _expired,
}

APPROVAL_PRODUCT: Final = Product(
    name="approval",
    aggregate=APPROVAL,
    commands=(ProposeEntry, ProposeLimits, Approve, Reject),
    events=(EntryProposed, LimitsProposed, ProposalApproved, ProposalRejected, ProposalExpired),
    decide=decide,
    evolve=evolve,
    timers=(_EXPIRE,),
    neighbours=(PARTY_PRODUCT, CREDENTIAL_PRODUCT),
)
