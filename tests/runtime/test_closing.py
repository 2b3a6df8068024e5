"""Business dates that close by themselves: all that are over, whatever stopped and whoever is refused."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import OperationalFault
from formicary.factory.engine.client import EngineRefused
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import FoundAggregates, find_aggregates, read_aggregates
from formicary.factory.engine.requests import ReadRequest, command_request
from formicary.factory.engine.state import Receipt
from formicary.products.lending.portfolio.report import Portfolio
from formicary.products.lending.servicing import charging_off, collecting
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.terms import DAY
from formicary.runtime import closing
from formicary.runtime.closing import Closing, close_and_keep, close_dates, closing_main
from formicary.runtime.health_lending import examine_lending
from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import Settings
from formicary.surfaces.lending.kept import KeptPortfolio
from tests.products.lending.servicing.bank import INSTALMENTS, START, Bank
from tests.products.lending.servicing.test_skipping import closes_account
from tests.runtime.test_children import until
from tests.runtime.test_ledgers import running_engine

NONE = Portfolio(as_of=None, currencies=())
PARTIES = (11, 12, 13, 14, 15)
FIRST_DUE = START + 31


class Asked:
    """A bank's engine as a caller of its socket has it."""

    def __init__(self, bank: Bank) -> None:
        self._engine = bank.engine

    def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Carry a command out."""
        asked = command_request(product, command, principal=principal, key=key)
        (receipt,) = self._engine.execute([asked])
        assert isinstance(receipt, Receipt)
        return receipt

    def aggregates(self, product: str, ids: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return aggregates."""
        found: list[dict[str, Any] | None]
        (found,) = self._engine.execute([ReadRequest(read_aggregates(product, ids))])
        return found

    def find_aggregates(
        self, product: str, field: str, value: int, *, after: int, limit: int
    ) -> FoundAggregates:
        """Find aggregates."""
        look = find_aggregates(product, field, value, after=after, limit=limit)
        found: FoundAggregates
        (found,) = self._engine.execute([ReadRequest(look)])
        return found


def noon(day: int) -> int:
    """Return the middle of a day."""
    return day * DAY + DAY // 2


def lending(tmp_path: Path) -> Bank:
    """Return a bank of which each of five parties owes an instalment on one day."""
    bank = Bank(tmp_path)
    bank.has(*PARTIES)
    for loan, party in enumerate(PARTIES, start=1):
        bank.lends(loan, party, 600_00, INSTALMENTS)
    return bank


def closed(bank: Bank, day: int) -> list[int]:
    """Close what is over at noon of a day."""
    bank.clock.set(noon(day))
    return list(close_dates(Asked(bank), bank.clock.now()))


def test_all_that_is_over_is_closed(tmp_path: Path) -> None:
    """Nothing before the first loan; then from the day before on, also what was missed, and each once."""
    empty = Bank(tmp_path / "empty")
    assert closed(empty, START) == []
    bank = lending(tmp_path / "bank")
    assert closed(bank, START) == [START - 1]
    assert closed(bank, START) == []
    assert closed(bank, START + 4) == [START, START + 1, START + 2, START + 3]
    bank.is_sound()


def test_what_was_off_for_years_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its last date on, however long ago, and however many there are."""
    bank = lending(tmp_path)
    monkeypatch.setattr(closing, "AGGREGATES_READ_MAX", 2)
    assert closed(bank, START) == [START - 1]
    assert closed(bank, START + 4) == [START, START + 1, START + 2, START + 3]
    bank.clock.set(noon(START + 40))
    dates = close_dates(Asked(bank), bank.clock.now())
    assert next(dates) == START + 4


def test_a_close_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    """By the date that is open, from where it is."""
    bank = lending(tmp_path)
    bank.clock.set(noon(START + 1))
    asked = Asked(bank)

    class Killed(BaseException):
        """The process is no more."""

    parts = iter(range(2))

    def once(*_: Any, **__: Any) -> Receipt:
        if next(parts, None) is None:
            raise Killed
        return Asked(bank).command(*_, **__)

    asked.command = once  # type: ignore[method-assign]
    with pytest.raises(Killed):
        list(close_dates(asked, bank.clock.now()))
    assert closed(bank, START + 1) == [START]


def test_whom_the_ledger_refuses_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For a reason that the product does not know: smaller parts find the loan, the others pay."""
    bank = lending(tmp_path)
    closed(bank, FIRST_DUE)
    closes_account(bank, 3)
    # The product does not look at the loan's own account any more.
    monkeypatch.setattr(collecting, "are_held", lambda loans, _: np.ones(len(loans), bool))
    assert closed(bank, FIRST_DUE + 1) == [FIRST_DUE]
    assert [int(bank.loan(loan)["arrears_since"]) for loan in range(1, 6)] == [0, 0, FIRST_DUE, 0, 0]
    (told,) = [message for message in caplog.messages if "passed over" in message]
    assert "closed" in told
    bank.is_sound()


