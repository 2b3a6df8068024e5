"""Many requests on one connection, for one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from formicary.factory.engine import async_client as async_client_module
from formicary.factory.engine.async_client import AsyncEngineClient
from formicary.factory.engine.client import EngineRefused, EngineUnreachable, OutcomeUnknown
from formicary.factory.engine.requests import EngineBusy
from formicary.factory.history.looks import AccountsById, pack_ids
from formicary.factory.journal.errors import JournalUnavailable
from formicary.factory.ledger import Account, account_array, transfer_array
from tests.factory.engine.example_product import ESCROW_PRODUCT, OpenEscrow
from tests.factory.engine.test_server import House, moved


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
    """Accounts, transfers, commands and reads; requests that are sent together are all answered."""

    async def converse() -> None:
        async with AsyncEngineClient(house.path) as client:
            results = await asyncio.gather(*[client.create_transfers([moved(n)]) for n in range(1, 40)])
            assert [result["status"].tolist() for result in results] == [[0]] * 39
            again = await client.create_transfers(transfer_array([moved(1)]))
            assert again["credit_credits_posted"].tolist() == results[0]["credit_credits_posted"].tolist()
            assert (await client.create_accounts([Account(id=3, ledger=826, code=1)]))["status"][0] == 0
            assert len(await client.create_accounts(account_array([Account(id=4, ledger=826, code=1)]))) == 1
            assert (await client.lookup_accounts([2, 99]))["credits_posted"].tolist() == [195]
            assert await client.trial_balance() == {826: (0, 195, 0, 195)}
            assert (await client.status())["accounts"] == 4
            assert await client.feature_quality() == {}
            assert await client.policy_texts(2**64 - 1, 1) is None
            command = OpenEscrow(subject=77, buyer=1, seller=2, amount=0, seconds=60)
            first = await client.command(ESCROW_PRODUCT.name, command, principal="p", key="k")
            assert await client.command(ESCROW_PRODUCT.name, command, principal="p", key="k") == first
            known, unknown = await client.aggregates(ESCROW_PRODUCT.name, [77, 78])
            assert known is not None
            assert int(known["id"], 16) == 77
            assert unknown is None
            found = await client.find_aggregates(ESCROW_PRODUCT.name, "status", 1, after=0, limit=5)
            assert (found.items, found.next) == ([known], None)

    asyncio.run(converse())
    with house.client() as client:
        assert client.look(AccountsById(pack_ids(2)))["credits_posted"].tolist() == [195]


def test_refusals_and_faults(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine refuses comes back with its code, one that does not answer leaves it unknown."""

    async def converse() -> None:
        client = AsyncEngineClient(house.path, timeout_seconds=0.2)
        with pytest.raises(EngineRefused) as refused:
            await client.create_transfers([moved(1)] * 8_190)
        assert refused.value.reason == "request_too_large"
        house.journal.gate.clear()
        with pytest.raises(OutcomeUnknown):
            await client.create_transfers([moved(1)])
        # Its answer comes to nobody.
        house.journal.gate.set()
        assert await client.trial_balance() == {826: (0, 5, 0, 5)}
        monkeypatch.setattr(async_client_module, "QUEUE_REQUESTS_MAX", 0)
        with pytest.raises(EngineBusy):
            await client.status()
        monkeypatch.undo()
        house.journal.gate.clear()
        with pytest.raises(OutcomeUnknown):
            await client.create_transfers([moved(3)])
        # Whoever gave up is not told once more.
        client.close()
        house.journal.gate.set()
        house.journal.error = JournalUnavailable("the cable is cut")
        with pytest.raises(OutcomeUnknown):
            await client.create_transfers([moved(2)])
        client.close()
        client.close()

    asyncio.run(converse())


def test_an_engine_that_goes_and_one_that_is_not_there(tmp_path: Path) -> None:
    """A connection that breaks leaves the outcome unknown; the next request opens another one."""
    path = tmp_path / "socket"
    answers = [b"", b"this is no frame, but long enough to be one"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answers.pop())
        await writer.drain()
        writer.close()

    async def converse() -> None:
        client = AsyncEngineClient(path)
        client.close()
        with pytest.raises(EngineUnreachable):
            await client.status()
        async with await asyncio.start_unix_server(serve, path):
            for _ in range(2):
                with pytest.raises(OutcomeUnknown):
                    await asyncio.gather(client.status(), client.status())
        client.close()

    asyncio.run(converse())
