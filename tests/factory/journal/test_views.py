"""What analysts see: unsigned words, decoded totals, names, times, balances at any time."""

# ruff: noqa: S608 - the statements are made of the test's own names and numbers.

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.rows import SIDES, TOTALS
from formicary.factory.ledger.statuses import AccountFlags, CreateTransferStatus, TransferFlags
from tests.factory.journal.kit import accounts, batch, event, owned, transfers


def rows_of(access: Access, query: str) -> list[dict[str, Any]]:
    """Return a query's rows as an analyst gets them."""
    with psycopg.connect(access.conninfo_for(Role.READER), row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


def test_transfers_are_readable(access: Access) -> None:
    """Every field of a row is shown with its own value."""
    rows = transfers(1, 5)
    rows["timestamp"] = 1_700_000_000_123_456_789 + rows["position"]
    rows["status"][2:4] = 101, 54
    with owned(access) as journal:
        journal.append(batch(transfers=rows))
    shown = rows_of(access, "SELECT * FROM journal.v_transfers ORDER BY position")
    for row, seen in zip(rows, shown, strict=True):
        for name in ("id", "debit_account_id", "credit_account_id", "pending_id", "user_data_128"):
            assert seen[name] == UUID(int=(int(row[f"{name}_high"]) << 64) | int(row[f"{name}_low"]))
        for name in (
            "position",
            "timestamp",
            "amount",
            "ledger",
            "code",
            "timeout",
            "request",
            "user_data_64",
        ):
            assert seen[name] == int(row[name])
        for name in (
            "previous_debit",
            "previous_credit",
            *(f"{side}_{total}" for side in SIDES for total in TOTALS),
        ):
            assert seen[name] == int(row[name])
        assert seen["user_data_32"] == int(row["user_data_32"])
        assert seen["at"] == datetime(2023, 11, 14, 22, 13, 20, 123_456, tzinfo=UTC)
        assert seen["status"] == CreateTransferStatus(row["status"]).name.lower()


def test_accounts_events_and_commits_are_readable(access: Access) -> None:
    """Words that are negative to SQL are shown as the large numbers they are."""
    with owned(access) as journal:
        journal.append(batch(accounts=accounts(1, 1), events=[event(2)], state_hash=2**64 - 1))
    (account,) = rows_of(access, "SELECT * FROM journal.v_accounts")
    assert (account["ledger"], account["code"], account["flags"]) == (2**32 - 1, 2**16 - 1, [])
    assert account["id"] == UUID(int=((2**64 - 1) << 64) | 1)
    (commit,) = rows_of(access, "SELECT * FROM journal.v_commits")
    assert (commit["first"], commit["last"], commit["state_hash"]) == (1, 2, 2**64 - 1)
    (seen,) = rows_of(access, "SELECT * FROM journal.v_events")
    assert (seen["kind"], seen["body"]) == ("Happened", {"n": 1})


def test_every_status_has_its_name(access: Access) -> None:
    """SQL and code use the same names."""
    codes = ", ".join(f"({status.value})" for status in CreateTransferStatus)
    shown = rows_of(
        access,
        f"SELECT journal.transfer_status_name(code::smallint) AS name FROM (VALUES {codes}) AS s (code)",
    )
    assert [row["name"] for row in shown] == [status.name.lower() for status in CreateTransferStatus]


def test_every_flag_has_its_name(access: Access) -> None:
    """SQL and code use the same names, one by one and all together."""
    for function, flags in (("transfer_flag_names", TransferFlags), ("account_flag_names", AccountFlags)):
        names = [flag.name.lower() for flag in flags if flag.name and flag.value]
        everything = sum(flag.value for flag in flags)
        (row,) = rows_of(access, f"SELECT journal.{function}({everything}::smallint) AS names")
        assert row["names"] == names
        for flag in flags:
            (row,) = rows_of(access, f"SELECT journal.{function}({flag.value}::smallint) AS names")
            assert row["names"] == ([flag.name.lower()] if flag.name and flag.value else [])


@pytest.fixture
def moved(small_segments: Access) -> Access:
    """Give a journal of three segments in which account 7 is in every third row, now here, now there."""
    rows = transfers(1, 150)
    for position in range(3, 151, 3):
        side = "debit" if position % 2 else "credit"
        row = rows[position - 1 : position]
        row[f"{side}_account_id_high"], row[f"{side}_account_id_low"] = 0, 7
        row[f"previous_{side}"] = position - 3
    rows["status"][8] = 54
    with owned(small_segments) as journal:
        journal.append(batch(transfers=rows))
    return small_segments


def test_entries_are_one_a_side(moved: Access) -> None:
    """Each transfer is an entry of both accounts; a refusal is none."""
    entries = rows_of(
        moved, f"SELECT * FROM journal.v_entries WHERE account_id = '{UUID(int=7)}' ORDER BY position"
    )
    assert [entry["position"] for entry in entries] == [
        position for position in range(3, 151, 3) if position != 9
    ]
    assert [entry["side"] for entry in entries[:2]] == ["debit", "credit"]
    rows = transfers(1, 150)
    assert entries[0]["credits_posted"] == rows["debit_credits_posted"][2]
    assert entries[1]["debits_pending"] == rows["credit_debits_pending"][5]
    assert entries[1]["previous_position"] == 3
    assert entries[0]["other_account_id"] == UUID(
        int=(int(rows["credit_account_id_high"][2]) << 64) | int(rows["credit_account_id_low"][2])
    )


@pytest.mark.parametrize(("until", "position"), [(5_000, 150), (1_010, 6), (1_003, 3), (1_002, 0)])
def test_balance_as_of(moved: Access, until: int, position: int) -> None:
    """The totals are those of the last entry up to the time; before the first they are zero."""
    (found,) = rows_of(moved, f"SELECT * FROM journal.balance_as_of('{UUID(int=7)}', {until}::bigint)")
    rows = transfers(1, 150)
    side = "debit" if position % 2 else "credit"
    for total in TOTALS:
        assert found[total] == (rows[f"{side}_{total}"][position - 1] if position else 0)
    assert found["position"] == position


def test_balance_as_of_a_readable_time(moved: Access) -> None:
    """A time with a zone is as good as nanoseconds."""
    (found,) = rows_of(moved, f"SELECT * FROM journal.balance_as_of('{UUID(int=7)}', now())")
    assert found["position"] == 150
