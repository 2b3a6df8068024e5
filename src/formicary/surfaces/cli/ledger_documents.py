"""Records of the ledger as JSON documents and as rows of a table."""

from __future__ import annotations

from typing import Any, Final

import numpy.typing as npt

from formicary.base.ids import format_id
from formicary.factory.ledger import AccountFlags, TransferFlags, id_column
from formicary.surfaces.cli.values import amount_text, ledger_name, time_text

__all__ = [
    "ACCOUNT_COLUMNS",
    "BALANCE_COLUMNS",
    "TOTALS",
    "TRANSFER_COLUMNS",
    "account_documents",
    "account_row",
    "balance_documents",
    "balance_row",
    "totals_row",
    "transfer_documents",
    "transfer_row",
]

Document = dict[str, Any]
Records = npt.NDArray[Any]

TOTALS: Final = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
_RIGHT_TOTALS: Final = tuple(">" + name.replace("_", " ") for name in TOTALS)
ACCOUNT_COLUMNS: Final = ("account", "ledger", ">code", "flags", *_RIGHT_TOTALS)
TRANSFER_COLUMNS: Final = (
    "at",
    "transfer",
    "debit account",
    "credit account",
    ">amount",
    "ledger",
    ">code",
    "flags",
)
BALANCE_COLUMNS: Final = ("at", *_RIGHT_TOTALS)


def account_documents(accounts: Records) -> list[Document]:
    """Return accounts (n) as documents; amounts are minor units."""
    ids, user_ids = id_column(accounts), id_column(accounts, "user_data_128")
    return [
        {
            "id": format_id(identifier),
            **_common(record, user_id),
            "flags": _flag_names(AccountFlags(int(record["flags"]))),
            "credit_limit": int(record["credit_limit"]),
            **{name: int(record[name]) for name in TOTALS},
        }
        for identifier, user_id, record in zip(ids, user_ids, accounts, strict=True)
    ]


def transfer_documents(transfers: Records) -> list[Document]:
    """Return transfers (n) as documents; amounts are minor units."""
    columns = ("id", "debit_account_id", "credit_account_id", "pending_id", "user_data_128")
    ids = zip(*(id_column(transfers, name) for name in columns), strict=True)
    return [
        {
            "id": format_id(identifier),
            "debit_account_id": format_id(debit),
            "credit_account_id": format_id(credit),
            "amount": int(record["amount"]),
            "pending_id": format_id(pending) if pending else None,
            "timeout_seconds": int(record["timeout"]),
            **_common(record, user_id),
            "flags": _flag_names(TransferFlags(int(record["flags"]))),
        }
        for (identifier, debit, credit, pending, user_id), record in zip(ids, transfers, strict=True)
    ]


def balance_documents(balances: Records) -> list[Document]:
    """Return an account's totals after entries (n) as documents; amounts are minor units."""
    return [
        {
            "timestamp": int(record["timestamp"]),
            "at": time_text(int(record["timestamp"])),
            **{name: int(record[name]) for name in TOTALS},
        }
        for record in balances
    ]


def account_row(document: Document) -> list[str]:
    """Return an account as a row of ``ACCOUNT_COLUMNS``."""
    return [
        document["id"],
        document["ledger_name"],
        str(document["code"]),
        " ".join(document["flags"]),
        *totals_row(document, document["ledger"]),
    ]


def transfer_row(document: Document) -> list[str]:
    """Return a transfer as a row of ``TRANSFER_COLUMNS``."""
    return [
        document["at"],
        document["id"],
        document["debit_account_id"],
        document["credit_account_id"],
        amount_text(document["amount"], document["ledger"]),
        document["ledger_name"],
        str(document["code"]),
        " ".join(document["flags"]),
    ]


def balance_row(document: Document, ledger: int) -> list[str]:
    """Return an account's totals as a row of ``BALANCE_COLUMNS``."""
    return [document["at"], *totals_row(document, ledger)]


def totals_row(document: Document, ledger: int) -> list[str]:
    """Return the four totals as text with the decimals of the ledger's currency."""
    return [amount_text(document[name], ledger) for name in TOTALS]


def _common(record: Any, user_id: int) -> Document:
    return {
        "ledger": int(record["ledger"]),
        "ledger_name": ledger_name(int(record["ledger"])),
        "code": int(record["code"]),
        "timestamp": int(record["timestamp"]),
        "at": time_text(int(record["timestamp"])),
        "user_data_128": format_id(user_id),
        "user_data_64": int(record["user_data_64"]),
        "user_data_32": int(record["user_data_32"]),
    }


def _flag_names(flags: AccountFlags | TransferFlags) -> list[str]:
    return [str(flag.name).lower() for flag in flags]
