"""Deciding: groups, products' commands, timers, and the journal they leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import Refusal
from formicary.factory.engine import state as state_module
from formicary.factory.engine.context import DecidingContext
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import (
    CommandRequest,
    EngineStopped,
    LedgerRequest,
    ReadRequest,
    command_request,
)
from formicary.factory.engine.state import FactoryState, Receipt, known_events
from formicary.factory.journal.errors import JournalCorrupted, JournalTooNew, JournalUnavailable
from formicary.factory.ledger import Account, Transfer, TransferFlags, account_array, transfer_array
from tests.factory.engine.example_product import (
    CURRENCY,
    ESCROW_PRODUCT,
    FEE_ACCOUNT,
    SECOND,
    OpenEscrow,
    RateEscrow,
    ReleaseEscrow,
)
from tests.factory.engine.null_journal import NullJournal

START = 1_700_000_000 * SECOND
BUYER, SELLER, BANK = 11, 12, 1


class House:
    """An engine with the escrow product, money in the buyer's account, and its journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = NullJournal()
        self.clock = SimulatedClock(START)
        self.engine = self.another_engine()
        accounts = [
            Account(id=number, ledger=CURRENCY, code=1) for number in (BANK, FEE_ACCOUNT, BUYER, SELLER)
        ]
        self.engine.execute([LedgerRequest(account_array(accounts))])
        self.engine.execute([self.pays(1, BANK, BUYER, 1_000)])

    def another_engine(self) -> Engine:
        """Return an engine that recovered from the journal."""

        def new_state() -> FactoryState:
            return FactoryState(self.folder, [ESCROW_PRODUCT])

        engine = Engine(self.journal, new_state, self.clock)
        engine.recover()
        return engine

    def pays(self, number: int, debit: int, credit: int, amount: int, **more: Any) -> LedgerRequest:
        """Return the request of one transfer."""
        accounts = {"debit_account_id": debit, "credit_account_id": credit}
        transfer = Transfer(id=number, amount=amount, ledger=CURRENCY, code=1, **accounts, **more)
        return LedgerRequest(transfer_array([transfer]))

    def does(self, command: Any, key: str) -> Any:
        """Carry out a command and return its answer."""
        return self.engine.execute([self.asks(command, key)])[0]

    def asks(self, command: Any, key: str) -> CommandRequest:
        """Return the request of a command."""
        return command_request(ESCROW_PRODUCT.name, command, principal="buyer", key=key)

    def opens(self, subject: int, amount: int = 100, seconds: int = 10) -> Any:
        """Open an escrow."""
        command = OpenEscrow(subject=subject, buyer=BUYER, seller=SELLER, amount=amount, seconds=seconds)
        return self.does(command, f"open {subject}")

    def balance(self, account: int) -> int:
        """Return credits less debits, posted."""

        def read(state: FactoryState) -> int:
            view = state.machine.account_views([account])[0]
            return int(view["credits_posted"] - view["debits_posted"])

        answer: int = self.engine.execute([ReadRequest(read)])[0]
        return answer

    def kinds(self) -> list[str]:
        """Return the kinds of all events in the journal."""
        return [event.kind for batch in self.journal.batches for event in batch.events]

    def require_refolds(self) -> None:
        """Fold the journal alone: it gives the state that the engine has."""
        fresh = FactoryState(self.folder, [ESCROW_PRODUCT])
        for block in self.journal.read(after=0, until=self.journal.take_over().position):
            rows = (block.accounts, block.transfers, block.events)
            fresh.fold(*rows, until=block.until, decisions=block.decisions)
        assert fresh.state_hash == self.engine.state.state_hash
        assert fresh.timers == self.engine.state.timers


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a house."""
    return House(tmp_path)


def test_a_command_moves_money_and_leaves_its_receipt(house: House) -> None:
    """Opening and releasing an escrow moves what it says, once, and a repeated key gets the first answer."""
    opened = house.opens(7)
    assert opened.code == ""
    assert opened.answer["due"] > START
    assert house.balance(7) == 100
    released = house.does(ReleaseEscrow(subject=7), "release")
    assert released.answer == {"fee": 10}
    assert (house.balance(7), house.balance(SELLER), house.balance(FEE_ACCOUNT)) == (0, 90, 10)
    position = house.engine.state.position
    assert house.does(ReleaseEscrow(subject=7), "release") == released
    assert house.engine.state.position == position
    house.require_refolds()


def test_a_refusal_is_an_answer_too(house: House) -> None:
    """A product's refusal and the ledger's are receipts with their codes; nothing else of them happened."""
    assert house.does(ReleaseEscrow(subject=9), "no").code == "escrow_not_open"
    # An account id of zero cannot be opened: the ledger's own word is the code.
    zero = OpenEscrow(subject=0, buyer=BUYER, seller=SELLER, amount=1, seconds=1)
    assert house.does(zero, "zero").code == "id_must_not_be_zero"
    missing = OpenEscrow(subject=8, buyer=404, seller=SELLER, amount=1, seconds=1)
    assert house.does(missing, "missing").code == "debit_account_not_found"
    assert "escrow.EscrowOpened" not in house.kinds()
    assert house.kinds().count("engine.answered") == 3
    house.require_refolds()


def test_a_key_is_for_one_body_and_one_product(house: House) -> None:
    """Another body under the same key, an unknown product and a foreign command are refused."""
    house.opens(7)
    other = house.engine.execute([house.asks(RateEscrow(subject=7, stars=2), "open 7")])[0]
    assert isinstance(other, Refusal)
    assert other.code == "idempotency_key_reused"
    bakery = command_request("bakery", RateEscrow(subject=7, stars=2), principal="buyer", key="k")
    assert house.engine.execute([bakery])[0].code == "unknown_product"


def test_a_receipt_that_left_memory_is_found_in_the_journal(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tier does not matter: an old key gets its first answer."""
    monkeypatch.setattr(state_module, "RECEIPTS_IN_MEMORY_MAX", 1)
    opened = house.opens(7)
    house.opens(8)
    assert house.engine.state.receipt(house.asks(RateEscrow(subject=7, stars=1), "open 7").command_id) is None
    assert house.opens(7) == opened