def test_a_loss_that_the_ledger_refuses_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a collection is: the others' losses are taken, and the date is closed."""
    bank = lending(tmp_path)
    for party in PARTIES:
        bank.earns(party, -600_00)
    lost_on = FIRST_DUE + 120
    closed(bank, lost_on)
    closes_account(bank, 3)
    monkeypatch.setattr(charging_off, "are_held", lambda loans, _: np.ones(len(loans), bool))
    assert closed(bank, lost_on + 1) == [lost_on]
    states = [LoanState(int(bank.loan(loan)["state"])) for loan in range(1, 6)]
    lost = LoanState.CHARGED_OFF
    assert states == [lost, lost, LoanState.ACTIVE, lost, lost]
    bank.is_sound()


def test_what_is_no_loans_fault_stops_the_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many are refused, or another step is, somebody must look."""
    bank = lending(tmp_path)
    closed(bank, FIRST_DUE)
    for loan in (1, 2):
        closes_account(bank, loan)
    monkeypatch.setattr(collecting, "are_held", lambda loans, _: np.ones(len(loans), bool))
    monkeypatch.setattr(closing, "PASSED_OVER_MAX", 1)
    with pytest.raises(EngineRefused):
        closed(bank, FIRST_DUE + 1)
    monkeypatch.undo()
    assert closed(bank, FIRST_DUE + 1) == [FIRST_DUE]
    early = Asked(bank)
    with pytest.raises(EngineRefused):
        list(close_dates(early, noon(FIRST_DUE + 9)))


# -- the process ---------------------------------------------------------------------------


class Gone(OperationalFault):
    """Something is not there."""


def over(watch: Closing) -> None:
    """Begin a close that is due, and wait for its end."""
    watch.tend()

    def is_over() -> bool:
        watch.tend()
        return not watch.errand.pid

    until(is_over)


def test_a_day_is_closed_once_and_a_failure_again(tmp_path: Path) -> None:
    """In a process of its own, as soon as it is over; after a fault a little later, and later still."""
    clock, parent, file = SimulatedClock(DAY), os.getpid(), tmp_path / "closes"

    def close() -> None:
        with file.open("a") as told:
            told.write(f"{os.getpid() != parent}\n")
        if (tmp_path / "gone").exists():
            raise Gone

    watch = Closing(close, clock)
    over(watch)
    clock.advance(DAY - 1)
    watch.tend()
    assert not watch.errand.pid
    clock.advance(1)
    (tmp_path / "gone").touch()
    over(watch)
    assert file.read_text() == "True\n" * 2
    clock.advance(30 * 10**9)
    over(watch)
    clock.advance(30 * 10**9)
    watch.tend()
    assert not watch.errand.pid
    (tmp_path / "gone").unlink()
    clock.advance(30 * 10**9)
    over(watch)
    assert file.read_text() == "True\n" * 4
    watch.tend()
    assert not watch.errand.pid


def test_what_is_closed_is_kept(hosted_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real journal: without a loan nothing is closed, and an empty book is shown; then what is new."""
    (check,) = examine_lending(hosted_home)
    assert "no journal" in check.found
    kept = KeptPortfolio(hosted_home.portfolio_folder)
    with running_engine(hosted_home):
        close_and_keep(hosted_home)
        assert b'"as_of":null' in (kept.document() or b"")
        assert b"No business date was closed yet." in (kept.page() or b"")
        assert LocalProgram(hosted_home).portfolio() == NONE
        assert LocalProgram(hosted_home).verify_applications(lambda *_: None).applications == 0
        found: list[Settings] = []

        def find(settings: Settings) -> Portfolio:
            found.append(settings)
            return NONE

        monkeypatch.setattr(closing, "find_portfolio", find)
        close_and_keep(hosted_home)
        assert not found
        monkeypatch.setattr(closing, "close_dates", lambda *_: iter([START]))
        close_and_keep(hosted_home)
        assert found == [hosted_home]


def test_it_ends_at_once(new_home: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Asked to end, the process ends in the middle of a close, and the close's own process with it."""
    started = tmp_path / "started"

    def close(_: Settings) -> None:
        started.write_text(str(os.getpid()))
        threading.Event().wait()

    monkeypatch.setattr(closing, "close_and_keep", close)
    pid = os.fork()
    if not pid:
        closing_main(new_home)
        os._exit(0)
    until(lambda: started.exists() and started.read_text())
    os.kill(pid, signal.SIGTERM)
    assert os.waitpid(pid, 0)[1] == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
