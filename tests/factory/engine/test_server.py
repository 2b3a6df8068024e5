"""The engine behind its socket: groups, commits beside deciding, answers, failures."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import OperationalFault
from formicary.base.limits import AGGREGATES_READ_MAX
from formicary.factory.engine import server as server_module
from formicary.factory.engine.client import EngineClient, EngineRefused, EngineUnreachable, OutcomeUnknown
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.frames import ErrorBody, Operation, pack, unpack_all
from formicary.factory.engine.server import EngineServer
from formicary.factory.engine.state import FactoryState
from formicary.factory.journal.errors import Fenced, JournalUnavailable
from formicary.factory.ledger import (
    Account,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
    account_array,
    transfer_array,
)
from tests.factory.engine.example_product import CURRENCY, ESCROW_PRODUCT, OpenEscrow
from tests.factory.engine.null_journal import NullJournal

START = 1_700_000_000 * 10**9


def moved(number: int, amount: int = 5, **more: Any) -> Transfer:
    """Return a transfer from account 1 to account 2."""
    given = {"debit_account_id": 1, "credit_account_id": 2, "ledger": 826, "code": 1} | more
    return Transfer(id=number, amount=amount, **given)


class House:
    """A server in a thread, its journal and its clock."""

    def __init__(self, folder: Path) -> None:
        self.journal = NullJournal()
        self.clock = SimulatedClock(START)
        self.path = folder / "engine.socket"
        (folder / "ids").mkdir()
        self.engine = Engine(self.journal, lambda: FactoryState(folder / "ids", [ESCROW_PRODUCT]), self.clock)
        self.engine.recover()
        self.server = EngineServer(self.engine, self.path, self.journal.begin)
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin to serve."""
        self.thread.start()

    def stop(self) -> None:
        """Stop serving, and close."""
        self.journal.gate.set()
        self.server.stop()
        if self.thread.ident is not None:
            self.thread.join()
        self.server.close()

    def client(self) -> EngineClient:
        """Connect; the first answer may wait for kernels to be compiled."""
        return EngineClient(self.path, timeout_seconds=120)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        for _ in range(4_000):
            if holds():
                return
            time.sleep(0.005)
        pytest.fail("it never came")

    def _run(self) -> None:
        try:
            self.server.run()
        except OperationalFault as failure:
            self.failure = failure


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Yield a house that serves, with two accounts open."""
    made = House(tmp_path)
    made.start()
    with made.client() as client:
        client.create_accounts([Account(id=number, ledger=826, code=1) for number in (1, 2)])
    yield made
    made.stop()


def test_a_whole_conversation(house: House) -> None:
    """Accounts, transfers, reads: each answer is what the ledger in memory would say."""
    with house.client() as client:
        results = client.create_transfers([moved(1), moved(1), moved(2, ledger=9)])
        created, exists, other = results["status"].tolist()
        assert (created, exists) == (CreateTransferStatus.CREATED, CreateTransferStatus.EXISTS)
        assert other == CreateTransferStatus.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS
        assert client.create_transfers(transfer_array([moved(3)]))["credit_credits_posted"].tolist() == [10]
        assert client.create_accounts(account_array([Account(id=3, ledger=826, code=1)]))[
            "status"
        ].tolist() == [0]
        assert client.lookup_accounts([2, 99, 1])["credits_posted"].tolist() == [10, 0]
        assert client.trial_balance() == {826: (0, 10, 0, 10)}
        assert len(client.last_entries([1, 3, 99])) == 2
        status = client.status()
        assert status["position"] == house.journal.batches[-1].last
        assert status["state_hash"] == house.engine.state.state_hash
        assert status["accounts"] == 3


def test_a_command_reaches_its_product_once(house: House) -> None:
    """The same key gets the same receipt; another body, another product or no command is refused."""
    command = OpenEscrow(subject=77, buyer=1, seller=2, amount=0, seconds=60)
    with house.client() as client:
        first = client.command(ESCROW_PRODUCT.name, command, principal="somebody", key="k")
        assert client.command(ESCROW_PRODUCT.name, command, principal="somebody", key="k") == first
        other = msgspec.structs.replace(command, amount=1)
        with pytest.raises(EngineRefused) as refused:
            client.command(ESCROW_PRODUCT.name, other, principal="somebody", key="k")
        assert refused.value.reason == "idempotency_key_reused"
        with pytest.raises(EngineRefused) as refused:
            client.command("bakery", command, principal="somebody", key="k2")
        assert refused.value.reason == "unknown_product"


def test_aggregates_are_looked_up(house: House) -> None:
    """They come in the order asked, none where there is none; of a product that runs, and not too many."""
    command = OpenEscrow(subject=2**127 + 7, buyer=1, seller=2, amount=0, seconds=60)
    with house.client() as client:
        client.command(ESCROW_PRODUCT.name, command, principal="somebody", key="k")
        nothing, found = client.aggregates(ESCROW_PRODUCT.name, [8, 2**127 + 7])
        assert nothing is None
        assert found is not None
        assert (found["id"], found["buyer"], found["status"]) == (f"{2**127 + 7:032x}", f"{1:032x}", 1)
        with pytest.raises(EngineRefused) as refused:
            client.aggregates("bakery", [7])
        assert refused.value.reason == "unknown_product"
        with pytest.raises(EngineRefused) as refused:
            client.aggregates(ESCROW_PRODUCT.name, range(AGGREGATES_READ_MAX + 1))
        assert refused.value.reason == "malformed_payload"


def test_aggregates_are_found_by_a_number(house: House) -> None:
    """In the order of their creation, a page at a time; none where none holds it."""
    with house.client() as client:
        for subject in (7, 9, 8):
            command = OpenEscrow(subject=subject, buyer=1, seller=2, amount=0, seconds=60)
            client.command(ESCROW_PRODUCT.name, command, principal="somebody", key=f"open {subject}")
        first = client.find_aggregates(ESCROW_PRODUCT.name, "status", 1, after=0, limit=2)
        assert [one["id"] for one in first.items] == [f"{subject:032x}" for subject in (7, 9)]
        assert first.next is not None
        rest = client.find_aggregates(ESCROW_PRODUCT.name, "status", 1, after=first.next, limit=2)
        assert ([one["id"] for one in rest.items], rest.next) == ([f"{8:032x}"], None)
        assert client.find_aggregates(ESCROW_PRODUCT.name, "status", 2, after=0, limit=2).items == []


@pytest.mark.parametrize(
    ("operation", "payload", "code"),
    [
        (Operation.CREATE_TRANSFERS, b"short", "malformed_payload"),
        (Operation.COMMAND, b"{}", "malformed_payload"),
        (Operation.AGGREGATES, b"{}", "malformed_payload"),
        (Operation.FIND_AGGREGATES, b"{}", "malformed_payload"),
        (
            Operation.FIND_AGGREGATES,
            b'{"product":"escrow","field":"id","value":1,"after":0,"limit":1}',
            "malformed_payload",
        ),
        (
            Operation.FIND_AGGREGATES,
            b'{"product":"none","field":"status","value":1,"after":0,"limit":1}',
            "unknown_product",
        ),
        (Operation.POLICY_TEXTS, b'{"point":-1,"version":1}', "malformed_payload"),
        (Operation.AGGREGATES, b'{"product":"escrow","subjects":["7"]}', "malformed_payload"),
        (99, b"", "malformed_frame"),
        (Operation.CREATE_TRANSFERS, bytes(120 * 8_190), "request_too_large"),
    ],
)
def test_what_cannot_be_read_is_refused(house: House, operation: int, payload: bytes, code: str) -> None:
    """A bad payload, an unknown operation and too many events are answered with their codes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.connect(str(house.path))
        caller.sendall(pack(operation, 5, payload))
        buffer = bytearray()
        while not (frames := list(unpack_all(buffer))):
            buffer += caller.recv(1 << 16)
        assert (frames[0].operation, frames[0].correlation) == (Operation.ERROR, 5)
        assert msgspec.json.decode(frames[0].payload, type=ErrorBody).code == code


