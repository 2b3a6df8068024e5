"""The close takes the losses of loans that are late for too long: as the command does, wherever it is cut."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from formicary.products.lending.product import BUSINESS_DATES
from formicary.products.lending.servicing import charging_off, close
from formicary.products.lending.servicing.charging_off import too_late
from formicary.products.lending.servicing.close import CloseBusinessDate
from formicary.products.lending.servicing.close_rules import CloseRules, CurrencyRules
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import LOAN, LoanKind, LoanState
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.schemas import ChargeOff, Draw, RecordRecovery, WriteBack
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, Bank, hex_of
from tests.products.lending.servicing.test_exposure import book, walked
from tests.products.lending.servicing.test_outcomes import told
from tests.products.lending.servicing.test_providing import allowances, moved_on
from tests.products.lending.servicing.test_skipping import closes_account

PARTIES = (11, 12, 13, 14)
FIRST_DUE = START + 31
LOST_ON = FIRST_DUE + 120
WITH_FEE = msgspec.structs.replace(INSTALMENTS, fee=2_00)


def late_bank(folder: Path, terms: LoanTerms = WITH_FEE) -> Bank:
    """Return a bank two of whose loans and one of whose lines are never paid; the fourth loan is."""
    folder.mkdir(exist_ok=True)
    bank = Bank(folder)
    bank.has(*PARTIES)
    for loan in (1, 2):
        bank.lends(loan, 10 + loan, 600_00, terms, is_collected=False)
    assert bank.offers(3, 13, 900_00, LINE).code == ""
    assert bank.accepts(3, 3, 13, 900_00, is_collected=False).code == ""
    assert bank.asks(Draw(subject=3, amount=400_00)).code == ""
    bank.earns(14, 100_00)
    bank.lends(4, 14, 600_00, terms)
    return bank


def lives_until(bank: Bank, day: int) -> None:
    """Close all dates before a day."""
    while bank.day < day:
        bank.closes(bank.day)


def states(bank: Bank) -> list[LoanState]:
    """Return where the four loans are."""
    return [LoanState(int(bank.loan(loan)["state"])) for loan in (1, 2, 3, 4)]


def columns(bank: Bank) -> list[object]:
    """Return all loans but for what the moment of their command says."""
    loans = bank.engine.state.aggregates["loan"].records
    names = [name for name in loans.dtype.names or () if name not in {"timestamp", "events"}]
    return list(loans[names].tolist())


def test_losses_are_taken_on_their_day(tmp_path: Path) -> None:
    """Instalment loans at 120 days, lines at 180: on the very date, with all that is told of it elsewhere."""
    bank = late_bank(tmp_path)
    lives_until(bank, LOST_ON)
    active, lost = LoanState.ACTIVE, LoanState.CHARGED_OFF
    assert states(bank)[:3] == [active] * 3
    before, losses = [bank.loan(loan) for loan in (1, 2)], house_account_id(LoanAccount.LOSSES, EUR)
    assert bank.balance(losses) == 0
    answers = bank.closes(LOST_ON)
    assert sum(answer.get("losses", 0) for answer in answers) == 2
    assert states(bank)[:3] == [lost, lost, active]
    taken = sum(
        int(one["balance"] + one["interest_due"] + one["accrued"] - one["unbooked"] + one["fees_due"])
        for one in before
    )
    assert -bank.balance(losses) == taken
    assert book(bank) == walked(bank)
    assert sum(int(bank.loan(loan)["charged_principal"]) for loan in (1, 2)) == 1_200_00
    assert told(bank)[-2:] == [(1, 0, 1, 0), (2, 0, 1, 0)]
    # What was put aside for them is released by the same close.
    assert sum(row.gone for row in moved_on(bank, LOST_ON)) == sum(int(one["allowance"]) for one in before)
    assert allowances(bank)[2] == int(bank.loan(3)["allowance"]) > 0
    (event,) = [one for one in bank.events("business_date.DateChargedOff") if one.subject == LOST_ON]
    assert (event.data["losses"], event.data["rules"]["charge_off_days"]) == (2, 120)
    bank.is_sound()
    bank.recovers()
    bank.earns(11, 50_00)
    assert bank.asks(RecordRecovery(subject=1, amount=50_00)).code == ""
    lives_until(bank, FIRST_DUE + 181)
    assert states(bank)[:3] == [lost] * 3
    assert allowances(bank)[2] == 0
    assert len([one for one in told(bank) if one[2]]) == 3
    bank.is_sound()


def test_it_comes_to_what_the_command_does(tmp_path: Path) -> None:
    """The same is owed of a loan that is charged off by hand, once it is brought to the date."""
    by_close, by_hand = late_bank(tmp_path / "close"), late_bank(tmp_path / "hand")
    for bank in (by_close, by_hand):
        lives_until(bank, LOST_ON)
    by_hand.clock.set(LOST_ON * 86_400 * 10**9 + 1)
    for loan in (1, 2):
        assert by_hand.asks(ChargeOff(subject=loan)).code == ""
    for bank in (by_close, by_hand):
        bank.closes(LOST_ON)
        assert bank.events("loan.LoanChargedOff") == [] or bank is by_hand
    assert columns(by_close) == columns(by_hand)
    for code in LoanAccount:
        account = house_account_id(code, EUR)
        assert by_close.balance(account) == by_hand.balance(account), code
    assert sorted(told(by_close)) == sorted(told(by_hand))


def test_a_close_that_is_cut_and_killed_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of one loss, each told twice and followed by another engine."""
    whole, cut = late_bank(tmp_path / "whole"), late_bank(tmp_path / "cut")
    for bank in (whole, cut):
        lives_until(bank, LOST_ON)
    whole.closes(LOST_ON)
    monkeypatch.setattr(charging_off, "CHARGE_OFFS_MAX", 1)
    monkeypatch.setattr(close, "CLOSE_LOANS_MAX", 3)
    cut.clock.set((LOST_ON + 1) * 86_400 * 10**9)
    parts, answer = 0, {"is_closed": False}
    while not answer["is_closed"]:
        command = CloseBusinessDate(subject=LOST_ON)
        receipt = cut.does(BUSINESS_DATES, command, key=f"part {parts}")
        assert cut.does(BUSINESS_DATES, command, key=f"part {parts}") == receipt
        assert receipt.code == ""
        cut.recovers()
        parts, answer = parts + 1, receipt.answer
    told_of = [one for one in cut.events("business_date.DateChargedOff") if one.subject == LOST_ON]
    ended = [one.data["charged_off"] for one in told_of]
    assert ended == [1, 4]
    assert columns(cut) == columns(whole)
    cut.is_sound()


