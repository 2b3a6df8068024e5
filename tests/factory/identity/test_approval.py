"""Two persons: nothing happens before the second one agrees, and the first can never be the second."""

from __future__ import annotations

import pytest

from formicary.base.scopes import Scope
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.identity.approval_messages import (
    ApprovalKind,
    ApprovalStatus,
    Approve,
    EntryLine,
    ProposeEntry,
    ProposeLimits,
    Reject,
)
from formicary.factory.identity.credential import RevokeKey
from formicary.factory.identity.party import CloseParty, PartyKind
from formicary.factory.ledger import Account, AccountFlags, account_array
from tests.factory.identity.kit import DAY, START, House, hexed

HOUSE, CUSTOMER, PERSON = 2**126 + 1, 2**126 + 2, 2**126 + 3
ADA, BOB, CLERK = 2**125 + 1, 2**125 + 2, 2**125 + 3
PROPOSAL = 2**124 + 1
CASH, SUSPENSE, FLOORED = 2**123 + 1, 2**123 + 2, 2**123 + 3


@pytest.fixture(autouse=True)
def staffed(house: House) -> None:
    """Ada and Bob may propose and approve for the house, a clerk may not; a customer has limits."""
    house.party(HOUSE, PartyKind.HOUSE)
    house.party(CUSTOMER)
    house.key(ADA, HOUSE)
    house.key(BOB, HOUSE, expires=START + 30 * DAY)
    house.key(CLERK, HOUSE, sum(Scope) & ~Scope.APPROVALS_WRITE)
    house.opens(CASH, SUSPENSE)
    floored = Account(id=FLOORED, ledger=826, code=1, flags=AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)
    house.engine.execute([LedgerRequest(account_array([floored]))])


def line(amount: int = 100, debit: int = CASH, credit: int = SUSPENSE) -> EntryLine:
    """Return one transfer of an entry."""
    return EntryLine(debit=hexed(debit), credit=hexed(credit), amount=amount, ledger=826, code=7)


def entry(*lines: EntryLine, by: int = ADA, subject: int = PROPOSAL) -> ProposeEntry:
    """Return the command that proposes an entry."""
    return ProposeEntry(subject=subject, by=hexed(by), lines=lines)


def limits(by: int = ADA, party: int = CUSTOMER) -> ProposeLimits:
    """Return the command that proposes limits."""
    return ProposeLimits(
        subject=PROPOSAL, by=hexed(by), party=hexed(party), daily_amount_max=50_000, daily_count_max=20
    )


def approve(by: int = BOB) -> Approve:
    """Return the command that approves."""
    return Approve(subject=PROPOSAL, by=hexed(by))


def status(house: House) -> int:
    """Return where the proposal stands."""
    found: int = house.has("approval", PROPOSAL)["status"]
    return found


def test_an_entry_moves_money_when_it_is_approved(house: House) -> None:
    """Before that nothing moved; then all lines did, each naming the proposal, and no second time."""
    house.done("approval", entry(line(100), line(30, SUSPENSE, FLOORED)))
    known = house.has("approval", PROPOSAL)
    assert (known["kind"], known["lines"], known["due"]) == (
        ApprovalKind.ENTRY,
        2,
        known["timestamp"] + 7 * DAY,
    )
    assert known["debits"][:3] == [hexed(CASH), hexed(SUSPENSE), hexed(0)]
    assert known["credits"][:3] == [hexed(SUSPENSE), hexed(FLOORED), hexed(0)]
    assert known["amounts"] == [100, 30, 0, 0, 0, 0, 0, 0]
    assert house.balance(SUSPENSE) == 0
    house.done("approval", approve())
    assert (house.balance(CASH), house.balance(SUSPENSE), house.balance(FLOORED)) == (-100, 70, 30)
    made = house.journal.batches[-1].transfers
    assert made["user_data_128_high"].tolist() == [PROPOSAL >> 64] * 2
    assert made["user_data_128_low"].tolist() == [PROPOSAL & (2**64 - 1)] * 2
    assert house.has("approval", PROPOSAL)["decided_by"] == hexed(BOB)
    assert house.refused("approval", approve()) == "approval_not_open"
    house.require_refolds()


def test_limits_change_when_they_are_approved(house: House) -> None:
    """The party's event stands right after the approval's, caused by the same command."""
    house.done("approval", limits())
    assert house.has("party", CUSTOMER)["daily_amount_max"] == 0
    house.done("approval", approve())
    known = house.has("party", CUSTOMER)
    assert (known["daily_amount_max"], known["daily_count_max"]) == (50_000, 20)
    assert house.kinds()[-3:] == ["approval.ProposalApproved", "party.PartyLimitsChanged", "engine.answered"]
    events = house.journal.batches[-1].events
    assert [event.subject for event in events] == [PROPOSAL, CUSTOMER, PROPOSAL]
    assert len({event.command_id for event in events}) == 1
    house.require_refolds()


