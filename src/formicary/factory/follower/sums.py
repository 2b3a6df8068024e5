"""Balances summed up by the database from what every row moved, without any total that a row records."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import VERIFY_STATEMENT_SECONDS
from formicary.factory.history.connection import Connection
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.codec import RowCodec
from formicary.factory.journal.columns import SQL_TYPES, Column
from formicary.factory.journal.rows import TOTALS
from formicary.factory.journal.session import int8
from formicary.factory.ledger import CreateTransferStatus, TransferFlags

__all__ = ["account_sums", "first_difference"]

Rows = npt.NDArray[Any]

_SUMS: Final = np.dtype([("id_high", "<u8"), ("id_low", "<u8"), *((total, "<i8") for total in TOTALS)])
_COLUMNS: Final = (
    Column("account", SQL_TYPES["uuid"], ("id_high", "id_low")),
    *(Column(total, SQL_TYPES["bigint"], (total,)) for total in TOTALS),
)
# Far fewer bytes than a value may have.
_ACCOUNTS_PER_VALUE: Final = 1 << 16
# The whole journal is read once: by scans, in parallel.
_SETTINGS: Final = """
    SET enable_seqscan = on;
    SET max_parallel_workers_per_gather = 2;
    SET work_mem = '128MB';
"""
_CREATED: Final = int(CreateTransferStatus.CREATED)
_EXPIRED: Final = int(CreateTransferStatus.EXPIRED)
_PENDING: Final = int(TransferFlags.PENDING)
_POST: Final = int(TransferFlags.POST_PENDING_TRANSFER)
_VOID: Final = int(TransferFlags.VOID_PENDING_TRANSFER)

# A hold adds to the pending totals; its post, void or expiry takes all of it off again. What a post takes off
# stands in the row of its hold. What moves for good is in plain transfers and posts.
_STATEMENT: Final = f"""
WITH moved AS (
    SELECT debit_account_id, credit_account_id,
        CASE
            WHEN status = {_EXPIRED} OR flags & {_VOID} <> 0 THEN -amount
            WHEN flags & {_PENDING} <> 0 THEN amount
            ELSE 0
        END AS pending,
        CASE WHEN status = {_CREATED} AND flags & {_PENDING | _VOID} = 0 THEN amount ELSE 0 END AS posted
    FROM journal.transfers
    WHERE position <= $1::bigint AND status IN ({_CREATED}, {_EXPIRED})
    UNION ALL
    SELECT post.debit_account_id, post.credit_account_id, -held.amount, 0
    FROM journal.transfers AS post
    JOIN journal.transfers AS held ON held.id = journal.id_at(post.rare, 0)
    WHERE post.position <= $1::bigint AND post.status = {_CREATED} AND post.flags & {_POST} <> 0
        AND held.position < post.position AND held.status = {_CREATED} AND held.flags & {_PENDING} <> 0
), side AS (
    SELECT debit_account_id AS account, pending AS debits_pending, posted AS debits_posted,
        0 AS credits_pending, 0 AS credits_posted
    FROM moved
    UNION ALL
    SELECT credit_account_id, 0, 0, pending, posted FROM moved
), summed AS (
    SELECT account, {", ".join(f"sum({total})::bigint AS {total}" for total in TOTALS)},
        row_number() OVER () AS number
    FROM side
    GROUP BY account
)
SELECT string_agg({{select}}, '') FROM summed GROUP BY number / {_ACCOUNTS_PER_VALUE}
"""  # noqa: S608 - nothing but our own names and numbers.


def account_sums(access: Access, *, until: int) -> Rows:
    """Return for every account with an entry up to position ``until`` what its entries sum up to.

    Raises
    ------
    JournalUnavailable
        The database failed, or a sum does not fit 64 bits.
    """
    codec = RowCodec(_COLUMNS, _SUMS)
    connection = Connection(
        access,
        role=Role.READER,
        purpose="verification",
        settings=_SETTINGS,
        deadline_seconds=VERIFY_STATEMENT_SECONDS,
    )
    try:
        result = connection.session.execute(_STATEMENT.format(select=codec.select), [int8(until)])
        parts = [codec.decode(result.get_value(row, 0) or b"") for row in range(result.ntuples)]
    finally:
        connection.close()
    return joined(parts, _SUMS)


def first_difference(accounts: Rows, sums: Rows) -> str:
    """Return the first difference of account states (n,) from ``account_sums`` (m,) in words, or nothing.

    The totals are in the order of ``TOTALS``.
    """
    with_entries = _sorted(accounts[accounts["last_entry"] > 0])
    sums = _sorted(sums)
    if len(with_entries) != len(sums):
        return f"{len(sums)} accounts have entries in the database, {len(with_entries)} in the folded state"
    names = _SUMS.names or ()
    differs = np.zeros(len(sums), bool)
    for name in names:
        differs |= with_entries[name] != sums[name]
    if not differs.any():
        return ""
    first = int(np.flatnonzero(differs)[0])
    folded, summed = ([int(rows[first][name]) for name in names] for rows in (with_entries, sums))
    account_id = folded[0] << 64 | folded[1]
    return f"account {account_id:032x} has {folded[2:]}, but its entries sum up to {summed[2:]}"


def _sorted(rows: Rows) -> Rows:
    return rows[np.lexsort((rows["id_low"], rows["id_high"]))]
