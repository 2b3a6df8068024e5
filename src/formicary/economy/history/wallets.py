"""Wallets of a history: one for each party and currency that moved money, and one for each external account.

A wallet has the id that the payments business gives it, so that its other parts find it. It may owe: a
history begins in the middle, with balances that nobody wrote down.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.economy.chart import AccountCode as EconomyCode
from formicary.economy.history.sides import SideKind
from formicary.factory.ledger import ACCOUNT, AccountFlags
from formicary.products.payments.postings import AccountCode, account_id

__all__ = ["wallets"]

_CODES: Final = {
    SideKind.EXTERNAL: int(EconomyCode.BANK_CLEARING),
    SideKind.PERSON: int(AccountCode.PERSON_WALLET),
    SideKind.MERCHANT: int(AccountCode.MERCHANT_WALLET),
}
_WORD: Final = 2**64 - 1
_OWNER: Final = ["high", "low", "ledger"]
_NONE: Final = pl.DataFrame(schema={"known": pl.Int64, "event": pl.UInt16, "row": pl.UInt32})


def wallets(transfers: pl.DataFrame | None) -> tuple[npt.NDArray[Any], pl.DataFrame]:
    """Return the wallets of transfers, (n) of ``ACCOUNT``, and the transfers with their accounts' ids."""
    if transfers is None:
        return np.zeros(0, ACCOUNT), _NONE
    owners = _owners(transfers)
    for side, name in (("payer", "debit_account_id"), ("payee", "credit_account_id")):
        transfers = transfers.join(
            owners.select(
                pl.col("high").alias(f"{side}_high"),
                pl.col("low").alias(f"{side}_low"),
                "ledger",
                pl.col("account_high").alias(f"{name}_high"),
                pl.col("account_low").alias(f"{name}_low"),
            ),
            on=[f"{side}_high", f"{side}_low", "ledger"],
            how="left",
            maintain_order="left",
        )
    return _accounts(owners), transfers


def _owners(transfers: pl.DataFrame) -> pl.DataFrame:
    sides = [
        transfers.select(
            *(pl.col(f"{side}_{part}").alias(part) for part in ("high", "low", "kind")), "ledger"
        )
        for side in ("payer", "payee")
    ]
    owners = pl.concat(sides).unique(_OWNER, maintain_order=True)
    rows = zip(*(owners[name].to_list() for name in _OWNER), strict=True)
    ids = [account_id(high << 64 | low, ledger) for high, low, ledger in rows]
    return owners.with_columns(
        pl.Series("account_high", [one >> 64 for one in ids], pl.UInt64),
        pl.Series("account_low", [one & _WORD for one in ids], pl.UInt64),
    )


def _accounts(owners: pl.DataFrame) -> npt.NDArray[Any]:
    accounts = np.zeros(len(owners), ACCOUNT)
    for word in ("high", "low"):
        accounts[f"id_{word}"] = owners[f"account_{word}"].to_numpy()
        accounts[f"user_data_128_{word}"] = owners[word].to_numpy()
    accounts["ledger"] = owners["ledger"].to_numpy()
    accounts["code"] = owners["kind"].replace_strict(_CODES, return_dtype=pl.UInt16).to_numpy()
    accounts["flags"] = int(AccountFlags.IMPORTED)
    return accounts