def test_what_the_ledger_would_refuse_is_skipped(tmp_path: Path) -> None:
    """A loan whose account is closed stays as it is, and is named; the others' losses are taken."""
    bank = late_bank(tmp_path)
    lives_until(bank, LOST_ON)
    closes_account(bank, 1)
    bank.closes(LOST_ON)
    assert states(bank)[:2] == [LoanState.ACTIVE, LoanState.CHARGED_OFF]
    (event,) = [one for one in bank.events("business_date.DateChargedOff") if one.subject == LOST_ON]
    assert (event.data["skipped"], event.data["skips"]) == (1, [hex_of(1)])
    bank.is_sound()
    bank.recovers()


def test_whoever_closes_may_ask_for_less(tmp_path: Path) -> None:
    """A part of one loss, and one that passes the next, which is looked at again the day after."""
    bank = late_bank(tmp_path)
    lives_until(bank, LOST_ON)
    bank.clock.set((LOST_ON + 1) * 86_400 * 10**9)
    for _ in range(3):
        assert bank.does(BUSINESS_DATES, CloseBusinessDate(subject=LOST_ON)).code == ""
    one = bank.does(BUSINESS_DATES, CloseBusinessDate(subject=LOST_ON, most=1)).answer
    assert (one["losses"], one["charged_off"]) == (1, 1)
    passed = bank.does(BUSINESS_DATES, CloseBusinessDate(subject=LOST_ON, passes=True)).answer
    assert (passed["losses"], passed["skipped"], passed["charged_off"]) == (0, 1, 4)
    bank.closes(LOST_ON)
    assert states(bank)[:2] == [LoanState.CHARGED_OFF, LoanState.ACTIVE]
    bank.closes(LOST_ON + 1)
    assert states(bank)[:2] == [LoanState.CHARGED_OFF] * 2


def test_a_loss_that_was_taken_back_is_given_time(tmp_path: Path) -> None:
    """Days are counted again from the day of the write-back; what is due stays due since it was."""
    bank = late_bank(tmp_path)
    lives_until(bank, LOST_ON + 1)
    assert bank.asks(WriteBack(subject=1)).code == ""
    back = bank.day
    lives_until(bank, back + 120)
    assert states(bank)[:2] == [LoanState.ACTIVE, LoanState.CHARGED_OFF]
    assert int(bank.loan(1)["arrears_since"]) == FIRST_DUE
    bank.closes(back + 120)
    assert states(bank)[0] == LoanState.CHARGED_OFF
    bank.is_sound()


def test_who_is_late_for_too_long() -> None:
    """By kind and currency, from the very day on; 0 is never, and what is not active is not looked at."""
    loans = np.zeros(8, LOAN)
    loans["kind"] = [LoanKind.INSTALMENT] * 6 + [LoanKind.LINE] * 2
    loans["currency"] = [EUR, EUR, 826, 840, EUR, EUR, EUR, 826]
    loans["state"] = LoanState.ACTIVE
    loans["state"][4] = LoanState.CHARGED_OFF
    loans["arrears_since"] = [880, 881, 970, 1, 1, 0, 820, 1]
    own = (
        CurrencyRules(currency=826, rules=CloseRules(charge_off_days=30, line_charge_off_days=0)),
        CurrencyRules(currency=840, rules=CloseRules(charge_off_days=0)),
    )
    found = too_late(loans, 1_000, CloseRules(), own)
    assert np.flatnonzero(found).tolist() == [0, 2, 6]
    assert np.flatnonzero(too_late(loans, 1_000, CloseRules())).tolist() == [0, 3, 6, 7]
