"""The baseline: transfers as rows are locked and updated, on the same PostgreSQL."""

from __future__ import annotations

import random
import threading
import time
from typing import Final

import psycopg

__all__ = ["row_locked_rate"]

_CLIENTS: Final = 8
_SCHEMA: Final = """
    CREATE SCHEMA IF NOT EXISTS baseline;
    DROP TABLE IF EXISTS baseline.transfers, baseline.accounts;
    CREATE TABLE baseline.accounts (id bigint PRIMARY KEY, debits bigint NOT NULL, credits bigint NOT NULL);
    CREATE TABLE baseline.transfers (
        id uuid PRIMARY KEY, debit bigint NOT NULL, credit bigint NOT NULL, amount bigint NOT NULL
    );
    INSERT INTO baseline.accounts
        SELECT number, 0, 0 FROM generate_series(1, {accounts}) AS number;
    CREATE OR REPLACE FUNCTION baseline.transfer(p_debit bigint, p_credit bigint, p_amount bigint)
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        -- Locks in one order, or two transfers in opposite directions deadlock.
        PERFORM FROM baseline.accounts WHERE id IN (p_debit, p_credit) ORDER BY id FOR UPDATE;
        UPDATE baseline.accounts SET debits = debits + p_amount WHERE id = p_debit;
        UPDATE baseline.accounts SET credits = credits + p_amount WHERE id = p_credit;
        INSERT INTO baseline.transfers VALUES (gen_random_uuid(), p_debit, p_credit, p_amount);
    END $$;
"""


def row_locked_rate(conninfo: str, *, accounts: int, seconds: float, hot_pair: bool = False) -> float:
    """Return transfers/s of eight clients, one transaction and one round trip a transfer."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(_SCHEMA.format(accounts=accounts).encode())
    counts = [0] * _CLIENTS
    until = time.perf_counter() + seconds

    def client(number: int) -> None:
        drawn = random.Random(number)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            while time.perf_counter() < until:
                pair = (1, 2) if hot_pair else drawn.sample(range(1, accounts + 1), 2)
                connection.execute(
                    "SELECT baseline.transfer(%s, %s, %s)", (*pair, drawn.randint(1, 1_000)), prepare=True
                )
                counts[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(_CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(counts) / (time.perf_counter() - began)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("DROP SCHEMA baseline CASCADE")
    return rate