def test_timers_fire_once_in_their_order(house: House) -> None:
    """Reminders and the lapse come at their times, exactly once, whatever the clock jumps over."""
    house.opens(7, seconds=10)
    house.clock.advance(4 * SECOND)
    house.engine.execute([])
    assert house.engine.run_timers() is None
    house.clock.advance(86_400 * SECOND)
    house.engine.execute([])
    assert house.balance(BUYER) == 1_000
    kinds = house.kinds()
    assert kinds.count("escrow.EscrowReminded") == 3
    assert kinds.count("escrow.EscrowLapsed") == 1
    assert kinds.count("engine.timer_set") == kinds.count("engine.timer_fired") == 4
    assert house.engine.state.timers == {}
    house.require_refolds()


def test_a_timer_that_is_refused_is_done_with(house: House) -> None:
    """A lapse after the release changes nothing, and says why in the journal."""
    house.opens(7, seconds=10)
    house.does(ReleaseEscrow(subject=7), "release")
    house.clock.advance(60 * SECOND)
    house.engine.execute([])
    firings = [
        msgspec.json.decode(event.body)
        for batch in house.journal.batches
        for event in batch.events
        if event.kind == "engine.timer_fired"
    ]
    assert [firing["code"] for firing in firings] == ["escrow_not_open"] * 2
    assert house.balance(SELLER) == 90
    house.require_refolds()


def test_timers_between_events_of_a_group_run_in_between(house: House) -> None:
    """A group that finds a product's timer due runs it before the event, and a command does too."""
    due = house.opens(7, seconds=1).answer["due"]
    house.clock.set(due - 1)
    while (timers := house.engine.run_timers()) is not None:
        house.engine.commit(timers)
    # The second event is stamped at the very nanosecond the escrow lapses.
    both = np.concatenate([house.pays(50 + i, BANK, BUYER, 1).items for i in range(3)])
    house.engine.commit(house.engine.decide([LedgerRequest(both)]))
    assert house.kinds().count("escrow.EscrowLapsed") == 1
    due = house.opens(8, seconds=1).answer["due"]
    house.clock.set(due)
    late = house.engine.decide([house.asks(ReleaseEscrow(subject=8), "late")])
    house.engine.commit(late)
    assert late.answers[0].code == "escrow_not_open"
    house.require_refolds()


