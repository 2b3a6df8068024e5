"""IBM's AMLSim sample."""

from __future__ import annotations

from formicary.economy.amlsim import ACCOUNTS, STEP, TRANSFERS, read_accounts, read_transfers
from tests.economy.kit import real_data


def test_every_transfer_is_whole_cents() -> None:
    """All 118,250 transfers of 149 steps are read, none rounded."""
    transfers = read_transfers(real_data(TRANSFERS))
    assert transfers.columns == ["payer", "payee", "amount", "at"]
    assert len(transfers) == 118_250
    assert transfers["amount"].min() == 252
    assert (transfers["at"].min(), transfers["at"].max()) == (STEP, 149 * STEP)


def test_accounts_say_who_launders() -> None:
    """954 of 20,000 accounts do; when they began is not read."""
    accounts = read_accounts(real_data(ACCOUNTS))
    assert accounts.columns == ["party", "is_fraud", "balance"]
    assert (len(accounts), accounts["is_fraud"].sum()) == (20_000, 954)