def test_the_proposer_can_never_approve(house: House) -> None:
    """Not with the same credential, whatever has happened to it; somebody else still can."""
    house.done("approval", entry(line()))
    assert house.refused("approval", approve(by=ADA)) == "approver_is_proposer"
    house.clock.advance(DAY)
    assert house.refused("approval", approve(by=ADA)) == "approver_is_proposer"
    house.done("approval", approve(by=BOB))


def test_one_person_with_two_keys_is_one_person(house: House) -> None:
    """Where the party is a person, none of their credentials is the second pair of eyes."""
    house.party(PERSON)
    house.key(21, PERSON)
    house.key(22, PERSON)
    house.done("approval", entry(line(), by=21))
    assert house.refused("approval", approve(by=22)) == "approver_is_proposer"
    house.done("approval", approve(by=ADA))


def test_a_person_approves_what_another_proposed(house: House) -> None:
    """A person's credential is as good as the house's for what others propose."""
    house.party(PERSON)
    house.key(21, PERSON)
    house.done("approval", entry(line()))
    house.done("approval", approve(by=21))
    assert status(house) == ApprovalStatus.APPROVED


@pytest.mark.parametrize("command", [entry(line(), by=CLERK), limits(by=CLERK), limits(by=404)])
def test_only_who_may_proposes(house: House, command: ProposeEntry | ProposeLimits) -> None:
    """A credential without the scope, or none, is refused."""
    assert house.refused("approval", command) == "approver_not_allowed"


def test_only_who_may_decides(house: House) -> None:
    """Without the scope, revoked, or expired meanwhile: neither approves nor rejects."""
    house.done("approval", entry(line()))
    house.key(23, HOUSE, expires=START + 2 * DAY)
    house.key(24, HOUSE)
    house.done("credential", RevokeKey(subject=24))
    house.clock.advance(2 * DAY)
    for by in (CLERK, 404, 23, 24):
        assert house.refused("approval", approve(by=by)) == "approver_not_allowed"
        assert house.refused("approval", Reject(subject=PROPOSAL, by=hexed(by))) == "approver_not_allowed"
    assert status(house) == ApprovalStatus.PROPOSED


@pytest.mark.parametrize("by", [ADA, BOB])
def test_a_proposal_is_rejected_or_withdrawn(house: House, by: int) -> None:
    """After that nobody approves it; an id is used once."""
    house.done("approval", limits())
    house.done("approval", Reject(subject=PROPOSAL, by=hexed(by)))
    assert status(house) == ApprovalStatus.REJECTED
    assert house.refused("approval", approve()) == "approval_not_open"
    assert house.refused("approval", limits()) == "approval_exists"
    assert house.refused("approval", entry(line())) == "approval_exists"
    house.require_refolds()


def test_a_proposal_expires_after_a_week(house: House) -> None:
    """The timer ends it; one that was decided is not touched by its timer."""
    house.done("approval", entry(line(), subject=PROPOSAL + 1))
    house.done("approval", Approve(subject=PROPOSAL + 1, by=hexed(BOB)))
    house.done("approval", entry(line()))
    house.clock.advance(7 * DAY - 10**6)
    house.engine.execute([])
    assert status(house) == ApprovalStatus.PROPOSED
    house.clock.advance(10**7)
    house.engine.execute([])
    assert house.refused("approval", Approve(subject=5, by=hexed(BOB))) == "approval_not_open"
    assert status(house) == ApprovalStatus.EXPIRED
    assert house.refused("approval", approve()) == "approval_not_open"
    assert house.has("approval", PROPOSAL + 1)["status"] == ApprovalStatus.APPROVED
    assert house.engine.state.timers == {}
    house.require_refolds()


def test_what_the_ledger_refuses_stays_proposed(house: House) -> None:
    """The ledger's word is the answer, no line moved, and the proposal can be approved later."""
    house.done("approval", entry(line(5), line(100, FLOORED, CASH)))
    assert house.refused("approval", approve()) == "exceeds_credits"
    assert (status(house), house.balance(SUSPENSE)) == (ApprovalStatus.PROPOSED, 0)
    house.pays(9, SUSPENSE, FLOORED, 100)
    house.done("approval", approve())
    assert (house.balance(SUSPENSE), house.balance(FLOORED)) == (-95, 0)


@pytest.mark.parametrize("lines", [(), (line(0),)])
def test_an_entry_has_lines_with_amounts(house: House, lines: tuple[EntryLine, ...]) -> None:
    """Nothing to move is nothing to approve."""
    assert house.refused("approval", entry(*lines)) == "entry_malformed"


def test_an_entry_has_no_more_lines_than_fit(house: House) -> None:
    """Eight lines are the most; nine break the command's own bounds."""
    assert house.refused("approval", entry(*[line(1)] * 9)) == "malformed_command"
    house.done("approval", entry(*[line(1)] * 8))
    house.done("approval", approve())
    assert house.balance(SUSPENSE) == 8


def test_limits_are_those_of_an_active_party(house: House) -> None:
    """Neither proposed nor approved for one that is not there, or not any more."""
    assert house.refused("approval", limits(party=404)) == "party_not_found"
    house.done("approval", limits())
    house.done("party", CloseParty(subject=CUSTOMER))
    assert house.refused("approval", approve()) == "party_not_active"