def test_a_storm_of_expiries_comes_in_portions(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """More holds than fit a step fall due at once: several batches, nothing skipped."""
    for module in ("ledger.machine", "engine.core"):
        monkeypatch.setattr(f"formicary.factory.{module}.TIMERS_PER_STEP_MAX", 2)
    for number in range(100, 105):
        house.engine.execute([house.pays(number, BANK, BUYER, 1, flags=TransferFlags.PENDING, timeout=1)])
    batches = len(house.journal.batches)
    house.clock.advance(60 * SECOND)
    house.engine.execute([house.pays(200, BANK, BUYER, 1)])
    assert [len(batch.transfers) for batch in house.journal.batches[batches:]] == [2, 2, 1, 1]
    house.require_refolds()


def test_a_group_mixes_requests_in_their_order(house: House) -> None:
    """Accounts, transfers, a refused request, a read and a command in one group see what came before."""
    too_many = LedgerRequest(np.zeros(8_190, house.pays(1, 1, 2, 1).items.dtype))
    read = ReadRequest(lambda state: len(state.machine.accounts))
    answers = house.engine.execute(
        [
            house.pays(300, BANK, 99, 5),
            LedgerRequest(account_array([Account(id=99, ledger=CURRENCY, code=1)])),
            house.pays(301, BANK, 99, 5),
            too_many,
            read,
            house.asks(RateEscrow(subject=7, stars=5), "rate"),
        ]
    )
    assert [answers[i]["status"].tolist() for i in range(3)] == [[22], [0], [0]]
    assert answers[3].code == "request_too_large"
    assert answers[4] == 5
    assert answers[5] == Receipt(product="escrow", fingerprint=answers[5].fingerprint, answer={"stars": 5})
    house.require_refolds()


def test_old_ids_are_fetched_before_deciding(tmp_path: Path) -> None:
    """An id that left memory is still known, from the journal."""
    journal, clock = NullJournal(), SimulatedClock(START)
    engine = Engine(journal, lambda: FactoryState(tmp_path, generation_rows=1), clock)
    engine.recover()
    accounts = [Account(id=number, ledger=1, code=1) for number in (1, 2)]
    engine.execute([LedgerRequest(account_array(accounts))])

    def pay(number: int) -> int:
        transfer = Transfer(id=number, debit_account_id=1, credit_account_id=2, amount=1, ledger=1, code=1)
        return int(engine.execute([LedgerRequest(transfer_array([transfer]))])[0]["status"][0])

    assert [pay(number) for number in range(1, 6)] == [0] * 5
    assert len(engine.state.machine.sealed) == 3
    assert pay(1) == 46
    (tmp_path / "other").mkdir()
    restored = FactoryState(tmp_path / "other", generation_rows=1)
    restored.restore(engine.state.sections(), engine.state.machine.sealed.files)
    assert restored.state_hash == engine.state.state_hash
    assert len(restored.machine.sealed) == len(engine.state.machine.sealed)


def test_a_decider_sees_accounts_as_they_are(house: House) -> None:
    """The context shows an account's totals, and None where there is no account."""
    context = DecidingContext(START, 5, house.engine.state, house.journal)
    account = context.account(BUYER)
    assert account is not None
    assert account["credits_posted"] == 1_000
    assert context.account(404) is None


def test_an_event_of_an_unknown_product_is_not_passed_over(house: House) -> None:
    """A journal with a product's events cannot be folded by a factory without that product."""
    house.opens(7)
    without = Engine(house.journal, lambda: FactoryState(house.folder), house.clock)
    with pytest.raises(JournalTooNew, match="EscrowOpened"):
        without.recover()


def test_recovery_gives_the_same_engine(house: House) -> None:
    """A second engine on the journal has the same state, timers and receipts, and goes on from there."""
    house.opens(7)
    second = house.another_engine()
    assert second.state.state_hash == house.engine.state.state_hash
    assert second.state.timers == house.engine.state.timers
    position = second.state.position
    second.recover()
    assert second.state.position == position, "the semantics are activated once"


def test_an_interrupted_step_stops_the_engine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed commit or decision nothing works until it recovered."""
    house.journal.error = JournalUnavailable("no")
    with pytest.raises(JournalUnavailable):
        house.opens(7)
    with pytest.raises(EngineStopped):
        house.engine.execute([])
    house.journal.error = None
    house.engine.recover()
    assert house.opens(7).code == ""
    monkeypatch.setattr("formicary.factory.engine.core.pack_decision", _fail)
    with pytest.raises(ZeroDivisionError):
        house.opens(8)
    with pytest.raises(EngineStopped):
        _ = house.engine.state


def _fail(*_: object) -> None:
    raise ZeroDivisionError


def test_a_snapshot_is_the_state(house: House, tmp_path: Path) -> None:
    """Sections of a state with aggregates, timers and receipts restore to the same hash, and go on alike."""
    for subject in range(100, 180):
        house.opens(subject, amount=1)
    sections = {name: np.array(array) for name, array in house.engine.state.sections().items()}
    (tmp_path / "other").mkdir()
    restored = FactoryState(tmp_path / "other", [ESCROW_PRODUCT])
    restored.restore(sections, house.engine.state.machine.sealed.files)
    assert restored.state_hash == house.engine.state.state_hash
    assert restored.timers == house.engine.state.timers
    assert restored.semantics == 1
    assert len(restored.aggregates["escrow"]) == 80
    without = FactoryState(tmp_path / "other", [ESCROW_PRODUCT])
    without.restore({name: array for name, array in sections.items() if not name.startswith("aggregates")})
    assert len(without.aggregates["escrow"]) == 0


def test_a_damaged_row_ends_the_fold(house: House) -> None:
    """A total that is not what the row does is found, with its position."""
    batch = house.journal.batches[-1]
    batch.transfers["credit_credits_posted"] += 1
    with pytest.raises(JournalCorrupted, match=str(batch.last)):
        house.another_engine()


def test_products_may_register_upcasters() -> None:
    """The events a factory knows are its own and its products', with their ways up from older forms."""
    seen: list[str] = []
    fields = {name: getattr(ESCROW_PRODUCT, name) for name in ESCROW_PRODUCT.__slots__}
    product = type(ESCROW_PRODUCT)(**(fields | {"upcast": _noting(seen)}))
    known_events([product])
    assert seen == ["asked"]


def _noting(seen: list[str]) -> Callable[[Any], None]:
    return lambda _: seen.append("asked")