def test_nothing_is_answered_before_its_commit(house: House) -> None:
    """While an append waits its caller waits; whoever comes meanwhile is gathered into the next group."""
    house.journal.gate.clear()
    answers: list[Any] = []

    def call(number: int) -> None:
        with house.client() as client:
            answers.append(client.create_transfers([moved(number)])["status"].tolist())

    threads = [threading.Thread(target=call, args=(number,)) for number in range(10, 20)]
    threads[0].start()
    # Whoever came before its append would be in its group.
    house.until(lambda: house.server._in_flight is not None)
    for thread in threads[1:]:
        thread.start()
    house.until(lambda: len(house.server._queue) == 9)
    assert not answers
    house.journal.gate.set()
    for thread in threads:
        thread.join()
    assert answers == [[0]] * 10
    assert [batch.requests for batch in house.journal.batches[-2:]] == [1, 9]


def test_one_group_is_decided_ahead(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full group is decided while the one before is committed, and appended right after it."""
    monkeypatch.setattr(server_module, "GROUP_ITEMS_MAX", 4)
    house.journal.gate.clear()
    with house.client() as one, house.client() as two, house.client() as three:
        for number, client in enumerate((one, two, three)):
            chunk = transfer_array([moved(100 + 4 * number + i) for i in range(3)])
            client._socket.sendall(pack(Operation.CREATE_TRANSFERS, 1, chunk.tobytes()))
            house.until(lambda: house.server._in_flight is not None)
        house.until(lambda: house.server._ahead is not None)
        house.journal.gate.set()
        for client in (one, two, three):
            assert np.frombuffer(client._receive().payload, "u1").any()
    assert house.engine.state.position == house.journal.batches[-1].last


def test_a_hold_expires_by_itself(house: House) -> None:
    """Without any request the engine runs what falls due."""
    with house.client() as client:
        client.create_transfers([moved(1, flags=TransferFlags.PENDING, timeout=1)])
        house.clock.advance(2 * 10**9)
        house.until(
            lambda: bool(house.journal.batches[-1].transfers["status"][0] == CreateTransferStatus.EXPIRED)
        )
        assert client.trial_balance() == {CURRENCY: (0, 0, 0, 0)}


def test_a_full_queue_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit a request is refused at once, and nothing of it was done."""
    monkeypatch.setattr(server_module, "QUEUE_REQUESTS_MAX", 0)
    with house.client() as client, pytest.raises(EngineRefused) as refused:
        client.create_transfers([moved(1)])
    assert refused.value.reason == "engine_busy"


def test_a_failed_commit_stops_the_engine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers of the batch and of the one ahead learn that the outcome is unknown; the state is dropped."""
    monkeypatch.setattr(server_module, "GROUP_ITEMS_MAX", 1)
    house.journal.gate.clear()
    house.journal.error = JournalUnavailable("the cable is cut")
    outcomes: list[str] = []

    def call(number: int) -> None:
        try:
            with house.client() as client:
                client.create_transfers([moved(number)])
        except OutcomeUnknown as unknown:
            outcomes.append(type(unknown).__name__)

    threads = [threading.Thread(target=call, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    house.until(lambda: house.server._ahead is not None)
    house.journal.gate.set()
    for thread in threads:
        thread.join()
    house.thread.join()
    assert outcomes == ["OutcomeUnknown"] * 2
    assert house.failure is house.journal.error


def test_a_deposed_engine_answers_no_reads(house: House) -> None:
    """A read needs no commit, but the journal is asked whether this engine may still speak for it."""
    with house.client() as client:
        assert client.trial_balance() == {CURRENCY: (0, 0, 0, 0)}
        house.journal.error = Fenced()
        with pytest.raises(OutcomeUnknown):
            client.trial_balance()
    house.thread.join()
    assert house.failure is house.journal.error


def test_reads_that_were_decided_ahead_wait_for_the_commit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that follows a decided batch sees it, and is answered after it, also while the server stops."""
    monkeypatch.setattr(server_module, "GROUP_ITEMS_MAX", 1)
    house.journal.gate.clear()
    with house.client() as writer, house.client() as reader:
        writer._socket.sendall(pack(Operation.CREATE_TRANSFERS, 1, transfer_array([moved(1)]).tobytes()))
        house.until(lambda: house.server._in_flight is not None)
        reader._socket.sendall(pack(Operation.TRIAL_BALANCE, 1, b""))
        house.until(lambda: house.server._ahead is not None)
        house.server.stop()
        house.journal.gate.set()
        assert writer._receive().operation == Operation.CREATE_TRANSFERS
        assert msgspec.json.decode(reader._receive().payload) == {str(CURRENCY): [0, 5, 0, 5]}
    house.thread.join()


def test_stopping_finishes_what_was_decided_ahead(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch behind the one in flight is committed and answered, too."""
    monkeypatch.setattr(server_module, "GROUP_ITEMS_MAX", 1)
    house.journal.gate.clear()
    with house.client() as one, house.client() as two:
        one._socket.sendall(pack(Operation.CREATE_TRANSFERS, 1, transfer_array([moved(1)]).tobytes()))
        house.until(lambda: house.server._in_flight is not None)
        two._socket.sendall(pack(Operation.CREATE_TRANSFERS, 1, transfer_array([moved(2)]).tobytes()))
        house.until(lambda: house.server._ahead is not None)
        house.server.stop()
        house.journal.gate.set()
        for client in (one, two):
            assert client._receive().operation == Operation.CREATE_TRANSFERS
    house.thread.join()


def test_stopping_finishes_what_is_in_flight(house: House) -> None:
    """Told to stop, the server commits and answers what it had begun."""
    house.journal.gate.clear()
    with house.client() as client:
        client._socket.sendall(pack(Operation.CREATE_TRANSFERS, 1, transfer_array([moved(1)]).tobytes()))
        house.until(lambda: house.server._in_flight is not None)
        house.server.stop()
        house.journal.gate.set()
        assert client._receive().operation == Operation.CREATE_TRANSFERS
    house.thread.join()


def test_a_client_without_an_engine(tmp_path: Path) -> None:
    """No socket: nothing was done, and it says so."""
    with pytest.raises(EngineUnreachable):
        EngineClient(tmp_path / "nowhere")


def test_a_client_whose_engine_dies(tmp_path: Path) -> None:
    """A connection that ends without an answer leaves the outcome unknown, as a wrong answer does."""
    for answer in (b"", b"this is no frame, but long enough to be one"):
        path = tmp_path / f"s{len(answer)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            listener.listen(1)
            client = EngineClient(path, timeout_seconds=5)
            peer, _ = listener.accept()
            with peer:
                if answer:
                    peer.sendall(answer)
                else:
                    peer.shutdown(socket.SHUT_WR)
                with pytest.raises(OutcomeUnknown):
                    client.status()
